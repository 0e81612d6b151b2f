package client_test

import (
	"crypto/ed25519"
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lockstep-exchange/lockstep/client"
	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/msg"
	"github.com/lockstep-exchange/lockstep/wire"
	"github.com/lockstep-exchange/lockstep/wire/gen"
)

func limit(price, qty int64) *client.NewOrder {
	return &client.NewOrder{Account: 3, Instrument: 2, Side: gen.SideBuy, Price: price, Qty: qty}
}

// must is a request that has to be sent.
func must(t testing.TB) func(ref msg.Ref, err error) msg.Ref {
	return func(ref msg.Ref, err error) msg.Ref {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return ref
	}
}

// A session logs in, each kind of request gets its answer, and it ends for good.
func TestSessionFromLogonToFinish(t *testing.T) {
	p := newPair(t, config(1))
	if _, err := p.s.Place(limit(100, 2), 1); err != client.ErrNotBound {
		t.Fatal("an order before the logon: ", err)
	}
	p.carry()
	do := must(t)
	rests := do(p.s.Place(limit(100, 4), p.now))
	trades := do(p.s.Place(limit(101, 3), p.now))
	filled := do(p.s.Place(limit(102, 1), p.now))
	refused := do(p.s.Place(limit(-1, 4), p.now))
	extended := *limit(99, 2)
	extended.TIF, extended.Expire = gen.TimeInForceGTD, 5_000_000_000
	later := do(p.s.Place(&extended, p.now))
	byID := do(p.s.Place(limit(97, 2), p.now))
	if _, err := p.s.Replace(rests, 99, 2, false, p.now); err != client.ErrUnanswered {
		t.Fatal("a replace before the order has an id: ", err)
	}
	early := do(p.s.Cancel(later, p.now)) // by client id
	p.carry()
	sent := []msg.Ref{rests, trades, filled, refused, later, byID, early}
	sent = append(sent, do(p.s.Replace(rests, 98, 6, false, p.now)), do(p.s.Cancel(trades, p.now)), do(p.s.CancelID(2, p.orders[byID].ID, p.now)),
		do(p.s.AskOrder(3, p.orders[rests].ID, 0, p.now)))
	p.carry()
	sent = append(sent, do(p.s.Quote(&client.Quotes{Account: 3, Entries: []client.Quote{{BidPx: 90, BidQty: 1, AskPx: 110, AskQty: 1, Instrument: 2}}}, p.now)),
		do(p.s.AskMargin(&client.WhatIf{Account: 3, Instrument: 2, Side: gen.SideBuy, Price: 100, Qty: 1}, p.now)),
		do(p.s.DeadMan(3, p.now+fixed.Nanos(time.Minute), p.now)), do(p.s.Protect(&client.Protection{Account: 3, Group: 1, Qty: 5}, p.now)),
		do(p.s.Entry(gen.ScopeAccount, 3, 0, gen.EntryActionUnblock, p.now)), do(p.s.SetPosition(&client.Position{Account: 3, Instrument: 2, Leverage: 5_000_000_000}, p.now)),
		do(p.s.AskOrders(3, p.now)))
	p.carry()
	p.agree(sent)
	for ref, want := range map[msg.Ref]client.State{rests: client.Working, trades: client.Canceled, filled: client.Filled, refused: client.Rejected, later: client.Canceled, byID: client.Canceled} {
		if got := p.orders[ref]; got.State != want {
			t.Errorf("order %d is %v, want %v", ref, got.State, want)
		}
	}
	if o := p.orders[rests]; o.Price != 98 || o.Leaves != 6 || o.Filled != 0 || o.ID == 0 {
		t.Errorf("the replaced order is %+v", o)
	}
	do(p.s.MassCancel(&client.MassCancel{Account: 3}, p.now))
	p.carry()
	p.agree(sent)
	if err := p.s.Finish(); err != nil {
		t.Fatal(err)
	}
	p.carry()
	if !p.s.Over() || p.s.Err() != client.ErrFinished || !slices.Contains(p.done, client.Finished) {
		t.Errorf("the finished session is over %v, %v, events %v", p.s.Over(), p.s.Err(), p.done)
	}
}

// trader draws requests; what it has sent is in sent.
type trader struct {
	p    *pair
	dice *rand.Rand
	sent []msg.Ref
}

