package msg

import "github.com/lockstep-exchange/lockstep/fixed"

// What the events of margin add: steps of an index and its health, of modes and rungs, funding, closeouts.

// Health is how far the sources of an index agree (M-33). The worse it is, the higher.
type Health uint8

const (
	_            Health = iota // nothing was reported yet
	Good                       // every source agrees
	Degraded                   // most agree
	Frozen                     // fewer: the index keeps its last value
	OracleHalted               // frozen for too long, or a price of 0 or less
	healthEnd
)

// String is good, degraded, frozen or halted.
func (h Health) String() string { return word(healthNames[:], "health-", uint64(h)) }

// Mode is how a position is margined.
type Mode uint8

const (
	_            Mode = iota
	ModeCross         // by all that its account has
	ModeIsolated      // by what was put beside it, and no more
	modeEnd
)

// String is cross or isolated.
func (m Mode) String() string { return word(modeNames[:], "mode-", uint64(m)) }

// Rung is where a pool stands on the ladder (M-46). The worse, the higher.
type Rung uint8

const (
	RungOK          Rung = iota
	RungCall1            // equity is short of a multiple of maintenance: a first call
	RungCall2            // a second one: nothing that adds risk
	RungLiquidating      // below maintenance: it is being sold
	_                    // auction
	RungTakeover         // nothing left: the fund takes it
	RungADL              // and where the fund declines, winners do
	rungEnd
)

// String is ok, call1, call2, liquidating, takeover or adl.
func (r Rung) String() string { return word(rungNames[:], "rung-", uint64(r)) }

// IndexStep is what an IndexUpdated adds.
type IndexStep struct {
	Underlying UnderlyingID
	Index      fixed.Money // of one unit
	Confidence fixed.Rate  // the least of the sources that agree
}

// SetIndexStep writes s as line 2.
func (e *Event) SetIndexStep(s IndexStep) {
	e.Rare = Rare{uint64(s.Underlying), uint64(s.Index), uint64(s.Confidence)}
}

// IndexStep is the step of an IndexUpdated.
func (e *Event) IndexStep() IndexStep {
	return IndexStep{UnderlyingID(e.Rare[0]), fixed.Money(e.Rare[1]), fixed.Rate(e.Rare[2])}
}

// HealthStep is what an OracleHealth adds.
type HealthStep struct {
	Underlying UnderlyingID
	From, To   Health
}

// SetHealthStep writes s as line 2.
func (e *Event) SetHealthStep(s HealthStep) {
	e.Rare = Rare{uint64(s.Underlying), uint64(s.From), uint64(s.To)}
}

// HealthStep is the step of an OracleHealth.
func (e *Event) HealthStep() HealthStep {
	return HealthStep{UnderlyingID(e.Rare[0]), Health(e.Rare[1]), Health(e.Rare[2])}
}

// ModeStep is what a ModeChanged adds.
type ModeStep struct {
	From, To Mode
	Margin   fixed.Money // that moved with the position
	Cash     fixed.Money // of the account, after it
}

// SetModeStep writes s as line 2.
func (e *Event) SetModeStep(s ModeStep) {
	e.Rare = Rare{uint64(s.From), uint64(s.To), uint64(s.Margin), uint64(s.Cash)}
}

// ModeStep is the step of a ModeChanged.
func (e *Event) ModeStep() ModeStep {
	return ModeStep{Mode(e.Rare[0]), Mode(e.Rare[1]), fixed.Money(e.Rare[2]), fixed.Money(e.Rare[3])}
}

// FundingStep is what a FundingSettled adds.
type FundingStep struct {
	Rate  fixed.Rate  // per funding base; of a SettleFunding the whole payment
	Index fixed.Money // of one unit, at which it was computed
	Step  int64       // 1e-6 Money a lot that longs pay
	Sum   int64       // of all steps so far
}

// SetFundingStep writes s as line 2.
func (e *Event) SetFundingStep(s FundingStep) {
	e.Rare = Rare{uint64(s.Rate), uint64(s.Index), uint64(s.Step), uint64(s.Sum)}
}

// FundingStep is the step of a FundingSettled.
func (e *Event) FundingStep() FundingStep {
	r := &e.Rare
	return FundingStep{fixed.Rate(r[0]), fixed.Money(r[1]), int64(r[2]), int64(r[3])}
}

// RungStep is what the events of the ladder add.
type RungStep struct {
	From, To    Rung
	Isolated    bool        // the pool is the position of Account in Instr, else all of Account
	Deadline    fixed.Nanos // MarginCall: when the first call becomes the second; 0: never
	Equity      fixed.Money // of the pool
	Maintenance fixed.Money // of the pool
}

// SetRungStep writes s as line 2.
func (e *Event) SetRungStep(s *RungStep) {
	e.Rare = Rare{uint64(s.From), uint64(s.To), bit(s.Isolated), uint64(s.Deadline), uint64(s.Equity), uint64(s.Maintenance)}
}

// RungStep is the step of an event of the ladder.
func (e *Event) RungStep() RungStep {
	r := &e.Rare
	return RungStep{Rung(r[0]), Rung(r[1]), r[2] == 1, fixed.Nanos(r[3]), fixed.Money(r[4]), fixed.Money(r[5])}
}

