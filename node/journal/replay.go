package journal

import (
	"runtime"

	"github.com/lockstep-exchange/lockstep/msg"
)

// How a start replays: frames are read, checked and decoded on one goroutine, ahead of the caller's, which applies the commands. Between
// them go loads, which are made once and used again and again.
//
//	reading goroutine                                                caller's
//	  fill: read, checksums, chain, decode ──full: up to 4 loads──> apply
//	        ^────────────────────────────────free───────────────────┘
//
// What is found wrong is the same as without the second goroutine, where fill and apply take turns: a load ends at the first fault in the
// order of the journal, what lies before it is applied first, and nothing behind it is read. So where apply fails too, the one whose
// command comes first counts. Nothing is written meanwhile.

const (
	// loads is how many there are: the reading goroutine may be that far ahead.
	loads = 4
	// loadMax is how many commands a load has room for; it is handed over when a frame more might not fit. Many, so that the
	// goroutines seldom wake each other; few, so that what is read is applied out of a cache.
	loadMax = 4 * countMax
)

// load is what is handed over at a time.
type load struct {
	room     []msg.Command
	commands []msg.Command
	last     bool  // nothing comes behind it
	err      error // what does not hold behind the commands; nil at the end of the journal
}

// fill reads frames until another might not fit, or nothing more is to come. Commands up to the snapshot are left out.
func (l *load) fill(r *Reader, from *Snapshot) {
	l.commands = l.room[:0]
	for len(l.commands)+countMax <= len(l.room) {
		r.room = l.room[len(l.commands):]
		if !r.Next() {
			l.last, l.err = true, r.Err()
			return
		}
		if l.err = from.misses(r); l.err != nil {
			l.last = true
			return
		}
		if r.place.Frame > from.Place.Frame {
			l.commands = l.room[:len(l.commands)+len(r.Commands())]
		}
	}
}

// replay verifies what the reader has before it and hands over the commands behind the snapshot. It returns how many they were.
func (w *Writer) replay(r *Reader, from *Snapshot, apply func([]msg.Command) error) (commands uint64, err error) {
	give := func(l *load) error {
		commands += uint64(len(l.commands))
		if apply == nil || len(l.commands) == 0 {
			return nil
		}
		return apply(l.commands)
	}
	if w.config.Alone || runtime.GOMAXPROCS(0) < 2 {
		err = inTurn(r, from, give)
	} else {
		err = ahead(r, from, give)
	}
	return commands, err
}

// inTurn reads and gives on one goroutine.
func inTurn(r *Reader, from *Snapshot, give func(*load) error) error {
	l := load{room: r.room}
	for !l.last {
		l.fill(r, from)
		if err := give(&l); err != nil {
			return err
		}
	}
	return l.err
}

// ahead reads on a goroutine of its own, which has ended when ahead returns.
func ahead(r *Reader, from *Snapshot, give func(*load) error) error {
	free, full := make(chan *load, loads), make(chan *load, loads)
	for range loads {
		free <- &load{room: make([]msg.Command, loadMax)}
	}
	go func() {
		defer close(full)
		for l := range free {
			l.fill(r, from)
			full <- l
			if l.last {
				return
			}
		}
	}()
	defer func() {
		close(free)
		for range full {
		}
	}()
	for l := range full {
		if err := give(l); err != nil {
			return err
		}
		if l.last {
			return l.err
		}
		free <- l
	}
	panic("journal: reading ended before the journal")
}
