package msg

import "github.com/lockstep-exchange/lockstep/fixed"

// CommandSize is the size of a Command in bytes: two cache lines.
const CommandSize = 128

// Command is one input of the engine. Seq and Time are stamped when it is sequenced; the rest is the asker's.
//
//	line 1   0 Seq u64 · 8 Time i64 · 16 Order u64 · 24 Ref u64 · 32 Price i64 · 40 Qty i64
//	         48 Account u32 · 52 Instr u32 · 56 Session u16 · 58 Flags u16 · 60 Kind · 61 Side · 62 TIF · 63 STP, u8 each
//	line 2   64 Rare [8]u64, by Kind: the struct of its own that the constructor writes and the accessor reads; of a session's
//	         command words 5 to 7 are its Envelope
//
// A command whose Lines is 1 leaves line 2 alone, and so does everyone who handles it.
type Command struct {
	Seq Seq
	Request
}

// Request is a command before it has a place in the sequence: what travels in a lane, whose ready word stands where the
// Seq of a command does.
type Request struct {
	Time    fixed.Nanos  // stamped at the edge; the sequencer never lets it run back
	Order   OrderID      // the order meant, where one exists already
	Ref     Ref          // the asker's own id; 0: none, and then duplicates are not looked for
	Price   fixed.Ticks  // limit, protection price of a market order (0: the engine's), or mark
	Qty     fixed.Lots   // total quantity; of an Amend with FlagLeaves the open quantity
	Account AccountID    // the account that acts or is meant
	Instr   InstrumentID // the instrument that is meant; 0 is the venue where a rule may be the venue's
	Session SessionID
	Flags   Flags
	Kind    Kind
	Side    Side
	TIF     TIF
	STP     STP
	Rare    Rare
}

// Rare is the second line of a command or event; its meaning belongs to the kind.
type Rare [8]uint64

// Lines is how many cache lines the command uses: two where its kind does, and where a session has an envelope to send along.
func (r *Request) Lines() int {
	if r.Kind <= lastShort && r.Session == 0 {
		return 1
	}
	return 2
}

// Short reports whether the kind says nothing in line 2.
func (k Kind) Short() bool { return k <= lastShort }

// Kind says what a command asks for. The kinds of one line come first.
type Kind uint8

const (
	_                    Kind = iota
	KindLimit                 // a plain order at Price or better
	KindMarket                // an immediate order bounded by a protection price
	KindAmend                 // new Price and Qty of an order
	KindCancel                // take an order out
	KindCancelAll             // take out all orders of Account, of one Instr and Side where given
	KindSetMark               // Instr is marked at Price
	KindTick                  // time passes; left-over work goes on
	KindPlace                 // an order with an OrderExt
	KindOpenAccount           // an Opening
	KindDeposit               // a Payment to Account
	KindWithdraw              // a Payment out of Account
	KindTransfer              // a Payment from Account to another
	KindDepositAsset          // Qty lots of the base asset of a spot instrument, a Payment's External
	KindWithdrawAsset         // the same, out
	KindList                  // an instrument comes to be: a Listing
	KindSetTier               // one margin bracket of Instr: a Tier
	KindSetFees               // the fee rates of Instr: Fees
	KindSetRule               // one parameter of Instr or of the venue: a Setting
	KindSetPhase              // the trading phase of Instr: a PhaseChange
	KindSetEntry              // the kill switch: an Entry
	KindOpenSession           // a session acts for an owner from now on: an Opening
	KindCloseSession          // a session acts no more: an Opening
	KindListUnderlying        // an underlying comes to be: an Underlying
	KindReport                // a source reports the price of an underlying: a Report
	KindSetLeverage           // the leverage that Account chooses in Instr: in hundredths
	KindIsolate               // Account's position in Instr gets margin of its own: an Isolation
	KindCross                 // and goes back to the margin of the account
	KindMoveMargin            // cash moves between Account and its isolated position in Instr: an Isolation
	KindSettleFunding         // one funding payment of Instr at a rate
	KindPayFund               // a Payment into the insurance fund
	KindSetFeeTier            // one row of the venue's fee tiers: a FeeTier
	KindSetConcentration      // one row of the concentration add-on of Instr: a Concentration
	KindCheckpoint            // the hash of what was told so far: a Checkpoint; a node's own, as those below
	KindSetStorage            // how much room the journal has: a Storage
	KindMaintain              // everyone rests for a moment
	KindSetKey                // a key of a client comes to be, changes or is revoked: a KeyChange
	KindNegotiate             // a session of a key begins: a Negotiation; a gateway's, as those below
	KindBind                  // a session has a connection: a Binding
	KindUnbind                // a session has lost its connection: an Unbinding
	KindEndGrace              // the time in which it could have had another is over
	KindFinalize              // a session has ended for good
	KindMiss                  // messages of a client will not come: Missing
	KindRefuse                // a client's message was refused before it became a command: Refused
	KindSetDeadMan            // the orders of Account go at a time unless this is said again: in a Deadline
	KindAskOrder              // how an order of Account stands: by its id, or by its client's id: an Inquiry
	KindQuote                 // an entry of a mass quote: a Quotation
	KindSetProtection         // the limits of a group of Account's quotes: a Protection
	KindAskOrders             // how all resting orders of Account stand
	KindAskMargin             // what an order would do to the margin of Account, and how large it may be
	kindEnd

	lastShort         = KindTick
	firstOwn, lastOwn = KindCheckpoint, KindMaintain
)

