package engine

import (
	"slices"

	"github.com/lockstep-exchange/lockstep/book"
	"github.com/lockstep-exchange/lockstep/margin"
	"github.com/lockstep-exchange/lockstep/msg"
)

// Fork is a copy of the engine that goes its own way: whatever is asked of it, the engine does not notice. It is read
// between two commands, allocates as much as the engine has, and costs a copy of it: milliseconds for a few thousand accounts,
// and more than a moment for a venue; such a one asks a fork of its own again and again.
func (e *Engine) Fork() *Engine {
	c := *e
	c.instruments = slices.Clone(e.instruments)
	c.prices, c.underlyings = slices.Clone(e.prices), slices.Clone(e.underlyings)
	c.store = e.store.Fork()
	c.books = make([]*book.Book, len(e.books))
	for i, b := range e.books {
		if b != nil {
			c.books[i] = b.Fork(c.store)
		}
	}
	c.house = e.house.Fork(c.instruments)
	c.gate.House, c.gate.Instruments, c.gate.Venue = c.house, c.instruments, &c.venue
	c.gate.Sessions, c.gate.Keys = slices.Clone(e.gate.Sessions), slices.Clone(e.gate.Keys)
	c.clients.rows, c.clients.copies = slices.Clone(e.clients.rows), slices.Clone(e.clients.copies)
	c.jobs.ring = slices.Clone(e.jobs.ring)
	c.quotes = slices.Clone(e.quotes)
	c.guards.rows, c.guards.first = slices.Clone(e.guards.rows), slices.Clone(e.guards.first)
	c.timers = e.timers.fork()
	c.gains = append(make([]margin.Winner, 0, e.gainsMax()), e.gains...)
	c.found = append(make([]margin.Winner, 0, e.foundMax()), e.found...)
	c.out, c.fills, c.parts = nil, make([]book.Fill, 0, e.limits.Events), make([]book.Part, 0, e.limits.Events)
	return &c
}

// fork is a copy of the timers.
func (t *timers) fork() timers {
	c := *t
	c.at, c.key, c.heap, c.place = slices.Clone(t.at), slices.Clone(t.key), slices.Clone(t.heap), slices.Clone(t.place)
	return c
}

// next applies a command as the next one, at the present time, and returns its events.
func (e *Engine) next(c msg.Command) []msg.Event {
	c.Seq, c.Time = e.seq+1, e.now
	return e.Apply(&c, nil)
}
