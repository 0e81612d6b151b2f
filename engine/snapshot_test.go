package engine

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"unsafe"

	"github.com/lockstep-exchange/lockstep/clearing"
	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/margin"
	"github.com/lockstep-exchange/lockstep/market"
	"github.com/lockstep-exchange/lockstep/msg"
)

var exhaustive = flag.Bool("exhaustive", false, "restore at every command, and turn every bit: two minutes")

// thin is how many commands or bits a test may pass over for one that it looks at.
func thin(normal int) int {
	switch {
	case *exhaustive:
		return 1
	case testing.Short():
		return 8*normal + 1
	}
	return normal
}

// image is a snapshot of an engine as one piece.
func image(e *Engine) (b []byte) {
	e.Snapshot(func(piece []byte) bool {
		b = append(b, piece...)
		return true
	})
	return b
}

// inPieces gives bytes size at a time.
func inPieces(b []byte, size int) func() []byte {
	return func() (piece []byte) {
		n := min(size, len(b))
		piece, b = b[:n], b[n:]
		return piece
	}
}

func restored(t testing.TB, limits Limits, b []byte) *Engine {
	t.Helper()
	e, err := Restore(limits, inPieces(b, len(b)))
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// told is the hash of events.
func told(events []msg.Event) uint64 {
	var d fixed.Digest
	for i := range events {
		events[i].Hash(&d)
	}
	return d.Sum()
}

// TestRestoredGoesOn takes snapshots all along the recorded day, with -exhaustive after every command. What is restored of one has its hash and its bytes, tells the
// same in the rest of the day as the engine did that was never away, and gives out the same ids.
func TestRestoredGoesOn(t *testing.T) { // A-18, D-50
	commands, err := readRecording(recorded, dayFile, dayLength)
	if err != nil {
		t.Fatal(err)
	}
	step, rest := thin(5), 150
	e, err := New(recorded.limits)
	if err != nil {
		t.Fatal(err)
	}
	var events [][]msg.Event
	var images [][]byte
	hashes := []uint64{e.Hash()}
	for i := range commands {
		images = append(images, nil)
		if i%step == 0 {
			images[i] = image(e)
		}
		events = append(events, e.Apply(&commands[i], nil))
		hashes = append(hashes, e.Hash())
	}
	for from := 0; from < len(commands); from += step {
		r := restored(t, recorded.limits, images[from])
		if got := image(r); !bytes.Equal(got, images[from]) {
			t.Fatalf("after %d commands: restored, it has another snapshot", from)
		}
		to := min(len(commands), from+rest)
		if from%(50*step) == 0 {
			to = len(commands)
		}
		for i := from; i < to; i++ {
			c := commands[i]
			if got := r.Apply(&c, nil); told(got) != told(events[i]) {
				t.Fatalf("restored after %d commands: command %d tells\n%v\nwant\n%v", from, i+1, got, events[i])
			}
			if i == to-1 || i-from < 3 {
				if got := r.Hash(); got != hashes[i+1] {
					t.Fatalf("restored after %d commands: hash %016x after %d, want %016x", from, got, i+1, hashes[i+1])
				}
			}
		}
		sound(t, r)
	}
}

// sound compares every account and every book of a restored engine with a full recomputation.
func sound(t testing.TB, e *Engine) {
	t.Helper()
	(&desk{Engine: e, t: t}).sound()
}

// TestRestoreInRandomDays restores in the middle of days that draw from all kinds of commands.
func TestRestoreInRandomDays(t *testing.T) { // A-18
	for i, d := range days {
		seed := xorshift(uint64(i)*0x9E3779B97F4A7C15 + 777)
		t.Logf("%s: seed %#x", d.name, uint64(seed))
		tr, a := newTrader(d, &seed), newDesk(t, d.limits)
		for _, c := range tr.opening() {
			a.at = max(c.Time, a.now)
			tr.see(&c, a.do(c))
		}
		for range 12 {
			b := newDesk(t, d.limits)
			size := 1 + int(seed.below(5000))
			var err error
			if b.Engine, err = Restore(d.limits, inPieces(image(a.Engine), size)); err != nil {
				t.Fatal(err)
			}
			for range 150 {
				c := tr.next()
				a.at = max(c.Time, a.now)
				b.at = a.at
				tr.see(&c, a.do(c))
				if b.do(c); told(a.last) != told(b.last) {
					t.Fatalf("%s: %s\ntells %v\nwant  %v", d.name, c.String(), b.last, a.last)
				}
			}
			if a.Hash() != b.Hash() || !bytes.Equal(image(a.Engine), image(b.Engine)) {
				t.Fatalf("%s: the engines have parted", d.name)
			}
			b.sound()
		}
	}
}

// TestRestoredLists gives an account a position that requires nothing, behind a newer one, and restores it: when the older goes, the
// newer is still found.
func TestRestoredLists(t *testing.T) { // D-39
	d := newDesk(t, Limits{Instruments: 2, Accounts: 4})
	free := perpetual(1)
	free.Initial, free.Maintenance = 0, 0
	d.list(free, 100)
	d.ok(msg.SetTier(1, msg.Tier{}))
	d.list(perpetual(2), 100)
	d.ok(msg.Deposit(1, 10_000*fixed.Coin))
	older := d.order(msg.Limit(1, 1, msg.Buy, 100, 1))
	newer := d.order(msg.Limit(1, 2, msg.Buy, 90, 3))
	b := &desk{Engine: restored(t, d.limits, image(d.Engine)), t: t}
	for _, e := range []*desk{d, b} {
		e.ok(msg.Cancel(1, 1, older), msg.Cancel(1, 2, newer))
		if s, _ := e.Account(1); s.Initial != 0 {
			t.Errorf("without orders %s is required", s.Initial)
		}
		e.sound()
	}
	if d.Hash() != b.Hash() {
		t.Error("the engines have parted")
	}
}

// TestManyAccountsAreRestored lets a quarter of a million accounts with whole numbers rest an order in one instrument: their rows spread badly,
// and the state comes back all the same.
func TestManyAccountsAreRestored(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes some seconds under the race detector")
	}
	const accounts = 1 << 18
	limits := Limits{Instruments: 2, Accounts: accounts + 1, Positions: accounts + 1, Orders: accounts + 1, Levels: 64, Events: 256}
	e, err := New(limits)
	if err != nil {
		t.Fatal(err)
	}
	e.SetChecks(false)
	var out []msg.Event
	do := func(c msg.Command) {
		c.Seq, c.Time = e.Seq()+1, 1
		if out = e.Apply(&c, out[:0]); out[len(out)-1].Kind == msg.Rejected {
			t.Fatalf("%s: %s", c.String(), out[len(out)-1].String())
		}
	}
	spec := market.Spec{ID: 1, Type: msg.Perpetual, TickLot: 100, Initial: 10 * fixed.Percent, Maintenance: 5 * fixed.Percent}
	for _, c := range append(spec.Append(nil), msg.SetPhase(1, msg.Continuous), msg.SetMark(1, 100)) {
		do(c)
	}
	for id := msg.AccountID(1); id < accounts; id++ {
		do(msg.Deposit(id, fixed.Coin))
		do(msg.Limit(id, 1, msg.Buy, 100, 1))
	}
	if again := restored(t, limits, image(e)); again.Hash() != e.Hash() {
		t.Errorf("state %016x, expected %016x", again.Hash(), e.Hash())
	}
}

