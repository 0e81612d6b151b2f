// Package testdata carries the recording that is built into the binary, so that a demo needs no file and no network. What
// it is and where it is from says binance/README.md; replay.OpenBundled reads it.
package testdata

import _ "embed"

// Binance is the public order book and trades of a perpetual, packed with bzip2.
//
//go:embed binance/btcusdt-perp-20240808.bz2
var Binance []byte
