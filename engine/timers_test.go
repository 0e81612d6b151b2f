package engine

import (
	"testing"

	"github.com/lockstep-exchange/lockstep/clearing"
	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/msg"
)

// plainTimers has rooms for timers of three kinds.
func plainTimers() *timers {
	const slots = 3 + 9 + 5
	return &timers{at: make([]fixed.Nanos, slots), key: make([]uint64, slots), heap: make([]uint32, slots), place: make([]uint32, slots)}
}

// TestTimersAgainstList sets and clears timers and asks each time which comes first; a list that is searched knows it.
func TestTimersAgainstList(t *testing.T) {
	type entry struct {
		slot uint32
		at   fixed.Nanos
		key  uint64
	}
	for _, seed := range []xorshift{3, 0x1234567, 0xABCDEF0123} {
		x, tm, list := seed, plainTimers(), map[uint32]entry{}
		for step := range 20_000 {
			slot := uint32(x.below(int64(len(tm.at))))
			if x.below(3) == 0 {
				tm.clear(0, slot)
				delete(list, slot)
			} else {
				// Ids run against slots, so that a tie is not broken by where a timer lies.
				n := entry{slot, fixed.Nanos(x.below(6)), uint64(x.below(2))<<idBits | uint64(len(tm.at))<<8 - uint64(slot)}
				tm.set(0, slot, n.key, n.at)
				list[slot] = n
			}
			var want entry
			found := false
			for _, n := range list {
				if !found || n.at < want.at || n.at == want.at && n.key < want.key {
					want, found = n, true
				}
			}
			if int(tm.count) != len(list) || found != (tm.count != 0) {
				t.Fatalf("seed %#x, step %d: %d timers, want %d", uint64(seed), step, tm.count, len(list))
			}
			if !found {
				continue
			}
			if first := tm.heap[0]; first != want.slot || tm.at[first] != want.at || tm.key[first] != want.key {
				t.Fatalf("seed %#x, step %d: first is %d at %d, want %+v", uint64(seed), step, first, tm.at[first], want)
			}
		}
	}
}

// TestTimersHash holds that the hash sees what is set, whatever way it came to be, and not what was.
func TestTimersHash(t *testing.T) {
	sum := func(do func(*timers)) uint64 {
		tm, d := plainTimers(), fixed.Digest{}
		do(tm)
		tm.hash(&d)
		return d.Sum()
	}
	one := sum(func(tm *timers) { tm.set(0, 1, 7, 5); tm.set(0, 2, 8, 3) })
	if other := sum(func(tm *timers) {
		tm.set(0, 2, 8, 9)
		tm.set(0, 0, 1, 1)
		tm.set(0, 1, 7, 5)
		tm.clear(0, 0)
		tm.set(0, 2, 8, 3)
	}); other != one {
		t.Error("another way to the same timers, and another hash")
	}
	for name, do := range map[string]func(*timers){
		"time": func(tm *timers) { tm.set(0, 1, 7, 6); tm.set(0, 2, 8, 3) },
		"id":   func(tm *timers) { tm.set(0, 1, 6, 5); tm.set(0, 2, 8, 3) },
		"slot": func(tm *timers) { tm.set(0, 3, 7, 5); tm.set(0, 2, 8, 3) },
		"none": func(tm *timers) { tm.set(0, 1, 7, 5) },
	} {
		if sum(do) == one {
			t.Errorf("the hash does not see the %s of a timer", name)
		}
	}
}

// TestNextDue holds that NextDue is when a Tick does something next: an order that expires, the day cut, or at once where work
// is left over.
func TestNextDue(t *testing.T) {
	d := crowded(t, Limits{Instruments: 2, Accounts: 9, Orders: 2000, Events: 256})
	d.at = 3 * fixed.Hour
	next := func(want fixed.Nanos) {
		t.Helper()
		if at, ok := d.NextDue(); at != want || !ok {
			t.Fatalf("next due %d %v, want %d", at, ok, want)
		}
	}
	d.ok(msg.Tick())
	next(fixed.Day)
	order := d.order(with(msg.Place(1, 1, msg.Buy, 80, 3, msg.OrderExt{Expire: d.at + fixed.Hour}), 0, msg.GTD))
	d.ok(with(msg.Place(1, 1, msg.Buy, 80, 3, msg.OrderExt{Expire: d.at + fixed.Minute}), 0, msg.GTD))
	next(d.at + fixed.Minute)
	d.at += fixed.Minute
	next(d.at)
	d.ok(msg.Tick())
	if d.count(msg.Expired) != 1 {
		t.Fatal("the order stands")
	}
	next(4 * fixed.Hour)
	d.ok(msg.Cancel(1, 1, order))
	next(fixed.Day)
	for range 300 {
		d.ok(msg.Limit(3, 2, msg.Buy, 50, 1))
	}
	d.do(msg.CancelAll(3, 2, msg.Buy))
	for ticks := 0; ; ticks++ {
		if at, _ := d.NextDue(); at > d.at {
			break
		} else if ticks > 20 {
			t.Fatal("work is left over for ever")
		}
		d.ok(msg.Tick())
	}
	next(fixed.Day)
}

// TestPayFund pays into the fund: what nobody covered is repaid first.
func TestPayFund(t *testing.T) { // M-05, M-54, I-05
	d := newDesk(t, Limits{})
	d.ok(msg.PayFund(30))
	d.house.Venue.Deficit, d.house.Venue.Fees = -12, 12 // a loss that somebody was paid
	d.ok(msg.PayFund(5))
	if v := d.VenueAccounts(); v.Fund != 30 || v.Deficit != -7 {
		t.Errorf("%+v, want 30 in the fund and a deficit of 7", v)
	}
	d.ok(msg.PayFund(10))
	if v := d.VenueAccounts(); v.Fund != 33 || v.Deficit != 0 {
		t.Errorf("%+v, want 33 in the fund and no deficit", v)
	}
	d.sound()
	d.refused(msg.RejectValueOutOfRange, msg.PayFund(0))
	d.refused(msg.RejectOverflow, msg.PayFund(clearing.MaxDeposits))
}
