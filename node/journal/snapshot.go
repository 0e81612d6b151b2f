package journal

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"io/fs"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/msg"
)

// A snapshot is the state of the engine behind a frame, in a file beside the segments (D-44). All numbers are little-endian.
//
//	  0 magic u32 | 4 format u16 | 6 command schema u16 | 8 cluster u64 | 16 shard u64
//	 24 segment u64 | 32 offset in it of the next frame u64 | 40 offset of the last frame u64
//	 48 seq u64 | 56 frame number u64 | 64 epoch u64 | 72 engine time i64
//	 80 digest of all events so far, its two words u64 | 96 hash of the state u64 | 104 logic version u32 | 108 kind of the last frame u8
//	112 hash of the last frame, 32 bytes: the head of the chain | 144 genesis hash, 32 bytes
//	176 SHA-256 of the state, 32 bytes | 208 bytes of the state u64 | 216 chunks u32 | 220 zero | 224 version of the binary, 64 bytes
//	288 the 16 hashes of events that are kept for checkpoints, each seq u64 and hash u64: 256 bytes | 544 zeros | 1020 CRC32C of bytes 0-1019
//	1024 chunks: bytes u32 | CRC32C of them u32 | so many bytes of the state, as engine.Snapshot gives them
//
// It is written beside its place, synced, read back from the disk and compared, renamed, and the folder synced; only then
// are files freed that nobody needs any more. The name has the seq: 7-00000000000f4240.snap.

const (
	snapshotMagic  = 0x4e53_4b4c // "LKSN"
	snapshotFormat = 1
	snapshotEnd    = ".snap"

	snapshotHead = 1024
	chunkMax     = 1 << 20
	chunkHead    = 8
	binarySize   = 64
	syncEvery    = 8 // chunks
)

// Snapshot is what the header of a snapshot says.
type Snapshot struct {
	File      string
	Place     Place     // behind the last command that it has
	Chronicle Chronicle // of all events up to there
	State     uint64    // the hash of the state
	Size      int64     // bytes of the state
	Binary    string    // the version of the binary that wrote it
	Logic     uint32

	chunks uint32
	sum    Hash
}

func (s *Snapshot) put(b []byte, cluster, shard uint64, origin *Hash) {
	le := binary.LittleEndian
	clear(b[:snapshotHead])
	le.PutUint32(b, snapshotMagic)
	le.PutUint16(b[4:], snapshotFormat)
	le.PutUint16(b[6:], schema)
	p := &s.Place
	events, count := s.Chronicle.digest.Parts()
	for i, v := range [...]uint64{cluster, shard, p.Segment, uint64(p.Offset), uint64(p.Last), uint64(p.Seq), p.Frame, p.Epoch,
		uint64(p.Time), events, count, s.State} {
		le.PutUint64(b[8+8*i:], v)
	}
	le.PutUint32(b[104:], s.Logic)
	b[108] = byte(p.Kind)
	copy(b[112:], p.Head[:])
	copy(b[144:], origin[:])
	copy(b[176:], s.sum[:])
	le.PutUint64(b[208:], uint64(s.Size))
	le.PutUint32(b[216:], s.chunks)
	copy(b[224:224+binarySize], s.Binary)
	for i, k := range s.Chronicle.kept {
		le.PutUint64(b[288+16*i:], uint64(k.Upto))
		le.PutUint64(b[296+16*i:], k.Hash)
	}
	le.PutUint32(b[snapshotHead-4:], crc(b[:snapshotHead-4]))
}

