package replay

import (
	"context"
	"errors"
	"io"

	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/msg"
)

// Runs are the executions of a LOBSTER file as the aggressors that must have caused them: consecutive executions of one
// time and direction are one immediate order for their sum, down to the worst price.
type Runs struct {
	Runs      int64 `json:"runs"`
	RunsExact int64 `json:"runs_exact"` // the engine's makers, prices and sizes were the file's
	RowsExact int64 `json:"rows_exact"` // executions in them
	Emptied   int64 `json:"emptied"`    // level 1 only: messages that took the best level away
	Reseeded  int64 `json:"reseeded"`   // level 1 only: the levels behind it that were taken from the file
}

// Lobster is the replay of a LOBSTER message file against its book file.
//
// New orders are limit orders, partial cancels amend, deletes cancel, hidden executions do nothing, and a run of
// executions is one IOC where the queues say that it does what the file tells; else its rows are taken out one by one.
//
// The file begins with a book that nobody explains. Each of its levels starts as one anonymous order; a message about an
// order that was never entered takes from the anonymous order of its price, or is about a level that is not tracked.
//
// A seed of a single level cannot be kept: when it empties, what comes next was never told. Then each message is judged
// alone, the row before and the message against the row after, and an emptied level must be followed by a worse one,
// which is taken from the file.
type Lobster struct {
	Messages, Book string // files
	Seed           string // a book file whose first line is the book to begin with; empty: Book
	Levels         int    // compared, the best ones; 0: all of Book
	Tick           Step   // of prices
}

// Replay runs the file. The error is an *InputError, or the context's with a partial Result.
func (l Lobster) Replay(ctx context.Context, watch Watch) (*Result, error) {
	if l.Tick.Places > lobsterPlaces {
		return nil, &InputError{File: l.Messages, What: "has prices of 1/10,000, and the tick is " + l.Tick.String(), Want: "at most 4 places"}
	}
	seed, err := l.seed()
	if err != nil {
		return nil, err
	}
	src, err := Open(l.Messages)
	if err != nil {
		return nil, err
	}
	defer src.Close()
	answers, err := Open(l.Book)
	if err != nil {
		return nil, err
	}
	defer answers.Close()
	run := &lobsterRun{
		messages: LobsterReader{src, l.Tick}, book: LobsterBookReader{Source: answers, Step: l.Tick}, levels: l.Levels,
		single:    len(seed.Asks) == 1,
		orders:    map[uint64]msg.OrderID{},
		anonymous: map[place]msg.OrderID{},
		result: &Result{Format: "lobster", Files: l.files(),
			Executions: &Executions{}, Runs: &Runs{}},
	}
	err = run.all(seed, &watcher{ctx: ctx, src: src, watch: watch})
	run.result.Partial = err != nil && err == ctx.Err()
	if err != nil && !run.result.Partial {
		return nil, err
	}
	return run.venue.finish(run.result, err)
}

// files are all files that are read.
func (l Lobster) files() []string {
	files := []string{l.Messages, l.Book}
	if l.Seed != "" {
		files = append(files, l.Seed)
	}
	return files
}

// seed is the book to begin with.
func (l Lobster) seed() (*LobsterRow, error) {
	name := l.Seed
	if name == "" {
		name = l.Book
	}
	src, err := Open(name)
	if err != nil {
		return nil, err
	}
	defer src.Close()
	r, row := LobsterBookReader{Source: src, Step: l.Tick}, &LobsterRow{}
	if err := r.Read(row); err != nil {
		return nil, err
	}
	return row, nil
}

// place is a price on a side.
type place struct {
	side  msg.Side
	price fixed.Ticks
}

// lobsterRun is a replay under way.
type lobsterRun struct {
	messages  LobsterReader
	book      LobsterBookReader
	levels    int
	single    bool // level 1: each message is judged alone
	venue     *venue
	result    *Result
	orders    map[uint64]msg.OrderID // that stand, by the file's id
	anonymous map[place]msg.OrderID
	row       LobsterRow // the answer to the last message
	ended     bool       // the book file has no more answers
	ask, bid  []Level    // scratch
}

