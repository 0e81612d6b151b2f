package node

import (
	"errors"
	"fmt"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/lockstep-exchange/lockstep/msg"
	"github.com/lockstep-exchange/lockstep/node/journal"
	"github.com/lockstep-exchange/lockstep/sim/disk"
)

// shot is a venue that writes a snapshot with every second segment of 16 KiB.
func shot(files journal.FS) Venue {
	v := venue(files)
	v.Segment, v.Snapshots = 16<<10, 32<<10
	return v
}

func snapshots(t *testing.T, files journal.FS) (names []string) {
	t.Helper()
	list, err := files.List(folder)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range list {
		if strings.HasSuffix(e.Name, ".snap") {
			names = append(names, e.Name)
		}
	}
	return names
}

// TestSnapshotEqualsFullReplay lets an exchange trade with a shadow beside it, over several starts. Each start restores and replays the
// tail, and the end is that of an exchange that was never stopped; so is that of a start that has a damaged snapshot to pass over.
func TestSnapshotEqualsFullReplay(t *testing.T) { // D-45, D-47, D-50, A-18
	requests := day(12, 4_000) // no checkpoint of the node among them
	for i := range requests {
		requests[i].Ref = msg.Ref(1<<40 + i) // so that few commands fill a segment
	}
	twin := exchange(t)
	inline(twin, requests)
	files := disk.New(1 << 30)
	for start, upto := range []int{2_100, 2_700, 3_300, len(requests)} {
		n, found, err := Open(folder, shot(files), quiet())
		if err != nil {
			t.Fatal(err)
		}
		if start > 1 && (found.Snapshot == "" || found.Commands >= uint64(found.Seq) || uint64(found.Seq) != uint64(found.Restored)+found.Commands) {
			t.Errorf("start %d: %+v", start, found)
		}
		run(t, n)
		send(t, n.Port(0), requests[found.Seq:upto], 64)
		before := len(snapshots(t, files))
		for start == 0 && len(snapshots(t, files)) == before && n.config.shadow.Missed() == 0 && n.doubt.Load() == nil {
			runtime.Gosched() // the shadow looks four times a second
		}
		stop(t, n)
	}
	names := snapshots(t, files)
	if len(names) == 0 {
		t.Fatal("no snapshot was written")
	}
	n, found, err := Open(folder, shot(files), quiet())
	if err != nil {
		t.Fatal(err)
	}
	if found.State != fmt.Sprintf("%016x", twin.Hash()) || found.Seq != twin.Seq() || found.Snapshot != names[len(names)-1] {
		t.Errorf("recovered %+v, inline %016x", found, twin.Hash())
	}
	if text := string(found.Append(nil)); !strings.Contains(text, "restored  "+found.Snapshot) {
		t.Errorf("says\n%s", text)
	}
	stop(t, n)
	files.Edit(filepath.Join(folder, names[len(names)-1]), func(b []byte) { b[700] ^= 4 })
	n, found, err = Open(folder, shot(files), quiet())
	if err != nil {
		t.Fatal(err)
	}
	if found.State != fmt.Sprintf("%016x", twin.Hash()) || len(found.Passed) != 1 || !strings.Contains(string(found.Append(nil)), "warning   a snapshot was passed over: "+names[len(names)-1]) {
		t.Errorf("with a damaged snapshot: %+v", found)
	}
	stop(t, n)
}

// TestShadowInDoubt damages a segment while the exchange trades: the shadow finds it, and the node ends by it.
func TestShadowInDoubt(t *testing.T) { // D-02
	files := disk.New(1 << 30)
	n, _, err := Open(folder, shot(files), quiet())
	if err != nil {
		t.Fatal(err)
	}
	run(t, n)
	requests := day(13, 16_000)
	send(t, n.Port(0), requests[:100], 10)
	for n.Status().Durable < 100 {
		runtime.Gosched()
	}
	files.Edit(filepath.Join(folder, "2-0000000000000000.seg"), func(b []byte) { b[700] ^= 4 })
	for at := 100; at < len(requests) && n.Err() == nil; {
		if err := n.Port(0).Send(&requests[at]); err == nil {
			at++
		} else {
			runtime.Gosched()
		}
	}
	<-n.Done()
	if corrupt := (*journal.Corrupt)(nil); !errors.As(n.Err(), &corrupt) || corrupt.File != "2-0000000000000000.seg" {
		t.Errorf("the node has ended by %v", n.Err())
	}
}

