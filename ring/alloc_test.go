package ring

import (
	"reflect"
	"testing"
)

// Handing over allocates nothing, bells, full lanes and cut-off readers included.
func TestNoAllocations(t *testing.T) { // L-32, L-49, T-5
	for _, count := range []int{1, 4, 70} {
		lanes := lanesOf(t, count, 16)
		f := NewFanIn(lanes, 16)
		got := 0
		if n := testing.AllocsPerRun(200, func() {
			for i, l := range lanes {
				for b := l.Claim(); b != nil; b = l.Claim() {
					b.fill(uint64(i), 1)
				}
				l.Publish()
			}
			for r := f.Next(); r != nil; r = f.Next() {
				got++
			}
			f.Release()
		}); n != 0 || got != 201*16*count {
			t.Errorf("%d lanes: %v allocations a round, %d records", count, n, got)
		}
	}

	r := ringOf(t, 64)
	required, optional, stalled := r.Reader(true), r.Reader(false), r.Reader(false)
	got := 0
	if n := testing.AllocsPerRun(200, func() {
		for e := r.Claim(); e != nil; e = r.Claim() {
			e.fill(0, 1)
		}
		r.Publish()
		for e := required.Next(); e != nil; e = required.Next() {
			got++
		}
		required.Release()
		for optional.Next() != nil {
		}
	}); n != 0 || got != 201*64 || !stalled.Lost() {
		t.Errorf("ring: %v allocations a round, %d records, the stalled reader has Lost %v", n, got, stalled.Lost())
	}
}

// Words that different threads write stand 128 bytes apart.
func TestWordsStandApart(t *testing.T) { // L-22
	type group struct {
		of     reflect.Type
		fields [][]string // of one writer each
	}
	for _, g := range []group{
		{reflect.TypeFor[Lane[body]](), [][]string{{"slots", "mask", "bell", "bit"}, {"claimed", "published", "limit"}, {"next"}, {"released"}}},
		{reflect.TypeFor[Ring[event]](), [][]string{{"memory", "place", "size", "mask", "shift", "required", "optional"},
			{"page", "first", "claimed", "published", "limit", "gate", "spare"}}},
		{reflect.TypeFor[Reader[event]](), [][]string{{"ring", "required"}, {"page", "next", "end"}, {"released"}, {"pin"}}},
		{reflect.TypeFor[FanIn[body]](), [][]string{{"lanes", "at", "take", "taken", "bells", "heard"}}},
	} {
		named := 0
		end := uintptr(0) // what lies in front of the first word counts as written by others
		for _, fields := range g.fields {
			for _, name := range fields {
				named++
				f, ok := g.of.FieldByName(name)
				if !ok {
					t.Fatalf("%v has no field %s", g.of, name)
				}
				if f.Offset < end+apart {
					t.Errorf("%v: %s lies %d bytes behind words of another writer, want %d", g.of, name, f.Offset-end, apart)
				}
			}
			last, _ := g.of.FieldByName(fields[len(fields)-1])
			end = last.Offset + last.Type.Size()
		}
		if tail := g.of.Size() - end; tail < apart {
			t.Errorf("%v ends %d bytes behind its last word, want %d", g.of, tail, apart)
		}
		for i := range g.of.NumField() {
			if g.of.Field(i).Name != "_" {
				named--
			}
		}
		if named != 0 {
			t.Errorf("%v has %d fields more than this test names", g.of, -named)
		}
	}
	if size := reflect.TypeFor[bells]().Size(); size != apart {
		t.Errorf("bells of 64 lanes take %d bytes, want %d", size, apart)
	}
	if size := reflect.TypeFor[slot[body]]().Size(); size != line {
		t.Errorf("a slot of this test takes %d bytes, want %d", size, line)
	}
}