// all is the whole replay.
func (r *lobsterRun) all(seed *LobsterRow, pacer *watcher) error {
	run := make([]LobsterMessage, 0, 64)
	next, err := r.begin(seed)
	for err == nil {
		run = append(run[:0], next)
		if err = r.messages.Read(&next); err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		for err == nil && !r.single && run[0].follows(&next) {
			run = append(run, next)
			if err = r.messages.Read(&next); err != nil && !errors.Is(err, io.EOF) {
				return err
			}
		}
		if failure := r.apply(run); failure != nil {
			return failure
		}
		for range run {
			if pacer.step() {
				return pacer.ctx.Err()
			}
		}
	}
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}

// follows reports whether two executions belong to one run.
func (m *LobsterMessage) follows(next *LobsterMessage) bool {
	return m.Type == LobsterExecute && next.Type == LobsterExecute && m.Time == next.Time && m.Side == next.Side
}

// begin opens the venue on the seed, which is the book after message 0, and returns message 1.
func (r *lobsterRun) begin(seed *LobsterRow) (next LobsterMessage, err error) {
	if r.venue, err = openVenue("LOBSTER", seed.mark(), whole); err != nil {
		return next, err
	}
	var first LobsterMessage
	if err := r.messages.Read(&first); err != nil {
		return next, err
	}
	r.result.Messages++
	r.venue.at(first.Time)
	for i := range seed.Asks {
		r.seed(msg.Sell, seed.Asks[i], &first)
		r.seed(msg.Buy, seed.Bids[i], &first)
	}
	if err := r.answer(); err != nil { // row 0 is where we start
		return next, err
	}
	return next, r.messages.Read(&next)
}

// mark is a price near the middle of a row.
func (row *LobsterRow) mark() fixed.Ticks {
	for _, levels := range [][]Level{row.Asks, row.Bids} {
		for _, l := range levels {
			if l.Qty > 0 {
				return l.Price
			}
		}
	}
	return 1
}

// seed brings a level into being: anonymous, but for the order that the first message has just entered there.
func (r *lobsterRun) seed(side msg.Side, l Level, first *LobsterMessage) {
	named := fixed.Lots(0)
	if first.Type == LobsterNew && first.Side == side && first.Price == l.Price && first.Size <= l.Qty {
		named = first.Size
	}
	if l.Qty > named {
		r.anonymous[place{side, l.Price}] = r.enter(side, l.Price, l.Qty-named)
	}
	if named > 0 {
		r.orders[first.Order] = r.enter(side, l.Price, named)
	}
}

// enter lets an order rest; 0 when the engine refuses.
func (r *lobsterRun) enter(side msg.Side, price fixed.Ticks, qty fixed.Lots) msg.OrderID {
	id, ev := r.venue.rest(side, price, qty)
	if ev != nil {
		r.result.refuses(r.messages.where(), ev.Reject)
	}
	return id
}

// apply applies one message, or a run of executions, and compares the book after each row.
func (r *lobsterRun) apply(run []LobsterMessage) error {
	m := &run[0]
	r.venue.at(m.Time)
	if m.Type == LobsterExecute {
		return r.execute(run)
	}
	switch m.Type {
	case LobsterNew:
		if id := r.enter(m.Side, m.Price, m.Size); id != 0 {
			r.orders[m.Order] = id
		}
	case LobsterReduce, LobsterDelete:
		r.takeOut(m)
	}
	return r.after(m)
}

// maker is the standing order of ours that a message is about, or 0: the one it names, else the anonymous one.
func (r *lobsterRun) maker(m *LobsterMessage) (id msg.OrderID, known bool) {
	if id, known = r.orders[m.Order]; known && r.venue.book.order(id) != nil {
		return id, true
	}
	if id = r.anonymous[place{m.Side, m.Price}]; r.venue.book.order(id) == nil {
		return 0, false
	}
	return id, false
}

// takeOut takes lots of a resting order out of the book. One that stands at a price that is not tracked is left alone.
func (r *lobsterRun) takeOut(m *LobsterMessage) {
	id, known := r.maker(m)
	if r.single {
		r.takeFrom(id, m)
		return
	}
	if id == 0 {
		return
	}
	o := r.venue.book.order(id)
	if m.Size < o.leaves && (m.Type != LobsterDelete || !known) {
		r.venue.change(id, o.price, o.leaves-m.Size)
		return
	}
	r.venue.drop(id)
	r.forget(m, known)
}

