package clearing

import (
	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/margin"
	"github.com/lockstep-exchange/lockstep/market"
	"github.com/lockstep-exchange/lockstep/msg"
)

// Limits bound a House at birth.
type Limits struct {
	Accounts         uint32 // account and owner ids are 1..Accounts
	Positions        uint32 // open at one time, over all accounts
	Orders           uint32 // rows of claims, as many as the book's of orders
	AccountPositions uint32 // open at one time in one account
	OwnerAccounts    uint32 // accounts of one owner
	Touched          uint32 // pools that one command may touch
}

// MaxDeposits bounds what may be in the venue at one time, so that no sum of balances leaves int64.
const MaxDeposits fixed.Money = 1 << 61

// Venue holds the venue's own accounts (M-05).
type Venue struct {
	Fees    fixed.Money // fees taken, rebates deducted
	Rebates fixed.Money // rebates that wait for the day cut
	Fund    fixed.Money // the insurance fund; never below zero
	Funding fixed.Money // what positions paid as funding and others have not been paid yet, with what rounding left
	Deficit fixed.Money // losses that nobody covered; never above zero
}

// House is the clearing house of a shard.
type House struct {
	accounts    []Account // by id
	statements  []Statement
	owners      []Owner
	rows        []Position // a hash table in place, by account and instrument; row 0 is none
	past        []uint32   // by row: on how many paths to a position it lies, see table.go
	passed      rowSet     // where past is above 0
	worn        rowSet     // of which the ledger may not be zero without lots and orders
	ledgers     []Ledger
	claims      []Claim
	holds       []Hold
	instruments []market.Instrument // the engine's; read here
	interest    []fixed.Lots        // long lots, by instrument
	peak        []fixed.Lots        // the most lots that one position with its orders came to, by instrument
	assets      []fixed.Lots        // deposited less withdrawn, by spot instrument
	funding     []int64             // sum of the funding steps, in 1e-6 Money a lot, by instrument

	watches   []Watch // by pool
	wires     wires
	touched   poolList
	queue     poolList
	shifted   rowSet        // instruments of which a level moved, until none of their wires is crossed
	at        Pool          // of the queue the next to be examined in this pass, 0: none is behind. Scratch
	last      uint64        // the order of the last that was. Scratch
	stale     uint32        // so many of the touched, from the first, have to be examined
	review    msg.AccountID // the next account whose pools have to be examined since a rule moved; 0: none
	fund      msg.AccountID // of the fund's record
	drawn     fixed.Money   // from the fund, this day
	shortfall fixed.Money   // of a pool that waits for the fund to take it over, or to be closed by others
	opened    msg.AccountID // the highest account that is open. Derived
	calm      uint8         // equity of 2^calm times maintenance and more is ok for certain. Derived

	Venue     Venue
	deposited fixed.Money // less withdrawn
	remainder int64       // of funding, in 1e-6 Money: what rounding left in @funding
	epoch     uint64      // of the marks
	restless  bool        // a pool may wait to be examined. Derived
	tiered    bool        // tiers are in force
	day       int64       // from the Unix epoch
	cut       fixed.Nanos // when it ends
	live      uint32      // rows in use
	limits    Limits
	bound     fixed.Money // on each part of what one position with its orders is worth and requires

	tiers, staged feeTable // in force, and still coming in
	volumes       []volume // by owner

	// Scratch, not state: 0 between two commands.
	moved        fixed.Money // from a parent into its child by fills of the order that comes
	movedResting fixed.Money // by a fill of an order that rests
	short        fixed.Money // that children without lots could not pay
	suspects     []ranked    // that the present command touched, see pool.go
}

// New makes a house over the instruments of an engine; index 0 of them is none. The limits are the engine's, checked.
func New(l Limits, instruments []market.Instrument) *House {
	size := 2*uint64(l.Positions) + 8 + uint64(len(instruments)) // the fund's positions find room besides
	h := &House{
		accounts:    make([]Account, l.Accounts+2), // the last is the fund's record
		statements:  make([]Statement, l.Accounts+2),
		owners:      make([]Owner, l.Accounts+1),
		volumes:     make([]volume, l.Accounts+1),
		rows:        make([]Position, size),
		past:        make([]uint32, size),
		passed:      make(rowSet, size>>6+1),
		worn:        make(rowSet, size>>6+1),
		ledgers:     make([]Ledger, size),
		claims:      make([]Claim, l.Orders+1),
		holds:       make([]Hold, l.Orders+1),
		instruments: instruments,
		interest:    make([]fixed.Lots, len(instruments)),
		peak:        make([]fixed.Lots, len(instruments)),
		assets:      make([]fixed.Lots, len(instruments)),
		funding:     make([]int64, len(instruments)),
		limits:      l,
		watches:     make([]Watch, uint64(l.Accounts)+2+size),
		wires:       newWires(len(instruments), int(size), 3*l.Positions+64),
		shifted:     make(rowSet, len(instruments)>>6+1),
		suspects:    make([]ranked, 0, l.suspects()),
		fund:        msg.AccountID(l.Accounts + 1),
		epoch:       1,
		bound:       fixed.Money((1 << 61) / int64(l.AccountPositions)),
	}
	h.touchPages()
	return h
}

