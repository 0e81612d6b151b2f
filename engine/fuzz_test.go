package engine

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/msg"
)

// bytesChance draws from the input of a fuzzer; a used up input draws 0.
type bytesChance struct{ rest []byte }

func (c *bytesChance) below(n int64) int64 {
	v := uint64(0)
	for bound := uint64(n - 1); bound > 0 && len(c.rest) > 0; bound >>= 8 {
		v = v<<8 | uint64(c.rest[0])
		c.rest = c.rest[1:]
	}
	return int64(v % uint64(n))
}

// wild draws commands that nobody should send: any kind, any value, those at the edges above all.
type wild struct {
	trader *trader
	engine *Engine
}

// counts is the number that a session expects, mostly.
func (w *wild) counts(id msg.SessionID) uint64 {
	if w.engine != nil && w.trader.below(9) != 0 {
		if s, ok := w.engine.Session(id); ok {
			return s.Next
		}
	}
	return uint64(w.trader.below(5))
}

// number draws a number: small mostly, else a power of two or a bound and what lies beside it, or anything.
func (w *wild) number() int64 {
	switch t := w.trader; t.below(8) {
	case 0:
		return 1<<t.below(63) + t.below(3) - 1
	case 1:
		return pick[int64](t, fixed.MaxInt64, fixed.MinInt64, -1, 1<<55, 1<<55+1, 1<<61, int64(fixed.One), int64(fixed.Percent), 1<<32, 1<<16) - t.below(2)
	case 2:
		up, down := t.below(1<<62), t.below(1<<62)
		return up - down
	case 3:
		return -t.below(50)
	default:
		return t.below(200)
	}
}

// next is a wild command, or one that makes sense with one number of it gone wild.
func (w *wild) next() (c msg.Command) {
	t := w.trader
	if t.below(3) == 0 {
		r := &c.Request
		r.Kind = msg.Kind(t.below(int64(msg.KindAskMargin) + 1))
		r.Order, r.Ref, r.Price, r.Qty = msg.OrderID(w.number()), msg.Ref(w.number()), fixed.Ticks(w.number()), fixed.Lots(w.number())
		r.Account, r.Instr, r.Session = msg.AccountID(w.number()), msg.InstrumentID(w.number()), msg.SessionID(t.below(5)*t.below(5)/4)
		r.Flags, r.Side, r.TIF, r.STP = msg.Flags(t.below(1<<11)), msg.Side(t.below(4)), msg.TIF(t.below(6)), msg.STP(t.below(8))
		for k := range r.Rare {
			r.Rare[k] = uint64(w.number())
		}
		return c
	}
	if t.below(6) == 0 {
		return w.client()
	}
	c = t.next()
	if t.below(2) == 0 {
		switch t.below(4) {
		case 0:
			c.Price = fixed.Ticks(w.number())
		case 1:
			c.Qty = fixed.Lots(w.number())
		default:
			c.Rare[t.below(4)] = uint64(w.number())
		}
	}
	return c
}

// client is what a gateway or a client says, which may make sense.
func (w *wild) client() (c msg.Command) {
	t := w.trader
	id, stamp := msg.SessionID(t.below(4)), fixed.Nanos(t.at+1)
	switch t.below(10) {
	case 0:
		return msg.SetKey(keyOf(msg.KeyID(t.below(3)), msg.Role(t.below(7)), msg.OwnerID(t.below(4))))
	case 1:
		return msg.Negotiate(msg.Negotiation{Session: id, Key: msg.KeyID(t.below(3)), Kind: msg.SessionKind(1 + t.below(3)), UUID: [16]byte{byte(t.below(200))},
			Cancel: msg.CancelMode(t.below(4)), Window: uint32(t.below(3)), Stamp: stamp})
	case 2:
		return msg.Bind(msg.Binding{Session: id, TakeOver: t.below(2) == 0, Stamp: stamp})
	case 3:
		return pick(t, msg.Unbind(id, msg.Why(t.below(3))), msg.EndGrace(id), msg.Finalize(id))
	case 4:
		return msg.Miss(msg.Missing{Session: id, From: uint64(t.below(9)), Count: uint64(t.below(4))})
	case 5:
		c = msg.Refuse(msg.Ref(w.number()), msg.AccountID(t.below(8)), msg.InstrumentID(t.below(4)), 0, msg.Refused{Reject: msg.Reject(t.below(70)), Instead: msg.Kind(t.below(12))})
	case 6:
		c = msg.SetEntry(msg.AccountID(t.below(8)), msg.InstrumentID(t.below(4)), msg.Entry{Scope: msg.Scope(t.below(5)), Action: msg.Action(t.below(5)), Owner: msg.OwnerID(t.below(4))})
	case 7:
		c = msg.SetDeadMan(msg.AccountID(t.below(8)), t.at+fixed.Nanos(t.below(3))*fixed.Second)
	default:
		c = t.next()
	}
	c.Session = id
	c.SetEnvelope(msg.Envelope{SeqNum: uint32(w.counts(id)), Template: 100})
	return c
}

