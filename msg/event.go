package msg

import "github.com/lockstep-exchange/lockstep/fixed"

// EventSize is the size of an Event in bytes: two cache lines.
const EventSize = 128

// Event is one fact that a command brought about. (Seq, Index) names it for ever; Account, Session and Ref are those of
// the party it concerns, so that a reply finds home.
//
//	line 1   0 Seq u64 · 8 Time i64 · 16 Order u64 · 24 Ref u64 · 32 Price i64 · 40 Qty i64
//	         48 Account u32 · 52 Instr u32 · 56 Session u16 · 58 Index u16 · 60 Reject · 61 Reason · 62 Kind · 63 Side, u8 each
//	line 2   64 Rare [8]u64, by Kind: a struct of its own
//
// Line 2 of a kind whose Lines is 1 holds nothing: it may be left over from another event and is never to be read. Compare
// events with Equal.
type Event struct {
	Seq     Seq
	Time    fixed.Nanos
	Order   OrderID
	Ref     Ref
	Price   fixed.Ticks
	Qty     fixed.Lots
	Account AccountID
	Instr   InstrumentID
	Session SessionID
	Index   uint16
	Reject  Reject // of Rejected: why
	Reason  Reason // of Canceled: why
	Kind    EventKind
	Side    Side
	Rare    Rare
}

// EventKind says what happened. The kinds of one line come first.
type EventKind uint8

const (
	_                EventKind = iota
	Accepted                   // an order is in: Price and Qty as it works
	MarkUpdated                // Instr is marked at Price, Qty lots of it are held long
	Ticked                     // time is Time
	Rejected                   // the command had no effect: Reject and a Refusal
	Traded                     // one side of a trade of Qty at Price: a Fill
	Amended                    // new Price, Qty lots open: a Change
	Canceled                   // Qty lots of an order were canceled: Reason and a Change
	Expired                    // a GTD order reached its time, Qty lots of it were open: a Change
	MassCanceled               // CancelAll or BlockAndCancel is done: Qty orders were canceled: an Entry
	AccountOpened              // an Opening
	SessionOpened              // an Opening; Session is the one that opened
	SessionClosed              // an Opening; Session is the one that closed
	Deposited                  // a Balance
	Withdrawn                  // a Balance
	Transferred                // a Balance, once for either side; Qty lots of an asset where an instrument is named
	AssetDeposited             // Qty lots: a Balance
	AssetWithdrawn             // Qty lots: a Balance
	RebateVested               // a Balance
	InstrumentListed           // a Listing
	TierSet                    // a Tier
	FeesSet                    // Fees
	RuleSet                    // a Setting
	PhaseChanged               // a PhaseStep
	EntryChanged               // an Entry

	UnderlyingListed     // an Underlying
	IndexUpdated         // the index of an underlying moved: an IndexStep
	OracleHealth         // the health of an index changed: a HealthStep
	LeverageSet          // Account's chosen leverage in Instr
	ModeChanged          // Account's position in Instr is margined otherwise: a ModeStep
	MarginMoved          // cash went into an isolated position, or out below zero: a Balance of the account
	FundingSettled       // a payment of Instr is due to all who hold it, Qty lots of it long: a FundingStep
	FundingPaid          // it reached Account's cash: a Balance
	FeeTierSet           // a FeeTier
	FeeTierChanged       // an owner has another row of the fee tiers: a TierStep
	ConcentrationSet     // a Concentration
	MarginCall           // a pool fell to a worse rung: a RungStep
	MarginCallCleared    // a pool rose to a better rung: a RungStep
	OrdersCanceledByRisk // Qty orders of Account that added risk were canceled
	LiquidationStarted   // a pool is being closed: a RungStep
	LiquidationSlice     // Qty lots of it were closed at Price on average: a Closeout
	LiquidationEnded     // it is out of it: a RungStep
	Takeover             // the fund takes the pool over: a RungStep
	FundDraw             // the insurance fund paid: a Balance of the fund
	FundIncome           // the insurance fund was paid: a Balance of the fund
	AdlStarted           // winners' positions close a pool's: a RungStep
	AdlFill              // Qty lots of Account were closed at Price: a Closeout
	Socialized           // a gain of this deleveraging was cut: a Balance
	DeficitBooked        // a loss that nobody covers: a Balance of the deficit
	SweepPending         // Qty pools wait to be examined
	Checkpointed         // a Checkpoint
	StorageChanged       // the journal has more or less room: a StorageStep
	Maintained           // everyone has rested

	Received          // a command of a client's session is about to be answered: a Receipt and an Envelope
	KeySet            // a KeyChange
	SessionNegotiated // a Negotiation
	SessionBound      // a Bound
	SessionUnbound    // an Unbound
	GraceEnded        // the orders of a session that was not bound again go
	SessionFinalized  // a session has ended for good
	MessagesMissed    // messages of the client did not come: Missing
	MassCancelBegun   // a client's CancelAll goes on; Qty orders were canceled so far: an Entry
	DeadManSet        // a Deadline
	DeadManExpired    // the orders of Account go, for nobody has said anything in time: a Deadline
	OrderStated       // how an order stands, Qty lots of it open: a Standing
	QuotePlaced       // a side of a quote is in: Price and Qty as it works
	QuoteAnswered     // what became of an entry of a mass quote: a QuoteAnswer
	ProtectionSet     // a Protection
	ProtectionTripped // a group of Account's quotes has traded as much as it may, and they go: a Trip
	MarginForecast    // what an order would do; Reject: why it would be refused: a Forecast
	eventEnd

	lastShortEvent = Ticked
)