// touchPages writes to every page of the tables, so that no command pays for its first use (L-12).
func (h *House) touchPages() {
	for i := range h.owners {
		h.accounts[i].Epoch = 0
		h.statements[i].Rebate = 0
		h.owners[i].First = 0
		h.volumes[i].now = 0
	}
	for i := range h.watches {
		h.watches[i].Stall = 0
	}
	for i := range h.rows {
		h.rows[i].Qty = 0
		h.past[i] = 0
		h.passed.remove(uint32(i))
		h.worn.remove(uint32(i))
		h.ledgers[i].Cost = 0
	}
	for i := range h.claims {
		h.claims[i].Next = 0
		h.holds[i].Next = 0
	}
}

// Account is the record of an account that has been touched by this command; nil for an id that is not open.
func (h *House) Account(id msg.AccountID) *Account {
	if uint64(id) >= uint64(len(h.accounts)) || h.accounts[id].Owner == 0 {
		return nil
	}
	return &h.accounts[id]
}

// Fresh is the record of an account that is open and whose sums are those of the present marks, else nil.
func (h *House) Fresh(id msg.AccountID) *Account {
	if uint64(id) < uint64(len(h.accounts)) && h.accounts[id].Epoch == h.epoch {
		return &h.accounts[id]
	}
	return nil
}

// Statement is the rest of an open account.
func (h *House) Statement(id msg.AccountID) *Statement { return &h.statements[id] }

// Owner is the record of an owner; nil for an id with nobody behind it.
func (h *House) Owner(id msg.OwnerID) *Owner {
	if uint64(id) >= uint64(len(h.owners)) || h.owners[id].Accounts == 0 {
		return nil
	}
	return &h.owners[id]
}

// Position is a row; row 0 is a position of nobody, flat and without orders.
func (h *House) Position(row uint32) *Position { return &h.rows[row] }

// Ledger is the ledger of a row.
func (h *House) Ledger(row uint32) *Ledger { return &h.ledgers[row] }

// Claim is the claim of an order.
func (h *House) Claim(order uint32) *Claim { return &h.claims[order] }

// Interest is the open interest of an instrument, in long lots.
func (h *House) Interest(instr msg.InstrumentID) fixed.Lots { return h.interest[instr] }

// Peak is the most lots that one position with its orders ever came to in an instrument.
func (h *House) Peak(instr msg.InstrumentID) fixed.Lots { return h.peak[instr] }

// Witness notes that a position with its orders may come to lots.
func (h *House) Witness(instr msg.InstrumentID, lots fixed.Lots) {
	if lots > h.peak[instr] {
		h.peak[instr] = lots
	}
}

// Bound is the highest value that one position with its orders may have, and bounds each of its initial requirement and
// its two reserves; the sum of all of them over the positions of an account fits.
func (h *House) Bound() fixed.Money { return h.bound }

// Deposited is deposits less withdrawals.
func (h *House) Deposited() fixed.Money { return h.deposited }

// Cut is when the present day ends.
func (h *House) Cut() fixed.Nanos { return h.cut }

// StartDay tells the house that now is in another day than the last command was. Rebates of past days vest when their
// accounts are next touched.
func (h *House) StartDay(now fixed.Nanos) {
	h.day = int64(now / fixed.Day)
	h.cut = fixed.Nanos(h.day+1) * fixed.Day
	h.drawn = 0
	h.stale, h.restless = h.touched.count, true // rebates vest
	h.epoch++
}

// Remark tells the house that a mark or a rule has changed: every account is valued anew when it is next touched.
func (h *House) Remark() { h.epoch++ }

// Current reports whether an account needs no Touch.
func (h *House) Current(a *Account) bool { return a.Epoch == h.epoch && a.Loose == 0 }

// Touch brings an open account up to date before it is read: its sums to the present marks and exposures, funding and the
// rebates of past days into cash. It returns the rebate that vested, the funding that was paid, below zero received, and whether
// any position paid or received a unit, which may come to nothing over all.
func (h *House) Touch(id msg.AccountID) (vested, funding fixed.Money, paid bool) {
	return h.bring(id, false)
}

// Look is Touch for the ladder, which looks at accounts that have done nothing. Where no position owes a unit none is settled: so what is
// settled by a look has been told, and whoever hears of everything can reckon what anybody owes (M-42).
func (h *House) Look(id msg.AccountID) (vested, funding fixed.Money, paid bool) {
	return h.bring(id, true)
}

func (h *House) bring(id msg.AccountID, look bool) (vested, funding fixed.Money, paid bool) {
	a := &h.accounts[id]
	if a.Epoch == h.epoch {
		h.tighten(a)
		return 0, 0, false
	}
	funding, paid = h.value(a, look)
	if a.Pending {
		vested = h.vest(id)
	}
	return vested, funding, paid
}

