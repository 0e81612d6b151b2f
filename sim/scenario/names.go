package scenario

import (
	"math/big"

	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/msg"
)

// What a scenario names, and the number by which the engine knows it.

// underlying is what an index is the price of.
type underlying struct {
	name    string
	id      msg.UnderlyingID
	sources []string
}

// instrument is what is traded, and the units of its prices and quantities.
type instrument struct {
	name       string
	id         msg.InstrumentID
	underlying *underlying
	kind       msg.InstrumentType
	tick, lot  *big.Rat    // in human units
	tickLot    fixed.Money // of one tick of one lot
	perUnit    fixed.Lots  // lots to one unit
}

// account is an account.
type account struct {
	name string
	id   msg.AccountID
}

// asset is what an account may hold besides the settlement currency.
type asset struct {
	name string
	in   *instrument // a spot instrument, in whose lots it is counted
}

func (t *asset) called() string      { return t.name }
func (u *underlying) called() string { return u.name }
func (i *instrument) called() string { return i.name }
func (a *account) called() string    { return a.name }

// price is a price in human units.
func (i *instrument) price(t fixed.Ticks) quantity { return number(units(int64(t), i.tick)) }

// known is a price, none for 0.
func (i *instrument) known(t fixed.Ticks) quantity {
	if t == 0 {
		return none
	}
	return i.price(t)
}

// qty is a quantity in human units.
func (i *instrument) qty(n fixed.Lots) quantity { return number(units(int64(n), i.lot)) }

// average is the price at which lots were paid for in all, in Money; none for no lots.
func (i *instrument) average(paid fixed.Money, lots fixed.Lots) quantity {
	if lots == 0 {
		return none
	}
	return number(new(big.Rat).Quo(units(int64(paid), moneyUnit), units(int64(lots), i.lot)))
}
