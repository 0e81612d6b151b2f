package node

import (
	"errors"
	"fmt"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

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
	requests := day(12, 6_000)
	twin := exchange(t)
	inline(twin, requests)
	files := disk.New(1 << 30)
	for start, upto := range []int{1500, 3000, 4500, len(requests)} {
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
	requests := day(13, 4_000)
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
