package sim

import (
	"math/rand/v2"

	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/msg"
	"github.com/lockstep-exchange/lockstep/sim/disk"
	"github.com/lockstep-exchange/lockstep/wire/gen"
)

// A world is one seed under way. Whoever acts has a number, and one appointment at most; the clock jumps from one appointment
// to the next. Two at one time are kept in the order in which they were made: a total order, so that equal options give equal
// worlds (D-62).
//
//	0 hot   1 journal   2 preparer   3 shadow   4 outlet   5 hear   6 attend   7 starter   8 chaos   9.. clients   then terminals   then lines
//	  └────────────── the shard, while it is up ──────────────────────┘    └── always ────────────────────────────────────────────┘

const (
	hotActor = iota
	journalActor
	preparerActor
	shadowActor
	outletActor
	hearActor
	attendActor
	starterActor
	chaosActor
	clientActors // the first of them: the venue's own client
)

// start is the time of day at which each world begins.
const start = 20_000 * fixed.Day

// world is everything that a seed has.
type world struct {
	options Options
	chance  *rand.Rand // whoever needs chance draws it here, in the order of events
	now     fixed.Nanos
	skew    fixed.Nanos // of the shard's clock against now
	agenda  agenda

	disk    *disk.Disk
	files   *disk.Failing
	shard   shard
	chaos   chaos
	venue   *client
	clients []*client // the venue's first
	market  market
	watch   watch
	notary  notary
	gate    gate

	desks          []*desk
	terminals      []*terminal
	lines          []*line
	terminalActors int // the first of them
	lineActors     int

	second *follower // nil where every recovery repeats the whole journal

	healing bool
	trace   fixed.Digest
	reached [sometimesCount]int64
	finding *Finding
	faults  [faultKinds]int64
	applied int64 // commands, in all lives together
	replays int64 // commands applied again by recoveries and checks
}

// appointment is a time at which somebody acts.
type appointment struct {
	at    fixed.Nanos
	made  uint64 // how many were made before it
	actor int
}

func (a *appointment) before(b *appointment) bool {
	return a.at < b.at || a.at == b.at && a.made < b.made
}

// agenda is a heap of appointments, the next one first, and at most one for each actor.
type agenda struct {
	heap []appointment
	made uint64
	due  []fixed.Nanos // by actor; 0: none
}

func newAgenda(actors int) agenda { return agenda{due: make([]fixed.Nanos, actors)} }

// set makes an appointment, unless the actor has an earlier one.
func (a *agenda) set(actor int, at fixed.Nanos) {
	if due := a.due[actor]; due != 0 && due <= at {
		return
	}
	a.due[actor] = at
	a.made++
	a.heap = append(a.heap, appointment{at, a.made, actor})
	for i := len(a.heap) - 1; i > 0; {
		up := (i - 1) / 2
		if !a.heap[i].before(&a.heap[up]) {
			break
		}
		a.heap[i], a.heap[up] = a.heap[up], a.heap[i]
		i = up
	}
}

// drop forgets an actor's appointment.
func (a *agenda) drop(actor int) { a.due[actor] = 0 }

// next takes the next appointment out. ok is false when nobody has any.
func (a *agenda) next() (actor int, at fixed.Nanos, ok bool) {
	for len(a.heap) > 0 {
		top := a.heap[0]
		last := len(a.heap) - 1
		a.heap[0] = a.heap[last]
		a.heap = a.heap[:last]
		for i := 0; ; {
			down := 2*i + 1
			if down >= last {
				break
			}
			if down+1 < last && a.heap[down+1].before(&a.heap[down]) {
				down++
			}
			if !a.heap[down].before(&a.heap[i]) {
				break
			}
			a.heap[i], a.heap[down] = a.heap[down], a.heap[i]
			i = down
		}
		if a.due[top.actor] == top.at { // else it was dropped or moved forward
			a.due[top.actor] = 0
			return top.actor, top.at, true
		}
	}
	return 0, 0, false
}

