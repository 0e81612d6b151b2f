package replay

import (
	"context"
	"strings"
	"testing"
)

// simulateLobster is some minutes of a market that was there before: each of its levels is one order nobody has told of.
func simulateLobster(seed uint64, steps, levels int, skips float64) (*simMarket, *lobsterWriter) {
	w := &lobsterWriter{levels: levels}
	m := newSimMarket(seed, w)
	m.skips, m.still = skips, true
	for i := range int64(12) {
		m.add(0, 9_999-i, 1+m.rng.Int64N(90), false)
		m.add(1, 10_001+i, 1+m.rng.Int64N(90), false)
	}
	o := m.add(0, 9_999, 7, true)
	w.added(m, 0, 9_999, o)
	middle := int64(10_000)
	for i := range steps {
		middle += int64(m.rng.IntN(3)) - 1
		if m.step(middle); i%10 == 0 {
			w.message(m, 5, 0, 10, middle, 0)
		}
	}
	return m, w
}

func replayLobster(t *testing.T, messages, book string) *Result {
	t.Helper()
	got, err := Lobster{Messages: write(t, "message.csv", messages), Book: write(t, "book.csv", packed(t, book)), Tick: Step{1, 2}}.Replay(context.Background(), nil)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func TestLobsterEqualsSimulatedBook(t *testing.T) {
	for seed := range uint64(5) {
		m, w := simulateLobster(seed, 3_000, 40, 0)
		got := replayLobster(t, w.messages.String(), w.book.String())
		if got.Messages != w.rows || got.Compared != w.rows-1 || got.Missed() != 0 {
			t.Errorf("seed %d: %+v, expected %d rows and no difference", seed, *got, w.rows)
		}
		if want := (Executions{m.fills, m.atHead, m.anonymous}); *got.Executions != want || m.atHead+m.anonymous != m.fills {
			t.Errorf("seed %d: %+v, expected %+v", seed, *got.Executions, want)
		}
		if want := (Runs{m.aggressors, m.aggressors, m.fills, 0, 0}); *got.Runs != want {
			t.Errorf("seed %d: %+v, expected %+v", seed, *got.Runs, want)
		}
	}
}

// A market that does not always fill the first order still ends every row with its book, and the fills are told apart.
func TestLobsterCountsFillsPastTheHead(t *testing.T) {
	for seed := range uint64(5) {
		m, w := simulateLobster(seed, 3_000, 40, 0.1)
		got := replayLobster(t, w.messages.String(), w.book.String())
		if got.Compared != w.rows-1 || got.Missed() != 0 {
			t.Errorf("seed %d: %+v, expected %d rows and no difference", seed, *got, w.rows)
		}
		if want := (Executions{m.fills, m.atHead, m.anonymous}); *got.Executions != want || m.atHead+m.anonymous == m.fills {
			t.Errorf("seed %d: %+v, expected %+v", seed, *got.Executions, want)
		}
		if got.RunsExact == got.Runs.Runs || got.RunsExact == 0 {
			t.Errorf("seed %d: %+v, expected some runs to be exact", seed, *got.Runs)
		}
	}
}

func TestLobsterSingleLevel(t *testing.T) {
	for seed := range uint64(10) {
		m, w := simulateLobster(seed, 5_000, 1, 0)
		got := replayLobster(t, w.messages.String(), w.book.String())
		if got.Compared != w.rows-1 || got.Missed() != 0 || got.Fills != m.fills || got.Emptied == 0 {
			t.Errorf("seed %d: %+v %+v, expected %d rows and no difference", seed, *got, *got.Runs, w.rows)
		}
	}
}

// One wrong row is one difference; one lost message spoils the rows that follow.
func TestLobsterDamagedFiles(t *testing.T) {
	_, w := simulateLobster(3, 1_000, 40, 0)
	rows := strings.SplitAfter(w.book.String(), "\n")
	messages := strings.SplitAfter(w.messages.String(), "\n")
	wrong := append([]string(nil), rows...)
	cells := strings.Split(wrong[200], ",")
	cells[1] += "0"
	wrong[200] = strings.Join(cells, ",")
	if got := replayLobster(t, w.messages.String(), strings.Join(wrong, "")); got.Differ != 1 || !strings.Contains(got.First, "book.csv:201: level 1 is") {
		t.Errorf("a wrong row: %d differ, first %q", got.Differ, got.First)
	}
	for n := 100; ; n++ {
		if strings.Split(messages[n], ",")[1] == "1" {
			messages = append(messages[:n:n], messages[n+1:]...)
			break
		}
	}
	if got := replayLobster(t, strings.Join(messages, ""), w.book.String()); got.Differ < 10 {
		t.Errorf("a lost message: %d differ", got.Differ)
	}

	_, w = simulateLobster(3, 1_000, 1, 0)
	rows = strings.SplitAfter(w.book.String(), "\n")
	cells = strings.Split(rows[100], ",")
	cells[1] += "0"
	rows[100] = strings.Join(cells, ",")
	if got := replayLobster(t, w.messages.String(), strings.Join(rows, "")); got.Differ == 0 || got.Differ > 2 {
		t.Errorf("a wrong row of one level: %d differ, expected 1 or 2", got.Differ)
	}
}

// Behind a level that a message emptied stands a worse one, or none; a better one, or the same, is a difference.
func TestLobsterSingleLevelEmptied(t *testing.T) {
	const messages = "1.0,1,1,5,10000,1\n2.0,3,1,5,10000,1\n"
	for next, differ := range map[string]int64{"9900,7": 0, "-9999999999,0": 0, "10000,7": 1, "10100,7": 1} {
		got := replayLobster(t, messages, "10100,3,10000,5\n10100,3,"+next+"\n")
		if got.Compared != 1 || got.Differ != differ || got.Emptied != 1-differ {
			t.Errorf("%s: %+v %+v, expected %d to differ", next, *got, *got.Runs, differ)
		}
	}
}
