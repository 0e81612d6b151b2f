package demo

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
	"github.com/google/go-cmp/cmp"

	"github.com/lockstep-exchange/lockstep/bench/latency"
)

var rewrite = flag.Bool("rewrite", false, "write golden files instead of comparing with them")

// TestText holds what people see.
func TestText(t *testing.T) {
	row := func(name string, count int64) latency.Row {
		h := hdrhistogram.New(latency.Lowest, latency.Highest, latency.Digits)
		for i := range count {
			h.RecordValue(1_000 + i)
		}
		return latency.Rows(&latency.Log{Tags: []*latency.Tag{{Name: name, Total: h}}})[0]
	}
	at := time.Date(2024, 8, 8, 23, 54, 15, 0, time.UTC)
	whole := Report{Recording: "some.bz2", Symbol: "BTCUSDT-PERP", From: at, To: at.Add(210 * time.Second), Rate: 10.5, Makers: 8,
		Takers: 1000, Seed: 7, Ack: "none, no journal", Opening: 3014, Commands: 235862, New: 105938, Amends: 39842, Cancels: 87985, Reports: 2047, Ticks: 211,
		Events: 255275, Seconds: 20.04, PerSecond: 11769.56,
		Latency: &Latency{Engine: row("engine", 200_000), Empty: row("empty", 20_000), Core: 1, Waiting: "spin",
			Floor: Floor{OverNs: 10_000, PerSecond: 312.4, Lost: 0.0091, LongestNs: 123_456}},
		Flow: Flow{Orders: 7727, Refused: 203, Asked: "1661.988", Traded: "518.848", Denied: "1127.833", Unfilled: "15.307", Trades: 8535,
			Turnover: "32040431.111111"},
		Rejects: []Reject{{"INSUFFICIENT_MARGIN", 300, 202, "Equity does not cover it."}, {"ACCOUNT_REDUCE_ONLY", 316, 1, "Only less risk."}},
		Oracle:  Oracle{Sources: 3, Steps: 750, Marks: 1559, Degraded: 2, Health: "good", Index: "61698.60", Mark: "61700.0"},
		Funding: Funding{Payments: 3, Rate: "0.000100", Paid: "2074.670572", Received: "1989.942077"},
		Margin: Margin{Cross: 886, Isolated: 116, OK: 960, Call1: 29, Call2: 11, Liquidating: 2, Nearest: []Range{{"0-0.1%", 2}, {"10%-", 1445}},
			Calls1: 71, Calls2: 40, Cleared: 8, Started: 31, Ended: 29, Slices: 47, Sold: "12.345", Fees: "1234.567890", Takeovers: 1, ADL: 1,
			Fills: 3, Before: "10000.000000", After: "11234.567890"},
		Money: Money{Makers: "-2154.969875", Takers: "-10661.206335", Fees: "11214.158420", Rebates: "1602.017790", Sum: "0.000000",
			Fund: "1234.567890", Funding: "0.000011", Deficit: "0.000000",
			Interest: "1193.963", Required: "30064453.811183", Short: 1},
		Accounts: []Account{{6, "maker", "50000000.000000", "1391.081234", "-11.541", 0}, {818, "thin, isolated", "128000.000000", "-292.440000", "3.530", 0}},
		Checks:   []Check{{"money", true, "0.000000 USDT missing"}, {"lots", false, "3 lots missing"}},
		State:    "59d69b473c96e8ee", Machine: "a processor, 2 cores",
	}
	partial := whole
	partial.Partial, partial.Rate, partial.Latency, partial.Rejects = true, 0, nil, nil
	busy := *whole.Latency
	busy.Floor.Void, busy.Core = true, -1
	loaded := whole
	loaded.Latency = &busy

	var got bytes.Buffer
	for _, p := range []Report{whole, partial, loaded} {
		if err := p.WriteText(&got); err != nil {
			t.Fatal(err)
		}
		got.WriteString("\n\n")
	}
	golden := filepath.Join("testdata", "report.golden")
	if *rewrite {
		if err := os.WriteFile(golden, got.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got.String()); diff != "" {
		t.Errorf("text (-want +got):\n%s", diff)
	}
}
