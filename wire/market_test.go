package wire_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/lockstep-exchange/lockstep/book"
	"github.com/lockstep-exchange/lockstep/engine"
	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/market"
	"github.com/lockstep-exchange/lockstep/msg"
	"github.com/lockstep-exchange/lockstep/wire"
	"github.com/lockstep-exchange/lockstep/wire/gen"
)

// follower is a reader of the feed: it knows records and nothing else.
type follower struct {
	t      *testing.T
	orders map[uint64]*followed
	line   int // place of the next arrival, for the order in a level
	swept  struct {
		qty   int64
		trade uint64
		fills uint32
		side  gen.Side
	}
	seen map[uint16]int
}

type followed struct {
	price, qty int64
	side       gen.Side
	place      int
}

// records applies what one command gave and returns the flags of each record.
func (f *follower) records(b []byte) (flags []gen.MarketFlags) {
	for len(b) > 0 {
		size := int(binary.BigEndian.Uint16(b))
		m, fault := wire.OpenRecord(b[2 : 2+size])
		if fault.Kind != 0 {
			f.t.Fatal(fault)
		}
		b = b[2+size:]
		flags = append(flags, f.record(&m))
	}
	return flags
}

func (f *follower) find(id uint64) *followed {
	o := f.orders[id]
	if o == nil {
		f.t.Fatalf("the feed speaks of order %d, which it has not added", id)
	}
	return o
}

func (f *follower) record(m *wire.Message) gen.MarketFlags {
	f.seen[m.Template]++
	if f.swept.fills > 0 && m.Template != gen.TemplateOrderExecuted {
		f.t.Fatalf("template %d inside a sweep", m.Template)
	}
	f.line++
	switch m.Template {
	case gen.TemplateOrderAdd:
		o := gen.AsOrderAdd(m.Block)
		if f.orders[o.OrderID()] != nil {
			f.t.Fatalf("order %d is added twice", o.OrderID())
		}
		f.orders[o.OrderID()] = &followed{o.Price(), o.Qty(), o.Side(), f.line}
		return o.Flags()
	case gen.TemplateOrderReduce:
		o := gen.AsOrderReduce(m.Block)
		if old := f.find(o.OrderID()); o.NewQty() >= old.qty || o.NewQty() <= 0 {
			f.t.Fatalf("order %d is reduced from %d to %d", o.OrderID(), old.qty, o.NewQty())
		}
		f.orders[o.OrderID()].qty = o.NewQty()
		return o.Flags()
	case gen.TemplateOrderMove:
		o := gen.AsOrderMove(m.Block)
		f.find(o.OrderID())
		f.orders[o.OrderID()] = &followed{o.Price(), o.Qty(), o.Side(), f.line}
		return o.Flags()
	case gen.TemplateOrderDelete:
		o := gen.AsOrderDelete(m.Block)
		f.find(o.OrderID())
		delete(f.orders, o.OrderID())
		return o.Flags()
	case gen.TemplateTradeSummary:
		s := gen.AsTradeSummary(m.Block)
		f.swept.qty, f.swept.trade, f.swept.fills, f.swept.side = s.AggressorQty(), s.FirstTradeID(), s.Fills(), s.Side()
		return s.Flags()
	case gen.TemplateOrderExecuted:
		f.executed(gen.AsOrderExecuted(m.Block))
		return gen.AsOrderExecuted(m.Block).Flags()
	case gen.TemplateMarkFunding:
		return gen.AsMarkFunding(m.Block).Flags()
	case gen.TemplateInstrumentStatus:
		return gen.AsInstrumentStatus(m.Block).Flags()
	case gen.TemplateInstrumentDefinition:
		return gen.AsInstrumentDefinition(m.Block).Flags()
	}
	f.t.Fatalf("template %d in the feed", m.Template)
	return 0
}

