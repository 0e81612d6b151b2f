package journal

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync/atomic"

	"github.com/lockstep-exchange/lockstep/engine"
	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/msg"
	"github.com/lockstep-exchange/lockstep/ring"
)

// Writer takes sequenced commands out of a lane and makes them durable (docs/decisions/0013-sequenced-lane.md).
//
//	hot thread: Append ... Publish --> lane --> Step, on the journal's thread: one frame, one write, one sync --> Durable
//	                                             ^ a spare segment now and then
//	                               Prepare, on a thread that may wait: zeros, sync, rename, sync of the folder
//
// Three threads may use a Writer: one calls Append and Publish, one Step, one Prepare; Durable, Release, Mark and Err are
// for everyone. Whoever has only one thread calls them in turn: nothing here waits for anything but the disk.
//
// Invariants. At most one frame is not synced (D-08): the next is written only after the sync of the last has succeeded.
// The first error of the disk is the last thing that happens: no write follows it, and Durable stays where it is (D-28).
type Writer struct {
	config  Config
	genesis Genesis
	origin  Hash
	lock    io.Closer
	lane    *ring.Lane[msg.Request] // from seq to seq without a gap, so that the number needs no room in it
	spares  spares

	_        [apart]byte
	appended msg.Seq // the hot thread's: the last command in the lane
	_        [apart]byte

	// The journal thread's.
	epoch   uint64
	file    File // of the segment; nil: none is open
	segment Segment
	place   Place
	frame   []byte      // what is being put together
	still   fixed.Nanos // when the last frame was written
	stalled bool
	closed  bool

	_       [apart]byte
	durable atomic.Uint64
	_       [apart]byte
	left    atomic.Int64 // bytes of the segment that are free
	fault   atomic.Pointer[StorageError]
}

// apart keeps what one thread writes often off the lines of others.
const apart = 128

// sealAfter is how long a batch stands unconfirmed when nothing follows it (D-20).
const sealAfter = 10 * fixed.Millisecond

// Lane is where sequenced commands wait for Step. Whoever claims and publishes there itself, without a gap in the numbers, does what
// Append and Publish do, and must not call them too.
func (w *Writer) Lane() *ring.Lane[msg.Request] { return w.lane }

// Append lays a sequenced command into the lane; it reports false when the lane is full, and then nothing has happened. It
// waits for nobody and allocates nothing. The journal sees it after Publish. A Seq that is not one above the last is a fault
// of the caller, and panics.
func (w *Writer) Append(c *msg.Command) bool {
	if c.Seq != w.appended+1 {
		panic("journal: a command out of sequence: Seq must be the last plus one")
	}
	slot := w.lane.Claim()
	if slot == nil {
		return false
	}

	slot.CopyFrom(&c.Request)
	w.appended++
	return true
}

// Publish shows the journal's thread what was appended, with one store.
func (w *Writer) Publish() { w.lane.Publish() }

// Waits reports whether commands wait for Step.
func (w *Writer) Waits() bool { return w.lane.Ready() }

// Durable is the last command that survives whatever the fault model covers.
func (w *Writer) Durable() msg.Seq { return msg.Seq(w.durable.Load()) }

// Release is the last command whose events may leave the process when those up to applied have been applied (D-32).
func (w *Writer) Release(applied msg.Seq) msg.Seq {
	if w.config.Mode == None {
		return applied
	}
	return min(applied, w.Durable())
}

// Mode is what a command waits for.
func (w *Writer) Mode() Mode { return w.config.Mode }

// Appended is the last command that Append took; from then on that Lane is used directly, the last one that was found.
func (w *Writer) Appended() msg.Seq { return w.appended }

// Epoch is the number of this start.
func (w *Writer) Epoch() uint64 { return w.epoch }

// Place is where the next frame goes; it belongs to the thread of Step.
func (w *Writer) Place() Place { return w.place }

// Err is the *StorageError that ended the journal, or nil.
func (w *Writer) Err() error {
	if f := w.fault.Load(); f != nil {
		return f
	}
	return nil
}

// fail ends the journal, unless an earlier error has, and returns what ended it.
func (w *Writer) fail(op, file string, err error) error {
	w.fault.CompareAndSwap(nil, &StorageError{op, file, err})
	return w.fault.Load()
}

// Doubt ends the journal by what somebody else has found out: that it does not say what was written, or that the disk fails beside it.
// The batch under way is the last one. Any thread may call it.
func (w *Writer) Doubt(err error) { _ = w.fail("follow", w.config.Dir, err) }

