package clearing

import (
	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/msg"
)

// What a snapshot has of a house (D-38), and what is built anew from it (D-39).
//
//	stored     records as they lie, their lists by the links forward, what accounts require and how loose they are
//	built anew links back, the heaps of wires, the counts of the paths through the table of positions, the two sets of rows, how many are in use
//
// Building follows every link once, and refuses one that names no record or one of somebody else.

// Code writes the tables of a house, or reads them into a new one of the same limits. A table that is added is one line here.
func (h *House) Code(c *fixed.Codec) {
	c.Open("house", 1, 1)
	h.codeSums(c)
	fixed.Rows(c, "accounts", h.accounts, Account{}, (*Account).code)
	fixed.Rows(c, "statements", h.statements, Statement{}, (*Statement).code)
	fixed.Rows(c, "owners", h.owners, Owner{}, (*Owner).code)
	fixed.Rows(c, "volumes", h.volumes, volume{}, (*volume).code)
	fixed.Rows(c, "positions", h.rows[1:], Position{}, (*Position).code)
	fixed.Rows(c, "ledgers", h.ledgers[1:], Ledger{}, (*Ledger).code)
	fixed.Rows(c, "claims", h.claims[1:], Claim{}, (*Claim).code)
	fixed.Rows(c, "holds", h.holds[1:], Hold{}, (*Hold).code)
	fixed.Rows(c, "interest", h.interest, 0, codeLots)
	fixed.Rows(c, "peaks", h.peak, 0, codeLots)
	fixed.Rows(c, "assets", h.assets, 0, codeLots)
	fixed.Rows(c, "funding sums", h.funding, 0, codeWord)
	fixed.Rows(c, "watches", h.watches[1:], Watch{}, (*Watch).code)
	h.codeWires(c)
	if c.Reading() && c.Err() == nil {
		h.rebuild(c)
	}
}

// codeSums codes what there is one of.
func (h *House) codeSums(c *fixed.Codec) {
	v := &h.Venue
	for _, m := range [...]*fixed.Money{&v.Fees, &v.Rebates, &v.Fund, &v.Funding, &v.Deficit, &h.deposited} {
		fixed.Word(c, m)
	}
	fixed.Word(c, &h.remainder)
	fixed.Word(c, &h.epoch)
	fixed.Word(c, &h.day)
	fixed.Word(c, &h.cut)
	fixed.Word(c, &h.drawn)
	fixed.Word(c, &h.shortfall)
	fixed.Half(c, &h.stale)
	fixed.Half(c, &h.review)
	fixed.Half(c, &h.touched.first)
	fixed.Half(c, &h.queue.first)
	fixed.Words(c, h.shifted)
	c.Flag(&h.tiered)
	for _, t := range [...]*feeTable{&h.tiers, &h.staged} {
		for i := range t.rows {
			r := &t.rows[i]
			fixed.Word(c, &r.volume)
			fixed.Word(c, &r.fees.Maker)
			fixed.Word(c, &r.fees.Taker)
		}
		fixed.Byte(c, &t.count)
		c.Within(c.Row(), "fee tiers", uint64(t.count), MaxFeeTiers)
	}
	if h.day < 0 || h.day > int64(fixed.MaxInt64/fixed.Day) {
		c.Refuse(0, "the day is none")
	}
}

func codeLots(v *fixed.Lots, c *fixed.Codec) { fixed.Word(c, v) }
func codeWord(v *int64, c *fixed.Codec)      { fixed.Word(c, v) }

func (a *Account) code(c *fixed.Codec) {
	fixed.Word(c, &a.Cash)
	fixed.Word(c, &a.Profit)
	fixed.Word(c, &a.Initial)
	fixed.Word(c, &a.Maintenance)
	fixed.Word(c, &a.Epoch)
	fixed.Half(c, &a.Positions)
	fixed.Half(c, &a.Orders)
	fixed.Half(c, &a.Loose)
	fixed.Half(c, &a.Owner)
	fixed.Half(c, &a.May)
	fixed.Quarter(c, &a.Held)
	c.Flag(&a.Pending)
	fixed.Byte(c, &a.Rung)
}

func (s *Statement) code(c *fixed.Codec) {
	fixed.Word(c, &s.Realized)
	fixed.Word(c, &s.Fees)
	fixed.Word(c, &s.Rebate)
	fixed.Words(c, s.Quota[:])
	fixed.Word(c, &s.Funding)
	fixed.Half(c, &s.RebateDay)
	fixed.Half(c, &s.Next)
	fixed.Half(c, &s.Groups)
	fixed.Byte(c, &s.Entry)
	fixed.Byte(c, &s.Watch)
}

func (o *Owner) code(c *fixed.Codec) {
	fixed.Half(c, &o.First)
	fixed.Quarter(c, &o.Accounts)
	fixed.Byte(c, &o.Entry)
}

