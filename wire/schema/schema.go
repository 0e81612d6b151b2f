// Package schema holds the messages of the wire: the XML files that say what they are, and a reader for them.
//
// The XML is the source of truth. The codecs in wire/gen and the tables in docs/WIRE.md are written from it (tools/sbegen),
// and whoever prints a message prints it by it. It is plain SBE 1.0, so that generators for other languages take it too:
//
//	session.xml      2748   FIXP 1.1: negotiate, establish, sequence, retransmit, terminate
//	credentials.xml  7000   what the credentials of a session hold
//	orderentry.xml   7001   orders, risk control, reports, drop copy
//	marketdata.xml   7002   book by order, trades, status, snapshots
//
// Words: a block is the part of a message that has fixed offsets; behind it come groups of entries, each entry a block of
// its own, and then data of variable length. A field of a composite type stands here as one field for each member.
//
//	Schema -> Message -> Field      name, offset, primitive, enum or set
//	                  -> Group   -> Field
//	                  -> Data
//
// What the reader does not know it refuses, with file and line: nested groups, references, floats, big-endian bytes.
package schema

import (
	"embed"
	"fmt"
	"sync"
)

//go:embed *.xml
var files embed.FS

// Files are the names of the schemas, in the order of their ids.
var Files = []string{"session.xml", "credentials.xml", "orderentry.xml", "marketdata.xml"}

// The ids of the schemas.
const (
	SessionID     = 2748
	CredentialsID = 7000
	OrderEntryID  = 7001
	MarketDataID  = 7002
)

// Schema is one XML file.
type Schema struct {
	File        string
	Package     string
	Description string
	ID, Version uint16
	Enums       []*Enum
	Sets        []*Set
	Messages    []*Message
}

// Message is one template.
type Message struct {
	Schema      *Schema
	Name        string
	Description string
	ID          uint16
	Line        int // in the file
	Block       int // bytes, without headers
	Fields      []Field
	Groups      []Group
	Data        []Data
}

// Group is a list of entries behind the block: blockLength u16, numInGroup u16, the entries.
type Group struct {
	Name     string
	ID       uint16
	Block    int // bytes of one entry
	Min, Max int // entries
	Fields   []Field
}

// Data is bytes of variable length behind groups: length u16, the bytes.
type Data struct {
	Name string
	ID   uint16
	Max  int // bytes
	Text bool
}

// Field is one value at a fixed offset of its block.
type Field struct {
	Name        string // with a dot before the member of a composite
	Description string
	ID          uint16
	Offset      int
	Primitive   Primitive
	Length      int    // elements; above 1 it is an array
	Since       uint16 // the version that brought it
	Optional    bool   // it may be null
	Reserved    bool   // it must be zero
	Enum        *Enum  // nil unless it is one
	Set         *Set   // nil unless it is one
}

// Size is the field's bytes.
func (f *Field) Size() int { return f.Primitive.Size() * f.Length }

// Enum is a list of named values.
type Enum struct {
	Name, Description string
	Primitive         Primitive
	Values            []Value
}

// Set is a list of named bits.
type Set struct {
	Name, Description string
	Primitive         Primitive
	Bits              []Value
}

// Value is a name and its number, or the number of its bit.
type Value struct {
	Name        string
	Description string
	Number      uint64
}

// NameOf is the name of a value; empty where it has none.
func (e *Enum) NameOf(v uint64) string {
	for i := range e.Values {
		if e.Values[i].Number == v {
			return e.Values[i].Name
		}
	}
	return ""
}

// Mask is all bits that have a name.
func (s *Set) Mask() (mask uint64) {
	for i := range s.Bits {
		mask |= 1 << s.Bits[i].Number
	}
	return mask
}

// Primitive is an integer, or a character.
type Primitive uint8

const (
	Uint8 Primitive = iota
	Uint16
	Uint32
	Uint64
	Int8
	Int16
	Int32
	Int64
	Char
)

var primitives = [...]struct {
	name string
	size int
	null uint64
}{{"uint8", 1, 1<<8 - 1}, {"uint16", 2, 1<<16 - 1}, {"uint32", 4, 1<<32 - 1}, {"uint64", 8, 1<<64 - 1},
	{"int8", 1, 1 << 7}, {"int16", 2, 1 << 15}, {"int32", 4, 1 << 31}, {"int64", 8, 1 << 63}, {"char", 1, 0}}

// String is the name in XML.
func (p Primitive) String() string { return primitives[p].name }

// Size is its bytes.
func (p Primitive) Size() int { return primitives[p].size }

// Null is the bits that stand for no value.
func (p Primitive) Null() uint64 { return primitives[p].null }

// Signed reports whether it has a sign.
func (p Primitive) Signed() bool { return p >= Int8 && p <= Int64 }

// BlockAt is the length of the message's block in a version: fields are only ever added at the end.
func (m *Message) BlockAt(version uint16) int { return blockAt(m.Fields, m.Block, version) }

// BlockAt is the length of an entry in a version.
func (g *Group) BlockAt(version uint16) int { return blockAt(g.Fields, g.Block, version) }

func blockAt(fields []Field, block int, version uint16) int {
	for i := range fields {
		if fields[i].Since > version {
			return fields[i].Offset
		}
	}
	return block
}

// All are the schemas in the tree, in the order of Files. They are read once and must not be changed.
var All = sync.OnceValue(func() (all []*Schema) {
	for _, name := range Files {
		text, err := files.ReadFile(name)
		if err != nil {
			panic(err)
		}
		s, err := Parse(name, text)
		if err != nil {
			panic(err)
		}
		all = append(all, s)
	}
	return all
})

// Find is the message of a schema and template id; nil where there is none.
func Find(schema, template uint16) *Message {
	for _, s := range All() {
		if s.ID != schema {
			continue
		}
		for _, m := range s.Messages {
			if m.ID == template {
				return m
			}
		}
	}
	return nil
}

// Known reports whether a schema id is one of the tree's.
func Known(schema uint16) bool {
	for _, s := range All() {
		if s.ID == schema {
			return true
		}
	}
	return false
}

// at is a place in a file.
func at(file string, line int, format string, args ...any) error {
	return fmt.Errorf("%s:%d: %s", file, line, fmt.Sprintf(format, args...))
}
