// Package clearing knows who owns what. It is the only place where balances and positions change; it knows no queue.
//
//	owner ──> account ──> account …            through Statement.Next
//	             │
//	             ├──> Position ──> Position …  its positions, newest first
//	             └──> Claim ──> Claim …        its open orders, newest first; a claim has the row number of its order
//
// The open orders of an isolated position stand in two more lists, by priority: Ledger.First, Hold.Next.
//
// A record is one cache line or half of one. What an order that only rests or goes touches is apart from what a fill touches: of an
// account the Account and the Statement, of a position the Position and the Ledger, row by row.
//
// Balances of an account: cash is what was paid in, realized and paid out; cost is the signed sum of quantity · price ·
// tick-lot of what is held; equity = cash + assets - Σ cost + Σ quantity · mark · tick-lot = Cash + Profit (M-03). The sum of cash
// - cost over all accounts and of the venue's own is deposits minus withdrawals, to the unit, after every command (M-05).
//
// A pool is what margin is reckoned for: an account's cross pool, or one isolated position with the cash beside it (M-01). A
// pool is named by account and row; row 0 stands for the cross pool.
//
// Profit, Initial and Maintenance of an account are sums over its cross positions at the marks of its Epoch; Initial has the
// holds of isolated orders besides. A fill changes them by differences; a mark only raises the House's epoch, and an account
// is valued anew when it is next touched. What one position requires may lag behind meanwhile, see loose.go.
package clearing

import (
	"unsafe"

	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/margin"
	"github.com/lockstep-exchange/lockstep/market"
	"github.com/lockstep-exchange/lockstep/msg"
)

// Account is what the gate reads of an account. A zero Owner means that it is not open.
type Account struct {
	Cash        fixed.Money // may be negative
	Profit      fixed.Money // unrealized, and what assets count as collateral, at the marks of Epoch
	Initial     fixed.Money // required, open orders included, at the marks of Epoch
	Maintenance fixed.Money // required, at the marks of Epoch
	Epoch       uint64      // of the marks at which the three sums hold; 0: of none, they are summed anew at each touch
	Positions   uint32      // first of its positions
	Orders      uint32      // first of its claims
	Loose       uint32      // the position whose requirements the sums do not follow at present, see loose.go; 0: none
	Owner       msg.OwnerID
	May         uint32   // instrument groups into which it may bring any order, by bit: none while a kill switch of it is turned, and from the second call on. Derived
	Held        uint16   // positions in the list
	Pending     bool     // a rebate waits for the day cut
	Rung        msg.Rung // of its cross pool
}

// Equity is cash with unrealized profit (M-03).
func (a *Account) Equity() fixed.Money { return a.Cash + a.Profit }

// Free is equity less the initial requirement (M-15); it may be negative. The account has been touched.
func (a *Account) Free() fixed.Money { return a.Cash + a.Profit - a.Initial }

// Statement is the rest of an account.
type Statement struct {
	Realized  fixed.Money    // profit realized so far
	Fees      fixed.Money    // paid so far; rebates are not in it
	Rebate    fixed.Money    // pending, not equity (M-45)
	Quota     [2]fixed.Nanos // when the next message would come if it kept to the rate: orders, cancels
	Funding   fixed.Money    // received so far, below zero paid; of isolated positions too
	RebateDay uint32         // day, from the epoch, in which the rebate was earned
	Next      msg.AccountID  // of the same owner
	Groups    uint32         // instrument groups in which it may trade, by bit
	Entry     msg.Action     // of its own kill switch; 0: open
	Watch     uint8          // of its cross pool, see pool.go
	_         [2]uint8
}

// Owner is a legal entity. A zero Accounts means that nobody stands behind the id.
type Owner struct {
	First    msg.AccountID
	Accounts uint16
	Entry    msg.Action // of the kill switch; 0: open
	_        uint8
}

// Position is one account in one instrument: what an order needs of it.
type Position struct {
	Account msg.AccountID // 0: a free row
	Instr   uint16        // Limits keep instruments below 2^16
	Open    uint16        // resting orders, reduce-only ones too
	margin.Exposure
	Room     fixed.Money  // while its account's Loose names it: at least so much more may be required of the account
	Next     uint32       // in the account's list
	Leverage msg.Leverage // chosen; 0: none
	Mode     msg.Mode     // ModeIsolated, or 0: cross
	Asks     market.Asks  // what it has to be asked besides its instrument; derived from the two
}

// Ledger is what a fill needs of a position besides.
type Ledger struct {
	Cost        fixed.Money // signed; at flat exactly 0
	Initial     fixed.Money // its part of the account's: what it requires, or of an isolated one what its orders hold
	Maintenance fixed.Money // its part of the account's; of an isolated position 0
	FundingSum  int64       // the instrument's funding sum at which it was last settled
	Margin      fixed.Money // cash of an isolated position; flat exactly 0
	First       [2]uint32   // of an isolated position's open sells and buys (side & 1) the first in priority
	ReduceOnly  uint32      // resting reduce-only orders
	Prev        uint32      // in the account's list
	Rung        msg.Rung    // of an isolated position, which is a pool of its own
	Watch       uint8       // of an isolated position, see pool.go
	Shed        uint8       // sides of which the ladder is canceling the orders
	_           [5]uint8
}

// Hold is what an open order of an isolated position has besides its claim; its row is the order's handle. It is all zero
// but for Rate while the order does not rest in such a position, or is reduce-only.
type Hold struct {
	Rate  fixed.Rate  // at which it posts margin, fixed when it was accepted (M-21); of no use where there is no such order
	Limit fixed.Ticks // its priority
	Price fixed.Ticks // at which it is held: the limit, or what it may be filled at where that is dearer (M-22)
	Lots  fixed.Lots  // open
	Next  uint32      // of its side, less urgent
	Prev  uint32      // of its side, more urgent
	_     uint64
}

// Claim is what an open order sets aside, and its place in its account's list. Its row is the order's handle.
type Claim struct {
	Reserved fixed.Money // by the open lots (M-14, of an isolated order M-22 as if none were free); 0 of a reduce-only order
	Loss     fixed.Ticks // its margin.Terms
	Fee      uint32
	Next     uint32 // older
	Prev     uint32 // newer
	Position uint32
}

var (
	_ = [1]struct{}{}[unsafe.Sizeof(Account{})-64]
	_ = [1]struct{}{}[unsafe.Sizeof(Statement{})-64]
	_ = [1]struct{}{}[unsafe.Sizeof(Position{})-64]
	_ = [1]struct{}{}[unsafe.Sizeof(Ledger{})-64]
	_ = [1]struct{}{}[unsafe.Sizeof(Claim{})-32]
	_ = [1]struct{}{}[unsafe.Sizeof(Hold{})-48]
	_ = [1]struct{}{}[unsafe.Sizeof(Owner{})-8]
)
