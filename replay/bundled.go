package replay

import (
	"bytes"
	_ "embed"
)

// bundled is the recording that is part of the binary, so that a demo needs no file and no network. What it is and where
// it is from says testdata/binance/README.md.
//
//go:embed testdata/binance/btcusdt-perp-20240808.bz2
var bundled []byte

// Of the bundled recording: its name in messages, what it trades, and the steps of its prices and quantities.
const BundledName = "btcusdt-perp-20240808.bz2"

// BundledSymbol is the instrument of the bundled recording.
const BundledSymbol = "BTCUSDT-PERP"

// BundledTick and BundledLot are the steps of its prices and quantities: 0.1 USDT and 0.001 BTC.
var (
	BundledTick = Step{Units: 1, Places: 1}
	BundledLot  = Step{Units: 1, Places: 3}
)

// OpenBundled opens the recording that is part of the binary: three and a half minutes of a perpetual's order book and
// trades. Its ticker lines answer its depth lines (see BinanceEvent).
func OpenBundled() (*BinanceReader, error) {
	return OpenBinance(bytes.NewReader(bundled), BundledName, BundledTick, BundledLot)
}
