package journal_test

import (
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/lockstep-exchange/lockstep/msg"
	"github.com/lockstep-exchange/lockstep/node/journal"
	"github.com/lockstep-exchange/lockstep/sim/disk"
)

var rewrite = flag.Bool("rewrite", false, "write the golden journals anew: only together with a new format version")

// golden are journals as they were written when their format, and the schema of their commands, was laid down. Whatever comes later
// reads them.
var golden = []struct {
	name      string
	alignment int
	commands  int
	schema    int
	head      string // of the chain
}{
	{"format1", 512, 300, 1, "399ac97bf60c7c27e0f78e1ed801bc19c8976ca7a364e606b90e9f74d2327dd9"},
	{"format1-4096", 4096, 90, 1, "ea2fe643fdf4991a366a8e185e7526a537b16e9254326634c0be07165f5b9e46"},
	{"format1-schema2", 512, 300, 2, "ce6b2664ca04dc4c794207c247b04d7dd5ba5b090e50b2605615306d6e612252"},
	{"format1-schema2-4096", 4096, 90, 2, "f4018bf831619484ca007e34bcf29e50c3853d098cde6419c73fe0a53c6aa5a2"},
}

// written is the schema in which commands are written now.
const written = 2

// goldenCommands are the commands of a golden journal: in schema 1 the short ones of a session had one line.
func goldenCommands(schema, count int) []msg.Command {
	if schema == 1 {
		return drawCommands(21, count, func(c *msg.Command) bool { return !c.Kind.Short() })
	}
	return someCommands(21, count)
}

// goldenDay writes a golden journal: two starts, batches of all sizes, seals, several segments, an end in order.
func goldenDay(t *testing.T, alignment, count int) *disk.Disk {
	files := disk.New(room)
	c := small(files)
	c.Alignment = alignment
	commands := someCommands(21, count)
	for _, upto := range []int{37, count} {
		w, _, held := open(t, c)
		for at, batch := len(held), 1; at < upto; at += batch {
			batch = min(batch%40+9, upto-at)
			if _, err := feed(w, commands[at:at+batch], 64); err != nil {
				t.Fatal(err)
			}
			if batch%2 == 0 {
				if _, err := w.Step(1 << 50); err != nil {
					t.Fatal(err)
				}
			}
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return files
}

// TestGolden reads journals that are in the tree, and writes them byte for byte again.
func TestGolden(t *testing.T) { // D-57
	for _, g := range golden {
		t.Run(g.name, func(t *testing.T) {
			folder := filepath.Join("testdata", g.name)
			files := disk.New(room)
			segments := 0
			if g.schema != written {
				segments = load(t, files, folder)
			} else {
				segments = compare(t, files, folder, goldenDay(t, g.alignment, g.commands))
			}
			held, tail, err := read(files)
			if err != nil {
				t.Fatal(err)
			}
			equal(t, held, goldenCommands(g.schema, g.commands))
			if got := tail.Head.String(); got != g.head || tail.Kind != journal.Shutdown || tail.Epoch != 2 || segments < 2 {
				t.Errorf("%d segments, head %s, expected %s; %+v", segments, got, g.head, tail)
			}
			w, _, _ := open(t, small(files))
			if err := w.Close(); err != nil {
				t.Fatal(err)
			}
		})
	}
}

// load puts a golden journal on a disk and counts its segments.
func load(t *testing.T, files *disk.Disk, folder string) (segments int) {
	list, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range list {
		kept, err := os.ReadFile(filepath.Join(folder, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		files.Put(filepath.Join(dir, e.Name()), kept)
		if filepath.Ext(e.Name()) == ".seg" {
			segments++
		}
	}
	return segments
}

// compare is load of a golden journal that is written byte for byte as it was.
func compare(t *testing.T, files *disk.Disk, folder string, made *disk.Disk) (segments int) {
	list, err := made.List(dir)
	if err != nil {
		t.Fatal(err)
	}
	record, err := os.ReadFile(filepath.Join(folder, "GENESIS"))
	if err != nil && !*rewrite {
		t.Fatal(err)
	}
	same := string(record) == string(made.Get(filepath.Join(dir, "GENESIS")))
	if !same {
		t.Log("the engine has more limits now than the record: what is written has another chain, and is not compared")
	}
	for _, e := range list {
		if filepath.Ext(e.Name) == ".spare" || e.Name == "LOCK" {
			continue
		}
		b := made.Get(filepath.Join(dir, e.Name))
		if *rewrite {
			if err := os.MkdirAll(folder, 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(folder, e.Name), b, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		kept, err := os.ReadFile(filepath.Join(folder, e.Name))
		if err != nil {
			t.Fatal(err)
		}
		if same && string(kept) != string(b) {
			t.Errorf("%s is written differently now: that is a new format", e.Name)
		}
		files.Put(filepath.Join(dir, e.Name), kept)
		if filepath.Ext(e.Name) == ".seg" {
			segments++
		}
	}
	return segments
}
