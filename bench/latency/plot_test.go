package latency

import (
	"bytes"
	"fmt"
	"math"
	"regexp"
	"strings"
	"testing"
)

func plot(t *testing.T, title string, logs ...*Log) string {
	t.Helper()
	var out bytes.Buffer
	if err := Plot(&out, title, logs...); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestPageShowsEveryLogAndTag(t *testing.T) {
	page := plot(t, "Two runs", read(t, "before.hlog"), read(t, "after.hlog"))
	for pattern, want := range map[string]int{
		`<h1>Two runs</h1>`:            1,
		`<button [^>]*data-run="\d"`:   2,
		`<section data-tag="\d">`:      2, // engine, wire
		`<svg class="chart"`:           2,
		`<svg class="strip"`:           4, // each tag of each log
		`<path class="curve" d="M`:     4,
		`<path class="curve faint" d=`: 4,
		`<tr class="differs"`:          1, // commit
		`<td>2 cores, x86-64`:          2,
		`<td>477ns`:                    1,
		`<small>-13\.4%</small>`:       1, // of p50 from 477ns to 413ns
	} {
		if got := len(regexp.MustCompile(pattern).FindAllString(page, -1)); got != want {
			t.Errorf("%s stands %d times on the page, expected %d", pattern, got, want)
		}
	}
}

// The page asks nobody for anything.
func TestPageIsWholeInItself(t *testing.T) {
	page := plot(t, "Alone", read(t, "before.hlog"))
	for _, outside := range []string{"http:", "https:", "//www", "src=", "@import", "url("} {
		if strings.Contains(page, outside) {
			t.Errorf("the page holds %q", outside)
		}
	}
	if !strings.Contains(page, `content="default-src &#39;none&#39;`) && !strings.Contains(page, `content="default-src 'none'`) {
		t.Error("the page has no policy that forbids requests")
	}
}

func TestPageEscapesWhatLogsSay(t *testing.T) {
	log := sample("<img>.hlog", "</script><b>", 1_000, 30)
	log.Notes = []Note{{"machine", "<script>alert(1)</script>"}}
	page := plot(t, "<i>", log)
	for _, raw := range []string{"<img>", "<script>alert", "</script><b>", "<i>.hlog", "<h1><i>"} {
		if strings.Contains(page, raw) {
			t.Errorf("%q stands on the page as it came", raw)
		}
	}
}

func TestPageIsForOneToSixLogs(t *testing.T) {
	var logs []*Log
	for i := range LogsMax {
		logs = append(logs, sample(fmt.Sprint(i), "engine", int64(100*(i+1)), 1_000))
	}
	if page := plot(t, "Six", logs...); !strings.Contains(page, ">F</text>") {
		t.Error("the sixth log has no mark")
	}
	if err := Plot(&bytes.Buffer{}, "", append(logs, logs[0])...); err == nil {
		t.Error("seven logs were drawn")
	}
	if err := Plot(&bytes.Buffer{}, ""); err == nil {
		t.Error("no logs were drawn")
	}
}

// A curve begins at the smallest value and ends at the largest; it is solid as far as ten samples lie beyond.
func TestCurveRunsFromMinToMax(t *testing.T) {
	tag := sample("a", "engine", 1_000, 99_999).Tags[0]
	tag.Total.RecordValue(100)
	a, y := newAxes(curveHeight), newScale(100, 1_000)
	line, data := newLine(0, tag, a, y, 5)
	first, last := data.Points[0], data.Points[len(data.Points)-1]
	if first != [2]string{"p0.0", "100ns"} || last != [2]string{"p99.99900", "1.00us"} {
		t.Errorf("from %v to %v, expected from the minimum to the maximum", first, last)
	}
	if line.EndX != a.Right || line.EndY != a.Top {
		t.Errorf("ends at %g %g, expected %g %g", line.EndX, line.EndY, a.Right, a.Top)
	}
	beyond := strings.Split(line.Faint, "L")
	if got := fmt.Sprintf("M%g ", round(a.Left+0.8*(a.Right-a.Left))); !strings.HasPrefix(beyond[0], got) {
		t.Errorf("dashed from %s, expected from %s: four nines of 100,000 samples leave ten", beyond[0], got)
	}
}

func TestScaleHasRoundBounds(t *testing.T) {
	for _, c := range []struct{ low, high, from, to float64 }{
		{412, 38_000, 200, 50_000}, {1, 1, 1, 10}, {100, 100, 100, 1_000}, {999, 1_001, 500, 2_000}, {20, 5_000, 20, 5_000}, {3, 1e10, 2, 1e10},
	} {
		s := newScale(c.low, c.high)
		if math.Abs(s.low/c.from-1) > 1e-9 || math.Abs(s.high/c.to-1) > 1e-9 {
			t.Errorf("of %g to %g: %g to %g, expected %g to %g", c.low, c.high, s.low, s.high, c.from, c.to)
		}
		if ticks := s.ticks(newAxes(curveHeight)); len(ticks) < 2 || ticks[0].At < ticks[len(ticks)-1].At {
			t.Errorf("of %g to %g: ticks %v", c.low, c.high, ticks)
		}
	}
}

// A long log is gathered into columns that lose no sample, and whose median is right to the width of a bin.
func TestLongLogsAreGathered(t *testing.T) {
	var intervals []Interval
	for i := range 10_000 {
		h := NewHistogram()
		h.RecordValues(int64(1_000+i), 10)
		h.RecordValue(50_000)
		intervals = append(intervals, interval(float64(i), 1, h))
		if i == 99 { // the histograms themselves take long to make
			break
		}
	}
	for len(intervals) < 10_000 {
		next := intervals[len(intervals)%100]
		next.Start = float64(len(intervals))
		intervals = append(intervals, next)
	}
	columns := gather(intervals, 0, 10_000)
	if len(columns) > columnsMax || len(columns) < columnsMax/2 {
		t.Errorf("%d columns, expected about %d", len(columns), columnsMax)
	}
	samples := int64(0)
	for i, c := range columns {
		samples += c.Count
		if c.P50 < 900 || c.P50 > 1_200 || c.Max < 50_000 || c.Max > 50_050 || c.P99 < 45_000 || c.P99 > 55_000 {
			t.Errorf("column %d: p50 %d, p99 %d, max %d, expected about 1,050, 50,000 and 50,000", i, c.P50, c.P99, c.Max)
		}
	}
	if samples != 110_000 {
		t.Errorf("%d samples, expected 110,000", samples)
	}
	if kept := gather(intervals[:50], 0, 50); len(kept) != 50 {
		t.Errorf("a short log has %d columns, expected its 50 intervals", len(kept))
	}
}

func TestTimeTicksAreRound(t *testing.T) {
	for seconds, want := range map[float64]string{
		3: "0s 0.5s 1s 1.5s 2s 2.5s 3s", 0.25: "0s 0.05s 0.1s 0.15s 0.2s 0.25s", 10: "0s 1s 2s 3s 4s 5s 6s 7s 8s 9s 10s", 3_600: "0s 500s 1000s 1500s 2000s 2500s 3000s 3500s",
	} {
		var labels []string
		for _, tick := range timeTicks(seconds, func(s float64) float64 { return s }) {
			labels = append(labels, tick.Label)
		}
		if got := strings.Join(labels, " "); got != want {
			t.Errorf("%g seconds: %s, expected %s", seconds, got, want)
		}
	}
}