// heldSegments holds back writes into segments while the gate is shut.
type heldSegments struct {
	journal.FS
	gate sync.RWMutex
}

func (s *heldSegments) Open(name string, flag int) (journal.File, error) {
	f, err := s.FS.Open(name, flag)
	if err == nil && strings.HasSuffix(name, ".seg") {
		f = heldFile{f, s}
	}
	return f, err
}

type heldFile struct {
	journal.File
	files *heldSegments
}

func (f heldFile) WriteAt(b []byte, off int64) (int, error) {
	f.files.gate.RLock()
	defer f.files.gate.RUnlock()
	return f.File.WriteAt(b, off)
}

// TestNothingIsWrittenInDoubt lets a snapshot fail while a batch is being written and more commands wait: that batch is the last one. Nothing
// is written and nothing becomes durable after the disk, or the journal itself, is in doubt.
func TestNothingIsWrittenInDoubt(t *testing.T) { // D-02, D-28
	files := &heldSegments{FS: disk.New(1 << 30)}
	failing := &disk.Failing{FS: files}
	reached, ahead := make(chan struct{}), make(chan struct{})
	failing.Fail = func(c disk.Call) error {
		if c.Name != "Rename" || !strings.HasSuffix(c.File, ".snap.tmp") {
			return nil
		}
		close(reached)
		<-ahead
		return syscall.EIO
	}
	v := shot(failing)
	v.Segment, v.Snapshots = 64<<10, 64<<10
	n, _, err := Open(folder, v, quiet())
	if err != nil {
		t.Fatal(err)
	}
	run(t, n)
	requests := day(14, 10_000) // again and again, for as long as the shadow takes to look
	at := 0
	for snapped := false; !snapped; { // several segments; the disk holds everyone up as soon as it is reached
		select {
		case <-reached:
			snapped = true
		default:
			if n.Port(0).Send(&requests[at%len(requests)]) == nil {
				at++
			}
			runtime.Gosched()
		}
	}
	files.gate.Lock()
	for durable := n.Status().Durable; n.Status().Applied < durable+2000; {
		if n.Port(0).Send(&requests[at%len(requests)]) == nil {
			at++
		}
		runtime.Gosched()
	}
	before := n.Status().Durable
	close(ahead)
	for n.doubt.Load() == nil {
		runtime.Gosched()
	}
	files.gate.Unlock()
	<-n.Done()
	if after := n.Status().Durable; after > before+512 {
		t.Errorf("durable was %d when the snapshot failed, and is %d: more than the batch that was under way", before, after)
	}
	if !errors.Is(n.Err(), syscall.EIO) {
		t.Errorf("the node has ended by %v", n.Err())
	}
}

// TestSeedBehindSnapshots changes the seed of an exchange whose first commands are not replayed any more: it is refused all the same.
func TestSeedBehindSnapshots(t *testing.T) {
	requests := day(15, 20_000)
	v := shot(disk.New(1 << 30))
	for _, r := range requests[:12] {
		v.Seed = append(v.Seed, msg.Command{Request: r})
	}
	n, _, err := Open(folder, v, quiet())
	if err != nil {
		t.Fatal(err)
	}
	run(t, n)
	send(t, n.Port(0), requests[12:], 64)
	for len(snapshots(t, v.Files)) == 0 && n.doubt.Load() == nil {
		runtime.Gosched()
	}
	stop(t, n)
	other := v
	other.Seed = slices.Clone(v.Seed)
	other.Seed[3].Price++
	if _, _, err := Open(folder, other, quiet()); err == nil || !errors.As(err, new(*journal.Misfit)) {
		t.Errorf("another seed behind a snapshot: %v", err)
	}
	for _, seed := range [][]msg.Command{v.Seed, nil} {
		v.Seed = seed
		n, found, err := Open(folder, v, quiet())
		if err != nil || found.Snapshot == "" {
			t.Fatalf("%d commands of seed: %+v, %v", len(seed), found, err)
		}
		stop(t, n)
	}
}
