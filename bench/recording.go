package bench

import (
	"github.com/lockstep-exchange/lockstep/bench/ops"
	"github.com/lockstep-exchange/lockstep/msg"
)

// Recording is the commands of a stream with the ids that the engine will give:
// equal commands bring equal ids, so what was sent inline once can be sent through
// a pipeline without waiting for a single answer. It says how the engine must look
// afterwards.
//
//	inline:   Plan -> WholeEngine -> requests, events, hash
//	threaded: requests -> port -> engine -> reader -> as many events, equal hash
type Recording struct {
	Plan     *Plan
	Accounts uint32
	Setup    []msg.Command // that bring an engine into the state before the first request
	Requests []msg.Request // of the operations under the clock
	Events   int           // that they bring about
	Hash     uint64        // of the engine after them
}

// Record plays p inline. The error is a *DiffersError when the engine did not do
// the stream's work.
func Record(p *Plan, accounts uint32) (*Recording, error) {
	w, err := NewWholeEngine(p, accounts)
	if err != nil {
		return nil, err
	}
	r := &Recording{Plan: p, Accounts: accounts, Setup: opening(p, accounts), Requests: make([]msg.Request, 0, len(p.Stream.Timed()))}
	for i := range r.Setup {
		r.Setup[i].Ref = msg.Ref(i + 1) // as administer does
	}
	for i := range p.Stream.Before() {
		r.add(w, &p.Stream.Before()[i])
	}
	for i := range r.Requests {
		r.Setup = append(r.Setup, msg.Command{Request: r.Requests[i]})
	}
	r.Requests, r.Events = r.Requests[:0], 0
	for i := range p.Stream.Timed() {
		r.add(w, &p.Stream.Timed()[i])
	}
	if err := judge(&Entry{Name: "engine", Plan: p}, w); err != nil {
		return nil, err
	}
	r.Hash = w.engine.Hash()
	return r, nil
}

// add plays one operation and keeps the commands that it took.
func (r *Recording) add(w *WholeEngine, op *ops.Op) {
	how := w.acts[w.at]
	w.at++
	w.address(op)
	if how == asRecorded {
		w.word(op)
		r.play(w, op)
		return
	}
	w.say(op, orders[ops.Cancel])
	r.play(w, op)
	if how == cancelThenNew {
		w.say(op, orders[ops.New])
		r.play(w, op)
	}
}

// play applies the next command and keeps it.
func (r *Recording) play(w *WholeEngine, op *ops.Op) {
	events := w.apply()
	w.read(op, events)
	r.Events += len(events)
	r.Requests = append(r.Requests, w.next.Request)
}

// Fresh returns an engine in the state before the first request.
func (r *Recording) Fresh() (*WholeEngine, error) {
	w, err := NewWholeEngine(r.Plan, r.Accounts)
	if err == nil {
		w.Run(r.Plan.Stream.Before())
	}
	return w, err
}
