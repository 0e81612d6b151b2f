package latency

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
)

// L-37: a percentile needs 10 / (1 - p) samples.
func TestPercentileNeedsTenSamplesBeyondIt(t *testing.T) {
	for name, needs := range map[string]int64{"p50": 20, "p90": 100, "p99": 1_000, "p99.9": 10_000, "p99.99": 100_000,
		"p99.999": 1_000_000, "p99.999999": 1_000_000_000, "p75": 40, "p33": 15, "p0.1": 11, "p99.90": 10_000, "p050": 20} {
		p, err := ParsePercentile(name)
		if err != nil || p.Needs != needs {
			t.Errorf("%s needs %d, err %v, expected %d", name, p.Needs, err, needs)
			continue
		}
		if needs > 1_000_000 {
			continue
		}
		h := NewHistogram()
		if err := h.RecordValues(77, needs-1); err != nil {
			t.Fatal(err)
		}
		if _, ok := p.Of(h); ok {
			t.Errorf("%s is given with %d samples", name, needs-1)
		}
		h.RecordValue(77)
		if v, ok := p.Of(h); !ok || v != 77 {
			t.Errorf("%s of %d samples is %d, %v, expected 77", name, needs, v, ok)
		}
	}
	for _, name := range []string{"", "p", "99", "p0", "p0.0", "p100", "p100.5", "p99.", "p.5", "p-1", "p+9", "p9e1", "p99.9999999", "max"} {
		if p, err := ParsePercentile(name); err == nil {
			t.Errorf("%q was read as %+v", name, p)
		}
	}
}

func TestTable(t *testing.T) {
	var out bytes.Buffer
	if err := Table(&out, Rows(read(t, "before.hlog"), read(t, "after.hlog"), read(t, "short.hlog"))); err != nil {
		t.Fatal(err)
	}
	golden(t, "table.golden", out.Bytes())
}

func TestDiff(t *testing.T) {
	var out bytes.Buffer
	before, after := read(t, "before.hlog"), read(t, "after.hlog")
	if err := WriteDiff(&out, before, after, Diff(before, after)); err != nil {
		t.Fatal(err)
	}
	short := read(t, "short.hlog")
	short.Tags[1].Name = "journal" // one tag that only before has, and one that only short has
	if err := WriteDiff(&out, before, short, Diff(before, short)); err != nil {
		t.Fatal(err)
	}
	golden(t, "diff.golden", out.Bytes())
}

func TestReportAsJSON(t *testing.T) {
	before, short := read(t, "before.hlog"), read(t, "short.hlog")
	report := NewReport(before, short)
	report.Rows, report.Deltas = Rows(short), Diff(before, short)[:2]
	var out bytes.Buffer
	if err := report.WriteJSON(&out); err != nil {
		t.Fatal(err)
	}
	if !json.Valid(out.Bytes()) || strings.Count(out.String(), "\n") != 1 {
		t.Errorf("not one line of JSON: %s", out.String())
	}
	golden(t, "report.golden", out.Bytes())
}

func TestGroup(t *testing.T) {
	for n, want := range map[int64]string{0: "0", 7: "7", 999: "999", 1_000: "1,000", 108_000: "108,000", 1_234_567: "1,234,567", -12_345: "-12,345", -123: "-123"} {
		if got := group(n); got != want {
			t.Errorf("%d is written %s, expected %s", n, got, want)
		}
	}
}

// sample is a log of one tag: as many samples of a latency as said.
func sample(name, tag string, ns, count int64) *Log {
	h := NewHistogram()
	h.RecordValues(ns, count)
	return &Log{Name: name, Tags: []*Tag{{Name: tag, Total: h}}}
}

func TestAssertions(t *testing.T) {
	a, b := sample("a", "engine", 1_000, 20_000), sample("b", "engine", 1_100, 20_000)
	wire := sample("w", "wire", 1_000, 20_000)
	few := sample("f", "engine", 1_000, 9_999)
	for _, c := range []struct {
		text          string
		before, after *Log
		want          string // "" when it holds
	}{
		{"p99.9<+10%", a, b, "p99.9<+10%: tag engine: +10.0%, from 1.00us to 1.10us"},
		{"p99.9<=+10%", a, b, ""},
		{"p99.9<+10.1%", a, b, ""},
		{"p50>-1%", a, b, ""},
		{"p50<-1%", b, a, ""},
		{"p50<-10%", b, a, "p50<-10%: tag engine: -9.1%, from 1.10us to 1.00us"},
		{"max < +5%", a, b, "max < +5%: tag engine: +10.0%, from 1.00us to 1.10us"},
		{"count>=+0%", a, b, ""},
		{"engine:p50<+20%", a, b, ""},
		{"journal:p50<+20%", a, b, "journal:p50<+20%: a has no such tag"},
		{"p50<+20%", a, wire, "p50<+20%: tag engine: w has no such tag"},
		{"p99.9<+50%", a, few, "p99.9<+50%: tag engine: too few samples to compare"},
		{"p99.9<50us", a, few, "p99.9<50us: tag engine: 9,999 samples are too few"},
		{"p99<50us", a, b, ""},
		{"p99<1.1us", a, b, "p99<1.1us: tag engine: 1.10us"},
		{"p99<=1100ns", a, b, ""},
		{"min>0.001ms", a, b, ""},
		{"max<1s", a, b, ""},
		{"count>19999", a, b, ""},
		{"count>20000", a, b, "count>20000: tag engine: 20,000"},
	} {
		assertion, err := ParseAssertion(c.text)
		if err != nil {
			t.Errorf("%s: %v", c.text, err)
			continue
		}
		if got := strings.Join(assertion.Compare(c.before, c.after), "|"); got != c.want {
			t.Errorf("%s: %q, expected %q", c.text, got, c.want)
		}
	}
}

func TestAssertionsThatMakeNoSenseAreRefused(t *testing.T) {
	for _, text := range []string{"", "p99", "p99<", "<50us", "p99<50", "p99<10%", "p99<+10", "p99<+10us", "p99=50us", "p100<1s",
		"mean<1s", "count<5us", "p99<50us and more", "p99<1e3ns", "a,b<5us"} {
		if a, err := ParseAssertion(text); err == nil {
			t.Errorf("%q was read as %+v", text, a)
		} else if !strings.Contains(err.Error(), "expected") {
			t.Errorf("%q: %v does not say what was expected", text, err)
		}
	}
}

func TestUnmetReportIsAnError(t *testing.T) {
	report := NewReport()
	if err := report.Err(); err != nil {
		t.Errorf("err = %v of a report with nothing unmet", err)
	}
	report.Unmet = []string{"p50<1ns: tag engine: 1.00us"}
	err := report.Err()
	if unmet, ok := err.(*UnmetError); !ok || unmet.ExitCode() != 3 || err.Error() != "not met: p50<1ns: tag engine: 1.00us" {
		t.Errorf("err = %v", err)
	}
}