// Step makes one batch durable and returns how many commands were in it: all that wait, up to 512 and up to the configured
// bytes. 0 means that nothing waits, or that there is no room until Prepare has made some (Stalled). When nothing has
// waited for 10 ms after a batch, it is sealed; now is any clock that does not run back. It allocates nothing, but for a new
// segment. The error is a *StorageError, and final.
func (w *Writer) Step(now fixed.Nanos) (commands int, err error) {
	if err := w.Err(); err != nil {
		return 0, err
	}
	if w.closed {
		return 0, nil
	}
	if !w.lane.Ready() {
		if w.place.Kind == Batch && now-w.still >= sealAfter {
			return 0, w.confirm(Seal, now)
		}
		return 0, nil
	}
	if ok, err := w.makeRoom(); !ok || err != nil {
		return 0, err
	}

	count, size, first := w.gather()
	if err := w.put(Batch, count, size, first, now); err != nil {
		return 0, err
	}
	w.lane.Release()
	return count, nil
}

// Flush makes durable what was published, on the caller's thread, and makes room for it where there is none: for who has no other
// thread. The error is a *StorageError; a full disk is one here.
func (w *Writer) Flush() error {
	for w.Waits() {
		if _, err := w.Step(w.still); err != nil {
			return err
		}
		if !w.stalled {
			continue
		}
		if made, err := w.Prepare(); err != nil || !made {
			return errors.Join(err, failed("go on in", w.config.Dir, errNoRoom))
		}
	}
	return nil
}

// gather copies what waits behind the header of the next frame. It panics where time runs back.
func (w *Writer) gather() (count, size int, first fixed.Nanos) {
	last, room := w.place.Time, min(w.config.Batch, w.room())
	for count < countMax && size+commandMax <= room {
		r := w.lane.Next()
		if r == nil {
			break
		}
		if r.Time < last || r.Time > engine.MaxTime {
			panic(fmt.Sprintf("journal: command %d at time %d after %d: time that no engine takes", w.place.Seq+msg.Seq(count)+1, r.Time, last))
		}
		if count == 0 {
			first, last = r.Time, r.Time
		}
		count++
		size += pack(w.frame[headerSize+size:], last, r)
		last = r.Time
	}
	w.place.Time = last
	return count, size, first
}

// put writes one frame whose payload is in place, syncs it, and only then moves on.
func (w *Writer) put(kind FrameKind, count, size int, first, now fixed.Nanos) error {
	h := header{kind: kind, format: frameFormat, schema: schema, first: w.place.Seq + 1, epoch: w.epoch, number: w.place.Frame + 1,
		time: first, count: uint32(count), size: uint32(size), logic: logic, shard: w.genesis.Shard, previous: w.place.Head}
	head := h.put(w.frame)
	total := aligned(size, w.segment.Alignment)
	clear(w.frame[headerSize+size : total])
	if err := writeWhole(w.file, w.frame[:total], w.place.Offset); err != nil {
		return w.fail("write", w.place.File, err)
	}
	if w.config.Mode == Fsync {
		if err := w.file.Datasync(); err != nil {
			return w.fail("sync", w.place.File, err)
		}
	}

	w.place.Last, w.place.Offset = w.place.Offset, w.place.Offset+int64(total)
	w.place.Kind, w.place.Frame, w.place.Epoch, w.place.Head = kind, h.number, w.epoch, head
	w.place.Seq += msg.Seq(count)
	w.still = now
	w.left.Store(w.segment.Size - w.place.Offset)
	if w.config.Mode == Fsync {
		w.durable.Store(uint64(w.place.Seq))
	}
	return nil
}

// confirm writes a frame without commands, which confirms the batch before it; where that is the last one that fits, it is the
// end frame.
func (w *Writer) confirm(kind FrameKind, now fixed.Nanos) error {
	if w.room() < 0 {
		kind = End
	}
	return w.put(kind, 0, 0, w.place.Time, now)
}

// room is how many bytes of commands a frame may have, so that an end frame fits behind it; below 0 where no frame does.
func (w *Writer) room() int {
	if w.file == nil || w.place.ended() {
		return -1
	}
	a := int64(w.segment.Alignment)
	return int((w.segment.Size-w.place.Offset)/a*a) - aligned(0, w.segment.Alignment) - headerSize
}

