package clearing

import (
	"testing"

	"github.com/lockstep-exchange/lockstep/market"
	"github.com/lockstep-exchange/lockstep/msg"
)

// xorshift is the generator of the tests; the seed is not 0.
type xorshift uint64

func (x *xorshift) below(n int64) int64 {
	v := uint64(*x)
	v ^= v << 13
	v ^= v >> 7
	v ^= v << 17
	*x = xorshift(v)
	return int64(v >> 11 % uint64(n))
}

// pair names a position.
type pair struct {
	account msg.AccountID
	instr   msg.InstrumentID
}

// tableWorld is the hash table of positions and the map that it stands for.
type tableWorld struct {
	*House
	t    *testing.T
	twin map[pair]uint32
	live []pair
}

func newTableWorld(t *testing.T, accounts, positions uint32, instruments int) *tableWorld {
	h := New(Limits{Accounts: accounts, Positions: positions, Orders: 1, AccountPositions: 1 << 15, OwnerAccounts: 1},
		make([]market.Instrument, instruments+1))
	for id := msg.AccountID(1); id <= msg.AccountID(accounts); id++ {
		if r := h.Open(id, 0, msg.AllGroups); r != 0 {
			t.Fatal(r.Name())
		}
	}
	return &tableWorld{House: h, t: t, twin: map[pair]uint32{}}
}

func (w *tableWorld) take(p pair) {
	row := w.Take(p.account, p.instr)
	if before, held := w.twin[p]; held && row != before {
		w.t.Fatalf("Take(%v): row %d, it has row %d", p, row, before)
	} else if !held {
		w.live = append(w.live, p)
	}
	w.twin[p] = row
}

func (w *tableWorld) give(i int) {
	p := w.live[i]
	w.Tidy(w.twin[p])
	delete(w.twin, p)
	last := len(w.live) - 1
	w.live[i] = w.live[last]
	w.live = w.live[:last]
}

// check compares the whole table with the map: every row found, nobody else's, every list of an account whole, and each
// path counted.
func (w *tableWorld) check() {
	w.t.Helper()
	taken := 0
	for row := range w.rows {
		if p := &w.rows[row]; p.Account != 0 {
			taken++
			if w.twin[pair{p.Account, msg.InstrumentID(p.Instr)}] != uint32(row) {
				w.t.Fatalf("row %d holds %d in %d", row, p.Account, p.Instr)
			}
		}
	}
	if taken != len(w.twin) || w.House.live != uint32(taken) {
		w.t.Fatalf("%d rows taken, %d counted, want %d", taken, w.House.live, len(w.twin))
	}
	past := make([]uint32, len(w.rows))
	for p, row := range w.twin {
		if got := w.Find(p.account, p.instr); got != row {
			w.t.Fatalf("Find(%v): %d, want %d", p, got, row)
		}
		for on := w.home(p.account, p.instr); on != row; on = w.after(on) {
			past[on]++
		}
	}
	for row := range past {
		if past[row] != w.past[row] {
			w.t.Fatalf("row %d: %d paths, want %d", row, w.past[row], past[row])
		}
		if w.passed.has(uint32(row)) != (past[row] != 0) {
			w.t.Fatalf("row %d with %d paths: in the set is %v", row, past[row], w.passed.has(uint32(row)))
		}
		if w.rows[row].Account == 0 && w.ledgers[row] != (Ledger{}) {
			w.t.Fatalf("row %d is free and its ledger is %+v", row, w.ledgers[row])
		}
	}
	listed := 0
	for id := range w.accounts {
		before := uint32(0)
		for row := w.accounts[id].Positions; row != 0; row = w.rows[row].Next {
			if p := &w.rows[row]; w.ledgers[row].Prev != before || p.Account != msg.AccountID(id) {
				w.t.Fatalf("list of account %d: row %d is %+v behind %d", id, row, *p, before)
			}
			before = row
			listed++
		}
	}
	if listed != len(w.twin) {
		w.t.Fatalf("%d positions listed, want %d", listed, len(w.twin))
	}
}

// steps is how many rows Find looks at.
func (w *tableWorld) steps(p pair) (n int) {
	for row := w.home(p.account, p.instr); ; row = w.after(row) {
		n++
		if w.rows[row].Account == p.account && w.rows[row].Instr == uint16(p.instr) || w.past[row] == 0 {
			return n
		}
	}
}

