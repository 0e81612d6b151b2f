package node

import (
	"context"
	"errors"
	"fmt"
	"math/rand"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/lockstep-exchange/lockstep/engine"
	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/market"
	"github.com/lockstep-exchange/lockstep/msg"
	"github.com/lockstep-exchange/lockstep/ring"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience is how long a test waits before it says that something hangs; it decides nothing else.
const patience = time.Minute

var limits = engine.Limits{Instruments: 2, Accounts: 16, Orders: 1 << 12, Levels: 1 << 10, Events: 256}

func exchange(t testing.TB) *engine.Engine {
	t.Helper()
	e, err := engine.New(limits)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// day is the commands of a trading day from a seed, configuration first; each has its time.
func day(seed int64, orders int) []msg.Request {
	spec := market.Spec{ID: 1, Symbol: "TEST-PERP", Type: msg.Perpetual, TickLot: 100, Start: 1000,
		Initial: 10 * fixed.Percent, Maintenance: 5 * fixed.Percent, Taker: 5 * fixed.BasisPoint}
	commands := append(spec.Append(nil), msg.SetPhase(1, msg.Continuous), msg.SetMark(1, 1000))
	for account := range msg.AccountID(8) {
		commands = append(commands, msg.Deposit(account+1, 1_000_000*fixed.Coin))
	}
	chance := rand.New(rand.NewSource(seed))
	for range orders {
		account := msg.AccountID(1 + chance.Intn(8))
		side := msg.Side(1 + chance.Intn(2))
		price := fixed.Ticks(980 + chance.Intn(40))
		lots := fixed.Lots(1 + chance.Intn(9))
		switch chance.Intn(8) {
		case 0:
			commands = append(commands, msg.Market(account, 1, side, lots, 0))
		case 1, 2:
			commands = append(commands, msg.Cancel(account, 1, msg.OrderID(1+chance.Intn(64))))
		case 3:
			commands = append(commands, msg.Amend(account, 1, msg.OrderID(1+chance.Intn(64)), price, lots))
		case 4:
			commands = append(commands, msg.Tick())
		default:
			commands = append(commands, msg.Limit(account, 1, side, price, lots))
		}
	}
	requests := make([]msg.Request, len(commands))
	for i := range commands {
		requests[i] = commands[i].Request
		requests[i].Time = fixed.Nanos(i/3) * fixed.Microsecond
	}
	return requests
}

// inline applies requests one by one without rings or threads.
func inline(e *engine.Engine, requests []msg.Request) (events []msg.Event) {
	for i := range requests {
		events = e.Apply(&msg.Command{Seq: msg.Seq(i + 1), Request: requests[i]}, events)
	}
	return events
}

// send publishes requests in batches of up to batch and waits where the port is full.
func send(t *testing.T, p *Port, requests []msg.Request, batch int) {
	for len(requests) > 0 {
		n := 0
		for ; n < batch && n < len(requests); n++ {
			slot := p.Claim()
			if slot == nil {
				if err := p.Err(); err != ErrFull {
					t.Errorf("the port refuses: %v", err)
					return
				}
				break
			}
			slot.CopyFrom(&requests[n])
		}
		p.Publish()
		requests = requests[n:]
		if n == 0 {
			runtime.Gosched()
		}
	}
}

// collect reads until the node has stopped.
func collect(r *Reader) (events []msg.Event) {
	for r.Wait() {
		for e := r.Next(); e != nil; e = r.Next() {
			events = append(events, *e)
		}
		r.Release()
	}
	return events
}

func start(t *testing.T, c Config) *Node {
	t.Helper()
	n, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func run(t *testing.T, n *Node) {
	t.Helper()
	if err := n.Start(); err != nil {
		t.Fatal(err)
	}
}

func stop(t *testing.T, n *Node) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := n.Stop(ctx); err != nil {
		t.Fatal(err)
	}
}

func equalEvents(a, b []msg.Event) bool {
	return slices.EqualFunc(a, b, func(x, y msg.Event) bool { return x.Equal(&y) })
}

// A node gives the events and the state that the engine gives by itself, whatever the batches, the processors of the
// runtime and the way it waits.
func TestThreadedEqualsInline(t *testing.T) { // A-18, L-06
	const seed = 7
	t.Logf("seed %d", seed)
	requests := day(seed, 4_000)
	twin := exchange(t)
	want := inline(twin, requests)

	for _, c := range []struct {
		procs, batch, lane int
		idle               Idle
		float              bool
	}{
		{1, 1, 64, Park, true}, {1, 64, 256, Park, false}, {2, 7, 8, Park, false}, {2, 64, 2048, Park, true}, {3, 7, 256, Spin, false},
	} {
		t.Run(fmt.Sprintf("procs=%d,batch=%d,lane=%d,idle=%v,float=%v", c.procs, c.batch, c.lane, c.idle, c.float), func(t *testing.T) {
			e := exchange(t)
			n := start(t, Config{Engine: e, Lane: c.lane, Out: 512, Idle: c.idle, Procs: c.procs, Float: c.float, Collect: true})
			r, err := n.Reader(true)
			if err != nil {
				t.Fatal(err)
			}
			run(t, n)
			if got := runtime.GOMAXPROCS(0); got != c.procs {
				t.Errorf("GOMAXPROCS is %d, want %d", got, c.procs)
			}
			var got []msg.Event
			var reading sync.WaitGroup
			reading.Go(func() { got = collect(r) })
			send(t, n.Port(0), requests, c.batch)
			stop(t, n)
			reading.Wait()

			if e.Hash() != twin.Hash() || e.Seq() != twin.Seq() {
				t.Errorf("state %016x after %d commands, inline %016x after %d", e.Hash(), e.Seq(), twin.Hash(), twin.Seq())
			}
			if !equalEvents(got, want) {
				t.Errorf("%d events, inline %d, or different ones", len(got), len(want))
			}
		})
	}
}

// Stop applies what was published before, though nobody has read anything yet, and then the port is closed.
func TestStopDrains(t *testing.T) {
	requests := day(3, 100)
	e := exchange(t)
	n := start(t, Config{Engine: e, Ports: 3, Out: 1 << 12, Float: true, Collect: true})
	r, err := n.Reader(true)
	if err != nil {
		t.Fatal(err)
	}
	run(t, n)
	send(t, n.Port(1), requests, 16)
	stop(t, n)
	if e.Seq() != msg.Seq(len(requests)) {
		t.Errorf("%d commands were applied, %d had been published", e.Seq(), len(requests))
	}
	if got := collect(r); len(got) == 0 || got[len(got)-1].Seq != e.Seq() {
		t.Errorf("the reader found %d events after Stop, not those up to command %d", len(got), e.Seq())
	}
	if n.Port(0).Claim() != nil || n.Port(0).Send(&requests[0]) != ErrStopped {
		t.Error("a port takes commands after Stop")
	}
	stop(t, n) // again: nothing left to do
}

// A reader that does not release holds Stop up, and Stop says so.
func TestStopNamesTheReaderThatHoldsItUp(t *testing.T) {
	n := start(t, Config{Engine: exchange(t), Out: 512, Lane: 2048, Float: true, Collect: true})
	r, err := n.Reader(true)
	if err != nil {
		t.Fatal(err)
	}
	run(t, n)
	send(t, n.Port(0), day(3, 1000), 64)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := n.Stop(ctx); !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "reader") {
		t.Errorf("Stop gave %v, want the reader to be named", err)
	}
	var reading sync.WaitGroup
	reading.Go(func() { collect(r) })
	stop(t, n)
	reading.Wait()
}

// Several producers in parallel: each one's commands are applied in its order, none twice.
func TestProducersKeepTheirOrder(t *testing.T) {
	const producers, each = 4, 1000
	e := exchange(t)
	n := start(t, Config{Engine: e, Ports: producers, Lane: 64, Out: 512, Collect: true})
	r, err := n.Reader(true)
	if err != nil {
		t.Fatal(err)
	}
	run(t, n)
	var sending sync.WaitGroup
	for p := range producers {
		sending.Go(func() {
			for i := range each {
				c := msg.Limit(msg.AccountID(p+1), 1, msg.Buy, 1000, 1) // refused: nothing is listed
				c.Qty = fixed.Lots(i + 1)
				for n.Port(p).Send(&c.Request) == ErrFull {
					runtime.Gosched()
				}
			}
		})
	}
	var got []msg.Event
	var reading sync.WaitGroup
	reading.Go(func() { got = collect(r) })
	sending.Wait()
	stop(t, n)
	reading.Wait()
	if len(got) != producers*each {
		t.Fatalf("%d events, want %d", len(got), producers*each)
	}
	var last [producers + 1]fixed.Lots
	var now fixed.Nanos
	for i := range got {
		ev := &got[i]
		if ev.Seq != msg.Seq(i+1) || ev.Time < now {
			t.Fatalf("event %d: Seq %d, time %d after %d", i, ev.Seq, ev.Time, now)
		}
		now = ev.Time
		if ev.Qty != last[ev.Account]+1 {
			t.Fatalf("producer %d: command %d came after %d", ev.Account, ev.Qty, last[ev.Account])
		}
		last[ev.Account] = ev.Qty
	}
}

// The hot thread goes to sleep when nobody speaks, and one command wakes it; a sleeping reader is woken by its event.
func TestParkingWakes(t *testing.T) { // L-28
	n := start(t, Config{Engine: exchange(t), Float: true, Collect: true})
	r, err := n.Reader(true)
	if err != nil {
		t.Fatal(err)
	}
	run(t, n)
	c := msg.Tick()
	for round := range uint64(5) {
		for n.Status().Sleeps <= round {
			runtime.Gosched()
		}
		if err := n.Port(0).Send(&c.Request); err != nil {
			t.Fatal(err)
		}
		if !r.Wait() {
			t.Fatal("the node has stopped")
		}
		if ev := r.Next(); ev == nil || ev.Seq != msg.Seq(round+1) {
			t.Fatalf("command %d: got event %v", round+1, ev)
		}
		for r.Next() != nil {
		}
		r.Release()
	}
	stop(t, n)
	if r.Wait() {
		t.Error("an event after the last command")
	}
}

// A hot thread that sleeps because the ring is full wakes when the reader releases.
func TestParkingOnAFullRing(t *testing.T) {
	requests := day(5, 2000)
	e := exchange(t)
	n := start(t, Config{Engine: e, Lane: 4096, Out: 512, Float: true, Collect: true})
	r, err := n.Reader(true)
	if err != nil {
		t.Fatal(err)
	}
	run(t, n)
	send(t, n.Port(0), requests, 64)
	for n.Status().Sleeps == 0 {
		runtime.Gosched()
	}
	for seq := msg.Seq(0); seq < msg.Seq(len(requests)); r.Release() {
		r.Wait()
		for ev := r.Next(); ev != nil; ev = r.Next() {
			seq = ev.Seq
		}
	}
	stop(t, n)
}

// An optional reader that lags is cut off; the exchange does not wait for it, and it does not wait for the exchange.
func TestOptionalReaderDoesNotHoldUp(t *testing.T) { // L-21
	requests := day(5, 5000)
	n := start(t, Config{Engine: exchange(t), Lane: 256, Out: 512, Float: true, Collect: true})
	r, err := n.Reader(false)
	if err != nil {
		t.Fatal(err)
	}
	other, err := n.Reader(true)
	if err != nil {
		t.Fatal(err)
	}
	run(t, n)
	var reading sync.WaitGroup
	reading.Go(func() {
		for seq := msg.Seq(0); seq < msg.Seq(len(requests)); other.Release() {
			other.Wait()
			for ev := other.Next(); ev != nil; ev = other.Next() {
				seq = ev.Seq
			}
		}
	})
	send(t, n.Port(0), requests, 64)
	reading.Wait()
	if got := collect(r); len(got) != 512/8 || !r.Lost() || !n.Status().Running {
		t.Errorf("the reader that slept got %d events and has Lost %v, want the page of 64 that it held", len(got), r.Lost())
	}
	stop(t, n)
}

// What the loop has taken out of the lanes and has no room to apply is not forgotten by Stop.
func TestStopFinishesWhatIsPending(t *testing.T) {
	e := exchange(t) // asks for room for 256 events before each command
	n := start(t, Config{Engine: e, Lane: 512, Out: 512, Float: true, Collect: true})
	r, err := n.Reader(true)
	if err != nil {
		t.Fatal(err)
	}
	run(t, n)
	ticks := make([]msg.Request, 260) // one event each: room for 257, and three that wait
	for i := range ticks {
		ticks[i] = msg.Tick().Request
	}
	send(t, n.Port(0), ticks, 64)
	read := 0
	for read < 257 {
		r.Wait()
		for r.Next() != nil {
			read++
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := n.Stop(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("Stop gave %v with commands that wait for room", err)
	}
	r.Release()
	stop(t, n)
	if read += len(collect(r)); e.Seq() != 260 || read != 260 {
		t.Errorf("%d commands were applied and %d events read, want 260", e.Seq(), read)
	}
}

func TestTicker(t *testing.T) {
	var now fixed.Nanos
	var clock sync.Mutex
	n := start(t, Config{Engine: exchange(t), Tick: time.Millisecond, Float: true, Collect: true, Clock: func() fixed.Nanos {
		clock.Lock()
		defer clock.Unlock()
		now += 10
		return now
	}})
	r, err := n.Reader(true)
	if err != nil {
		t.Fatal(err)
	}
	run(t, n)
	for seq := msg.Seq(0); seq < 3; r.Release() {
		r.Wait()
		for ev := r.Next(); ev != nil; ev = r.Next() {
			if seq = ev.Seq; ev.Time != fixed.Nanos(10*seq) {
				t.Errorf("tick %d has time %d, want %d", seq, ev.Time, 10*seq)
			}
		}
	}
	stop(t, n)
}

// fuse is a poller that drives a loop and panics once it has applied so many commands, as an engine does whose invariant
// is broken.
type fuse struct {
	loop *engine.Loop
	left int
}

func (f *fuse) Poll(now fixed.Nanos) int {
	n := f.loop.Poll(now)
	if f.left -= n; f.left <= 0 {
		panic("the fuse has blown")
	}
	return n
}

// broken is a companion that breaks at its first step.
type broken struct{}

func (broken) Step() bool { panic("the companion's") }
func (broken) Sleep(int)  {}

// What breaks in a companion breaks the process, and is not told as an invariant of the engine's: who stops the node then would wait for locks that
// nobody lets go.
func TestPanicOfCompanion(t *testing.T) {
	n, err := New(Config{Engine: exchange(t)})
	if err != nil {
		t.Fatal(err)
	}
	n.Join(broken{})
	func() {
		defer func() {
			if cause := recover(); cause != "the companion's" {
				t.Errorf("the hot thread ends by %v", cause)
			}
		}()
		defer n.end()
		n.trade()
	}()
	if n.fault != nil || n.finished.Load() {
		t.Errorf("the node has ended by %v", n.fault)
	}
}

// A panic in the hot loop ends the node: the last 64 commands and the state are handed over, ports close, readers are told.
func TestPanicHalts(t *testing.T) { // A-15, D-04
	e := exchange(t)
	requests := day(11, 200)
	n := start(t, Config{Engine: e, Tick: time.Hour, Out: 1024, Float: true, Collect: true})
	n.poller = &fuse{n.loop, len(requests)}
	r, err := n.Reader(false)
	if err != nil {
		t.Fatal(err)
	}
	run(t, n)
	send(t, n.Port(0), requests, 7)
	<-n.Done()
	collect(r) // ends
	var halt *Halt
	if err := n.Stop(t.Context()); !errors.As(err, &halt) || n.Err() != err {
		t.Fatalf("Stop gave %v, want a Halt", err)
	}
	if halt.Cause != "the fuse has blown" || !strings.Contains(string(halt.Stack), "fuse") || !strings.Contains(halt.Error(), "blown") {
		t.Errorf("got %v, with the stack\n%s", halt, halt.Stack)
	}
	if halt.Seq != msg.Seq(len(requests)) || !halt.Whole || halt.Hash != e.Hash() {
		t.Errorf("got command %d and state %016x (%v), want %d and %016x", halt.Seq, halt.Hash, halt.Whole, len(requests), e.Hash())
	}
	if len(halt.Last) != 64 {
		t.Fatalf("%d commands were kept, want 64", len(halt.Last))
	}
	for i, c := range halt.Last {
		at := len(requests) - 64 + i
		if c.Seq != msg.Seq(at+1) || c.Kind != requests[at].Kind || c.Time != requests[at].Time || c.Qty != requests[at].Qty {
			t.Errorf("kept %v, want command %d, %v", c, at+1, requests[at])
		}
	}
	if n.Port(0).Claim() != nil || n.Port(0).Err() != ErrStopped || n.Status().Running {
		t.Error("a node that has halted takes commands")
	}
}

// What Start changes in the process, Stop puts back; several nodes share the account.
func TestStopUndoesStart(t *testing.T) { // L-27, L-31
	procs := runtime.GOMAXPROCS(0)
	defer debug.SetGCPercent(debug.SetGCPercent(77))
	first := start(t, Config{Engine: exchange(t), Fuse: 1 << 40})
	second := start(t, Config{Engine: exchange(t), Fuse: 1 << 40, Idle: Spin})
	run(t, first)
	one := first.Status()
	if one.Collector || one.Fuse != 1<<40 || one.Procs != 2 || !one.Running {
		t.Errorf("the first node runs as %+v", one)
	}
	if (one.Core < 0) == (one.Unpinned == "") {
		t.Errorf("pinned to core %d, not pinned because %q", one.Core, one.Unpinned)
	}
	run(t, second)
	two := second.Status()
	if runtime.NumCPU() > 1 && (two.Idle != Spin || two.Procs != 3) || runtime.NumCPU() == 1 && two.Idle != Park {
		t.Errorf("the second node runs as %+v on %d cores", two, runtime.NumCPU())
	}
	if two.Core >= 0 && two.Core == one.Core {
		t.Errorf("two hot threads on core %d", two.Core)
	}
	stop(t, first)
	if second.Status().Collector || !second.Status().Running {
		t.Error("the second node lost its quiet when the first one stopped")
	}
	stop(t, second)
	if got := runtime.GOMAXPROCS(0); got != procs {
		t.Errorf("GOMAXPROCS is %d after the last Stop, was %d", got, procs)
	}
	if status := first.Status(); status.Running || status.Fuse == 1<<40 {
		t.Errorf("after Stop: %+v", status)
	}
	if got := debug.SetGCPercent(77); got != 77 {
		t.Errorf("the collector runs at %d %% after the last Stop, did at 77 %%", got)
	}
}

func TestConfigRefuses(t *testing.T) {
	e := exchange(t)
	handler := func([]*ring.Lane[msg.Request], *ring.Ring[msg.Event]) Poller { return nil }
	for name, c := range map[string]Config{
		"Engine or a Handler": {},
		"Handler":             {Engine: e, Handler: handler},
		"Ports":               {Engine: e, Ports: -1},
		"Ports is":            {Engine: e, Ports: 2000, Lane: 2},
		"slots":               {Engine: e, Lane: 3},
		"together":            {Engine: e, Ports: 33},
		"more than the 256":   {Engine: e, Out: 256},
		"power of two":        {Engine: e, Out: 1000},
		"Idle":                {Engine: e, Idle: 7},
		"Tick":                {Engine: e, Tick: -1},
		"Core":                {Engine: e, Core: -2},
	} {
		if n, err := New(c); err == nil || n != nil || !strings.Contains(err.Error(), name) {
			t.Errorf("New(%+v) gave %v, want an error that says %q", c, err, name)
		}
	}
}

// Nothing is allocated for a command, sleeping and waking included.
func TestNoAllocations(t *testing.T) { // L-32
	if raceDetector {
		t.Skip("the race detector allocates in reads and writes of files")
	}
	n := start(t, Config{Engine: exchange(t), Float: true, Collect: true})
	r, err := n.Reader(true)
	if err != nil {
		t.Fatal(err)
	}
	run(t, n)
	c := msg.Tick()
	if got := testing.AllocsPerRun(20, func() {
		for sleeps := n.hot.Sleeps(); n.hot.Sleeps() == sleeps && !n.hot.Asleep(); {
			runtime.Gosched()
		}
		if err := n.Port(0).Send(&c.Request); err != nil {
			t.Fatal(err)
		}
		r.Wait()
		for r.Next() != nil {
		}
		r.Release()
	}); got != 0 {
		t.Errorf("%v allocations a command", got)
	}
	stop(t, n)
}

// Several goroutines read in turn, one of them asleep: every event is read once, and what one leaves wakes the sleeper.
func TestReaderIsShared(t *testing.T) {
	n, err := New(Config{Engine: exchange(t), Float: true, Collect: true})
	if err != nil {
		t.Fatal(err)
	}
	r, err := n.Reader(true)
	if err != nil {
		t.Fatal(err)
	}
	if err := n.Start(); err != nil {
		t.Fatal(err)
	}
	const commands = 3000
	var (
		mu   sync.Mutex
		last msg.Seq
		read int
	)
	pass := func() {
		for ev := r.Next(); ev != nil; ev = r.Next() {
			if ev.Seq < last {
				t.Errorf("seq %d after %d", ev.Seq, last)
			}
			last = ev.Seq
			read++
		}
		r.Release()
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		mu.Lock()
		defer mu.Unlock()
		for r.WaitShared(&mu) {
			pass()
		}
	}()
	tick := msg.Tick()
	for i := range commands {
		for n.Port(0).Send(&tick.Request) != nil {
			runtime.Gosched()
		}
		if i%3 == 0 && mu.TryLock() {
			r.Relieve(func() {
				for range i % 50 {
					pass()
				}
			})
			mu.Unlock()
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if err := n.Stop(ctx); err != nil {
		t.Fatal(err)
	}
	<-done
	if read != commands {
		t.Errorf("%d events of %d", read, commands)
	}
}
