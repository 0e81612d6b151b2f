package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/lockstep-exchange/lockstep/engine"
	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/msg"
	"github.com/lockstep-exchange/lockstep/node/journal"
	"github.com/rogpeppe/go-internal/testscript"
)

// childVariable makes the test binary an exchange.
const childVariable = "EXCHANGE_CHILD"

func TestMain(m *testing.M) {
	if os.Getenv(childVariable) != "" {
		main()
	}
	testscript.Main(m, map[string]func(){"exchange": main})
}

// TestScripts runs the scripts of testdata/script. Besides the commands of testscript they may say
//
//	exits N PROGRAM ARG...   run and expect exactly this exit code; stdout and stderr are there to be looked at
//	pack FROM TO [SIZE]      gzip a file, and cut the result to SIZE bytes; a negative one counts from the end
//	flip FILE OFFSET         flip a bit
//	trade FOLDER             journal deposits there until two snapshots are kept and the first segments freed
//
// and name the recordings of the repository by $TESTDATA, a journal by $JOURNAL, the golden bytes of the wire by $WIRE and its
// captures by $CAPTURES.
func TestScripts(t *testing.T) {
	recordings, err := filepath.Abs(filepath.Join("..", "..", "testdata"))
	if err != nil {
		t.Fatal(err)
	}
	kept, err := filepath.Abs(filepath.Join("..", "..", "node", "journal", "testdata", "format1"))
	if err != nil {
		t.Fatal(err)
	}
	golden, err := filepath.Abs(filepath.Join("..", "..", "wire", "testdata"))
	if err != nil {
		t.Fatal(err)
	}
	captures, err := filepath.Abs(filepath.Join("..", "..", "wire", "capture", "testdata"))
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir:                 filepath.Join("testdata", "script"),
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Cmds:                map[string]func(*testscript.TestScript, bool, []string){"exits": exits, "pack": pack, "flip": flip, "trade": trade},
		Setup: func(env *testscript.Env) error {
			env.Setenv("TESTDATA", recordings)
			env.Setenv("JOURNAL", kept)
			env.Setenv("WIRE", golden)
			env.Setenv("CAPTURES", captures)
			return nil
		},
	})
}

func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits N PROGRAM ARG...")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		var exit *exec.ExitError
		if !errors.As(err, &exit) {
			ts.Fatalf("%v", err)
		}
		got = exit.ExitCode()
	}
	if got != want {
		ts.Fatalf("exit code %d, expected %d", got, want)
	}
}

func flip(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: flip FILE OFFSET")
	}
	off, err := strconv.Atoi(args[1])
	ts.Check(err)
	b := []byte(ts.ReadFile(args[0]))
	b[off] ^= 1
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), b, 0o600))
}

func trade(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: trade FOLDER")
	}
	dir := ts.MkAbs(args[0])
	ts.Check(os.MkdirAll(dir, 0o700))
	eng, err := engine.New(engine.Limits{Accounts: 8, Orders: 64})
	ts.Check(err)
	w, _, err := journal.Open(journal.Config{FS: journal.Disk{}, Dir: dir, Segment: 16 << 10, Ahead: 64,
		Genesis: journal.Genesis{Cluster: 1, Shard: 1, Currency: "USD", Limits: eng.Limits()}}, nil)
	ts.Check(err)
	shadow, err := journal.NewShadow(journal.Disk{}, dir, eng, w.Place(), journal.Chronicle{}, 32<<10)
	ts.Check(err)
	for seq := msg.Seq(1); seq <= 900; seq++ {
		c := msg.Deposit(1, fixed.Coin)
		c.Seq, c.Time = seq, fixed.Nanos(seq)
		if !w.Append(&c) {
			ts.Fatalf("the lane is full")
		}
		w.Publish()
		if seq%4 == 0 {
			ts.Check(w.Flush())
		}
		for did := true; did; {
			did, err = shadow.Step()
			ts.Check(err)
		}
	}
	ts.Check(shadow.Close())
	ts.Check(w.Close())
}

func pack(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 || len(args) > 3 {
		ts.Fatalf("usage: pack FROM TO [SIZE]")
	}
	var buf bytes.Buffer
	w := gzip.NewWriter(&buf)
	_, err := w.Write([]byte(ts.ReadFile(args[0])))
	ts.Check(err)
	ts.Check(w.Close())
	size := buf.Len()
	if len(args) == 3 {
		cut, err := strconv.Atoi(args[2])
		ts.Check(err)
		if cut < 0 {
			cut += size
		}
		size = min(size, cut)
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), buf.Bytes()[:size], 0o600))
}

// An interrupted replay prints what it has, says that it is partial, and exits with 130.
func TestInterruptedReplay(t *testing.T) {
	ctx, interrupt := context.WithCancel(context.Background())
	interrupt()
	file := filepath.Join("..", "..", "testdata", "consensus", "normal_1000.csv")
	var out, err bytes.Buffer
	if exit := run(ctx, []string{"replay", "--format", "consensus", file, "--json"}, &out, &err); exit != exitInterrupted {
		t.Fatalf("exit code %d, expected %d; stderr %s", exit, exitInterrupted, err.String())
	}
	var result struct {
		Partial  bool
		Messages int
	}
	if failure := json.Unmarshal(out.Bytes(), &result); failure != nil || !result.Partial || result.Messages == 0 || result.Messages >= 1000 {
		t.Errorf("%v: %s", failure, out.String())
	}
	var fault struct {
		Exit          int
		Name, Message string
	}
	if failure := json.Unmarshal(err.Bytes(), &fault); failure != nil || fault.Exit != exitInterrupted || fault.Name != "interrupted" {
		t.Errorf("%v: %s", failure, err.String())
	}
}

// A fault that nobody foresaw is ours.
func TestFaults(t *testing.T) {
	for want, err := range map[int]error{
		exitInternal:    errors.New("x"),
		exitUsage:       badUsage("x"),
		exitUnmet:       unmet("x"),
		exitCorrupt:     &journal.Corrupt{},
		exitStorage:     &journal.StorageError{Err: errors.New("x")},
		exitUnfit:       &journal.Running{},
		exitInterrupted: context.Canceled,
	} {
		if got := asFault(err).exit; got != want {
			t.Errorf("%v exits with %d, expected %d", err, got, want)
		}
	}
}

// panicking is a result that cannot be written.
type panicking struct{}

func (panicking) Write([]byte) (int, error) { panic("a broken invariant") }

// A panic is a fault of ours, not of the arguments.
func TestPanicExits(t *testing.T) {
	var err bytes.Buffer
	if exit := run(t.Context(), []string{"version", "--json"}, panicking{}, &err); exit != exitInternal {
		t.Errorf("exit code %d, expected %d", exit, exitInternal)
	}
	var fault struct{ Name, Message string }
	if failure := json.Unmarshal(err.Bytes(), &fault); failure != nil || fault.Name != "internal" || !strings.Contains(fault.Message, "a broken invariant") {
		t.Errorf("%v: %s", failure, err.String())
	}
}
