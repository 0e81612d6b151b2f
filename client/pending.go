package client

import "github.com/lockstep-exchange/lockstep/msg"

// pending is the requests that are not answered, by number. The venue answers in order, so it is a queue; it is looked through
// from the front all the same, and who is answered before his turn leaves with it.
//
//	rows   | answered | waits | answered | waits | free ...        first is the oldest that waits, next the number to come
type pending struct {
	rows        []row
	first, next uint64
}

type row struct {
	request Request
	order   uint32 // row of the order that it places; 0: it places none
	settled bool
}

func newPending(rows int, next uint64) pending {
	return pending{rows: make([]row, rows), first: next, next: next}
}

func (p *pending) row(number uint64) *row { return &p.rows[number&uint64(len(p.rows)-1)] }

// count is how many requests lie between the oldest that waits and the newest, both included.
func (p *pending) count() int { return int(p.next - p.first) }

func (p *pending) full() bool { return p.count() == len(p.rows) }

// add takes the next number.
func (p *pending) add(r Request, order uint32) {
	*p.row(p.next) = row{request: r, order: order}
	p.next++
}

// at is the request with a number; nil where it does not wait.
func (p *pending) at(number uint64) *row {
	if number < p.first || number >= p.next || p.row(number).settled {
		return nil
	}
	return p.row(number)
}

// find is the request of a template with a client id; nil for none.
func (p *pending) find(template uint16, ref msg.Ref) *row {
	for n := p.first; n < p.next; n++ {
		if r := p.row(n); r.request.Ref == ref && r.request.Template == template && !r.settled {
			return r
		}
	}
	return nil
}

// low is the request whose number ends in 32 bits; nil for none.
func (p *pending) low(bits uint32) *row {
	number := p.next - uint64(uint32(p.next)-bits)
	return p.at(number)
}

// settle takes a request out.
func (p *pending) settle(number uint64) {
	p.row(number).settled = true
	for p.first < p.next && p.row(p.first).settled {
		p.first++
	}
}
