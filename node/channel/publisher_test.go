package channel_test

import (
	"bytes"
	"math/rand/v2"
	"net/netip"
	"testing"

	"github.com/lockstep-exchange/lockstep/engine"
	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/market"
	"github.com/lockstep-exchange/lockstep/msg"
	"github.com/lockstep-exchange/lockstep/node/channel"
	"github.com/lockstep-exchange/lockstep/tape/feed"
	"github.com/lockstep-exchange/lockstep/wire"
)

// day is the events of some thousand commands, command by command: orders around one price.
func day(t testing.TB, seed uint64, commands int) (all [][]msg.Event) {
	e, err := engine.New(engine.Limits{Instruments: 2, Accounts: 8, Orders: 1 << 10})
	if err != nil {
		t.Fatal(err)
	}
	d := rand.New(rand.NewPCG(seed, 3))
	spec := market.Spec{ID: 1, Symbol: "PERP", Type: msg.Perpetual, TickLot: 100}
	list := append(spec.Append(nil), msg.SetPhase(1, msg.Continuous), msg.SetMark(1, 1_000))
	for a := msg.AccountID(1); a <= 8; a++ {
		list = append(list, msg.Deposit(a, 1_000_000*fixed.Coin))
	}
	for n := range commands {
		c := msg.Limit(msg.AccountID(1+d.IntN(8)), 1, msg.Side(1+d.IntN(2)), fixed.Ticks(990+d.IntN(21)), fixed.Lots(1+d.IntN(9)))
		switch {
		case n < len(list):
			c = list[n]
		case d.IntN(30) == 0:
			c = msg.CancelAll(c.Account, 0, 0)
		}
		c.Seq, c.Time, c.Ref = msg.Seq(n+1), fixed.Nanos(n), msg.Ref(n+1)
		all = append(all, e.Apply(&c, nil))
	}
	return all
}

var config = channel.Config{Limits: feed.Limits{Instruments: 2, Orders: 1 << 10}, Name: [3]byte{'B', 'T', 'C'}, Epoch: 36, History: 1 << 12}

