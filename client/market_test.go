package client_test

import (
	"bytes"
	"cmp"
	"context"
	"math/rand/v2"
	"net/netip"
	"path/filepath"
	"slices"
	"testing"

	"github.com/lockstep-exchange/lockstep/client"
	"github.com/lockstep-exchange/lockstep/demo"
	"github.com/lockstep-exchange/lockstep/engine"
	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/msg"
	"github.com/lockstep-exchange/lockstep/node/channel"
	"github.com/lockstep-exchange/lockstep/node/journal"
	"github.com/lockstep-exchange/lockstep/tape/feed"
	"github.com/lockstep-exchange/lockstep/wire"
	"github.com/lockstep-exchange/lockstep/wire/gen"
)

// air is a venue's channel and a network that loses, doubles, delays and so reorders what goes over it, in a time of its own. All of it
// is drawn from a seed.
type air struct {
	t         *testing.T
	dice      *rand.Rand
	now       fixed.Nanos
	publisher *channel.Publisher
	desk      *channel.Desk
	tape      *feed.Tape // another one than the publisher's
	all       [][]byte   // every record, by number - 1
	sums      []sum      // after the records of each command that has some
	flying    []flight   // the next one is the last
	dark      fixed.Nanos
	readers   []*follower
	engine    *engine.Engine
	limits    engine.Limits
	places    map[msg.OrderID]uint64 // the number of the record that gave an order its place
	walk      int                    // after so many commands the engine's books are walked
	commands  int
}

// sum is what the books are to be behind a record.
type sum struct {
	number uint64
	books  []uint64 // by instrument
}

// flight is something under way.
type flight struct {
	at   fixed.Nanos
	land func()
}

// follower is a Market, held to what was published.
type follower struct {
	name       string
	market     *client.Market
	number     uint64 // of the last record that was given; 0: none yet
	compared   int
	replaysOff bool
}

var channelName = [3]byte{'P', 'R', 'P'}

func newAir(t *testing.T, seed uint64, l engine.Limits, walk int) *air {
	e, err := engine.New(l)
	if err != nil {
		t.Fatal(err)
	}
	l = e.Limits()
	p, err := channel.New(channel.Config{Limits: limitsOf(l), Name: channelName, Epoch: 5, History: 1 << 18})
	if err != nil {
		t.Fatal(err)
	}
	return &air{t: t, dice: rand.New(rand.NewPCG(seed, 11)), publisher: p, desk: channel.NewDesk([]netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}),
		tape: feed.New(limitsOf(l)), engine: e, limits: l, places: map[msg.OrderID]uint64{}, walk: walk}
}

func limitsOf(l engine.Limits) feed.Limits {
	return feed.Limits{Instruments: l.Instruments, Underlyings: l.Underlyings, Orders: l.Orders}
}

// join lets another reader follow the channel from now on.
func (a *air) join(name string, first uint64, window int, means client.Means) *follower {
	c := client.MarketConfig{Channel: channelName, First: first, Means: means, Window: window}
	for id := msg.InstrumentID(1); uint32(id) <= a.limits.Instruments; id++ {
		c.Instruments = append(c.Instruments, id)
	}
	m, err := client.NewMarket(c)
	if err != nil {
		a.t.Fatal(err)
	}
	f := &follower{name: name, market: m}
	a.readers = append(a.readers, f)
	return f
}

// fly lets something land later.
func (a *air) fly(after fixed.Nanos, land func()) {
	f := flight{a.now + after, land}
	at, _ := slices.BinarySearchFunc(a.flying, f, func(a, b flight) int { return cmp.Compare(b.at, a.at) })
	a.flying = slices.Insert(a.flying, at, f)
}

