package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lockstep-exchange/lockstep/bench/latency"
)

// exchange runs the command line and returns what it printed and its exit code.
func exchange(t *testing.T, args ...string) (out, fault string, exit int) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	exit = run(context.Background(), args, &stdout, &stderr)
	return stdout.String(), stderr.String(), exit
}

// smallStream writes a generated stream, changed by harm, and returns its path.
func smallStream(t *testing.T, harm func([]byte) []byte, flags ...string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "s.ops")
	args := append([]string{"bench", "stream", "gen", "--profile", "ec1k", "-n", "2000", "--out", path}, flags...)
	if out, fault, exit := exchange(t, args...); exit != 0 || !strings.Contains(out, "sha256=") {
		t.Fatalf("exit %d: %s%s", exit, out, fault)
	}
	if harm != nil {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, harm(b), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return path
}

// TestBenchExitCodes holds the contract: 0 valid or blind, 3 another result and no
// time, 2 unreadable or not OPS1.
func TestBenchExitCodes(t *testing.T) {
	wrong := func(b []byte) []byte { b[48]++; return b } // volume
	for _, engine := range [][]string{{"book"}, {"book", "--engine", "map"}, {"book", "--engine", "ladder"}, {"engine"}} {
		for _, c := range []struct {
			name  string
			path  string
			exit  int
			valid any
		}{
			{"valid", smallStream(t, nil), 0, true},
			{"blind", smallStream(t, nil, "--blind"), 0, nil},
			{"wrong", smallStream(t, wrong), 3, false},
		} {
			args := append(append([]string{"bench"}, engine...), "--ops", c.path, "--runs", "1", "--json")
			out, fault, exit := exchange(t, args...)
			if exit != c.exit {
				t.Errorf("%v on %s: exit %d, want %d: %s", engine, c.name, exit, c.exit, fault)
				continue
			}
			var got map[string]any
			if err := json.Unmarshal([]byte(out), &got); err != nil {
				t.Fatalf("%v: %v in %s", engine, err, out)
			}
			if len(got) != 21 || got["valid"] != c.valid || got["refused"] != 0.0 {
				t.Errorf("%v on %s: %s", engine, c.name, out)
			}
			for _, key := range []string{"ns_per_op", "ns_per_op_min", "p50", "p99", "max"} {
				if (got[key] == nil) != (c.exit == 3) {
					t.Errorf("%v on %s: %s is %v", engine, c.name, key, got[key])
				}
			}
		}
	}
}

func TestBenchRefuses(t *testing.T) {
	text := filepath.Join(t.TempDir(), "bad.csv")
	if err := os.WriteFile(text, []byte("N,0,0,5,0,10\nN,9,0,5,1,10\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	high := smallStream(t, func(b []byte) []byte { binary.LittleEndian.PutUint64(b[64+16:], 1<<30); return b })
	for _, c := range []struct {
		want string
		args []string
	}{
		{"no such file", []string{"book", "--ops", "absent.ops"}},
		{"header: magic", []string{"book", "--ops", smallStream(t, func(b []byte) []byte { b[0]++; return b })}},
		{"record 1: side is 2", []string{"engine", "--ops", smallStream(t, func(b []byte) []byte { b[64+32+1] = 2; return b })}},
		{"line 2: side is", []string{"book", "--ops", text}},
		{"the reference ladder holds", []string{"book", "--engine", "ladder", "--ops", high}},
		{"the reference ladder is of one instrument", []string{"book", "--engine", "ladder", "--timed", "10", "--instruments", "2"}},
		{"instruments are 0", []string{"book", "--timed", "10", "--instruments", "0"}},
		{"power of two", []string{"engine", "--accounts", "1000"}},
		{"--runs is 0", []string{"engine", "--runs", "0", "--timed", "10"}},
		{"timed operations are 0", []string{"engine", "--timed", "0"}},
		{"--timed is 0", []string{"all", "--timed", "0"}},
		{"expected 100", []string{"stream", "gen", "--profile", "custom", "--add", "51"}},
		{"seed is 0", []string{"stream", "gen", "--seed", "0"}},
		{"line 2: side is", []string{"stream", "convert", text}},
	} {
		out, fault, exit := exchange(t, append([]string{"bench"}, c.args...)...)
		if exit != 2 || out != "" || !strings.Contains(fault, c.want) {
			t.Errorf("%v: exit %d, want 2 with %q: %s%s", c.args, exit, c.want, out, fault)
		}
	}
}

// TestBenchStream holds that a stream is recognized again, and a harmed one is not.
func TestBenchStream(t *testing.T) {
	path := smallStream(t, nil)
	out, fault, exit := exchange(t, "bench", "stream", "check", path, "--reports", "--json")
	var got map[string]any
	if err := json.Unmarshal([]byte(out), &got); err != nil || exit != 0 || got["ops"] != 2000.0 || len(got["reports"].(string)) != 64 {
		t.Errorf("exit %d, %v: %s%s", exit, err, out, fault)
	}
	harmed := smallStream(t, func(b []byte) []byte { b[64+32*700+28]++; return b })
	if _, fault, exit := exchange(t, "bench", "stream", "check", harmed); exit != 3 || !strings.Contains(fault, "record 700") {
		t.Errorf("a harmed stream: exit %d: %s", exit, fault)
	}
}

// TestBenchLog holds that the log of a run holds every operation.
func TestBenchLog(t *testing.T) {
	path := filepath.Join(t.TempDir(), "run.hlog")
	if out, fault, exit := exchange(t, "bench", "engine", "--ops", smallStream(t, nil), "--runs", "1", "--accounts", "8", "--hlog", path); exit != 0 {
		t.Fatalf("exit %d: %s%s", exit, out, fault)
	}
	log, err := latency.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if tag := log.Tag("engine"); tag == nil || tag.Total.TotalCount() != 2000 || log.Note("ack") != "none" {
		t.Errorf("log %+v", log)
	}
}
