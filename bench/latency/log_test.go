package latency

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"math"
	"math/bits"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
	"github.com/google/go-cmp/cmp"
)

var rewrite = flag.Bool("rewrite", false, "write the logs and golden files in testdata anew")

// run describes a made-up log: latencies around a median with a heavy tail, and one interval that stalls. It is made of
// integers alone, so that every machine makes the same.
type run struct {
	seed    uint64
	commit  string
	median  int // ns
	tail    int // of 1,000 samples, how many a timer gap delays
	stall   int // the interval that stalls, -1 for none
	samples int // an interval
}

var madeUp = map[string]run{
	"before.hlog": {seed: 1, commit: "1f0c2ad", median: 420, tail: 2, stall: 7, samples: 9_000},
	"after.hlog":  {seed: 2, commit: "93d1be0", median: 365, tail: 1, stall: -1, samples: 9_000},
	"short.hlog":  {seed: 3, commit: "93d1be0", median: 365, tail: 1, stall: -1, samples: 7},
}

// write makes the log: twelve quarters of a second of two tags.
func (r run) write(t *testing.T) []byte {
	t.Helper()
	var out bytes.Buffer
	start := time.Date(2025, 11, 3, 9, 30, 0, 0, time.UTC)
	w, err := NewWriter(&out, start, Note{"machine", "2 cores, x86-64, Linux 6.1"}, Note{"commit", r.commit}, Note{"ack", "none"}, Note{"mode", "threaded"})
	if err != nil {
		t.Fatal(err)
	}
	random := rand.New(rand.NewPCG(r.seed, r.seed))
	burst := func(step int) int { return step*bits.TrailingZeros64(random.Uint64()) + random.IntN(step) } // halves with each step
	h := NewHistogram()
	for i := range 12 {
		from := start.Add(time.Duration(i) * 250 * time.Millisecond)
		for _, tag := range []string{"engine", "wire"} {
			for range r.samples {
				ns := r.median * (700 + random.IntN(200) + random.IntN(200) + random.IntN(200)) / 1_000
				if tag == "wire" {
					ns *= 9
				}
				ns += burst(40)
				if random.IntN(1_000) < r.tail {
					ns += 20_000 + burst(4_000)
				}
				if i == r.stall {
					ns += burst(700)
				}
				if err := h.RecordValue(int64(ns)); err != nil {
					t.Fatal(err)
				}
			}
			if err := w.Interval(tag, from, from.Add(250*time.Millisecond), h); err != nil {
				t.Fatal(err)
			}
		}
	}
	return out.Bytes()
}

func file(name string) string { return filepath.Join("testdata", name) }

func read(t *testing.T, name string) *Log {
	t.Helper()
	log, err := ReadFile(file(name))
	if err != nil {
		t.Fatal(err)
	}
	log.Name = name
	return log
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	if *rewrite {
		if err := os.WriteFile(file(name), got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file(name))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s (-want +got):\n%s", name, diff)
	}
}

