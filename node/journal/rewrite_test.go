package journal_test

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/lockstep-exchange/lockstep/node/journal"
	"github.com/lockstep-exchange/lockstep/sim/disk"
)

// killing ends the process where a segment is to be synced: what was written is in the cache alone.
type killing struct {
	*disk.Disk
	armed bool
}

func (k *killing) Open(name string, flag int) (journal.File, error) {
	f, err := k.Disk.Open(name, flag)
	if err == nil && strings.HasSuffix(name, ".seg") {
		f = killingFile{f, k}
	}
	return f, err
}

type killingFile struct {
	journal.File
	files *killing
}

func (f killingFile) Datasync() error {
	if f.files.armed {
		f.files.Kill()
	}
	return f.File.Datasync()
}

// TestWhatAStartFindsStays kills a process between the write of a frame and its sync, and cuts the power as soon as the next has started:
// that one has found the frame in a cache and shown what it did, so it must have brought it to the disk before.
func TestWhatAStartFindsStays(t *testing.T) { // D-26, B-07
	commands := someCommands(11, 40)
	for seed := range uint64(20) {
		platter := disk.New(room)
		files := &killing{Disk: platter}
		w, _, err := journal.Open(small(files), nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := feed(w, commands[:20], 20); err != nil {
			t.Fatal(err)
		}
		files.armed = true
		if n, err := feed(w, commands[20:], 20); err == nil {
			t.Fatalf("the process was killed, and %d commands became durable", n)
		}
		w, found, err := journal.Open(small(platter), nil)
		if err != nil || found.Place.Seq != 40 || w.Durable() != 40 {
			t.Fatalf("no case: %+v, %v", found, err)
		}
		platter.PowerLoss(rand.New(rand.NewPCG(seed, 1)))
		if _, found, err = journal.Open(small(platter), nil); err != nil || found.Place.Seq != 40 {
			t.Fatalf("seed %d: a start found 40 commands, and after a power loss there are %d: %v", seed, found.Place.Seq, err)
		}
		platter.Kill()
	}
}
