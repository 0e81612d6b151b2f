package ops

import (
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"strconv"
)

// Reports writes the report text of a stream and hashes it: the figure by which
// the consensus streams are published, on which independent engines agree byte
// for byte. seq is the index of the record, ids are one less than the stream's.
//
//	0,seq,side,id,price,qty      an order is in, as sent
//	1,seq,price,qty,maker,taker  a trade
//	2,seq,side,id,price          a cancel, or the rest of an IOC; side and price of the order
//	3,seq,side,id,price,qty      a replace, as sent
//	4,seq,id    5,seq,id         a refused cancel; a refused replace
//
// Reports of one record stand in the order of their first number, trades in
// match order, and lines are joined by a newline with none at the end.
//
// For every operation: Begin, a Trade for each trade, then Accept or Reject.
type Reports struct {
	text hash.Hash
	buf  []byte
	op   *Op
	left uint64 // lots of the operation that have not traded
	seq  int64
	any  bool // a line was written
}

// NewReports returns the reports of no operation.
func NewReports() *Reports { return &Reports{text: sha256.New(), seq: -1} }

// Begin starts the reports of the next operation, which must stay as it is until
// it is accepted or rejected.
func (r *Reports) Begin(o *Op) {
	r.seq++
	r.op, r.left = o, uint64(o.Qty)
	if o.Kind <= IOC {
		r.line(0, int64(o.Side), int64(o.ID-1), o.Price, int64(o.Qty))
	}
}

// Trade reports that the operation traded qty lots with maker.
func (r *Reports) Trade(maker uint64, price int64, qty uint64) {
	r.left -= qty
	r.line(1, price, int64(qty), int64(maker-1), int64(r.op.ID-1))
}

// Accept ends the operation. side and price are those of the order that a cancel
// or replace found resting, and are not looked at otherwise.
func (r *Reports) Accept(side Side, price int64) {
	switch o, id := r.op, int64(r.op.ID-1); {
	case o.Kind == IOC && r.left > 0:
		r.line(2, int64(o.Side), id, o.Price)
	case o.Kind == Cancel:
		r.line(2, int64(side), id, price)
	case o.Kind == Replace:
		r.line(3, int64(side), id, o.Price, int64(o.Qty))
	}
}

// Reject ends a cancel or replace of what does not rest.
func (r *Reports) Reject() {
	if r.op.Kind == Cancel {
		r.line(4, int64(r.op.ID-1))
	} else {
		r.line(5, int64(r.op.ID-1))
	}
}

// line writes one report.
func (r *Reports) line(kind byte, fields ...int64) {
	if r.any {
		r.buf = append(r.buf, '\n')
	}
	r.any = true
	r.buf = append(r.buf, '0'+kind, ',')
	r.buf = strconv.AppendInt(r.buf, r.seq, 10)
	for _, f := range fields {
		r.buf = append(r.buf, ',')
		r.buf = strconv.AppendInt(r.buf, f, 10)
	}
	if len(r.buf) >= 1<<16 {
		r.text.Write(r.buf)
		r.buf = r.buf[:0]
	}
}

// Hash returns the SHA-256 of the text so far, in lower-case hexadecimal.
func (r *Reports) Hash() string {
	r.text.Write(r.buf)
	r.buf = r.buf[:0]
	return hex.EncodeToString(r.text.Sum(nil))
}

// ReportHash returns the SHA-256 of the report text that the oracle writes of s.
func (s *Stream) ReportHash() string {
	b, r := NewOracle(s.MaxID), NewReports()
	for i := range s.Ops {
		o := &s.Ops[i]
		side, price, _ := b.Rests(o.ID)
		r.Begin(o)
		ok := b.Apply(o)
		for _, f := range b.Fills {
			r.Trade(f.Maker, f.Price, uint64(f.Qty))
		}
		if ok {
			r.Accept(side, price)
		} else {
			r.Reject()
		}
	}
	return r.Hash()
}
