package scenario_test

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lockstep-exchange/lockstep/sim/scenario"
)

var rewrite = flag.Bool("rewrite", false, "write the golden files anew")

// golden compares what was printed with a golden file.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	file := filepath.Join("testdata", "golden", name)
	if *rewrite {
		if err := os.WriteFile(file, got, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s: -want +got\n%s", file, diff)
	}
}

// TestGolden holds how a trace, the failures and their JSON read.
func TestGolden(t *testing.T) { // T-2
	text, err := os.ReadFile(filepath.Join("testdata", "golden", "wrong.scenario"))
	if err != nil {
		t.Fatal(err)
	}
	s, err := scenario.Parse("wrong.scenario", text, scenario.AsWritten)
	if err != nil {
		t.Fatal(err)
	}
	var trace bytes.Buffer
	r, err := s.Run(context.Background(), &trace)
	if err != nil {
		t.Fatal(err)
	}
	r.Hash = "" // of the state, whose layout changes more often than what is printed
	object, err := json.MarshalIndent(r, "", "\t")
	if err != nil {
		t.Fatal(err)
	}
	var failures []byte
	for i := range r.Failed {
		failures = append(r.Failed[i].Append(failures, r.File), '\n')
	}
	golden(t, "wrong.trace", trace.Bytes())
	golden(t, "wrong.failures", failures)
	golden(t, "wrong.json", append(object, '\n'))
}
