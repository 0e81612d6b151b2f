package ref

import "github.com/lockstep-exchange/lockstep/bench/ops"

// RiskLadder is the ladder with a check of margin before an order and an update
// of both sides at a trade. It answers what risk in the same loop costs over bare
// matching. One instrument, a flat rate, profit against the average entry; no
// brackets, no fees, no self-trade prevention, no events.
//
//	order of id -> owner [id], reserved [id]
//	owner       -> account, one line: equity, reserved, position, entry, requirement, open orders
type RiskLadder struct {
	Ladder
	Refused uint64 // orders without margin

	accounts []account
	owner    []uint32 // of an order
	reserved []int64  // by an order
	mask     uint32
}

// account is the least state that a cross-margin gate needs, 64 bytes.
type account struct {
	equity   int64 // collateral and realized profit
	reserved int64 // by resting orders
	position int64
	entry    int64 // signed notional at which the position was entered
	required int64 // by the position
	open     int32 // resting orders
	_        int32
	_        [2]int64
}

// initialShift makes the initial requirement a sixteenth of the notional.
const initialShift = 4

// NewRiskLadder returns an empty ladder and accounts with collateral enough for
// everything. accounts must be a power of two.
func NewRiskLadder(s *ops.Stream, accounts uint32) (*RiskLadder, error) {
	if accounts == 0 || accounts&(accounts-1) != 0 {
		return nil, bounds("accounts are %d, expected a power of two", accounts)
	}
	r := &RiskLadder{
		accounts: make([]account, accounts),
		owner:    make([]uint32, s.MaxID+1),
		reserved: make([]int64, s.MaxID+1),
		mask:     accounts - 1,
	}
	if err := r.prepare(s); err != nil {
		return nil, err
	}
	for i := range r.accounts {
		r.accounts[i].equity = 1 << 60
	}
	for i := range r.reserved { // touch the pages before a clock starts
		r.reserved[i], r.owner[i] = 0, 0
	}
	return r, nil
}

// Run applies every operation of list.
func (r *RiskLadder) Run(list []ops.Op) {
	for i := range list {
		r.Apply(&list[i])
	}
}

// Apply executes one operation.
func (r *RiskLadder) Apply(op *ops.Op) {
	id := uint32(op.ID)
	o := &r.orders[id]
	side := op.Side
	if op.Kind >= ops.Cancel {
		if !o.rests {
			r.Rejects++
			return
		}
		side = o.side
		r.release(id)
		r.unlink(o)
		if op.Kind == ops.Cancel {
			return
		}
	} else {
		r.owner[id] = op.Owner(r.mask)
	}
	a := &r.accounts[r.owner[id]]
	initial := op.Price * int64(op.Qty) >> initialShift
	if a.open > 1<<30 || op.Qty > 1<<20 || a.equity < a.reserved+a.required+initial {
		r.Refused++
		return
	}
	qty := r.match(id, side, int32(op.Price), op.Qty)
	if qty > 0 && op.Kind != ops.IOC {
		o.price, o.qty, o.side = int32(op.Price), qty, side
		r.link(id, o)
		held := op.Price * int64(qty) >> initialShift
		r.reserved[id] = held
		a.reserved += held
		a.open++
	}
}

// Counts returns the result, the rejects and the refusals.
func (r *RiskLadder) Counts() (res ops.Result, rejects, refused uint64) {
	return r.Result, r.Rejects, r.Refused
}

func (r *RiskLadder) match(taker uint32, side ops.Side, price int32, qty uint32) uint32 {
	for qty > 0 {
		p, l := r.front(side, price)
		if l == nil {
			break
		}
		for qty > 0 && l.head != 0 {
			maker := l.head
			m := &r.orders[maker]
			traded := min(qty, m.qty)
			r.Trade(uint64(taker), uint64(maker), int64(p), uint64(traded))
			r.fill(taker, side == ops.Buy, int64(p), int64(traded))
			r.fill(maker, side == ops.Sell, int64(p), int64(traded))
			freed := int64(p) * int64(traded) >> initialShift
			r.reserved[maker] -= freed
			r.accounts[r.owner[maker]].reserved -= freed
			qty -= traded
			m.qty -= traded
			if m.qty == 0 {
				r.release(maker)
				r.unlink(m)
			}
		}
	}
	return qty
}

// fill moves the account of an order by qty lots at price.
func (r *RiskLadder) fill(id uint32, buy bool, price, qty int64) {
	a := &r.accounts[r.owner[id]]
	signed := qty
	if !buy {
		signed = -qty
	}
	old := a.position
	a.position += signed
	if old == 0 || (old > 0) == (signed > 0) {
		a.entry += signed * price
	} else { // reduced or turned: profit against the average entry
		closed := min(abs(old), qty)
		average := a.entry / old
		profit := closed * (price - average)
		if old < 0 {
			profit = -profit
		}
		a.equity += profit
		if abs(old) >= qty {
			a.entry -= average * (old - a.position)
		} else {
			a.entry = a.position * price
		}
	}
	a.required = abs(a.position*price) >> initialShift
}

// release gives back what an order holds.
func (r *RiskLadder) release(id uint32) {
	a := &r.accounts[r.owner[id]]
	a.reserved -= r.reserved[id]
	a.open--
	r.reserved[id] = 0
}

func abs(x int64) int64 {
	sign := x >> 63
	return (x ^ sign) - sign
}