// Side is the side of an order.
type Side uint8

const (
	_    Side = iota
	Buy       // takes asks, rests among bids
	Sell      // takes bids, rests among asks
)

// Opposite is the other side.
func (s Side) Opposite() Side { return s ^ 3 }

// TIF is how long an order works.
type TIF uint8

const (
	GTC TIF = iota // until canceled
	IOC            // what can be had now, the rest is canceled
	FOK            // all of it now, or it is refused as Unfillable
	GTD            // until the Expire of its OrderExt
)

// STP says what happens when an order meets one of its own owner's. It acts before the fill; nothing is charged.
type STP uint8

const (
	STPDefault      STP = iota // what the instrument says
	STPCancelNewest            // the incoming rest is canceled
	STPCancelOldest            // the resting order is canceled, matching goes on
	STPCancelBoth              // both are canceled
	STPDecrement               // both shrink by the smaller, which is canceled; matching goes on
	STPNone                    // an owner may trade with himself
)

// Flags widen an order.
type Flags uint16

const (
	FlagPostOnly   Flags = 1 << iota // refused as WouldCross when it would take
	FlagSlide                        // instead of taking it moves one tick behind the opposite best
	FlagReduceOnly                   // it may only bring the position nearer to zero
	FlagIsolated                     // it opens or works for an isolated position
	FlagLeaves     Flags = 1 << 10   // Amend: Qty is the open quantity, else the total
	FlagPersist    Flags = 1 << 12   // it survives cancel on disconnect and the dead-man
)

// Limit is a plain order that rests until canceled: qty lots at price or better.
func Limit(account AccountID, instr InstrumentID, side Side, price fixed.Ticks, qty fixed.Lots) Command {
	return Command{Request: Request{Kind: KindLimit, Account: account, Instr: instr, Side: side, Price: price, Qty: qty}}
}

// Market is an immediate order for qty lots. It never trades beyond the instrument's market range around the mark,
// nor beyond protect where that is not 0.
func Market(account AccountID, instr InstrumentID, side Side, qty fixed.Lots, protect fixed.Ticks) Command {
	return Command{Request: Request{Kind: KindMarket, Account: account, Instr: instr, Side: side, Price: protect, Qty: qty, TIF: IOC}}
}

// OrderExt is what an extended order adds.
type OrderExt struct {
	Min    fixed.Lots  // trade at least this much at once or be refused as Unfillable; 0: no minimum
	Expire fixed.Nanos // with GTD: the engine time at which it expires
}

