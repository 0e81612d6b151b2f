package bench

import (
	"errors"
	"testing"

	"github.com/lockstep-exchange/lockstep/node/journal"
)

// A journaled pipeline does the work of the inline run, with either ack, and its journal brings back the state.
func TestThroughJournal(t *testing.T) {
	p, err := Input{Profile: "b10k", Timed: 20_000, Seed: 1, Instruments: 1}.Plan()
	if err != nil {
		t.Fatal(err)
	}
	rec, err := Record(p, 64)
	if err != nil {
		t.Fatal(err)
	}
	h := quiet(t, 1)
	for _, ack := range []journal.Mode{journal.None, journal.Fsync} {
		for _, s := range []Sending{{Flood: true}, {Rate: 1e6}} {
			k, err := h.ThroughJournal(rec, ack, s, len(rec.Requests), t.TempDir(), true)
			if err != nil {
				t.Fatalf("%v, %v: %v", ack, s, err)
			}
			if k.Events != rec.Events || k.Recovery.Ack != ack.String() || int(k.Recovery.Commands) < len(rec.Setup)+len(rec.Requests) || k.Status.Ack != ack.String() {
				t.Errorf("%v, %v: %d events, %+v", ack, s, k.Events, k.Recovery)
			}
		}
	}
	rec.Events++
	var differs *DiffersError
	if _, err := h.ThroughJournal(rec, journal.None, Sending{Flood: true}, len(rec.Requests), t.TempDir(), false); !errors.As(err, &differs) {
		t.Errorf("a wrong number of events: %v", err)
	}
	if s, err := h.Syncs(t.TempDir(), 3); err != nil || s.Total.TotalCount() != 3 {
		t.Errorf("%v", err)
	}
}