// TestRestoredWiresAreTakenUp: a position that was closed and keeps the leverage that was chosen for it may keep a wire too, with nothing in its
// ledger. When it is given back, whoever takes its row next does not find the wire there, restored or not.
func TestRestoredWiresAreTakenUp(t *testing.T) { // D-50
	limits := Limits{Instruments: 1, Accounts: 2, Positions: 2, Orders: 8, Levels: 64, Events: 256}
	d := newDesk(t, limits)
	d.list(market.Spec{ID: 1, Type: msg.Perpetual, TickLot: 100, Initial: 10 * fixed.Percent, Maintenance: 5 * fixed.Percent}, 100)
	d.ok(msg.Deposit(1, fixed.Coin), msg.Deposit(2, fixed.Coin), msg.SetLeverage(1, 1, 2_00))
	d.trade(2, 1, 1, 100, 1)
	d.ok(msg.SetMark(1, 101)) // both are examined
	d.trade(1, 2, 1, 101, 1)
	r := &desk{Engine: restored(t, limits, image(d.Engine)), t: t}
	for _, e := range []*desk{d, r} {
		e.ok(msg.SetLeverage(1, 1, 0), msg.SetLeverage(1, 1, 2_00)) // the row is given back, and taken again
	}
	if d.Hash() != r.Hash() {
		t.Errorf("state %016x restored, %016x otherwise", r.Hash(), d.Hash())
	}
}