// Closeout is what a LiquidationSlice and an AdlFill add.
type Closeout struct {
	Fee      fixed.Money // to the fund
	Realized fixed.Money // by this closeout, fee not included
	Position fixed.Lots  // of the account in the instrument, after it
	Limit    fixed.Ticks // LiquidationSlice: the worst price it would have taken
	Rank     uint32      // AdlFill: place in the order of those who were closed, from 1 on
	Isolated bool        // the position has margin of its own
}

// SetCloseout writes c as line 2.
func (e *Event) SetCloseout(c *Closeout) {
	e.Rare = Rare{uint64(c.Fee), uint64(c.Realized), uint64(c.Position), uint64(c.Limit), uint64(c.Rank), bit(c.Isolated)}
}

// Closeout is the closeout of a LiquidationSlice or an AdlFill.
func (e *Event) Closeout() Closeout {
	r := &e.Rare
	return Closeout{fixed.Money(r[0]), fixed.Money(r[1]), fixed.Lots(r[2]), fixed.Ticks(r[3]), uint32(r[4]), r[5] == 1}
}

// TierStep is what a FeeTierChanged adds.
type TierStep struct {
	Owner  OwnerID
	Row    uint8       // of the fee tiers
	Volume fixed.Money // of the last 30 days
}

// SetTierStep writes s as line 2.
func (e *Event) SetTierStep(s TierStep) {
	e.Rare = Rare{uint64(s.Owner), uint64(s.Row), uint64(s.Volume)}
}

// TierStep is the step of a FeeTierChanged.
func (e *Event) TierStep() TierStep {
	return TierStep{OwnerID(e.Rare[0]), uint8(e.Rare[1]), fixed.Money(e.Rare[2])}
}

// appendRisk writes line 2 of the events of margin.
func (e *Event) appendRisk(dst []byte) []byte {
	asked := Request{Rare: e.Rare}
	switch e.Kind {
	case UnderlyingListed:
		dst = asked.Underlying().append(dst)
	case IndexUpdated:
		s := e.IndexStep()
		dst = appendUint(dst, " underlying=", s.Underlying)
		dst = appendMoney(dst, " index=", s.Index)
		dst = appendRate(dst, " confidence=", s.Confidence)
	case OracleHealth:
		s := e.HealthStep()
		dst = appendUint(dst, " underlying=", s.Underlying)
		dst = appendSteps(dst, s.From, s.To)
	case LeverageSet:
		dst = asked.Leverage().append(append(dst, " x="...))
	case ModeChanged:
		s := e.ModeStep()
		dst = appendSteps(dst, s.From, s.To)
		dst = appendMoney(dst, " margin=", s.Margin)
		dst = appendMoney(dst, " cash=", s.Cash)
	case MarginMoved, FundingPaid, FundDraw, FundIncome, Socialized, DeficitBooked:
		dst = e.Balance().append(dst)
	case FundingSettled:
		s := e.FundingStep()
		dst = appendRate(dst, " rate=", s.Rate)
		dst = appendMoney(dst, " index=", s.Index)
		dst = appendInt(dst, " step=", s.Step)
		dst = appendInt(dst, " sum=", s.Sum)
		dst = appendInterest(dst, e.Qty)
	case FeeTierSet:
		dst = asked.FeeTier().append(dst)
	case FeeTierChanged:
		s := e.TierStep()
		dst = appendUint(dst, " owner=", s.Owner)
		dst = appendUint(dst, " row=", s.Row)
		dst = appendMoney(dst, " volume=", s.Volume)
	case ConcentrationSet:
		dst = asked.Concentration().append(dst)
	case MarginCall, MarginCallCleared, LiquidationStarted, LiquidationEnded, Takeover, AdlStarted:
		dst = e.RungStep().append(dst)
	case LiquidationSlice, AdlFill:
		dst = e.Closeout().append(dst)
	default:
		dst = e.appendUpkeep(dst)
	}
	return dst
}

// appendInterest writes how many lots are held long, if any are.
func appendInterest(dst []byte, lots fixed.Lots) []byte {
	if lots == 0 {
		return dst
	}
	return appendInt(dst, " interest=", lots)
}

// append writes the step of the ladder.
func (s RungStep) append(dst []byte) []byte {
	dst = appendSteps(dst, s.From, s.To)
	if s.Isolated {
		dst = append(dst, " isolated"...)
	}
	if s.Deadline != 0 {
		dst = appendInt(dst, " deadline=", s.Deadline)
	}
	dst = appendMoney(dst, " equity=", s.Equity)
	return appendMoney(dst, " maintenance=", s.Maintenance)
}

// append writes the closeout.
func (c Closeout) append(dst []byte) []byte {
	dst = appendMoney(dst, " fee=", c.Fee)
	dst = appendMoney(dst, " realized=", c.Realized)
	dst = appendInt(dst, " position=", c.Position)
	if c.Limit != 0 {
		dst = appendInt(dst, " limit=", c.Limit)
	}
	dst = appendID(dst, " rank=", c.Rank)
	if c.Isolated {
		dst = append(dst, " isolated"...)
	}
	return dst
}

// appendSteps writes where something came from and went to.
func appendSteps[T interface{ String() string }](dst []byte, from, to T) []byte {
	return appendWord(appendWord(dst, " from=", from.String()), " to=", to.String())
}
