package client_test

import (
	"encoding/binary"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/lockstep-exchange/lockstep/client"
	"github.com/lockstep-exchange/lockstep/msg"
	"github.com/lockstep-exchange/lockstep/wire"
	"github.com/lockstep-exchange/lockstep/wire/gen"
)

// plain is the obvious book: a list of orders in the order in which they came to their places.
type plain struct{ orders []client.BookOrder }

// side is a side as it trades: best price first, and at a price the first to come.
func (p *plain) side(side gen.Side) (orders []client.BookOrder) {
	for _, o := range p.orders {
		if o.Side == side {
			orders = append(orders, o)
		}
	}
	slices.SortStableFunc(orders, func(a, b client.BookOrder) int {
		if side == gen.SideBuy {
			return int(b.Price - a.Price)
		}
		return int(a.Price - b.Price)
	})
	return orders
}

func (p *plain) sum() (sum uint64) {
	for _, o := range p.orders {
		sum += wire.OrderSum(uint64(o.ID), o.Price, o.Qty, o.Priority)
	}
	return sum
}

// teller makes records of changes that chance draws, and does them to the plain book as well.
type teller struct {
	plain
	t      testing.TB
	dice   *rand.Rand
	number uint64
	lastID msg.OrderID
}

// record is a record of a template whose block is filled in.
func record(t testing.TB, template uint16, size int, fill func(b []byte)) *wire.Message {
	b, block := wire.AppendRecord(nil, gen.Header{Block: uint16(size), Template: template, Schema: gen.SchemaMarketData, Version: 1})
	fill(block)
	m, fault := wire.OpenRecord(b)
	if fault.Kind != 0 {
		t.Fatal(fault)
	}
	return &m
}

const instrument = 2

// next is the next record, with its number; it is the last of its event.
func (tl *teller) next() (number uint64, m *wire.Message) {
	tl.number++
	d := tl.dice
	price, qty, side := int64(d.IntN(40)-20), int64(1+d.IntN(9)), gen.Side(1+d.IntN(2))
	if d.IntN(20) == 0 { // of an instrument that the book is not of
		return tl.number, record(tl.t, gen.TemplateOrderAdd, 38, func(b []byte) {
			putAdd(b, client.BookOrder{ID: tl.lastID + 1, Price: price, Qty: qty, Side: side}, instrument+1)
		})
	}
	if len(tl.orders) == 0 || d.IntN(5) < 2 {
		tl.lastID++
		o := client.BookOrder{ID: tl.lastID, Price: price, Qty: qty, Priority: tl.number, Side: side}
		tl.orders = append(tl.orders, o)
		return tl.number, record(tl.t, gen.TemplateOrderAdd, 38, func(b []byte) { putAdd(b, o, instrument) })
	}
	at := d.IntN(len(tl.orders))
	o := tl.orders[at]
	switch left := d.Int64N(o.Qty); d.IntN(4) {
	case 0:
		tl.orders = slices.Delete(tl.orders, at, at+1)
		o.Price, o.Qty, o.Priority = price, qty, tl.number
		tl.orders = append(tl.orders, o)
		return tl.number, record(tl.t, gen.TemplateOrderMove, 38, func(b []byte) { putAdd(b, o, instrument) })
	case 1:
		if left > 0 {
			tl.orders[at].Qty = left
			return tl.number, record(tl.t, gen.TemplateOrderReduce, 30, func(b []byte) {
				m := gen.AsOrderReduce(b)
				m.SetOrderID(uint64(o.ID))
				m.SetNewQty(left)
				m.SetInstrumentID(instrument)
				m.SetFlags(gen.MarketFlagsLast)
			})
		}
		fallthrough
	case 2:
		tl.orders = slices.Delete(tl.orders, at, at+1)
		return tl.number, record(tl.t, gen.TemplateOrderDelete, 22, func(b []byte) {
			m := gen.AsOrderDelete(b)
			m.SetOrderID(uint64(o.ID))
			m.SetInstrumentID(instrument)
			m.SetFlags(gen.MarketFlagsLast)
		})
	default:
		if tl.orders[at].Qty = left; left == 0 {
			tl.orders = slices.Delete(tl.orders, at, at+1)
		}
		return tl.number, record(tl.t, gen.TemplateOrderExecuted, 46, func(b []byte) {
			m := gen.AsOrderExecuted(b)
			m.SetOrderID(uint64(o.ID))
			m.SetQty(o.Qty - left)
			m.SetPrice(o.Price)
			m.SetInstrumentID(instrument)
			m.SetSide(o.Side)
			m.SetFlags(gen.MarketFlagsLast)
		})
	}
}