// executed holds W-61: a sweep is as long as its summary says, its trades are numbered on, and it takes from the other side's
// first order at the best price.
func (f *follower) executed(o *gen.OrderExecuted) {
	s := &f.swept
	if s.fills == 0 || o.TradeID() != s.trade || o.Side() == s.side {
		f.t.Fatalf("trade %d is not the one announced: %+v", o.TradeID(), *s)
	}
	s.fills--
	s.trade++
	s.qty -= o.Qty()
	if s.fills == 0 && s.qty != 0 {
		f.t.Fatalf("a sweep announced %d more than it traded", s.qty)
	}
	resting := f.find(o.OrderID())
	for id, other := range f.orders {
		if other.side != resting.side || id == o.OrderID() {
			continue
		}
		better := other.price < resting.price
		if resting.side == gen.SideBuy {
			better = other.price > resting.price
		}
		if better || other.price == resting.price && other.place < resting.place {
			f.t.Fatalf("order %d trades before order %d", o.OrderID(), id)
		}
	}
	if resting.qty -= o.Qty(); resting.qty == 0 {
		delete(f.orders, o.OrderID())
	}
}

// depth is a side of the followed book, the best first.
func (f *follower) depth(side gen.Side) (levels []string) {
	type level struct {
		price, qty int64
		orders     int
	}
	byPrice := map[int64]*level{}
	for _, o := range f.orders {
		if o.side != side {
			continue
		}
		if byPrice[o.price] == nil {
			byPrice[o.price] = &level{price: o.price}
		}
		byPrice[o.price].qty += o.qty
		byPrice[o.price].orders++
	}
	var all []*level
	for _, l := range byPrice {
		all = append(all, l)
	}
	slices.SortFunc(all, func(a, b *level) int {
		if side == gen.SideBuy {
			a, b = b, a
		}
		return int(a.price - b.price)
	})
	for _, l := range all {
		levels = append(levels, fmt.Sprint(l.price, " ", l.qty))
	}
	return levels
}

// trading is an engine with one instrument and traders, and what they might do next.
type trading struct {
	*engine.Engine
	dice   *rand.Rand
	seq    msg.Seq
	events []msg.Event
	live   []msg.OrderID
	owner  map[msg.OrderID]msg.AccountID
}

func newTrading(t testing.TB, seed uint64) (tr *trading, listing []msg.Command) {
	eng, err := engine.New(engine.Limits{Instruments: 4, Accounts: 16, Positions: 64, Orders: 1 << 10, Levels: 1 << 10, Events: 1 << 12})
	if err != nil {
		t.Fatal(err)
	}
	spec := market.Spec{ID: 2, Symbol: "BTC-USD-PERP", Type: msg.Perpetual, TickLot: 100, Initial: 10 * fixed.Percent, Maintenance: 5 * fixed.Percent}
	listing = append(spec.Append(nil), msg.SetPhase(2, msg.Continuous), msg.SetMark(2, 1_000))
	for a := msg.AccountID(1); a <= 6; a++ {
		listing = append(listing, msg.Deposit(a, 1_000_000*fixed.Coin))
	}
	return &trading{Engine: eng, dice: rand.New(rand.NewPCG(seed, 7)), owner: map[msg.OrderID]msg.AccountID{}}, listing
}

// next is a command as a trader would send it: orders around one price, some of which meet, amends and cancels.
func (tr *trading) next() msg.Command {
	d := tr.dice
	account := msg.AccountID(1 + d.IntN(6))
	price, qty := fixed.Ticks(990+d.IntN(21)), fixed.Lots(1+d.IntN(20))
	if len(tr.live) > 0 && d.IntN(2) == 0 {
		order := tr.live[d.IntN(len(tr.live))]
		switch d.IntN(3) {
		case 0:
			return msg.Cancel(tr.owner[order], 2, order)
		default:
			return msg.Amend(tr.owner[order], 2, order, price, qty)
		}
	}
	if d.IntN(40) == 0 {
		return msg.CancelAll(account, 2, 0)
	}
	if d.IntN(20) == 0 {
		return msg.SetMark(2, fixed.Ticks(995+d.IntN(10)))
	}
	c := msg.Limit(account, 2, msg.Side(1+d.IntN(2)), price, qty)
	c.TIF, c.STP = msg.TIF(d.IntN(3)), msg.STP(d.IntN(6))
	if d.IntN(4) > 0 {
		c.TIF = msg.GTC
	}
	switch d.IntN(12) {
	case 0:
		c.Flags = msg.FlagPostOnly
	case 1:
		c.Flags = msg.FlagSlide
	case 2:
		c.Flags = msg.FlagReduceOnly
	case 3:
		return msg.Market(account, 2, c.Side, qty, 0)
	case 4:
		c = msg.Place(account, 2, c.Side, price, qty, msg.OrderExt{Expire: fixed.Nanos(tr.seq + 20)})
		c.TIF = msg.GTD
	}
	return c
}