// Lines is how many cache lines the event uses.
func (e *Event) Lines() int {
	if e.Kind <= lastShortEvent {
		return 1
	}
	return 2
}

// Equal reports whether two events say the same, line 2 included where it is used.
func (e *Event) Equal(o *Event) bool {
	line := *e
	line.Rare = o.Rare
	return line == *o && (e.Lines() == 1 || e.Rare == o.Rare)
}

// CopyTo copies the lines in use.
func (e *Event) CopyTo(dst *Event) {
	dst.Seq, dst.Time, dst.Order, dst.Ref, dst.Price, dst.Qty = e.Seq, e.Time, e.Order, e.Ref, e.Price, e.Qty
	dst.Account, dst.Instr, dst.Session, dst.Index = e.Account, e.Instr, e.Session, e.Index
	dst.Reject, dst.Reason, dst.Kind, dst.Side = e.Reject, e.Reason, e.Kind, e.Side
	if e.Lines() > 1 {
		dst.Rare = e.Rare
	}
}

// Hash folds the lines in use into d.
func (e *Event) Hash(d *fixed.Digest) {
	d.Word(fixed.Four(uint64(e.Seq), uint64(e.Time), uint64(e.Order), uint64(e.Ref)))
	d.Word(fixed.Four(uint64(e.Price), uint64(e.Qty), uint64(e.Account)<<32|uint64(e.Instr),
		uint64(e.Session)<<48|uint64(e.Index)<<32|uint64(e.Reject)<<24|uint64(e.Reason)<<16|uint64(e.Kind)<<8|uint64(e.Side)))
	if r := &e.Rare; e.Lines() > 1 {
		d.Word(fixed.Four(r[0], r[1], r[2], r[3]))
		d.Word(fixed.Four(r[4], r[5], r[6], r[7]))
	}
}

// Reason says why an order was canceled; the numbers are those of the wire.
type Reason uint8

const (
	_                    Reason = iota
	CanceledByUser              // a Cancel
	CanceledByMass              // a CancelAll
	CanceledRemainder           // an IOC's or market order's rest
	CanceledBySTP               // self-trade prevention
	CanceledExpired             // its time had come when it was met
	CanceledPostOnly            // a post-only order that would take after a slide or an amend
	CanceledByDisconnect        // its session lost its connection, and was not bound again in time
	CanceledByDeadMan           // the deadline of its account's dead-man had passed
	CanceledByKill              // BlockAndCancel
	CanceledByProtection        // market-maker protection
	CanceledReduceOnly          // a reduce-only order had nothing left to reduce
	CanceledByRisk              // the liquidation ladder
	CanceledByMarket            // the state of the instrument
	_                           // linked order
	_                           // venue operator
	CanceledEventBound          // it would have met more orders than one command may
	CanceledByQuote             // a newer quote took its place
	reasonEnd
)