// Place is a limit order with an OrderExt, for what Limit does not say.
func Place(account AccountID, instr InstrumentID, side Side, price fixed.Ticks, qty fixed.Lots, ext OrderExt) Command {
	c := Limit(account, instr, side, price, qty)
	c.Kind = KindPlace
	c.Rare[0], c.Rare[1] = uint64(ext.Min), uint64(ext.Expire)
	return c
}

// OrderExt is the extension of a KindPlace.
func (r *Request) OrderExt() OrderExt {
	return OrderExt{Min: fixed.Lots(r.Rare[0]), Expire: fixed.Nanos(r.Rare[1])}
}

// Amend gives an order a new price and a new total quantity, filled lots included. At an unchanged price and a smaller
// quantity it keeps its place in the queue, else it goes to the tail and may trade at once.
func Amend(account AccountID, instr InstrumentID, order OrderID, price fixed.Ticks, qty fixed.Lots) Command {
	return Command{Request: Request{Kind: KindAmend, Account: account, Instr: instr, Order: order, Price: price, Qty: qty}}
}

// Cancel takes an order out.
func Cancel(account AccountID, instr InstrumentID, order OrderID) Command {
	return Command{Request: Request{Kind: KindCancel, Account: account, Instr: instr, Order: order}}
}

// CancelAll takes out the orders that an account has now; instr 0 means all instruments, side 0 both sides.
func CancelAll(account AccountID, instr InstrumentID, side Side) Command {
	return Command{Request: Request{Kind: KindCancelAll, Account: account, Instr: instr, Side: side}}
}

// SetMark marks an instrument at price; margin is computed against it.
func SetMark(instr InstrumentID, price fixed.Ticks) Command {
	return Command{Request: Request{Kind: KindSetMark, Instr: instr, Price: price}}
}

// Tick lets engine time pass when nobody else speaks.
func Tick() Command { return Command{Request: Request{Kind: KindTick}} }

// Payment is an amount on its way.
type Payment struct {
	Amount   fixed.Money // above 0
	To       AccountID   // of a Transfer: the receiver
	External uint64      // a reference of the outside world, echoed and never read
}

func payment(kind Kind, account AccountID, p Payment) Command {
	return Command{Request: Request{Kind: kind, Account: account,
		Rare: Rare{uint64(p.Amount), uint64(p.To), p.External}}}
}

// Payment is the payment of a KindDeposit, KindWithdraw or KindTransfer, or the reference of a KindDepositAsset or
// KindWithdrawAsset.
func (r *Request) Payment() Payment {
	return Payment{Amount: fixed.Money(r.Rare[0]), To: AccountID(r.Rare[1]), External: r.Rare[2]}
}

// Deposit credits amount to an account. The first deposit opens an account that is its own owner, unless an owner of that
// number has accounts already: then it is refused as RejectUnknownAccount.
func Deposit(account AccountID, amount fixed.Money) Command {
	return payment(KindDeposit, account, Payment{Amount: amount})
}

// Withdraw takes amount out of an account, where margin leaves it free.
func Withdraw(account AccountID, amount fixed.Money) Command {
	return payment(KindWithdraw, account, Payment{Amount: amount})
}

// Transfer moves amount between two accounts, where margin leaves it free.
func Transfer(from, to AccountID, amount fixed.Money) Command {
	return payment(KindTransfer, from, Payment{Amount: amount, To: to})
}

// DepositAsset credits lots of the base asset of a spot instrument.
func DepositAsset(account AccountID, instr InstrumentID, lots fixed.Lots) Command {
	c := payment(KindDepositAsset, account, Payment{})
	c.Instr, c.Qty = instr, lots
	return c
}

// WithdrawAsset takes lots of the base asset of a spot instrument out, where no open sell has promised them.
func WithdrawAsset(account AccountID, instr InstrumentID, lots fixed.Lots) Command {
	c := payment(KindWithdrawAsset, account, Payment{})
	c.Instr, c.Qty = instr, lots
	return c
}

