package replay

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"strings"
	"testing"
)

// The excerpts' first 1,000 messages have hashes that were made of them by other means.
func TestConsensusExcerpts(t *testing.T) {
	for name, want := range map[string]struct {
		hash    string
		reports int64
	}{
		"normal": {"7ef3cb79c13254db", 1_102},
		"static": {"7bf20500ee70b948", 1_075},
	} {
		got, err := Consensus{Files: []string{"../testdata/consensus/" + name + "_1000.csv"}, Expect: want.hash}.Replay(context.Background(), nil)
		if err != nil {
			t.Fatal(err)
		}
		if got.Count != want.reports || got.Messages != 1_000 || got.Compared != 1 || got.Missed() != 0 || !strings.HasPrefix(got.Hash, want.hash) {
			t.Errorf("%s: %+v %+v", name, *got, *got.Reports)
		}
	}
}

func TestConsensusRules(t *testing.T) {
	for _, c := range []struct{ name, stream, reports string }{
		{"rests and is canceled", "N,0,0,5,7,100 C,7 C,7", "0,0,0,7,100,5 2,1,0,7,100 4,2,7"},
		{"trades at the maker's price", "N,1,0,5,7,100 N,0,0,3,8,105", "0,0,1,7,100,5 0,1,0,8,105,3 1,1,100,3,7,8"},
		{"first come, first served", "N,1,0,5,1,100 N,1,0,5,2,100 N,1,0,5,3,99 N,0,0,12,4,100",
			"0,0,1,1,100,5 0,1,1,2,100,5 0,2,1,3,99,5 0,3,0,4,100,12 1,3,99,5,3,4 1,3,100,5,1,4 1,3,100,2,2,4"},
		{"the rest of an IOC is dropped", "N,1,0,5,1,100 N,0,1,8,2,101 C,2", "0,0,1,1,100,5 0,1,0,2,101,8 1,1,100,5,1,2 2,1,0,2,101 4,2,2"},
		{"a filled IOC drops nothing", "N,1,0,5,1,100 N,0,1,5,2,101", "0,0,1,1,100,5 0,1,0,2,101,5 1,1,100,5,1,2"},
		{"a modify trades before it is acknowledged", "N,1,0,5,1,100 N,0,0,5,2,90 M,2,9,100", "0,0,1,1,100,5 0,1,0,2,90,5 1,2,100,5,1,2 3,2,0,2,100,9"},
		{"a modify that fills whole is acknowledged", "N,1,0,5,1,100 N,0,0,5,2,90 M,2,5,100 M,2,5,100", "0,0,1,1,100,5 0,1,0,2,90,5 1,2,100,5,1,2 3,2,0,2,100,5 5,3,2"},
		{"a larger size goes to the tail", "N,1,0,5,1,100 N,1,0,5,2,100 M,1,6,100 N,0,0,1,3,100",
			"0,0,1,1,100,5 0,1,1,2,100,5 3,2,1,1,100,6 0,3,0,3,100,1 1,3,100,1,2,3"},
		{"an equal size goes to the tail", "N,1,0,5,1,100 N,1,0,5,2,100 M,1,5,100 N,0,0,1,3,100",
			"0,0,1,1,100,5 0,1,1,2,100,5 3,2,1,1,100,5 0,3,0,3,100,1 1,3,100,1,2,3"},
		{"a smaller size goes to the tail", "N,1,0,5,1,100 N,1,0,5,2,100 M,1,4,100 N,0,0,1,3,100 C,1 C,1",
			"0,0,1,1,100,5 0,1,1,2,100,5 3,2,1,1,100,4 0,3,0,3,100,1 1,3,100,1,2,3 2,4,1,1,100 4,5,1"},
		{"a part-filled order's open quantity is what a modify states", "N,1,0,9,1,100 N,0,0,4,2,100 M,1,3,101 N,0,0,9,3,101",
			"0,0,1,1,100,9 0,1,0,2,100,4 1,1,100,4,1,2 3,2,1,1,101,3 0,3,0,3,101,9 1,3,101,3,1,3"},
		{"a modified order trades under its id", "N,1,0,5,7,100 M,7,6,99 N,0,0,6,8,99", "0,0,1,7,100,5 3,1,1,7,99,6 0,2,0,8,99,6 1,2,99,6,7,8"},
		{"an unknown id is refused", "C,5 M,6,1,1", "4,0,5 5,1,6"},
	} {
		t.Run(c.name, func(t *testing.T) {
			sum := sha256.Sum256([]byte(strings.ReplaceAll(c.reports, " ", "\n")))
			got, err := Consensus{Files: []string{write(t, "s.csv", strings.ReplaceAll(c.stream, " ", "\n"))}, Expect: hex.EncodeToString(sum[:])}.Replay(context.Background(), nil)
			if err != nil {
				t.Fatal(err)
			}
			if got.Missed() != 0 {
				t.Errorf("%s: %+v", got.First, *got.Reports)
			}
		})
	}
}

func TestConsensusRefusesAnIDUsedTwice(t *testing.T) {
	_, err := Consensus{Files: []string{write(t, "s.csv", "N,0,0,5,7,100\nC,7\nN,0,0,5,7,100\n")}}.Replay(context.Background(), nil)
	if err == nil || !strings.HasSuffix(err.Error(), "s.csv:3: order 7 again, expected an id not used before") {
		t.Fatal(err)
	}
}

func TestConsensusFirst(t *testing.T) {
	got, err := Consensus{Files: []string{write(t, "s.csv", "N,0,0,5,7,100\nC,7\nrubbish")}, First: 2}.Replay(context.Background(), nil)
	if err != nil || got.Messages != 2 || got.Count != 2 {
		t.Fatalf("%+v, %v", got, err)
	}
}