// TestPositionsAgainstMap lets positions come and go at random in a table that is all but always full, and compares it
// with a map; searches must not grow longer with time.
func TestPositionsAgainstMap(t *testing.T) { // S-15, A-16
	for _, c := range []struct {
		name                string
		accounts, positions uint32
		instruments         int
		moves               int
	}{
		{"small and wrapping", 9, 7, 5, 60_000},
		{"full", 200, 400, 19, 200_000},
		{"one account", 1, 300, 600, 60_000},
		{"wide", 3000, 4096, 16, 150_000},
	} {
		t.Run(c.name, func(t *testing.T) {
			seed := xorshift(0x9E3779B97F4A7C15)
			t.Logf("seed %#x", uint64(seed))
			w := newTableWorld(t, c.accounts, c.positions, c.instruments)
			any := func() pair {
				return pair{msg.AccountID(1 + seed.below(int64(c.accounts))), msg.InstrumentID(1 + seed.below(int64(c.instruments)))}
			}
			longest, sum := 0, 0
			for i := range c.moves {
				p := any()
				_, held := w.twin[p]
				if got := w.Find(p.account, p.instr); (got != 0) != held {
					t.Fatalf("move %d: Find(%v): %d, held %v", i, p, got, held)
				}
				n := w.steps(p)
				longest, sum = max(longest, n), sum+n
				if can := w.CanTake(p.account); can != (len(w.live) < int(c.positions)) {
					t.Fatalf("move %d: CanTake %v with %d of %d", i, can, len(w.live), c.positions)
				}
				if len(w.live) == int(c.positions) || len(w.live) > 0 && seed.below(20) == 0 {
					w.give(int(seed.below(int64(len(w.live)))))
				}
				if w.CanTake(p.account) {
					w.take(p)
				}
				if i%997 == 0 {
					w.check()
				}
			}
			w.check()
			t.Logf("rows looked at: mean %.2f, longest %d", float64(sum)/float64(c.moves), longest)
			if sum > 5*c.moves {
				t.Errorf("searches look at %.2f rows on average, want 5 at most", float64(sum)/float64(c.moves))
			}
			for len(w.live) > 0 {
				w.give(0)
			}
			w.check()
		})
	}
}

// TestPositionsLieApart holds that a full table is searched in few steps however accounts are numbered: one after another, or in strides,
// those of Fibonacci among them, which are the worst for the golden ratio.
func TestPositionsLieApart(t *testing.T) { // L-04
	for _, c := range []struct {
		accounts, instruments uint32
		mean, longest         int // steps that all searches together may take for each position, and the longest of them
	}{
		{1 << 20, 1, 1, 150}, {1 << 17, 8, 1, 150}, {1000, 64, 1, 80}, {1, 1 << 14, 1, 80}, {10, 8, 4, 60}, {1000, 1, 2, 60},
	} {
		for _, stride := range []uint32{1, 2, 10, 100, 144, 233, 987, 1000, 1024, 2584, 4096, 46368, 1 << 16} {
			if uint64(c.accounts)*uint64(stride) > 1<<32 || testing.Short() && c.accounts > 1<<17 {
				continue
			}
			h := &House{rows: make([]Position, 2*c.accounts*c.instruments+2)}
			sum, longest := 0, 0
			for a := range c.accounts {
				for i := range c.instruments {
					account, instr, steps := msg.AccountID((a+1)*stride), msg.InstrumentID(i+1), 0
					row := h.home(account, instr)
					for h.rows[row].Account != 0 {
						row, steps = h.after(row), steps+1
					}
					h.rows[row].Account = account
					sum, longest = sum+steps, max(longest, steps)
				}
			}
			if positions := int(c.accounts * c.instruments); sum > c.mean*positions || longest > c.longest {
				t.Errorf("%d accounts in steps of %d, %d instruments: %.2f steps a position, longest %d; want %d and %d",
					c.accounts, stride, c.instruments, float64(sum)/float64(positions), longest, c.mean, c.longest)
			}
		}
	}
}

// TestSearchEndsWithoutAFreeEnd builds paths that cover every row and looks for what is not there.
func TestSearchEndsWithoutAFreeEnd(t *testing.T) {
	w := newTableWorld(t, 1, 64, 4000)
	for row := range w.past {
		w.past[row]++
		w.passed.add(uint32(row))
	}
	for i := msg.InstrumentID(1); i <= 4000; i++ {
		if row := w.Find(1, i); row != 0 {
			t.Fatalf("Find(1, %d): %d in an empty table", i, row)
		}
	}
}

// TestViewsKnowNoOtherIds holds that ids beyond the tables have no position, though they may share its last bits.
func TestViewsKnowNoOtherIds(t *testing.T) {
	w := newTableWorld(t, 4, 64, 300)
	for i := msg.InstrumentID(1); i <= 60; i++ {
		w.take(pair{1, i})
	}
	w.give(3)
	for i := msg.InstrumentID(0); i <= 300; i++ {
		for _, p := range []pair{{1, i + 1<<16}, {1, i + 1<<17}, {0, i}, {^msg.AccountID(0), i}} {
			if h, ok := w.Holding(p.account, p.instr); ok {
				t.Fatalf("Holding(%v): %+v", p, h)
			}
		}
	}
}

// TestPositionLimits holds that a table or an account takes what its limit says, not one more, and one again after one
// was given back.
func TestPositionLimits(t *testing.T) {
	h := New(Limits{Accounts: 3, Positions: 5, Orders: 1, AccountPositions: 2, OwnerAccounts: 1}, make([]market.Instrument, 10))
	for id := msg.AccountID(1); id <= 3; id++ {
		h.Open(id, 0, 0)
	}
	take := func(id msg.AccountID, i msg.InstrumentID) bool {
		if !h.CanTake(id) {
			return false
		}
		h.Take(id, i)
		return true
	}
	for i, c := range []struct {
		account msg.AccountID
		instr   msg.InstrumentID
		want    bool
	}{{1, 1, true}, {1, 2, true}, {1, 3, false}, {2, 1, true}, {2, 2, true}, {3, 1, true}, {3, 2, false}} {
		if got := take(c.account, c.instr); got != c.want {
			t.Errorf("row %d: %v, want %v", i, got, c.want)
		}
	}
	h.Tidy(h.Find(2, 2))
	if !take(3, 2) || take(2, 2) || take(1, 3) {
		t.Error("one row came back: one more is to be had, and by whom it fits")
	}
}