// parts collects the fields in which two states differ.
func parts(a, b reflect.Value, name string, in map[string]bool) {
	switch a.Kind() {
	case reflect.Pointer:
		if a.IsNil() != b.IsNil() {
			in[name] = true
		} else if !a.IsNil() {
			parts(a.Elem(), b.Elem(), name, in)
		}
	case reflect.Struct:
		for i := range a.NumField() {
			if f := a.Type().Field(i); f.Name != "_" && !strings.HasPrefix(f.Type.String(), "btree.") && f.Name != "asked" {
				parts(a.Field(i), b.Field(i), a.Type().Name()+"."+f.Name, in)
			}
		}
	case reflect.Slice, reflect.Array:
		if a.Len() != b.Len() {
			in[name] = true
			return
		}
		for i := range a.Len() {
			parts(a.Index(i), b.Index(i), name, in)
		}
	default:
		if !a.Equal(b) {
			in[name] = true
		}
	}
}

// may are the fields in which a restored engine may differ from the one that it is a snapshot of: scratch, a cache, or what is left
// in rows that nobody uses.
var may = map[string]bool{"Engine.wake": true, "Engine.out": true, "Engine.first": true, "Engine.told": true, "Engine.counted": true, "Engine.fills": true, "Engine.parts": true,
	"Engine.working": true, "index.finger": true, "rows.free": true, "timers.heap": true, "timers.place": true, "timers.at": true,
	"timers.key": true, "jobs.ring": true, "jobs.head": true, "job.account": true, "expiry.heap": true, "expiry.place": true,
	"Order.Prev": true, "Order.Next": true, "level.qty": true, "level.tail": true, "level.count": true, "level.block": true, "level.head": true,
	"Claim.Prev": true, "Claim.Next": true, "House.worn": true, "House.moved": true, "House.movedResting": true, "Book.store": true,
	"Marker.instants": true, "instant.at": true, "Wide.Hi": true, "Wide.Lo": true, "Funding.samples": true,
	"Engine.asOf": true, "Engine.swept": true, "Engine.budget": true, "Engine.reviewed": true, "Engine.searched": true, "Engine.rows": true, "House.at": true, "House.last": true,
	"wires.free": true, "wires.tops": true, "wires.of": true, "wire.key": true, "wire.up": true, "wire.left": true, "wire.right": true,
	"wire.row": true, "wire.account": true, "wire.rank": true, "wire.way": true, "margin.Winner": true, "Winner.Account": true, "Winner.Row": true,
	"Winner.Weight": true, "Winner.Lots": true, "Winner.Given": true, "Winner.Gain": true, "Winner.rest": true,
	"trip.row": true, "trip.instr": true, "trip.session": true, "guard.next": true, "guards.first": true}

