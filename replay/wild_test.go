package replay

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

// Recordings that make no sense are replayed all the same: every line is well formed, and nothing else can be relied on.
// The replay ends, its counts add up, and the book that the events tell is the engine's (venue.apply and finish see to it).

func TestWildConsensus(t *testing.T) {
	for seed := range uint64(5) {
		rng := rand.New(rand.NewPCG(seed, 5))
		var text strings.Builder
		next := 0
		for range 3_000 {
			switch rng.IntN(4) {
			case 0, 1:
				fmt.Fprintf(&text, "N,%d,%d,%d,%d,%d\n", rng.IntN(2), rng.IntN(2), 1+rng.IntN(20), next, 90+rng.IntN(20))
				next++
			case 2:
				fmt.Fprintf(&text, "C,%d\n", rng.IntN(next+2))
			case 3:
				fmt.Fprintf(&text, "M,%d,%d,%d\n", rng.IntN(next+2), 1+rng.IntN(20), 90+rng.IntN(20))
			}
		}
		got, err := Consensus{Files: []string{write(t, "s", text.String())}}.Replay(context.Background(), nil)
		if err != nil || got.Messages != 3_000 || got.Missed() != 0 || got.Kinds[0] != int64(next) || got.Kinds[1] == 0 || got.Kinds[5] == 0 {
			t.Errorf("seed %d: %+v, %v", seed, got, err)
		}
	}
}

func TestWildLobster(t *testing.T) {
	for seed := range uint64(10) {
		rng := rand.New(rand.NewPCG(seed, 6))
		levels := []int{1, 3}[seed%2]
		var messages, book strings.Builder
		for i := range 2_000 {
			fmt.Fprintf(&messages, "%d.%d,%d,%d,%d,%d,%d\n", i/10, i%10, 1+rng.IntN(7), 1+rng.IntN(50), 1+rng.IntN(20), 9_000+100*rng.IntN(20), 1-2*rng.IntN(2))
			for l := range levels {
				if l > 0 {
					book.WriteByte(',')
				}
				fmt.Fprintf(&book, "%d,%d,%d,%d", 10_000+100*(l+rng.IntN(3)), 1+rng.IntN(9), 9_900-100*(l+rng.IntN(3)), 1+rng.IntN(9))
			}
			book.WriteByte('\n')
		}
		got, err := Lobster{Messages: write(t, "m", messages.String()), Book: write(t, "b", book.String()), Tick: Step{1, 2}}.Replay(context.Background(), nil)
		if err != nil || got.Messages != 2_000 || got.Compared != 1_999 || got.Differ > got.Compared || got.AtHead > got.Fills {
			t.Errorf("seed %d: %+v, %v", seed, got, err)
		}
	}
}

func TestWildMBO(t *testing.T) {
	for seed := range uint64(10) {
		rng := rand.New(rand.NewPCG(seed, 7))
		var rows []string
		for range 3_000 {
			rows = append(rows, fmt.Sprintf("%c,%c,%d,%d,%d,%d", "AAAAACCMMMTFFFR"[rng.IntN(15-rng.IntN(2))], "BA"[rng.IntN(2)],
				1+rng.IntN(60), 100_000_000*int64(rng.IntN(20)-1), 1+rng.IntN(9), rng.IntN(2)*MBOLast))
		}
		got, err := MBO{Files: []string{write(t, "d", mboDay(rows...))}}.Replay(context.Background(), nil)
		if err != nil || got.Messages != 3_000 || got.AtHead+got.Differ != got.Fills || got.Anonymous > got.Differ || got.AtHead == 0 || got.Strays == 0 || got.Refused == 0 {
			t.Errorf("seed %d: %+v %+v, %v", seed, got, got.Executions, err)
		}
	}
}
