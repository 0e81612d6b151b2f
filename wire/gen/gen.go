// Package gen holds the codecs of the wire: one type for each message of wire/schema, which is the message's block in place.
//
// A message is an array of bytes, so a pointer to it is a view of the receive buffer, and of the send buffer as well. One look
// at the length gives the pointer (AsNewOrder); behind it every field is a load or store at a fixed offset, with nothing to
// check and nothing to copy. All of it but this file is written by tools/sbegen; run "go generate ./wire".
//
//	frame    | SOFH 6 | header 8 | block ...                  | groups, data |
//	                               ^-- *NewOrder, [50]byte
//
// Check says what a receiver must ask of the fields by themselves: reserved bytes and bits are zero, enums have a value that
// is known. Ranges that depend on more than one field belong to package wire.
package gen

import "encoding/binary"

// HeaderSize is the size of a Header in bytes.
const HeaderSize = 8

// Header says which message follows.
type Header struct{ Block, Template, Schema, Version uint16 }

// ReadHeader reads a header.
func ReadHeader(b *[HeaderSize]byte) Header {
	w := binary.LittleEndian.Uint64(b[:])
	return Header{uint16(w), uint16(w >> 16), uint16(w >> 32), uint16(w >> 48)}
}

// Put writes the header.
func (h Header) Put(b *[HeaderSize]byte) {
	binary.LittleEndian.PutUint64(b[:], uint64(h.Block)|uint64(h.Template)<<16|uint64(h.Schema)<<32|uint64(h.Version)<<48)
}

// Shape is what is fixed about a message of one version: the bytes of its block, and what follows the block.
type Shape struct {
	Block    uint16 // bytes
	Entry    uint16 // bytes of an entry; 0: no group
	Min, Max uint16 // entries
	Data     bool   // data follows
	DataMax  uint16 // bytes of it
}

// Flaw says what Check found.
type Flaw uint8

const (
	Sound    Flaw = iota
	Reserved      // a byte or bit that must be zero is not
	Unknown       // a value that the enum does not have
)