// TestRestoredIsTheSame compares restored engines with those that they are snapshots of, field by field: links back, counts,
// sums and paths are what they were.
func TestRestoredIsTheSame(t *testing.T) { // D-39
	for i, d := range days {
		seed := xorshift(uint64(i)*0x9E3779B97F4A7C15 + 31337)
		tr, a := newTrader(d, &seed), newDesk(t, d.limits)
		for _, c := range tr.opening() {
			a.at = max(c.Time, a.now)
			tr.see(&c, a.do(c))
		}
		for range 8 {
			for range 200 {
				c := tr.next()
				a.at = max(c.Time, a.now)
				tr.see(&c, a.do(c))
			}
			in := map[string]bool{}
			parts(reflect.ValueOf(a.Engine), reflect.ValueOf(restored(t, d.limits, image(a.Engine))), "engine", in)
			for name := range in {
				if !may[name] {
					t.Errorf("%s, seq %d: restored, %s is another", d.name, a.seq, name)
				}
			}
		}
	}
}

// derived are the fields that a snapshot leaves out: built anew, scratch, or somebody else's who stores it. Whoever adds a field to
// the state stores it, or says here why not.
var derived = map[string]string{
	"Engine.books":     "those of the instruments that are listed; looked at apart",
	"Gate.House":       "the engine's",
	"Gate.Instruments": "the engine's",
	"Gate.Venue":       "the engine's",
	"Engine.wake":      "0: too early is never wrong",
	"Engine.out":       "scratch",
	"Engine.first":     "scratch",
	"Engine.told":      "scratch",
	"Engine.counted":   "scratch",
	"Engine.fills":     "scratch",
	"Engine.parts":     "scratch",
	"Engine.working":   "scratch",
	"Engine.asOf":      "scratch",
	"Engine.swept":     "scratch",
	"Engine.budget":    "scratch",
	"Engine.reviewed":  "scratch",
	"Engine.searched":  "scratch",
	"Engine.rows":      "scratch",
	"Engine.stride":    "a constant, but for tests",
	"Engine.still":     "whether the ladder looks at anybody",
	"Engine.unchecked": "whether it checks itself",
	"Engine.afar":      "follows from the limits",
	"Engine.wide":      "likewise",
	"Engine.asked":     "scratch",
	"Engine.sweeps":    "scratch",
	"Engine.kept":      "scratch",
	"Engine.tripped":   "scratch",
	"Engine.trips":     "scratch",
	"guard.next":       "derived: those of an account are a list",
	"guards.first":     "likewise",
	"guards.live":      "likewise",
	"clients.live":     "counted",
	"clients.copies":   "listed anew of the sessions that are drop copies",
	"session.copies":   "likewise",

	"jobs.head":    "the queue begins anew at 0",
	"jobs.walks":   "counted",
	"timers.heap":  "rebuilt: the order is total",
	"timers.place": "where a slot is in the heap",
	"timers.base":  "follows from the limits",

	"expiry.heap":     "rebuilt: the order is total",
	"expiry.place":    "where an order is in the heap",
	"expiry.count":    "how many orders that rest have a time",
	"Order.Level":     "rebuilt by walking the queues",
	"Order.Prev":      "likewise",
	"level.qty":       "likewise",
	"level.tail":      "likewise",
	"level.count":     "likewise",
	"level.block":     "likewise",
	"block.prev":      "rebuilt by walking the blocks",
	"block.older":     "likewise",
	"Book.store":      "the engine's",
	"Book.instr":      "where it lies in the table",
	"half.best":       "rebuilt by walking the blocks",
	"half.head":       "likewise",
	"half.newest":     "likewise",
	"half.empty":      "likewise",
	"half.side":       "where it lies in the book",
	"index.finger":    "a cache",
	"index.tree":      "built of the blocks",
	"index.seek":      "on the tree",
	"rows.free":       "stored up to top",
	"House.past":      "counted by walking the paths",
	"House.passed":    "likewise",
	"House.worn":      "asked of the ledgers",
	"House.live":      "counted",
	"House.limits":    "the engine's",
	"House.bound":     "follows from them",
	"House.moved":     "scratch",
	"House.short":     "scratch",
	"House.suspects":  "scratch",
	"Winner.Given":    "scratch",
	"Winner.rest":     "likewise",
	"House.at":        "scratch",
	"House.last":      "scratch",
	"House.restless":  "follows from queue, levels and review",
	"House.opened":    "asked of the accounts",
	"House.fund":      "follows from the limits",
	"House.calm":      "follows from the first call",
	"poolList.last":   "rebuilt by walking the list",
	"poolList.count":  "likewise",
	"Watch.prev":      "likewise",
	"wires.free":      "which node a wire is, and where it hangs, says nothing",
	"wires.tops":      "likewise",
	"wires.of":        "likewise",
	"wires.nodes":     "likewise: key, row and way are stored, and in the state hash",
	"Ledger.Prev":     "rebuilt by walking the lists",
	"Claim.Prev":      "likewise",
	"Hold.Prev":       "likewise",
	"Marker.instants": "stored from head on, as many as count",
	"Funding.samples": "stored up to count",

	"House.movedResting": "scratch",
	"House.instruments":  "the engine's",
}

