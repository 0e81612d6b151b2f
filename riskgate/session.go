package riskgate

import (
	"github.com/lockstep-exchange/lockstep/clearing"
	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/msg"
)

// Session is what the gate knows of a session. Session 0 is the embedder's own: it may do everything.
//
//	door      opened for an owner by OpenSession: it has no key, and a client id of its own
//	keyed     a client's: owner and account are those of its key, whose client id all its sessions share
type Session struct {
	Last    msg.Ref       // of a door: the highest client id so far; it outlives closing and opening
	Owner   msg.OwnerID   // for whose accounts it acts; 0 of a keyed one: for anybody's
	Key     msg.KeyID     // 0: none
	Account msg.AccountID // the only one for which it acts; 0: all of its owner
	May     Rights        // at present; 0: nothing, it is closed
	_       [3]uint8
}

// Key is what a client signs with (D-36). A Role of 0 is no key, or one that is revoked.
type Key struct {
	Last    msg.Ref       // the highest client id over all its sessions
	Stamp   fixed.Nanos   // of its last logon
	Owner   msg.OwnerID   //
	Account msg.AccountID //
	Role    msg.Role      //
	Scheme  uint8
	Public  [32]byte
	_       [6]uint8
}

// Sessions is the table of sessions, by id, Keys that of keys.
type (
	Sessions []Session
	Keys     []Key
)

// Has reports whether an id is in the table.
func (s Sessions) Has(id msg.SessionID) bool { return int(id) < len(s) }

// Keyed reports whether a session is a client's.
func (s Sessions) Keyed(id msg.SessionID) bool { return int(id) < len(s) && s[id].Key != 0 }

// last is the client id that a session counts with.
func (g *Gate) last(s *Session) *msg.Ref {
	if s.Key != 0 {
		return &g.Keys[s.Key].Last
	}
	return &s.Last
}

// Owns reports whether accounts of that kind are among those for which the session acts.
func (s *Session) Owns(id msg.AccountID, a *clearing.Account) bool {
	return (s.Owner == a.Owner || s.Owner == 0 && s.Key != 0) && (s.Account == 0 || s.Account == id)
}

// Hash folds the table into d.
func (s Sessions) Hash(d *fixed.Digest) {
	for i := range s {
		row := &s[i]
		if *row == (Session{}) {
			continue
		}
		d.Word(uint64(i)<<1 | bit(row.May != 0))
		d.Word(uint64(row.Last))
		d.Word(uint64(row.Owner))
		if row.Key != 0 || row.Account != 0 || row.May != 0 && row.May != DoorRights {
			d.Pair(uint32(row.Key), uint32(row.Account))
			d.Word(uint64(row.May))
		}
	}
}

// Hash folds the table into d.
func (k Keys) Hash(d *fixed.Digest) {
	for i := range k {
		row := &k[i]
		if *row == (Key{}) {
			continue
		}
		d.Word(uint64(i))
		d.Word(uint64(row.Last))
		d.Word(uint64(row.Stamp))
		d.Pair(uint32(row.Owner), uint32(row.Account))
		d.Word(uint64(row.Role)<<8 | uint64(row.Scheme))
		for at := 0; at < len(row.Public); at += 8 {
			w := uint64(0)
			for j, b := range row.Public[at : at+8] {
				w |= uint64(b) << (8 * j)
			}
			d.Word(w)
		}
	}
}

func bit(b bool) uint64 {
	if b {
		return 1
	}
	return 0
}