// parse reads a header and checks that it is one of this journal, and as this binary writes them.
func (s *Snapshot) parse(b []byte, g *Genesis, origin *Hash) error {
	le := binary.LittleEndian
	word := func(i int) uint64 { return le.Uint64(b[8+8*i:]) }
	wrong := func(off int64, expected, found string) error { return &Corrupt{s.File, off, expected, found} }
	switch {
	case le.Uint32(b) != snapshotMagic:
		return wrong(0, "the magic of a snapshot", fmt.Sprintf("%08x", le.Uint32(b)))
	case le.Uint32(b[snapshotHead-4:]) != crc(b[:snapshotHead-4]):
		return wrong(snapshotHead-4, fmt.Sprintf("checksum %08x", crc(b[:snapshotHead-4])), fmt.Sprintf("%08x", le.Uint32(b[snapshotHead-4:])))
	case le.Uint16(b[4:]) != snapshotFormat:
		return &Unknown{s.File, 4, "snapshot format", uint64(le.Uint16(b[4:])), fmt.Sprint(snapshotFormat)}
	case le.Uint16(b[6:]) == 0 || le.Uint16(b[6:]) > schema:
		return &Unknown{s.File, 6, "command schema", uint64(le.Uint16(b[6:])), fmt.Sprintf("1..%d", schema)}
	case le.Uint32(b[104:]) != logic:
		return &Unknown{s.File, 104, "logic version", uint64(le.Uint32(b[104:])), fmt.Sprint(logic)}
	case word(0) != g.Cluster || word(1) != g.Shard || Hash(b[144:176]) != *origin:
		return wrong(8, "a snapshot of this journal", "one of another")
	}

	s.Place = Place{Segment: word(2), File: fileName(g.Shard, word(2), segmentEnd), Offset: int64(word(3)), Last: int64(word(4)),
		Kind: FrameKind(b[108]), Seq: msg.Seq(word(5)), Frame: word(6), Epoch: word(7), Time: fixed.Nanos(word(8)), Head: Hash(b[112:144])}
	s.Chronicle, s.State = Chronicle{digest: fixed.DigestOf(word(9), word(10)), seq: s.Place.Seq}, word(11)
	for i := range s.Chronicle.kept {
		s.Chronicle.kept[i] = msg.Checkpoint{Upto: msg.Seq(le.Uint64(b[288+16*i:])), Hash: le.Uint64(b[296+16*i:])}
	}
	s.Logic, s.sum = le.Uint32(b[104:]), Hash(b[176:208])
	s.Size, s.chunks = int64(le.Uint64(b[208:])), le.Uint32(b[216:])
	s.Binary = string(bytes.TrimRight(b[224:224+binarySize], "\x00"))
	if p := &s.Place; p.Kind != End || p.Last <= 0 || p.Last > segmentMax || p.Offset-p.Last != sectorSize && p.Offset-p.Last != alignMax || p.Last%sectorSize != 0 {
		return wrong(32, "a place behind an end frame", fmt.Sprintf("offset %d behind a %v at %d", p.Offset, p.Kind, p.Last))
	}
	var again [snapshotHead]byte
	s.put(again[:], g.Cluster, g.Shard, origin)
	if !bytes.Equal(again[:], b) {
		return wrong(0, "zeros where nothing is said", "something else")
	}
	return nil
}

// shelf is where the snapshots of a journal lie.
type shelf struct {
	files   FS
	dir     string
	genesis Genesis
	origin  Hash
}

func (l *shelf) path(name string) string { return filepath.Join(l.dir, name) }

// list gives the names of the snapshots, the newest first.
func (l *shelf) list() (names []string, err error) {
	entries, err := l.files.List(l.dir)
	if err != nil {
		return nil, failed("list", l.dir, err)
	}
	for _, e := range entries {
		if shard, _, ok := parseName(e.Name, snapshotEnd); ok && shard == l.genesis.Shard {
			names = append(names, e.Name)
		}
	}
	slices.Reverse(names)
	return names, nil
}

// head reads the header of a snapshot.
func (l *shelf) head(name string) (s Snapshot, err error) {
	err = l.open(name, func(f File) error {
		s, err = l.headOf(name, f)
		return err
	})
	return s, err
}

func (l *shelf) headOf(name string, f File) (s Snapshot, err error) {
	s.File = name
	var b [snapshotHead]byte
	size, err := f.Size()
	if err != nil {
		return s, failed("measure", name, err)
	}
	if size < snapshotHead {
		return s, &Corrupt{name, size, fmt.Sprintf("a header of %d bytes", snapshotHead), "the end of the file"}
	}
	if err := readWhole(f, b[:], 0); err != nil {
		return s, failed("read", name, err)
	}
	if err := s.parse(b[:], &l.genesis, &l.origin); err != nil {
		return s, err
	}
	if want := snapshotHead + s.Size + chunkHead*int64(s.chunks); s.Size < 0 || size != want {
		return s, &Corrupt{name, 208, fmt.Sprintf("a file of %d bytes", want), fmt.Sprint(size)}
	}
	return s, nil
}

