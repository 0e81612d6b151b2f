package engine_test

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/lockstep-exchange/lockstep/engine"
	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/msg"
	"github.com/lockstep-exchange/lockstep/node/journal"
	"github.com/lockstep-exchange/lockstep/sim/disk"
)

var goldenAnew = flag.Bool("golden.rewrite", false, "write the golden journals anew: only for another logic version, whose hashes differ")

// A golden journal is a folder of testdata/golden: the files of a journal, and EXPECTED with what an engine makes of it:
//
//	commands 512, events 0123456789abcdef, state 0123456789abcdef, head 0123...
//
// Whatever comes later replays it to the same hashes, or calls itself another logic version (docs/DURABILITY.md).

const goldenFolder = "testdata/golden"

// goldenDraws is how many commands are drawn for one; most are left out.
const goldenDraws = 3_000

// unreached are the rejects that no engine gives: of sessions and gateways, and of what is not built. The last is a fault.
var unreached = map[msg.Reject]bool{
	msg.RejectUnknownTemplate: true, msg.RejectBadBlock: true, msg.RejectUnsupportedVersion: true, msg.RejectShuttingDown: true, msg.RejectBusy: true,
	msg.RejectBusyStorage: true, msg.RejectViewBehind: true, msg.RejectTooOld: true, msg.RejectOtherShard: true,
	msg.RejectStressReduceOnly: true, msg.RejectBucketLimit: true, msg.RejectBadLink: true,
	msg.RejectPegNotAllowed: true, msg.RejectTriggerCrossed: true, msg.RejectInternal: true,
}

// TestGoldenJournals replays the golden journals, and finds in them every kind of command and every reject that there is.
func TestGoldenJournals(t *testing.T) { // D-57
	kinds, rejects, told := map[msg.Kind]int{}, map[msg.Reject]int{}, map[msg.EventKind]int{}
	for number, g := range engine.GoldenDays {
		t.Run(g.Name, func(t *testing.T) {
			folder := filepath.Join(goldenFolder, g.Name)
			if *goldenAnew {
				writeGolden(t, number, folder)
			}
			want, err := os.ReadFile(filepath.Join(folder, "EXPECTED"))
			if err != nil {
				t.Fatal(err)
			}
			got := replayGolden(t, folder, func(c *msg.Command, events []msg.Event) {
				kinds[c.Kind]++
				for i := range events {
					told[events[i].Kind]++
					if events[i].Kind == msg.QuoteAnswered {
						rejects[events[i].QuoteAnswer().AskNo]++
					}
					if events[i].Kind == msg.Rejected {
						rejects[events[i].Reject]++
					}
				}
			})
			if got != string(want) {
				t.Errorf("%s\ngot      %sexpected %s", "equal commands bring about something else than they did: a fault, or a new logic version", got, want)
			}
		})
	}
	for k := msg.KindLimit; k <= msg.KindAskMargin; k++ {
		if kinds[k] == 0 {
			t.Errorf("no golden journal has a command of kind %d", k)
		}
	}
	for code := range uint16(1000) {
		if r, ok := msg.RejectByCode(code); ok && rejects[r] > 0 == unreached[r] {
			t.Errorf("%s is given %d times, and noted as one that no engine gives is %v", r.Name(), rejects[r], unreached[r])
		}
	}
	t.Logf("%d kinds of commands, %d rejects, %d kinds of events", len(kinds), len(rejects), len(told))
}

// replayGolden replays a golden journal and says what came of it.
func replayGolden(t *testing.T, folder string, each func(*msg.Command, []msg.Event)) string {
	r, err := journal.NewReader(journal.Disk{}, folder)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	e, err := engine.New(r.Genesis().Limits)
	if err != nil {
		t.Fatal(err)
	}
	var digest fixed.Digest
	var out []msg.Event
	for r.Next() {
		for i := range r.Commands() {
			c := &r.Commands()[i]
			out = e.Apply(c, out[:0])
			for k := range out {
				out[k].Hash(&digest)
			}
			each(c, out)
		}
	}
	if r.Err() != nil {
		t.Fatal(r.Err())
	}
	return fmt.Sprintf("commands %d, events %016x, state %016x, head %s\n", e.Seq(), digest.Sum(), e.Hash(), r.Tail().Head)
}

// writeGolden draws a golden journal and writes it. A command is kept where its kind has seldom brought about what it brings about.
func writeGolden(t *testing.T, number int, folder string) {
	type effect struct {
		kind   msg.Kind
		told   msg.EventKind
		reject msg.Reject
	}
	seen := map[effect]int{}
	limits, commands, err := engine.Golden(number, goldenDraws, func(c *msg.Command, events []msg.Event) (keep bool) {
		for i := range events {
			if events[i].Kind == msg.Checkpointed {
				return false // of a hash that nobody came to
			}
			most := 30
			if events[i].Kind == msg.Rejected {
				most = 1
			}
			of := effect{c.Kind, events[i].Kind, events[i].Reject}
			if seen[of]++; seen[of] <= most {
				keep = true
			}
		}
		return keep
	})
	if err != nil {
		t.Fatal(err)
	}
	const dir = "/golden"
	files := disk.New(1 << 26)
	w, _, err := journal.Open(journal.Config{FS: files, Dir: dir, Segment: 16 << 10,
		Genesis: journal.Genesis{Cluster: 57, Shard: 1, Currency: "USD", Limits: limits}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := range commands {
		w.Append(&commands[i])
		w.Publish()
		if i%32 == 31 || i == len(commands)-1 {
			if err := w.Flush(); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(folder); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	list, err := files.List(dir)
	if err != nil {
		t.Fatal(err)
	}
	put := func(name string, b []byte) {
		if err := os.WriteFile(filepath.Join(folder, name), b, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, f := range list {
		if ext := filepath.Ext(f.Name); ext == ".seg" || f.Name == "GENESIS" || f.Name == "EPOCH" {
			put(f.Name, bytes.Clone(files.Get(filepath.Join(dir, f.Name))))
		}
	}
	put("EXPECTED", []byte(replayGolden(t, folder, func(*msg.Command, []msg.Event) {})))
}
