package journal

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/lockstep-exchange/lockstep/msg"
	"github.com/lockstep-exchange/lockstep/ring"
)

// How a journal is opened (D-47). Each step may be the last one before a crash: the next start finds a folder from which it comes
// to the same state (D-27).
//
//  1. The lock. Whoever does not get it has changed nothing. Where somebody restores snapshots, the newest that holds is restored.
//  2. Every frame is verified, from the older kept snapshot on, and the commands behind the restored one are handed over. A journal
//     that is damaged has not been changed.
//  3. What a torn write left behind is set to zero, and synced.
//  4. The epoch goes up, durably.
//  5. What was written last is written again, byte for byte, and synced: after a kill it may have been in the cache alone (D-26).
//
// A new journal gets its genesis record, its first segment and then its epoch: where there is an epoch, there is a segment.

const lockFile = "LOCK"

// Config says which journal is opened and how. Zero fields of the second part take the default in their comment.
type Config struct {
	FS      FS
	Dir     string // a folder that exists and is this journal's alone
	Genesis Genesis
	Mode    Mode // a journal keeps the mode in which it was begun

	Segment   int64 // bytes of a segment, a multiple of 4,096 from 16 KiB to 1 GiB; default 128 MiB
	Spares    int   // segments that are kept ready; default 2, which is also the fewest that are enough
	Alignment int   // of frames: 512, or 4,096 for devices that do not write a sector at once; default 512
	Batch     int   // bytes of commands in a frame, 126..65,536; default 65,536
	Ahead     int   // commands by which the hot loop may be ahead of the disk, a power of two in 2..4,096; default 4,096

	// Restore, where it is not nil, makes a state of the bytes of a snapshot: take gives the next ones, an empty piece is the end. Only
	// when accept is called is it the state behind which commands follow: a snapshot may turn out to be damaged at its very end, and
	// then, or with an error, Restore is called with the one before it.
	Restore func(s *Snapshot, take func() []byte) (accept func(), err error)

	// Alone has Open read and check on the caller's goroutine, between two calls of apply, and not ahead of them on another.
	Alone bool

	// Begins, where it is not nil, is told when a stage of Open begins: who has a clock can say how long each took.
	Begins func(Stage)
}

// Stage is a part of Open, by its steps.
type Stage uint8

const (
	Locking   Stage = iota // 1
	Restoring              // a snapshot
	Replaying              // 2: reading, verifying and handing over
	Settling               // 3 and 4
	Rewriting              // 5
)

func (s Stage) String() string {
	return [...]string{Locking: "lock", Restoring: "restore", Replaying: "verify and replay", Settling: "settle", Rewriting: "write the end again"}[s]
}

// Recovery is what a start has found and done (D-48).
type Recovery struct {
	Created  bool     // there was no journal before
	Snapshot Snapshot // that was restored; without a File none was, and all was replayed
	Passed   []string // what was wrong with newer ones
	Place    Place    // behind the last frame that held: its Seq is the last command, its Head the head of the chain
	Commands uint64
	Epoch    uint64 // of this start
	Torn     int64  // bytes of a torn frame that were set to zero
	Header   bool   // the header of a new segment had not been finished
	Dropped  int64  // in mode none: bytes behind the longest prefix that held
}