// pass lets time pass up to a moment, and whatever is to land by then land.
func (a *air) pass(to fixed.Nanos) {
	for {
		at, due := to, func() {}
		if n := len(a.flying); n > 0 && a.flying[n-1].at <= at {
			at, due = a.flying[n-1].at, a.flying[n-1].land
			a.flying = a.flying[:n-1]
		} else if f := a.first(at); f != nil {
			at, _ = f.market.Due()
		} else {
			a.now = to
			return
		}
		a.now = max(a.now, at)
		due()
		for _, f := range a.readers {
			a.serve(f)
		}
	}
}

// first is who is due before a moment, and can be helped then.
func (a *air) first(at fixed.Nanos) (first *follower) {
	for _, f := range a.readers {
		if due, ok := f.market.Due(); ok && due <= at && due > a.now {
			first, at = f, due
		}
	}
	return first
}

// send sends a datagram on both lines to all.
func (a *air) send(datagram []byte) {
	datagram = bytes.Clone(datagram)
	if a.dice.IntN(3_000) == 0 { // neither line comes through for a while
		a.dark = a.now + fixed.Nanos(a.dice.IntN(int(80*fixed.Millisecond)))
	}
	for _, f := range a.readers {
		for range 2 {
			if a.now < a.dark || a.dice.IntN(10) == 0 {
				continue
			}
			for range 1 + a.dice.IntN(10)/9 {
				a.fly(fixed.Nanos(a.dice.IntN(int(3*fixed.Millisecond))), func() { f.market.Datagram(datagram, a.now) })
			}
		}
	}
}

// checksum is that of the engine's book.
func (a *air) checksum(id msg.InstrumentID) (sum uint64) {
	in, _ := a.engine.Instrument(id)
	s := wire.ScaleOf(in.TickLot, in.UnitLots)
	for _, side := range []msg.Side{msg.Buy, msg.Sell} {
		for _, o := range a.engine.Queue(id, side, nil) {
			sum += wire.OrderSum(uint64(o.Order), s.Price(o.Price), s.Qty(o.Qty), a.places[o.Order])
		}
	}
	return sum
}

// tell publishes what a command has brought about.
func (a *air) tell(events []msg.Event) {
	records := a.tape.Append(nil, events)
	for b := records; len(b) > 0; {
		size := 2 + int(b[0])<<8 + int(b[1])
		a.all, b = append(a.all, b[2:size]), b[size:]
		switch m, _ := wire.OpenRecord(a.all[len(a.all)-1]); m.Template {
		case gen.TemplateOrderAdd:
			a.places[msg.OrderID(gen.AsOrderAdd(m.Block).OrderID())] = uint64(len(a.all))
		case gen.TemplateOrderMove:
			a.places[msg.OrderID(gen.AsOrderMove(m.Block).OrderID())] = uint64(len(a.all))
		}
	}
	if len(records) > 0 {
		s := sum{number: a.tape.Next() - 1}
		for id := msg.InstrumentID(1); uint32(id) <= a.limits.Instruments; id++ {
			s.books = append(s.books, a.tape.Checksum(id))
			if a.commands++; a.commands%a.walk == 0 && s.books[id-1] != a.checksum(id) {
				a.t.Fatalf("behind record %d the checksum of instrument %d is %016x, of the engine's book %016x", s.number, id, s.books[id-1], a.checksum(id))
			}
		}
		a.sums = append(a.sums, s)
	}
	for i := range events {
		a.publisher.Take(&events[i])
		a.drain()
	}
	if a.dice.IntN(3) == 0 {
		a.publisher.Flush()
		a.drain()
	}
}

func (a *air) drain() {
	for d := a.publisher.Next(a.now); d != nil; d = a.publisher.Next(a.now) {
		a.send(d)
	}
}