func (tr *trader) act() {
	d, s, now := tr.dice, tr.p.s, tr.p.now
	var open []client.Order
	for o := range s.Orders() {
		open = append(open, o)
	}
	var ref msg.Ref
	var err error
	switch n := d.IntN(12); {
	case n < 6 || len(open) == 0:
		ref, err = s.Place(limit(int64(d.IntN(12)-1), int64(1+d.IntN(6))), now)
	case n < 8:
		ref, err = s.Cancel(open[d.IntN(len(open))].Ref, now)
	case n < 10:
		o := open[d.IntN(len(open))]
		ref, err = s.Replace(o.Ref, int64(d.IntN(10)), max(1, o.Filled+int64(d.IntN(5))), false, now)
	case n < 11:
		ref, err = s.AskMargin(&client.WhatIf{Account: 3, Instrument: 2, Side: gen.SideBuy, Qty: 1}, now)
	default:
		ref, err = s.MassCancel(&client.MassCancel{Account: 3}, now)
	}
	if err == nil {
		tr.sent = append(tr.sent, ref)
	}
}

// Whatever byte the connection is lost behind, in either direction, every request is known afterwards as what it was: applied with
// its answer, refused, or not applied. Nothing is applied twice, no report is shown twice or out of order.
func TestCutBehindEveryByte(t *testing.T) {
	run := func(there, back int64, slow bool) (bytesThere, bytesBack int64) {
		p := newPair(t, config(3))
		tr := &trader{p, rand.New(rand.NewPCG(8, 8)), nil}
		p.v.slow = slow
		p.toVenue, p.toUs = there, back
		p.carry()
		for range 4 {
			for range 4 {
				tr.act()
			}
			if there < 0 && back < 0 {
				bytesThere += int64(len(p.s.Output()))
			}
			p.carry()
			if slow && p.v.bound != nil {
				p.v.release(p.v.bound.released + 2)
			}
		}
		p.v.slow = false
		for range 3 {
			p.carry()
			if p.v.bound != nil {
				p.v.release(1 << 30)
			}
		}
		p.carry()
		if len(tr.sent) < 12 && there < 0 && back < 0 {
			t.Fatalf("only %d requests", len(tr.sent))
		}
		p.agree(tr.sent)
		if p.bounds > 3 {
			t.Fatalf("%d bindings for one cut", p.bounds)
		}
		return bytesThere + 600, int64(len(p.v.out)) + 3_000
	}
	step := int64(1)
	if testing.Short() {
		step = 7
	}
	for _, slow := range []bool{false, true} {
		there, back := run(-1, -1, slow)
		for cut := int64(1); cut < there; cut += step {
			run(cut, -1, slow)
		}
		for cut := int64(1); cut < back; cut += step {
			run(-1, cut, slow)
		}
	}
}