// value sums an account's positions at the present marks, and settles their funding, which it returns, unless it only looks and none
// owes a unit. Of one with a floating position, or of which something stays owed, the sums hold for now only.
//
//go:noinline
func (h *House) value(a *Account, look bool) (funding fixed.Money, paid bool) {
	a.Profit, a.Initial, a.Maintenance, a.Epoch, a.Loose = 0, 0, 0, h.epoch, 0
	owed := false
	for row := a.Positions; row != 0; row = h.rows[row].Next {
		p, l := &h.rows[row], &h.ledgers[row]
		in := &h.instruments[p.Instr]
		if l.FundingSum != h.funding[p.Instr] {
			if look && h.owesPart(p, l) {
				owed = true
			} else {
				m := h.settleFunding(p, l)
				funding += m
				paid = paid || m != 0
				h.worn.add(row)
			}
		}
		h.setInitial(row, l, h.initial(row, p, in))
		a.Initial += l.Initial
		if p.Asks&market.AskMode != 0 {
			continue
		}
		if in.Asks&market.AskOthers != 0 {
			a.Epoch = 0
		}
		l.Maintenance, _ = margin.Maintenance(in, p.Qty)
		a.Profit += margin.Value(in, p.Qty) - l.Cost + h.counts(p, in)
		a.Maintenance += l.Maintenance
	}
	if owed {
		h.settleParts(a, paid)
	}
	return funding, paid
}

// counts is what a position counts in equity as an asset.
func (h *House) counts(p *Position, in *market.Instrument) fixed.Money {
	if margin.Margined(in) {
		return 0
	}
	return margin.Collateral(in, p.Qty, h.bound)
}

// hold gives a position of an asset, of an account that is touched, delta lots more.
func (h *House) hold(p *Position, in *market.Instrument, delta fixed.Lots) {
	before := h.counts(p, in)
	p.Qty += delta
	h.accounts[p.Account].Profit += h.counts(p, in) - before
}

// vest moves the rebate of a past day into cash (M-45).
//
//go:noinline
func (h *House) vest(id msg.AccountID) fixed.Money {
	a, s := &h.accounts[id], &h.statements[id]
	if int64(s.RebateDay) == h.day {
		return 0
	}
	m := s.Rebate
	a.Cash += m
	h.disturb(Pool(id))
	h.Venue.Rebates -= m
	s.Rebate, a.Pending = 0, false
	return m
}

// Open opens an account of an owner, or gives an open one of the same owner other groups. owner 0 stands for the account's
// own id.
func (h *House) Open(id msg.AccountID, owner msg.OwnerID, groups uint32) msg.Reject {
	if owner == 0 {
		owner = msg.OwnerID(id)
	}
	if id == 0 || id >= h.fund || uint64(owner) >= uint64(len(h.owners)) {
		return msg.RejectUnknownAccount
	}
	a, o := &h.accounts[id], &h.owners[owner]
	if a.Owner != 0 && a.Owner != owner {
		return msg.RejectInvalidParameter
	}
	if a.Owner == 0 && uint32(o.Accounts) >= h.limits.OwnerAccounts {
		return msg.RejectTableFull
	}

	h.statements[id].Groups = groups
	h.opened = max(h.opened, id)
	if a.Owner == 0 {
		a.Owner, a.Epoch = owner, h.epoch
		h.statements[id].Next = o.First
		o.First = id
		o.Accounts++
	}
	h.permit(id)
	return 0
}

// permit derives into which groups an account may bring any order: none where a kill switch is turned, or from the second call on.
func (h *House) permit(id msg.AccountID) {
	a, s := &h.accounts[id], &h.statements[id]
	a.May = s.Groups
	if s.Entry|h.owners[a.Owner].Entry != 0 || a.Rung >= msg.RungCall2 {
		a.May = 0
	}
}

// OwnerLots are the lots that the accounts of an owner hold in an instrument, and what they would hold with all their buys
// or all their sells filled.
func (h *House) OwnerLots(owner msg.OwnerID, instr msg.InstrumentID) (held, long, short fixed.Lots) {
	for id := h.owners[owner].First; id != 0; id = h.statements[id].Next {
		p := &h.rows[h.Find(id, instr)]
		held += p.Qty
		long += p.Qty + p.Buys
		short += p.Qty - p.Sells
	}
	return held, long, short
}

// SetEntry turns the kill switch of an open account.
func (h *House) SetEntry(id msg.AccountID, to msg.Action) {
	h.statements[id].Entry = to
	h.permit(id)
}

// SetOwnerEntry turns the kill switch of an owner, and with it of all his accounts.
func (h *House) SetOwnerEntry(owner msg.OwnerID, to msg.Action) {
	h.owners[owner].Entry = to
	for id := h.owners[owner].First; id != 0; id = h.statements[id].Next {
		h.permit(id)
	}
}