// serve takes what a reader has, and does what it asks for, over the same network.
func (a *air) serve(f *follower) {
	for number, m, ok := f.market.Next(); ok; number, m, ok = f.market.Next() {
		a.given(f, number, &m)
	}
	for ask, ok := f.market.Ask(a.now); ok; ask, ok = f.market.Ask(a.now) {
		switch ask.Kind {
		case client.AskAgain:
			if request := f.market.AppendAsk(nil, ask); a.dice.IntN(5) > 0 {
				a.fly(fixed.Millisecond, func() {
					if b, ok := a.desk.Answer(nil, a.publisher, netip.AddrFrom4([4]byte{10, 0, 0, 1}), request, a.now); ok && a.dice.IntN(5) > 0 {
						a.fly(fixed.Millisecond, func() { f.market.Datagram(b, a.now) })
					}
				})
			}
		case client.AskReplay:
			a.fly(5*fixed.Millisecond, func() { a.replay(f, ask) })
		case client.AskSnapshot:
			if a.dice.IntN(5) > 0 {
				a.fly(5*fixed.Millisecond, func() { a.snapshot(f, ask) })
			}
		}
	}
}

// replay answers an AskReplay: the records come one after another, unless they are no longer kept.
func (a *air) replay(f *follower, ask client.Ask) {
	b, n := a.publisher.AppendRecords(nil, ask.From, ask.Count)
	if n == 0 || f.replaysOff {
		f.market.Refused(ask, a.now)
		return
	}
	for number := ask.From; len(b) > 0; number++ {
		size := 2 + int(b[0])<<8 + int(b[1])
		f.market.Replayed(number, b[2:size], a.now)
		b = b[size:]
		if a.serve(f); a.dice.IntN(2_000) == 0 {
			return // the line breaks
		}
	}
}

// snapshot answers an AskSnapshot.
func (a *air) snapshot(f *follower, ask client.Ask) {
	var s feed.Snapshot
	if !a.publisher.Snapshot(ask.Instrument, &s) {
		f.market.Refused(ask, a.now)
		return
	}
	b := s.Append(nil, 1)
	cut := len(b)
	if a.dice.IntN(5) == 0 {
		cut = a.dice.IntN(len(b)) // the line breaks
	}
	for at := 0; at < cut; {
		size := 2 + int(b[at])<<8 + int(b[at+1])
		if err := f.market.Snapshot(b[at+2 : at+size]); err != nil {
			a.t.Fatalf("%s: %v", f.name, err)
		}
		at += size
	}
}

// given holds a record to what was published, and behind the last of an event every book to what it was then.
func (a *air) given(f *follower, number uint64, m *wire.Message) {
	if number <= f.number || number > uint64(len(a.all)) {
		a.t.Fatalf("%s: record %d is given behind %d", f.name, number, f.number)
	}
	f.number = number
	want, fault := wire.OpenRecord(a.all[number-1])
	if fault.Kind != 0 || want.Template != m.Template || !bytes.Equal(want.Block, m.Block) {
		a.t.Fatalf("%s: record %d is another one", f.name, number)
	}
	at, last := slices.BinarySearchFunc(a.sums, number, func(s sum, n uint64) int { return cmp.Compare(s.number, n) })
	for i, want := range a.sums[min(at, len(a.sums)-1)].books {
		b := f.market.Book(msg.InstrumentID(i + 1))
		if b.Err() != nil {
			a.t.Fatalf("%s: %v", f.name, b.Err())
		}
		if b.Next() > number+1 { // from a snapshot that is ahead
			continue
		}
		if b.Ready() != last {
			a.t.Fatalf("%s: behind record %d ready is %v, want %v", f.name, number, b.Ready(), last)
		}
		if last {
			if f.compared++; b.Checksum() != want {
				a.t.Fatalf("%s: behind record %d the book of instrument %d has checksum %016x, want %016x", f.name, number, i+1, b.Checksum(), want)
			}
		}
	}
}

// settle lets time pass, with heartbeats, until everybody has everything; and holds every book to the engine's, order by order.
func (a *air) settle() {
	a.publisher.Flush()
	a.drain()
	for range 200 {
		a.pass(a.now + fixed.Second)
		if b := a.publisher.Heartbeat(nil, a.now); len(b) > 0 {
			a.send(b)
		}
	}
	for _, f := range a.readers {
		for id := msg.InstrumentID(1); uint32(id) <= a.limits.Instruments; id++ {
			a.compare(f, id)
		}
	}
}