func newWorld(o Options) *world {
	w := &world{options: o, chance: rand.New(rand.NewPCG(o.Seed, 0x57_4f_52_4c_44)), now: start}
	w.disk = disk.New(roomy)
	w.disk.SetSticky(o.Sticky)
	w.files = &disk.Failing{FS: w.disk}
	w.files.Fail = w.chaos.ask
	w.chaos.world, w.shard.world = w, w
	w.market = newMarket(&o)
	w.watch = newWatch(w)
	w.notary = newNotary(w)
	w.gate.world = w
	w.openDesks()
	if o.Snapshots >= 0 {
		w.second = newFollower(w)
	}
	for i := range o.Clients + 1 {
		w.clients = append(w.clients, newClient(w, i))
	}
	w.venue = w.clients[0]
	w.terminalActors = clientActors + len(w.clients)
	w.lineActors = w.terminalActors + len(w.terminals)
	w.agenda = newAgenda(w.lineActors + len(w.lines))
	return w
}

// openDesks makes those who trade over the wire, and the places of their lines.
func (w *world) openDesks() {
	for i := range w.options.Desks {
		kinds := []gen.SessionKind{gen.SessionKindOrderEntry}
		if w.options.Control {
			kinds = append(kinds, gen.SessionKindRiskControl)
		}
		if w.options.Copies {
			kinds = append(kinds, gen.SessionKindDropCopy)
		}
		w.desks = append(w.desks, newDesk(w, i, i+1, kinds...))
	}
	if w.options.Auditor {
		w.desks = append(w.desks, newDesk(w, w.options.Desks, 0, gen.SessionKindDropCopy))
	}
	for i := range linesPerTerminal * len(w.terminals) {
		w.lines = append(w.lines, &line{world: w, number: i})
	}
}

// run lets the world go on until faults have been healed or something is found.
func (w *world) run() {
	w.agenda.set(starterActor, w.now)
	w.chaos.plan()
	for _, c := range w.clients {
		w.agenda.set(clientActors+c.number, w.now+1)
	}
	for _, t := range w.terminals {
		w.agenda.set(t.actor(), w.now+1)
	}
	w.trade(func() bool { return w.shard.seq() >= msg.Seq(w.options.Commands) }, "safety", 3600*fixed.Second)
	if w.finding == nil {
		w.heal()
	}
	if w.finding == nil {
		w.audit()
	}
}

// trade goes from appointment to appointment until done, and finds something where that takes longer than limit.
func (w *world) trade(done func() bool, phase string, limit fixed.Nanos) {
	until := w.now + limit
	for w.finding == nil && !done() {
		actor, at, ok := w.agenda.next()
		if !ok || at > until {
			w.find("liveness", "%s: %s", phase, w.stuck())
			return
		}
		w.now = max(w.now, at)
		w.trace.Word(uint64(w.now)<<8 | uint64(actor&0xff))
		w.act(actor)
	}
}

// act lets one actor do one step.
func (w *world) act(actor int) {
	s := &w.shard
	switch actor {
	case hotActor:
		s.guard(s.poll)
	case journalActor:
		s.guard(s.write)
	case preparerActor:
		s.guard(s.prepare)
	case shadowActor:
		s.guard(s.shadow)
	case outletActor:
		s.guard(s.release)
	case hearActor:
		s.guard(w.gate.hear)
	case attendActor:
		s.guard(w.gate.attend)
	case starterActor:
		s.guard(s.start)
	case chaosActor:
		w.chaos.act()
	default:
		switch {
		case actor >= w.lineActors:
			w.lines[actor-w.lineActors].act()
		case actor >= w.terminalActors:
			w.terminals[actor-w.terminalActors].act()
		default:
			w.clients[actor-clientActors].act()
		}
	}
}

// between draws a duration around mean, never 0.
func (w *world) around(mean fixed.Nanos) fixed.Nanos {
	return 1 + fixed.Nanos(w.chance.Int64N(2*int64(mean)))
}

// percent is true p times in a hundred.
func (w *world) percent(p int) bool { return w.chance.IntN(100) < p }
