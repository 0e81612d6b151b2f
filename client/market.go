package client

import (
	"fmt"

	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/msg"
	"github.com/lockstep-exchange/lockstep/wire"
	"github.com/lockstep-exchange/lockstep/wire/gen"
)

// Market follows one channel of the feed as a step function: datagrams and time go in, in whatever order the network brings them,
// records come out, in the order of their numbers and once each, and books follow them.
//
//	A ──> Datagram ─┐                                    ┌─> Next: number, record
//	B ──> Datagram ─┼─> waiting, by number ──in order──> ┤
//	what was asked ─┘        │ a hole                    └─> books
//	for again                `──> Ask: what to do about it
//
// A hole in the numbers is closed by the first rung that helps; each is tried when the one above it does not.
//
//	1  the other line     the hole is 2 ms old
//	2  AskAgain           a datagram to the venue, which answers by one; three times
//	3  AskReplay          a replay session from the wanted number on
//	4  AskSnapshot        the hole is passed over; no record comes until each book has a snapshot from behind it
//
// Who comes late begins with rung 4, unless it begins with the channel's first record (MarketConfig.First). Rungs that a program does not
// have are left out (MarketConfig.Means); without the fourth a hole that stays is passed over, and books that it touches are not
// Ready any more.
//
// Invariant: all records from next to whole-1 wait; record whole does not, and behind it some may, up to end-1.
//
// Once records and books have come to their size, nothing is allocated.
type Market struct {
	config  MarketConfig
	session wire.SessionName
	joined  bool // the session is known
	ended   bool // and is over

	waiting []record // by number & mask
	next    uint64   // the number of the record that is given next
	whole   uint64
	end     uint64 // behind the highest number that is known to have been sent

	hole    hole
	books   []*Book
	asked   []fixed.Nanos // by book: when its snapshot was last asked for, or never
	loading *Book         // whose snapshot is coming; nil: none
	counts  MarketCounts
}

// MarketConfig says what is followed, and what can be done about losses.
type MarketConfig struct {
	Channel     [3]byte            // its name, with which the names of its sessions begin
	Instruments []msg.InstrumentID // whose books are kept
	First       uint64             // the number of the first record that is wanted, 1 for whoever is there from the start; 0: the first that is seen
	Orders      int                // for so many in a book there is room from the start; default 1,024
	Window      int                // records that wait behind a hole at most, a power of two; default 65,536, which take 10 MiB
	Wait        fixed.Nanos        // for the other line; default 2 ms
	Means       Means
}

// Means are the rungs that a program has besides the first.
type Means uint8

const (
	MeansAgain    Means = 1 << iota // requests to the venue's address for them
	MeansReplay                     // a replay session
	MeansSnapshot                   // a snapshot session
)

// record waits for its turn. Its bytes are used again and again.
type record struct {
	number uint64 // 0: none
	bytes  []byte // header and block
}

// hole is the one at Market.whole.
type hole struct {
	rung  uint8       // 0: there is none
	tries uint8       // on this rung, since one has helped
	due   fixed.Nanos // when the next thing is to be done about it
	asked fixed.Nanos // when it was last asked for
	until uint64      // and up to where
}

const (
	never          = fixed.Nanos(-1)
	againTries     = 3
	againPatience  = 20 * fixed.Millisecond
	againEvery     = 10 * fixed.Millisecond // the venue takes a hundred a second
	againMax       = 1000                   // records: what misses more than these goes on to the next rung, where there is one
	replayPatience = fixed.Second
	snapshotEvery  = 1100 * fixed.Millisecond // the venue gives one of an instrument a second
	replayMax      = 2000                     // records that a replay session is asked for at once
	recordRoom     = 136                      // of the longest record there is, and a field more
)

// AskKind is what a Market asks for.
type AskKind uint8

const (
	AskAgain    AskKind = 1 + iota // Count records from From on, by AppendAsk, to the address for requests; the answer goes to Datagram
	AskReplay                      // Count records from From on, of a replay session; they go to Replayed
	AskSnapshot                    // of Instrument, of a snapshot session; it goes to Snapshot
)

