package msg_test

import (
	"reflect"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/msg"
)

// What a setter writes, the accessor of the same name reads, and line 1 stays as it was.
func TestSetterAndAccessorAgree(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		before := drawn[msg.Event](t)
		e := before
		agree := func(name string, got, want any) {
			if diff := cmp.Diff(want, got); diff != "" {
				t.Fatalf("%s differs (-want +got):\n%s", name, diff)
			}
			line := e
			line.Rare = before.Rare
			if line != before {
				t.Fatalf("%s wrote to line 1", name)
			}
		}
		fill := msg.Fill{Leaves: drawn[fixed.Lots](t), Filled: drawn[fixed.Lots](t), Trade: drawn[msg.TradeID](t),
			Peer: drawn[msg.OrderID](t), Fee: drawn[fixed.Money](t), Realized: drawn[fixed.Money](t),
			Position: drawn[fixed.Lots](t), Maker: rapid.Bool().Draw(t, "maker")}
		e.SetFill(&fill)
		agree("Fill", e.Fill(), fill)
		change := msg.Change{Filled: drawn[fixed.Lots](t), Leaves: drawn[fixed.Lots](t), Request: drawn[msg.Ref](t),
			Asker: drawn[msg.SessionID](t), Kept: rapid.Bool().Draw(t, "kept")}
		e.SetChange(&change)
		agree("Change", e.Change(), change)
		refusal := drawn[msg.Refusal](t)
		e.SetRefusal(refusal)
		agree("Refusal", e.Refusal(), refusal)
		balance := drawn[msg.Balance](t)
		e.SetBalance(balance)
		agree("Balance", e.Balance(), balance)
		step := drawn[msg.PhaseStep](t)
		e.SetPhaseStep(step)
		agree("PhaseStep", e.PhaseStep(), step)
	})
}

