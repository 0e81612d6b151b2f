package load

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"runtime"
	"runtime/debug"
	"strconv"
	"time"

	"github.com/lockstep-exchange/lockstep/bench/latency"
	"github.com/lockstep-exchange/lockstep/client"
	"github.com/lockstep-exchange/lockstep/msg"
	"github.com/lockstep-exchange/lockstep/wire/gen"
)

// Result is what came of a plan.
type Result struct {
	Sent       int            `json:"sent"`     // within the time that is measured
	Answered   int            `json:"answered"` // of them
	Refused    int            `json:"refused"`  // of them, by a Reject
	Codes      map[string]int `json:"codes,omitempty"`
	NotApplied int            `json:"not_applied"` // of them: a connection was lost, and the venue has never seen them
	Unanswered int            `json:"unanswered"`  // of them: nothing was heard before patience ended
	Late       int            `json:"late"`        // of them: sent an interval or more after their time
	Unsent     int            `json:"unsent"`      // due besides these, and not sent before patience ended
	Losses     int            `json:"losses"`      // of connections
	Seconds    float64        `json:"seconds"`     // that were measured
	Rate       float64        `json:"rate"`        // answered a second
	Partial    bool           `json:"partial"`     // it was interrupted

	codes [1000]int
	times *recorder
}

// Write writes the times as a histogram log.
func (r *Result) Write(out io.Writer, notes ...latency.Note) error { return r.times.write(out, notes) }

// patience is how long answers are waited for once nothing more is sent.
const patience = 5 * time.Second

// peer is one connection, and what it has sent.
type peer struct {
	*client.Client
	account  msg.AccountID
	open     []msg.Ref // orders that may be open; those that are not are dropped when they are met
	intended []int64   // by the number of the request, modulo its length
	sent     []int64
	counted  []bool
}

// runner is a plan under way.
type runner struct {
	Plan
	peers   []*peer
	dice    *rand.Rand
	total   int // of the mix
	begins  int64
	ends    int64
	result  *Result
	waiting int // requests that are counted and not answered
}

// WindowMax is how many requests of a connection are remembered; a client's Config.Pending has to be at most that.
const WindowMax = 1 << 16

// Run trades as planned on connections that are bound and recovered. Their Config.Pending is at most WindowMax. When ctx ends it stops and
// returns what it has.
func Run(ctx context.Context, p Plan, clients []*client.Client) (*Result, error) {
	if err := p.Check(); err != nil {
		return nil, err
	}
	if len(clients) == 0 {
		return nil, fmt.Errorf("load: no connection")
	}
	r := &runner{Plan: p, dice: rand.New(rand.NewPCG(p.Seed, 0x10AD)), total: p.Mix.Place + p.Mix.Cancel + p.Mix.Replace + p.Mix.IOC,
		result: &Result{Codes: map[string]int{}}}
	for i, c := range clients {
		r.peers = append(r.peers, &peer{Client: c, account: p.Accounts[i%len(p.Accounts)], open: make([]msg.Ref, 0, 2*p.Resting),
			intended: make([]int64, WindowMax), sent: make([]int64, WindowMax), counted: make([]bool, WindowMax)})
	}
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	start := now() + int64(time.Millisecond)
	r.begins = start + int64(p.Warmup)
	r.ends = r.begins + int64(p.Duration)
	r.result.times = newRecorder(r.begins, p.Duration)
	if p.Sending == Open {
		r.inTime(ctx, start)
	} else {
		r.inTurn(ctx, start)
	}
	r.result.Partial = ctx.Err() != nil
	r.rest()
	r.result.Seconds = float64(min(now(), r.ends)-r.begins) / 1e9
	r.result.Rate = float64(r.result.Answered) / r.result.Seconds
	r.result.Unanswered = r.waiting
	for code, n := range r.result.codes {
		if n > 0 {
			r.result.Codes[strconv.Itoa(code)] = n
		}
	}
	return r.result, nil
}

func now() int64 { return time.Now().UnixNano() }

// looks is how often the context is asked: once in so many turns.
const looks = 1 << 10

// inTime sends request i at start + i / rate, to one connection after another.
func (r *runner) inTime(ctx context.Context, start int64) {
	gap := 1e9 / r.Rate
	at := func(i int) int64 { return start + int64(float64(i)*gap) }
	i := 0
	defer func() { // those that were due and could not be sent
		for ; at(i) < min(r.ends, now()); i++ {
			if at(i) >= r.begins {
				r.result.Unsent++
			}
		}
	}()
	for turn := 0; at(i) < r.ends; turn++ {
		t := now()
		if t >= r.ends+int64(patience) || turn%looks == 0 && ctx.Err() != nil {
			return
		}
		first := i
		for ; at(i) <= t && at(i) < r.ends && i-first < len(r.peers)*16; i++ {
			if p := r.peers[i%len(r.peers)]; !r.send(p, at(i), t) {
				break
			} else if t-at(i) >= int64(gap) && at(i) >= r.begins {
				r.result.Late++
			}
		}
		for _, p := range r.peers {
			p.Flush()
			r.hear(p)
		}
	}
}

