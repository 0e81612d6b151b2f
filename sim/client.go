package sim

import (
	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/msg"
)

// client speaks to the shard through a lane of its own. Each request has a client id, one above the last. What became of a request
// it reads from what is released; what it has not read it does not know, and asks again with the same id: a request is open until it
// is answered, whatever happens to the shard meanwhile (D-36).
//
//	drawn ── sent ── answered
//	          │  ^
//	          │  └── sent again, in the order of ids: after a restart, or when an answer takes too long
//	        cut: the outcome is unknown
type client struct {
	world   *world
	number  int // 0 is the venue's
	session msg.SessionID
	trader  trader
	ids     msg.Ref // given so far
	open    []request
	sent    int // of open: the first that is not in the lane, in this life of the shard
	asked   fixed.Nanos
	first   []msg.Command // what the venue says before anything else
	effect  msg.Ref       // the last id of which an effect was seen
	brought msg.Seq       // the command that had it
}

// request is one that has not been answered.
type request struct {
	command msg.Request
	before  bool // it was sent in an earlier life, or more than once
}

func newClient(w *world, number int) *client {
	c := &client{world: w, number: number, session: w.options.door(number)}
	if number == 0 {
		c.first = w.market.opening(w)
	}
	return c
}

// door is the session of a client with a lane of its own; those of the wire come before them. 0 is the venue's.
func (o *Options) door(number int) msg.SessionID {
	if number == 0 {
		return 0
	}
	return msg.SessionID(o.Rows + number)
}

// door is the client with a lane that has a session; nil: nobody.
func (w *world) door(session msg.SessionID) *client {
	n := int(session)
	if n > 0 {
		n -= w.options.Rows
	}
	if n < 0 || n >= len(w.clients) || session != 0 && n == 0 {
		return nil
	}
	return w.clients[n]
}

// act asks for something more, or again, and comes back after some thought; where it can do nothing, when an answer comes, or none.
func (c *client) act() {
	w := c.world
	if !w.shard.up {
		return // connected wakes it
	}
	if len(c.open) > 0 && c.sent == len(c.open) && w.now-c.asked >= w.options.Timeout {
		c.again()
	}
	if c.sent == len(c.open) && len(c.open) < w.options.Window {
		c.draft()
	}
	full := !c.send()
	switch {
	case full:
		c.come(20 * c.pace())
	case len(c.open) < w.options.Window && (!w.healing || len(c.first) > 0):
		c.come(c.pace())
	case len(c.open) > 0:
		w.agenda.set(clientActors+c.number, max(c.asked+w.options.Timeout, w.now+1))
	}
}

// come makes it act about so much later.
func (c *client) come(later fixed.Nanos) {
	c.world.agenda.set(clientActors+c.number, c.world.now+c.world.around(later))
}

// pace is how long it thinks.
func (c *client) pace() fixed.Nanos { return c.world.options.Think }

// draft draws a request. The few without an id are never asked again, and nobody waits for them.
func (c *client) draft() {
	w := c.world
	var m msg.Command
	switch {
	case len(c.first) > 0:
		m = c.first[0]
		c.first = c.first[1:]
	case w.healing:
		return
	case c.number == 0:
		m = w.market.next(w)
	default:
		m = c.draw()
		m.Session = c.session
		if w.percent(1) {
			m.Session = pick(w.chance, msg.SessionID(1+w.chance.IntN(w.options.Rows+w.options.Clients)), 999)
			c.shout(&m)
			return
		}
	}
	c.ids++
	m.Ref = c.ids
	c.open = append(c.open, request{command: m.Request})
}

// shout sends a request without an id.
func (c *client) shout(m *msg.Command) {
	w := c.world
	if slot := w.shard.node.Port(c.number).Claim(); slot != nil {
		slot.CopyFrom(&m.Request)
		slot.Time = w.now + w.skew
		c.publish()
	}
}

// send puts into the lane what is not in it, and reports whether there was room for all of it.
func (c *client) send() bool {
	w := c.world
	for ; c.sent < len(c.open); c.sent++ {
		slot := w.shard.node.Port(c.number).Claim()
		if slot == nil {
			w.reached[busyLane]++
			c.publish()
			return false
		}
		slot.CopyFrom(&c.open[c.sent].command)
		slot.Time = w.now + w.skew
		c.asked = w.now
	}
	c.publish()
	return true
}

func (c *client) publish() {
	w := c.world
	w.shard.node.Port(c.number).Publish()
	if !w.shard.stalled {
		w.agenda.set(hotActor, w.now+w.around(fixed.Microsecond))
	}
}

// again makes all that is open be sent once more.
func (c *client) again() {
	c.asked = c.world.now
	c.sent = 0
	for i := range c.open {
		c.open[i].before = true
	}
}

// cut is the end of the shard's life: what was sent may have been done or not.
func (c *client) cut() {
	for i := range c.open[:c.sent] {
		c.open[i].before = true
	}
	c.sent = 0
}

// connected is the beginning of the next. What the recovery told of has been answered by now.
func (c *client) connected() {
	w := c.world
	for i := range c.open {
		w.note(resentUnknown, c.open[i].before)
	}
	w.agenda.set(clientActors+c.number, w.now+1)
}

// answer lets the client read an event that answers its request ref. It holds the answers to what was promised: at most one effect
// of an id, and no refusal of an id as a duplicate before its answer.
func (c *client) answer(ref msg.Ref, e *msg.Event) {
	w := c.world
	at := -1
	for i := range c.open {
		if c.open[i].command.Ref == ref {
			at = i
			break
		}
	}
	if e.Kind == msg.Rejected && e.Reject == msg.RejectDuplicateClientID {
		w.reached[duplicateRefused]++
		if at >= 0 && c.open[at].command.Kind != msg.KindCancelAll {
			w.find("exactly once", "%s: client id %d of session %d was never answered", e.String(), ref, c.session)
		}
		return
	}
	if effective(e) {
		if ref < c.effect || ref == c.effect && e.Seq != c.brought {
			w.find("exactly once", "%s: client id %d of session %d had an effect before, up to id %d", e.String(), ref, c.session, c.effect)
		}
		c.effect, c.brought = max(c.effect, ref), e.Seq
	}
	if at < 0 || e.Kind == msg.Ticked && c.open[at].command.Kind == msg.KindCancelAll {
		return
	}
	if e.Kind == msg.Canceled && c.open[at].command.Kind == msg.KindCancelAll {
		return
	}
	w.note(resolvedByResume, !w.shard.up && c.open[at].before)
	c.open = append(c.open[:at], c.open[at+1:]...)
	if at < c.sent {
		c.sent--
	}
	c.come(c.pace())
}

// asked is the open request of a session, nil where nobody waits for it.
func (w *world) asked(session msg.SessionID, ref msg.Ref) *msg.Request {
	c := w.door(session)
	if c == nil || ref == 0 {
		return nil
	}
	for i := range c.open {
		if r := &c.open[i].command; r.Ref == ref {
			return r
		}
	}
	return nil
}

// effective reports whether an event is the one effect of the request that it answers.
func effective(e *msg.Event) bool {
	switch e.Kind {
	case msg.Accepted, msg.Amended, msg.Deposited, msg.Withdrawn, msg.AssetDeposited, msg.AssetWithdrawn, msg.InstrumentListed,
		msg.AccountOpened, msg.SessionOpened, msg.SessionClosed, msg.PhaseChanged:
		return true
	}
	return false
}