func (c *Config) complete() error {
	if c.Segment == 0 {
		c.Segment = 128 << 20
	}
	if c.Spares == 0 {
		c.Spares = 2
	}
	if c.Alignment == 0 {
		c.Alignment = sectorSize
	}
	if c.Batch == 0 {
		c.Batch = payloadMax
	}
	if c.Ahead == 0 {
		c.Ahead = ring.LaneSizeMax
	}
	switch {
	case c.FS == nil || c.Dir == "":
		return misfit("no folder was named")
	case c.Mode > None:
		return misfit("Mode is %d, expected Fsync or None", c.Mode)
	case c.Segment < 16<<10 || c.Segment > segmentMax || c.Segment%alignMax != 0:
		return misfit("Segment is %d, expected a multiple of %d in %d..%d", c.Segment, alignMax, 16<<10, segmentMax)
	case c.Spares < 1 || c.Spares > 64:
		return misfit("Spares is %d, expected 1..64", c.Spares)
	case c.Alignment != sectorSize && c.Alignment != alignMax:
		return misfit("Alignment is %d, expected %d or %d", c.Alignment, sectorSize, alignMax)
	case c.Batch < commandMax || c.Batch > payloadMax:
		return misfit("Batch is %d, expected %d..%d", c.Batch, commandMax, payloadMax)
	}
	return c.Genesis.check()
}

// Open opens the journal of a folder, or begins one, and hands every command that it holds to apply, in order, some hundreds at a time:
// the engine that has applied them is where the exchange stood. apply is called on the caller's goroutine. An error of apply ends it, before anything is changed, and is
// returned as it is; where apply is nil, the commands are verified only. It allocates what a Writer needs. The error else is *Running
// where another process has the folder, *Corrupt, *Unknown or *StorageError for what the disk says, and *Misfit where c is
// impossible or the folder is another journal's.
func Open(c Config, apply func([]msg.Command) error) (*Writer, Recovery, error) {
	if err := c.complete(); err != nil {
		return nil, Recovery{}, err
	}
	lane, err := ring.NewLane[msg.Request](c.Ahead)
	if err != nil {
		return nil, Recovery{}, misfit("Ahead: %v", err)
	}
	w := &Writer{config: c, genesis: c.Genesis, lane: lane,
		frame: make([]byte, frameMax+commandMax+packSlack)}
	w.begins(Locking)
	lock, err := c.FS.Lock(w.path(lockFile))
	if errors.Is(err, ErrLocked) {
		return nil, Recovery{}, &Running{c.Dir}
	}
	if err != nil {
		return nil, Recovery{}, failed("lock", lockFile, err)
	}
	w.lock = lock
	found, err := w.recover(apply)
	if err != nil {
		_ = w.abandon() // what went wrong first counts
		return nil, found, err
	}
	if err := w.look(false); err != nil {
		_ = w.abandon() // likewise
		return nil, found, err
	}
	w.appended = w.place.Seq
	w.durable.Store(uint64(w.place.Seq))
	return w, found, nil
}

// begins tells who wants to know that a stage begins.
func (w *Writer) begins(s Stage) {
	if w.config.Begins != nil {
		w.config.Begins(s)
	}
}

// recover is all of Open that needs the lock.
func (w *Writer) recover(apply func([]msg.Command) error) (found Recovery, err error) {
	files, dir := w.config.FS, w.config.Dir
	r, err := NewReader(files, dir)
	if errors.Is(err, fs.ErrNotExist) {
		found.Created = true
		if err = w.create(); err == nil {
			r, err = NewReader(files, dir)
		}
	}
	if err != nil {
		return found, err
	}
	defer func() { err = errors.Join(err, failed("close", r.place.File, r.Close())) }()
	if !r.genesis.fits(&w.genesis) {
		return found, misfit("%s holds the journal of %+v, expected %+v", dir, r.genesis, w.genesis)
	}
	w.origin, r.cold = r.origin, true
	if err := w.restore(r, &found); err != nil {
		return found, err
	}
	w.begins(Replaying)
	from := &found.Snapshot
	found.Commands, err = w.replay(r, from, apply)
	if err != nil {
		return found, err
	}
	tail := r.Tail()
	if at := &from.Place; tail.Frame < at.Frame {
		return found, &Corrupt{tail.File, tail.Offset, fmt.Sprintf("frame %d, behind which %s was taken", at.Frame, from.File), "the end of the journal"}
	}
	found.Place, found.Torn, found.Header, found.Dropped = tail.Place, tail.Torn, tail.Header, tail.Dropped
	if len(r.held) > 0 && r.segment.Genesis == r.origin && r.segment.Mode != w.config.Mode {
		return found, misfit("%s holds a journal in mode %v, expected %v: a journal keeps its mode", dir, r.segment.Mode, w.config.Mode)
	}
	w.place, w.segment, w.epoch = tail.Place, r.segment, max(r.started, tail.Epoch)+1
	found.Epoch = w.epoch
	w.begins(Settling)
	return found, w.settle(r, tail)
}