func (l *shelf) open(name string, use func(File) error) error {
	f, err := l.files.Open(l.path(name), os.O_RDONLY)
	if err != nil {
		return failed("open", name, err)
	}
	return errors.Join(use(f), failed("close", name, f.Close()))
}

// read verifies a whole snapshot and hands the state to use, piece by piece; an empty piece is its end. What use has made of it is
// good only where there is no error: the sum is known at the end.
func (l *shelf) read(name string, use func(s *Snapshot, take func() []byte) error) (s Snapshot, err error) {
	err = l.open(name, func(f File) error {
		if s, err = l.headOf(name, f); err != nil {
			return err
		}
		c := chunks{file: f, name: name, left: s.chunks, off: snapshotHead, sum: sha256.New(), buf: make([]byte, chunkHead+chunkMax)}
		used := use(&s, c.take)
		for len(c.take()) > 0 { // what was not asked for is verified too
		}
		switch {
		case c.err != nil:
			return c.err
		case Hash(c.sum.Sum(nil)) != s.sum:
			return &Corrupt{name, 176, "a state with SHA-256 " + s.sum.String(), "another one"}
		}
		return used
	})
	return s, err
}

// verify reads a snapshot as far as its checksums say.
func (l *shelf) verify(name string) (Snapshot, error) {
	return l.read(name, func(*Snapshot, func() []byte) error { return nil })
}

// chunks reads the state of a snapshot chunk by chunk.
type chunks struct {
	file File
	name string
	left uint32
	off  int64
	sum  hash.Hash
	buf  []byte
	err  error
}

func (c *chunks) take() []byte {
	if c.left == 0 || c.err != nil {
		return nil
	}
	le, head := binary.LittleEndian, c.buf[:chunkHead]
	if c.err = failed("read", c.name, readWhole(c.file, head, c.off)); c.err != nil {
		return nil
	}
	n, want := le.Uint32(head), le.Uint32(head[4:])
	if n == 0 || n > chunkMax {
		c.err = &Corrupt{c.name, c.off, fmt.Sprintf("a chunk of 1 to %d bytes", chunkMax), fmt.Sprint(n)}
		return nil
	}
	b := c.buf[chunkHead : chunkHead+n]
	if c.err = failed("read", c.name, readWhole(c.file, b, c.off+chunkHead)); c.err != nil {
		return nil
	}
	if found := crc(b); found != want {
		c.err = &Corrupt{c.name, c.off + 4, fmt.Sprintf("checksum %08x", found), fmt.Sprintf("%08x", want)}
		return nil
	}
	c.sum.Write(b)
	c.left--
	c.off += chunkHead + int64(n)
	return b
}

// publish writes a snapshot of a state and puts it where the next start finds it. Where there is no room, or state says that it has
// been stopped, nothing of it is left, and the error is one of isFull (D-54) or errStopped; any other is final.
func (l *shelf) publish(s *Snapshot, state func(put func([]byte) bool) bool) error {
	s.File, s.Binary, s.Logic = fileName(l.genesis.Shard, uint64(s.Place.Seq), snapshotEnd), version(), logic
	fresh := s.File + freshEnd
	err := l.write(s, fresh, state)
	if isFull(err) || errors.Is(err, errStopped) {
		if gone := l.files.Remove(l.path(fresh)); gone != nil && !errors.Is(gone, fs.ErrNotExist) {
			return failed("remove", fresh, gone)
		}
		return failed("write", fresh, err)
	}
	if err != nil {
		return failed("write", fresh, err)
	}
	written, err := l.verify(fresh)
	if written.File = s.File; err == nil && written != *s {
		err = &Corrupt{fresh, 0, "what was written a moment ago", "something else"}
	}
	if err != nil {
		return err
	}
	if err := l.files.Rename(l.path(fresh), l.path(s.File)); err != nil {
		return failed("rename", s.File, err)
	}
	return failed("sync the folder of", s.File, l.files.SyncDir(l.dir))
}