// do applies a command and keeps which orders may live.
func (tr *trading) do(c *msg.Command) []msg.Event {
	tr.seq++
	c.Seq, c.Time, c.Ref = tr.seq, fixed.Nanos(tr.seq), msg.Ref(tr.seq)
	tr.events = tr.Apply(c, tr.events[:0])
	for i := range tr.events {
		if ev := &tr.events[i]; ev.Kind == msg.Accepted {
			tr.live = append(tr.live, ev.Order)
			tr.owner[ev.Order] = ev.Account
		}
	}
	if len(tr.live) > 200 {
		tr.live = slices.Delete(tr.live, 0, 100)
	}
	return tr.events
}

// W-60, W-61: a book that is built from the feed alone is, after every command, the engine's: same prices, same quantities. And
// the last record of each command says that it is, and no other does.
func TestFeedGivesTheBook(t *testing.T) {
	scales := []wire.Scale{{}, {}, {Tick: 25, Lot: 10}}
	for seed := range uint64(8) {
		tr, listing := newTrading(t, seed)
		f := &follower{t: t, orders: map[uint64]*followed{}, seen: map[uint16]int{}}
		var buffer []byte
		var levels []book.Depth
		for n := range 6_000 {
			var c msg.Command
			if n < len(listing) {
				c = listing[n]
			} else {
				c = tr.next()
			}
			events := tr.do(&c)
			buffer = wire.AppendMarket(buffer[:0], events, scales)
			flags := f.records(buffer)
			for i, flag := range flags {
				if (flag&gen.MarketFlagsLast != 0) != (i == len(flags)-1) {
					t.Fatalf("seed %d, %s: record %d of %d has flags %d", seed, c.String(), i, len(flags), flag)
				}
			}
			for _, side := range []msg.Side{msg.Buy, msg.Sell} {
				levels = tr.Depth(2, side, levels[:0], 1<<10)
				var want []string
				for _, l := range levels {
					want = append(want, fmt.Sprint(int64(l.Price)*25, " ", int64(l.Qty)*10))
				}
				if got := f.depth(gen.Side(side)); !slices.Equal(got, want) {
					for i := range events {
						t.Log(events[i].String())
					}
					t.Fatalf("seed %d, %s: side %d is\n%q\nwant\n%q", seed, c.String(), side, got, want)
				}
			}
		}
		for template := uint16(gen.TemplateOrderAdd); template <= gen.TemplateTradeSummary; template++ {
			if f.seen[template] < 5 {
				t.Errorf("seed %d: only %d of template %d", seed, f.seen[template], template)
			}
		}
	}
}

// Records go through a packer unchanged and in order, whatever is cut where.
func TestRecordsArePacked(t *testing.T) {
	tr, listing := newTrading(t, 3)
	p := wire.NewPacker(wire.SessionName{}, 1)
	var sent, got []byte
	send := func() {
		d, fault := wire.OpenDatagram(p.Datagram(), wire.MaxDatagram)
		if fault.Kind != 0 {
			t.Fatal(fault)
		}
		for r := d.Record(); r != nil; r = d.Record() {
			got = append(binary.BigEndian.AppendUint16(got, uint16(len(r))), r...)
		}
	}
	for n := range 2_000 {
		c := tr.next()
		if n < len(listing) {
			c = listing[n]
		}
		records := wire.AppendMarket(nil, tr.do(&c), nil)
		sent = append(sent, records...)
		for records = p.AddRecords(records); len(records) > 0; records = p.AddRecords(records) {
			send()
		}
	}
	send()
	if !bytes.Equal(got, sent) {
		t.Errorf("%d bytes of records became %d", len(sent), len(got))
	}
}
