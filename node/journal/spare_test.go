package journal_test

import (
	"strings"
	"syscall"
	"testing"

	"github.com/lockstep-exchange/lockstep/node/journal"
	"github.com/lockstep-exchange/lockstep/sim/disk"
)

// TestSpareWithoutRoom lets a disk fill up behind a journal, by its size and by what its owner is allowed of it. The mark says so, and the journal has not failed;
// nothing is left of the spare; where the disk says beforehand that there is no room, none is begun; and when there is room, all is well.
func TestSpareWithoutRoom(t *testing.T) { // D-51, D-53, D-54
	for name, full := range map[string]error{"no room": syscall.ENOSPC, "quota": syscall.EDQUOT, "measured": nil} {
		platter := disk.New(room)
		var refuse error
		begun := 0
		files := &disk.Failing{FS: platter, Fail: func(c disk.Call) error {
			if c.Name != "Zero" || !strings.Contains(c.File, ".spare") {
				return nil
			}
			begun++
			return refuse
		}}
		w, _, err := journal.Open(small(files), nil)
		if err != nil {
			t.Fatal(err)
		}
		refuse, begun = full, 0
		if full == nil {
			platter.SetRoom(40 << 10) // two segments and a half
		}
		for range 5 {
			if _, err := w.Prepare(); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
		}
		if left := filesOf(t, platter, ".tmp"); w.Mark() == journal.Roomy || len(left) > 0 {
			t.Errorf("%s: %v, %v is left", name, w.Mark(), left)
		}
		if full == nil && begun > 1 {
			t.Errorf("%s: %d spares were begun where there was room for one", name, begun)
		}
		refuse = nil
		platter.SetRoom(room)
		for w.Spares() < 2 {
			if _, err := w.Prepare(); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
		}
		if w.Mark() != journal.Roomy {
			t.Errorf("%s: %v with %d spares", name, w.Mark(), w.Spares())
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
	}
}
