package stress

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/msg"
)

// write puts a text into a file of its own.
func write(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "bars.csv")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func span(t *testing.T, from, to string) (a, b time.Time) {
	t.Helper()
	a, err := parseMoment(from)
	if err != nil {
		t.Fatal(err)
	}
	if b, err = parseMoment(to); err != nil {
		t.Fatal(err)
	}
	return a, b
}

// Two bars, one that falls and one that rises, newest first: the path goes by high and low, then by low and high.
func TestPathOfBars(t *testing.T) {
	file := write(t, ",Open,High,Low,Close,Volume\n2001-01-01 01:00:00,80,110,70,100,1\n2001-01-01 00:00:00,100,105,75,80,1\n")
	from, to := span(t, "2001-01-01 00:00", "2001-01-01 02:00")
	points, err := loadBars(file, from, to)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, p := range points {
		got = append(got, fmt.Sprintf("%dm %s", p.at/fixed.Minute, percent(p.move, 0)))
	}
	want := "0m 0 %, 20m 5 %, 40m -25 %, 60m -20 %, 80m -30 %, 100m 10 %, 120m 0 %"
	if text := strings.Join(got, ", "); text != want {
		t.Errorf("%s, expected %s", text, want)
	}
}

func TestFaultsOfRecordings(t *testing.T) {
	from, to := span(t, "2001-01-01 00:00", "2001-01-01 02:00")
	head, first := "t,open,high,low,close\n", "2001-01-01 00:00:00,1,1,1,1\n"
	for text, want := range map[string]string{
		"":                                    "holds no rows",
		"t,open,high,low\n2001-01-01,1,1,1\n": "has no column close",
		head + first + "2001-01-01 01:00:00,1,1,x,1\n": `:3:1: low is "x", expected a price above 0`,
		head + first + "yesterday,1,1,1,1\n":           `:3:1: the time is "yesterday"`,
		head + first + "2001-01-01 01:00:00,1,1,1\n":   "wrong number of fields",
		head + first + "2001-01-01 01:00:00,3,2,1,1\n": "open and close are not between low and high",
		head + first: "holds 1 bars from 2001-01-01 00:00 to 2001-01-01 02:00, expected at least two",
		head + first + "2001-01-01 00:30:00,1,1,1,1\n":                              "expected them to cover",
		head + first + "2001-01-01 00:30:00,1,1,1,1\n2001-01-01 01:30:00,1,1,1,1\n": "expected bars of equal length without a gap",
		"\x1f\x8b": "gzip header is damaged",
	} {
		if _, err := loadBars(write(t, text), from, to); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, expected %s", text, err, want)
		}
	}
	if _, err := loadBars("nowhere.csv", from, to); err == nil || !strings.HasPrefix(err.Error(), "nowhere.csv: no such file or directory, expected a CSV") {
		t.Errorf("%v", err)
	}
	rates, err := loadRates(write(t, "date,funding_mean\n2001-01-02,-2.5e-05\n2001-01-01,0.0001\n"))
	if err != nil || len(rates) != 2 || rates[0].rate != fixed.BasisPoint || rates[1].rate != -fixed.BasisPoint/4 {
		t.Errorf("%v %v", rates, err)
	}
	for _, text := range []string{"1e99", "x", "1/2", "2", "1e-999999999"} {
		if _, err := loadRates(write(t, "date,funding_mean\n2001-01-02,"+text+"\n")); err == nil {
			t.Errorf("%s is taken for a rate", text)
		}
	}
}

// A shock of history says what it needs, and by which flag.
func TestMissingRecording(t *testing.T) {
	err := shockOf(t, "march-2020").Load(Recordings{})
	if err == nil || err.Error() != "march-2020: needs a recording: hourly bars of BTCUSDT over March 2020, expected --history FILE or bars = in the text" {
		t.Errorf("%v", err)
	}
}

// March 2020 over ten thousand accounts, where the recordings lie beside the tree: the least price is that of the recording, and a
// second run ends in the same states.
func TestMarch2020(t *testing.T) {
	folder := filepath.Join("..", "..", "..", "shared", "data", "price-funding-history")
	bars, rates := filepath.Join(folder, "BTCUSDT_1h_2020.csv.gz"), filepath.Join(folder, "BTCUSDT_funding_daily_2019-09_2026-02.csv.gz")
	if _, err := os.Stat(bars); err != nil {
		t.Skip("the recordings of prices and funding do not lie beside the tree")
	}
	if testing.Short() {
		t.Skip("it takes some seconds")
	}
	run := func() *Report {
		s := shockOf(t, "march-2020")
		if err := s.Load(Recordings{Bars: bars, Funding: rates}); err != nil {
			t.Fatal(err)
		}
		return compareOf(t, Options{Book: bookOf(t, "retail-10k"), Shock: s, Modes: both, Seed: 11})
	}
	p := run()
	if p.Accounts < 10_000 || p.From != "2020-03-12 00:00:00" || p.To != "2020-03-13 12:00:00" {
		t.Errorf("%d accounts from %s to %s", p.Accounts, p.From, p.To)
	}
	// 3,800.0 at 02:40 on the 13th, where the 12th opens at 7,933.2: 50,000 times the quotient, down to a tick of 0.5
	if low := p.Instruments[0].Lowest; low != "23949.5" {
		t.Errorf("the lowest mark is %s, expected 23949.5", low)
	}
	for i, again := range run().Modes {
		if again.State != p.Modes[i].State {
			t.Errorf("%s ends in state %s, and a second time in %s", again.Mode, p.Modes[i].State, again.State)
		}
	}
}

// January 2022 is read from minute bars.
func TestJanuary2022(t *testing.T) {
	bars := filepath.Join("..", "..", "..", "shared", "data", "price-funding-history", "BTC-PERP_1m_2021-12-31_2022-02-01.csv.gz")
	if _, err := os.Stat(bars); err != nil {
		t.Skip("the recording of prices does not lie beside the tree")
	}
	s := shockOf(t, "january-2022")
	if err := s.Load(Recordings{Bars: bars}); err != nil {
		t.Fatal(err)
	}
	p, err := Compare(context.Background(), Options{Book: bookOf(t, "tiny"), Shock: s, Modes: []msg.Mode{msg.ModeCross}, Seed: 1})
	if err != nil || p.Steps != 102*60*3 { // 102 hours, three steps to a bar
		t.Fatalf("%d steps, %v", p.Steps, err)
	}
}