func putAdd(b []byte, o client.BookOrder, instrument uint32) {
	m := gen.AsOrderAdd(b) // OrderMove has the same fields
	m.SetOrderID(uint64(o.ID))
	m.SetPrice(o.Price)
	m.SetQty(o.Qty)
	m.SetInstrumentID(instrument)
	m.SetSide(o.Side)
	m.SetFlags(gen.MarketFlagsLast)
}

// snapshot is the records of a snapshot of the plain book (W-64).
func (tl *teller) snapshot() (records []*wire.Message) {
	count, sum, next := uint32(len(tl.orders)), tl.sum(), tl.number+1
	records = append(records, record(tl.t, gen.TemplateSnapshotBegin, 46, func(b []byte) {
		m := gen.AsSnapshotBegin(b)
		m.SetNextChannelSeq(next)
		m.SetOrders(count)
		m.SetInstrumentID(instrument)
	}))
	for _, side := range []gen.Side{gen.SideBuy, gen.SideSell} {
		for _, o := range tl.side(side) {
			records = append(records, record(tl.t, gen.TemplateSnapshotOrder, 38, func(b []byte) {
				m := gen.AsSnapshotOrder(b)
				m.SetOrderID(uint64(o.ID))
				m.SetPrice(o.Price)
				m.SetQty(o.Qty)
				m.SetPriority(o.Priority)
				m.SetInstrumentID(instrument)
				m.SetSide(o.Side)
			}))
		}
	}
	return append(records, record(tl.t, gen.TemplateSnapshotEnd, 22, func(b []byte) {
		m := gen.AsSnapshotEnd(b)
		m.SetNextChannelSeq(next)
		m.SetChecksum(sum)
		m.SetOrders(count)
	}))
}

// same holds a book to the plain one: every order in its place, every level its sum, the checksum.
func same(t testing.TB, b *client.Book, p *plain) {
	t.Helper()
	if b.Checksum() != p.sum() || b.Count() != len(p.orders) {
		t.Fatalf("checksum %x of %d orders, want %x of %d", b.Checksum(), b.Count(), p.sum(), len(p.orders))
	}
	for _, side := range []gen.Side{gen.SideBuy, gen.SideSell} {
		var got []client.BookOrder
		for l := range b.Depth(side) {
			qty, orders := int64(0), 0
			for o := range b.Queue(l) {
				got = append(got, o)
				qty += o.Qty
				orders++
			}
			if qty != l.Qty || orders != l.Orders || orders == 0 {
				t.Fatalf("level %+v has %d in %d orders", l, qty, orders)
			}
		}
		want := p.side(side)
		if !slices.Equal(got, want) {
			t.Fatalf("side %d is\n%v\nwant\n%v", side, got, want)
		}
		if best, ok := b.Best(side); ok != (len(want) > 0) || ok && best.Price != want[0].Price {
			t.Fatalf("the best of side %d is %+v", side, best)
		}
	}
}

// W-60, W-64, W-65: who follows the channel from its first record, and who comes late with a snapshot, have the book, order by
// order, with its checksum.
func TestBookAgainstPlainBook(t *testing.T) {
	for seed := range uint64(20) {
		tl := &teller{t: t, dice: rand.New(rand.NewPCG(seed, 11))}
		first, late := client.NewBook(instrument, 1, 16), client.NewBook(instrument, 0, 16)
		for range 1_500 {
			number, m := tl.next()
			for _, b := range []*client.Book{first, late} {
				if err := b.Apply(number, m); err != nil {
					t.Fatalf("seed %d: %v", seed, err)
				}
			}
			same(t, first, &tl.plain)
			if late.Next() != 0 {
				same(t, late, &tl.plain)
			}
			if !first.Ready() {
				t.Fatal("the book is not ready behind an event")
			}
			if tl.dice.IntN(200) == 0 {
				for _, m := range tl.snapshot() {
					if late.Ready() && m.Template != gen.TemplateSnapshotBegin {
						t.Fatal("the book is ready inside a snapshot")
					}
					if err := late.Load(m); err != nil {
						t.Fatalf("seed %d: %v", seed, err)
					}
				}
				same(t, late, &tl.plain)
			}
		}
		if late.Next() == 0 {
			t.Fatalf("seed %d: no snapshot came", seed)
		}
	}
}

