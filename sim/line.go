package sim

import (
	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/node/gateway"
)

// line is one connection between a terminal and the gateway. Each side has its own idea of whether it lives:
//
//	terminal ══ up ══> Link      a pipe each way, each with its delays
//	         <═ down ══
//
// What ships around a Link, the goroutines of a connection, is played here step by step: read what has come, in pieces that chance cuts,
// as long as the link is not blocked; write what the socket takes; close when it is over.
type line struct {
	world    *world
	number   int // of its place
	terminal *terminal
	link     *gateway.Link // nil: the venue has nothing of it, or not any more
	up, down pipe
	closed   bool // the link knows that its client is gone
	said     bool // the venue has closed
	delay    fixed.Nanos
	tap      tap
}

// linesPerTerminal is how many connections of a terminal there may be at a time, those included of which one side knows nothing.
const linesPerTerminal = 4

// free reports whether the place may be had by a new connection.
func (l *line) free() bool { return l.terminal == nil && l.link == nil }

// open begins a connection.
func (l *line) open(t *terminal) {
	w := l.world
	room := pick(w.chance, 300, 2<<10, 64<<10)
	*l = line{world: w, number: l.number, terminal: t, link: w.gate.roster.NewLink(w.clock()), delay: w.options.Delay,
		up: pipe{room: room}, down: pipe{room: room}}
	l.tap = tap{world: w, life: w.shard.life}
	w.come(l.actor(), w.options.Delay)
}

func (l *line) actor() int { return l.world.lineActors + l.number }

// travel is when what is written now arrives.
func (l *line) travel() fixed.Nanos {
	w := l.world
	if w.now < w.chaos.lag {
		return w.now + w.around(300*l.delay)
	}
	return w.now + w.around(l.delay)
}

// act is a step of the connection: of the venue's side, and of what is between.
func (l *line) act() {
	w := l.world
	l.up.arrive(w.now)
	l.down.arrive(w.now)
	if l.terminal != nil && (l.down.arrived > 0 || l.down.over(w.now)) {
		w.agenda.set(l.terminal.actor(), w.now+1)
	}
	if l.link != nil {
		if w.now < w.shard.frozen {
			w.agenda.set(l.actor(), w.shard.frozen)
			return
		}
		w.shard.guard(l.serve)
	}
	l.appoint()
}

// appoint makes the next appointment.
func (l *line) appoint() {
	w := l.world
	at := min(l.up.next(w.now), l.down.next(w.now))
	if l.link != nil && l.link.Blocked() {
		at = min(at, w.now+w.around(100*fixed.Microsecond))
	}
	if at != never && (l.terminal != nil || l.link != nil) {
		w.agenda.set(l.actor(), max(at, w.now+1))
	}
}

// serve is what the venue does with a connection.
func (l *line) serve() {
	w, k := l.world, l.link
	if k.Blocked() {
		k.Advance(w.clock())
	}
	for !k.Over() && !k.Blocked() && l.up.arrived > 0 {
		n := l.up.take(k.Room(), w.piece(l.up.arrived))
		k.Filled(n, w.clock())
		w.note(shortRead, l.up.arrived > 0)
		l.say()
	}
	w.note(blockedLink, k.Blocked())
	if k.Over() { // until the client closes: nothing of it is heard
		l.up.take(make([]byte, l.up.arrived), l.up.arrived)
	}
	if l.up.over(w.now) && !l.closed {
		l.closed = true
		k.Lost(w.clock())
	}
	l.say()
	if k.Failed() {
		w.reached[logonFailed]++
	}
}

// say writes what the socket takes. Now it is told.
func (l *line) say() {
	w, k := l.world, l.link
	for b := k.Unsent(); len(b) > 0; b = k.Unsent() {
		if len(b) > unsentMax {
			w.find("queues", "%d bytes wait for a reader, expected %d at most", len(b), unsentMax)
		}
		n := l.down.write(b, l.travel())
		if l.down.shut { // it is known to be broken: nobody reads it
			n = len(b)
		}
		if n == 0 {
			w.reached[slowReader]++
			return
		}
		l.tap.read(b[:n])
		k.Sent(n, w.clock())
	}
	if k.Over() && !l.said {
		l.said = true
		l.down.close(l.travel())
	}
}

// unsentMax is what a link may keep for who does not read: a mebibyte, and the frames that were appended last.
const unsentMax = 1<<20 + 64<<10

// attend is what the venue does for a connection every now and then.
func (l *line) attend() {
	w, k := l.world, l.link
	k.Advance(w.clock())
	if row, from, ok := k.Wants(); ok {
		w.reached[recalled]++
		w.gate.recall(row, from)
		k.Recalled(w.clock())
	}
	l.serve()
	if k.Over() && l.down.shut && !l.closed && w.percent(5) { // he does not close: the venue does
		l.closed = true
	}
	if k.Over() && l.said && (l.closed || l.up.mute) && k.Done() {
		l.link = nil
	}
	l.appoint()
}

// cut breaks the connection at some byte of each direction. Each side learns of it when it learns of it.
func (l *line) cut() {
	w := l.world
	w.note(cutInFrame, l.up.flying() > 0 || l.down.flying() > 0)
	l.up.tear(w.chance.IntN(l.up.flying()+1), w.now+w.around(l.delay))
	l.down.tear(w.chance.IntN(l.down.flying()+1), w.now+w.around(l.delay))
	w.agenda.set(l.actor(), w.now+1)
}

// die is the end of the process at the venue's side. Its kernel may still say so; where the power fails nobody does.
func (l *line) die(power bool) {
	w := l.world
	l.link = nil
	if power && w.percent(70) {
		l.down.mute, l.up.mute = true, true
		l.down.tear(0, w.now)
	} else {
		l.down.tear(w.chance.IntN(l.down.flying()+1), w.now+w.around(l.delay))
	}
	l.up.shut = true
	w.agenda.set(l.actor(), w.now+1)
}

// leave is the end of the client's side: closed, or gone without a word.
func (l *line) leave(silent bool) {
	w := l.world
	l.terminal = nil
	if silent {
		l.up.mute, l.down.mute = w.percent(50), true
		w.agenda.set(l.actor(), w.now+1)
		return
	}
	l.up.close(l.travel())
	if !l.said { // what comes for a client that is gone is answered by a reset
		l.down.tear(0, w.now)
	}
	w.agenda.set(l.actor(), w.now+1)
}