// Ask is what a Market wants to have done.
type Ask struct {
	Kind       AskKind
	From       uint64
	Count      int
	Instrument msg.InstrumentID
}

// MarketCounts are what became of what came.
type MarketCounts struct {
	Records    uint64 // given
	Duplicates uint64 // records that had come already
	Malformed  uint64 // datagrams and records that cannot be read
	Foreign    uint64 // datagrams of another session
	Holes      uint64 // that were older than the wait for the other line
	Again      uint64 // requests
	Replays    uint64 // asked for
	Snapshots  uint64 // asked for
	Passed     uint64 // records that were passed over
}

// NewMarket makes a market that has not seen its channel yet. The error names the field of c that is out of range.
func NewMarket(c MarketConfig) (*Market, error) {
	if c.Orders == 0 {
		c.Orders = 1024
	}
	if c.Window == 0 {
		c.Window = 1 << 16
	}
	if c.Wait == 0 {
		c.Wait = 2 * fixed.Millisecond
	}
	switch {
	case c.Window < 64 || c.Window&(c.Window-1) != 0:
		return nil, fmt.Errorf("client: Window is %d, expected a power of two from 64 on", c.Window)
	case c.Orders < 1:
		return nil, fmt.Errorf("client: Orders is %d, expected 1 or more", c.Orders)
	case c.Wait < 0:
		return nil, fmt.Errorf("client: Wait is %d, expected 0 or more", c.Wait)
	}
	m := &Market{config: c, waiting: make([]record, c.Window), asked: make([]fixed.Nanos, len(c.Instruments))}
	room := make([]byte, c.Window*recordRoom)
	for i := range m.waiting {
		m.waiting[i].bytes = room[i*recordRoom : i*recordRoom : (i+1)*recordRoom]
	}
	for _, id := range c.Instruments {
		m.books = append(m.books, NewBook(id, 0, c.Orders))
	}
	return m, nil
}

// Book is the book of an instrument that is followed, else nil. It is another one after the channel was reset.
func (m *Market) Book(id msg.InstrumentID) *Book {
	for i, b := range m.books {
		if m.config.Instruments[i] == id {
			return b
		}
	}
	return nil
}

// Session is the name under which the channel comes; zero until something has come.
func (m *Market) Session() wire.SessionName { return m.session }

// Ended reports whether the session has ended, everything in it was given, and no book waits for a snapshot.
func (m *Market) Ended() bool { return m.ended && m.next == m.end && !m.holds() }

// Counts are what became of what came.
func (m *Market) Counts() MarketCounts { return m.counts }

// Datagram takes in a datagram of either line, or the answer to an AskAgain.
func (m *Market) Datagram(b []byte, now fixed.Nanos) {
	d, fault := wire.OpenDatagram(b, wire.MaxDatagram)
	switch {
	case fault.Kind != 0:
		m.counts.Malformed++
		return
	case !m.belongs(&d):
		m.counts.Foreign++
		return
	}
	m.ended = m.ended || d.End
	for number := d.Sequence; ; number++ {
		r := d.Record()
		if r == nil {
			break
		}
		m.keep(number, r)
	}
	m.reach(d.Sequence+uint64(d.Count), now)
}

// belongs reports whether a datagram is of the session that is followed, which begins with the first of the channel, and anew with one of a
// later epoch.
func (m *Market) belongs(d *wire.Datagram) bool {
	switch {
	case d.Session == m.session && m.joined:
		return true
	case [3]byte(d.Session[:3]) != m.config.Channel || d.Sequence == 0:
		return false
	case m.joined && (d.Session[9] != m.session[9] || string(d.Session[3:9]) <= string(m.session[3:9])):
		return false
	}
	switch {
	case m.joined: // nothing of the new epoch has been seen, so all of it is wanted
		m.join(d.Session, 1)
	case m.config.First != 0:
		m.join(d.Session, m.config.First)
	default:
		m.join(d.Session, d.Sequence)
	}
	return true
}