func (a *air) compare(f *follower, id msg.InstrumentID) {
	in, ok := a.engine.Instrument(id)
	if !ok {
		return
	}
	s, b := wire.ScaleOf(in.TickLot, in.UnitLots), f.market.Book(id)
	if !b.Ready() || b.Next() != uint64(len(a.all))+1 {
		a.t.Fatalf("%s: the book of instrument %d waits for record %d, want %d: %v, %+v", f.name, id, b.Next(), len(a.all)+1, b.Err(), f.market.Counts())
	}
	for _, side := range []msg.Side{msg.Buy, msg.Sell} {
		want := a.engine.Queue(id, side, nil)
		for l := range b.Depth(gen.Side(side)) {
			for o := range b.Queue(l) {
				if len(want) == 0 || o.ID != want[0].Order || o.Price != s.Price(want[0].Price) || o.Qty != s.Qty(want[0].Qty) {
					a.t.Fatalf("%s: instrument %d has %+v, want %+v", f.name, id, o, want)
				}
				want = want[1:]
			}
		}
		if len(want) != 0 {
			a.t.Fatalf("%s: instrument %d lacks %d orders", f.name, id, len(want))
		}
	}
}

// everything is all that a reader can do about losses.
const everything = client.MeansAgain | client.MeansReplay | client.MeansSnapshot

// run sends a day over the air, with readers that have all means and some that have fewer, and one more of each that comes late.
func (a *air) run(commands []msg.Command) {
	few := func(when string, first uint64) *follower {
		a.join(when+", snapshots alone", first, 1<<12, client.MeansSnapshot)
		a.join(when+", refused replays", first, 1<<12, everything).replaysOff = true
		return a.join(when+", all means", first, 1<<18, everything)
	}
	first := few("from the start", 1)
	var events []msg.Event
	for n := range commands {
		if n == len(commands)/2 {
			few("late", 0)
		}
		events = a.engine.Apply(&commands[n], events[:0])
		a.tell(events)
		a.pass(a.now + fixed.Nanos(a.dice.IntN(int(100*fixed.Microsecond))))
	}
	a.settle()
	for _, f := range a.readers {
		a.t.Logf("%s: %d books compared, %+v", f.name, f.compared, f.market.Counts())
	}
	if c := first.market.Counts(); c.Passed != 0 || c.Records != uint64(len(a.all)) {
		a.t.Errorf("%s: %d of %d records", first.name, c.Records, len(a.all))
	}
}

// A reader of a feed that loses, doubles and reorders has, whenever it has a book, the venue's; and in the end it has it.
func TestMarketOverABadNetwork(t *testing.T) {
	folders, err := filepath.Glob("../engine/testdata/golden/*")
	if err != nil || len(folders) < 10 {
		t.Fatal(folders, err)
	}
	for i, folder := range folders {
		t.Run(filepath.Base(folder), func(t *testing.T) {
			j, err := journal.NewReader(journal.Disk{}, folder)
			if err != nil {
				t.Fatal(err)
			}
			defer j.Close()
			var commands []msg.Command
			for j.Next() {
				commands = append(commands, j.Commands()...)
			}
			newAir(t, uint64(i), j.Genesis().Limits, 1).run(commands)
		})
	}
}

// The same over the recording that is part of the binary.
func TestMarketOverTheRecording(t *testing.T) {
	if testing.Short() {
		t.Skip("takes some seconds")
	}
	limits, requests, err := demo.Commands(context.Background(), 1000, 1)
	if err != nil {
		t.Fatal(err)
	}
	commands := make([]msg.Command, len(requests))
	for i := range requests {
		commands[i] = msg.Command{Seq: msg.Seq(i + 1), Request: requests[i]}
	}
	newAir(t, 7, limits, 61).run(commands)
}

