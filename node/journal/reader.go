package journal

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"github.com/lockstep-exchange/lockstep/engine"
	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/msg"
)

// Reader goes through a journal frame by frame and checks all there is to check (D-23): checksums, chain, seqs and frame numbers
// without gap, epochs and times that never fall. It only reads, so it may read a folder that a running exchange writes: what is
// being written while it looks counts as a torn tail.
//
//	r, err := journal.NewReader(files, dir)
//	for r.Next() {
//		for i := range r.Commands() { ... }
//	}
//	r.Err()  // nil, or what is wrong
//	r.Tail() // where it ends, and whether in the middle of a frame
type Reader struct {
	files   FS
	dir     string
	genesis Genesis
	origin  Hash   // of the genesis record
	started uint64 // the epoch of the last start
	held    []held

	cold    bool // what is read of the last segment comes from the disk, not from a cache
	at      int  // the segment that is read
	file    File
	segment Segment
	window  []byte // a piece of it, from base on
	base    int64

	place    Place
	from     msg.Seq // commands before it are passed over
	found    header
	commands []msg.Command
	room     []msg.Command
	tail     Tail
	over     bool
	err      error
}

// Place is a point between two frames.
type Place struct {
	Segment uint64
	File    string      // of the segment
	Offset  int64       // where the next frame begins
	Last    int64       // where the last one began; 0: none in this segment
	Kind    FrameKind   // of the last frame; 0: none yet
	Seq     msg.Seq     // of the last command
	Frame   uint64      // number of the last frame
	Epoch   uint64      // of the last frame
	Time    fixed.Nanos // of the last command, where one was read
	Head    Hash        // of the last frame: the head of the chain
}

// ended reports whether the segment is closed: the next frame belongs into the one after it.
func (p *Place) ended() bool { return p.Kind == End && p.Last != 0 }

// Tail is how a journal ends.
type Tail struct {
	Place         // behind the last frame that holds
	Torn    int64 // bytes from there on that a write left behind which did not finish; 0: a clean end
	Header  bool  // it is the header of the last segment that was not finished
	Dropped int64 // in mode none: bytes behind Place that hold something
}

// windowSize is how much is read at a time.
const windowSize = 2 * frameMax

// NewReader opens the journal of a folder. fs.ErrNotExist says that there is none.
func NewReader(files FS, dir string) (*Reader, error) {
	genesis, origin, err := readGenesis(files, dir)
	if err != nil {
		return nil, err
	}
	r := &Reader{files: files, dir: dir, genesis: genesis, origin: origin, at: -1,
		window: make([]byte, 0, windowSize), room: make([]msg.Command, countMax)}
	if r.started, err = readEpoch(files, dir); err != nil {
		return nil, err
	}
	list, err := files.List(dir)
	if err != nil {
		return nil, failed("list", dir, err)
	}
	if r.held, err = segments(list, genesis.Shard); err != nil {
		return nil, err
	}
	if len(r.held) == 0 && r.started > 0 {
		return nil, &Corrupt{fileName(genesis.Shard, 0, segmentEnd), 0, "the first segment", "no segment at all"}
	}
	return r, r.toStart()
}

// toStart goes before the first segment that is there. Where older ones have been freed, what they held is taken on trust.
func (r *Reader) toStart() error {
	r.place = Place{File: fileName(r.genesis.Shard, 0, segmentEnd), Head: r.origin}
	if !r.Partial() {
		return nil
	}
	s, ok, err := r.headerOf(0)
	if err == nil && !ok {
		err = &Corrupt{r.held[0].name, 0, "the header of a segment", "something else"}
	}
	r.place = r.before(0, &s)
	return err
}

// before is the place before a segment, by its header.
func (r *Reader) before(i int, s *Segment) Place {
	return Place{Segment: s.Number, File: r.held[i].name, Seq: s.First - 1, Frame: s.Frame - 1, Epoch: s.Epoch, Head: s.Previous}
}

// Partial reports whether the first segments have been freed: who wants the state needs a snapshot.
func (r *Reader) Partial() bool { return len(r.held) > 0 && r.held[0].number > 0 }

// holds reports whether a segment is there.
func (r *Reader) holds(number uint64) bool {
	return len(r.held) > 0 && number >= r.held[0].number && number <= r.held[len(r.held)-1].number
}