// Fill is what a Traded adds.
type Fill struct {
	Leaves   fixed.Lots  // open after the trade
	Filled   fixed.Lots  // traded so far
	Trade    TradeID     // shared by both sides
	Peer     OrderID     // the order on the other side
	Fee      fixed.Money // paid; negative is a rebate, pending until the day cut
	Realized fixed.Money // profit realized by this fill, fee not included
	Position fixed.Lots  // of the account in the instrument, after the trade
	Maker    bool        // this side was resting
}

// SetFill writes f as line 2.
func (e *Event) SetFill(f *Fill) {
	r := &e.Rare
	r[0], r[1], r[2], r[3] = uint64(f.Leaves), uint64(f.Filled), uint64(f.Trade), uint64(f.Peer)
	r[4], r[5], r[6], r[7] = uint64(f.Fee), uint64(f.Realized), uint64(f.Position), bit(f.Maker)
}

// bit is 1 for true.
func bit(b bool) uint64 {
	if b {
		return 1
	}
	return 0
}

// Fill is the fill of a Traded.
func (e *Event) Fill() Fill {
	r := &e.Rare
	return Fill{fixed.Lots(r[0]), fixed.Lots(r[1]), TradeID(r[2]), OrderID(r[3]),
		fixed.Money(r[4]), fixed.Money(r[5]), fixed.Lots(r[6]), r[7] == 1}
}

// Change is what an Amended, Canceled or Expired adds.
type Change struct {
	Filled  fixed.Lots // traded so far
	Leaves  fixed.Lots // open after it
	Request Ref        // Ref of the command that asked for it; 0: none asked
	Asker   SessionID  // its session
	Kept    bool       // Amended: it kept its place in the queue
}

// SetChange writes c as line 2.
func (e *Event) SetChange(c *Change) {
	r := &e.Rare
	r[0], r[1], r[2], r[3], r[4] = uint64(c.Filled), uint64(c.Leaves), uint64(c.Request), uint64(c.Asker), bit(c.Kept)
	r[5], r[6], r[7] = 0, 0, 0
}

// Change is the change of an Amended, Canceled or Expired.
func (e *Event) Change() Change {
	r := &e.Rare
	return Change{fixed.Lots(r[0]), fixed.Lots(r[1]), Ref(r[2]), SessionID(r[3]), r[4] == 1}
}

// Refusal is what a Rejected adds.
type Refusal struct {
	Limit, Actual int64 // the bound and what was found, in the unit of the field; both 0 when meaningless
	Asked         Kind  // the kind of the refused command; of a KindRefuse both numbers are in the units of the wire
	Field         uint8 // 1 + where the field stands in the message's table; 0: none, or it is not said
}

// SetRefusal writes r as line 2.
func (e *Event) SetRefusal(r Refusal) {
	e.Rare = Rare{uint64(r.Limit), uint64(r.Actual), uint64(r.Asked) | uint64(r.Field)<<8}
}

// Refusal is the refusal of a Rejected.
func (e *Event) Refusal() Refusal {
	return Refusal{int64(e.Rare[0]), int64(e.Rare[1]), Kind(e.Rare[2]), uint8(e.Rare[2] >> 8)}
}

// Balance is what the events of money add.
type Balance struct {
	Amount   fixed.Money // moved; signed in a Transferred: the payer's is negative
	Cash     fixed.Money // of the account, after it
	Lots     fixed.Lots  // of an asset: held after it
	Peer     AccountID   // Transferred: the other side
	External uint64      // as it came
}

// SetBalance writes b as line 2.
func (e *Event) SetBalance(b Balance) {
	e.Rare = Rare{uint64(b.Amount), uint64(b.Cash), uint64(b.Lots), uint64(b.Peer), b.External}
}

// Balance is the balance of an event of money.
func (e *Event) Balance() Balance {
	r := &e.Rare
	return Balance{fixed.Money(r[0]), fixed.Money(r[1]), fixed.Lots(r[2]), AccountID(r[3]), r[4]}
}

// PhaseStep is what a PhaseChanged adds.
type PhaseStep struct{ From, To Phase }

// SetPhaseStep writes s as line 2.
func (e *Event) SetPhaseStep(s PhaseStep) { e.Rare = Rare{uint64(s.From), uint64(s.To)} }

// PhaseStep is the step of a PhaseChanged.
func (e *Event) PhaseStep() PhaseStep { return PhaseStep{Phase(e.Rare[0]), Phase(e.Rare[1])} }
