package engine

import (
	"fmt"
	"reflect"
	"testing"

	"github.com/lockstep-exchange/lockstep/msg"
)

// shared are the places at which two values reach one memory.
func shared(a, b reflect.Value, path string, seen map[[2]uintptr]bool) (places []string) {
	switch a.Kind() {
	case reflect.Pointer:
		if a.IsNil() || b.IsNil() {
			return nil
		}
		pair := [2]uintptr{a.Pointer(), b.Pointer()}
		if pair[0] == pair[1] && a.Type().Elem().Size() > 0 {
			return []string{path}
		}
		if seen[pair] {
			return nil
		}
		seen[pair] = true
		return shared(a.Elem(), b.Elem(), path, seen)
	case reflect.Slice:
		if a.Cap() > 0 && a.Pointer() == b.Pointer() && a.Type().Elem().Size() > 0 {
			return []string{path}
		}
		for i := range min(a.Len(), b.Len(), 40) { // elements are alike
			places = append(places, shared(a.Index(i), b.Index(i), fmt.Sprintf("%s[%d]", path, i), seen)...)
		}
	case reflect.Array:
		for i := range a.Len() {
			places = append(places, shared(a.Index(i), b.Index(i), fmt.Sprintf("%s[%d]", path, i), seen)...)
		}
	case reflect.Struct:
		for i := range a.NumField() {
			places = append(places, shared(a.Field(i), b.Field(i), path+"."+a.Type().Field(i).Name, seen)...)
		}
	case reflect.Map, reflect.Chan, reflect.Func, reflect.Interface:
		if !a.IsNil() {
			places = append(places, path)
		}
	}
	return places
}

// TestForkGoesItsOwnWay forks an engine in the middle of random days. The fork shares no memory with it and has its hash; what it does does not change
// the engine; and after the same commands both tell the same and are the same.
func TestForkGoesItsOwnWay(t *testing.T) {
	for i, d := range days {
		seed := xorshift(uint64(i)*0x9E3779B97F4A7C15 + 4242)
		t.Logf("%s: seed %#x", d.name, uint64(seed))
		tr, desk := newTrader(d, &seed), newDesk(t, d.limits)
		var trail []msg.Command
		play := func(n int) {
			for range n {
				c := tr.next()
				desk.at = max(c.Time, desk.now)
				tr.see(&c, desk.do(c))
				c.Time = desk.now
				trail = append(trail, c)
			}
		}
		for _, c := range tr.opening() {
			desk.at = max(c.Time, desk.now)
			tr.see(&c, desk.do(c))
		}
		play(600)
		before := desk.Hash()
		fork := desk.Fork()
		if places := shared(reflect.ValueOf(desk.Engine), reflect.ValueOf(fork), "engine", map[[2]uintptr]bool{}); len(places) > 0 {
			t.Errorf("%s: an engine and its fork share %v", d.name, places)
		}
		if got := fork.Hash(); got != before {
			t.Fatalf("%s: the fork has %016x, the engine %016x", d.name, got, before)
		}
		trail = trail[:0]
		play(400)
		after := desk.Hash()
		for _, c := range trail {
			c.Seq = fork.Seq() + 1
			fork.Apply(&c, nil)
		}
		if got := fork.Hash(); got != after {
			t.Errorf("%s: after the same commands the fork has %016x, the engine %016x", d.name, got, after)
		}
		if places := shared(reflect.ValueOf(fork), reflect.ValueOf(fork), "engine", map[[2]uintptr]bool{}); len(places) == 0 {
			t.Error("the walk finds nothing shared between an engine and itself")
		}
		other := fork.Fork()
		for range 50 {
			other.next(msg.Tick())
			other.next(msg.Deposit(1, 5))
		}
		if got := fork.Hash(); got != after {
			t.Errorf("%s: what a fork did has changed what it was forked from", d.name)
		}
	}
}