// The logs in testdata hold what this code records: notes, times and every count.
func TestLogsAreWrittenAsCommitted(t *testing.T) {
	for name, run := range madeUp {
		text := run.write(t)
		if *rewrite {
			if err := os.WriteFile(file(name), text, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		written, err := Read(bytes.NewReader(text), name)
		if err != nil {
			t.Fatal(err)
		}
		committed := read(t, name)
		if diff := cmp.Diff(committed, written, cmp.Comparer((*hdrhistogram.Histogram).Equals)); diff != "" {
			t.Errorf("%s (-committed +written):\n%s", name, diff)
		}
	}
}

func TestReadGivesBackWhatWasWritten(t *testing.T) {
	log := read(t, "before.hlog")
	want := []Note{{"start", "2025-11-03T09:30:00Z"},
		{"machine", "2 cores, x86-64, Linux 6.1"}, {"commit", "1f0c2ad"}, {"ack", "none"}, {"mode", "threaded"}}
	if diff := cmp.Diff(want, log.Notes); diff != "" {
		t.Errorf("notes (-want +got):\n%s", diff)
	}
	if len(log.Tags) != 2 || log.Tags[0].Name != "engine" || log.Tags[1].Name != "wire" || log.Tag("journal") != nil {
		t.Fatalf("tags %v, expected engine and wire", log.Tags)
	}
	for _, tag := range log.Tags {
		if len(tag.Intervals) != 12 || tag.Total.TotalCount() != 12*9_000 {
			t.Errorf("tag %s: %d intervals, %d samples, expected 12 and 108000", tag.Name, len(tag.Intervals), tag.Total.TotalCount())
		}
		for i, v := range tag.Intervals {
			cells := int64(0)
			for _, c := range v.Cells {
				cells += c.Count
			}
			if v.Start != float64(i)/4 || v.Length != 0.25 || v.Count != 9_000 || cells != 9_000 {
				t.Errorf("tag %s, interval %d: start %g length %g count %d cells %d", tag.Name, i, v.Start, v.Length, v.Count, cells)
			}
		}
	}
	if log.Note("COMMIT") != "1f0c2ad" || log.Note("kernel") != "" {
		t.Errorf("notes commit %q, kernel %q", log.Note("COMMIT"), log.Note("kernel"))
	}
}

// The log opens in the library's own reader with the same counts and the same percentiles.
func TestLogOpensElsewhere(t *testing.T) {
	text, err := os.ReadFile(file("before.hlog"))
	if err != nil {
		t.Fatal(err)
	}
	other, total, tags := hdrhistogram.NewHistogramLogReader(bytes.NewReader(text)), NewHistogram(), map[string]int{}
	for {
		h, err := other.NextIntervalHistogram()
		if err != nil {
			t.Fatal(err)
		}
		if h == nil {
			break
		}
		tags[h.Tag()]++
		if h.Tag() == "engine" {
			total.Merge(h)
		}
		if start := time.UnixMilli(h.StartTimeMs()).UTC(); start.Year() != 2025 || start.Minute() != 30 {
			t.Errorf("interval starts at %v", start)
		}
	}
	ours := read(t, "before.hlog").Tag("engine").Total
	if tags["engine"] != 12 || tags["wire"] != 12 || total.TotalCount() != ours.TotalCount() || total.ValueAtPercentile(99.9) != ours.ValueAtPercentile(99.9) {
		t.Errorf("tags %v, count %d and p99.9 %d, expected %d and %d", tags, total.TotalCount(), total.ValueAtPercentile(99.9),
			ours.TotalCount(), ours.ValueAtPercentile(99.9))
	}
}

// X-55: percentiles of several intervals and logs are those of all samples together.
func TestMergedPercentilesComeFromMergedHistograms(t *testing.T) {
	quick, slow, all := NewHistogram(), NewHistogram(), NewHistogram()
	for range 99_000 {
		quick.RecordValue(100)
		all.RecordValue(100)
	}
	for range 1_000 {
		slow.RecordValue(1_000_000)
		all.RecordValue(1_000_000)
	}
	var logs []*Log
	for _, h := range []*hdrhistogram.Histogram{quick, slow} {
		var out bytes.Buffer
		w, err := NewWriter(&out, time.Unix(1, 0))
		if err != nil {
			t.Fatal(err)
		}
		if err := w.Interval("engine", time.Unix(1, 0), time.Unix(2, 0), h); err != nil {
			t.Fatal(err)
		}
		log, err := Read(&out, "made")
		if err != nil {
			t.Fatal(err)
		}
		logs = append(logs, log)
	}
	merged, err := Merge("both", logs)
	if err != nil {
		t.Fatal(err)
	}
	total := merged.Tag("engine").Total
	for _, p := range Percentiles {
		if got, want := total.ValueAtPercentile(p.Value), all.ValueAtPercentile(p.Value); got != want {
			t.Errorf("%s is %d, of all samples together it is %d", p.Name, got, want)
		}
	}
	if len(merged.Tag("engine").Intervals) != 2 {
		t.Errorf("%d intervals, expected 2", len(merged.Tag("engine").Intervals))
	}
}

// Histograms of different ranges and precision merge into one that holds both.
func TestHistogramsOfDifferentRangesMerge(t *testing.T) {
	narrow, wide := hdrhistogram.New(1, 1_000, 2), hdrhistogram.New(1, 1_000_000_000, 3)
	narrow.RecordValue(500)
	wide.RecordValue(123_456_789)
	for _, order := range [][]*hdrhistogram.Histogram{{narrow, wide}, {wide, narrow}} {
		var total *hdrhistogram.Histogram
		var err error
		for _, h := range order {
			if total, err = merge(total, h); err != nil {
				t.Fatal(err)
			}
		}
		if total.TotalCount() != 2 || !total.ValuesAreEquivalent(total.Max(), 123_456_789) {
			t.Errorf("count %d, max %d, expected 2 and about 123456789", total.TotalCount(), total.Max())
		}
	}
}

func TestBadLogsAreRefusedWithFileAndLine(t *testing.T) {
	good := "0.000,1.000,0.041," + payload(t)
	for _, c := range []struct{ name, text, want string }{
		{"empty", "", "x.hlog: no interval, expected at least one line start,length,max,histogram"},
		{"head only", "#[Histogram log format version 1.3]\n", "x.hlog: no interval"},
		{"not a log", "order_id,price\n", "x.hlog:1: 2 fields, expected [Tag=name,]start,length,max,histogram"},
		{"tag only", good + "\nTag=engine\n", "x.hlog:2: 0 fields"},
		{"start", "#a\nnow,1.0,1.0," + payload(t), `x.hlog:2: start "now", expected seconds`},
		{"length below zero", "0,-1,1.0," + payload(t), `x.hlog:1: length "-1"`},
		{"length no number", "0,NaN,1.0," + payload(t), `x.hlog:1: length "NaN"`},
		{"torn histogram", good + "\n" + good[:len(good)-8], "x.hlog:2: the histogram does not decode"},
		{"no base64", "0,1,1.0,HISTF-?-", "x.hlog:1: the histogram does not decode"},
		{"endless line", good + "\n" + strings.Repeat("a", lineMax+1), "x.hlog:2: the line does not end"},
	} {
		t.Run(c.name, func(t *testing.T) {
			log, err := Read(strings.NewReader(c.text), "x.hlog")
			var input *InputError
			if log != nil || !errors.As(err, &input) || input.ExitCode() != 2 || !strings.HasPrefix(err.Error(), c.want) {
				t.Errorf("log %v, err %v, expected an InputError %q", log, err, c.want)
			}
		})
	}
	if _, err := ReadFile(file("nowhere.hlog")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("err = %v, expected that the file does not exist", err)
	}
}

func payload(t *testing.T) string {
	t.Helper()
	h := NewHistogram()
	h.RecordValue(41_000)
	text, err := h.Encode(hdrhistogram.V2CompressedEncodingCookieBase)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// Logs without tags, notes in brackets, CRLF and no final line break are read as well.
func TestForeignLogsAreRead(t *testing.T) {
	text := "#[Logged with something 1.0]\r\n#[StartTime: 1441812279.474 (seconds since epoch), then]\r\n# kernel : odd\r\n" +
		"\"StartTimestamp\",\"Interval_Length\",\"Interval_Max\",\"Interval_Compressed_Histogram\"\r\n\r\n0.127,1.007,2.769," + payload(t)
	log, err := Read(strings.NewReader(text), "x.hlog")
	if err != nil {
		t.Fatal(err)
	}
	if len(log.Tags) != 1 || log.Tags[0].Name != "" || log.Tags[0].Total.TotalCount() != 1 || log.Note("start") != "then" || log.Note("kernel") != "odd" {
		t.Errorf("read %+v", log)
	}
}

func TestWriterRefusesWhatWouldTearTheLog(t *testing.T) {
	if _, err := NewWriter(&bytes.Buffer{}, time.Unix(0, 0), Note{"a", "b\n0,1,2,3"}); err == nil {
		t.Error("a note over two lines was written")
	}
	w, err := NewWriter(&bytes.Buffer{}, time.Unix(0, 0))
	if err != nil {
		t.Fatal(err)
	}
	for _, tag := range []string{"a,b", "a b", "a\nb"} {
		if err := w.Interval(tag, time.Unix(0, 0), time.Unix(1, 0), NewHistogram()); err == nil {
			t.Errorf("tag %q was written", tag)
		}
	}
}

func TestBinsHoldTheirValues(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 5))
	for range 10_000 {
		ns := int64(math.Exp(random.Float64() * 23))
		if bin := Bin(ns); Bound(bin) > float64(ns)*(1+1e-12) || Bound(bin+1) <= float64(ns)*(1-1e-12) {
			t.Fatalf("%d is in bin %d from %g to %g", ns, bin, Bound(bin), Bound(bin+1))
		}
	}
	if Bin(0) != 0 || Bin(1) != 0 || Bin(2) != binsPerOctave {
		t.Errorf("bins of 0, 1, 2: %d %d %d", Bin(0), Bin(1), Bin(2))
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte("0.000,1.000,0.041,HISTFAAAAB542pNpmSzMwMDAxAABzFCaGUoz2X+AMIAAAFLMBWY="))
	f.Add([]byte("#[StartTime: 1]\nTag=a,1,1,1,\n"))
	f.Add([]byte("Tag=,,,,"))
	f.Fuzz(func(t *testing.T, text []byte) {
		log, err := Read(bytes.NewReader(text), "fuzz")
		if (log == nil) == (err == nil) {
			t.Fatalf("log %v and err %v", log, err)
		}
		if err == nil && !slices.ContainsFunc(log.Tags, func(tag *Tag) bool { return len(tag.Intervals) > 0 }) {
			t.Fatal("a log without intervals")
		}
	})
}

func ExampleFormat() {
	for _, ns := range []int64{0, 7, 999, 1_000, 1_234, 12_345, 99_960, 123_456, 999_600, 1_500_000, 2_310_000_000} {
		fmt.Println(Format(ns))
	}
	// Output:
	// 0ns
	// 7ns
	// 999ns
	// 1.00us
	// 1.23us
	// 12.3us
	// 100us
	// 123us
	// 1.00ms
	// 1.50ms
	// 2.31s
}
