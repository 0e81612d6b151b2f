package feed_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/lockstep-exchange/lockstep/engine"
	"github.com/lockstep-exchange/lockstep/msg"
	"github.com/lockstep-exchange/lockstep/node/journal"
	"github.com/lockstep-exchange/lockstep/tape/feed"
	"github.com/lockstep-exchange/lockstep/wire/gen"
)

// W-60, W-61, W-65: a book that is built from the records alone is, after every command, the engine's: same orders, same quantities,
// same places, same checksum; and what was told of an instrument is what it is.
func TestToldBookIsTheEngines(t *testing.T) {
	total, last := newReader(t), ""
	defer func() {
		if t.Failed() {
			t.Log("at", last)
		}
	}()
	for seed := range uint64(12) {
		w := newWorld(t, seed)
		tape := feed.New(feed.Limits{Instruments: instruments, Underlyings: 1, Orders: limits.Orders})
		r := newReader(t)
		var buffer []byte
		for n := range 6_000 {
			c, events := w.next()
			last = fmt.Sprintf("seed %d, command %d: %s", seed, n, c.String())
			buffer = tape.Append(buffer[:0], events)
			r.records(buffer)
			r.witness(w.Engine, events)
			if tape.Next() != r.number {
				t.Fatalf("the next record is %d, want %d", tape.Next(), r.number)
			}
			for id := msg.InstrumentID(1); id <= instruments; id++ {
				r.compare(w.Engine, tape, id)
				r.compareState(w.Engine, id)
			}
		}
		total.interested += r.interested
		for template, n := range r.seen {
			total.seen[template] += n
		}
		for kind, n := range r.kinds {
			total.kinds[kind] += n
		}
	}
	t.Log("records by template", total.seen, "prints by kind", total.kinds)
	for _, template := range []uint16{gen.TemplateOrderAdd, gen.TemplateOrderReduce, gen.TemplateOrderMove, gen.TemplateOrderDelete, gen.TemplateOrderExecuted,
		gen.TemplateTradeSummary, gen.TemplateMarkFunding, gen.TemplateInstrumentStatus, gen.TemplateInstrumentDefinition, gen.TemplateLiquidationPrint} {
		if total.seen[template] < 20 {
			t.Errorf("only %d of template %d", total.seen[template], template)
		}
	}
	if total.interested < 100 {
		t.Errorf("only %d marks at which lots were held", total.interested)
	}
	for kind := gen.LiquidationKindLiquidation; kind <= gen.LiquidationKindADL; kind++ {
		if total.kinds[kind] == 0 {
			t.Errorf("no print of kind %d", kind)
		}
	}
}

// The same over the golden journals, which have every kind of command and every kind of event there is.
func TestToldBookOverGoldenJournals(t *testing.T) {
	folders, err := filepath.Glob("../../engine/testdata/golden/*")
	if err != nil || len(folders) < 10 {
		t.Fatal(folders, err)
	}
	for _, folder := range folders {
		t.Run(filepath.Base(folder), func(t *testing.T) {
			if s, err := os.Stat(folder); err != nil || !s.IsDir() {
				t.Skip("no journal")
			}
			j, err := journal.NewReader(journal.Disk{}, folder)
			if err != nil {
				t.Fatal(err)
			}
			defer j.Close()
			e, err := engine.New(j.Genesis().Limits)
			if err != nil {
				t.Fatal(err)
			}
			l := e.Limits()
			tape := feed.New(feed.Limits{Instruments: l.Instruments, Underlyings: l.Underlyings, Orders: l.Orders})
			r := newReader(t)
			var out []msg.Event
			var buffer []byte
			for j.Next() {
				for i := range j.Commands() {
					out = e.Apply(&j.Commands()[i], out[:0])
					buffer = tape.Append(buffer[:0], out)
					r.records(buffer)
					r.witness(e, out)
					for id := msg.InstrumentID(1); uint32(id) <= l.Instruments; id++ {
						r.compare(e, tape, id)
						r.compareState(e, id)
					}
				}
			}
			if j.Err() != nil {
				t.Fatal(j.Err())
			}
		})
	}
}
