package ops

import "fmt"

// The generator. It draws from xorshift64 in a fixed order, and an oracle runs
// inside, so that it knows what rests; the order of the draws is part of the
// definition of a stream and must never change.
//
//	passive(side)  a = 1+n(Range), d = 1+n(a): mid-d to buy, mid+d to sell, so most orders sit near the touch
//	add(side)      passive, quantity 1+n(MaxQty), account n(Accounts), in that order; the next id
//	cancel         of live[n(len)]
//	replace        of live[n(len)]: passive(its side), quantity 1+n(MaxQty)
//	ioc            Through ticks beyond the mid, quantity 1+n(MaxIOCQty), account n(Accounts); the next id
//
// live lists the ids that rest, with removal by swap: filled makers leave it in
// match order, a replaced order keeps its place and leaves after its makers if
// nothing of it rests, a new one is appended last.

// Seed is the seed of the published streams.
const Seed uint64 = 0x2545F4914F6CDD1D

// MaxTimed is the largest number of timed operations that Generate takes.
const MaxTimed = 1 << 30

const (
	firstMid = 131072 // ticks
	midDrift = 8192   // the mid stays within firstMid +- midDrift
)

// Profile is the mix of a generated stream.
type Profile struct {
	Name                      string
	Resting                   uint64 // orders that rest, about; and the prefill
	Range                     uint64 // widest distance of a passive price from the mid, ticks
	Add, Cancel, Replace, IOC uint64 // percent, 100 in all
	MaxQty, MaxIOCQty         uint64 // lots
	Through                   uint64 // ticks beyond the mid of an IOC's limit
	Accounts                  uint64
}

// Profiles returns the published profiles: a liquid book of about 940 levels, a
// deep one of about 7,500, and one of sparse levels that flap.
func Profiles() []Profile {
	return []Profile{
		{"b10k", 10_000, 512, 50, 40, 5, 5, 100, 200, 64, 1000},
		{"b100k", 100_000, 4096, 50, 40, 5, 5, 100, 200, 64, 1000},
		{"ec1k", 1_000, 1024, 9, 6, 82, 3, 100, 100, 64, 1000},
	}
}

// Named returns the published profile of that name.
func Named(name string) (Profile, error) {
	for _, p := range Profiles() {
		if p.Name == name {
			return p, nil
		}
	}
	return Profile{}, fmt.Errorf("no profile %q, expected b10k, b100k or ec1k", name)
}

// Validate returns an error that names the first parameter out of range.
func (p *Profile) Validate() error {
	for _, v := range []struct {
		name             string
		value, low, high uint64
	}{
		{"resting", p.Resting, 2, 1 << 30},
		{"range", p.Range, 1, 100_000},
		{"add", p.Add, 0, 100}, {"cancel", p.Cancel, 0, 100}, {"replace", p.Replace, 0, 100}, {"ioc", p.IOC, 0, 100},
		{"max-qty", p.MaxQty, 1, 1 << 31},
		{"max-ioc-qty", p.MaxIOCQty, 1, 1 << 31},
		{"through", p.Through, 0, 100_000},
		{"accounts", p.Accounts, 1, 1 << 31},
	} {
		if v.value < v.low || v.value > v.high {
			return fmt.Errorf("%s is %d, expected %d to %d", v.name, v.value, v.low, v.high)
		}
	}
	if sum := p.Add + p.Cancel + p.Replace + p.IOC; sum != 100 {
		return fmt.Errorf("add+cancel+replace+ioc is %d percent, expected 100", sum)
	}
	return nil
}

// Generate makes the stream of p with timed operations after the prefill. The
// seed must not be zero. Equal arguments give equal bytes, everywhere.
func Generate(p Profile, timed, seed uint64) (*Stream, error) {
	if err := p.Validate(); err != nil {
		return nil, err
	}
	if seed == 0 {
		return nil, fmt.Errorf("seed is 0, expected any other")
	}
	if timed == 0 || timed > MaxTimed {
		return nil, fmt.Errorf("timed operations are %d, expected 1 to %d", timed, MaxTimed)
	}
	g := newGenerator(p, timed, seed)
	for i := range p.Resting {
		g.add(Side(i & 1))
	}
	for range timed {
		g.step()
	}
	return &Stream{Prefill: p.Resting, MaxID: g.next - 1, Want: g.book.Result, Ops: g.ops}, nil
}

// random is xorshift64.
type random uint64

