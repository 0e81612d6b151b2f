package replay

import (
	"bytes"

	"github.com/lockstep-exchange/lockstep/testdata"
)

// Of the recording that is part of the binary: its name in messages and the instrument that it shows.
const (
	BundledName   = "btcusdt-perp-20240808.bz2"
	BundledSymbol = "BTCUSDT-PERP"
)

// BundledSteps are the steps of its prices and quantities: 0.1 USDT and 0.001 BTC.
func BundledSteps() (tick, lot Step) { return Step{Units: 1, Places: 1}, Step{Units: 1, Places: 3} }

// OpenBundled opens the recording that is part of the binary: three and a half minutes of a perpetual's order book and
// trades, in ticks of 0.1 and lots of 0.001. A snapshot comes some events after the first; the depth events before it
// belong behind it (see BinanceBook).
func OpenBundled() (*BinanceReader, error) {
	tick, lot := BundledSteps()
	return OpenBinance(bytes.NewReader(testdata.Binance), BundledName, tick, lot)
}