func (r *Reader) shelf() *shelf { return &shelf{r.files, r.dir, r.genesis, r.origin} }

// Snapshots reads the headers of the snapshots beside the journal, the newest first, and verifies them as far as their checksums say. wrong
// has what does not hold.
func (r *Reader) Snapshots() (good []Snapshot, wrong []error) {
	l := r.shelf()
	names, err := l.list()
	if err != nil {
		return nil, []error{err}
	}
	for _, name := range names {
		switch s, err := l.verify(name); {
		case errors.Is(err, fs.ErrNotExist): // a running exchange has removed it
		case err != nil:
			wrong = append(wrong, err)
		default:
			good = append(good, s)
		}
	}
	return good, wrong
}

// NoSnapshot says that one is missing that stands for the segments that are gone.
func (r *Reader) NoSnapshot() error { return &NoSnapshot{r.dir, r.held[0].name, nil} }

// Load hands the state of a snapshot to use, as Config.Restore gets it.
func (r *Reader) Load(s *Snapshot, use func(take func() []byte) error) error {
	_, err := r.shelf().read(s.File, func(_ *Snapshot, take func() []byte) error { return use(take) })
	return err
}

// Resume goes to a place that was reached before: the next frame is the one behind it.
func (r *Reader) Resume(p Place) error {
	i := slices.IndexFunc(r.held, func(h held) bool { return h.number == p.Segment })
	if i < 0 {
		return &Corrupt{p.File, 0, "the segment of frame " + strconv.FormatUint(p.Frame, 10), "no file"}
	}
	s, ok, err := r.headerOf(i)
	if err != nil {
		return err
	}
	if !ok {
		return &Corrupt{p.File, 0, "the header of a segment", "something else"}
	}
	if err := r.rewind(i+1, 0); err != nil {
		return err
	}
	r.segment, r.place = s, p
	if p.ended() {
		return nil
	}
	if r.file, err = r.files.Open(filepath.Join(r.dir, p.File), os.O_RDONLY); err != nil {
		return failed("open", p.File, err)
	}
	r.window, r.base = r.window[:0], 0
	return nil
}

// Genesis is what the journal is the journal of.
func (r *Reader) Genesis() Genesis { return r.genesis }

// Started is the epoch of the last start, 0 before the first.
func (r *Reader) Started() uint64 { return r.started }

// Segments is how many segments there are.
func (r *Reader) Segments() int { return len(r.held) }

// Segment is the header of the segment that is read.
func (r *Reader) Segment() Segment { return r.segment }

// Place is the point behind the frame that was read last.
func (r *Reader) Place() Place { return r.place }

// Commands are those of the frame that was read last, until Next.
func (r *Reader) Commands() []msg.Command { return r.commands }

// Err is why Next gave false: nil at the end of the journal, *Corrupt, *Unknown or *StorageError.
func (r *Reader) Err() error { return r.err }

// Tail is how the journal ends, after Next has given false with no error.
func (r *Reader) Tail() Tail { return r.tail }

// Close gives back what the system lent.
func (r *Reader) Close() error {
	if r.file == nil {
		return nil
	}
	f := r.file
	r.file = nil
	return f.Close()
}

// Seek goes to the segment that holds the command seq, or would: the next frame has that command or a later one, and Commands
// begins with it. What lies in earlier segments is taken on trust: the header of this one names their last hash.
func (r *Reader) Seek(seq msg.Seq) error {
	for i := len(r.held) - 1; i > 0; i-- {
		s, ok, err := r.headerOf(i)
		if err != nil {
			return err
		}
		if ok && s.First <= seq {
			r.place = r.before(i, &s)
			return r.rewind(i, seq)
		}
	}
	if err := r.toStart(); err != nil {
		return err
	}
	return r.rewind(0, seq)
}

func (r *Reader) rewind(segment int, seq msg.Seq) error {
	r.at, r.from, r.over, r.err, r.commands, r.tail = segment-1, seq, false, nil, nil, Tail{}
	return failed("close", r.place.File, r.Close())
}

