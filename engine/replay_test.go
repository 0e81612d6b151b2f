package engine

import (
	"flag"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/msg"
	"github.com/lockstep-exchange/lockstep/ring"
)

var rewrite = flag.Bool("rewrite", false, "write the hashes of the recorded day anew")

const (
	dayFile    = "testdata/day.commands"
	hashesFile = "testdata/day.hashes"
	darkFile   = "testdata/dark.commands"
	darkHashes = "testdata/dark.hashes"

	markEvery = 448 // commands between two hashes: whole batches of 1, 7 and 64
	dayLength = 28 * markEvery
)

// milestone is what can be seen after so many commands: the hash of all events so far, and of the state.
type milestone struct {
	seq           msg.Seq
	events, state uint64
}

func (m milestone) String() string { return fmt.Sprintf("%5d %016x %016x", m.seq, m.events, m.state) }

// surveyor folds events and notes a milestone where one stands.
type surveyor struct {
	digest    fixed.Digest
	list      []milestone
	unchecked bool
}

func (s *surveyor) pass(events []msg.Event) {
	for i := range events {
		events[i].Hash(&s.digest)
	}
}

func (s *surveyor) mark(e *Engine) {
	if e.Seq()%markEvery == 0 {
		s.list = append(s.list, milestone{e.Seq(), s.digest.Sum(), e.Hash()})
	}
}

func (s *surveyor) same(t *testing.T, want []milestone) {
	t.Helper()
	for i := range max(len(want), len(s.list)) {
		if i >= len(want) || i >= len(s.list) || s.list[i] != want[i] {
			t.Fatalf("milestone %d of %d: differs\ngot  %v\nwant %v", i, len(want), s.list[min(i, len(s.list)):min(i+1, len(s.list))],
				want[min(i, len(want)):min(i+1, len(want))])
		}
	}
}

// apply replays a day one command after the other.
func (s *surveyor) apply(t *testing.T, limits Limits, commands []msg.Command) {
	e, err := New(limits)
	if err != nil {
		t.Fatal(err)
	}
	e.SetChecks(!s.unchecked)
	var out []msg.Event
	for i := range commands {
		c := commands[i]
		out = e.Apply(&c, out[:0])
		s.pass(out)
		s.mark(e)
	}
}

// rig is a loop between lanes and an out ring.
type rig struct {
	*Loop
	lanes []*ring.Lane[msg.Request]
	out   *ring.Reader[msg.Event]
}

func newRig(t *testing.T, lanes int, limits Limits) *rig {
	e, err := New(limits)
	if err != nil {
		t.Fatal(err)
	}
	r := &rig{}
	for range lanes {
		l, err := ring.NewLane[msg.Request](128)
		if err != nil {
			t.Fatal(err)
		}
		r.lanes = append(r.lanes, l)
	}
	out, err := ring.NewRing[msg.Event](1 << 13)
	if err != nil {
		t.Fatal(err)
	}
	r.out = out.Reader(true)
	r.Loop = NewLoop(e, r.lanes, out)
	return r
}

// read takes what the out ring has.
func (r *rig) read(s *surveyor) (events int) {
	for e := r.out.Next(); e != nil; e = r.out.Next() {
		e.Hash(&s.digest)
		events++
	}
	r.out.Release()
	return events
}

// send puts a command into a lane; false when it is full.
func (r *rig) send(lane int, c *msg.Command) bool {
	slot := r.lanes[lane].Claim()
	if slot == nil {
		return false
	}
	slot.CopyFrom(&c.Request)
	return true
}

// TestReplayHash replays a recorded day in every way in which commands can reach an engine. Events and states are the same
// at every milestone, and the same as on the day of the recording, on another machine and under another build mode:
//
//	go test ./engine -run TestReplayHash -race
//	go test ./engine -run TestReplayHash -gcflags=all='-N -l'
//	GOAMD64=v3 go test ./engine -run TestReplayHash
//
// A change of what the engine says or holds is made known by -rewrite; the day itself stays.
func TestReplayHash(t *testing.T) { // A-18, T-8
	replayed(t, recorded, dayFile, hashesFile)
}

// TestReplayHashInDistress does the same with a day on which every event of the ladder is told.
func TestReplayHashInDistress(t *testing.T) { // A-18, T-8, I-19
	replayed(t, recordedDark, darkFile, darkHashes)
	commands, err := readRecording(recordedDark, darkFile, dayLength)
	if err != nil {
		t.Fatal(err)
	}
	told, d := map[msg.EventKind]int{}, newDesk(t, recordedDark.limits)
	for i := range commands {
		for _, e := range d.Apply(&commands[i], nil) {
			told[e.Kind]++
		}
	}
	for kind := msg.MarginCall; kind <= msg.SweepPending; kind++ {
		if told[kind] == 0 {
			t.Errorf("no %s in the recorded day", kind)
		}
	}
}

