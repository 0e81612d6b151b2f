package sim

import (
	"github.com/lockstep-exchange/lockstep/msg"
	"github.com/lockstep-exchange/lockstep/wire/gen"
)

// The intruder has got past the gateway: it says of sessions, and in their name, what a gateway would not, straight into a lane. Its key is a
// risk manager's. Who may do what is the core's to decide (D-94): whatever it says, it brings no order, and no session of another key.

// intruderKey is its key, behind those of desks.
const intruderKey = msg.KeyID(7)

// intrude has it try once. Nobody waits for what comes of it.
func (w *world) intrude() {
	row := msg.SessionID(w.options.Rows) // the last that the gateway may have
	f, say := w.notary.at(row), func(c msg.Command) { w.venue.shout(&c) }
	kind := pick(w.chance, msg.OrderEntry, msg.RiskControl, msg.RiskControl, msg.DropCopy)
	if f == nil || f.final || w.percent(5) {
		n := msg.Negotiation{Session: row, Key: intruderKey, Kind: kind, Version: 1, Stamp: w.clock()}
		w.random(n.UUID[:])
		if w.percent(10) { // of a key that only reads
			n.Key = w.desks[len(w.desks)-1].key
		}
		say(msg.Negotiate(n))
	}
	say(msg.Bind(msg.Binding{Session: row, TakeOver: true, Stamp: w.clock() + 1}))
	next := uint64(1)
	if f != nil {
		next = f.next
	}
	for i := range uint64(3) {
		c := msg.Limit(msg.AccountID(ownerOf(1)), 1, pick(w.chance, msg.Buy, msg.Sell), w.market.mids[1], 1)
		if w.percent(20) {
			c = msg.Cancel(0, 1, w.market.stray[w.chance.IntN(len(w.market.stray))])
		}
		c.Session, c.Ref = row, msg.Ref(w.clock())+msg.Ref(i)
		c.SetEnvelope(msg.Envelope{SeqNum: uint32(next + i), Template: gen.TemplateNewOrder, Ingress: w.clock()})
		say(c)
	}
	w.reached[intruded]++
}
