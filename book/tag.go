package book

import "github.com/lockstep-exchange/lockstep/fixed"

// Tag is what few orders say besides, and nobody asks of them on their way: whether they outlive the connection of their session. It lies
// in a row of its own by handle, with the generation of the order that it is of, so that orders without one neither write nor clear it.
type Tag struct {
	Gen     uint32 // of the order
	Persist bool   // it survives cancel on disconnect and the dead-man
	_       [3]uint8
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

func (t *Tag) code(c *fixed.Codec) {
	fixed.Half(c, &t.Gen)
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
	d.Word(persist)
}
