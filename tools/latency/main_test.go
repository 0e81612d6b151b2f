package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const logs = "../../bench/latency/testdata/"

func TestCommandsAndTheirExitCodes(t *testing.T) {
	out := filepath.Join(t.TempDir(), "page.html")
	bad := filepath.Join(t.TempDir(), "bad.hlog")
	if err := os.WriteFile(bad, []byte("#[Histogram log format version 1.3]\nTag=engine,0,1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	before, after := logs+"before.hlog", logs+"after.hlog"
	for _, c := range []struct {
		args   string
		exit   int
		stdout string // part of it
		stderr string
	}{
		{before, 0, "108,000   477ns", ""},
		{"table " + before + " " + after, 0, "after.hlog   engine", ""},
		{"--merge " + before + " " + after, 0, "merged  engine  216,000", ""},
		{before + " --assert p90<1ms --assert wire:p50<1us", 3, "108,000", "latency: not met: wire:p50<1us: tag wire: 3.87us"},
		{before + " --assert engine:p99.9<50us", 0, "108,000", ""},
		{before + " --assert p99<+10%", 2, "", "about a change, expected latency diff A B"},
		{"diff " + before + " " + after + " --assert p99.9<+10%", 0, "-96.3%", ""},
		{"diff " + after + " " + before + " --assert p99.9<+10%", 3, "engine", "p99.9<+10%: tag engine: +2"},
		{"diff " + before, 2, "", "expected \"<b>\""},
		{"diff " + before + " " + after + " --assert fast", 2, "", `latency: assertion "fast", expected`},
		{"plot " + before + " " + after + " --out " + out, 0, out, ""},
		{"plot " + strings.Repeat(before+" ", 7) + "--out " + out, 2, "", "7 logs, expected at most 6"},
		{"plot " + before, 2, "", "missing flags: --out"},
		{"plot " + before + " --out " + filepath.Join(out, "below"), 2, "", "not a directory"},
		{"", 2, "", "expected \"<file> ...\""},
		{"nowhere.hlog", 2, "", "latency: open nowhere.hlog: no such file"},
		{bad, 2, "", "latency: " + bad + ":2: 2 fields, expected [Tag=name,]start,length,max,histogram"},
		{"--json " + before, 0, `"p99.99":38`, ""},
		{"--json diff " + before + " " + after + " --assert p50<1ns", 3, `"unmet":["p50`, `{"exit":3,"message":"not met:`},
		{"--json " + bad, 2, "", `{"exit":2,"message":"`},
		{"--json plot " + before + " --out " + out, 0, `{"out":"`, ""},
		{"--help", 0, "Examples:", ""},
	} {
		t.Run(c.args, func(t *testing.T) {
			var stdout, stderr bytes.Buffer
			exit := run(strings.Fields(c.args), &stdout, &stderr)
			if exit != c.exit || !strings.Contains(stdout.String(), c.stdout) || !strings.Contains(stderr.String(), c.stderr) {
				t.Errorf("exit %d, expected %d\nstdout %s\nstderr %s", exit, c.exit, &stdout, &stderr)
			}
			if (stderr.Len() > 0) != (c.exit != 0) || c.exit == 2 && stdout.Len() > 0 {
				t.Errorf("results belong on stdout and faults on stderr\nstdout %s\nstderr %s", &stdout, &stderr)
			}
			if strings.HasPrefix(c.args, "--json") && stdout.Len() > 0 && !json.Valid(stdout.Bytes()) {
				t.Errorf("no JSON: %s", &stdout)
			}
		})
	}
	if page, err := os.ReadFile(out); err != nil || !bytes.HasPrefix(page, []byte("<!doctype html>")) {
		t.Errorf("the page: %v", err)
	}
}
