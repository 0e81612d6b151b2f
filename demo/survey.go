package demo

import (
	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/margin"
	"github.com/lockstep-exchange/lockstep/market"
)

// survey looks over all accounts, a few at a time while the courier has nothing to do, so that no command waits for a sum
// over all of them: what margin is required of them, and how far the mark is from where they would be liquidated.
type survey struct {
	required  fixed.Money // as of the last time round
	distances distances

	sum  fixed.Money
	near distances
	at   int
}

// distances are how many accounts would be liquidated if the mark moved by less than each of bounds, and by more than the
// one before; the last are those that are farther away. An account that no price endangers is in none.
type distances [len(bounds) + 1]int

var bounds = [...]fixed.Rate{10 * fixed.BasisPoint, 25 * fixed.BasisPoint, 50 * fixed.BasisPoint, fixed.Percent, 2 * fixed.Percent,
	5 * fixed.Percent, 10 * fixed.Percent}

var boundNames = [len(distances{})]string{"0-0.1%", "0.1-0.25%", "0.25-0.5%", "0.5-1%", "1-2%", "2-5%", "5-10%", "10%-"}

// step values the next accounts.
func (s *survey) step(v *view) {
	for to := min(s.at+4, len(v.accounts)); s.at < to; s.at++ {
		s.add(v, s.at)
	}
	if s.at == len(v.accounts) {
		s.required, s.distances = s.sum, s.near
		s.sum, s.near, s.at = 0, distances{}, 0
	}
}

// whole values all accounts at once.
func (s *survey) whole(v *view) {
	*s = survey{}
	for s.at = range v.accounts {
		s.add(v, s.at)
	}
	s.required, s.distances = s.sum, s.near
}

func (s *survey) add(v *view, id int) {
	a := &v.accounts[id]
	s.sum += v.requirement(a, &v.instrument)
	if d, ok := v.distance(a, &v.instrument); ok && id > 0 {
		s.near.add(d)
	}
}

// add counts an account that is so far away.
func (d *distances) add(rate fixed.Rate) {
	i := 0
	for i < len(bounds) && rate >= bounds[i] {
		i++
	}
	d[i]++
}

// nearest is the first range that is not empty.
func (d *distances) nearest() (name string, count int) {
	for i, n := range d {
		if n > 0 {
			return boundNames[i], n
		}
	}
	return "", 0
}

// distance is how far the mark is from where the position of an account would be liquidated; ok is false where no price does
// that.
func (l *ledger) distance(a *account, in *market.Instrument) (d fixed.Rate, ok bool) {
	if a.exposure.Qty == 0 || in.Mark == 0 {
		return 0, false
	}
	equity, maintenance := l.pool(a, in)
	p, ok := margin.LiquidationPrice(in, a.exposure.Qty, equity, maintenance)
	if !ok {
		return 0, false
	}
	away := in.Mark - p
	if a.exposure.Qty < 0 {
		away = -away
	}
	rate, ok := fixed.MulDivFloor(int64(max(away, 0)), int64(fixed.One), int64(in.Mark))
	return fixed.Rate(rate), ok
}
