package journal

import (
	"errors"
	"io/fs"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
)

// Spares are segments to be: files of the right size that are zero from end to end, synced, and named so only then. With them
// at hand a batch never meets a full disk (D-19), and a full disk is seen long before it matters.
//
//	NAME.spare.tmp --zeros, sync--> NAME.spare --sync of the folder--> counted --begin--> a segment
//
// Spares that lie there at a start are looked at before they count.

type spares struct {
	sync.Mutex
	ready []string // counted
	found []string // at the start, not looked at yet
	next  uint64   // the number of the next one
	count atomic.Int32
	low   atomic.Bool // there is no room for another
}

// take gives a spare away.
func (s *spares) take() (name string, ok bool) {
	s.Lock()
	defer s.Unlock()
	if len(s.ready) == 0 {
		return "", false
	}
	name = s.ready[0]
	s.ready = slices.Delete(s.ready, 0, 1)
	s.count.Store(int32(len(s.ready)))
	return name, true
}

func (s *spares) add(name string) {
	s.Lock()
	defer s.Unlock()
	s.ready = append(s.ready, name)
	s.count.Store(int32(len(s.ready)))
}

// Mark says how far the disk is full (D-51, D-52).
type Mark uint8

const (
	Roomy Mark = iota // there is room for more spares
	Soft              // two spares are left at most, and there is no room for another
	Hard              // no spare is left either, and of the segment only what is needed for the commands that are already applied
)

func (m Mark) String() string {
	switch m {
	case Soft:
		return "soft"
	case Hard:
		return "hard"
	}
	return "roomy"
}

// softSpares is how many spares are few.
const softSpares = 2

// Mark is how far the disk is full, as of the last Step and Prepare.
func (w *Writer) Mark() Mark {
	count := w.spares.count.Load()
	switch {
	case count == 0 && w.spares.low.Load() && w.left.Load() <= w.reserve():
		return Hard
	case count <= softSpares && w.spares.low.Load():
		return Soft
	}
	return Roomy
}

// reserve is what has to be left for all that the lane holds, were each command a frame of its own, and for two batches.
func (w *Writer) reserve() int64 {
	return int64(w.lane.Size()*w.config.Alignment + 2*w.config.Batch)
}

// Spares is how many spares are counted.
func (w *Writer) Spares() int { return int(w.spares.count.Load()) }

// Prepare makes one spare, or looks at one that was found, if there are fewer than configured; and finds out whether there is
// room for more. It waits for the disk as long as that takes. It reports whether it got one. A full disk is no error (D-54);
// any other is a *StorageError and ends the journal.
func (w *Writer) Prepare() (bool, error) {
	if err := w.Err(); err != nil {
		return false, err
	}
	made, wanted := false, w.Spares() < w.config.Spares
	if wanted {
		var err error
		if made, err = w.makeSpare(); err != nil {
			return false, err
		}
	}
	return made, w.look(wanted && !made)
}

// look finds out whether there is room for another spare; refused says that there was none for the last one.
func (w *Writer) look(refused bool) error {
	free, err := w.config.FS.Free(w.config.Dir)
	if err != nil {
		return w.fail("measure", w.config.Dir, err)
	}
	w.spares.low.Store(refused || free < uint64(w.config.Segment))
	return nil
}

func (w *Writer) makeSpare() (bool, error) {
	if n := len(w.spares.found); n > 0 {
		name := w.spares.found[n-1]
		w.spares.found = w.spares.found[:n-1]
		return w.recount(name)
	}
	if free, err := w.config.FS.Free(w.config.Dir); err != nil {
		return false, w.fail("measure", w.config.Dir, err)
	} else if free < uint64(w.config.Segment) {
		return false, nil // not tried: where room cannot be asked for in one piece, that would fill the disk to the end, ten times a second
	}
	w.spares.next++
	name := fileName(w.genesis.Shard, w.spares.next, spareEnd)
	fresh := name + freshEnd
	err := w.fill(fresh)
	if isFull(err) {
		if err := w.config.FS.Remove(w.path(fresh)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return false, w.fail("remove", fresh, err)
		}
		return false, nil
	}
	if err != nil {
		return false, w.fail("write", fresh, err)
	}
	if err := w.config.FS.Rename(w.path(fresh), w.path(name)); err != nil {
		return false, w.fail("rename", name, err)
	}
	if err := w.config.FS.SyncDir(w.config.Dir); err != nil {
		return false, w.fail("sync the folder of", name, err)
	}
	w.spares.add(name)
	return true, nil
}

// isFull reports whether there was no room, on the disk or in what its owner is allowed of it.
func isFull(err error) bool { return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) }

// fill makes a file of zeros.
func (w *Writer) fill(name string) error {
	f, err := w.config.FS.Open(w.path(name), os.O_RDWR|os.O_CREATE)
	if err != nil {
		return err
	}
	if err = f.Zero(0, w.config.Segment); err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

// recount counts a spare that an earlier process has left, if it is what a spare has to be, and removes it if not.
func (w *Writer) recount(name string) (bool, error) {
	f, err := w.config.FS.Open(w.path(name), os.O_RDONLY)
	if err != nil {
		return false, w.fail("open", name, err)
	}
	good, err := w.isSpare(f)
	if err = errors.Join(err, f.Close()); err != nil {
		return false, w.fail("read", name, err)
	}
	if !good {
		if err := w.config.FS.Remove(w.path(name)); err != nil {
			return false, w.fail("remove", name, err)
		}
		return true, nil
	}
	w.spares.add(name)
	return true, nil
}

// isSpare reports whether a file has the size of a segment and nothing in it.
func (w *Writer) isSpare(f File) (bool, error) {
	size, err := f.Size()
	if err != nil || size != w.config.Segment {
		return false, err
	}
	piece := make([]byte, min(size, 1<<18))
	for off := int64(0); off < size; off += int64(len(piece)) {
		b := piece[:min(int64(len(piece)), size-off)]
		if err := readWhole(f, b, off); err != nil {
			return false, err
		}
		if !blank(b) {
			return false, nil
		}
	}
	return true, nil
}