// makeRoom sees to it that a command fits, and begins the next segment where it does not. It reports false when there is no
// spare to begin one in.
func (w *Writer) makeRoom() (bool, error) {
	if w.room() >= commandMax {
		w.stalled = false
		return true, nil
	}
	spare, ok := w.spares.take()
	w.stalled = !ok
	if !ok {
		return false, nil
	}
	if w.file != nil && !w.place.ended() {
		if err := w.put(End, 0, 0, w.place.Time, w.still); err != nil {
			return false, err
		}
	}
	return true, w.begin(spare)
}

// begin makes a spare the next segment: renamed first and headed then, because what bears the name of a spare is all zeros.
func (w *Writer) begin(spare string) error {
	number := w.place.Segment
	if w.file != nil {
		number++
	}
	name := fileName(w.genesis.Shard, number, segmentEnd)
	if w.file != nil {
		f := w.file
		w.file = nil
		if err := f.Close(); err != nil {
			return w.fail("close", w.place.File, err)
		}
	}
	if err := w.config.FS.Rename(w.path(spare), w.path(name)); err != nil {
		return w.fail("rename", name, err)
	}
	if err := w.config.FS.SyncDir(w.config.Dir); err != nil {
		return w.fail("sync the folder of", name, err)
	}
	w.place.Segment, w.place.File, w.place.Offset = number, name, 0
	if err := w.open(); err != nil {
		return err
	}
	return w.head()
}

// open opens the segment of the place.
func (w *Writer) open() error {
	f, err := w.config.FS.Open(w.path(w.place.File), os.O_RDWR)
	if err != nil {
		return w.fail("open", w.place.File, err)
	}
	w.file = f
	return nil
}

// head writes the header of a segment that has none.
func (w *Writer) head() error {
	size, err := w.file.Size()
	if err != nil {
		return w.fail("measure", w.place.File, err)
	}
	w.segment = Segment{Number: w.place.Segment, Cluster: w.genesis.Cluster, Shard: w.genesis.Shard, Mode: w.config.Mode,
		First: w.place.Seq + 1, Frame: w.place.Frame + 1, Epoch: w.epoch, Size: size, Alignment: w.config.Alignment,
		Previous: w.place.Head, Genesis: w.origin}
	w.segment.put(w.frame)
	if err := writeWhole(w.file, w.frame[:sectorSize], 0); err != nil {
		return w.fail("write", w.place.File, err)
	}
	if err := w.file.Datasync(); err != nil {
		return w.fail("sync", w.place.File, err)
	}
	w.place.Offset, w.place.Last = w.segment.start(), 0
	w.left.Store(w.segment.Size - w.place.Offset)
	return nil
}

func (w *Writer) path(name string) string { return filepath.Join(w.config.Dir, name) }

// Stalled reports whether commands wait for a spare segment; it belongs to the thread of Step.
func (w *Writer) Stalled() bool { return w.stalled }

// Close makes durable what waits, says so with a clean shutdown, and gives back the folder. Nobody may use the Writer meanwhile
// or later, but for Durable and Err. Where the journal has failed, nothing is written; where there is no room for the clean
// shutdown, it ends without one. The error is what ended the journal, if something did.
func (w *Writer) Close() error { return w.close(true) }

// Halt is Close without the clean shutdown: of an exchange that has ended by a fault.
func (w *Writer) Halt() error { return w.close(false) }

func (w *Writer) close(clean bool) error {
	if w.closed {
		return w.Err()
	}
	for {
		n, err := w.Step(w.still)
		if n == 0 && (err != nil || !w.Waits() || w.stalled && !w.provide()) {
			break
		}
	}
	if w.Err() == nil && clean {
		w.farewell()
	}
	w.closed = true
	return w.abandon()
}

// farewell writes the clean shutdown. What it fails with is what abandon gives.
func (w *Writer) farewell() {
	if w.room() < 0 {
		if ok, err := w.makeRoom(); !ok && err == nil && w.provide() {
			_, _ = w.makeRoom()
		}
	}
	if w.Err() == nil && w.file != nil && !w.place.ended() {
		_ = w.confirm(Shutdown, w.still)
	}
}

// abandon gives back what the system lent and writes nothing.
func (w *Writer) abandon() error {
	if w.file != nil {
		if err := w.file.Close(); err != nil && w.Err() == nil {
			_ = w.fail("close", w.place.File, err)
		}
		w.file = nil
	}
	if w.lock != nil {
		if err := w.lock.Close(); err != nil && w.Err() == nil {
			_ = w.fail("unlock", lockFile, err)
		}
		w.lock = nil
	}
	return w.Err()
}

// provide makes a spare at once, where there is room for one.
func (w *Writer) provide() bool {
	did, err := w.Prepare()
	return did && err == nil
}
