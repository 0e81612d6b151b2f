package replay

import (
	"context"
	"testing"
)

// The recordings beside the repository, with every count that was made of them by other means.

// Of static the first half, and .ci/run replays all of it.
func TestSharedConsensus(t *testing.T) {
	for _, c := range []struct {
		name            string
		first, messages int64
		hash            string
		reports         int64
	}{
		{"normal", 0, 1_996_097, "e9b2e3926854410b01a035aeb25dd05f1e597c233be8263de9eb49b6713d367e", 2_204_643},
		{"static", 1_000_000, 1_000_000, "e94d91317ccce52f", 1_075_549},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			file := shared(t, "matching-consensus-flash1", c.name+"_seed23_1m.csv.bz2")
			got, err := Consensus{Files: []string{file}, Expect: c.hash, First: c.first}.Replay(context.Background(), nil)
			if err != nil {
				t.Fatal(err)
			}
			if got.Count != c.reports || got.Messages != c.messages || got.Missed() != 0 || got.Compared != 1 {
				t.Errorf("got %+v %+v", *got, *got.Reports)
			}
		})
	}
}

func TestSharedLobster(t *testing.T) {
	const folder = "lobster-aapl-1h"
	for _, c := range []struct {
		name, book          string
		levels              int
		compared, differ    int64
		fills, head, noName int64
	}{
		{"best", "AAPL_2012-06-21_orderbook_top1_rows0-30000.csv.gz", 0, 30_000, 0, 1_632, 1_602, 12},
		{"1", "AAPL_2012-06-21_orderbook_50_rows0-671.csv.gz", 1, 671, 0, 1_632, 1_602, 12},
		{"5", "AAPL_2012-06-21_orderbook_50_rows0-671.csv.gz", 5, 671, 0, 1_632, 1_602, 12},
		{"10", "AAPL_2012-06-21_orderbook_50_rows0-671.csv.gz", 10, 671, 0, 1_632, 1_602, 12},
		{"50", "AAPL_2012-06-21_orderbook_50_rows0-671.csv.gz", 0, 671, 8, 1_632, 1_602, 12},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := Lobster{Messages: shared(t, folder, "AAPL_2012-06-21_message_50_rows0-30000.csv.gz"),
				Book: shared(t, folder, c.book), Seed: shared(t, folder, "AAPL_2012-06-21_orderbook_50_rows0-671.csv.gz"),
				Levels: c.levels, Tick: Step{1, 2}}.Replay(context.Background(), nil)
			if err != nil {
				t.Fatal(err)
			}
			if got.Messages != 30_001 || got.Compared != c.compared || got.Differ != c.differ || got.Refused != 0 {
				t.Errorf("%+v", *got)
			}
			if *got.Executions != (Executions{c.fills, c.head, c.noName}) || *got.Runs != (Runs{1_305, 1_298, 1_610, 0, 0}) {
				t.Errorf("%+v %+v", *got.Executions, *got.Runs)
			}
		})
	}
}

func TestSharedLobsterSingleLevel(t *testing.T) {
	const folder = "lobster-amzn-l1-day"
	got, err := Lobster{Messages: shared(t, folder, "AMZN_2012-06-21_34200000_57600000_message_1.csv.gz"),
		Book: shared(t, folder, "AMZN_2012-06-21_34200000_57600000_orderbook_1.csv.gz"), Tick: Step{1, 2}}.Replay(context.Background(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if got.Messages != 57_515 || got.Compared != 57_514 || got.Missed() != 0 || got.Fills != 8_974 || got.Emptied != 13_953 {
		t.Errorf("%+v %+v %+v", *got, *got.Executions, *got.Runs)
	}
}

func TestSharedBinance(t *testing.T) {
	for _, c := range []struct {
		name string
		lot  Step
		want Feed
	}{
		{"usdm_btcusdt_20240808.gz", Step{1, 3}, Feed{6_547, 4, 0, 66_089, 21_313}},
		{"spot_btcusdt_20240808.gz", Step{1, 6}, Feed{3_449, 2, 0, 28_040, 9_757}},
	} {
		got, err := Binance{Files: []string{shared(t, "binance-l2-20240808", c.name)}, Tick: Step{1, 2}, Lot: c.lot}.Replay(context.Background(), nil)
		if err != nil {
			t.Fatal(err)
		}
		if *got.Feed != c.want || got.Compared != c.want.Depth || got.Missed() != 0 {
			t.Errorf("%s: %+v %+v", c.name, *got, *got.Feed)
		}
	}
}