// Opening says who stands behind an account or a session.
type Opening struct {
	Owner   OwnerID
	Groups  uint32    // accounts only: the instrument groups, by bit, in which it may trade
	Session SessionID // sessions only: the one that opens or closes
}

// AllGroups permits every instrument group.
const AllGroups = ^uint32(0)

// OpenAccount opens an account of an owner, or changes the groups in which an open one may trade.
func OpenAccount(account AccountID, owner OwnerID, groups uint32) Command {
	return Command{Request: Request{Kind: KindOpenAccount, Account: account, Rare: Rare{uint64(owner), uint64(groups)}}}
}

// OpenSession lets a session act for the accounts of an owner; a later one for the same session fences the former. Like all
// of the venue's own commands it comes by session 0.
func OpenSession(session SessionID, owner OwnerID) Command {
	return Command{Request: Request{Kind: KindOpenSession, Rare: Rare{uint64(owner), 0, uint64(session)}}}
}

// CloseSession ends a session; its last Ref stays known.
func CloseSession(session SessionID) Command {
	return Command{Request: Request{Kind: KindCloseSession, Rare: Rare{0, 0, uint64(session)}}}
}

// Opening is the opening of a KindOpenAccount, KindOpenSession or KindCloseSession.
func (r *Request) Opening() Opening {
	return Opening{Owner: OwnerID(r.Rare[0]), Groups: uint32(r.Rare[1]), Session: SessionID(r.Rare[2])}
}

// InstrumentType is what is traded.
type InstrumentType uint8

const (
	_         InstrumentType = iota
	Spot                     // an asset against money: paid in full
	Perpetual                // a linear perpetual, margined in the settlement currency
)

// Listing is what never changes in the life of an instrument.
type Listing struct {
	Symbol   [24]byte       // zero padded, for people
	TickLot  fixed.Money    // the value of one tick of one lot
	UnitLots fixed.Lots     // lots to one unit of the underlying
	Start    fixed.Ticks    // a price near which it is expected to trade
	Type     InstrumentType //
	STP      STP            // what STPDefault means here
	Group    uint8          // permission group, 0..31
	// Underlying is whose index the instrument has; 0: none, and then Mark is MarkManual.
	Underlying UnderlyingID
	Mark       MarkMode // where its mark comes from
}

// List brings an instrument into being, in phase closed.
func List(instr InstrumentID, l Listing) Command {
	c := Command{Request: Request{Kind: KindList, Instr: instr}}
	spell(&c.Rare, l.Symbol)
	c.Rare[3], c.Rare[4], c.Rare[5] = uint64(l.TickLot), uint64(l.UnitLots), uint64(l.Start)
	c.Rare[6] = uint64(l.Type) | uint64(l.STP)<<8 | uint64(l.Group)<<16 | uint64(l.Underlying)<<24 | uint64(l.Mark)<<40
	return c
}

// Listing is the listing of a KindList.
func (r *Request) Listing() Listing {
	l := Listing{TickLot: fixed.Money(r.Rare[3]), UnitLots: fixed.Lots(r.Rare[4]), Start: fixed.Ticks(r.Rare[5]),
		Type: InstrumentType(r.Rare[6]), STP: STP(r.Rare[6] >> 8), Group: uint8(r.Rare[6] >> 16),
		Underlying: UnderlyingID(r.Rare[6] >> 24), Mark: MarkMode(r.Rare[6] >> 40)}
	l.Symbol = symbol(&r.Rare)
	return l
}

// spell writes a symbol into the first three words of a second line.
func spell(r *Rare, symbol [24]byte) {
	for i, b := range symbol {
		r[i/8] |= uint64(b) << (i % 8 * 8)
	}
}

// symbol is what spell wrote.
func symbol(r *Rare) (s [24]byte) {
	for i := range s {
		s[i] = byte(r[i/8] >> (i % 8 * 8))
	}
	return s
}

