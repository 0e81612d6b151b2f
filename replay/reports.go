package replay

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"hash"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/msg"
)

// Reports are what the engine answered, in the words of the consensus: lines of decimal integers, joined by newlines.
// Message n, from 0 on, has sequence number n.
//
//	0,seq,side,order,price,qty       acknowledged
//	1,seq,price,qty,maker,taker      traded, at the maker's price
//	2,seq,side,order,price           canceled, or the rest of an IOC dropped
//	3,seq,side,order,price,qty       modified
//	4,seq,order                      nothing to cancel
//	5,seq,order                      nothing to modify
//
// They stand in the order of messages; those of one message by their first number, trades as they matched.
type Reports struct {
	Hash  string   `json:"hash"` // SHA-256 of the text, hexadecimal
	Count int64    `json:"reports"`
	Kinds [6]int64 `json:"report_kinds"`
}

// Consensus is the replay of an order stream whose report text has a published hash.
type Consensus struct {
	Files  []string
	Expect string // the hash, or its first 16 digits at least; empty: nothing is compared
	First  int64  // so many messages at most; 0: all
}

// Replay runs the stream. The error is an *InputError, or the context's with a partial Result.
func (c Consensus) Replay(ctx context.Context, watch Watch) (*Result, error) {
	src, err := Open(c.Files...)
	if err != nil {
		return nil, err
	}
	defer src.Close()
	run := &consensusRun{
		result: &Result{Format: "consensus", Files: c.Files},
		sum:    sha256.New(), orders: map[uint64]msg.OrderID{},
	}
	pacer := watcher{ctx: ctx, src: src, watch: watch}
	reader, m := ConsensusReader{src}, ConsensusMessage{}
	for c.First == 0 || run.result.Messages < c.First {
		if err := reader.Read(&m); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return nil, err
		}
		if err := run.message(&m, src); err != nil {
			return nil, err
		}
		if pacer.step() {
			run.result.Partial = true
			return run.finish("", ctx.Err())
		}
	}
	return run.finish(strings.ToLower(c.Expect), nil)
}

// consensusRun is a replay under way.
type consensusRun struct {
	venue   *venue
	result  *Result
	reports Reports
	sum     hash.Hash
	orders  map[uint64]msg.OrderID // by the stream's id; an order's stays when it is gone
	refs    []uint64               // by Ref: the stream's id
	lines   []report               // of this message
	text    []byte
}

// report is a line before it is written: its number and the fields that follow the sequence number.
type report struct {
	kind   int
	fields [5]int64
	count  int
}

func (r *consensusRun) message(m *ConsensusMessage, src *Source) (err error) {
	if r.venue == nil {
		if r.venue, err = openVenue("CONSENSUS", max(m.Price, 1), whole); err != nil {
			return err
		}
	}
	r.refs = append(r.refs, m.Order)
	r.lines = r.lines[:0]
	r.venue.at(fixed.Nanos(r.result.Messages))
	switch m.Kind {
	case ConsensusNew:
		if _, known := r.orders[m.Order]; known {
			return src.At(flaw{"order " + strconv.FormatUint(m.Order, 10) + " again", "an id not used before"})
		}
		r.new(m, src)
	case ConsensusCancel:
		r.cancel(m)
	case ConsensusModify:
		r.modify(m, src)
	}
	r.write()
	r.result.Messages++
	return nil
}

// apply has the engine do one command and reports its trades and what it canceled.
func (r *consensusRun) apply(c msg.Command, m *ConsensusMessage) []msg.Event {
	c.Ref = msg.Ref(len(r.refs))
	events := r.venue.apply(c)
	for i := range events {
		ev := &events[i]
		switch {
		case ev.Kind == msg.Traded && ev.Fill().Maker:
			r.add(1, int64(ev.Price), int64(ev.Qty), int64(r.refs[ev.Ref-1]), int64(m.Order))
		case ev.Kind == msg.Canceled:
			r.add(2, side01(ev.Side), int64(r.refs[ev.Ref-1]), int64(ev.Price))
		}
	}
	return events
}