func (v *volume) code(c *fixed.Codec) {
	fixed.Words(c, v.days[:])
	fixed.Word(c, &v.now)
	fixed.Word(c, &v.sum)
	fixed.Word(c, &v.today)
	fixed.Byte(c, &v.row)
	if v.today < 0 {
		c.Refuse(c.Row(), "a volume is of no day")
	}
	c.Within(c.Row(), "fee tier", uint64(v.row), MaxFeeTiers-1)
}

func (p *Position) code(c *fixed.Codec) {
	fixed.Half(c, &p.Account)
	fixed.Quarter(c, &p.Instr)
	fixed.Quarter(c, &p.Open)
	fixed.Word(c, &p.Qty)
	fixed.Word(c, &p.Buys)
	fixed.Word(c, &p.Sells)
	fixed.Word(c, &p.BuyReserve)
	fixed.Word(c, &p.SellReserve)
	fixed.Word(c, &p.Room)
	fixed.Half(c, &p.Next)
	fixed.Quarter(c, &p.Leverage)
	fixed.Byte(c, &p.Mode)
	fixed.Byte(c, &p.Asks)
}

func (l *Ledger) code(c *fixed.Codec) {
	fixed.Word(c, &l.Cost)
	fixed.Word(c, &l.Initial)
	fixed.Word(c, &l.Maintenance)
	fixed.Word(c, &l.FundingSum)
	fixed.Word(c, &l.Margin)
	fixed.Halves(c, l.First[:])
	fixed.Half(c, &l.ReduceOnly)
	fixed.Byte(c, &l.Rung)
	fixed.Byte(c, &l.Watch)
	fixed.Byte(c, &l.Shed)
}

func (w *Watch) code(c *fixed.Codec) {
	fixed.Word(c, &w.Deadline)
	fixed.Half(c, &w.next)
	fixed.Half(c, &w.Stall)
	c.Flag(&w.Late)
}

// codeWires codes the wires by row: which node one is, and where it hangs, is built anew.
func (h *House) codeWires(c *fixed.Codec) {
	count := 0
	for row := range h.wires.of {
		for _, n := range h.wires.of[row] {
			if n != 0 {
				count++
			}
		}
	}
	count = c.Open("wires", count, len(h.wires.nodes)-1)
	if c.Reading() {
		h.readWires(c, count)
		return
	}
	for row := range h.wires.of {
		for way, n := range h.wires.of[row] {
			if n != 0 {
				at, by, key := uint32(row), uint8(way), h.wires.nodes[n].key
				fixed.Half(c, &at)
				fixed.Byte(c, &by)
				fixed.Word(c, &key)
			}
		}
	}
}

func (h *House) readWires(c *fixed.Codec, count int) {
	for i := range count {
		row, way, key := uint32(0), uint8(0), int64(0)
		fixed.Half(c, &row)
		fixed.Byte(c, &way)
		fixed.Word(c, &key)
		if c.Err() != nil {
			return
		}
		if uint64(row) >= uint64(len(h.rows)) || way >= ways || h.rows[row].Account == 0 || int(h.rows[row].Instr) >= len(h.instruments) ||
			h.wires.of[row][way] != 0 || !h.wires.lay(h.rows[row].Instr, row, h.rows[row].Account, way, key) {
			c.Refuse(i, "a wire of no position, or twice")
			return
		}
		h.worn.add(row) // who gives the position back takes it up
	}
}

func (k *Claim) code(c *fixed.Codec) {
	fixed.Word(c, &k.Reserved)
	fixed.Word(c, &k.Loss)
	fixed.Half(c, &k.Fee)
	fixed.Half(c, &k.Next)
	fixed.Half(c, &k.Position)
}

func (o *Hold) code(c *fixed.Codec) {
	fixed.Word(c, &o.Rate)
	fixed.Word(c, &o.Limit)
	fixed.Word(c, &o.Price)
	fixed.Word(c, &o.Lots)
	fixed.Half(c, &o.Next)
}

// rebuild builds what is not stored, and refuses what cannot be.
func (h *House) rebuild(c *fixed.Codec) {
	c.Begin("owners")
	for id := range h.owners {
		if !h.together(msg.OwnerID(id)) {
			c.Refuse(id, "the accounts in its list are not all its own")
			return
		}
	}
	c.Begin("positions")
	used, wrong := h.retrace()
	if wrong != 0 {
		c.Refuse(int(wrong), "it is far from where it belongs")
		return
	}
	for id := range h.accounts {
		if h.accounts[id].Owner != 0 {
			h.opened = msg.AccountID(id)
		}
	}
	c.Begin("accounts")
	claimed := make([]uint64, len(h.claims)>>6+1)
	for id := range h.accounts {
		what := h.relink(msg.AccountID(id), claimed)
		if what == "" {
			_, what = h.audit(msg.AccountID(id))
		}
		if what != "" {
			c.Refuse(id, what)
			return
		}
	}
	c.Begin("positions")
	if h.live != used {
		c.Refuse(0, "some are in no account's list")
		return
	}
	h.live -= uint32(h.accounts[h.fund].Held)
	c.Begin("watches")
	if !h.relist(&h.touched, touched) || !h.relist(&h.queue, queued) {
		c.Refuse(0, "a list of pools has one that is not in it, or lacks one that is")
	}
	h.Calmed()
}