// prober flips a bit of every field of the state and asks whether the snapshot has it.
type prober struct {
	t     *testing.T
	e     *Engine
	want  []byte
	seen  map[unsafe.Pointer]bool
	used  map[string]bool
	told  map[string]bool
	found map[string]int // elements, by slice
	n     int
}

// differs reports whether the snapshot is another one while a byte is flipped; one that cannot be taken any more has seen it.
func (p *prober) differs(b *byte) (differs bool) {
	p.n++
	*b ^= 1
	defer func() {
		*b ^= 1
		differs = recover() != nil || differs
	}()
	at, hash := 0, uint64(0)
	c := fixed.NewWriter(func(piece []byte) bool {
		differs = differs || at+len(piece) > len(p.want) || !bytes.Equal(piece, p.want[at:at+len(piece)])
		at += len(piece)
		return !differs
	})
	p.e.code(c, &hash)
	c.End()
	return differs
}

func (p *prober) walk(v reflect.Value, name string) {
	switch v.Kind() {
	case reflect.Pointer:
		at := v.UnsafePointer()
		if at != nil && !p.seen[at] {
			p.seen[at] = true
			p.walk(v.Elem(), name)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			f := v.Type().Field(i)
			field := v.Type().Name() + "." + f.Name
			if derived[field] != "" {
				p.used[field] = true
				continue
			}
			if f.Name == "_" {
				continue
			}
			p.walk(v.Field(i), field)
		}
	case reflect.Slice, reflect.Array:
		p.elements(v, name)
	case reflect.Map, reflect.Chan, reflect.Func, reflect.Interface, reflect.String:
		p.t.Errorf("%s is a %s: a state has none", name, v.Kind())
	default:
		at := (*byte)(unsafe.Pointer(v.UnsafeAddr()))
		if !p.differs(at) && !p.told[name] {
			p.told[name] = true
			p.t.Errorf("the snapshot does not have %s; what is not stored is named in derived, with the reason", name)
		}
	}
}

// elements looks at those of a slice that are in use, a few of them; of a row that nobody uses the snapshot may know nothing.
func (p *prober) elements(v reflect.Value, name string) {
	left := 32
	for i := 0; i < v.Len() && left > 0; i++ {
		e := v.Index(i)
		if e.IsZero() || i == 0 && (name == "Store.orders" || name == "Store.blocks" || name == "House.claims") {
			continue // row 0 of these is nobody's
		}
		left--
		p.walk(e, name)
	}
	p.found[name] += 32 - left
}