func (r *random) draw() uint64 {
	x := uint64(*r)
	x ^= x << 13
	x ^= x >> 7
	x ^= x << 17
	*r = random(x)
	return x
}

// n returns a value below m: the high 32 bits modulo m.
func (r *random) n(m uint64) uint64 { return (r.draw() >> 32) % m }

type generator struct {
	Profile
	random
	book  *Oracle
	mid   int64
	next  uint64 // the next id
	live  []uint32
	place []int32 // of an id in live
	owner []uint32
	side  []Side
	ops   []Op
}

func newGenerator(p Profile, timed, seed uint64) *generator {
	maxID := p.Resting + timed + 1
	return &generator{
		Profile: p,
		random:  random(seed),
		book:    NewOracle(maxID),
		mid:     firstMid,
		next:    1,
		live:    make([]uint32, 0, 2*p.Resting),
		place:   make([]int32, maxID+1),
		owner:   make([]uint32, maxID+1),
		side:    make([]Side, maxID+1),
		ops:     make([]Op, 0, p.Resting+timed),
	}
}

// step draws one timed operation.
func (g *generator) step() {
	x := g.draw()
	class := (x >> 32) % 100
	side := Side(x>>16) & 1
	if x&0xFF == 0 {
		g.drift(x>>8&1 == 0)
	}
	resting := uint64(len(g.live))
	add := class < g.Add
	cancel := !add && class < g.Add+g.Cancel
	switch { // the number of resting orders is held within a tenth of its target
	case add && resting*10 > g.Resting*11:
		add, cancel = false, true
	case cancel && resting*10 < g.Resting*9:
		add, cancel = true, false
	}
	replace := !add && !cancel && class < g.Add+g.Cancel+g.Replace
	switch {
	case add || (cancel || replace) && resting == 0:
		g.add(side)
	case cancel:
		g.cancel()
	case replace:
		g.replace()
	default:
		g.ioc(side)
	}
}

func (g *generator) drift(up bool) {
	if up {
		g.mid = min(g.mid+1, firstMid+midDrift)
	} else {
		g.mid = max(g.mid-1, firstMid-midDrift)
	}
}

func (g *generator) passive(side Side) int64 {
	a := 1 + g.n(g.Range)
	d := int64(1 + g.n(a))
	if side == Buy {
		return g.mid - d
	}
	return g.mid + d
}

func (g *generator) add(side Side) {
	o := Op{Kind: New, Side: side}
	o.Price = g.passive(side)
	o.Qty = uint32(1 + g.n(g.MaxQty))
	g.enter(o)
}

func (g *generator) ioc(side Side) {
	o := Op{Kind: IOC, Side: side, Price: g.mid + int64(g.Through)}
	if side == Sell {
		o.Price = g.mid - int64(g.Through)
	}
	o.Qty = uint32(1 + g.n(g.MaxIOCQty))
	g.enter(o)
}

// enter gives a new order its account and id.
func (g *generator) enter(o Op) {
	o.Account = uint32(g.n(g.Accounts))
	o.ID = g.next
	g.next++
	g.owner[o.ID], g.side[o.ID] = o.Account, o.Side
	g.run(o)
}

func (g *generator) cancel() {
	id := uint64(g.live[g.n(uint64(len(g.live)))])
	g.run(Op{Kind: Cancel, Side: g.side[id], ID: id, Account: g.owner[id]})
}

func (g *generator) replace() {
	id := uint64(g.live[g.n(uint64(len(g.live)))])
	o := Op{Kind: Replace, Side: g.side[id], ID: id, Account: g.owner[id]}
	o.Price = g.passive(o.Side)
	o.Qty = uint32(1 + g.n(g.MaxQty))
	g.run(o)
}

// run applies o, records it, and keeps the list of what rests.
func (g *generator) run(o Op) {
	g.book.Apply(&o)
	o.Trades = uint32(len(g.book.Fills))
	g.ops = append(g.ops, o)
	for _, f := range g.book.Fills {
		if f.Done {
			g.drop(uint32(f.Maker))
		}
	}
	_, _, rests := g.book.Rests(o.ID)
	switch {
	case o.Kind == New && rests:
		g.place[o.ID] = int32(len(g.live))
		g.live = append(g.live, uint32(o.ID))
	case o.Kind == Cancel, o.Kind == Replace && !rests:
		g.drop(uint32(o.ID))
	}
}

func (g *generator) drop(id uint32) {
	i, last := g.place[id], g.live[len(g.live)-1]
	g.live[i], g.place[last] = last, i
	g.live = g.live[:len(g.live)-1]
}
