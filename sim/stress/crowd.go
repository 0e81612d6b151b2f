package stress

import (
	"fmt"
	"math/rand/v2"
	"strings"

	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/msg"
	"github.com/lockstep-exchange/lockstep/sim/scenario"
	"github.com/lockstep-exchange/lockstep/sim/strict"
)

// A crowd is accounts that are alike: how many, and between which bounds each draws what it has and what it dares. Everything is drawn
// from the seed with integers alone, so a book is the same on every machine.
//
//	deposit    low + (high - low)·u³, u even between 0 and 1: many have little, few have much
//	leverage   even between low and high: notional of all its positions over its deposit
//	side       long with the chance that is stated; a hedged account has its second position, and every other one, on the other side

// crowd is one that has been read.
type crowd struct {
	name         string
	count        int
	low, high    fixed.Money  // deposit
	least, most  msg.Leverage // of all positions together, in hundredths
	chosen       msg.Leverage // in each instrument; 0: none
	long, hedged fixed.Rate
	held         int // positions of an account
	instruments  []*instrument
	offset       int
}

// readCrowd reads [[crowd]].
func (b *Book) readCrowd(t *strict.Table) {
	c := &crowd{offset: t.Offset}
	c.name, _ = t.Name("name", `"retail"`)
	c.count = int(t.Whole("accounts", true, 1, accountsMax, 1))
	c.low, c.high = deposits(t)
	c.least, c.most = leverages(t)
	c.chosen, _ = strict.Read(t, "chosen", `"10"`, false, parseLeverage)
	c.long = fixed.One / 2
	if r, there := t.Share("long"); there {
		c.long = r
	}
	c.hedged, _ = t.Share("hedged")
	for _, v := range t.Texts("instruments") {
		if in := b.named(t, "instruments", v.Text, v); in != nil {
			c.instruments = append(c.instruments, in)
		}
	}
	if len(c.instruments) == 0 {
		c.instruments = b.instruments
	}
	c.held = int(t.Whole("positions", false, 1, max(1, int64(len(c.instruments))), 1))
	t.Close()
	b.crowds = append(b.crowds, c)
}

// pair is a lower and an upper bound.
type pair[T any] struct{ low, high T }

// ends reads LOW..HIGH, or one number for both.
func ends[T ~int64 | ~uint16](by func(string) (T, error)) func(string) (pair[T], error) {
	return func(text string) (p pair[T], err error) {
		low, high, two := strings.Cut(text, "..")
		if !two {
			high = low
		}
		if p.low, err = by(low); err != nil {
			return p, err
		}
		if p.high, err = by(high); err == nil && p.high < p.low {
			err = fmt.Errorf("is %q, expected the lower bound first", text)
		}
		return p, err
	}
}

func deposits(t *strict.Table) (low, high fixed.Money) {
	p, _ := strict.Read(t, "deposit", `"500..20000"`, true, ends(func(text string) (fixed.Money, error) {
		m, err := scenario.ParseMoney(text)
		if err == nil && (m <= 0 || m > depositMax) {
			err = fmt.Errorf("is %q, expected an amount above 0 and up to a billion, or two as in 500..20000", text)
		}
		return m, err
	}))
	return p.low, p.high
}

func leverages(t *strict.Table) (low, high msg.Leverage) {
	p, _ := strict.Read(t, "leverage", `"2..8"`, true, ends(parseLeverage))
	return p.low, p.high
}

// draw is the accounts of the book, those of its crowds drawn with a seed.
func (b *Book) draw(seed uint64) (accounts []*account) {
	accounts = append(accounts, b.accounts...)
	for i, c := range b.crowds {
		chance := rand.NewPCG(seed, uint64(i))
		for n := range c.count {
			a := c.draw(chance)
			a.id, a.name = msg.AccountID(len(accounts)+1), fmt.Sprintf("%s-%d", c.name, n+1)
			a.owner = a.name
			accounts = append(accounts, a)
		}
	}
	return accounts
}

// between is a number from low to high, from 32 even bits.
func between(low, high int64, bits uint64) int64 {
	n, _ := fixed.MulDivFloor(high-low+1, int64(bits>>32), 1<<32)
	return low + n
}

// draw is one of the crowd.
func (c *crowd) draw(chance *rand.PCG) *account {
	u := chance.Uint64() >> 43 // 21 bits, of which the cube has 63
	share, _ := fixed.MulDivFloor(int64(u*u*u), int64(fixed.One), 1<<62)
	part, _ := fixed.MulDivFloor(int64(c.high-c.low), share/2, int64(fixed.One))
	a := &account{deposit: c.low + fixed.Money(part), offset: c.offset}
	leverage := between(int64(c.least), int64(c.most), chance.Uint64())
	side := fixed.Lots(1)
	if between(0, int64(fixed.One)-1, chance.Uint64()) >= int64(c.long) {
		side = -1
	}
	hedged := between(0, int64(fixed.One)-1, chance.Uint64()) < int64(c.hedged)
	notional, _ := fixed.MulDivFloor(int64(a.deposit), leverage, 100*int64(c.held))
	first := int(between(0, int64(len(c.instruments))-1, chance.Uint64()))
	for i := range c.held {
		in := c.instruments[(first+i)%len(c.instruments)]
		lots := fixed.Lots(notional / (int64(in.price) * int64(in.tickLot)))
		if lots == 0 {
			continue
		}
		p := &position{in: in, qty: side * lots, leverage: c.chosen, offset: c.offset}
		if hedged && i%2 == 1 {
			p.qty = -p.qty
		}
		a.positions = append(a.positions, p)
	}
	return a
}