// TestSnapshotHasAllFields goes over the whole state by reflection: each field is in the snapshot, or in derived with a reason. A
// field that somebody adds fails here until it is in one of the two.
func TestSnapshotHasAllFields(t *testing.T) { // D-38, D-39, A-17
	d := full(t)
	d.house.Moved(1) // as if its wires were still to be looked at
	d.quoting = quoting{answers: [msg.QuoteMax]outcome{{bid: 1, ask: 2, instr: 1, bidNo: 3, askNo: 4}}, ref: 5, account: 1, number: 6, session: 7, at: 1, count: 3}
	before, hash, want := image(d.Engine), uint64(0), []byte(nil)
	c := fixed.NewWriter(func(piece []byte) bool {
		want = append(want, piece...)
		return true
	})
	d.code(c, &hash)
	c.End()
	p := &prober{t: t, e: d.Engine, want: want, seen: map[unsafe.Pointer]bool{}, used: map[string]bool{}, told: map[string]bool{}, found: map[string]int{}}
	p.walk(reflect.ValueOf(d.Engine), "engine")
	p.walk(reflect.ValueOf(d.books[1:]), "Engine.books")
	for name, n := range p.found {
		if n == 0 {
			t.Errorf("%s: nothing in it is in use, so that nothing of it is tested", name)
		}
	}
	for field := range derived {
		if !p.used[field] {
			t.Errorf("derived names %s, and there is no such field", field)
		}
	}
	if !bytes.Equal(image(d.Engine), before) {
		t.Fatal("the bits were not put back")
	}
	t.Logf("%d fields", p.n)
}

// full is a busy desk that has an index with a composite mark and premiums, tables in force and tables under way, and owners
// with volume besides.
func full(t *testing.T) *desk {
	return busier(t, 4, func(d *desk) {
		d.ok(msg.ListUnderlying(msg.Underlying{ID: 1, Sources: 3, Symbol: [24]byte{'U'}}),
			msg.List(3, msg.Listing{Type: msg.Perpetual, TickLot: fixed.Coin, UnitLots: 1, Underlying: 1, Mark: msg.MarkComposite, Symbol: [24]byte{'I'}}),
			msg.SetPhase(3, msg.Continuous), index(100), source(1, 101))
		for i, last := range []bool{false, true, false} {
			row := uint8(i % 2)
			d.ok(msg.SetFeeTier(msg.FeeTier{Index: row, Last: last, Volume: fixed.Money(row) * fixed.Coin, Fees: msg.Fees{Taker: fixed.Percent}}),
				msg.SetConcentration(3, msg.Concentration{Index: row, Last: last, Share: fixed.Rate(row+1) * fixed.Percent, Rate: fixed.Rate(row+1) * fixed.Percent}))
		}
		d.ok(msg.SetTier(3, msg.Tier{Index: 0, UpTo: 1_000_000 * fixed.Coin, Initial: fixed.Percent, Maintenance: fixed.Percent}),
			msg.Limit(4, 3, msg.Sell, 103, 2000), msg.Limit(5, 3, msg.Buy, 97, 2000))
		for range 3 {
			d.at += fixed.Day + fixed.Minute
			d.ok(msg.Tick(), index(100), msg.Limit(1, 3, msg.Sell, 100, 2), msg.Limit(2, 3, msg.Buy, 100, 2))
		}
		for range 3 {
			d.at += fixed.Minute
			d.ok(msg.Tick(), index(100))
		}
		d.ok(msg.Limit(1, 3, msg.Sell, 100, 2), msg.Limit(2, 3, msg.Buy, 100, 2), msg.SettleFunding(1, fixed.Percent))
		d.list(market.Spec{ID: 4, Type: msg.Spot, TickLot: fixed.Coin}, 100)
		d.ok(msg.DepositAsset(1, 4, 50), with(msg.Place(1, 1, msg.Buy, 80, 3, msg.OrderExt{Expire: d.at + fixed.Day}), 0, msg.GTD))
		d.store.SetArrival(d.First(1, msg.Sell).Handle(), 5) // as if it had come in a call auction
		w := d.house.Watch(clearing.Cross(1))
		w.Deadline, w.Stall, w.Late = d.at+fixed.Hour, 2, true
		d.gains = append(d.gains, margin.Winner{Account: 2, Row: 3, Weight: 5, Lots: 6, Gain: 4})
		d.found = append(d.found, margin.Winner{Account: 2, Row: 3, Weight: 4, Lots: 5, Gain: 6})
		d.adl = adl{rank: 1, leg: 2, row: 3, whole: true}
		k := keyOf(1, msg.RoleTrader, 1)
		k.Account = 1
		d.ok(msg.SetKey(k), msg.SetKey(keyOf(2, msg.RoleDropCopy, 1)))
		d.logon(12, 2, msg.DropCopy, nil)
		one := d.logon(11, 1, msg.OrderEntry, func(n *msg.Negotiation) { n.Cancel, n.CancelFlags, n.Window = msg.CancelOnBoth, 1, 5000 })
		one.takes(with(msg.Limit(1, 1, msg.Buy, 80, 1), msg.FlagPersist, msg.GTC))
		one.takes(msg.SetDeadMan(1, d.at+fixed.Minute))
		d.ok(msg.Unbind(11, msg.UnbindLost))
		d.ok(msg.SetProtection(1, msg.Protection{Group: 7, Qty: 5, Delta: 6, Window: fixed.Second, Freeze: 7}), msg.SetProtection(1, msg.Protection{Group: 8, Qty: 5, Window: 9}))
		d.guards.rows[1].qty[1], d.guards.rows[1].delta[1], d.guards.rows[1].until = 3, 2, 4
		d.do(msg.Quote(4, 1, msg.Quotation{Bid: 50, BidQty: 1, Ask: 150, AskQty: 1, Count: 1}))
	})
}

