package node

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"syscall"
	"testing"

	"github.com/lockstep-exchange/lockstep/engine"
	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/msg"
	"github.com/lockstep-exchange/lockstep/node/journal"
	"github.com/lockstep-exchange/lockstep/ring"
	"github.com/lockstep-exchange/lockstep/sim/disk"
)

const folder = "/data"

// venue is a small durable exchange whose journal is on files.
func venue(files journal.FS) Venue {
	return Venue{Limits: limits, Currency: "USD", Cluster: 1, Shard: 2, Files: files, Segment: 64 << 10}
}

// quiet is a node that leaves the process as it is.
func quiet() Config { return Config{Lane: 256, Float: true, Collect: true} }

func reopen(t *testing.T, files journal.FS, c Config) (*Node, *Recovery) {
	t.Helper()
	n, found, err := Open(folder, venue(files), c)
	if err != nil {
		t.Fatal(err)
	}
	return n, found
}

// An exchange trades, ends, in order or by a power loss, is opened again and goes on, several times; it ends in the state and with the
// events of one that was never stopped, whatever the batches were.
func TestDurableEqualsInline(t *testing.T) { // D-01, D-10, D-50, A-18
	requests := day(11, 3_000)
	twin := exchange(t)
	want := inline(twin, requests)
	for _, ack := range []journal.Mode{journal.Fsync, journal.None} {
		for _, batch := range []int{1, 7, 64} {
			t.Run(fmt.Sprintf("ack=%v,batch=%d", ack, batch), func(t *testing.T) {
				files, chance := disk.New(1<<30), rand.New(rand.NewPCG(5, uint64(batch)))
				var got []msg.Event
				v := venue(files)
				v.Ack = ack
				v.Replayed = func(c *msg.Command, events []msg.Event) {
					if c.Time = requests[c.Seq-1].Time; c.Request != requests[c.Seq-1] {
						t.Fatalf("command %d is %v", c.Seq, c)
					}
					at, _ := slices.BinarySearchFunc(want, c.Seq, func(e msg.Event, seq msg.Seq) int { return int(e.Seq) - int(seq) })
					if !equalEvents(want[at:at+len(events)], events) {
						t.Fatalf("command %d brings about other events than before", c.Seq)
					}
				}
				for start, upto := range []int{700, 701, 2_000, len(requests)} {
					n, found, err := Open(folder, v, quiet())
					if err != nil {
						t.Fatal(err)
					}
					if found.Created != (start == 0) || found.Epoch != uint64(start+1) || found.Ack != ack.String() || found.Seq != msg.Seq(found.Commands) {
						t.Fatalf("start %d found %+v", start, found)
					}
					r, err := n.Reader(true)
					if err != nil {
						t.Fatal(err)
					}
					run(t, n)
					if s := n.Status(); s.Ack != ack.String() || s.Epoch != found.Epoch || s.Durable < found.Seq {
						t.Errorf("status %+v", s)
					}
					var reading sync.WaitGroup
					reading.Go(func() { got = append(got, collect(r)...) })
					send(t, n.Port(0), requests[found.Seq:upto], batch)
					stop(t, n)
					reading.Wait()
					if start == 2 && ack == journal.Fsync {
						files.PowerLoss(chance) // everything that was released is there all the same
					}
				}
				n, found, err := Open(folder, v, quiet())
				if err != nil {
					t.Fatal(err)
				}
				if found.State != fmt.Sprintf("%016x", twin.Hash()) || found.Seq != twin.Seq() || found.Torn != 0 {
					t.Errorf("recovered %+v, inline %016x", found, twin.Hash())
				}
				if !equalEvents(got, want) {
					t.Errorf("%d events were released, inline %d, or different ones", len(got), len(want))
				}
				stop(t, n) // never started: the folder is free again
				if err := n.Start(); err == nil {
					t.Error("started after it was stopped")
				}
			})
		}
	}
}

// slow is a disk whose syncs wait until they are let through.
type slow struct {
	journal.FS
	let chan error
}

type slowFile struct {
	journal.File
	disk *slow
}

func (s *slow) Open(name string, flag int) (journal.File, error) {
	f, err := s.FS.Open(name, flag)
	return &slowFile{f, s}, err
}

func (f *slowFile) Datasync() error {
	if err, open := <-f.disk.let; open && err != nil {
		return err
	}
	return f.File.Datasync()
}