// replayed replays one recorded day.
func replayed(t *testing.T, d day, dayFile, hashesFile string) {
	commands, err := readRecording(d, dayFile, dayLength)
	if err != nil {
		t.Fatal(err)
	}
	want := &surveyor{}
	want.apply(t, d.limits, commands)
	if *rewrite {
		text := "# seq, hash of all events so far, hash of the state; TestReplayHash writes this with -rewrite\n"
		for _, m := range want.list {
			text += m.String() + "\n"
		}
		if err := os.WriteFile(hashesFile, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	t.Run("golden", func(t *testing.T) { want.same(t, goldenHashes(t, hashesFile)) })

	for _, lanes := range []int{1, 2, 3, 8} {
		for _, batch := range []int{1, 7, 64} {
			t.Run(fmt.Sprintf("pump/lanes=%d/batch=%d", lanes, batch), func(t *testing.T) {
				r, s := newRig(t, lanes, d.limits), &surveyor{}
				for from, lane := 0, 0; from < len(commands); from, lane = from+batch, (lane+1)%lanes {
					for i := from; i < from+batch; i++ {
						if !r.send(lane, &commands[i]) {
							t.Fatal("the lane is full")
						}
					}
					r.lanes[lane].Publish()
					for r.Pump(0) > 0 {
						r.read(s)
					}
					s.mark(r.Engine())
				}
				s.same(t, want.list)
			})
		}
	}
	t.Run("unchecked", func(t *testing.T) { // the engine's own checks change nothing
		s := &surveyor{unchecked: true}
		s.apply(t, d.limits, commands)
		s.same(t, want.list)
	})
	last := want.list[len(want.list)-1]
	for _, procs := range []int{1, 2} {
		for _, batch := range []int{1, 7, 64} {
			t.Run(fmt.Sprintf("threads/procs=%d/batch=%d", procs, batch), func(t *testing.T) {
				defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(procs))
				s := threaded(t, d.limits, commands, batch)
				s.same(t, []milestone{last})
			})
		}
	}
	t.Run("collecting", func(t *testing.T) {
		defer debug.SetGCPercent(debug.SetGCPercent(1))
		s := &surveyor{}
		s.apply(t, d.limits, commands)
		s.same(t, want.list)
		s = threaded(t, d.limits, commands, 64)
		s.same(t, []milestone{last})
	})
}

// threaded lets one goroutine send, one poll and one read, and notes the one milestone at the end.
func threaded(t *testing.T, limits Limits, commands []msg.Command, batch int) *surveyor {
	r, s := newRig(t, 1, limits), &surveyor{}
	var stop atomic.Bool
	go func() { // the gateway
		for from := 0; from < len(commands); {
			n := 0
			for n < batch && from < len(commands) && r.send(0, &commands[from]) {
				from++
				n++
			}
			r.lanes[0].Publish()
			if n == 0 {
				runtime.Gosched()
			}
		}
	}()
	polled := make(chan struct{})
	go func() { // the hot loop
		defer close(polled)
		for done := 0; done < len(commands); {
			n := r.Poll(0)
			if done += n; n == 0 {
				runtime.Gosched()
			}
		}
		stop.Store(true)
	}()
	for !stop.Load() {
		if r.read(s) == 0 {
			runtime.Gosched()
		}
	}
	<-polled
	r.read(s)
	s.mark(r.Engine())
	return s
}

// TestLanesOfManyThreads lets eight goroutines send the commands of a day at once. In what order they come is chance; that
// every one is answered, in one order without a gap, and that nothing is lost, is not.
func TestLanesOfManyThreads(t *testing.T) {
	commands, err := readRecording(recorded, dayFile, dayLength)
	if err != nil {
		t.Fatal(err)
	}
	if testing.Short() {
		commands = commands[:len(commands)/4]
	}
	const lanes = 8
	r, s := newRig(t, lanes, recorded.limits), &surveyor{}
	for i := range lanes {
		go func() {
			for k := i; k < len(commands); k += lanes {
				for !r.send(i, &commands[k]) {
					runtime.Gosched()
				}
				r.lanes[i].Publish()
			}
		}()
	}
	seq, index := msg.Seq(0), uint16(0)
	for applied := 0; applied < len(commands); {
		n := r.Poll(0)
		applied += n
		for e := r.out.Next(); e != nil; e = r.out.Next() {
			if e.Seq == seq+1 && e.Index == 0 {
				seq, index = e.Seq, 0
			} else if index++; e.Seq != seq || e.Index != index {
				t.Fatalf("%d.%d comes after %d.%d", e.Seq, e.Index, seq, index-1)
			}
			e.Hash(&s.digest)
		}
		r.out.Release()
		if n == 0 {
			runtime.Gosched()
		}
	}
	if int(seq) != len(commands) {
		t.Fatalf("%d commands answered, want %d", seq, len(commands))
	}
	d := &desk{Engine: r.Engine(), t: t}
	d.sound()
}

// TestForeseeingChangesNothing replays the day with tables so large that the loop looks ahead, and without a loop.
func TestForeseeingChangesNothing(t *testing.T) { // L-05
	commands, err := readRecording(recorded, dayFile, dayLength)
	if err != nil {
		t.Fatal(err)
	}
	large := recorded.limits
	large.Orders, large.Instruments = 2*foreseeFrom, 2*approachFrom
	e, err := New(large)
	if err != nil {
		t.Fatal(err)
	}
	want := &surveyor{}
	var out []msg.Event
	for i := range commands {
		c := commands[i]
		out = e.Apply(&c, out[:0])
		want.pass(out)
	}
	want.mark(e)

	r, s := newRig(t, 2, large), &surveyor{}
	if !r.Engine().Foresees() || !r.Engine().wide {
		t.Fatal("the tables are too small for the loop to look ahead")
	}
	for from, lane := 0, 0; from < len(commands); from, lane = from+64, 1-lane {
		for i := from; i < from+64; i++ {
			r.send(lane, &commands[i])
		}
		r.lanes[lane].Publish()
		for r.Pump(0) > 0 {
			r.read(s)
		}
	}
	s.mark(r.Engine())
	s.same(t, want.list)
	for i := range 2000 { // and no request makes it stumble, whatever it names
		seed := xorshift(i + 1)
		c := (&wild{trader: newTrader(days[0], &seed)}).next()
		r.Engine().Foresee(&c.Request)
		r.Engine().Approach(&c.Request)
	}
	if s := (milestone{r.Engine().Seq(), s.digest.Sum(), r.Engine().Hash()}); s != want.list[0] {
		t.Errorf("looking ahead has changed something: %v, want %v", s, want.list[0])
	}
}

// TestLastCommands holds what a loop keeps of the commands that it took.
func TestLastCommands(t *testing.T) { // D-04
	r, s := newRig(t, 1, recorded.limits), &surveyor{}
	if got := r.Last(nil); len(got) != 0 {
		t.Errorf("%d commands before the first", len(got))
	}
	for n := 1; n <= 300; n++ {
		c := msg.Deposit(1, fixed.Money(n))
		r.send(0, &c)
		r.lanes[0].Publish()
		r.Pump(0)
		r.read(s)
		last := r.Last(nil)
		if len(last) != min(n, 64) || r.Pending() != 0 {
			t.Fatalf("after %d: %d commands, %d pending", n, len(last), r.Pending())
		}
		for i := range last {
			if want := n - len(last) + 1 + i; last[i].Seq != msg.Seq(want) || last[i].Payment().Amount != fixed.Money(want) {
				t.Fatalf("after %d: command %d is %s", n, i, last[i].String())
			}
		}
	}
}

// TestLoopWaitsForRoom lets the out ring fill up: the loop applies what it has room for, and goes on when somebody has read.
func TestLoopWaitsForRoom(t *testing.T) {
	commands, err := readRecording(recorded, dayFile, dayLength)
	if err != nil {
		t.Fatal(err)
	}
	want := &surveyor{}
	want.apply(t, recorded.limits, commands)
	r, s := newRig(t, 1, recorded.limits), &surveyor{}
	stalls, done := 0, 0
	for from := 0; done < len(commands); {
		for from < len(commands) && r.send(0, &commands[from]) {
			from++
		}
		r.lanes[0].Publish()
		n := r.Pump(0)
		if done += n; n == 0 {
			stalls++
			if read := r.read(s); read == 0 {
				t.Fatalf("after %d commands: nothing is applied, and nothing is there to be read", done)
			}
		}
	}
	r.read(s)
	s.mark(r.Engine())
	s.same(t, want.list[len(want.list)-1:])
	if stalls == 0 {
		t.Error("the out ring was never full")
	}
}

// TestLoopStampsTime holds the time of a command: its own stamp, or the time of the poll where that is later, and never
// before that of the command before it.
func TestLoopStampsTime(t *testing.T) { // A-14, D-05
	r := newRig(t, 1, recorded.limits)
	for i, c := range []struct{ stamp, now, want fixed.Nanos }{{5, 0, 5}, {3, 0, 5}, {3, 7, 7}, {9, 8, 9}, {0, 0, 9}, {0, 10, 10}} {
		tick := msg.Tick()
		tick.Time = c.stamp
		r.send(0, &tick)
		r.lanes[0].Publish()
		if n := r.Poll(c.now); n != 1 {
			t.Fatalf("%d applied", n)
		}
		if e := r.out.Next(); e == nil || e.Time != c.want || e.Seq != msg.Seq(i+1) {
			t.Fatalf("stamped %d, polled at %d: %v, want time %d", c.stamp, c.now, e, c.want)
		}
		r.out.Release()
	}
	if r.Poll(11) != 0 {
		t.Error("a poll of empty lanes has applied something")
	}
}

// goldenHashes reads the milestones of a recording.
func goldenHashes(t *testing.T, hashesFile string) (list []milestone) {
	t.Helper()
	file, err := os.ReadFile(hashesFile)
	if err != nil {
		t.Fatal(err)
	}
	for n, line := range strings.Split(strings.TrimSpace(string(file)), "\n") {
		if strings.HasPrefix(line, "#") {
			continue
		}
		var m milestone
		if _, err := fmt.Sscanf(line, "%d %x %x", &m.seq, &m.events, &m.state); err != nil {
			t.Fatalf("%s:%d: %v", hashesFile, n+1, err)
		}
		list = append(list, m)
	}
	return list
}
