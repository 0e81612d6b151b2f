package replay

import (
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
)

// A simulated market that writes recordings. It is the naive twin of the engine: a level is a slice of orders, the first
// is the first, and nothing is clever. It knows the right answers because it makes them up.

type simOrder struct {
	id    uint64
	qty   int64
	known bool // entered after the recording began
}

type simLevel struct {
	price  int64
	orders []*simOrder
}

// simMarket has bids in halves[0] and asks in halves[1], each with the best level first.
type simMarket struct {
	rng    *rand.Rand
	halves [2][]*simLevel
	nextID uint64
	time   int64
	out    recorder
	skips  float64 // how often the second order of a level is filled in place of the first
	still  bool    // orders are not moved

	fills, atHead, anonymous, aggressors int64
}

// recorder writes what happens in the words of a format.
type recorder interface {
	added(m *simMarket, side int, price int64, o *simOrder)
	reduced(m *simMarket, side int, price int64, o *simOrder, by int64) // o.qty is what is left; 0: gone
	moved(m *simMarket, side int, from, to int64, o *simOrder)
	filled(m *simMarket, side int, f simFill)        // one maker of an aggressor
	traded(m *simMarket, side int, makers []simFill) // all of them, afterwards
}

// simFill is one execution of an aggressor: what a maker lost and what it has left.
type simFill struct {
	order     *simOrder
	price     int64
	qty, left int64
}

func newSimMarket(seed uint64, out recorder) *simMarket {
	return &simMarket{rng: rand.New(rand.NewPCG(seed, 77)), nextID: 1000, time: 34_200_000_000_000, out: out}
}

// level is the level of a price, made if it must be.
func (m *simMarket) level(side int, price int64) *simLevel {
	sign := int64(1)
	if side == 0 {
		sign = -1
	}
	i, found := slices.BinarySearchFunc(m.halves[side], price, func(l *simLevel, p int64) int { return int((l.price - p) * sign) })
	if !found {
		m.halves[side] = slices.Insert(m.halves[side], i, &simLevel{price: price})
	}
	return m.halves[side][i]
}

// tidy drops empty levels.
func (m *simMarket) tidy() {
	for side := range m.halves {
		m.halves[side] = slices.DeleteFunc(m.halves[side], func(l *simLevel) bool { return len(l.orders) == 0 })
	}
}

func (m *simMarket) add(side int, price, qty int64, known bool) *simOrder {
	m.nextID += 1 + m.rng.Uint64N(5)
	o := &simOrder{id: m.nextID, qty: qty, known: known}
	l := m.level(side, price)
	l.orders = append(l.orders, o)
	return o
}

// passive is a price that does not cross, near the middle.
func (m *simMarket) passive(side int, middle int64) int64 {
	away := m.rng.Int64N(12)
	if side == 0 {
		price := middle - away
		if len(m.halves[1]) > 0 {
			price = min(price, m.halves[1][0].price-1)
		}
		return price
	}
	price := middle + away
	if len(m.halves[0]) > 0 {
		price = max(price, m.halves[0][0].price+1)
	}
	return price
}

// pick is a random resting order.
func (m *simMarket) pick(side int) (l *simLevel, i int) {
	if len(m.halves[side]) == 0 {
		return nil, 0
	}
	l = m.halves[side][m.rng.IntN(len(m.halves[side]))]
	return l, m.rng.IntN(len(l.orders))
}

