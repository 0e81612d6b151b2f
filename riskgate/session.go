package riskgate

import (
	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/msg"
)

// Session is what the gate knows of a door. Session 0 is the embedder's own: it may do everything.
type Session struct {
	Last  msg.Ref     // the highest client id so far; it outlives closing and opening
	Owner msg.OwnerID // for whose accounts it acts
	Open  bool
}

// Sessions is the table of doors, by id (D-36).
type Sessions []Session

// Has reports whether an id is in the table.
func (s Sessions) Has(id msg.SessionID) bool { return int(id) < len(s) }

// Hash folds the table into d.
func (s Sessions) Hash(d *fixed.Digest) {
	for i := range s {
		if row := &s[i]; row.Open || row.Last != 0 {
			open := uint64(0)
			if row.Open {
				open = 1
			}
			d.Word(uint64(i)<<1 | open)
			d.Word(uint64(row.Last))
			d.Word(uint64(row.Owner))
		}
	}
}
