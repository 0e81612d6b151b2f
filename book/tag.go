package book

import (
	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/msg"
)

// Tag is what few orders say besides, and nobody asks of them on their way: whether they outlive the connection of their session, and which
// group of market-maker protection they are in. It lies
// in a row of its own by handle, with the generation of the order that it is of, so that orders without one neither write nor clear it.
type Tag struct {
	Gen     uint32 // of the order
	Group   uint16 // of its account's market-maker protection; 0: none
	Persist bool   // it survives cancel on disconnect and the dead-man
	_       uint8
}

// SetTag tags the order in row h.
func (s *Store) SetTag(h uint32, t Tag) {
	t.Gen = s.orders[h].Gen
	s.tags[h] = t
}

// Tag is the tag of the order in row h, the zero one where it has none.
func (s *Store) Tag(h uint32) Tag {
	if t := s.tags[h]; t.Gen == s.orders[h].Gen {
		return t
	}
	return Tag{}
}

// TagOf is the tag of the order with that id, which may be gone by now.
func (s *Store) TagOf(id msg.OrderID) Tag {
	if t := s.tags[id.Handle()]; t.Gen == id.Generation() {
		return t
	}
	return Tag{}
}

func (t *Tag) code(c *fixed.Codec) {
	fixed.Half(c, &t.Gen)
	fixed.Quarter(c, &t.Group)
	c.Flag(&t.Persist)
}

// hash folds a tag that was ever set.
func (t *Tag) hash(d *fixed.Digest, h int) {
	if *t == (Tag{}) {
		return
	}
	d.Pair(uint32(h), t.Gen)
	persist := uint64(0)
	if t.Persist {
		persist = 1
	}
	d.Word(uint64(t.Group)<<1 | persist)
}