// inTurn sends whenever a connection may: it has no request out, or has room for more.
func (r *runner) inTurn(ctx context.Context, start int64) {
	for turn := 0; ; turn++ {
		t := now()
		if t >= r.ends || turn%looks == 0 && ctx.Err() != nil {
			return
		}
		for _, p := range r.peers {
			if r.Sending == Closed {
				if p.Unanswered() == 0 {
					t = now()
					r.send(p, t, t)
				}
			} else {
				for n := 0; n < 64 && r.send(p, t, t); n++ {
				}
			}
			p.Flush()
			r.hear(p)
		}
	}
}

// rest waits for the answers that are still to come.
func (r *runner) rest() {
	for until := now() + int64(patience); r.waiting > 0 && now() < until; {
		for _, p := range r.peers {
			p.Flush()
			r.hear(p)
		}
	}
}

// send sends one request that was due at a time; false where the connection does not take it now.
func (r *runner) send(p *peer, due, t int64) bool {
	number := p.Session.Resume().Next
	if p.Unanswered() >= WindowMax || !r.draw(p) {
		return false
	}
	k := number % WindowMax
	p.intended[k], p.sent[k], p.counted[k] = due, t, due >= r.begins && due < r.ends
	if p.counted[k] {
		r.result.Sent++
		r.waiting++
	}
	return true
}

// draw sends a request of a kind that chance draws from the mix; where there is nothing to cancel or no room for more it is the
// other one.
func (r *runner) draw(p *peer) bool {
	n := r.dice.IntN(r.total)
	switch m := &r.Mix; {
	case n < m.IOC:
		return r.place(p, gen.TimeInForceIOC)
	case n < m.IOC+m.Place && len(p.open) < r.Resting:
		return r.place(p, gen.TimeInForceGTC)
	case n < m.IOC+m.Place+m.Replace && n >= m.IOC+m.Place:
		if i := r.pick(p); i >= 0 {
			o, _ := p.Order(p.open[i])
			_, err := p.Replace(o.Ref, r.price(o.Side), o.Leaves, true, p.Now())
			return err == nil
		}
	}
	i := r.pick(p)
	if i < 0 {
		return r.place(p, gen.TimeInForceGTC)
	}
	if _, err := p.Cancel(p.open[i], p.Now()); err != nil {
		return false
	}
	p.drop(i)
	return true
}

// pick is an open order of the connection; -1 where there is none.
func (r *runner) pick(p *peer) int {
	for len(p.open) > 0 {
		i := r.dice.IntN(len(p.open))
		if o, ok := p.Order(p.open[i]); ok && o.State == client.Working {
			return i
		}
		p.drop(i)
	}
	return -1
}

// drop forgets an order.
func (p *peer) drop(i int) {
	p.open[i] = p.open[len(p.open)-1]
	p.open = p.open[:len(p.open)-1]
}

// price is where an order of a side rests.
func (r *runner) price(side gen.Side) int64 {
	off := int64(1+r.dice.IntN(r.Depth)) * r.Tick
	if side == gen.SideBuy {
		off = -off
	}
	return r.Mid + off
}

func (r *runner) place(p *peer, tif gen.TimeInForce) bool {
	o := client.NewOrder{Account: p.account, Instrument: r.Instrument, Side: gen.Side(1 + r.dice.IntN(2)), TIF: tif, Qty: int64(1+r.dice.IntN(5)) * r.Lot}
	if o.Price = r.price(o.Side); tif == gen.TimeInForceIOC { // through the other side
		o.Price = 2*r.Mid - o.Price
	}
	_, err := p.Place(&o, p.Now())
	return err == nil
}

// hear takes what a connection has heard.
func (r *runner) hear(p *peer) {
	for e := p.Poll(); e != nil; e = p.Next() {
		switch {
		case e.Kind == client.Lost:
			r.result.Losses++
		case e.Order.State == client.Working && e.Request.Ref == e.Order.Ref && e.Order.TIF == gen.TimeInForceGTC && len(p.open) < cap(p.open):
			p.open = append(p.open, e.Order.Ref)
		}
		if e.Request.Number != 0 {
			r.answered(p, e)
		}
	}
}

// answered counts an answer and records its times.
func (r *runner) answered(p *peer, e *client.Event) {
	k := e.Request.Number % WindowMax
	if !p.counted[k] {
		return
	}
	p.counted[k] = false
	r.waiting--
	if e.Kind == client.NotApplied {
		r.result.NotApplied++
		return
	}
	seen := now()
	due, sent := p.intended[k], p.sent[k]
	r.result.Answered++
	times := r.result.times
	times.add(Total, due, seen-due)
	times.add(Late, due, sent-due)
	ingress, sequenced := stamps(&e.Message)
	if ingress != 0 {
		times.add(In, due, ingress-sent)
		times.add(Gateway, due, sequenced-ingress)
	}
	if sequenced != 0 {
		times.add(Back, due, seen-sequenced)
	}
	if code, refused := e.Reject(); refused {
		r.result.Refused++
		r.result.codes[int(code)%len(r.result.codes)]++
	}
}
