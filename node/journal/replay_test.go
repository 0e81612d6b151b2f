package journal_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"testing"

	"github.com/lockstep-exchange/lockstep/msg"
	"github.com/lockstep-exchange/lockstep/node/journal"
	"github.com/lockstep-exchange/lockstep/sim/disk"
)

// replayed is what an opening came to, and what it handed over until then.
type replayed struct {
	found journal.Recovery
	held  []msg.Command
	err   string
}

var errRefused = errors.New("the command is refused")

// replay opens a journal on a copy of the disk; apply fails at the command refused.
func replay(files *disk.Disk, alone bool, refused msg.Seq) (r replayed, after *disk.Disk) {
	after = files.Clone()
	c := small(after)
	c.Alone = alone
	w, found, err := journal.Open(c, func(commands []msg.Command) error {
		for i := range commands {
			if commands[i].Seq == refused {
				return errRefused
			}
			r.held = append(r.held, commands[i])
		}
		return nil
	})
	r.found = found
	if err != nil {
		r.err = err.Error()
		return r, after
	}
	if err := w.Halt(); err != nil {
		r.err = err.Error()
	}
	return r, after
}

// Reading ahead of who applies finds the same as reading in turn: the same commands in the same order, and the first thing that is
// wrong in the order of the journal, be it a frame or a command. Where a start is refused the folder is as it was.
func TestReadAhead(t *testing.T) { // D-27, D-60
	const seed, count = 8, 6_000
	files := disk.New(room)
	files.SetSticky(true) // a cache that is dropped is no change of the folder
	commands := someCommands(seed, count)
	w, _, _ := open(t, small(files))
	if _, err := feed(w, commands, 29); err != nil {
		t.Fatal(err)
	}
	l := layoutOf(t, files)
	chance := rand.New(rand.NewPCG(seed, 2))
	seen := map[string]int{}
	for n := range 300 {
		damaged, refused := files.Clone(), msg.Seq(0)
		what := fmt.Sprintf("seed %d, case %d", seed, n)
		if n%3 != 0 {
			f := l.frames[chance.IntN(len(l.frames))]
			if n%5 == 0 {
				f = l.frames[len(l.frames)-1]
			}
			at := f.off + chance.Int64N(f.end-f.off)
			damaged.Edit(filepath.Join(dir, l.names[f.segment]), func(b []byte) { b[at] ^= 1 << chance.IntN(8) })
			what += fmt.Sprintf(", frame %d damaged at %d of segment %d", f.number, at, f.segment)
		}
		if n%2 != 0 {
			refused = 1 + msg.Seq(chance.IntN(count))
			what += fmt.Sprintf(", command %d refused", refused)
		}
		inTurn, left := replay(damaged, true, refused)
		ahead, leftAhead := replay(damaged, false, refused)
		if inTurn.err != ahead.err {
			t.Fatalf("%s: ahead %q, in turn %q", what, ahead.err, inTurn.err)
		}
		equal(t, ahead.held, inTurn.held)
		if inTurn.err == "" && fmt.Sprint(ahead.found) != fmt.Sprint(inTurn.found) {
			t.Fatalf("%s: ahead %+v, in turn %+v", what, ahead.found, inTurn.found)
		}
		for i, name := range l.names {
			path := filepath.Join(dir, name)
			was, a, b := damaged.Get(path), left.Get(path), leftAhead.Get(path)
			if !slices.Equal(a, b) || inTurn.err != "" && !slices.Equal(a, was) {
				t.Fatalf("%s: %q: segment %d is not left as it has to be: the same %v, as it was %v", what, inTurn.err, i, slices.Equal(a, b), slices.Equal(a, was))
			}
		}
		switch {
		case inTurn.err == errRefused.Error():
			seen["refused"]++
		case inTurn.err != "":
			seen["corrupt"]++
		case inTurn.found.Torn > 0:
			seen["torn"]++
		default:
			seen["whole"]++
		}
	}
	t.Logf("%v", seen)
	for _, class := range []string{"refused", "corrupt", "torn", "whole"} {
		if seen[class] == 0 {
			t.Errorf("no start was %s: %v", class, seen)
		}
	}
}
