package demo

import (
	"math/rand/v2"

	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/msg"
)

// The sources of the index. Each reports the middle of the book in its turn, a little off: its error wanders by a tick at a
// time. One of them lies for a while, and one falls silent for a while, so that the index is left to the other two.
//
//	since the start   20 s ─── 35 s        60 s ─── 75 s
//	source 2          too high by 8 %
//	source 3                               says nothing

const (
	underlying   msg.UnderlyingID = 1
	sources                       = 3
	reportEvery                   = 100 * fixed.Millisecond // one of them in turn
	staleAfter                    = 2 * fixed.Second
	errorMax     fixed.Ticks      = 20
	liar                          = 1 // sources count from 0 here
	lieFrom                       = 20 * fixed.Second
	lieUntil                      = 35 * fixed.Second
	lie                           = 8 * fixed.Percent
	silent                        = 2
	silenceFrom                   = 60 * fixed.Second
	silenceUntil                  = 75 * fixed.Second
)

// oracle is the sources.
type oracle struct {
	start  fixed.Nanos
	due    fixed.Nanos // the next report
	turn   int         // whose it is
	errors [sources]fixed.Ticks
	chance *rand.PCG
}

func newOracle(start fixed.Nanos, seed uint64) oracle {
	return oracle{start: start, due: start + reportEvery, chance: rand.NewPCG(seed, 1)}
}

// next is what the source whose turn it is says of a price; ok is false while it is silent.
func (o *oracle) next(mid fixed.Ticks) (r msg.Report, ok bool) {
	source, at := o.turn, o.due-o.start
	o.turn = (o.turn + 1) % sources
	o.due += reportEvery
	e := &o.errors[source]
	*e = max(-errorMax, min(errorMax, *e+fixed.Ticks(o.chance.Uint64()%3)-1))
	price := mid + *e
	if source == liar && at >= lieFrom && at < lieUntil {
		price, _ = fixed.Rate(lie).ScaleFloor(price)
	}
	silenced := source == silent && at >= silenceFrom && at < silenceUntil
	return msg.Report{Underlying: underlying, Source: uint8(source) + 1, Price: unitPrice(price), Confidence: fixed.One}, !silenced
}

// unitPrice is what a bitcoin costs at a price.
func unitPrice(p fixed.Ticks) fixed.Money { return fixed.Money(int64(p) * int64(tickLot) * unitLots) }
