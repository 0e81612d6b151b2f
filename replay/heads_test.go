package replay

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// write puts text into a file of the test's own.
func write(t testing.TB, name, text string) string {
	t.Helper()
	name = filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// packed is text as gzip.
func packed(t testing.TB, text string) string {
	t.Helper()
	var buf bytes.Buffer
	w := gzip.NewWriter(&buf)
	if _, err := w.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.String()
}

// simulateMBO is a day with a book at its start, an uncrossing that stands crossed before the open, and a reset.
func simulateMBO(seed uint64, steps int, skips float64) (*simMarket, *mboWriter) {
	columns := []string{"ts_event", "action", "side", "order_id", "price_1e9", "size", "flags", "sequence", "ts_recv", "publisher"}
	rng := rand.New(rand.NewPCG(seed, 1))
	rng.Shuffle(len(columns), func(i, j int) { columns[i], columns[j] = columns[j], columns[i] })
	w := newMBOWriter(columns...)
	m := newSimMarket(seed, w)
	m.skips = skips
	for i := range int64(60) {
		side := m.rng.IntN(2)
		m.add(side, 20_000-8+int64(side)*9+i%8, 1+m.rng.Int64N(40), false)
	}
	w.snapshot(m)
	middle := int64(20_000)
	for i := range steps {
		middle += int64(m.rng.IntN(3)) - 1
		m.step(middle)
		if i == steps/2 {
			w.snapshot(m)
		}
	}
	return m, w
}

func TestMBOFillsAtHead(t *testing.T) {
	for seed := range uint64(10) {
		m, w := simulateMBO(seed, 3_000, 0)
		text := w.to.String()
		if seed%2 == 1 {
			text = packed(t, text)
		}
		tick := Step{}
		if seed%3 == 0 {
			tick = Step{25, 2}
		}
		got, err := MBO{Files: []string{write(t, "day.csv", text)}, Tick: tick}.Replay(context.Background(), nil)
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		if m.fills < 500 {
			t.Fatalf("seed %d: only %d fills were simulated", seed, m.fills)
		}
		if got.Fills != m.fills || got.AtHead != m.fills || got.Compared != m.fills || got.Missed() != 0 || got.Strays != 0 || got.Anonymous != 0 {
			t.Errorf("seed %d: %+v %+v %+v, expected %d fills, all at the head", seed, *got, *got.Executions, *got.Records, m.fills)
		}
		if got.Messages != w.seq || got.Snapshot < 60 {
			t.Errorf("seed %d: %d messages and %d in snapshots, expected %d and 60 or more", seed, got.Messages, got.Snapshot, w.seq)
		}
	}
}

// A market that does not always fill the first order is told apart, fill by fill.
func TestMBOCountsFillsPastTheHead(t *testing.T) {
	for seed := range uint64(10) {
		m, w := simulateMBO(seed, 3_000, 0.2)
		got, err := MBO{Files: []string{write(t, "day.csv", w.to.String())}}.Replay(context.Background(), nil)
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		if m.atHead == m.fills {
			t.Fatalf("seed %d: no fill past the head was simulated", seed)
		}
		if got.Fills != m.fills || got.AtHead != m.atHead || got.Differ != m.fills-m.atHead || got.Strays != 0 {
			t.Errorf("seed %d: %d fills, %d at the head, expected %d and %d", seed, got.Fills, got.AtHead, m.fills, m.atHead)
		}
	}
}

// A recording that lost or mangled lines does not pass.
func TestMBODamagedRecordings(t *testing.T) {
	_, w := simulateMBO(4, 3_000, 0)
	lines := strings.SplitAfter(w.to.String(), "\n")
	action := strings.Count(strings.Split(strings.Join(w.columns, ","), "action")[0], ",")
	at := func(n int) string { return strings.Split(lines[n], ",")[action] }
	without := func(letter string, every int) string {
		var kept []string
		seen := 0
		for n, line := range lines {
			if n > 0 && n < len(lines)-1 && at(n) == letter {
				if seen++; seen%every == 0 {
					continue
				}
			}
			kept = append(kept, line)
		}
		return strings.Join(kept, "")
	}
	swapped := func() string {
		mixed := append([]string(nil), lines...)
		for n := 2; n < 58; n += 2 {
			mixed[n], mixed[n+1] = mixed[n+1], mixed[n]
		}
		return strings.Join(mixed, "")
	}
	for name, text := range map[string]string{
		"adds lost":     without("A", 7),
		"cancels lost":  without("C", 7),
		"modifies lost": without("M", 7),
		"swapped":       swapped(),
	} {
		got, err := MBO{Files: []string{write(t, "day.csv", text)}}.Replay(context.Background(), nil)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if got.AtHead >= got.Fills || got.Differ == 0 || got.First == "" {
			t.Errorf("%s: %d of %d fills at the head, expected fewer", name, got.AtHead, got.Fills)
		}
	}
}

// mboDay is a recording with the usual columns, from lines of action,side,order,price,size,flags.
func mboDay(lines ...string) string {
	text := "ts_event,action,side,order_id,price_1e9,size,flags,sequence,ts_recv\n"
	for i, line := range lines {
		text += fmt.Sprintf("%d,%s,%d,%d\n", i, line, i, i)
	}
	return text
}

func TestMBORules(t *testing.T) {
	const p, q = "100000000000", "101000000000"
	adds := []string{"A,B,1," + p + ",10,128", "A,B,2," + p + ",10,128", "A,B,3," + p + ",10,128"}
	for _, c := range []struct {
		name         string
		lines        []string
		fills, heads int64
	}{
		{"first come, first filled", []string{"F,B,1," + p + ",5,128"}, 1, 1},
		{"the second is not first", []string{"F,B,2," + p + ",5,128"}, 1, 0},
		{"a fill leaves the book alone", []string{"F,B,1," + p + ",5,0", "F,B,1," + p + ",5,0", "F,B,2," + p + ",5,128"}, 3, 3},
		{"a whole fill makes way before its cancel", []string{"F,B,1," + p + ",10,0", "F,B,2," + p + ",1,128"}, 2, 2},
		{"an event that takes nothing out is over", []string{"F,B,1," + p + ",10,128", "F,B,2," + p + ",1,128"}, 2, 1},
		{"a cancel of all makes way", []string{"C,B,1," + p + ",10,128", "F,B,2," + p + ",5,128"}, 1, 1},
		{"a cancel of a part does not", []string{"C,B,1," + p + ",9,128", "F,B,2," + p + ",5,128"}, 1, 0},
		{"a smaller size keeps the place", []string{"M,B,1," + p + ",9,128", "F,B,1," + p + ",5,128"}, 1, 1},
		{"an equal size keeps the place", []string{"M,B,1," + p + ",10,128", "F,B,1," + p + ",5,128"}, 1, 1},
		{"a larger size goes to the tail", []string{"M,B,1," + p + ",11,128", "F,B,1," + p + ",5,128", "F,B,2," + p + ",5,128"}, 2, 1},
		{"away and back goes to the tail", []string{"M,B,1," + q + ",10,128", "M,B,1," + p + ",10,128", "F,B,1," + p + ",5,128"}, 1, 0},
		{"a fill elsewhere is not at the head", []string{"F,B,1," + q + ",5,128"}, 1, 0},
		{"an unknown order is not at the head", []string{"F,B,9," + p + ",5,128"}, 1, 0},
		{"a reset empties the book", []string{"R,N,0,0,0,0", "A,B,4," + p + ",1,160", "F,B,4," + p + ",1,128"}, 1, 1},
		{"a crossed book stands", []string{"A,A,7," + p + ",4,128", "F,A,7," + p + ",4,0", "F,B,1," + p + ",4,128"}, 2, 2},
		{"a trade changes nothing", []string{"T,A,0," + p + ",10,0", "F,B,1," + p + ",10,128"}, 1, 1},
		{"the side of a fill may be N", []string{"F,N,1," + p + ",10,128"}, 1, 1},
		{"an unknown modify is an order", []string{"M,B,8," + q + ",3,128", "F,B,8," + q + ",3,128"}, 1, 1},
		{"an order entered twice is the later", []string{"A,B,1," + p + ",10,128", "F,B,2," + p + ",3,128"}, 1, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := MBO{Files: []string{write(t, "day.csv", mboDay(append(adds, c.lines...)...))}}.Replay(context.Background(), nil)
			if err != nil {
				t.Fatal(err)
			}
			if got.Fills != c.fills || got.AtHead != c.heads || got.Differ != c.fills-c.heads {
				t.Errorf("%d of %d fills at the head, expected %d of %d", got.AtHead, got.Fills, c.heads, c.fills)
			}
		})
	}
}