// restore restores the newest snapshot that holds, and lets the reader begin behind the older of those that are kept.
func (w *Writer) restore(r *Reader, found *Recovery) error {
	w.begins(Restoring)
	l := r.shelf()
	names, err := l.list()
	if err != nil {
		return err
	}
	from, unread := Snapshot{}, error(nil)
	for _, name := range names {
		if found.Snapshot.File != "" || w.config.Restore == nil {
			if s, err := l.head(name); err == nil && r.holds(s.Place.Segment) {
				from = s
			}
			continue
		}
		accept := func() {}
		s, err := l.read(name, func(s *Snapshot, take func() []byte) (err error) {
			accept, err = w.config.Restore(s, take)
			return err
		})
		if storage := (*StorageError)(nil); unread == nil && errors.As(err, &storage) {
			unread = err
		}
		if err == nil && !r.holds(s.Place.Segment) {
			err = &Corrupt{name, 24, "the segment behind which it was taken", "no such file"}
		}
		if err != nil {
			found.Passed = append(found.Passed, fmt.Sprintf("%s: %v", name, err))
			continue
		}
		accept()
		found.Snapshot, from = s, s
	}
	switch {
	case found.Snapshot.File != "":
		return r.Resume(from.Place)
	case r.Partial() && unread != nil:
		return unread // it may hold: the disk does not say
	case r.Partial():
		return &NoSnapshot{w.config.Dir, r.held[0].name, found.Passed}
	}
	return nil
}

// misses says that a journal has another frame where a snapshot was taken.
func (s *Snapshot) misses(r *Reader) error {
	if s.File == "" || r.place.Frame != s.Place.Frame || r.place.Head == s.Place.Head {
		return nil
	}
	return &Corrupt{s.File, 112, "the hash of frame " + fmt.Sprint(s.Place.Frame) + ", " + r.place.Head.String(), s.Place.Head.String()}
}

// create begins a journal with its genesis record. Nothing of an earlier one may lie in the folder.
func (w *Writer) create() error {
	list, err := w.config.FS.List(w.config.Dir)
	if err != nil {
		return failed("list", w.config.Dir, err)
	}
	for _, e := range list {
		if e.Name == epochFile || strings.HasSuffix(e.Name, segmentEnd) {
			return &Corrupt{genesisFile, 0, "a genesis record, because there is " + e.Name, "no file"}
		}
	}
	return replace(w.config.FS, w.config.Dir, genesisFile, w.genesis.bytes(limitsMax))
}

// settle brings the folder into the state in which frames may be written: steps 3 to 5.
func (w *Writer) settle(r *Reader, tail Tail) error {
	if err := w.sweep(); err != nil {
		return err
	}
	if tail.Dropped > 0 {
		if err := w.forget(r); err != nil {
			return err
		}
	}
	if len(r.held) == 0 {
		return w.first()
	}
	if err := w.open(); err != nil {
		return err
	}
	if err := w.cut(tail); err != nil {
		return err
	}
	w.left.Store(w.segment.Size - w.place.Offset)
	if tail.Header {
		return w.raise(w.head)
	}
	return w.raise(w.rewrite)
}

// first begins the first segment.
func (w *Writer) first() error {
	for w.Spares() == 0 {
		did, err := w.Prepare()
		if err != nil {
			return err
		}
		if !did {
			return failed("make the first segment of", w.config.Dir, errNoRoom)
		}
	}
	spare, _ := w.spares.take()
	return w.raise(func() error { return w.begin(spare) })
}