// join follows a session from a number on. From the first record on nothing is missing.
func (m *Market) join(session wire.SessionName, from uint64) {
	m.session, m.joined, m.ended = session, true, false
	m.next, m.whole, m.end, m.hole, m.loading = from, from, from, hole{}, nil
	for i := range m.waiting {
		m.waiting[i].number = 0
	}
	begin := uint64(0)
	if from == 1 {
		begin = 1
	}
	for i, id := range m.config.Instruments {
		m.books[i], m.asked[i] = NewBook(id, begin, m.config.Orders), never
	}
}

// keep keeps a record until it is its turn.
func (m *Market) keep(number uint64, b []byte) {
	if number < m.next {
		m.counts.Duplicates++
		return
	}
	if number >= m.next+uint64(len(m.waiting)) {
		m.pass(number)
	}
	r := &m.waiting[number&uint64(len(m.waiting)-1)]
	if r.number == number {
		m.counts.Duplicates++
		return
	}
	r.number, r.bytes = number, append(r.bytes[:0], b...)
}

// reach notes that the records before a number have been sent, and looks how far they have come.
func (m *Market) reach(sent uint64, now fixed.Nanos) {
	m.end = max(m.end, sent)
	from := m.whole
	for m.whole < m.end && m.has(m.whole) {
		m.whole++
	}
	switch h := &m.hole; {
	case m.whole == m.end:
		*h = hole{}
	case h.rung == 0, m.whole != from && h.rung == 1:
		*h = hole{rung: 1, due: now + m.config.Wait}
	case m.whole == from:
	case h.rung == 2: // it helps: more of it
		h.tries, h.due = 0, max(now, h.asked+againEvery)
	case m.whole >= h.until:
		h.tries, h.due = 0, now
	default:
		h.tries, h.due = 0, now+replayPatience
	}
}

func (m *Market) has(number uint64) bool {
	return m.waiting[number&uint64(len(m.waiting)-1)].number == number
}

// pass gives up the records before a number.
func (m *Market) pass(number uint64) {
	m.counts.Passed += number - m.next
	m.next, m.whole, m.end, m.hole = number, number, max(m.end, number), hole{}
}

// Replayed takes in a record of a replay session: its number there, which is that of the channel, header and block.
func (m *Market) Replayed(number uint64, b []byte, now fixed.Nanos) {
	m.keep(number, b)
	m.reach(number+1, now)
}

// Refused takes in that the venue does not do what was asked: a replay does not go back that far; an instrument is not listed, and so has
// no orders.
func (m *Market) Refused(a Ask, now fixed.Nanos) {
	switch a.Kind {
	case AskReplay:
		if m.hole.rung == 3 {
			m.fall(now)
		}
	case AskSnapshot:
		for i, id := range m.config.Instruments {
			if id == a.Instrument && m.needs(i) {
				m.books[i], m.asked[i] = NewBook(id, m.next, m.config.Orders), never
			}
		}
	}
}

// needs reports whether a book cannot go on with the next record.
func (m *Market) needs(book int) bool { return m.books[book].Next() < m.next }

// Snapshot takes in the next record of a snapshot: header and block. One that no book needs is passed over. The error is that of Book.Load; the
// snapshot is asked for again.
func (m *Market) Snapshot(b []byte) error {
	message, fault := wire.OpenRecord(b)
	if fault.Kind != 0 {
		m.counts.Malformed++
		return fault
	}
	if message.Schema == gen.SchemaMarketData && message.Template == gen.TemplateSnapshotBegin {
		m.loading = nil
		for i, id := range m.config.Instruments {
			if uint32(id) == gen.AsSnapshotBegin(message.Block).InstrumentID() && m.needs(i) {
				m.loading = m.books[i]
			}
		}
	}
	if m.loading == nil {
		return nil
	}
	return m.loading.Load(&message)
}

// holds reports whether records have to wait for a snapshot.
func (m *Market) holds() bool {
	if m.config.Means&MeansSnapshot == 0 {
		return false
	}
	for i := range m.books {
		if m.needs(i) {
			return true
		}
	}
	return false
}