// step is one thing that happens.
func (m *simMarket) step(middle int64) {
	m.time += 1 + m.rng.Int64N(1_000_000)
	side := m.rng.IntN(2)
	switch what := m.rng.IntN(20); {
	case what < 9:
		price := m.passive(side, middle)
		m.out.added(m, side, price, m.add(side, price, 1+m.rng.Int64N(50), true))
	case what < 12:
		if l, i := m.pick(side); l != nil {
			o := l.orders[i]
			by := o.qty
			o.qty = 0
			l.orders = slices.Delete(l.orders, i, i+1)
			m.tidy()
			m.out.reduced(m, side, l.price, o, by)
		}
	case what < 14:
		if l, i := m.pick(side); l != nil && l.orders[i].qty > 1 {
			by := 1 + m.rng.Int64N(l.orders[i].qty-1)
			l.orders[i].qty -= by
			m.out.reduced(m, side, l.price, l.orders[i], by)
		}
	case what < 17 && !m.still:
		if l, i := m.pick(side); l != nil {
			o, from := l.orders[i], l.price
			to := from
			if m.rng.IntN(3) > 0 {
				to = m.passive(side, middle)
			}
			if to == from {
				o.qty += 1 + m.rng.Int64N(20)
			} else {
				o.qty = 1 + m.rng.Int64N(50)
			}
			l.orders = slices.Delete(l.orders, i, i+1)
			m.tidy()
			at := m.level(side, to)
			at.orders = append(at.orders, o)
			m.out.moved(m, side, from, to, o)
		}
	default:
		m.aggress(side, 1+m.rng.Int64N(200))
	}
}

// aggress takes lots from a side, in the order of its queues, or now and then from the second of a level.
func (m *simMarket) aggress(side int, qty int64) {
	var makers []simFill
	for qty > 0 && len(m.halves[side]) > 1 {
		l, i := m.halves[side][0], 0
		if len(l.orders) > 1 && m.rng.Float64() < m.skips {
			i = 1
		}
		o := l.orders[i]
		took := min(qty, o.qty)
		o.qty, qty = o.qty-took, qty-took
		makers = append(makers, simFill{o, l.price, took, o.qty})
		m.fills++
		switch {
		case !o.known:
			m.anonymous++
		case i == 0:
			m.atHead++
		}
		if o.qty == 0 {
			l.orders = slices.Delete(l.orders, i, i+1)
			m.tidy()
		}
		m.out.filled(m, side, makers[len(makers)-1])
	}
	if len(makers) > 0 {
		m.aggressors++
		m.out.traded(m, side, makers)
	}
}

// mboWriter writes market-by-order records. Its columns stand in an order of their own.
type mboWriter struct {
	to      *strings.Builder
	columns []string
	tick    int64 // of 1e-9
	seq     int64
}

func newMBOWriter(columns ...string) *mboWriter {
	w := &mboWriter{to: &strings.Builder{}, columns: columns, tick: 250_000_000}
	fmt.Fprintln(w.to, strings.Join(columns, ","))
	return w
}

func (w *mboWriter) record(time int64, action byte, side int, id uint64, price, size int64, flags int) {
	w.seq++
	letter := "BAN"[side : side+1]
	for i, name := range w.columns {
		if i > 0 {
			io.WriteString(w.to, ",")
		}
		switch name {
		case "ts_event":
			fmt.Fprint(w.to, time)
		case "ts_recv":
			fmt.Fprint(w.to, time+500)
		case "action":
			w.to.WriteByte(action)
		case "side":
			io.WriteString(w.to, letter)
		case "order_id":
			fmt.Fprint(w.to, id)
		case "price_1e9":
			fmt.Fprint(w.to, price*w.tick)
		case "size":
			fmt.Fprint(w.to, size)
		case "flags":
			fmt.Fprint(w.to, flags)
		case "sequence":
			fmt.Fprint(w.to, w.seq)
		default:
			io.WriteString(w.to, "x")
		}
	}
	io.WriteString(w.to, "\n")
}

// snapshot writes the book as it stands.
func (w *mboWriter) snapshot(m *simMarket) {
	w.record(m.time, 'R', 2, 0, 0, 0, MBOSnapshot)
	for side := range m.halves {
		for _, l := range m.halves[side] {
			for _, o := range l.orders {
				o.known = true
				w.record(m.time, 'A', side, o.id, l.price, o.qty, MBOSnapshot)
			}
		}
	}
	w.record(m.time, 'N', 2, 0, 0, 0, MBOSnapshot|MBOLast)
}