// storm lets wild commands loose on an engine and holds that each is answered, that nothing is made or lost, and that sums
// and books are whole.
func storm(t testing.TB, l Limits, c chance, commands int, more func() bool) error {
	d := day{limits: l, accounts: 6, lots: 40, money: 3000, width: 9, calm: 60, leap: 30}
	if c.below(2) == 0 { // the rich, near the end of every unit
		d.lots, d.money = 1<<(10+c.below(40)), 1<<42
	}
	o := &observer{desk: newDesk(t, l)}
	w := &wild{trader: newTrader(d, c), engine: o.Engine}
	opening := w.trader.opening()
	for k := 0; k < commands && (k < len(opening) || more()); k++ {
		var c msg.Command
		if k < len(opening) {
			c = opening[k]
		} else {
			c = w.next()
		}
		o.at = max(o.at, min(max(c.Time, 0), 1<<61))
		if err := o.survive(c); err != nil {
			return fmt.Errorf("seq %d: %s: %w", o.seq, c.String(), err)
		}
		w.trader.see(&c, o.last)
	}
	return nil
}

// survive applies a command and turns a panic into an error.
func (o *observer) survive(c msg.Command) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("panic: %v", r)
		}
	}()
	if err := o.answered(o.do(c)); err != nil {
		return err
	}
	if money, lots := o.Imbalance(); money != 0 || lots != 0 {
		return fmt.Errorf("%s and %d lots are missing", money, lots)
	}
	for id := range o.limits.Accounts + 1 {
		if o.house.Account(msg.AccountID(id)) != nil {
			o.house.Check(msg.AccountID(id))
		}
	}
	return o.uncrossed()
}

var wildLimits = []Limits{
	{Instruments: 4, Accounts: 8, Orders: 64, Events: 256},
	{Instruments: 4, Accounts: 8, Orders: 64, Events: 256, AccountPositions: 1},
	{Instruments: 4, Accounts: 8, Orders: 20, Levels: 6, Positions: 5, AccountPositions: 3, Events: 256, Sessions: 3, OwnerAccounts: 2, Jobs: 1},
	{Instruments: 4, Accounts: 8, Orders: 64, Events: 256, AccountPositions: 1<<16 - 1},
}

// TestStorm is a fuzz of fixed length.
func TestStorm(t *testing.T) {
	for i, l := range wildLimits {
		for k := range uint64(40) {
			seed := xorshift(*firstSeed + (uint64(i)*1000+k)*0x2545F4914F6CDD1D)
			first := seed
			if err := storm(t, l, &seed, 4000, func() bool { return true }); err != nil {
				t.Errorf("limits %d, seed %#x: %v", i, uint64(first), err)
			}
			if testing.Short() && k == 4 {
				break
			}
		}
	}
}

// FuzzApply reads its input as draws: the limits first, then commands until it is used up.
func FuzzApply(f *testing.F) { // T-4, A-15, A-22
	f.Add([]byte{0})
	f.Add(bytes.Repeat([]byte{1, 7, 200, 90, 3}, 200))
	for i := range wildLimits {
		seed := xorshift(i + 1)
		input := []byte{byte(i)}
		for range 2000 {
			input = append(input, byte(seed.below(256)))
		}
		f.Add(input)
	}
	f.Fuzz(func(t *testing.T, input []byte) {
		c := &bytesChance{input}
		l := wildLimits[c.below(int64(len(wildLimits)))]
		if err := storm(t, l, c, 1500, func() bool { return len(c.rest) > 0 }); err != nil {
			t.Fatal(err)
		}
	})
}