// A gap in the numbers, a record that does not fit, and a snapshot that does not add up break the book; the next snapshot
// mends it.
func TestBookIsBrokenByWhatDoesNotFit(t *testing.T) {
	for name, c := range map[string]func(tl *teller, b *client.Book) error{
		"gap": func(tl *teller, b *client.Book) error {
			tl.next()
			number, m := tl.next()
			return b.Apply(number, m)
		},
		"unknown order": func(tl *teller, b *client.Book) error {
			return b.Apply(tl.number+1, record(tl.t, gen.TemplateOrderDelete, 22, func(b []byte) {
				gen.AsOrderDelete(b).SetOrderID(999)
				gen.AsOrderDelete(b).SetInstrumentID(instrument)
			}))
		},
		"order twice": func(tl *teller, b *client.Book) error {
			return b.Apply(tl.number+1, record(tl.t, gen.TemplateOrderAdd, 38, func(b []byte) { putAdd(b, tl.orders[0], instrument) }))
		},
		"more than there is": func(tl *teller, b *client.Book) error {
			return b.Apply(tl.number+1, record(tl.t, gen.TemplateOrderExecuted, 46, func(b []byte) {
				m := gen.AsOrderExecuted(b)
				m.SetOrderID(uint64(tl.orders[0].ID))
				m.SetQty(tl.orders[0].Qty + 1)
				m.SetInstrumentID(instrument)
			}))
		},
		"reset": func(tl *teller, b *client.Book) error {
			return b.Apply(tl.number+1, record(tl.t, gen.TemplateChannelReset, 14, func([]byte) {}))
		},
		"checksum": func(tl *teller, b *client.Book) error {
			records := tl.snapshot()
			gen.AsSnapshotEnd(records[len(records)-1].Block).SetChecksum(1)
			for _, m := range records {
				if err := b.Load(m); err != nil {
					return err
				}
			}
			return nil
		},
		"count": func(tl *teller, b *client.Book) error {
			records := tl.snapshot()
			for _, m := range slices.Delete(records, 1, 2) {
				if err := b.Load(m); err != nil {
					return err
				}
			}
			return nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			tl := &teller{t: t, dice: rand.New(rand.NewPCG(5, 11))}
			b := client.NewBook(instrument, 1, 16)
			for range 100 {
				if err := b.Apply(tl.next()); err != nil {
					t.Fatal(err)
				}
			}
			if err := c(tl, b); err == nil || b.Ready() || b.Next() != 0 || b.Err() == nil {
				t.Fatalf("the book goes on: %v", err)
			}
			for _, m := range tl.snapshot() {
				if err := b.Load(m); err != nil {
					t.Fatal(err)
				}
			}
			same(t, b, &tl.plain)
			if !b.Ready() {
				t.Error("a snapshot does not mend the book")
			}
		})
	}
}

// Whatever records come, the book does not panic, and as long as it is not broken it keeps its own rules.
func FuzzBook(f *testing.F) {
	tl := &teller{t: f, dice: rand.New(rand.NewPCG(1, 11))}
	var day []byte
	for range 40 {
		_, m := tl.next()
		b := append(binary.LittleEndian.AppendUint16(nil, m.Template), m.Block...)
		day = append(append(day, byte(len(b))), b...)
	}
	f.Add(day)
	f.Fuzz(func(t *testing.T, day []byte) {
		b := client.NewBook(instrument, 1, 4)
		for number := uint64(1); len(day) > 2; {
			size := min(int(day[0]), len(day)-1)
			rest := day[1 : 1+size]
			day = day[1+size:]
			if len(rest) < 2 {
				continue
			}
			template := binary.LittleEndian.Uint16(rest)
			record, block := wire.AppendRecord(nil, gen.Header{Block: uint16(size - 2), Template: template, Schema: gen.SchemaMarketData, Version: 1})
			copy(block, rest[2:])
			m, fault := wire.OpenRecord(record)
			if fault.Kind != 0 {
				continue
			}
			if template >= gen.TemplateSnapshotBegin && template <= gen.TemplateSnapshotEnd {
				b.Load(&m)
			} else if b.Apply(number, &m); b.Next() != 0 {
				number = b.Next()
			}
			if b.Err() != nil {
				continue
			}
			count := 0
			for _, side := range []gen.Side{gen.SideBuy, gen.SideSell} {
				for l := range b.Depth(side) {
					qty, orders := int64(0), 0
					for o := range b.Queue(l) {
						qty += o.Qty
						orders++
						if o.Side != side || o.Price != l.Price {
							t.Fatalf("order %+v in level %+v of side %d", o, l, side)
						}
					}
					if count += orders; orders != l.Orders || qty != l.Qty {
						t.Fatalf("level %+v has %d in %d orders", l, qty, orders)
					}
				}
			}
			if count != b.Count() {
				t.Fatalf("%d orders in levels, %d in the book", count, b.Count())
			}
		}
	})
}
