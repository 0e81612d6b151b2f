package clearing

import (
	"cmp"
	"slices"
	"testing"

	"github.com/lockstep-exchange/lockstep/msg"
)

// TestWiresAgainstNaive lays, moves and cuts wires at random and takes crossed ones off the top, beside a sorted list.
func TestWiresAgainstNaive(t *testing.T) { // M-58, S-15
	type laid struct {
		key     int64
		account msg.AccountID
		row     uint32
	}
	const rows, heaps = 300, 3
	w := newWires(heaps, rows+1, rows*uint32(ways)+1)
	var naive [heaps * int(ways)][]laid
	seed := uint64(0x9E3779B97F4A7C15)
	below := func(n uint64) uint64 {
		seed ^= seed << 13
		seed ^= seed >> 7
		seed ^= seed << 17
		return seed >> 11 % n
	}
	for step := range 60_000 {
		row := uint32(1 + below(rows))
		instr, way, account := uint16(row%heaps), uint8(below(uint64(ways))), msg.AccountID(row/heaps+1)
		heap := int(instr)*int(ways) + int(way)
		list := slices.DeleteFunc(slices.Clone(naive[heap]), func(l laid) bool { return l.row == row })
		switch below(4) {
		case 0:
			w.cut(instr, row, way)
		case 1:
			if top := w.tops[heap]; top != 0 {
				list = naive[heap]
				if n := &w.nodes[top]; n.row != list[0].row || n.key != list[0].key {
					t.Fatalf("step %d: on top is %+v, want %+v", step, *n, list[0])
				}
				w.cut(instr, list[0].row, way)
				list = list[1:]
			} else {
				list = naive[heap]
			}
		default:
			key := int64(below(40)) - 20
			if !w.lay(instr, row, account, way, key) {
				t.Fatalf("step %d: no room", step)
			}
			list = append(list, laid{key, account, row})
		}
		slices.SortFunc(list, func(a, b laid) int {
			return cmp.Or(cmp.Compare(a.key, b.key), cmp.Compare(a.account, b.account))
		})
		naive[heap] = list
		if step%97 == 0 {
			count := 0
			for i := range naive {
				count += len(naive[i])
				if (w.tops[i] == 0) != (len(naive[i]) == 0) {
					t.Fatalf("step %d: heap %d is empty, or is not", step, i)
				}
				leftist(t, &w, w.tops[i], 0)
			}
			free := 0
			for n := w.free; n != 0; n = w.nodes[n].left {
				free++
			}
			if free+count != len(w.nodes)-1 {
				t.Fatalf("step %d: %d wires and %d free nodes of %d", step, count, free, len(w.nodes)-1)
			}
		}
	}
}

// leftist holds order, links and ranks from a node on, and returns its rank.
func leftist(t *testing.T, w *wires, n, up uint32) uint8 {
	if n == 0 {
		return 0
	}
	k := &w.nodes[n]
	if k.up != up || up != 0 && w.before(n, up) {
		t.Fatalf("node %d hangs wrongly", n)
	}
	left, right := leftist(t, w, k.left, n), leftist(t, w, k.right, n)
	if left < right || k.rank != right+1 {
		t.Fatalf("node %d: rank %d over %d and %d", n, k.rank, left, right)
	}
	return k.rank
}

// TestWiresFull holds that a pool finds no room where there is none, and that what is cut is room again.
func TestWiresFull(t *testing.T) {
	w := newWires(1, 4, 2)
	if !w.lay(0, 1, 1, markFalls, 5) || !w.lay(0, 2, 2, markFalls, 4) || w.lay(0, 3, 3, markFalls, 3) {
		t.Fatal("two have room, a third has not")
	}
	if w.lay(0, 1, 1, markFalls, 6); w.nodes[w.tops[0]].row != 2 {
		t.Error("the second is not first")
	}
	w.cutAll(0, 2)
	if !w.lay(0, 3, 3, markRises, 3) {
		t.Error("what was cut is no room")
	}
}
