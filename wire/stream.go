package wire

// Stream turns the bytes of one connection into frames. It owns the receive buffer, has no thread and no clock, and holds
// never more than its size:
//
//	for {
//		n := read(s.Room())      // the caller's socket
//		s.Filled(n)
//		for {
//			frame, fault := s.Next()
//			...                  // frame is nil when more bytes are needed; it is good until Room is called
//		}
//	}
//
//	buffer   | 2 | taken ... | waiting ...      | room ...          |
//	               ^start      ^next              ^end
//
// The first frame begins two bytes behind a multiple of eight, so that blocks, whose lengths are 2 mod 8, are aligned.
// Invariant: next <= end, and what waits is less than one frame of the limit, so there is always room for the rest of it.
type Stream struct {
	buffer    []byte
	next, end int
	limit     int
	fault     Fault
	passed    int64 // bytes of the stream before buffer[next]
}

// alignment is where the first frame begins.
const alignment = 2

// NewStream makes a stream with a buffer of size bytes for frames of at most limit; size is at least limit.
func NewStream(size, limit int) *Stream {
	if size < limit || limit < BlockAt {
		panic("wire: a stream's buffer is smaller than a frame")
	}
	return &Stream{buffer: make([]byte, alignment+size), next: alignment, end: alignment, limit: limit}
}

// Widen gives the stream a buffer of size bytes for frames of at most limit, neither smaller than before; what waits stays. A frame that
// Next has returned before is good as it was.
func (s *Stream) Widen(size, limit int) {
	if size < limit || limit < s.limit || alignment+size < len(s.buffer) {
		panic("wire: a stream is made narrower")
	}
	buffer := make([]byte, alignment+size)
	s.end = alignment + copy(buffer[alignment:], s.buffer[s.next:s.end])
	s.buffer, s.next, s.limit = buffer, alignment, limit
}

// Reset forgets all bytes and any fault: the next ones begin another connection.
func (s *Stream) Reset() {
	s.next, s.end, s.fault, s.passed = alignment, alignment, Fault{}, 0
}

// Room is where the next bytes go. It is never empty, unless a fault has ended the stream.
func (s *Stream) Room() []byte {
	if s.fault.Kind != 0 {
		return nil
	}
	if s.next > alignment {
		s.end = alignment + copy(s.buffer[alignment:], s.buffer[s.next:s.end])
		s.next = alignment
	}
	return s.buffer[s.end:]
}

// Filled says how many bytes were put into Room.
func (s *Stream) Filled(n int) { s.end += n }

// Next is the next whole frame; nil where bytes are missing, or for good after a fault. The fault's offset is that of the
// frame.
func (s *Stream) Next() (frame []byte, f Fault) {
	if s.fault.Kind != 0 {
		return nil, s.fault
	}
	size, f := NextFrame(s.buffer[s.next:s.end], s.limit)
	if size == 0 {
		s.fault = f
		return nil, f
	}
	frame = s.buffer[s.next : s.next+size : s.next+size]
	s.next += size
	s.passed += int64(size)
	return frame, Fault{}
}

// Waiting is how many bytes of an incomplete frame are here.
func (s *Stream) Waiting() int { return s.end - s.next }

// Passed is how many bytes the frames had that Next has returned.
func (s *Stream) Passed() int64 { return s.passed }
