package sim

import (
	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/node"
	"github.com/lockstep-exchange/lockstep/node/gateway"
)

// gate is the gateway of the shard's present life: the roster that ships, made of what the engine holds after a recovery. The goroutines
// that ship around it are two actors here, and one for each line:
//
//	hear     hands over what is released, and lets the lines say what came of it
//	attend   every 10 ms: timers, what waited, older reports that are asked for again
type gate struct {
	world  *world
	roster *gateway.Roster // nil: the shard is down
	reader *node.Reader
}

// attendEvery is how often timers are looked at, as the gateway that ships does.
const attendEvery = 10 * fixed.Millisecond

// begin makes a gateway of a shard that has recovered.
func (g *gate) begin(n *node.Node, reader *node.Reader) {
	w := g.world
	keys, err := gateway.NewKeys(venueKey, private(venueKey), nil)
	if err != nil {
		panic(err)
	}
	ports := make([]*node.Port, w.options.Doors)
	for i := range ports {
		ports[i] = n.Port(len(w.clients) + i)
	}
	g.reader = reader
	g.roster = gateway.NewRoster(gateway.Terms{Shard: 1, Rates: w.options.Rates, Retain: w.options.Retain, Recall: true, Random: w.random}, keys,
		n.Engine().Limits(), ports)
	g.roster.Learn(n.Engine())
	w.agenda.set(hearActor, w.now+1)
	w.agenda.set(attendActor, w.now+attendEvery)
}

// end is the end of the process.
func (g *gate) end(power bool) {
	if g.roster == nil {
		return
	}
	g.roster, g.reader = nil, nil
	g.world.agenda.drop(hearActor)
	g.world.agenda.drop(attendActor)
	for _, l := range g.world.lines {
		if l.link != nil {
			l.die(power)
		}
	}
}

// hear hands over what is released. The watch reads it first, so that whatever a client is told can be held to it.
func (g *gate) hear() {
	w := g.world
	if g.roster == nil || w.shard.paused(hearActor) {
		return
	}
	w.shard.release()
	count := 0
	for e := g.reader.Next(); e != nil; e = g.reader.Next() {
		if e.Seq > w.shard.durable {
			w.find("release", "the gateway hears %s, and %d is durable", e.String(), w.shard.durable)
			return
		}
		g.roster.Hear(e, w.clock())
		count++
	}
	g.reader.Release()
	g.roster.Touched(func(k *gateway.Link) {
		for _, l := range w.lines {
			if l.link == k {
				l.serve()
				l.appoint()
			}
		}
	})
	if count > 0 {
		w.agenda.set(hotActor, w.now+1)
	}
}

// wake lets it look whether there is something to hear, soon.
func (g *gate) wake() {
	if w := g.world; g.roster != nil {
		w.come(hearActor, pick(w.chance, fixed.Microsecond, fixed.Microsecond, 100*fixed.Microsecond))
	}
}

// attend looks at timers.
func (g *gate) attend() {
	w := g.world
	if g.roster == nil || w.shard.paused(attendActor) {
		return
	}
	g.roster.Advance(w.clock())
	for _, l := range w.lines {
		if l.link != nil && w.finding == nil {
			l.attend()
		}
	}
	w.agenda.set(hotActor, w.now+1)
	w.agenda.set(attendActor, w.now+attendEvery)
}

// recall brings reports about again that are older than the roster keeps.
func (g *gate) recall(row *gateway.Row, from uint64) {
	w := g.world
	if err := g.roster.Recall(&gateway.Journal{Files: w.disk, Dir: journalDir}, w.options.Limits, row, from, nil); err != nil {
		w.find("recoverable flow", "reports from number %d on cannot be brought about again: %v", from, err)
	}
}

// clock is the time of the shard's machine.
func (w *world) clock() fixed.Nanos { return w.now + w.skew }

// come makes somebody act about so much later.
func (w *world) come(actor int, later fixed.Nanos) { w.agenda.set(actor, w.now+w.around(later)) }

// piece is how many of n bytes are read at once.
func (w *world) piece(n int) int {
	if n < 2 || !w.percent(30) {
		return n
	}
	return 1 + w.chance.IntN(n)
}

// random is chance for whoever asks for bytes.
func (w *world) random(b []byte) {
	for i := range b {
		b[i] = byte(w.chance.Uint32())
	}
}