// Next is the next record, applied to the books; ok is false where there is none yet. It is good until the following call of any method.
func (m *Market) Next() (number uint64, record wire.Message, ok bool) {
	for m.next < m.whole && !m.holds() {
		number = m.next
		m.next++
		message, fault := wire.OpenRecord(m.waiting[number&uint64(len(m.waiting)-1)].bytes)
		if fault.Kind != 0 {
			m.counts.Malformed++
			m.counts.Passed++
			continue // the books see that a number is missing
		}
		for _, b := range m.books {
			_ = b.Apply(number, &message) // a book that breaks needs a snapshot
		}
		m.counts.Records++
		if message.Template == gen.TemplateChannelReset && message.Schema == gen.SchemaMarketData {
			m.reset(gen.AsChannelReset(message.Block).NewEpoch())
		}
		return number, message, true
	}
	return 0, record, false
}

// reset begins another epoch of the channel, from its first record on.
func (m *Market) reset(epoch uint32) {
	m.join(wire.NameSession(m.config.Channel, epoch, m.session[9]-'0'), 1)
}

// Ask is what is to be done now; ok is false where there is nothing. It is called until there is nothing, after whatever came and at Due, when
// Next gives nothing any more.
func (m *Market) Ask(now fixed.Nanos) (a Ask, ok bool) {
	for m.hole.rung != 0 && now >= m.hole.due {
		if a, ok = m.climb(now); ok {
			return a, true
		}
	}
	if m.config.Means&MeansSnapshot == 0 || !m.joined {
		return Ask{}, false
	}
	for i, id := range m.config.Instruments {
		switch {
		case !m.needs(i):
			m.asked[i] = never
		case m.asked[i] == never || now >= m.asked[i]+snapshotEvery:
			m.asked[i] = now
			m.counts.Snapshots++
			return Ask{Kind: AskSnapshot, Instrument: id}, true
		}
	}
	return Ask{}, false
}

// climb does the next thing about a hole. ok is false where that is nothing to be asked for.
func (m *Market) climb(now fixed.Nanos) (a Ask, ok bool) {
	h := &m.hole
	switch {
	case h.rung == 1:
		m.counts.Holes++
		*h = hole{rung: 2, due: now}
	case h.rung == 2 && (m.config.Means&MeansAgain == 0 || h.tries == againTries || m.config.Means > MeansAgain && m.missing(againMax+1) > againMax):
		*h = hole{rung: 3, due: now}
	case h.rung == 2:
		h.tries, h.asked, h.due = h.tries+1, now, now+againPatience
		m.counts.Again++
		return Ask{Kind: AskAgain, From: m.whole, Count: m.missing(wire.EndOfSession - 1)}, true
	case m.config.Means&MeansReplay == 0 || h.tries == 1:
		m.fall(now)
	default:
		a = Ask{Kind: AskReplay, From: m.whole, Count: m.missing(replayMax)}
		h.tries, h.due, h.until = 1, now+replayPatience, a.From+uint64(a.Count)
		m.counts.Replays++
		return a, true
	}
	return Ask{}, false
}

// missing is how long the hole is, most at most.
func (m *Market) missing(most int) (n int) {
	for n < most && m.whole+uint64(n) < m.end && !m.has(m.whole+uint64(n)) {
		n++
	}
	return n
}

// fall passes over a hole.
func (m *Market) fall(now fixed.Nanos) {
	m.pass(m.whole + uint64(m.missing(len(m.waiting))))
	m.reach(m.end, now)
}

// Due is when Ask is to be called next, if nothing comes before; ok is false where nothing is awaited.
func (m *Market) Due() (at fixed.Nanos, ok bool) {
	if m.hole.rung != 0 {
		at, ok = m.hole.due, true
	}
	if m.config.Means&MeansSnapshot == 0 || !m.joined {
		return at, ok
	}
	for i := range m.books {
		if !m.needs(i) {
			continue
		}
		due := fixed.Nanos(0)
		if m.asked[i] != never {
			due = m.asked[i] + snapshotEvery
		}
		if !ok || due < at {
			at, ok = due, true
		}
	}
	return at, ok
}

// AppendAsk appends the datagram of an AskAgain.
func (m *Market) AppendAsk(dst []byte, a Ask) []byte {
	return wire.AppendRequest(dst, m.session, a.From, uint16(a.Count))
}