// new enters an order.
func (r *consensusRun) new(m *ConsensusMessage, src *Source) {
	c := msg.Limit(account(m.Side), r.venue.instrument(m.Side), m.Side, m.Price, m.Qty)
	if m.IOC {
		c.TIF = msg.IOC
	}
	events := r.apply(c, m)
	r.orders[m.Order] = accepted(events)
	for i := range events {
		if ev := &events[i]; ev.Kind == msg.Accepted {
			r.add(0, side01(ev.Side), int64(m.Order), int64(ev.Price), int64(ev.Qty))
		}
	}
	if ev := refusal(events); ev != nil {
		r.result.refuses(src.where(), ev.Reject)
	}
}

// cancel asks the engine even when it must refuse: an order that is gone, or never was.
func (r *consensusRun) cancel(m *ConsensusMessage) {
	id := r.orders[m.Order]
	c := msg.Cancel(r.owner(id), r.venue.instrument(msg.Buy), id)
	if refusal(r.apply(c, m)) != nil {
		r.add(4, int64(m.Order))
	}
}

// modify amends. Where the engine would let the order keep its place, the stream's rule is another: out, and in again.
func (r *consensusRun) modify(m *ConsensusMessage, src *Source) {
	id := r.orders[m.Order]
	if o := r.venue.book.order(id); o != nil && o.price == m.Price && m.Qty < o.leaves {
		r.reenter(m, o.side, src)
		return
	}
	c := msg.Amend(r.owner(id), r.venue.instrument(msg.Buy), id, m.Price, m.Qty)
	c.Flags = msg.FlagLeaves
	events := r.apply(c, m)
	for i := range events {
		if ev := &events[i]; ev.Kind == msg.Amended {
			r.add(3, side01(ev.Side), int64(m.Order), int64(ev.Price), int64(ev.Qty))
		}
	}
	switch ev := refusal(events); {
	case ev == nil:
	case ev.Reject == msg.RejectUnknownOrder || ev.Reject == msg.RejectTooLate:
		r.add(5, int64(m.Order))
	default:
		r.result.refuses(src.where(), ev.Reject)
	}
}

// reenter cancels an order and places it anew; to the stream that is one modification.
func (r *consensusRun) reenter(m *ConsensusMessage, side msg.Side, src *Source) {
	r.venue.drop(r.orders[m.Order])
	events := r.apply(msg.Limit(account(side), r.venue.instrument(side), side, m.Price, m.Qty), m)
	if ev := refusal(events); ev != nil {
		r.result.refuses(src.where(), ev.Reject)
		return
	}
	r.orders[m.Order] = accepted(events)
	r.add(3, side01(side), int64(m.Order), int64(m.Price), int64(m.Qty))
}

// owner is the account of a standing order; of others any will do.
func (r *consensusRun) owner(id msg.OrderID) msg.AccountID {
	if o := r.venue.book.order(id); o != nil {
		return account(o.side)
	}
	return buyer
}

func (r *consensusRun) add(kind int, fields ...int64) {
	line := report{kind: kind, count: len(fields)}
	copy(line.fields[:], fields)
	r.lines = append(r.lines, line)
}

// write sorts the reports of a message and adds them to the text.
func (r *consensusRun) write() {
	slices.SortStableFunc(r.lines, func(a, b report) int { return cmp.Compare(a.kind, b.kind) })
	for i := range r.lines {
		line := &r.lines[i]
		if r.reports.Count > 0 {
			r.text = append(r.text, '\n')
		}
		r.reports.Count++
		r.reports.Kinds[line.kind]++
		r.text = append(r.text, byte('0'+line.kind), ',')
		r.text = strconv.AppendInt(r.text, r.result.Messages, 10)
		for _, f := range line.fields[:line.count] {
			r.text = append(r.text, ',')
			r.text = strconv.AppendInt(r.text, f, 10)
		}
	}
	if len(r.text) >= 1<<15 {
		r.sum.Write(r.text)
		r.text = r.text[:0]
	}
}

// finish hashes the text and compares the hash.
func (r *consensusRun) finish(expect string, stopped error) (*Result, error) {
	r.sum.Write(r.text)
	r.reports.Hash = hex.EncodeToString(r.sum.Sum(nil))
	r.result.Reports = &r.reports
	if expect != "" {
		r.result.Compared = 1
		if !strings.HasPrefix(r.reports.Hash, expect) {
			r.result.differs("the reports hash to %s, expected %s", r.reports.Hash, expect)
		}
	}
	return r.venue.finish(r.result, stopped)
}

// side01 is a side as the stream numbers it.
func side01(s msg.Side) int64 {
	if s == msg.Sell {
		return 1
	}
	return 0
}