// Tier is one margin bracket. Brackets come in order, from index 0 on; the one without an upper bound ends the table
// and puts it into force as a whole.
type Tier struct {
	Index                uint8
	UpTo                 fixed.Money // notional up to which it holds; 0: without bound, the last
	Initial, Maintenance fixed.Rate
}

// SetTier states one margin bracket of an instrument.
func SetTier(instr InstrumentID, t Tier) Command {
	return Command{Request: Request{Kind: KindSetTier, Instr: instr,
		Rare: Rare{uint64(t.Index), uint64(t.UpTo), uint64(t.Initial), uint64(t.Maintenance)}}}
}

// Tier is the bracket of a KindSetTier.
func (r *Request) Tier() Tier {
	return Tier{uint8(r.Rare[0]), fixed.Money(r.Rare[1]), fixed.Rate(r.Rare[2]), fixed.Rate(r.Rare[3])}
}

// Fees are the fee rates of an instrument. A negative maker rate is a rebate; Maker + Taker >= 0.
type Fees struct{ Maker, Taker fixed.Rate }

// SetFees states the fee rates of an instrument.
func SetFees(instr InstrumentID, f Fees) Command {
	return Command{Request: Request{Kind: KindSetFees, Instr: instr, Rare: Rare{uint64(f.Maker), uint64(f.Taker)}}}
}

// Fees are the rates of a KindSetFees.
func (r *Request) Fees() Fees { return Fees{fixed.Rate(r.Rare[0]), fixed.Rate(r.Rare[1])} }

// Phase is the trading phase of an instrument.
type Phase uint8

const (
	Closed      Phase = iota // nothing; orders may be canceled
	CallAuction              // orders rest; nothing trades until it is uncrossed
	Continuous               // orders match as they come
	ReduceOnly               // only orders that reduce a position
	Halted                   // nothing; orders may be canceled
	phaseEnd
)

// SetPhase moves an instrument to a phase.
func SetPhase(instr InstrumentID, phase Phase) Command {
	return Command{Request: Request{Kind: KindSetPhase, Instr: instr, Rare: Rare{uint64(phase)}}}
}

// Phase is the phase of a KindSetPhase.
func (r *Request) Phase() Phase { return Phase(r.Rare[0]) }

// Scope is how far an Entry reaches.
type Scope uint8

const (
	_               Scope = iota
	ScopeAccount          // the command's Account
	ScopeOwner            // the Entry's Owner
	ScopeInstrument       // the command's Instr
	ScopeVenue            // everything
	scopeEnd
)

// Action is what an Entry does to new orders of its scope.
type Action uint8

const (
	_              Action = iota
	Block                 // new orders are refused
	BlockAndCancel        // and what rests is canceled
	ReduceEntry           // only orders that reduce a position
	Unblock               // as if nothing had been said
	actionEnd
)

// Entry is a turn of the kill switch.
type Entry struct {
	Scope  Scope
	Action Action
	Owner  OwnerID // with ScopeOwner
}

// SetEntry turns the kill switch of a scope; account and instr say which where the scope is theirs.
func SetEntry(account AccountID, instr InstrumentID, e Entry) Command {
	return Command{Request: Request{Kind: KindSetEntry, Account: account, Instr: instr,
		Rare: Rare{uint64(e.Scope), uint64(e.Action), uint64(e.Owner)}}}
}

// Entry is the turn of a KindSetEntry.
func (r *Request) Entry() Entry {
	return Entry{Scope(r.Rare[0]), Action(r.Rare[1]), OwnerID(r.Rare[2])}
}

// CopyFrom copies the lines in use.
func (r *Request) CopyFrom(from *Request) {
	r.Time, r.Order, r.Ref, r.Price, r.Qty = from.Time, from.Order, from.Ref, from.Price, from.Qty
	r.Account, r.Instr, r.Session, r.Flags = from.Account, from.Instr, from.Session, from.Flags
	r.Kind, r.Side, r.TIF, r.STP = from.Kind, from.Side, from.TIF, from.STP
	if from.Lines() > 1 {
		r.Rare = from.Rare
	}
}
