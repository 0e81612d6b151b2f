package book

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/msg"
)

// TestRehearse holds what a rehearsal tells in the cases in which it is more than a walk; that it agrees with Match in all
// is TestBookAgainstNaive's.
func TestRehearse(t *testing.T) { // M-75
	reduceOnly := []maker{{price: 100, lots: 5, flags: ReduceOnly}, {price: 100, lots: 6, flags: ReduceOnly}, {price: 101, lots: 9}}
	own := []maker{{price: 100, lots: 5}, {price: 100, lots: 4, owner: 7}, {price: 101, lots: 6}, {price: 101, lots: 8, expire: 9}}
	for _, c := range []struct {
		name   string
		makers []maker
		lots   fixed.Lots
		stp    msg.STP
		room   int
		may    []fixed.Lots // what the reduce-only makers may trade, in order
		want   []string
		stop   Stop
		left   fixed.Lots
	}{
		{"reduce-only makers, trimmed and canceled", reduceOnly, 10, msg.STPNone, 9, []fixed.Lots{2, 0}, []string{"2@100", "8@101"}, StopDone, 0},
		{"reduce-only makers, whole", reduceOnly, 10, msg.STPNone, 9, []fixed.Lots{50, 6}, []string{"5@100", "5@100"}, StopDone, 0},
		{"one that would be canceled needs room", reduceOnly, 10, msg.STPNone, 1, []fixed.Lots{0}, nil, StopBound, 10},
		{"own, none", own, 30, msg.STPNone, 9, nil, []string{"5@100", "4@100", "6@101"}, StopDone, 15},
		{"own, newest", own, 30, msg.STPCancelNewest, 9, nil, []string{"5@100"}, StopSelf, 25},
		{"own, oldest", own, 30, msg.STPCancelOldest, 9, nil, []string{"5@100", "6@101"}, StopDone, 19},
		{"own, both", own, 30, msg.STPCancelBoth, 9, nil, []string{"5@100"}, StopSelf, 25},
		{"own, decrement", own, 30, msg.STPDecrement, 9, nil, []string{"5@100", "6@101"}, StopDone, 15},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := sells(c.makers...)
			before := b.sum()
			r := Rehearsal{Taker: buy(105, c.lots)}
			r.Owner, r.STP, r.Room = 7, c.stp, c.room
			parts := b.Rehearse(&r, nil)
			for r.Stop == StopAsk {
				r.May, c.may = c.may[0], c.may[1:]
				parts = b.Rehearse(&r, parts)
			}
			var got []string
			for _, p := range parts {
				got = append(got, fmt.Sprintf("%d@%d", p.Qty, p.Price))
			}
			if diff := cmp.Diff(c.want, got); diff != "" || r.Stop != c.stop || r.Leaves != c.left || len(c.may) != 0 {
				t.Errorf("%+v, %d answers left (-want +got):\n%s", r, len(c.may), diff)
			}
			if b.sum() != before {
				t.Error("the book has changed")
			}
		})
	}
}
