// Package ops holds OPS1, the stream of operations by which matching engines
// are compared: its file, its checksum, its generator and its oracle.
//
// A stream is a list of operations on one symbol, made before any clock starts
// and replayed from memory. All of it is integer arithmetic, so every engine and
// every language sees the same bytes, and an engine that reports the trades,
// volume and checksum of the stream has done the same work as every other.
//
//	        0          64                                            size
//	file    +----------+-----------+-- ... --+-----------+-- ... ---+
//	        | header   | prefill records of  | timed records of     |
//	        | 64 bytes | 32 bytes, untimed   | 32 bytes             |
//	        +----------+-----------+-- ... --+-----------+-- ... ---+
//
// All integers are little endian and nothing is padded.
//
//	header  0 magic "MEOPS" 00 00 01    8 version u32 = 1   12 record size u32 = 32
//	       16 prefill u64  24 timed u64  32 largest id u64
//	       40 trades u64   48 volume u64 56 checksum u64, all over the whole stream
//	record  0 kind u8   1 side u8   2 symbol u16 = 0   4 quantity u32   8 order id u64
//	       16 price i64             24 account u32    28 trades u32
//
// A blind file is the same with trades, volume, checksum and the trades of every
// record zero: whoever replays it prints a result and judges nothing.
//
// Words: a record is an operation at rest; prefill is what is replayed before
// the clock starts; the taker of a trade is the operation's order, the maker the
// order it met.
package ops

// Kind is what an operation asks for.
type Kind uint8

// The four operations. Cancel and Replace of an order that does not rest are
// rejects and change nothing.
const (
	New     Kind = iota // limit, good till cancelled
	IOC                 // limit, the rest of it dropped
	Cancel              // of a resting order
	Replace             // cancel and enter again under the same id; priority is lost
)

// String returns the kind as the reports of the harness print it.
func (k Kind) String() string {
	switch k {
	case New:
		return "new"
	case IOC:
		return "ioc"
	case Cancel:
		return "cancel"
	case Replace:
		return "replace"
	}
	return "unknown"
}

// Side is the side of an order.
type Side uint8

// The two sides.
const (
	Buy  Side = 0
	Sell Side = 1
)

// Op is one operation, 32 bytes as in the file.
type Op struct {
	Kind    Kind
	Side    Side   // of Cancel and Replace: the side of the order's first record
	Symbol  uint16 // 0
	Qty     uint32 // lots; of Replace the new open quantity
	ID      uint64 // dense from 1, never reused
	Price   int64  // ticks; of Replace the new price
	Account uint32 // owner
	Trades  uint32 // that this operation causes; 0 in a blind stream
}

// Stream is a whole file in memory.
type Stream struct {
	Prefill uint64 // leading operations that are replayed before the clock starts
	MaxID   uint64 // largest order id
	Want    Result // over all operations; zero in a blind stream
	Ops     []Op
}

// Blind reports whether the stream carries no expected result.
func (s *Stream) Blind() bool { return s.Want.Trades|s.Want.Volume|uint64(s.Want.Sum) == 0 }

// Timed returns the operations under the clock. It shares memory with s.Ops.
func (s *Stream) Timed() []Op { return s.Ops[s.Prefill:] }

// Before returns the operations before the clock. It shares memory with s.Ops.
func (s *Stream) Before() []Op { return s.Ops[:s.Prefill] }

// MakeBlind removes every expected result.
func (s *Stream) MakeBlind() {
	s.Want = Result{}
	for i := range s.Ops {
		s.Ops[i].Trades = 0
	}
}

// Span returns the lowest and the highest price at which an order can rest or
// trade; ok is false when no operation has a price.
func (s *Stream) Span() (low, high int64, ok bool) {
	for i := range s.Ops {
		o := &s.Ops[i]
		if o.Kind == Cancel {
			continue
		}
		if !ok {
			low, high, ok = o.Price, o.Price, true
		}
		low, high = min(low, o.Price), max(high, o.Price)
	}
	return low, high, ok
}

// Counts returns the number of timed operations of each kind.
func (s *Stream) Counts() (n [4]uint64) {
	for _, o := range s.Timed() {
		n[o.Kind]++
	}
	return n
}

// Owner spreads the accounts of a stream over mask+1 accounts, a power of two:
// account modulo n below 1,024 of them, else a hash of account and order id, so
// that many accounts are all in use.
func (o *Op) Owner(mask uint32) uint32 {
	if mask < 1023 {
		return o.Account & mask
	}
	return uint32(uint64(o.Account)*0x9E3779B1+o.ID*0x85EBCA6B) & mask
}

// Instrument spreads a stream over n instruments: order id modulo n. An order
// stays where it entered, since its cancels and replaces carry its id.
func (o *Op) Instrument(n uint64) uint64 {
	if n == 1 {
		return 0 // no driver waits for a division that says so
	}
	return o.ID % n
}