// takeFrom takes exactly the lots of a message out of its price, from the order it is about first: while a level was not
// the best, nobody told how its orders changed, and its sum is all that is known.
func (r *lobsterRun) takeFrom(id msg.OrderID, m *LobsterMessage) {
	for left := m.Size; left > 0; {
		if id == 0 {
			at := r.venue.book.at(m.Side, m.Price)
			if at == nil {
				return
			}
			id = r.venue.book.orders[at.head].id
		}
		o := r.venue.book.order(id)
		if left < o.leaves {
			r.venue.change(id, o.price, o.leaves-left)
			return
		}
		left -= o.leaves
		r.venue.drop(id)
		id = 0
	}
}

// forget drops an order that is gone from our maps.
func (r *lobsterRun) forget(m *LobsterMessage, known bool) {
	if known {
		delete(r.orders, m.Order)
	} else {
		delete(r.anonymous, place{m.Side, m.Price})
	}
}

// execute does a run of executions.
func (r *lobsterRun) execute(run []LobsterMessage) error {
	r.result.Runs.Runs++
	r.result.Fills += int64(len(run))
	for i := range run {
		if _, known := r.maker(&run[i]); !known {
			r.result.Anonymous++
		}
	}
	if r.agrees(run) {
		return r.take(run)
	}
	for i := range run {
		if r.heads(&run[i]) {
			r.result.AtHead++
		}
		r.takeOut(&run[i])
		if err := r.after(&run[i]); err != nil {
			return err
		}
	}
	return nil
}

// heads reports whether an execution names an order that is the first of its price.
func (r *lobsterRun) heads(m *LobsterMessage) bool {
	id, known := r.maker(m)
	at := r.venue.book.at(m.Side, m.Price)
	return known && at != nil && r.venue.book.orders[at.head].id == id
}

// aggressor is the IOC that a run of executions amounts to.
func aggressor(run []LobsterMessage) (c msg.Command) {
	side, limit, qty := run[0].Side, run[0].Price, fixed.Lots(0)
	for i := range run {
		qty += run[i].Size
		if key(side, run[i].Price) > key(side, limit) {
			limit = run[i].Price
		}
	}
	c = msg.Limit(account(side.Opposite()), 1, side.Opposite(), limit, qty)
	c.TIF = msg.IOC
	return c
}

// agrees reports whether the IOC of a run would meet the makers of its rows, each with the row's size.
func (r *lobsterRun) agrees(run []LobsterMessage) bool {
	left, h := aggressor(run).Qty, r.venue.book.first(run[0].Side)
	for i := range run {
		if h == 0 {
			return false
		}
		o := &r.venue.book.orders[h]
		id, _ := r.maker(&run[i])
		if o.id != id || o.price != run[i].Price || min(o.leaves, left) != run[i].Size {
			return false
		}
		left -= run[i].Size
		h = r.venue.book.after(h)
	}
	return true
}

// take sends the IOC of a run and compares its trades with the rows, and the book with the answers, trade by trade as
// they are told.
func (r *lobsterRun) take(run []LobsterMessage) (failure error) {
	makers, known := make([]msg.OrderID, len(run)), make([]bool, len(run))
	for i := range run {
		makers[i], known[i] = r.maker(&run[i])
	}
	done, exact := 0, true
	r.venue.told = func(ev *msg.Event) {
		if done == len(run) || ev.Order != makers[done] || ev.Price != run[done].Price || ev.Qty != run[done].Size {
			exact = false
			return
		}
		m := &run[done]
		if known[done] {
			r.result.AtHead++
		}
		if ev.Fill().Leaves == 0 {
			r.forget(m, known[done])
		}
		if done++; !r.single {
			failure = errors.Join(failure, r.after(m))
		}
	}
	ev := refusal(r.venue.apply(aggressor(run)))
	r.venue.told = nil
	if ev != nil {
		r.result.refuses(r.messages.where(), ev.Reject)
	}
	if r.single {
		failure = r.after(&run[0])
	}
	if !exact || done < len(run) {
		r.result.differs("%s: %d of %d executions are the engine's", r.messages.where(), done, len(run))
		return failure
	}
	r.result.RunsExact++
	r.result.RowsExact += int64(len(run))
	return failure
}