// behind is an exchange on a disk that does not answer, with requests that it has applied and cannot acknowledge.
func behind(t *testing.T, requests []msg.Request, ack journal.Mode) (*Node, *slow, *Reader, *Reader) {
	t.Helper()
	s := &slow{FS: disk.New(1 << 30), let: make(chan error, 8)}
	for range 8 {
		s.let <- nil // what Open syncs
	}
	v := venue(s)
	v.Ack, v.Ahead = ack, 64
	n, _, err := Open(folder, v, quiet())
	if err != nil {
		t.Fatal(err)
	}
	for len(s.let) > 0 {
		<-s.let
	}
	must, err := n.Reader(true)
	if err != nil {
		t.Fatal(err)
	}
	may, err := n.Reader(false)
	if err != nil {
		t.Fatal(err)
	}
	run(t, n)
	send(t, n.Port(0), requests, 8)
	for int(n.Status().Applied) < min(len(requests), 64) { // the thread that writes it stands still afterwards
		ring.Pause()
	}
	return n, s, must, may
}

// Nothing leaves before it is durable, by no outlet; then everything does.
func TestNothingLeavesBeforeItIsDurable(t *testing.T) { // A-5, D-32
	requests := day(3, 20)
	n, s, must, may := behind(t, requests, journal.Fsync)
	for range 10_000 {
		if e := must.Next(); e != nil {
			t.Fatalf("%v has left, durable is %d", e, n.Status().Durable)
		}
		if e := may.Next(); e != nil {
			t.Fatalf("%v has left by the optional reader, durable is %d", e, n.Status().Durable)
		}
		must.Release()
	}
	if n.Status().Durable != 0 {
		t.Fatalf("durable is %d on a disk that does not answer", n.Status().Durable)
	}
	close(s.let)
	last := msg.Seq(0)
	for last < msg.Seq(len(requests)) && must.Wait() {
		for e := must.Next(); e != nil; e = must.Next() {
			if e.Seq > n.Status().Durable {
				t.Fatalf("%v has left, durable is %d", e, n.Status().Durable)
			}
			last = e.Seq
		}
		must.Release()
	}
	for last = 0; last < msg.Seq(len(requests)) && may.Wait(); {
		last = may.Next().Seq
	}
	stop(t, n)
}

// A disk that does not answer holds the hot thread up when it is as far ahead as it may be, and then the producers (D-09); with ack
// none nobody waits for it.
func TestBackPressure(t *testing.T) {
	requests := day(3, 1_000)
	n, s, must, _ := behind(t, requests[:64+256], journal.Fsync) // the sequenced lane and the port are full now
	if err := n.Port(0).Send(&requests[0]); err != ErrFull {
		t.Errorf("the port says %v, expected that it is full", err)
	}
	if got := n.Status().Applied; got > 64+1 {
		t.Errorf("%d commands are applied and not durable, expected 64 at most", got)
	}
	close(s.let)
	var reading sync.WaitGroup
	count := 0
	reading.Go(func() { count = len(collect(must)) })
	send(t, n.Port(0), requests[64+256:], 8)
	stop(t, n)
	reading.Wait()
	if n.loop.Engine().Seq() != msg.Seq(len(requests)) || count < len(requests) {
		t.Errorf("%d commands, %d events", n.loop.Engine().Seq(), count)
	}
}

// The disk fails: nothing that is not durable leaves, then or later, and the node ends and says why.
func TestNodeEndsWithTheDisk(t *testing.T) { // D-28
	n, s, must, _ := behind(t, day(3, 20), journal.Fsync)
	s.let <- syscall.EIO
	<-n.Done()
	var storage *journal.StorageError
	if err := n.Err(); !errors.As(err, &storage) || storage.ExitCode() != 8 || !errors.Is(err, syscall.EIO) {
		t.Errorf("the node ended with %v", err)
	}
	if must.Wait() || must.Next() != nil {
		t.Error("an event leaves after the disk has failed")
	}
	if err := n.Port(0).Send(&msg.Request{}); err != ErrStopped {
		t.Errorf("the port says %v", err)
	}
	if err := n.Stop(t.Context()); !errors.As(err, &storage) {
		t.Errorf("Stop gives %v", err)
	}
}

