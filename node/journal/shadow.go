package journal

import (
	"errors"
	"sync/atomic"

	"github.com/lockstep-exchange/lockstep/engine"
	"github.com/lockstep-exchange/lockstep/msg"
)

// A Shadow follows the journal with an engine of its own, and writes snapshots of that one. The engine that trades is never stopped and
// never asked; what is written is what a recovery would come to, because it is made by one.
//
//	hot loop ──> engine
//	     └─────> journal ──> segment, segment, segment that is being written
//	                             └── closed ──> Shadow: verify, apply ── after so many bytes ──> snapshot ──> free older files
//
// It reads segments that are closed, so it is behind by up to one. A snapshot is taken behind the end frame of a segment, where
// no command is half done.

// Shadow is used by one thread, which may be slow: nobody waits for it. Last, Missed and Stop are for everyone.
type Shadow struct {
	shelf     *shelf
	reader    *Reader
	engine    *engine.Engine
	events    []msg.Event
	chronicle Chronicle
	every     int64  // bytes of segments between snapshots
	read      int64  // since the last one
	due       bool   // one is to be written at this place
	closed    uint64 // segments below it are closed
	synced    uint64 // likewise, and in mode none they are synced
	last      atomic.Pointer[Snapshot]
	missed    atomic.Int64
	stop      atomic.Bool
}

// NewShadow follows a journal from a place on, where e is the engine that has applied all commands before it, and that from now on
// is the Shadow's, and told the chronicle of all their events. A snapshot is due after every bytes of segments, those included that
// earlier runs have written since the last one.
func NewShadow(files FS, dir string, e *engine.Engine, from Place, told Chronicle, every int64) (*Shadow, error) {
	if e.Seq() != from.Seq {
		return nil, misfit("the engine of a shadow has applied %d commands, expected %d", e.Seq(), from.Seq)
	}
	r, err := NewReader(files, dir)
	if err != nil {
		return nil, err
	}
	s := &Shadow{shelf: r.shelf(), reader: r, engine: e, chronicle: told, every: every}
	if s.read, err = s.behind(from); err != nil {
		return nil, err
	}
	s.due = from.ended() && s.read >= every
	return s, r.Resume(from)
}

// behind is how many bytes the segments have that were closed before a place and since the newest snapshot.
func (s *Shadow) behind(p Place) (bytes int64, err error) {
	names, err := s.shelf.list()
	if err != nil {
		return 0, err
	}
	since := uint64(0)
	for _, name := range names {
		if shot, err := s.shelf.head(name); err == nil && shot.Place.Seq <= p.Seq {
			since = shot.Place.Segment + 1
			break
		}
	}
	for _, h := range s.reader.held {
		if h.number >= since && (h.number < p.Segment || h.number == p.Segment && p.ended()) {
			bytes += h.size
		}
	}
	return bytes, nil
}

// Last is the last snapshot that it wrote; without a File it has written none.
func (s *Shadow) Last() Snapshot {
	if last := s.last.Load(); last != nil {
		return *last
	}
	return Snapshot{}
}

// Missed is how many snapshots found no room on the disk.
func (s *Shadow) Missed() int { return int(s.missed.Load()) }

// Stop ends a snapshot that is being written, and lets Step do nothing more.
func (s *Shadow) Stop() { s.stop.Store(true) }

var errStopped = errors.New("the shadow has been told to stop")

// Seq is the last command that it has applied.
func (s *Shadow) Seq() msg.Seq { return s.engine.Seq() }

// Step applies one frame of a closed segment, or writes a snapshot where one is due. It reports false when there is nothing to do.
// A full disk is no error: the snapshot is left for the end of the next segment (D-54). Errors are *StorageError, *Corrupt,
// *Unknown and *Divergence, and final: what was journaled is not what is read, or brings about other events.
func (s *Shadow) Step() (bool, error) {
	if s.stop.Load() {
		return false, nil
	}
	r := s.reader
	if s.due {
		return true, s.publish()
	}
	if ok, err := s.follows(); !ok || err != nil {
		return false, err
	}
	r.over = false
	if !r.Next() {
		if r.Err() != nil {
			return false, r.Err()
		}
		return false, &Corrupt{r.place.File, r.place.Offset, "the end frame of a segment that is closed", "nothing more"}
	}
	commands := r.Commands()
	for i := range commands {
		s.events = s.engine.Apply(&commands[i], s.events[:0])
		if err := s.chronicle.Replay(&commands[i], s.events); err != nil {
			return false, err
		}
	}
	if r.place.ended() {
		s.read += r.segment.Size
		s.due = s.read >= s.every
	}
	return true, nil
}

// follows reports whether the next frame lies in a segment that is closed.
func (s *Shadow) follows() (bool, error) {
	r := s.reader
	next := r.place.Segment
	if r.place.ended() {
		next++
	}
	if next < s.closed {
		return true, nil
	}
	list, err := s.shelf.files.List(s.shelf.dir)
	if err != nil {
		return false, failed("list", s.shelf.dir, err)
	}
	held, err := segments(list, s.shelf.genesis.Shard)
	if err != nil {
		return false, err
	}
	for _, h := range held {
		if h.number > r.held[len(r.held)-1].number {
			r.held = append(r.held, h)
		}
	}
	s.closed = r.held[len(r.held)-1].number
	return next < s.closed, nil
}

// publish writes a snapshot of the place, and frees what it makes superfluous.
func (s *Shadow) publish() error {
	s.due = false
	if err := s.settle(); err != nil {
		return err
	}
	shot := Snapshot{Place: s.reader.place, Chronicle: s.chronicle, State: s.engine.Hash()}
	err := s.shelf.publish(&shot, func(put func([]byte) bool) bool {
		s.engine.Snapshot(func(piece []byte) bool { return !s.stop.Load() && put(piece) })
		return !s.stop.Load()
	})
	switch {
	case isFull(err):
		s.missed.Add(1)
		return nil
	case errors.Is(err, errStopped):
		return nil
	case err != nil:
		return err
	}
	s.read = 0
	s.last.Store(&shot)
	return s.shelf.free()
}

// settle syncs the segments of a journal that nobody has synced: it must not end before a snapshot of it does.
func (s *Shadow) settle() error {
	if s.reader.segment.Mode != None {
		return nil
	}
	for _, h := range s.reader.held {
		if h.number < s.synced || h.number > s.reader.place.Segment {
			continue
		}
		if err := s.shelf.open(h.name, func(f File) error { return failed("sync", h.name, f.Datasync()) }); err != nil {
			return err
		}
		s.synced = h.number + 1
	}
	return nil
}

// Close gives back what the system lent.
func (s *Shadow) Close() error { return s.reader.Close() }