// after compares the book with the row that answers a message.
func (r *lobsterRun) after(m *LobsterMessage) error {
	r.result.Messages++
	was := [2]Level{top(r.row.Asks), top(r.row.Bids)}
	if err := r.answer(); err != nil || r.ended {
		return err
	}
	r.result.Compared++
	if r.single {
		r.afterSingle(m, was)
		return nil
	}
	levels := len(r.row.Asks)
	if r.levels > 0 {
		levels = min(levels, r.levels)
	}
	r.compare(levels)
	return nil
}

// answer reads the next row of the book file, if there is one.
func (r *lobsterRun) answer() error {
	err := r.book.Read(&r.row)
	if errors.Is(err, io.EOF) {
		r.ended = true
		return nil
	}
	return err
}

// compare compares the best levels of both sides.
func (r *lobsterRun) compare(levels int) {
	r.ask = r.venue.book.best(msg.Sell, levels, r.ask[:0])
	r.bid = r.venue.book.best(msg.Buy, levels, r.bid[:0])
	for len(r.ask) < levels {
		r.ask = append(r.ask, Level{})
	}
	for len(r.bid) < levels {
		r.bid = append(r.bid, Level{})
	}
	for i := range levels {
		if r.ask[i] != r.row.Asks[i] || r.bid[i] != r.row.Bids[i] {
			r.result.differs("%s: level %d is %v / %v, expected %v / %v", r.book.where(), i+1, r.bid[i], r.ask[i], r.row.Bids[i], r.row.Asks[i])
			return
		}
	}
}

// top is the best of some levels.
func top(levels []Level) Level { return levels[0] }

// afterSingle judges one message of a level-1 file, after which the row must be what the book shows; but a level that the
// message emptied is followed by any worse one.
func (r *lobsterRun) afterSingle(m *LobsterMessage, was [2]Level) {
	right := true
	for i, side := range [2]msg.Side{msg.Sell, msg.Buy} {
		old, want := was[i], [2]Level{top(r.row.Asks), top(r.row.Bids)}[i]
		got := r.best(side)
		switch emptied := m.Side == side && m.Type != LobsterNew && old.Qty > 0 && got.Price != old.Price; {
		case !emptied:
			right = right && got == want
		case want.Qty == 0 || key(side, want.Price) > key(side, old.Price):
			r.result.Emptied++
			r.reseed(side, want)
		default:
			right = false
		}
	}
	if right {
		return
	}
	r.result.differs("%s: the best is %v / %v, expected %v / %v", r.book.where(), r.best(msg.Buy), r.best(msg.Sell), top(r.row.Bids), top(r.row.Asks))
	r.clear(msg.Sell, Level{})
	r.clear(msg.Buy, Level{})
	r.reseed(msg.Sell, top(r.row.Asks))
	r.reseed(msg.Buy, top(r.row.Bids))
}

// best is the best level of a side here.
func (r *lobsterRun) best(side msg.Side) Level {
	r.ask = r.venue.book.best(side, 1, r.ask[:0])
	if len(r.ask) == 0 {
		return Level{}
	}
	return r.ask[0]
}

// reseed makes l the best of a side: what we still hold there if that is as much, else one anonymous order.
func (r *lobsterRun) reseed(side msg.Side, l Level) {
	r.clear(side, l)
	if l.Qty == 0 || r.best(side) == l {
		return
	}
	r.result.Reseeded++
	r.anonymous[place{side, l.Price}] = r.enter(side, l.Price, l.Qty)
}

// clear drops what stands before l on a side, and at its price if that is not as much.
func (r *lobsterRun) clear(side msg.Side, l Level) {
	for h := r.venue.book.first(side); h != 0; h = r.venue.book.first(side) {
		o := &r.venue.book.orders[h]
		better := l.Qty == 0 || key(side, o.price) < key(side, l.Price)
		if !better && (o.price != l.Price || o.row.qty == l.Qty) {
			return
		}
		for price := o.price; h != 0 && r.venue.book.orders[h].price == price; h = r.venue.book.first(side) {
			r.venue.drop(r.venue.book.orders[h].id)
		}
		if !better {
			return
		}
	}
}