// An engine that breaks leaves a journal that breaks it again at the same command, and no clean shutdown.
func TestHaltIsKept(t *testing.T) { // D-04
	files := disk.New(1 << 30)
	n, _ := reopen(t, files, quiet())
	run(t, n)
	requests := day(3, 50)
	for i := range requests {
		if err := n.Port(0).Send(&requests[i]); err != nil {
			t.Fatal(err)
		}
	}
	stop(t, n)

	n, found := reopen(t, files, quiet())
	n.poller = breaking{n.poller}
	run(t, n)
	send(t, n.Port(0), requests[:1], 1)
	<-n.Done()
	halt := (*Halt)(nil)
	if !errors.As(n.Err(), &halt) || !errors.As(n.Stop(t.Context()), &halt) {
		t.Fatalf("ended with %v", n.Err())
	}
	r, err := journal.NewReader(files, folder)
	if err != nil {
		t.Fatal(err)
	}
	for r.Next() {
	}
	if tail := r.Tail(); r.Err() != nil || tail.Seq != found.Seq+1 || tail.Kind != journal.Batch {
		t.Errorf("%v; the journal ends with %+v, expected the command that broke the engine", r.Err(), tail)
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
}

// breaking is a poller behind which an invariant breaks.
type breaking struct{ Poller }

func (b breaking) Poll(now fixed.Nanos) int {
	if b.Poller.Poll(now) > 0 {
		panic("an invariant")
	}
	return 0
}

// What the seed lacks is sequenced, after a crash in the middle of it too; a folder that began otherwise is refused, and so are a second
// process and another venue.
func TestSeed(t *testing.T) { // X-40, D-29
	files := disk.New(1 << 30)
	seed := make([]msg.Command, 12)
	for i, r := range day(3, 1)[:12] {
		seed[i].Request = r
	}
	v := venue(files)
	v.Ahead = 4
	for _, known := range []int{5, 12, 12} { // the first start ends after five
		v.Seed = seed[:known]
		told := 0
		v.Replayed = func(*msg.Command, []msg.Event) { told++ }
		clock := fixed.Nanos(1 << 40)
		c := quiet()
		c.Clock = func() fixed.Nanos { clock++; return clock }
		n, found, err := Open(folder, v, c)
		if err != nil {
			t.Fatal(err)
		}
		if found.Seq != msg.Seq(known) || found.Seeded+int(found.Commands) != known || told != known || found.Time < 1<<40 {
			t.Fatalf("%+v, %d told", found, told)
		}
		if _, _, err := Open(folder, v, quiet()); err == nil || !errors.As(err, new(*journal.Running)) {
			t.Fatalf("a second exchange in the folder: %v", err)
		}
		files.Kill()
		_ = n.Stop(context.Background()) // it is dead
		if known < len(seed) {
			if err := files.Remove(folder + "/SEED"); err != nil { // it died a moment before
				t.Fatal(err)
			}
		}
	}
	for name, change := range map[string]func(v *Venue){
		"longer":  func(v *Venue) { v.Seed = append(slices.Clone(seed), seed[11]) },
		"shorter": func(v *Venue) { v.Seed = seed[:11] },
		"seed":    func(v *Venue) { v.Seed = slices.Clone(seed); v.Seed[3].Price++ },
		"limits":  func(v *Venue) { v.Limits.Orders *= 2 },
		"ack":     func(v *Venue) { v.Ack = journal.None },
		"shard":   func(v *Venue) { v.Shard++ },
		"segment": func(v *Venue) { v.Segment = 1 },
	} {
		other := v
		change(&other)
		misfit := (*journal.Misfit)(nil)
		if _, _, err := Open(folder, other, quiet()); !errors.As(err, &misfit) || misfit.ExitCode() != 2 {
			t.Errorf("another %s: %v", name, err)
		}
	}
	other := v
	other.Limits = engine.Limits{Events: 1}
	if _, _, err := Open(folder, other, quiet()); err == nil {
		t.Error("impossible limits were taken")
	}
	c := quiet()
	c.Ports = -1
	if _, _, err := Open(folder, v, c); err == nil {
		t.Error("an impossible node was made")
	}
	if n, found, err := Open(folder, v, quiet()); err != nil || found.Epoch != 5 { // the node that was not made had opened the journal
		t.Errorf("%+v, %v", found, err)
	} else {
		stop(t, n)
	}
}