// The same for many losses at places that chance draws, with pieces of any size and answers that come late.
func TestManyLosses(t *testing.T) {
	rounds := uint64(300)
	if testing.Short() {
		rounds = 60
	}
	for seed := range rounds {
		d := rand.New(rand.NewPCG(seed, 2))
		c := config(seed)
		c.Held = wire.MaxOutbound
		p := newPair(t, c)
		tr := &trader{p, d, nil}
		p.carry()
		for range 60 {
			p.v.slow = d.IntN(3) > 0
			p.piece = []int{0, 0, 1 + d.IntN(200)}[d.IntN(3)]
			switch d.IntN(4) {
			case 0:
				p.toVenue = int64(1 + d.IntN(800))
			case 1:
				p.toUs = int64(1 + d.IntN(1_500))
			}
			for range d.IntN(8) {
				tr.act()
			}
			p.carry()
			if p.v.bound != nil && d.IntN(2) == 0 {
				p.v.release(p.v.bound.released + d.IntN(5))
			}
		}
		p.toVenue, p.toUs, p.v.slow = -1, -1, false
		for range 3 {
			p.carry()
			p.v.release(1 << 30)
		}
		p.carry()
		p.agree(tr.sent)
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}

// More than one batch is missing, and more comes live than can be held: all of it is shown, once, in order.
func TestRecoveryOfMuch(t *testing.T) {
	c := config(4)
	c.Pending, c.Orders, c.Held = 1<<10, 1<<10, wire.MaxOutbound
	p := newPair(t, c)
	p.carry()
	var sent []msg.Ref
	do := must(t)
	for range 900 {
		sent = append(sent, do(p.s.Place(limit(5, 2), p.now)))
		p.v.take(p.s.Output())
		p.s.Wrote(len(p.s.Output()))
	}
	p.v.out = nil // all answers are lost
	p.lose()
	p.v.connect()
	p.s.Connected(p.now)
	p.up = true
	p.v.take(p.s.Output())
	p.s.Wrote(len(p.s.Output()))
	for _, o := range p.v.orders { // and meanwhile everything trades
		p.v.trade(o, 1)
	}
	p.carry()
	p.agree(sent)
	if p.numbers != 1_800 {
		t.Errorf("%d reports were shown, want 1800", p.numbers)
	}
}

// What the venue no longer keeps is told as missed, and the rest goes on behind it.
func TestMissedIsTold(t *testing.T) {
	p := newPair(t, config(5))
	p.carry()
	do := must(t)
	for range 10 {
		do(p.s.Place(limit(5, 2), p.now))
	}
	p.v.take(p.s.Output())
	p.s.Wrote(len(p.s.Output()))
	p.v.out = nil
	p.lose()
	p.v.sessions[p.v.bound.id].oldest = 100
	p.carry()
	if p.missed != 10 || p.s.Unanswered() != 10 || !p.s.Recovering() {
		t.Fatalf("%d missed, %d unanswered", p.missed, p.s.Unanswered())
	}
	if _, err := p.s.Place(limit(5, 2), p.now); err != client.ErrRecovering {
		t.Errorf("an order while ten are not known: %v", err)
	}
}

// Another process goes on with a session, from numbers that are too high: what it skipped is not applied, what it does not know is
// taken into its table.
func TestResume(t *testing.T) {
	p := newPair(t, config(6))
	p.carry()
	do := must(t)
	for range 3 {
		do(p.s.Place(limit(5, 2), p.now))
	}
	before := p.s.Resume()
	p.carry()
	c := config(66)
	c.Resume, c.Takeover = before, true
	c.Resume.Next += 10
	q := newPair(t, c)
	q.v, q.now = p.v, p.now
	q.carry()
	q.agree(nil)
	if q.v.bound.expected != before.Next+10 || q.recover != 1 {
		t.Errorf("the venue expects %d, recovered %d times", q.v.bound.expected, q.recover)
	}
	for o := range q.s.Orders() {
		do(q.s.Cancel(o.Ref, q.now))
	}
	q.carry()
	q.agree(nil)
	if len(q.v.orders) != 0 {
		t.Errorf("%d orders are left", len(q.v.orders))
	}
}

// W-15: a silent session says that it is there, and a silent venue is given up.
func TestSilence(t *testing.T) {
	p := newPair(t, config(7))
	p.carry()
	began := p.now
	beats := 0
	for !p.s.Closing() {
		p.now = p.s.Deadline()
		p.s.Tick(p.now)
		if len(p.s.Output()) > 0 {
			beats++
			p.s.Wrote(len(p.s.Output()))
		}
		if p.now-began > fixed.Nanos(time.Minute) {
			t.Fatal("the silent venue is never given up")
		}
	}
	if beats != 4 || p.s.Err() != client.ErrIdle { // at 1, 2 and 3 s, where Terminate goes with it
		t.Errorf("%d frames, ended by %v after %v", beats, p.s.Err(), time.Duration(p.now-began))
	}
	p.carry()
	if p.bounds != 2 || !p.s.Bound() {
		t.Errorf("%d bindings", p.bounds)
	}
}

// A venue that does not answer, refuses, or is another one than the client knows.
func TestLogonsThatFail(t *testing.T) {
	s, _ := client.NewSession(config(8))
	s.Connected(1)
	s.Tick(s.Deadline())
	if !s.Closing() || s.Err() != client.ErrTimeout || s.Over() {
		t.Errorf("no answer: %v", s.Err())
	}

	p := newPair(t, config(9))
	p.v.client = venueKey.Public().(ed25519.PublicKey)
	p.carry()
	var refused *client.Refused
	if !errors.As(p.s.Err(), &refused) || refused.Stage != "Negotiate" || !p.s.Over() {
		t.Errorf("another key: %v", p.s.Err())
	}

	p = newPair(t, config(10))
	p.v.private = clientKey
	p.carry()
	if p.s.Err() != client.ErrVenue || !p.s.Over() {
		t.Errorf("another venue: %v", p.s.Err())
	}
}

// Who takes a placeholder for the venue's key would take anybody for the venue.
func TestWeakVenue(t *testing.T) {
	private := ed25519.NewKeyFromSeed(make([]byte, 32))
	_, err := client.NewSession(client.Config{Key: client.Key{ID: 1, Private: private}, Venue: make([]byte, 32)})
	if err == nil || !strings.Contains(err.Error(), "Venue is a key with which anybody can sign") {
		t.Errorf("got %v", err)
	}
}
