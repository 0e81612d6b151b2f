package journal

import (
	"encoding/binary"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/lockstep-exchange/lockstep/msg"
)

// A segment is a file of fixed size that was zero from end to end before it became one (D-11). Its header is synced before the
// first frame follows (D-14).
//
//	  0 magic u32 | 4 format u16 | 6 discipline u8 | 7 zero u8 | 8 cluster u64 | 16 shard u64 | 24 segment number u64, from 0
//	 32 first seq u64 | 40 first frame number u64 | 48 epoch u64 | 56 size of the file u64 | 64 frame alignment u32 | 68 zero
//	 80 hash of the last frame before, 32 bytes (of segment 0: the genesis hash) | 112 genesis hash, 32 bytes
//	144 zeros | 508 CRC32C of bytes 0-507
//
// Frames begin where the alignment lets them, 512 or 4096. An end frame closes the segment.

const (
	segmentMagic  = 0x5353_4b4c // "LKSS"
	segmentFormat = 1
	segmentMax    = 1 << 30 // bytes
)

// Mode is what a command waits for before its events may be released.
type Mode uint8

const (
	Fsync Mode = iota // it is on the disk
	None              // nothing: for measurements, asked for by name
)

func (m Mode) String() string {
	if m == None {
		return "none"
	}
	return "fsync"
}

// Segment is what the header of a segment says.
type Segment struct {
	Number    uint64
	Cluster   uint64
	Shard     uint64
	Mode      Mode
	First     msg.Seq // of the first command that it will hold
	Frame     uint64  // the number of its first frame
	Epoch     uint64  // in which it was begun
	Size      int64   // bytes
	Alignment int     // of frames
	Previous  Hash    // of the last frame before it
	Genesis   Hash
}

func (s *Segment) put(b []byte) {
	le := binary.LittleEndian
	b = b[:sectorSize]
	clear(b)
	le.PutUint32(b, segmentMagic)
	le.PutUint16(b[4:], segmentFormat)
	b[6] = byte(s.Mode)
	le.PutUint64(b[8:], s.Cluster)
	le.PutUint64(b[16:], s.Shard)
	le.PutUint64(b[24:], s.Number)
	le.PutUint64(b[32:], uint64(s.First))
	le.PutUint64(b[40:], s.Frame)
	le.PutUint64(b[48:], s.Epoch)
	le.PutUint64(b[56:], uint64(s.Size))
	le.PutUint32(b[64:], uint32(s.Alignment))
	copy(b[80:], s.Previous[:])
	copy(b[112:], s.Genesis[:])
	le.PutUint32(b[508:], crc(b[:508]))
}

// parse reads a header and gives its format; ok is false when it is none.
func (s *Segment) parse(b []byte) (format uint16, ok bool) {
	le := binary.LittleEndian
	if le.Uint32(b) != segmentMagic || le.Uint32(b[508:]) != crc(b[:508]) {
		return 0, false
	}

	*s = Segment{Mode: Mode(b[6]), Cluster: le.Uint64(b[8:]), Shard: le.Uint64(b[16:]), Number: le.Uint64(b[24:]),
		First: msg.Seq(le.Uint64(b[32:])), Frame: le.Uint64(b[40:]), Epoch: le.Uint64(b[48:]), Size: int64(le.Uint64(b[56:])),
		Alignment: int(le.Uint32(b[64:])), Previous: Hash(b[80:112]), Genesis: Hash(b[112:144])}
	return le.Uint16(b[4:]), true
}

// start is where frames begin.
func (s *Segment) start() int64 { return int64(s.Alignment) }

const (
	segmentEnd = ".seg"
	spareEnd   = ".spare"
	freshEnd   = ".tmp"
)

// fileName is the name of a segment or of a spare.
func fileName(shard, number uint64, end string) string {
	return fmt.Sprintf("%d-%016x%s", shard, number, end)
}

// parseName undoes fileName.
func parseName(name, end string) (shard, number uint64, ok bool) {
	body, found := strings.CutSuffix(name, end)
	left, right, dash := strings.Cut(body, "-")
	shard, err := strconv.ParseUint(left, 10, 64)
	number, other := strconv.ParseUint(right, 16, 64)
	return shard, number, found && dash && err == nil && other == nil && fileName(shard, number, end) == name
}

// held is a segment that lies in the folder.
type held struct {
	name   string
	number uint64
	size   int64
}

// segments picks those of a shard out of a folder, in their order, and refuses a folder in which one is missing between two or foreign.
func segments(list []Entry, shard uint64) ([]held, error) {
	var found []held
	for _, e := range list {
		if !strings.HasSuffix(e.Name, segmentEnd) {
			continue
		}
		of, number, ok := parseName(e.Name, segmentEnd)
		if !ok || of != shard {
			return nil, &Corrupt{e.Name, 0, fmt.Sprintf("segments of shard %d only", shard), "another file"}
		}
		found = append(found, held{e.Name, number, e.Size})
	}
	slices.SortFunc(found, func(a, b held) int { return strings.Compare(a.name, b.name) })
	for i, h := range found {
		if want := found[0].number + uint64(i); h.number != want {
			return nil, &Corrupt{h.name, 0, "segment " + fileName(shard, want, segmentEnd), "a gap before this one"}
		}
	}
	return found, nil
}