// headerOf is the header of a segment, if it can be read as one.
func (r *Reader) headerOf(i int) (s Segment, ok bool, err error) {
	var b [sectorSize]byte
	if r.held[i].size < sectorSize {
		return s, false, nil
	}
	f, err := r.files.Open(filepath.Join(r.dir, r.held[i].name), os.O_RDONLY)
	if err != nil {
		return s, false, failed("open", r.held[i].name, err)
	}
	if err := readWhole(f, b[:], 0); err != nil {
		_ = f.Close() // only read
		return s, false, failed("read", r.held[i].name, err)
	}
	format, ok := s.parse(b[:])
	return s, ok && format == segmentFormat, failed("close", r.held[i].name, f.Close())
}

// Next reads one frame more. It gives false at the end and where something is wrong.
func (r *Reader) Next() bool {
	for !r.over {
		r.commands = nil
		if r.file == nil || r.place.ended() {
			r.over = !r.turn()
			continue
		}
		if !r.frame() {
			r.over = true
			break
		}
		if r.place.Seq < r.from && r.found.count > 0 {
			continue
		}
		r.commands = r.room[:r.found.count]
		for len(r.commands) > 0 && r.commands[0].Seq < r.from {
			r.commands = r.commands[1:]
		}
		return true
	}
	return false
}

// corrupt ends the reading.
func (r *Reader) corrupt(off int64, expected, found string) bool {
	if r.promisesNothing() {
		return r.drop()
	}
	r.err = &Corrupt{r.held[r.at].name, off, expected, found}
	return false
}

// unknown ends the reading.
func (r *Reader) unknown(off int64, what string, found uint64, known string) bool {
	r.err = &Unknown{r.held[r.at].name, off, what, found, known}
	return false
}

// turn goes on to the next segment.
func (r *Reader) turn() bool {
	if r.file != nil {
		if off := r.lastByte(r.place.Offset); r.err != nil || off >= 0 {
			return r.err == nil && r.corrupt(off, "zeros behind the end of the segment", "something else")
		}
		if r.err = failed("close", r.place.File, r.Close()); r.err != nil {
			return false
		}
	}
	if r.at+1 == len(r.held) {
		r.tail = Tail{Place: r.place}
		return false
	}
	r.at++
	h := r.held[r.at]
	r.place.Segment, r.place.File, r.place.Offset, r.place.Last = h.number, h.name, 0, 0
	var err error
	if r.file, err = r.files.Open(filepath.Join(r.dir, h.name), os.O_RDONLY); err != nil {
		r.err = failed("open", h.name, err)
		return false
	}
	if r.cold && r.at+1 == len(r.held) {
		if r.err = failed("drop the cache of", h.name, r.file.DropCache(0, h.size)); r.err != nil {
			return false
		}
	}
	r.window, r.base = r.window[:0], 0
	return r.begin()
}

// begin looks at the header of the segment.
func (r *Reader) begin() bool {
	h := &r.held[r.at]
	if h.size < alignMax || h.size%sectorSize != 0 {
		return r.corrupt(0, fmt.Sprintf("a file of at least %d bytes, in whole sectors", alignMax), fmt.Sprintf("%d bytes", h.size))
	}
	b := r.view(0, sectorSize)
	if b == nil {
		return false
	}
	var s Segment
	format, ok := s.parse(b)
	if !ok {
		return r.unfinished()
	}
	if format != segmentFormat {
		return r.unknown(4, "segment format", uint64(format), fmt.Sprint(segmentFormat))
	}
	wrong := func(off int64, expected, found any) bool {
		return r.corrupt(off, fmt.Sprint(expected), fmt.Sprint(found))
	}
	switch {
	case s.Mode > None:
		return r.unknown(6, "sync discipline", uint64(s.Mode), "fsync or none")
	case s.Cluster != r.genesis.Cluster:
		return wrong(8, fmt.Sprintf("cluster %d", r.genesis.Cluster), s.Cluster)
	case s.Shard != r.genesis.Shard:
		return wrong(16, fmt.Sprintf("shard %d", r.genesis.Shard), s.Shard)
	case s.Number != h.number:
		return wrong(24, fmt.Sprintf("segment %d", h.number), s.Number)
	case s.First != r.place.Seq+1:
		return wrong(32, fmt.Sprintf("first seq %d", r.place.Seq+1), s.First)
	case s.Frame != r.place.Frame+1:
		return wrong(40, fmt.Sprintf("first frame %d", r.place.Frame+1), s.Frame)
	case s.Epoch < r.place.Epoch || s.Epoch == 0:
		return wrong(48, fmt.Sprintf("an epoch not below %d", max(r.place.Epoch, 1)), s.Epoch)
	case s.Size != h.size:
		return wrong(56, fmt.Sprintf("a file of %d bytes", s.Size), h.size)
	case s.Alignment != sectorSize && s.Alignment != alignMax:
		return r.unknown(64, "frame alignment", uint64(s.Alignment), "512 or 4096")
	case s.Previous != r.place.Head:
		return wrong(80, "the hash of the frame before, "+r.place.Head.String(), s.Previous)
	case s.Genesis != r.origin:
		return wrong(112, "genesis hash "+r.origin.String(), s.Genesis)
	case r.segment.Genesis == r.origin && s.Mode != r.segment.Mode:
		return wrong(6, "sync discipline "+r.segment.Mode.String(), s.Mode)
	}
	if b = r.view(0, s.Alignment); b == nil {
		return false
	}
	var again [sectorSize]byte
	s.put(again[:])
	if !bytes.Equal(again[:], b[:sectorSize]) || !blank(b[sectorSize:]) {
		return r.corrupt(sectorSize, "zeros up to the first frame", "something else")
	}
	r.segment = s
	r.place.Offset, r.place.Epoch = s.start(), s.Epoch
	return true
}