// TestRestoreRefuses holds what is said of a snapshot that is none of such an engine.
func TestRestoreRefuses(t *testing.T) {
	d := busy(t)
	b := image(d.Engine)
	other := d.limits
	other.Orders++
	for _, c := range []struct {
		name   string
		limits Limits
		b      []byte
		want   string
	}{
		{"nothing", d.limits, nil, "table lockstep state, row 0, byte 0: the stream ends here"},
		{"cut in the middle", d.limits, b[:len(b)/2], "the stream ends here"},
		{"cut by one byte", d.limits, b[:len(b)-1], "table end"},
		{"more", d.limits, append(slices.Clone(b), 0), "the stream goes on"},
		{"format", d.limits, flipped(b, 16, 1), "format 6, expected 7"},
		{"something else", d.limits, make([]byte, 4096), "another table"},
		{"limits", other, b, "table limits, row 4, byte 68: limit 2000, expected 2001"},
	} {
		e, err := Restore(c.limits, inPieces(c.b, 1000))
		if err == nil || e != nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
		if m := (*fixed.Misread)(nil); err != nil && !errors.As(err, &m) {
			t.Errorf("%s: %T", c.name, err)
		}
	}
	if _, err := Restore(Limits{Events: 1}, nil); err == nil {
		t.Error("limits out of range are taken")
	}
}

// flipped is b with the bits of mask turned in one byte.
func flipped(b []byte, at int, mask byte) []byte {
	c := slices.Clone(b)
	c[at] ^= mask
	return c
}