// A channel that is reset goes on from the first record of another epoch, with empty books; a datagram of an earlier one is foreign.
func TestChannelReset(t *testing.T) {
	m, err := client.NewMarket(client.MarketConfig{Channel: channelName, Instruments: []msg.InstrumentID{1}, First: 1})
	if err != nil {
		t.Fatal(err)
	}
	add := func(p *wire.Packer, id uint64) {
		block, _ := p.Add(gen.Header{Block: uint16(len(gen.OrderAdd{})), Template: gen.TemplateOrderAdd, Schema: gen.SchemaMarketData, Version: gen.VersionMarketData})
		o := gen.AsOrderAdd(block)
		o.SetOrderID(id)
		o.SetPrice(100)
		o.SetQty(1)
		o.SetInstrumentID(1)
		o.SetSide(gen.SideBuy)
		o.SetFlags(gen.MarketFlagsLast)
	}
	old := wire.NewPacker(wire.NameSession(channelName, 35, 1), 1)
	add(old, 1)
	first := bytes.Clone(old.Datagram())
	block, _ := old.Add(gen.Header{Block: uint16(len(gen.ChannelReset{})), Template: gen.TemplateChannelReset, Schema: gen.SchemaMarketData, Version: gen.VersionMarketData})
	gen.AsChannelReset(block).SetNewEpoch(36)
	gen.AsChannelReset(block).SetFlags(gen.MarketFlagsLast)
	reset := bytes.Clone(old.Datagram())
	fresh := wire.NewPacker(wire.NameSession(channelName, 36, 1), 1)
	add(fresh, 7)
	one := bytes.Clone(fresh.Datagram())
	add(fresh, 8)
	two := bytes.Clone(fresh.Datagram())
	end := fresh.AppendEnd(nil)

	given := func(datagrams ...[]byte) (numbers []uint64) {
		for _, d := range datagrams {
			m.Datagram(d, 0)
			for n, _, ok := m.Next(); ok; n, _, ok = m.Next() {
				numbers = append(numbers, n)
			}
		}
		return numbers
	}
	if got := given(first, reset, one, first, two); !slices.Equal(got, []uint64{1, 2, 1, 2}) {
		t.Errorf("records %d", got)
	}
	if b := m.Book(1); !b.Ready() || b.Count() != 2 || m.Counts().Foreign != 1 || m.Book(2) != nil {
		t.Errorf("%d orders, %+v", b.Count(), m.Counts())
	}
	if given(end); !m.Ended() || m.Session() != wire.NameSession(channelName, 36, 1) {
		t.Error("the session has ended")
	}

	if m, err = client.NewMarket(client.MarketConfig{Channel: channelName, Instruments: []msg.InstrumentID{1}, First: 1}); err != nil {
		t.Fatal(err)
	}
	if got := given(first, two, one); !slices.Equal(got, []uint64{1, 1, 2}) { // the reset itself was lost
		t.Errorf("records %d", got)
	}
}

func TestMarketConfigIsRefused(t *testing.T) {
	for field, c := range map[string]client.MarketConfig{"Window": {Window: 100}, "Orders": {Orders: -1}, "Wait": {Wait: -1}} {
		if _, err := client.NewMarket(c); err == nil || !bytes.Contains([]byte(err.Error()), []byte(field)) {
			t.Errorf("%s: %v", field, err)
		}
	}
}

// stream is datagrams of a golden journal, for who needs some.
func stream(t testing.TB, folder string) (datagrams [][]byte, l engine.Limits, snapshot []byte) {
	j, err := journal.NewReader(journal.Disk{}, "../engine/testdata/golden/"+folder)
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	e, err := engine.New(j.Genesis().Limits)
	if err != nil {
		t.Fatal(err)
	}
	p, err := channel.New(channel.Config{Limits: limitsOf(e.Limits()), Name: channelName, History: 1 << 10})
	if err != nil {
		t.Fatal(err)
	}
	drain := func() {
		for d := p.Next(0); d != nil; d = p.Next(0) {
			datagrams = append(datagrams, bytes.Clone(d))
		}
	}
	for j.Next() {
		for i := range j.Commands() {
			for _, ev := range e.Apply(&j.Commands()[i], nil) {
				p.Take(&ev)
				drain()
			}
			p.Flush()
			drain()
		}
	}
	var s feed.Snapshot
	p.Snapshot(1, &s)
	return datagrams, e.Limits(), s.Append(nil, 0)
}