// unfinished says what a bad header means. Nothing follows a header before it is synced: if nothing follows this one, a crash
// explains it.
func (r *Reader) unfinished() bool {
	last := r.lastByte(sectorSize)
	if last >= 0 { // beside a running exchange: it has been finished since
		r.window = r.window[:0]
		if b := r.view(0, sectorSize); b != nil {
			if _, ok := new(Segment).parse(b); ok {
				return r.begin()
			}
		}
	}
	switch {
	case r.err != nil:
		return false
	case last >= 0:
		return r.corrupt(0, "the header of a segment, because frames follow", "something else")
	case r.at+1 < len(r.held):
		return r.corrupt(0, "the header of a segment, because more segments follow", "something else")
	case r.held[r.at].number == 0 && r.started > 0:
		return r.corrupt(0, fmt.Sprintf("the header of a segment, because epoch %d has begun", r.started), "something else")
	}
	r.tail = Tail{Place: r.place, Header: true}
	if first := r.lastByte(0); first >= 0 {
		r.tail.Torn = first + 1
	}
	return false
}

// frame reads the frame at the place.
func (r *Reader) frame() bool {
	off := r.place.Offset
	if off+headerSize > r.segment.Size {
		return r.corrupt(off, "the end frame of the segment", "the end of the file")
	}
	b := r.view(off, headerSize)
	if b == nil {
		return false
	}
	h := &r.found
	if !h.parse(b) {
		return r.end("no header")
	}
	if !r.known(off) {
		return false
	}
	total := int64(aligned(int(h.size), r.segment.Alignment))
	if !h.bounded() || off+total > r.segment.Size {
		return r.corrupt(off+40, "lengths that are possible", fmt.Sprintf("%d commands in %d bytes", h.count, h.size))
	}
	if b = r.view(off, int(total)); b == nil {
		return false
	}
	body, rest := b[:headerSize+h.size], b[headerSize+h.size:]
	if h.check != crc(body[headerSize:]) {
		return r.end("a payload with another checksum")
	}
	if !r.continues(off) {
		return false
	}
	if !blank(b[96:120]) || h.flags != 0 {
		return r.corrupt(off+52, "zeros where nothing is said", "something else")
	}
	if !blank(rest) {
		return r.corrupt(off+int64(len(body)), "zeros up to the next frame", "something else")
	}
	last := r.place.Time
	if !r.decode(off, body[headerSize:], &last) {
		return false
	}

	r.place.Last, r.place.Offset = off, off+total
	r.place.Kind, r.place.Frame, r.place.Epoch = h.kind, h.number, h.epoch
	r.place.Seq, r.place.Time = h.first+msg.Seq(h.count)-1, last
	r.place.Head = sha256.Sum256(body)
	return true
}

// known refuses what a newer binary wrote.
func (r *Reader) known(off int64) bool {
	h := &r.found
	switch {
	case h.format != frameFormat:
		return r.unknown(off+5, "frame format", uint64(h.format), fmt.Sprint(frameFormat))
	case h.kind == 0 || h.kind >= frameKinds:
		return r.unknown(off+4, "frame kind", uint64(h.kind), fmt.Sprintf("1..%d", frameKinds-1))
	case h.schema == 0 || h.schema > schema:
		return r.unknown(off+6, "command schema", uint64(h.schema), fmt.Sprintf("1..%d", schema))
	case h.logic != logic:
		return r.unknown(off+48, "logic version", uint64(h.logic), fmt.Sprint(logic))
	}
	return true
}

