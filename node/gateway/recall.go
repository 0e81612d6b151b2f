package gateway

import (
	"github.com/lockstep-exchange/lockstep/engine"
	"github.com/lockstep-exchange/lockstep/msg"
	"github.com/lockstep-exchange/lockstep/node/journal"
)

// Reports that are older than a session's tail are brought about again, from the journal: there is no second store (W-24, W-29).
//
//	newest snapshot in which the session has not come as far as the wanted number, or the beginning
//	    ──> commands behind it ──> an engine of its own ──> events ──> scribe ──> from the wanted number on: the same bytes
//
// It takes as long as a replay takes. As many reports as fit are kept for the requests that follow.

// Journal is where a node keeps what it has sequenced.
type Journal struct {
	Files journal.FS
	Dir   string
}

// recallBytes is how many bytes of reports are brought about at a time.
const recallBytes = 1 << 20

// Recall brings reports of a row about again, from a number on, and gives them to the row: what Link.Wants has said, before Recalled. limits
// are those of the engine. Where the journal does not reach back that far, or cannot be read, which the error says, the row gets none. It
// gives up when quit is closed.
func (r *Roster) Recall(j *Journal, limits engine.Limits, row *Row, from uint64, quit <-chan struct{}) error {
	if ended(quit) {
		return nil
	}
	row.mu.Lock()
	upto := row.tail.next
	row.mu.Unlock()
	reader, err := journal.NewReader(j.Files, j.Dir)
	if err != nil {
		return err
	}
	defer reader.Close()
	e, next, err := startOf(reader, limits, row, from)
	if err != nil {
		return err
	}
	w := recollection{roster: r, row: row, engine: e, next: next, from: from, upto: upto}
	s, ok := e.Session(row.id)
	w.begun = ok && s.UUID == row.terms.UUID && s.Begun
	w.found.limit = 2 * recallBytes
	w.found.begin(from)
	for w.lacks() && !ended(quit) && reader.Next() {
		for _, c := range reader.Commands() {
			w.apply(&c)
		}
	}
	row.mu.Lock()
	row.old = w.found
	row.mu.Unlock()
	return reader.Err()
}

// ended reports whether a channel is closed.
func ended(quit <-chan struct{}) bool {
	select {
	case <-quit:
		return true
	default:
		return false
	}
}

// startOf is an engine as it was before the session of a row said its number from, the reader behind it, and the number that the session
// would say next; 0 where the session was not there yet.
func startOf(reader *journal.Reader, limits engine.Limits, row *Row, from uint64) (e *engine.Engine, next uint64, err error) {
	snapshots, _ := reader.Snapshots() // one that does not hold is none
	for i := range snapshots {
		var old *engine.Engine
		err := reader.Load(&snapshots[i], func(take func() []byte) (err error) {
			old, err = engine.Restore(limits, take)
			return err
		})
		if err != nil {
			continue
		}
		s, ok := old.Session(row.id)
		if there := ok && s.UUID == row.terms.UUID; there && s.Server <= from {
			return old, s.Server, reader.Resume(snapshots[i].Place)
		} else if !there {
			return old, 0, reader.Resume(snapshots[i].Place)
		}
	}
	if reader.Partial() {
		return nil, 0, reader.NoSnapshot()
	}
	e, err = engine.New(limits)
	return e, 0, err
}

// recollection is a recall under way.
type recollection struct {
	roster     *Roster
	row        *Row
	engine     *engine.Engine
	events     []msg.Event
	scribe     scribe
	frame      []byte
	next       uint64 // number of the session's next report; 0: it is not negotiated yet
	begun      bool   // it has been bound, and so has reports
	from, upto uint64
	found      tail
}

// lacks reports whether more is wanted and has room.
func (w *recollection) lacks() bool { return w.next < w.upto && len(w.found.bytes) < recallBytes }

// apply applies a command and keeps what it says to the session.
func (w *recollection) apply(c *msg.Command) {
	w.events = w.engine.Apply(c, w.events[:0])
	for i := range w.events {
		ev := &w.events[i]
		w.scribe.note(ev)
		if ev.Kind == msg.SessionNegotiated && ev.Session == w.row.id {
			asked := msg.Request{Rare: ev.Rare}
			w.next, w.begun = 0, false
			if asked.Negotiation().UUID == w.row.terms.UUID {
				w.next = 1
			}
		}
		w.begun = w.begun || ev.Kind == msg.SessionBound && ev.Session == w.row.id
		if w.next == 0 || !ev.Reports() || !w.concerns(ev) {
			continue
		}
		if w.next >= w.from && w.next < w.upto {
			w.frame, _ = w.scribe.append(w.frame[:0], ev, w.roster.scale(ev.Instr))
			w.found.add(w.frame)
		}
		w.next++
	}
}

// concerns reports whether a report goes to the session.
func (w *recollection) concerns(ev *msg.Event) bool {
	if (ev.Session == w.row.id || ev.Elsewhere() == w.row.id) && w.begun {
		return true
	}
	return w.row.terms.Kind == msg.DropCopy && ev.Copies() && (w.row.owner == 0 || w.engine.Party(ev) == w.row.owner)
}