// write writes a snapshot beside its place, syncs it, and asks that it be read back from the disk.
func (l *shelf) write(s *Snapshot, name string, state func(put func([]byte) bool) bool) error {
	f, err := l.files.Open(l.path(name), os.O_RDWR|os.O_CREATE)
	if err != nil {
		return err
	}
	sum, off := sha256.New(), int64(snapshotHead)
	buf := make([]byte, chunkHead, chunkHead+chunkMax)
	flush := func() bool {
		if len(buf) > chunkHead {
			body := buf[chunkHead:]
			binary.LittleEndian.PutUint32(buf, uint32(len(body)))
			binary.LittleEndian.PutUint32(buf[4:], crc(body))
			sum.Write(body)
			err = writeWhole(f, buf, off)
			off += int64(len(buf))
			s.Size, s.chunks, buf = s.Size+int64(len(body)), s.chunks+1, buf[:chunkHead]
			if err == nil && s.chunks%syncEvery == 0 {
				err = f.Datasync() // so that the kernel never has much to write at once, in the way of the journal
			}
		}
		return err == nil
	}
	s.Size, s.chunks = 0, 0
	whole := state(func(piece []byte) bool {
		for len(piece) > 0 {
			n := min(len(piece), chunkHead+chunkMax-len(buf))
			buf, piece = append(buf, piece[:n]...), piece[n:]
			if len(buf) == chunkHead+chunkMax && !flush() {
				return false
			}
		}
		return true
	})
	if err == nil && !whole {
		err = errStopped
	}
	if err == nil && flush() {
		s.sum = Hash(sum.Sum(nil))
		var header [snapshotHead]byte
		s.put(header[:], l.genesis.Cluster, l.genesis.Shard, &l.origin)
		err = writeWhole(f, header[:], 0)
	}
	if err == nil {
		err = f.Sync()
	}
	if err == nil {
		err = f.DropCache(0, off)
	}
	return errors.Join(err, f.Close())
}

// kept is how many snapshots are kept.
const kept = 2

// free removes what nobody needs where there are as many snapshots that hold as are kept: all others, and the segments before that of
// the older one (D-45). They are read for it once more: one that has been damaged since does not count.
func (l *shelf) free() error {
	names, err := l.list()
	if err != nil {
		return err
	}
	var (
		drop  []string
		good  int
		older Snapshot
	)
	for _, name := range names {
		s, err := Snapshot{}, error(nil)
		if good < kept {
			s, err = l.verify(name)
		}
		if good == kept || err != nil {
			drop = append(drop, name)
			continue
		}
		good, older = good+1, s
	}
	if good < kept {
		return nil
	}
	list, err := l.files.List(l.dir)
	if err != nil {
		return failed("list", l.dir, err)
	}
	held, err := segments(list, l.genesis.Shard)
	if err != nil {
		return err
	}
	for _, h := range held {
		if h.number < older.Place.Segment {
			drop = append(drop, h.name)
		}
	}
	for _, name := range drop { // the oldest segment first: what is left has no gap
		if err := l.files.Remove(l.path(name)); err != nil {
			return failed("remove", name, err)
		}
	}
	if len(drop) == 0 {
		return nil
	}
	return failed("sync the folder", l.dir, l.files.SyncDir(l.dir))
}

// version is that of the binary, as it was built.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	v := info.Main.Version
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" && !strings.Contains(v, s.Value) {
			v += " " + s.Value
		}
	}
	return strings.TrimSpace(v[:min(len(v), binarySize)])
}

// NoSnapshot says that the first segments are gone and no snapshot holds that stands for them (D-45).
type NoSnapshot struct {
	Dir   string
	First string   // the first segment that is there
	Wrong []string // with each of the snapshots
}

func (n *NoSnapshot) Error() string {
	what := "there is none"
	if len(n.Wrong) > 0 {
		what = strings.Join(n.Wrong, "; ")
	}
	return fmt.Sprintf("no valid snapshot: %s begins with %s, expected a snapshot that holds: %s", n.Dir, n.First, what)
}

// ExitCode is the exit code no-valid-snapshot.
func (n *NoSnapshot) ExitCode() int { return 6 }

// ExitName is its name.
func (n *NoSnapshot) ExitName() string { return "no-valid-snapshot" }