var errNoRoom = errors.New("no room for it")

// raise makes the new epoch durable around the step that writes for the first time. A header may come before its epoch, because
// nothing follows it yet.
func (w *Writer) raise(write func() error) error {
	if w.epoch == 1 {
		if err := write(); err != nil {
			return err
		}
	}
	if err := replace(w.config.FS, w.config.Dir, epochFile, epochLine(w.epoch)); err != nil {
		return err
	}
	if w.epoch == 1 {
		return nil
	}
	return write()
}

// sweep removes what was never finished, and notes the spares.
func (w *Writer) sweep() error {
	list, err := w.config.FS.List(w.config.Dir)
	if err != nil {
		return failed("list", w.config.Dir, err)
	}
	for _, e := range list {
		if strings.HasSuffix(e.Name, freshEnd) {
			if err := w.config.FS.Remove(w.path(e.Name)); err != nil {
				return failed("remove", e.Name, err)
			}
		}
		if shard, number, ok := parseName(e.Name, spareEnd); ok && shard == w.genesis.Shard {
			w.spares.found = append(w.spares.found, e.Name)
			w.spares.next = max(w.spares.next, number)
		}
	}
	return failed("sync the folder", w.config.Dir, w.config.FS.SyncDir(w.config.Dir))
}

// forget removes the segments behind the prefix that is kept, the last one first.
func (w *Writer) forget(r *Reader) error {
	for _, h := range slices.Backward(r.held) {
		if h.number <= w.place.Segment {
			break
		}
		if err := w.config.FS.Remove(w.path(h.name)); err != nil {
			return failed("remove", h.name, err)
		}
	}
	return failed("sync the folder", w.config.Dir, w.config.FS.SyncDir(w.config.Dir))
}

// cut sets to zero what lies behind the last frame that holds.
func (w *Writer) cut(tail Tail) error {
	n := max(tail.Torn, tail.Dropped)
	if n == 0 {
		return nil
	}
	size, err := w.file.Size()
	if err != nil {
		return failed("measure", w.place.File, err)
	}
	if err := w.file.Zero(tail.Offset, min(n, size-tail.Offset)); err != nil {
		return failed("zero", w.place.File, err)
	}
	return failed("sync", w.place.File, w.file.Sync())
}

// rewrite writes the last frame of the last segment again, or its header where it has no frame, as it is found on the disk.
func (w *Writer) rewrite() error {
	w.begins(Rewriting)
	f, err := w.config.FS.Open(filepath.Join(w.config.Dir, w.place.File), os.O_RDWR)
	if err != nil {
		return failed("open", w.place.File, err)
	}
	from, n := w.place.Last, w.place.Offset-w.place.Last
	if from == 0 {
		n = sectorSize
	}
	b := w.frame[:n]
	if err = f.DropCache(from, n); err == nil {
		err = readWhole(f, b, from)
	}
	if err == nil && !w.isLast(b) {
		err = &Corrupt{w.place.File, from, "what was there a moment ago", "something else"}
	}
	if err == nil {
		err = writeWhole(f, b, from)
	}
	if err == nil {
		err = f.Datasync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		if corrupt := (*Corrupt)(nil); errors.As(err, &corrupt) {
			return corrupt
		}
		return failed("write again", w.place.File, err)
	}
	return nil
}

// isLast reports whether b is what the last frame was, or the header, when it was verified.
func (w *Writer) isLast(b []byte) bool {
	if w.place.Last == 0 {
		var header [sectorSize]byte
		w.segment.put(header[:])
		return bytes.Equal(b, header[:])
	}
	var h header
	if !h.parse(b) || h.number != w.place.Frame {
		return false
	}
	return h.put(bytes.Clone(b)) == w.place.Head
}
