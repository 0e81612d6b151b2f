package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A self-test serves, trades, tells, writes what it is asked for, and judges.
func TestSelfTest(t *testing.T) {
	dir := t.TempDir()
	hlog, page := filepath.Join(dir, "run.hlog"), filepath.Join(dir, "run.html")
	short := []string{"load", "--self-test", "--float", "--rate", "500", "--duration", "200ms", "--warmup", "10ms"}
	var out, errs bytes.Buffer
	if exit := run(append([]string{"--json"}, append(short, "--hlog", hlog, "--html", page)...), &out, &errs); exit != 0 {
		t.Fatalf("exit %d\n%s", exit, &errs)
	}
	var r struct {
		Result struct{ Sent, Answered int }
		Rows   []struct {
			Tag   string
			Count int
		}
		Baselines []struct{ Name string }
		Ratios    []struct{ Value float64 }
	}
	if err := json.Unmarshal(out.Bytes(), &r); err != nil {
		t.Fatalf("%v\n%s", err, &out)
	}
	if r.Result.Sent == 0 || r.Result.Answered != r.Result.Sent || len(r.Rows) != 5 || len(r.Baselines) < 3 || len(r.Ratios) == 0 {
		t.Errorf("%+v", r)
	}
	if html, err := os.ReadFile(page); err != nil || !bytes.Contains(html, []byte("Load over the wire")) {
		t.Errorf("the page: %v", err)
	}
	out.Reset()
	if exit := run([]string{hlog, "--assert", "total:p50<10s"}, &out, &errs); exit != 0 || !strings.Contains(out.String(), "back") {
		t.Errorf("exit %d of the log\n%s", exit, &out)
	}
	if exit := run(append(short, "--assert", "total:max<1ns"), &out, &errs); exit != 3 {
		t.Errorf("exit %d where an assertion cannot hold", exit)
	}
}

func TestLoadRefuses(t *testing.T) {
	dir := t.TempDir()
	key := filepath.Join(dir, "key")
	if err := os.WriteFile(key, []byte(strings.Repeat("07", 32)+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for args, want := range map[string]struct {
		exit int
		text string
	}{
		"load":                                               {2, "expected --addr and at least one --key, or --self-test"},
		"load --self-test --addr 127.0.0.1:1":                {2, "expected no --addr"},
		"load --self-test --rate fast":                       {2, `--rate "fast"`},
		"load --self-test --mix buy=1":                       {2, `mix "buy=1"`},
		"load --self-test --window 100":                      {2, "--window is 100"},
		"load --self-test --depth 0":                         {2, "Depth is 0"},
		"load --self-test --closed --flood":                  {2, "--closed and --flood"},
		"load --self-test --assert p99<+10%":                 {2, "about a change"},
		"load --addr 127.0.0.1:1 --key 1":                    {2, `--key "1"`},
		"load --addr 127.0.0.1:1 --venue x --key 1=" + key:   {2, `--venue "x"`},
		"load --addr 127.0.0.1:1 --any-venue --key 1=" + key: {5, "key 1 at 127.0.0.1:1"},
	} {
		var out, errs bytes.Buffer
		if exit := run(strings.Fields(args), &out, &errs); exit != want.exit || !strings.Contains(errs.String(), want.text) || out.Len() > 0 {
			t.Errorf("%s: exit %d, expected %d with %q\n%s", args, exit, want.exit, want.text, &errs)
		}
	}
}
