package sim

import (
	"fmt"
	"strings"

	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/msg"
)

// heal is the second phase of a seed (D-66): faults stop, and within bounded time every client must get a final answer to all that
// it ever asked, and two accounts must trade in the instrument that was kept for it.
func (w *world) heal() {
	w.healing = true
	w.chaos.stop()
	w.shard.frozen = 0
	for _, c := range w.clients {
		w.agenda.set(clientActors+c.number, w.now+1)
	}
	for _, t := range w.terminals {
		w.agenda.set(t.actor(), w.now+1)
	}
	w.trade(func() bool {
		return w.shard.up && w.answered() && w.settled() && w.shard.engine.Storage() == msg.StorageNormal
	}, "heal", healWithin)
	if w.finding != nil {
		return
	}
	w.reconcile()
	w.farewell()
	traded := w.watch.trades(w.market.probes)
	w.venue.first = w.market.closing()
	w.agenda.set(clientActors, w.now+1)
	w.trade(func() bool {
		return w.answered() && w.watch.seq == w.shard.seq() && w.shard.up
	}, "trade again", healWithin)
	if w.finding == nil && w.watch.trades(w.market.probes) == traded {
		w.find("liveness", "faults have stopped, and the book does not trade again")
	}
}

// healWithin is how long healing may take.
const healWithin = 600 * fixed.Second

// stop ends all faults.
func (c *chaos) stop() {
	c.strike, c.slow, c.lag = 0, 0, 0
	c.empty()
	if w := c.world; len(w.desks) > 0 { // who has set a clock back sets it right: logons have to be later than those before
		w.skew = c.ahead
	}
	for _, t := range c.world.terminals {
		t.deaf = 0
	}
}

// answered reports whether nobody waits for anything.
func (w *world) answered() bool {
	for _, c := range w.clients {
		if len(c.open) > 0 || len(c.first) > 0 {
			return false
		}
	}
	return true
}

// stuck says who waits for what, for a finding.
func (w *world) stuck() string {
	var text strings.Builder
	fmt.Fprintf(&text, "%s after %d s", w.shard.where(), (w.now-start)/fixed.Second)
	for _, c := range w.clients {
		if len(c.open) > 0 {
			fmt.Fprintf(&text, "; client %d waits for the answer to id %d (kind %d)", c.number, c.open[0].command.Ref, c.open[0].command.Kind)
		}
	}
	for _, t := range w.terminals {
		if !t.settled() {
			fmt.Fprintf(&text, "; %s", t.String())
		}
	}
	return text.String()
}

// closing are the commands after which the probe's accounts trade a lot, whatever has been turned or set: everything else is taken
// out of the books first, because tables may be full.
func (m *market) closing() []msg.Command {
	long, short := m.accounts+1, m.accounts+2
	var out []msg.Command
	venue := msg.Entry{Scope: msg.ScopeVenue, Action: msg.BlockAndCancel}
	out = append(out, msg.SetEntry(0, 0, venue))
	for range 16 { // a mass cancel goes on with each command
		out = append(out, msg.Tick())
	}
	venue.Action = msg.Unblock
	out = append(out, msg.SetEntry(0, 0, venue), msg.SetRule(0, msg.MessageRate, 0), msg.SetPhase(m.probes, msg.Continuous),
		msg.SetMark(m.probes, 100))
	return append(out, msg.Limit(long, m.probes, msg.Sell, 100, 1), msg.Limit(short, m.probes, msg.Buy, 100, 1))
}

// trades is how many trades there were in an instrument.
func (h *watch) trades(id msg.InstrumentID) int64 { return h.traded[id&7] }