// relist builds the links back of a list of pools, of which each has the bit, and no other pool has it.
func (h *House) relist(l *poolList, bit uint8) bool {
	marked := uint32(0)
	for id := range h.statements {
		marked += uint32(h.statements[id].Watch & bit)
	}
	for row := range h.ledgers {
		marked += uint32(h.ledgers[row].Watch & bit)
	}
	for p := l.first; p != 0; p = h.watches[p].next {
		if uint64(p) >= uint64(len(h.watches)) || l.count*uint32(bit) >= marked || h.bitsOf(p)&bit == 0 {
			return false
		}
		h.watches[p].prev, l.last = l.last, p
		l.count++
	}
	return l.count*uint32(bit) == marked
}

// relink builds the links back of an account's lists and says what is wrong with them.
func (h *House) relink(id msg.AccountID, claimed []uint64) string {
	a := &h.accounts[id]
	if uint64(a.Owner) >= uint64(len(h.owners)) || uint64(a.Loose) >= uint64(len(h.rows)) || a.Loose != 0 && h.rows[a.Loose].Account != id {
		return "its owner or its loose position is none"
	}
	held, prev := uint16(0), uint32(0)
	for row := a.Positions; row != 0; row = h.rows[row].Next {
		if uint64(row) >= uint64(len(h.rows)) || h.rows[row].Account != id || int(h.rows[row].Instr) >= len(h.instruments) || held == a.Held {
			return "the positions in its list are not its own"
		}
		p, l := &h.rows[row], &h.ledgers[row]
		if in := &h.instruments[p.Instr]; in.Type == 0 {
			return "it has a position in an instrument that is not listed"
		}
		if l.Prev = prev; prev != 0 {
			h.worn.add(row)
		}
		prev = row
		held++
		h.live++
		for _, first := range l.First {
			if !h.reline(row, first) {
				return "an isolated position has an order that is not its own"
			}
		}
	}
	if held != a.Held {
		return "positions are missing from its list"
	}
	prev = 0
	for order := a.Orders; order != 0; order = h.claims[order].Next {
		if uint64(order) >= uint64(len(h.claims)) || claimed[order>>6]>>(order&63)&1 == 1 {
			return "its list names an order twice, or one that there is not"
		}
		k := &h.claims[order]
		if uint64(k.Position) >= uint64(len(h.rows)) || k.Position == 0 || h.rows[k.Position].Account != id {
			return "an order in its list belongs to no position of it"
		}
		claimed[order>>6] |= 1 << (order & 63)
		k.Prev = prev
		prev = order
	}
	return ""
}

// reline builds the links back of one side of an isolated position's orders.
func (h *House) reline(row, first uint32) bool {
	prev := uint32(0)
	for n, order := 0, first; order != 0; n, order = n+1, h.holds[order].Next {
		if uint64(order) >= uint64(len(h.holds)) || h.claims[order].Position != row || n == MaxHolds {
			return false
		}
		h.holds[order].Prev = prev
		prev = order
	}
	return true
}

// together reports whether the list of an owner has all his accounts and nobody else's.
func (h *House) together(id msg.OwnerID) bool {
	o, n := &h.owners[id], uint16(0)
	for at := o.First; at != 0; at = h.statements[at].Next {
		if uint64(at) >= uint64(len(h.accounts)) || h.accounts[at].Owner != id || n == o.Accounts {
			return false
		}
		n++
	}
	return n == o.Accounts
}

// retrace counts the paths through the table of positions anew, and notes which ledgers have something in them. It returns how
// many rows are in use, and one that cannot be where it is, or 0.
func (h *House) retrace() (used, wrong uint32) {
	steps := 16 * len(h.rows) // half a step is usual, some small tables take 2: more is no table of ours
	for row := uint32(1); int(row) < len(h.rows); row++ {
		if h.ledgers[row] != (Ledger{}) {
			h.worn.add(row)
		}
		p := &h.rows[row]
		if p.Account == 0 {
			continue
		}
		used++
		for on := h.home(p.Account, msg.InstrumentID(p.Instr)); on != row; on = h.after(on) {
			if steps--; steps < 0 {
				return used, row
			}
			h.past[on]++
			h.passed.add(on)
		}
	}
	return used, 0
}