// continues holds a whole frame to its place in the chain. A torn frame is never whole, because what it tears lay in zeros: one that
// is whole and belongs elsewhere was misdirected, is old, or has lost those before it.
func (r *Reader) continues(off int64) bool {
	h, p := &r.found, &r.place
	wrong := func(at int64, what string, expected, found any) bool {
		return r.corrupt(off+at, fmt.Sprintf("%s %v", what, expected), fmt.Sprint(found))
	}
	switch {
	case h.shard != r.genesis.Shard:
		return wrong(56, "shard", r.genesis.Shard, h.shard)
	case h.number != p.Frame+1:
		return wrong(24, "frame", p.Frame+1, h.number)
	case h.first != p.Seq+1:
		return wrong(8, "first seq", p.Seq+1, h.first)
	case h.previous != p.Head:
		return wrong(64, "the hash of the frame before,", p.Head, h.previous)
	case h.epoch < p.Epoch:
		return wrong(16, "an epoch not below", p.Epoch, h.epoch)
	case h.epoch > r.started && !r.begun(h.epoch):
		return wrong(16, "an epoch not above that of the last start,", r.started, h.epoch)
	case p.Kind == Shutdown && h.epoch == p.Epoch:
		return wrong(16, "an epoch above that of the clean shutdown before,", p.Epoch, h.epoch)
	}
	return true
}

// begun reports whether an epoch has begun, be it since the journal was opened to be read.
func (r *Reader) begun(epoch uint64) bool {
	if started, err := readEpoch(r.files, r.dir); err == nil {
		r.started = max(r.started, started)
	}
	return epoch <= r.started
}

// decode reads the commands of a frame.
func (r *Reader) decode(off int64, b []byte, last *fixed.Nanos) bool {
	h := &r.found
	at, before := 0, h.time
	for i := range h.count {
		c := &r.room[i]
		n := r.command(b[at:], h.first+msg.Seq(i), before, c)
		switch {
		case n == 0:
			return r.corrupt(off+int64(headerSize+at), fmt.Sprintf("command %d", h.first+msg.Seq(i)), "something else, or the end of the frame")
		case c.Time < *last:
			return r.corrupt(off+int64(headerSize+at), fmt.Sprintf("a time not below %d", *last), fmt.Sprint(c.Time))
		case c.Time > engine.MaxTime:
			return r.corrupt(off+int64(headerSize+at), fmt.Sprintf("a time up to %d", engine.MaxTime), fmt.Sprint(c.Time))
		}
		*last, before = c.Time, c.Time
		at += n
	}
	switch {
	case at != len(b):
		return r.corrupt(off+int64(headerSize+at), "the end of the frame", "more bytes")
	case h.count > 0 && h.time != r.room[0].Time:
		return r.corrupt(off+32, fmt.Sprintf("time %d", r.room[0].Time), fmt.Sprint(h.time))
	}
	return true
}

// command reads one as the schema of its frame says, and returns how many bytes it took, 0 where b holds none.
func (r *Reader) command(b []byte, seq msg.Seq, before fixed.Nanos, c *msg.Command) int {
	if r.found.schema == 1 {
		return getLines(b, seq, c)
	}
	c.Seq = seq
	if len(b) >= commandMax+packSlack {
		return unpack(b, before, c)
	}
	var end [commandMax + packSlack]byte // of the frame: what lies behind it is not the command's
	copy(end[:], b)
	n := unpack(end[:], before, c)
	if n > len(b) {
		return 0
	}
	return n
}

// view is a piece of the segment, from the file where the window does not hold it.
func (r *Reader) view(off int64, n int) []byte {
	if off < r.base || off+int64(n) > r.base+int64(len(r.window)) {
		size := min(int64(windowSize), r.held[r.at].size-off)
		r.window, r.base = r.window[:size], off
		if err := readWhole(r.file, r.window, off); err != nil {
			r.window = r.window[:0]
			r.err = failed("read", r.held[r.at].name, err)
			return nil
		}
	}
	return r.window[off-r.base:][:n]
}