// Nothing on the way of a record allocates, once everything has its size.
func TestMarketAllocatesNothing(t *testing.T) {
	datagrams, _, _ := stream(t, "recorded")
	m, err := client.NewMarket(client.MarketConfig{Channel: channelName, Instruments: []msg.InstrumentID{1, 2}, First: 1})
	if err != nil {
		t.Fatal(err)
	}
	next := 0
	if n := testing.AllocsPerRun(len(datagrams)/2-2, func() { // each second one comes before the one that it follows
		for _, d := range [][]byte{datagrams[next+1], datagrams[next], datagrams[next]} {
			m.Datagram(d, fixed.Nanos(next))
			for _, _, ok := m.Next(); ok; _, _, ok = m.Next() {
			}
			for _, ok := m.Ask(fixed.Nanos(next)); ok; _, ok = m.Ask(fixed.Nanos(next)) {
			}
		}
		next += 2
	}); n != 0 {
		t.Errorf("%v allocations a datagram", n)
	}
	if c := m.Counts(); c.Records < 100 || !m.Book(1).Ready() {
		t.Errorf("%+v", c)
	}
}

// FuzzMarket: whatever comes in whatever order, nothing panics, numbers rise, and a book that is ready is one of the venue's or of bytes that say so.
func FuzzMarket(f *testing.F) {
	datagrams, _, snapshot := stream(f, "crashes")
	f.Add(bytes.Join(datagrams[:5], nil), uint64(1))
	f.Add(snapshot, uint64(2))
	for i, d := range datagrams {
		if i%10 == 0 {
			f.Add(d, uint64(i))
		}
	}
	f.Fuzz(func(t *testing.T, b []byte, seed uint64) {
		dice := rand.New(rand.NewPCG(seed, 1))
		m, err := client.NewMarket(client.MarketConfig{Channel: channelName, Instruments: []msg.InstrumentID{1, 2}, Window: 64, Orders: 8, Means: client.Means(seed & 7), First: seed >> 3 & 1})
		if err != nil {
			t.Fatal(err)
		}
		last, now := uint64(0), fixed.Nanos(0)
		for len(b) > 0 {
			n := 1 + dice.IntN(len(b))
			switch dice.IntN(4) {
			case 0:
				m.Datagram(b[:n], now)
			case 1:
				m.Datagram(datagrams[dice.IntN(len(datagrams))], now)
			case 2:
				m.Replayed(uint64(dice.IntN(200)), b[:n], now)
			case 3:
				_ = m.Snapshot(b[:n])
				for at := 0; at < len(snapshot); {
					size := 2 + int(snapshot[at])<<8 + int(snapshot[at+1])
					_ = m.Snapshot(snapshot[at+2 : at+size])
					at += size
				}
			}
			b = b[n:]
			session := m.Session()
			for number, _, ok := m.Next(); ok; number, _, ok = m.Next() {
				if number <= last && session == m.Session() {
					t.Fatalf("record %d behind %d", number, last)
				}
				last, session = number, m.Session()
			}
			if session != m.Session() {
				last = 0
			}
			for a, ok := m.Ask(now); ok; a, ok = m.Ask(now) {
				if a.Kind != client.AskSnapshot && (a.Count < 1 || a.From == 0) {
					t.Fatalf("asks for %+v", a)
				}
				if dice.IntN(3) == 0 {
					m.Refused(a, now)
				}
			}
			if due, ok := m.Due(); ok {
				now = max(now, due)
			}
		}
	})
}
