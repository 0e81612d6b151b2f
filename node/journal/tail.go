package journal

import (
	"bytes"
	"fmt"
)

// Where no frame follows, the question is why (D-24). X is the first offset with no frame that continues the chain.
//
//	... | last frame | X: nothing that holds      up to X + frameMax      | to the end of the segment, and later segments
//	                     zeros: a clean end                                 zeros
//	                     bits of one frame: torn                            zeros, and no whole frame anywhere
//	                     the same                                           anything else: damage in the middle
//
// There is at most one frame that is not synced (D-08), and it is written where zeros are. So a crash leaves no whole frame
// behind X, and nothing at all farther than the largest frame reaches. Who finds either sees damage, and refuses.

// end decides what it means that the frame at the place does not hold. Beside a running exchange it may hold by now: a later one is
// written only when this one is.
func (r *Reader) end(found string) bool {
	x := r.place.Offset
	if r.promisesNothing() {
		return r.drop()
	}
	torn := int64(0)
	for off := x; off < r.segment.Size; off += sectorSize {
		b := r.view(off, sectorSize)
		switch {
		case b == nil:
			return false
		case blank(b):
			continue
		case r.whole(off):
			if r.written(x) {
				return r.frame()
			}
			return r.corrupt(x, fmt.Sprintf("frame %d with seq %d, because a later one is whole at offset %d", r.place.Frame+1, r.place.Seq+1, off), found)
		case r.err != nil:
			return false
		case off >= x+frameMax:
			if r.written(x) {
				return r.frame()
			}
			return r.corrupt(x, fmt.Sprintf("frame %d with seq %d, because offset %d is more than a frame away and not zero", r.place.Frame+1, r.place.Seq+1, off), found)
		}
		torn = off + sectorSize - x
	}
	switch {
	case r.at+1 < len(r.held):
		return r.corrupt(x, fmt.Sprintf("frame %d with seq %d, because segment %s follows", r.place.Frame+1, r.place.Seq+1, r.held[r.at+1].name), found)
	case torn > 0 && r.place.Kind == Shutdown && r.place.Epoch >= r.started:
		return r.corrupt(x, "zeros behind a clean shutdown", found)
	}
	r.tail = Tail{Place: r.place, Torn: torn}
	return false
}

// whole reports whether at off, behind the end of the chain, a frame is whole whose commands would come later.
func (r *Reader) whole(off int64) bool {
	if off+headerSize > r.segment.Size {
		return false
	}
	var h header
	b := r.view(off, headerSize)
	if b == nil || !h.parse(b) || h.shard != r.genesis.Shard || h.first <= r.place.Seq || h.size > payloadMax ||
		off+headerSize+int64(h.size) > r.segment.Size {
		return false
	}
	b = r.view(off, headerSize+int(h.size))
	return b != nil && crc(b[headerSize:]) == h.check
}

// written reports whether the frame at off is whole when it is read anew.
func (r *Reader) written(off int64) bool {
	r.window = r.window[:0]
	return r.whole(off)
}

// promisesNothing reports whether the journal was written in mode none, so that damage is no damage.
func (r *Reader) promisesNothing() bool {
	return r.segment.Mode == None && r.segment.Genesis == r.origin
}

// drop ends a journal that promised nothing: the longest prefix that holds is kept, and the rest is counted (D-31).
func (r *Reader) drop() bool {
	x := r.place.Offset
	r.tail = Tail{Place: r.place, Header: x == 0}
	if last := r.lastByte(x); last >= 0 {
		r.tail.Dropped = last + 1 - x
	}
	for _, h := range r.held[r.at+1:] {
		r.tail.Dropped += h.size
	}
	return false
}

// lastByte is the offset of the last byte of the segment, from off on, that is not zero; -1 where there is none.
func (r *Reader) lastByte(off int64) int64 {
	last := int64(-1)
	for size := r.held[r.at].size; off < size; {
		n := min(sectorSize-off%sectorSize, size-off)
		b := r.view(off, int(n))
		if b == nil {
			return -1
		}
		if !blank(b) {
			last = off + int64(len(bytes.TrimRight(b, "\x00"))) - 1
		}
		off += n
	}
	return last
}

// blank reports whether all bytes are zero.
func blank(b []byte) bool {
	for len(b) > 0 {
		n := min(len(b), len(zeros))
		if !bytes.Equal(b[:n], zeros[:n]) {
			return false
		}
		b = b[n:]
	}
	return true
}