// What an engine of other rules would answer does not have the hash.
func TestConsensusMissesAnotherHash(t *testing.T) {
	got, err := Consensus{Files: []string{write(t, "s.csv", "N,0,0,5,7,100\nC,7\n")}, Expect: strings.Repeat("0", 64)}.Replay(context.Background(), nil)
	if err != nil || got.Differ != 1 || got.First == "" {
		t.Fatalf("%+v, %v", got, err)
	}
}

// A replay that is stopped says what it has, and that it is partial; one of a bad file has nothing to say.
func TestReplaysStop(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	m, w := simulateMBO(1, 500, 0)
	_, l := simulateLobster(1, 500, 10, 0)
	mbo, messages, book := write(t, "day.csv", w.to.String()), write(t, "m.csv", l.messages.String()), write(t, "b.csv", l.book.String())
	for name, replay := range map[string]func(context.Context, Watch) (*Result, error){
		"consensus": Consensus{Files: []string{"../testdata/consensus/normal_1000.csv"}, Expect: "7ef3cb79c13254db"}.Replay,
		"lobster":   Lobster{Messages: messages, Book: book, Tick: Step{1, 2}}.Replay,
		"binance":   Binance{Files: []string{"../testdata/binance/" + BundledName}, Tick: Step{1, 1}, Lot: Step{1, 3}}.Replay,
		"mbo":       MBO{Files: []string{mbo}, Tick: Step{25, 2}}.Replay,
	} {
		watched := 0
		got, err := replay(ctx, func(read, total int64) {
			if watched++; read <= 0 || read > total {
				t.Errorf("%s: %d of %d bytes", name, read, total)
			}
		})
		if !errors.Is(err, context.Canceled) || got == nil || !got.Partial || got.Messages < 1 || got.Messages > 2*pace || watched == 0 {
			t.Errorf("%s: %+v, %v, watched %d times", name, got, err, watched)
		}
	}
	if m.fills == 0 {
		t.Error("nothing was simulated")
	}
}

func TestReplaysRefuseBadFilesWhole(t *testing.T) {
	_, l := simulateLobster(1, 500, 10, 0)
	good := l.book.String()
	for _, c := range []struct {
		name   string
		replay func(context.Context, Watch) (*Result, error)
		want   string
	}{
		{"consensus", Consensus{Files: []string{write(t, "s.csv", "N,0,0,5,7,100\nC,8,9\n")}}.Replay, "s.csv:2: 3 columns, expected 2: C,order"},
		{"lobster", Lobster{Messages: write(t, "m.csv", l.messages.String()+"1,1,1,1,150,1\n"), Book: write(t, "b.csv", good), Tick: Step{1, 2}}.Replay,
			": price 150 is off the tick, expected a multiple of 100"},
		{"lobster book", Lobster{Messages: write(t, "m.csv", l.messages.String()), Book: write(t, "b.csv", strings.Replace(good, "\n", "\n1,", 1)), Tick: Step{1, 2}}.Replay,
			"b.csv:2: 41 columns, expected 40: as many as in the first line"},
		{"lobster seed", Lobster{Messages: write(t, "m.csv", l.messages.String()), Book: write(t, "b.csv", good), Seed: write(t, "s.csv", "1,2,3\n"), Tick: Step{1, 2}}.Replay,
			"s.csv:1: 3 columns, expected four a level: ask price, ask size, bid price, bid size"},
		{"lobster tick", Lobster{Messages: write(t, "m.csv", l.messages.String()), Book: write(t, "b.csv", good), Tick: Step{1, 5}}.Replay,
			"m.csv: has prices of 1/10,000, and the tick is 0.00001, expected at most 4 places"},
		{"binance", Binance{Files: []string{write(t, "b", "1 {\"lastUpdateId\":5,\"bids\":[[\"1.005\",\"1\"]],\"asks\":[]}\n")}, Tick: Step{1, 2}, Lot: Step{1, 3}}.Replay,
			"b:1: price 1.005 is off its step, expected a multiple of 0.01"},
		{"binance snapshots", Binance{Files: []string{write(t, "b", strings.Repeat("1 {\"lastUpdateId\":5,\"bids\":[[\"1.00\",\"1\"]],\"asks\":[[\"2.00\",\"1\"]]}\n", 2))}, Tick: Step{1, 2}, Lot: Step{1, 3}}.Replay,
			"b:2: a second snapshot, of update 5, expected one"},
		{"mbo", MBO{Files: []string{write(t, "d.csv", mboDay("A,B,1,100,1,0", "A,B,2,x,1,0"))}}.Replay,
			"d.csv:3: price_1e9 is \"x\", expected an integer from -4611686018427387903 to 4611686018427387903"},
		{"mbo tick", MBO{Files: []string{write(t, "d.csv", mboDay("A,B,1,100,1,0"))}, Tick: Step{1, 2}}.Replay,
			"d.csv:2: price_1e9 100 is off the tick, expected a multiple of 10000000"},
		{"mbo header", MBO{Files: []string{write(t, "d.csv", "action,side,order_id,size,flags\n")}}.Replay,
			"d.csv:1: no column price_1e9, expected a header naming action,side,order_id,price_1e9,size,flags"},
	} {
		got, err := c.replay(context.Background(), nil)
		var bad *InputError
		if got != nil || !errors.As(err, &bad) || !strings.HasSuffix(err.Error(), c.want) {
			t.Errorf("%s: %+v, %v, expected %s", c.name, got, err, c.want)
		}
	}
}
