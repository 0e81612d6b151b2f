package sim

import (
	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/msg"
)

// watch reads everything that is released, in order, and keeps of each command what its events were. What a recovery brings about
// again has to be the same (D-34): so nothing that anyone was told is lost or changed, and nobody is told anything twice.
//
//	released ──event──> identity ─┬─> digests, by command
//	                              ├─> naive book
//	                              ├─> ledger
//	                              └─> the client it answers
//
// What a recovery finds durable and nobody was told goes the same way when the recovery is done.
type watch struct {
	world   *world
	digests []uint64 // of the events of each command that was released, by seq-1
	seq     msg.Seq  // the last command that was released, whole
	open    msg.Seq  // the one whose events are being read; 0: none
	index   uint16   // of its next event
	digest  fixed.Digest
	missed  []msg.Event // of commands that were repeated and not released yet
	again   msg.Seq     // the last command that was repeated
	resumed msg.Seq     // the last command that the last recovery found
	time    fixed.Nanos
	traded  [8]int64 // by instrument: sides of trades
	last    [lastEvents]msg.Event
	read    int // events so far
	books   naiveBooks
	ledger  ledger
}

// lastEvents is how many events a finding shows.
const lastEvents = 24

// tail are the last events that were released, for a finding.
func (h *watch) tail() (lines []string) {
	for at := max(0, h.read-lastEvents); at < h.read; at++ {
		lines = append(lines, h.last[at%lastEvents].String())
	}
	return lines
}

func newWatch(w *world) watch {
	return watch{world: w, books: newNaiveBooks(w), ledger: newLedger(w)}
}

// event reads one event that has been released.
func (h *watch) event(e *msg.Event) {
	e.CopyTo(&h.last[h.read%lastEvents])
	h.read++
	if e.Seq != h.open {
		h.close()
		if e.Seq != h.seq+1 {
			h.world.find("output identity", "%s is released after command %d, expected command %d", e.String(), h.seq, h.seq+1)
			return
		}
		h.open, h.index, h.digest = e.Seq, 0, fixed.Digest{}
	}
	switch {
	case e.Index != h.index:
		h.world.find("output identity", "%s has index %d, expected %d", e.String(), e.Index, h.index)
	case e.Time < h.time:
		h.world.find("output identity", "%s at time %d, after time %d", e.String(), e.Time, h.time)
	case uint32(e.Index) >= h.world.options.Limits.Events:
		h.world.find("limits", "%s has index %d, expected %d events at most", e.String(), e.Index, h.world.options.Limits.Events)
	}
	h.index++
	h.time = e.Time
	e.Hash(&h.digest)
	h.books.event(e)
	h.ledger.event(e)
	if len(h.world.desks) > 0 {
		h.world.notary.event(e)
	}
	h.route(e)
}

// close ends the command that is being read.
func (h *watch) close() {
	if h.open == 0 {
		return
	}
	h.books.close()
	h.digests = append(h.digests, h.digest.Sum())
	h.world.trace.Word(h.digest.Sum())
	h.seq, h.open = h.open, 0
	if len(h.missed) > 0 {
		h.meet()
	}
}

// meet compares the command that was released just now with what somebody outside has repeated of it already.
func (h *watch) meet() {
	count := 0
	for count < len(h.missed) && h.missed[count].Seq == h.seq {
		count++
	}
	if got, want := digestOf(h.missed[:count]), h.digests[h.seq-1]; got != want {
		h.world.find("replay", "command %d brings about %016x, and %016x was released: %s", h.seq, got, want, h.missed[0].String())
	}
	h.missed = h.missed[:copy(h.missed, h.missed[count:])]
}

// route brings an event to the client that it answers or whose order it is about.
func (h *watch) route(e *msg.Event) {
	w := h.world
	session, ref := e.Session, e.Ref
	switch e.Kind {
	case msg.Accepted, msg.Traded, msg.ModeChanged:
		if c := w.door(session); c != nil {
			c.see(e)
		}
		if e.Kind == msg.Traded {
			h.traded[e.Instr&7]++
			return
		}
	case msg.SessionOpened, msg.SessionClosed: // Session is the one that opened; who asked for it is the venue
		session = 0
	case msg.Amended, msg.Canceled, msg.Expired:
		if c := w.door(session); c != nil {
			c.see(e)
		}
		change := e.Change()
		session, ref = change.Asker, change.Request
	}
	w.tally(e)
	if c := w.door(session); ref != 0 && c != nil {
		c.answer(ref, e)
	}
}

// rewind is the beginning of a recovery.
func (h *watch) rewind() {
	if h.world.second == nil { // else he goes on where he is
		h.again, h.missed = 0, h.missed[:0]
	}
}

// replayed reads what a recovery brings about for one command.
func (h *watch) replayed(seq msg.Seq, events []msg.Event) {
	if seq != h.again+1 {
		h.world.find("chain", "the journal has command %d after command %d", seq, h.again)
	}
	h.again = seq
	if seq > h.seq {
		h.missed = append(h.missed, events...)
		return
	}
	if got, want := digestOf(events), h.digests[seq-1]; got != want {
		h.world.find("acked in journal", "command %d brings about %016x, and %016x was released: %s", seq, got, want, events[0].String())
	}
}

func digestOf(events []msg.Event) uint64 {
	var d fixed.Digest
	for i := range events {
		events[i].Hash(&d)
	}
	return d.Sum()
}

// recovered is the end of one that has found seq commands.
func (h *watch) recovered(seq msg.Seq) {
	if seq < h.seq {
		h.world.find("acked in journal", "commands %d to %d were released, and the journal ends at %d", seq+1, h.seq, seq)
		return
	}
	h.world.note(resolvedByResume, len(h.missed) > 0)
	missed := h.missed
	h.missed = nil
	for i := range missed {
		h.event(&missed[i])
	}
	h.close()
	h.resumed = seq
}

// tally counts the rare among the events.
func (w *world) tally(e *msg.Event) {
	switch e.Kind {
	case msg.Rejected:
		w.note(tableFull, e.Reject == msg.RejectTableFull)
		w.note(storageRefused, e.Reject == msg.RejectStorageReduceOnly)
		w.note(sessionRefused, e.Reject == msg.RejectNotPermitted)
	case msg.Amended:
		w.note(keptPlace, e.Change().Kept)
		w.note(lostPlace, !e.Change().Kept)
	case msg.Canceled:
		w.note(selfTrade, e.Reason == msg.CanceledBySTP)
		w.note(venueKilled, e.Reason == msg.CanceledByKill)
	case msg.Expired:
		w.reached[expired]++
	case msg.MassCanceled:
		w.reached[massCanceled]++
	case msg.MarginMoved:
		w.reached[isolated]++
	case msg.FundingPaid:
		w.reached[funded]++
	case msg.LiquidationSlice:
		w.reached[liquidated]++
	case msg.Takeover:
		w.reached[takenOver]++
	case msg.AdlFill:
		w.reached[deleveraged]++
	case msg.SweepPending:
		w.reached[examinedLater]++
	case msg.Checkpointed:
		w.reached[checkpointed]++
	case msg.StorageChanged:
		to := e.StorageStep().To
		w.note(softMark, to == msg.StorageSoft)
		w.note(hardMark, to == msg.StorageHard)
		w.note(roomAgain, to == msg.StorageNormal)
	}
}
