package journal

import (
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/node/bell"
)

// Thread runs a Writer: Step on a thread of its own, which sleeps when nothing waits and is woken by whoever appends; Prepare on
// a goroutine beside it. It adds nothing but the waiting.
//
//	hot thread: Append, Publish, Wake ─┐
//	                                   v
//	journal's thread: Step, Step, ... sleep ──batch is durable──> advanced(), and what it does beside
//	     ^ spare made     │ spare used
//	     └── preparer ────┘ and every 100 ms, to see whether the disk is full
type Thread struct {
	writer   *Writer
	advanced func()
	beside   Work
	sleeper  *bell.Sleeper
	look     func() bool
	wanted   chan struct{} // a spare has been used
	quit     chan struct{}
	stopping atomic.Bool
	done     chan struct{}  // the journal's thread has ended
	waiting  sync.WaitGroup // for the preparer
	once     sync.Once
}

// prepareEvery is how often the room on the disk is looked at.
const prepareEvery = 100 * time.Millisecond

// Work is what the journal's thread does between two batches. It must not wait.
type Work interface {
	Ready() bool // there is something to do: the thread does not sleep
	Do()
}

// Start begins to write. advanced is called on the journal's thread whenever a batch has been written, and must not wait; beside
// is done there too, and may be nil. From now on Step, Prepare and Close are the Thread's. It fails when the system has no file
// descriptor more.
func Start(w *Writer, advanced func(), beside Work) (*Thread, error) {
	sleeper, err := bell.NewSleeper()
	if err != nil {
		return nil, err
	}
	t := &Thread{writer: w, advanced: advanced, beside: beside, sleeper: sleeper, wanted: make(chan struct{}, 1), quit: make(chan struct{}),
		done: make(chan struct{})}
	t.look = func() bool {
		return t.stopping.Load() || w.Err() != nil || w.Waits() && (!w.Stalled() || w.Spares() > 0) || beside != nil && beside.Ready()
	}
	t.waiting.Go(t.prepare)
	go t.run()
	return t, nil
}

// Wake tells the journal's thread that something was published. It costs one load while that is awake.
func (t *Thread) Wake() { t.sleeper.Wake() }

// Done is closed when the journal's thread has ended: after Stop, or because the disk has failed, as Err of the Writer says. The
// process must not release anything more then, and end.
func (t *Thread) Done() <-chan struct{} { return t.done }

// Stop makes durable what was published, closes the Writer, and gives its error. Nobody may append any more.
func (t *Thread) Stop() error {
	t.end()
	return t.writer.Close()
}

// Halt is Stop without the clean shutdown.
func (t *Thread) Halt() error {
	t.end()
	return t.writer.Halt()
}

func (t *Thread) end() {
	t.once.Do(func() {
		t.stopping.Store(true)
		close(t.quit)
		t.sleeper.Wake()
		<-t.done
		t.waiting.Wait()
		t.sleeper.Close()
	})
}

// run is the life of the journal's thread.
func (t *Thread) run() {
	runtime.LockOSThread() // until it ends: a sync blocks it, and nothing else may run here
	defer close(t.done)
	w, start := t.writer, time.Now()
	for {
		spares := w.Spares()
		n, err := w.Step(fixed.Nanos(time.Since(start)))
		if err != nil {
			return
		}
		if w.Spares() < spares || w.Stalled() {
			select {
			case t.wanted <- struct{}{}:
			default:
			}
		}
		if n > 0 {
			t.advanced()
			if w.Mode() == Fsync {
				giveWay() // whoever waits for the batch on this core sees it before the next is written
			}
		}
		if t.beside != nil {
			t.beside.Do()
		}
		if n > 0 {
			continue
		}
		if t.stopping.Load() {
			return
		}
		limit := time.Duration(-1)
		if w.place.Kind == Batch {
			limit = time.Duration(sealAfter)
		}
		t.sleeper.SleepFor(limit, t.look)
	}
}

// prepare makes spares until it is told to stop. What it fails with ends the journal, and the journal's thread is told.
func (t *Thread) prepare() {
	tick := time.NewTicker(prepareEvery)
	defer tick.Stop()
	mark := t.writer.Mark()
	for {
		made, err := t.writer.Prepare()
		if now := t.writer.Mark(); made || err != nil || now != mark {
			mark = now
			t.sleeper.Wake()
		}
		if err != nil {
			return
		}
		if made {
			continue
		}
		select {
		case <-t.quit:
			return
		case <-t.wanted:
		case <-tick.C:
		}
	}
}