func newPublisher(t testing.TB, c channel.Config) *channel.Publisher {
	p, err := channel.New(c)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// publish gives commands to a publisher, flushes after each with a chance of one in flush, and returns the datagrams.
func publish(p *channel.Publisher, commands [][]msg.Event, flush *rand.Rand) (datagrams [][]byte) {
	drain := func() {
		for d := p.Next(0); d != nil; d = p.Next(0) {
			datagrams = append(datagrams, bytes.Clone(d))
		}
	}
	for _, events := range commands {
		for i := range events {
			p.Take(&events[i])
			drain()
		}
		if flush.IntN(5) == 0 {
			p.Flush()
			drain()
		}
	}
	p.Flush()
	drain()
	return datagrams
}

// records opens datagrams, holds them to their numbers, and returns the records with their lengths.
func records(t testing.TB, datagrams [][]byte, next uint64) (all [][]byte) {
	for _, b := range datagrams {
		d, fault := wire.OpenDatagram(b, wire.MaxDatagram)
		if fault.Kind != 0 {
			t.Fatal(fault)
		}
		if d.Sequence != next || d.Count == 0 || string(d.Session[:]) != "BTC0000100" {
			t.Fatalf("datagram %s of %d records from %d on, want from %d", d.Session[:], d.Count, d.Sequence, next)
		}
		next += uint64(d.Count)
		for r := d.Record(); r != nil; r = d.Record() {
			all = append(all, r)
		}
	}
	return all
}

func join(all [][]byte) (b []byte) {
	for _, r := range all {
		b = append(append(b, byte(len(r)>>8), byte(len(r))), r...)
	}
	return b
}

// W-09, W-10, W-63: whatever is flushed when, the records are those of the tape, in its order and under its numbers; and a publisher that
// has replayed a part of the day goes on as the first one did.
func TestRecordsAndNumbersAreAFunctionOfTheJournal(t *testing.T) {
	commands := day(t, 1, 5_000)
	tape := feed.New(config.Limits)
	var want []byte
	numbers := []uint64{1} // before each command
	for _, events := range commands {
		want = tape.Append(want, events)
		numbers = append(numbers, tape.Next())
	}
	for seed := range uint64(5) {
		dice := rand.New(rand.NewPCG(seed, 1))
		all := publish(newPublisher(t, config), commands, dice)
		if got := join(records(t, all, 1)); !bytes.Equal(got, want) {
			t.Fatalf("seed %d: %d bytes of records, want %d", seed, len(got), len(want))
		}
		crash := dice.IntN(len(commands))
		p := newPublisher(t, config)
		for _, events := range commands[:crash] {
			p.Replay(events)
		}
		skipped := tapeSize(commands[:crash])
		if got := join(records(t, publish(p, commands[crash:], dice), numbers[crash])); !bytes.Equal(got, want[skipped:]) {
			t.Fatalf("seed %d: after a restart at command %d the records are others", seed, crash)
		}
	}
}

// tapeSize is how many bytes of records commands give.
func tapeSize(commands [][]msg.Event) int {
	tape, b := feed.New(config.Limits), []byte(nil)
	for _, events := range commands {
		b = tape.Append(b, events)
	}
	return len(b)
}

// A datagram is as full as the next record lets it be, unless it was flushed.
func TestDatagramsAreFull(t *testing.T) {
	commands := day(t, 2, 5_000)
	never := rand.New(fixedSource(1 << 63))
	all := publish(newPublisher(t, config), commands, never)
	for i, d := range all[:len(all)-1] {
		next, _ := wire.OpenDatagram(all[i+1], wire.MaxDatagram)
		if room := wire.MaxDatagram - len(d); room < 0 || room >= 2+len(next.Record()) {
			t.Fatalf("datagram %d of %d bytes has room for the next record", i, len(d))
		}
	}
}

// fixedSource always gives the same.
type fixedSource uint64

func (s fixedSource) Uint64() uint64 { return uint64(s) }

// W-09: after a second of silence a heartbeat says the next number, and consumes none; so does the end.
func TestHeartbeatAndEnd(t *testing.T) {
	p := newPublisher(t, config)
	all := publish(p, day(t, 3, 500), rand.New(rand.NewPCG(1, 1)))
	_, next := p.Numbers()
	if got := len(records(t, all, 1)); next != uint64(got)+1 {
		t.Fatalf("the next number is %d after %d records", next, got)
	}
	if b := p.Heartbeat(nil, fixed.Second-1); b != nil {
		t.Error("a heartbeat before a second has passed")
	}
	for _, now := range []fixed.Nanos{fixed.Second, 2 * fixed.Second} {
		if b := p.Heartbeat(nil, now); !bytes.Equal(b, wire.AppendRequest(nil, p.Session(), next, 0)) {
			t.Errorf("heartbeat %x", b)
		}
		if b := p.Heartbeat(nil, now+1); b != nil {
			t.Error("two heartbeats in a second")
		}
	}
	if b := p.AppendEnd(nil); !bytes.Equal(b, wire.AppendRequest(nil, p.Session(), next, wire.EndOfSession)) {
		t.Errorf("end %x", b)
	}
}

// The history has the last records under their numbers, as many as it has room for, also of what was replayed.
func TestHistoryHasTheLastRecords(t *testing.T) {
	c := config
	c.History = 1 << 10
	p := newPublisher(t, c)
	commands := day(t, 4, 4_000)
	for _, events := range commands[:2_000] {
		p.Replay(events)
	}
	publish(p, commands[2_000:], rand.New(rand.NewPCG(1, 1)))
	tape := feed.New(c.Limits)
	var all [][]byte
	for _, events := range commands {
		for b := tape.Append(nil, events); len(b) > 0; {
			size := 2 + int(b[0])<<8 + int(b[1])
			all, b = append(all, b[:size]), b[size:]
		}
	}
	first, next := p.Numbers()
	if next != uint64(len(all))+1 || next-first < 900 || next-first > 1<<10 {
		t.Fatalf("records %d..%d of %d are kept", first, next-1, len(all))
	}
	for from := first; from < next; from += 7 {
		b, n := p.AppendRecords(nil, from, 10)
		if want := bytes.Join(all[from-1:min(from+9, next-1)], nil); !bytes.Equal(b, want) || n != int(min(10, next-from)) {
			t.Fatalf("%d records from %d on are others", n, from)
		}
		b, ok := p.AppendDatagram([]byte("before"), from, 3)
		d, fault := wire.OpenDatagram(b[6:], wire.MaxDatagram)
		if !ok || fault.Kind != 0 || d.Sequence != from || d.Count != int(min(3, next-from)) || !bytes.Equal(d.Record(), all[from-1][2:]) {
			t.Fatalf("datagram from %d on: %+v, %v", from, d, fault)
		}
	}
	b, _ := p.AppendDatagram(nil, first, 1<<15)
	if len(b) > wire.MaxDatagram || len(b) < wire.MaxDatagram-130 {
		t.Errorf("a datagram of %d bytes", len(b))
	}
	for _, from := range []uint64{0, first - 1, next, next + 1, 1<<64 - 1} {
		if _, ok := p.AppendDatagram(nil, from, 1); ok {
			t.Errorf("record %d is kept", from)
		}
		if _, n := p.AppendRecords(nil, from, 1); n != 0 {
			t.Errorf("record %d is kept", from)
		}
	}
}

// Rung 2 of the ladder: who is listed gets one datagram a request, a hundred times a second; everybody else gets nothing and is counted.
func TestDeskAnswersTheListed(t *testing.T) {
	p := newPublisher(t, config)
	publish(p, day(t, 5, 500), rand.New(rand.NewPCG(1, 1)))
	desk := channel.NewDesk([]netip.Prefix{netip.MustParsePrefix("10.1.0.0/16"), netip.MustParsePrefix("fd00::/8")})
	friend, stranger := netip.MustParseAddr("::ffff:10.1.2.3"), netip.MustParseAddr("10.2.0.1")
	good := wire.AppendRequest(nil, p.Session(), 5, 2)
	b, ok := desk.Answer(nil, p, friend, good, 0)
	d, fault := wire.OpenDatagram(b, wire.MaxDatagram)
	if !ok || fault.Kind != 0 || d.Sequence != 5 || d.Count != 2 {
		t.Fatalf("answer %+v, %v", d, fault)
	}
	ask := func(source netip.Addr, request []byte, now fixed.Nanos) bool {
		_, ok := desk.Answer(nil, p, source, request, now)
		return ok
	}
	other := p.Session()
	other[0] = 'X'
	if ask(stranger, good, 0) || ask(friend, good[:19], 0) || ask(friend, wire.AppendRequest(nil, other, 5, 2), 0) ||
		ask(friend, wire.AppendRequest(nil, p.Session(), 1<<40, 2), 0) {
		t.Error("an answer to what should have none")
	}
	for range 98 {
		if !ask(friend, good, 0) {
			t.Fatal("no answer within the rate")
		}
	}
	if ask(friend, good, 0) || !ask(netip.MustParseAddr("fd00::1"), good, 0) || !ask(friend, good, 10*fixed.Millisecond) || ask(friend, good, 10*fixed.Millisecond) {
		t.Error("the rate is not a hundred a second for each source")
	}
	want := channel.Counts{Answered: 101, Malformed: 2, Unlisted: 1, Limited: 2, Missing: 1}
	if desk.Counts != want {
		t.Errorf("counts %+v, want %+v", desk.Counts, want)
	}
	many := netip.MustParseAddr("10.1.0.0")
	for range 5_000 {
		many = many.Next()
		ask(many, good, fixed.Second/2)
	}
	if desk.Counts.Limited == 2 || !ask(netip.MustParseAddr("10.1.200.200"), good, 2*fixed.Second) {
		t.Error("sources are remembered without bound, or for ever")
	}
}

func TestConfigIsRefused(t *testing.T) {
	for field, harm := range map[string]func(*channel.Config){
		"Name":     func(c *channel.Config) { c.Name[1] = 'b' },
		"Epoch":    func(c *channel.Config) { c.Epoch = 36 * 36 * 36 * 36 * 36 * 36 },
		"Revision": func(c *channel.Config) { c.Revision = 10 },
		"History":  func(c *channel.Config) { c.History = 1000 },
	} {
		c := config
		harm(&c)
		if _, err := channel.New(c); err == nil || !bytes.Contains([]byte(err.Error()), []byte(field)) {
			t.Errorf("%s: %v", field, err)
		}
	}
}

// Neither publishing nor answering allocates, once buffers have their size.
func TestNothingAllocates(t *testing.T) {
	commands := day(t, 6, 6_000)
	p := newPublisher(t, config)
	publish(p, commands[:2_000], rand.New(rand.NewPCG(1, 1)))
	next := 2_000
	if n := testing.AllocsPerRun(3_000, func() {
		for i := range commands[next] {
			p.Take(&commands[next][i])
			for p.Next(0) != nil {
			}
		}
		if next++; next%4 == 0 {
			p.Flush()
			for p.Next(0) != nil {
			}
		}
	}); n != 0 {
		t.Errorf("%v allocations a command", n)
	}
	desk := channel.NewDesk([]netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")})
	first, _ := p.Numbers()
	request, buffer, now := wire.AppendRequest(nil, p.Session(), first, 50), make([]byte, 0, 2048), fixed.Nanos(0)
	if n := testing.AllocsPerRun(1_000, func() {
		now += fixed.Second
		if _, ok := desk.Answer(buffer, p, netip.AddrFrom4([4]byte{10, 0, 0, 1}), request, now); !ok {
			t.Fatal("no answer")
		}
	}); n != 0 {
		t.Errorf("%v allocations a request", n)
	}
}

// FuzzDesk: whatever is asked, an answer is a datagram that opens, from the number that was asked for, and nothing else.
func FuzzDesk(f *testing.F) {
	p := newPublisher(f, config)
	publish(p, day(f, 7, 500), rand.New(rand.NewPCG(1, 1)))
	desk := channel.NewDesk([]netip.Prefix{netip.MustParsePrefix("0.0.0.0/0")})
	f.Add(wire.AppendRequest(nil, p.Session(), 1, 1))
	f.Add(wire.AppendRequest(nil, p.Session(), 100, 0xFFFE))
	f.Add(wire.AppendRequest(nil, p.Session(), 1<<63, 10))
	now := fixed.Nanos(0)
	f.Fuzz(func(t *testing.T, b []byte) {
		now += fixed.Second
		out, ok := desk.Answer(nil, p, netip.AddrFrom4([4]byte{10, 0, 0, 1}), b, now)
		if !ok {
			if len(out) != 0 {
				t.Fatal("bytes without an answer")
			}
			return
		}
		r, fault := wire.OpenRequest(b)
		d, wrong := wire.OpenDatagram(out, wire.MaxDatagram)
		if fault.Kind != 0 || wrong.Kind != 0 || d.Sequence != r.Sequence || d.Count < 1 || d.Count > r.Count || d.Session != r.Session {
			t.Fatalf("%x is answered by %x", b, out)
		}
	})
}
