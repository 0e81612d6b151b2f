package bench

import (
	"slices"

	"github.com/lockstep-exchange/lockstep/bench/ops"
)

// Plan is a stream made ready: what a driver has to know before it can replay it
// without growing a table or asking a question under the clock.
type Plan struct {
	Name        string
	Stream      *ops.Stream
	Instruments int        // the stream is spread over so many, by order id
	Want        ops.Result // what every driver has to report
	Blind       bool       // nothing to be judged by: Want is nobody's
	Rejects     uint64     // cancels and replaces of what does not rest

	Resting int // most orders that rest at once
	Deepest int // most of them in one instrument
	Levels  int // most prices with orders at once, over all instruments
	Meets   int // most trades of one operation

	acts []act // by operation
}

// act is how an engine of its own rules is told of an operation.
type act uint8

const (
	asRecorded act = iota
	// A replace that our engine would take as an amend that keeps its place: fewer
	// lots at the same price. The stream says that priority is always lost.
	cancelThenNew
	// A replace for 0 lots.
	cancelOnly
)

// NewPlan plays s once on the oracle. With one instrument the stream's own header
// says what is wanted; with several it does not, and the oracle does.
func NewPlan(name string, s *ops.Stream, instruments int) *Plan {
	p := &Plan{Name: name, Stream: s, Instruments: instruments, Want: s.Want, Blind: s.Blind(), acts: make([]act, len(s.Ops))}
	b := ops.NewOracles(s.MaxID, instruments)
	count := make([]int, instruments)
	for i := range s.Ops {
		op := &s.Ops[i]
		p.acts[i] = actOf(op, b)
		before := b.Resting()
		b.Apply(op)
		n := &count[op.Instrument(uint64(instruments))]
		*n += b.Resting() - before
		p.Deepest = max(p.Deepest, *n)
		p.Resting = max(p.Resting, b.Resting())
		p.Levels = max(p.Levels, b.Levels())
		p.Meets = max(p.Meets, len(b.Fills))
	}
	p.Rejects = b.Rejects
	if instruments > 1 {
		p.Want, p.Blind = b.Result, false
	}
	return p
}

// actOf says how our engine is told of an operation, given the book before it.
func actOf(op *ops.Op, b *ops.Oracle) act {
	if op.Kind != ops.Replace {
		return asRecorded
	}
	_, price, rests := b.Rests(op.ID)
	switch {
	case op.Qty == 0:
		return cancelOnly
	case rests && price == op.Price && op.Qty < b.Open(op.ID):
		return cancelThenNew
	}
	return asRecorded
}

// Start returns the price around which the stream begins to trade: the median of
// its first orders.
func (p *Plan) Start() int64 {
	var prices []int64
	for i := range p.Stream.Ops {
		if op := &p.Stream.Ops[i]; op.Kind == ops.New {
			prices = append(prices, op.Price)
		}
		if len(prices) == 10_000 {
			break
		}
	}
	if len(prices) == 0 {
		return 1
	}
	slices.Sort(prices)
	return max(1, prices[len(prices)/2])
}

// DiffersError says that a driver did not do the stream's work, so that its time
// means nothing.
type DiffersError struct {
	Plan, Driver string
	Got, Want    ops.Result
	Why          string // another reason than the result, where there is one
}

func (e *DiffersError) Error() string {
	where := e.Plan
	if e.Driver != "" {
		where = e.Driver + " on " + e.Plan
	}
	if e.Why != "" {
		return where + ": " + e.Why
	}
	return where + ": found " + e.Got.String() + ", expected " + e.Want.String()
}

// ExitCode is that of an expectation not met.
func (e *DiffersError) ExitCode() int { return 3 }
