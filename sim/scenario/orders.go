package scenario

import (
	"math/big"

	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/msg"
)

// What has become of each order, by the events that tell of it and nothing else: what a client knows.

// order is an order of the scenario.
type order struct {
	label   string
	account *account
	in      *instrument
	ref     msg.Ref
	id      msg.OrderID // 0 until it is accepted
	side    msg.Side
	price   fixed.Ticks
	filled  fixed.Lots
	leaves  fixed.Lots
	worth   *big.Int // sum of ticks · lots of its fills
	ended   string   // rejected, canceled or expired; empty while it works or when it is filled
	reason  string   // why it was rejected or canceled
}

// status is where the order stands.
func (o *order) status() string {
	switch {
	case o.ended != "":
		return o.ended
	case o.id == 0:
		return "rejected"
	case o.leaves == 0:
		return "filled"
	case o.filled > 0:
		return "partial"
	}
	return "resting"
}

// average is the mean price of its fills.
func (o *order) average() quantity {
	if o.filled == 0 {
		return none
	}
	mean := new(big.Rat).SetFrac(o.worth, big.NewInt(int64(o.filled)))
	return number(mean.Mul(mean, o.in.tick))
}

// follow brings the orders up to date with an event.
func (w *world) follow(ev *msg.Event) {
	if ev.Kind == msg.Accepted && w.placing != nil && ev.Ref == w.placing.ref {
		w.placing.id = ev.Order
		w.orders[ev.Order] = w.placing
	}
	o := w.orders[ev.Order]
	if o == nil {
		return
	}
	switch ev.Kind {
	case msg.Accepted:
		o.price, o.leaves = ev.Price, ev.Qty
	case msg.Traded:
		f := ev.Fill()
		o.filled, o.leaves = f.Filled, f.Leaves
		o.worth.Add(o.worth, new(big.Int).Mul(big.NewInt(int64(ev.Price)), big.NewInt(int64(ev.Qty))))
	case msg.Amended:
		c := ev.Change()
		o.price, o.filled, o.leaves = ev.Price, c.Filled, c.Leaves
	case msg.Canceled, msg.Expired:
		c := ev.Change()
		o.filled, o.leaves = c.Filled, c.Leaves
		if o.leaves == 0 {
			o.ended, o.reason = "canceled", ev.Reason.Name()
			if ev.Kind == msg.Expired {
				o.ended, o.reason = "expired", ""
			}
		}
	}
}

// works reports whether the order is in the book.
func (o *order) works() bool { return o != nil && o.id != 0 && o.ended == "" && o.leaves > 0 }
