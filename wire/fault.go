package wire

import "strconv"

// Fault says what is wrong with bytes, and where. It is a value, so that telling it costs nothing; its zero value is no
// fault.
type Fault struct {
	Kind   FaultKind
	Offset int // of the first byte that is wrong, from the start of the frame, record or datagram
	Got    int // what stands there
	Want   int // the bound that it breaks, or the value expected
}

// FaultKind is what is wrong.
type FaultKind uint8

const (
	_                FaultKind = iota
	FrameShort                 // the length of the frame is less than header and block head need
	FrameLong                  // the length of the frame is more than may be sent here
	FrameEncoding              // the encoding type is another one
	FrameCut                   // the bytes end before the frame does
	MessageSchema              // there is no such schema
	MessageTemplate            // the schema has no such message
	MessageVersion             // the version is not accepted
	BlockShort                 // the block is shorter than its version's
	GroupEntry                 // the entries of a group are shorter than their version's
	GroupCount                 // a group has fewer or more entries than it may
	MessageCut                 // the frame ends before block, group or data do
	DataLong                   // data is longer than it may be
	MessageTail                // the frame goes on behind block, group and data
	FieldReserved              // a reserved byte or bit is not zero
	FieldValue                 // a field has a value that is not known
	DatagramShort              // a datagram is shorter than its header
	DatagramLong               // a datagram is longer than it may be
	DatagramCut                // a datagram ends before its records do
	DatagramTail               // a datagram goes on behind its records
	DatagramSequence           // the numbers of a datagram pass the highest number there is
	faultEnd
)

var faultWords = [faultEnd]string{
	FrameShort:       "frame length is below its least",
	FrameLong:        "frame length is above its limit",
	FrameEncoding:    "encoding type is not SBE",
	FrameCut:         "the bytes end inside a frame",
	MessageSchema:    "unknown schema",
	MessageTemplate:  "unknown template",
	MessageVersion:   "version is not accepted",
	BlockShort:       "block is too short",
	GroupEntry:       "entry of a group is too short",
	GroupCount:       "count of a group is out of range",
	MessageCut:       "message goes beyond its frame",
	DataLong:         "data is too long",
	MessageTail:      "frame goes beyond its message",
	FieldReserved:    "reserved bits are not zero",
	FieldValue:       "unknown value",
	DatagramShort:    "datagram is shorter than its header",
	DatagramLong:     "datagram is too long",
	DatagramCut:      "datagram ends inside a record",
	DatagramTail:     "datagram goes beyond its records",
	DatagramSequence: "numbers run out",
}

// Text says what is wrong; empty for none.
func (k FaultKind) Text() string {
	if k >= faultEnd {
		return ""
	}
	return faultWords[k]
}

// Append writes the fault: what, where, what was found and expected.
func (f Fault) Append(dst []byte) []byte {
	dst = append(dst, "offset "...)
	dst = strconv.AppendInt(dst, int64(f.Offset), 10)
	dst = append(append(dst, ": "...), f.Kind.Text()...)
	dst = append(dst, ": got "...)
	dst = strconv.AppendInt(dst, int64(f.Got), 10)
	dst = append(dst, ", want "...)
	return strconv.AppendInt(dst, int64(f.Want), 10)
}

// Error is Append as a string, so that a fault may be handed on as an error; both allocate.
func (f Fault) Error() string { return string(f.Append(nil)) }