// TestRestoreSeesEveryBit turns bits of a small snapshot, each of them with -exhaustive: all are refused.
func TestRestoreSeesEveryBit(t *testing.T) { // G-03
	d := newDesk(t, Limits{Instruments: 2, Accounts: 4, Orders: 64, Levels: 32, Events: 256, Sessions: 2, Jobs: 1})
	d.list(perpetual(1), 100)
	for id := msg.AccountID(1); id <= 2; id++ {
		d.ok(msg.OpenAccount(id, 0, msg.AllGroups), msg.Deposit(id, 10_000*fixed.Coin))
	}
	d.ok(msg.Limit(1, 1, msg.Buy, 99, 3), msg.Limit(1, 1, msg.Buy, 99, 4), msg.Limit(2, 1, msg.Sell, 99, 1), msg.Limit(2, 1, msg.Sell, 101, 1))
	b := image(d.Engine)
	step := thin(7)
	for bit := 0; bit < 8*len(b); bit += step {
		if _, err := Restore(d.limits, inPieces(flipped(b, bit/8, 1<<(bit%8)), 1<<16)); err == nil {
			t.Fatalf("bit %d of byte %d of %d is turned, and nobody minds", bit%8, bit/8, len(b))
		}
	}
	t.Logf("%d bytes", len(b))
}

// resealed gives a stream that has been changed the digest that it ought to have.
func resealed(b []byte) []byte {
	if len(b) < 16 || len(b)%8 != 0 {
		return b
	}
	var d fixed.Digest
	for at := 0; at+8 < len(b); at += 8 {
		w := uint64(0)
		for k := 7; k >= 0; k-- {
			w = w<<8 | uint64(b[at+k])
		}
		d.Word(w)
	}
	sum := d.Sum()
	for k := range 8 {
		b[len(b)-8+k] = byte(sum >> (8 * k))
	}
	return b
}

// FuzzRestore gives Restore bytes that are not a snapshot, or not quite: it never panics, and what it takes is taken
// again. The digest is made right, so that what lies behind it is tested.
func FuzzRestore(f *testing.F) { // D-71
	limits := Limits{Instruments: 2, Accounts: 9, Orders: 700, Levels: 200, Events: 256, Sessions: 4, Jobs: 4}
	e, err := New(limits)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(image(e), uint32(0), uint64(0))
	seed := xorshift(99)
	tr := newTrader(day{limits: limits, accounts: 8, lots: 40, money: 9000, width: 9, calm: 80, leap: 30}, &seed)
	var out []msg.Event
	for i, c := range tr.opening() {
		c.Seq, c.Time = msg.Seq(i+1), max(c.Time, e.now)
		out = e.Apply(&c, out[:0])
		tr.see(&c, out)
	}
	for range 5 {
		for range 200 {
			c := tr.next()
			c.Seq, c.Time = e.seq+1, max(c.Time, e.now)
			out = e.Apply(&c, out[:0])
			tr.see(&c, out)
		}
		f.Add(image(e), uint32(seed.below(1<<20)), uint64(1)<<seed.below(64))
	}
	f.Fuzz(func(t *testing.T, b []byte, at uint32, mask uint64) {
		b = slices.Clone(b)
		if len(b) > 0 {
			for k := range 8 {
				b[(int(at)+k)%len(b)] ^= byte(mask >> (8 * k))
			}
		}
		r, err := Restore(limits, inPieces(resealed(b), 4096))
		if err != nil {
			return
		}
		again := image(r)
		if got := image(restored(t, limits, again)); !bytes.Equal(got, again) {
			t.Error("what was restored is not restored again")
		}
	})
}

func ExampleEngine_Snapshot() {
	limits := Limits{Instruments: 1, Accounts: 4}
	e, err := New(limits)
	if err != nil {
		panic(err)
	}
	e.next(msg.OpenAccount(1, 0, msg.AllGroups))
	var file []byte
	e.Snapshot(func(piece []byte) bool {
		file = append(file, piece...)
		return true
	})
	again, err := Restore(limits, func() (piece []byte) {
		piece, file = file, nil
		return piece
	})
	fmt.Println(err, again.Hash() == e.Hash(), again.Seq())
	// Output: <nil> true 1
}