// The kinds of one line come first.
func TestLinesOfEvents(t *testing.T) {
	for _, c := range constants(t) {
		if c.typ != "EventKind" {
			continue
		}
		e := msg.Event{Kind: msg.EventKind(c.value)}
		if want := 1 + b2i(c.value > uint64(msg.Ticked)); e.Lines() != want {
			t.Errorf("%s has %d lines, want %d", c.name, e.Lines(), want)
		}
	}
	for _, e := range events() {
		if e.Rare != (msg.Rare{}) && e.Lines() == 1 {
			t.Errorf("%v uses line 2 and has 1 line", e.Kind)
		}
	}
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

func hash(e msg.Event) uint64 {
	var d fixed.Digest
	e.Hash(&d)
	return d.Sum()
}

// Equal and Hash see every field of the lines in use, and nothing of a line 2 that is left over.
func TestEqualAndHashSeeTheLinesInUse(t *testing.T) {
	for _, e := range events() {
		for i := range e.Rare {
			other := e
			other.Rare[i] ^= 1 << (i * 7)
			if used := e.Lines() == 2; e.Equal(&other) == used || (hash(e) != hash(other)) != used {
				t.Errorf("%v: word %d of line 2 changed: Equal is %v, hashes differ is %v, want %v and %v", e.Kind, i,
					e.Equal(&other), hash(e) != hash(other), !used, used)
			}
		}
		if same := e; !e.Equal(&same) || hash(e) != hash(same) {
			t.Errorf("%v is not equal to itself", e.Kind)
		}
		other := e
		eachField(&other, func(field string) {
			if strings.HasPrefix(field, ".Rare") {
				return // line 2 had its turn
			}
			if e.Equal(&other) || other.Equal(&e) {
				t.Errorf("%v: Equal does not see %s", e.Kind, field)
			}
			if hash(e) == hash(other) {
				t.Errorf("%v: Hash does not see %s", e.Kind, field)
			}
		})
	}
}

// Each bit of the lines in use has a place of its own in the words that Hash folds: no two events of one bit are alike.
func TestHashGivesEveryBitItsPlace(t *testing.T) {
	seen := map[uint64]string{}
	var walk func(e *msg.Event, name string, v reflect.Value)
	walk = func(e *msg.Event, name string, v reflect.Value) {
		switch {
		case name == ".Kind":
			return // it decides which lines count
		case v.Kind() == reflect.Struct:
			for i := range v.NumField() {
				walk(e, name+"."+v.Type().Field(i).Name, v.Field(i))
			}
			return
		case v.Kind() == reflect.Array:
			for i := range v.Len() {
				walk(e, name+strconv.Itoa(i), v.Index(i))
			}
			return
		}
		for bit := range v.Type().Bits() {
			if v.CanInt() {
				v.SetInt(1 << bit)
			} else {
				v.SetUint(1 << bit)
			}
			place := name + " bit " + strconv.Itoa(bit)
			if other, ok := seen[hash(*e)]; ok {
				t.Errorf("%s and %s have the same hash", other, place)
			}
			seen[hash(*e)] = place
		}
		v.SetZero()
	}
	e := msg.Event{Kind: msg.Traded}
	walk(&e, "", reflect.ValueOf(&e).Elem())
	if want := 8 * (msg.EventSize - 1); len(seen) != want {
		t.Errorf("%d bits have a place, want %d", len(seen), want)
	}
}

// Two events of different kinds are unequal both ways, whichever has the longer form.
func TestEqualSeesKind(t *testing.T) {
	all := events()
	for i := range all {
		for j := range all {
			if equal := all[i].Equal(&all[j]); equal != (i == j) || equal != all[j].Equal(&all[i]) {
				t.Errorf("%v equal to %v: %v", &all[i], &all[j], equal)
			}
			if (hash(all[i]) == hash(all[j])) != (i == j) {
				t.Errorf("%v and %v: hashes are equal: %v", &all[i], &all[j], i != j)
			}
		}
	}
}

// CopyTo copies the lines in use and leaves a line that is not in use as it is.
func TestCopyToCopiesTheLinesInUse(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		e, dst := drawn[msg.Event](t), drawn[msg.Event](t)
		if rapid.Bool().Draw(t, "known kind") {
			e.Kind %= msg.EntryChanged + 1
		}
		left := dst.Rare
		e.CopyTo(&dst)
		want := e
		if e.Lines() == 1 {
			want.Rare = left
		}
		if diff := cmp.Diff(want, dst); diff != "" {
			t.Fatalf("the copy differs (-want +got):\n%s", diff)
		}
		if !e.Equal(&dst) || hash(e) != hash(dst) {
			t.Fatal("the copy is not equal")
		}
	})
}

// Equal is what Hash says it is.
func TestEqualAgreesWithHash(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := drawn[msg.Event](t)
		b := a
		if rapid.Bool().Draw(t, "change line 2") {
			b.Rare = drawn[msg.Rare](t)
		}
		if rapid.Bool().Draw(t, "change line 1") {
			b.Index++
		}
		if a.Equal(&b) != (hash(a) == hash(b)) || a.Equal(&b) != b.Equal(&a) {
			t.Fatalf("Equal is %v and %v, hashes are equal: %v", a.Equal(&b), b.Equal(&a), hash(a) == hash(b))
		}
	})
}

func TestEventsAllocateNothing(t *testing.T) {
	all := events()
	out := make([]msg.Event, len(all))
	if n := testing.AllocsPerRun(100, func() {
		var d fixed.Digest
		for i := range all {
			all[i].CopyTo(&out[i])
			fill := all[i].Fill()
			out[i].SetFill(&fill)
			change := all[i].Change()
			out[i].SetChange(&change)
			out[i].SetRefusal(all[i].Refusal())
			out[i].SetBalance(all[i].Balance())
			out[i].SetPhaseStep(all[i].PhaseStep())
			all[i].Equal(&out[i])
			out[i].Hash(&d)
		}
	}); n != 0 {
		t.Errorf("handling an event of every kind allocates %v times", n)
	}
}