func (w *mboWriter) added(m *simMarket, side int, price int64, o *simOrder) {
	w.record(m.time, 'A', side, o.id, price, o.qty, MBOLast)
}

func (w *mboWriter) reduced(m *simMarket, side int, price int64, o *simOrder, by int64) {
	if o.qty > 0 && m.rng.IntN(2) == 0 { // both ways are in use
		w.record(m.time, 'M', side, o.id, price, o.qty, MBOLast)
		return
	}
	w.record(m.time, 'C', side, o.id, price, by, MBOLast)
}

func (w *mboWriter) moved(m *simMarket, side int, from, to int64, o *simOrder) {
	w.record(m.time, 'M', side, o.id, to, o.qty, MBOLast)
}

func (w *mboWriter) filled(*simMarket, int, simFill) {}

// traded writes the trade, then the fills, then what they did to the book: at once, or fill by fill.
func (w *mboWriter) traded(m *simMarket, side int, makers []simFill) {
	total := int64(0)
	for _, f := range makers {
		total += f.qty
	}
	w.record(m.time, 'T', 1-side, 0, makers[len(makers)-1].price, total, 0)
	effect := func(f simFill, flags int) {
		if f.left > 0 {
			w.record(m.time, 'M', side, f.order.id, f.price, f.left, flags)
		} else {
			w.record(m.time, 'C', side, f.order.id, f.price, f.qty, flags)
		}
	}
	together := m.rng.IntN(2) == 0
	for i, f := range makers {
		w.record(m.time, 'F', side, f.order.id, f.price, f.qty, 0)
		if !together {
			effect(f, lastFlag(i == len(makers)-1))
		}
	}
	for i, f := range makers {
		if together {
			effect(f, lastFlag(i == len(makers)-1))
		}
	}
}

func lastFlag(last bool) int {
	if last {
		return MBOLast
	}
	return 0
}

// lobsterWriter writes a message file and a book file of so many levels. With one level it writes, as the publisher of
// such files does, only the messages that change it.
type lobsterWriter struct {
	messages, book strings.Builder
	levels         int
	last           string // row
	rows, trades   int64
}

func (w *lobsterWriter) message(m *simMarket, kind int, id uint64, size, price int64, side int) {
	row := w.row(m)
	if w.levels == 1 && row == w.last && kind != 5 {
		return
	}
	w.last = row
	w.rows++
	io.WriteString(&w.book, row)
	fmt.Fprintf(&w.messages, "%d.%09d,%d,%d,%d,%d,%d\n", m.time/1e9, m.time%1e9, kind, id, size, price*100, 1-2*side)
}

// row is the book as it stands.
func (w *lobsterWriter) row(m *simMarket) string {
	var cells []string
	for i := range w.levels {
		for _, side := range [2]int{1, 0} {
			if i >= len(m.halves[side]) {
				cells = append(cells, fmt.Sprintf("%d,0", int64(2*side-1)*lobsterEmpty))
				continue
			}
			qty := int64(0)
			for _, o := range m.halves[side][i].orders {
				qty += o.qty
			}
			cells = append(cells, fmt.Sprintf("%d,%d", m.halves[side][i].price*100, qty))
		}
	}
	return strings.Join(cells, ",") + "\n"
}

func (w *lobsterWriter) added(m *simMarket, side int, price int64, o *simOrder) {
	w.message(m, 1, o.id, o.qty, price, side)
}

func (w *lobsterWriter) reduced(m *simMarket, side int, price int64, o *simOrder, by int64) {
	kind := 2
	if o.qty == 0 {
		kind = 3
	}
	w.message(m, kind, o.id, by, price, side)
}

func (w *lobsterWriter) moved(*simMarket, int, int64, int64, *simOrder) {
	panic("a LOBSTER file knows no moves")
}

func (w *lobsterWriter) filled(m *simMarket, side int, f simFill) {
	w.message(m, 4, f.order.id, f.qty, f.price, side)
}

func (w *lobsterWriter) traded(*simMarket, int, []simFill) { w.trades++ }
