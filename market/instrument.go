// Package market holds one instrument's rules and prices: what it is, its margin brackets, fees, limits, trading phase
// and mark. It knows no accounts, no orders and no queue.
//
// A rule changes by a sequenced command and takes effect with it. Each setter refuses first (msg.RejectInvalidParameter)
// and then writes; a refused one leaves no trace.
package market

import (
	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/msg"
)

// MaxOpenOrders is how many orders an account may have in an instrument where no rule says less.
const MaxOpenOrders = 1<<16 - 1

// MaxBrackets is how many margin brackets an instrument may have.
const MaxBrackets = 16

// Instrument is one instrument. A zero Type means that it is not listed. The fields are read by the gate, by margin and
// by clearing; only the methods of this package write them.
//
// The fields are in the order of how often they are asked for. The first line is all that a plain order that rests reads besides its
// span, or goes, so that a venue of many instruments waits for few lines of each.
type Instrument struct {
	// The short way for plain orders reads these three lines; most are derived from mark and rules.
	Mark        fixed.Ticks // 0: not marked yet, no order is admitted
	TickLot     fixed.Money // the value of one tick of one lot
	Reserve     fixed.Rate  // max(0, Taker, Maker): what an open order sets aside for its fee (M-14)
	MaxNotional fixed.Money // of one order
	MinNotional fixed.Money // of one order
	PlainQty    fixed.Lots  // the most lots of an order that may go the short way: nothing that is reckoned of them leaves int64
	PerLot      fixed.Money // the initial requirement of a lot, rounded up
	Opens       uint32      // the bit of Group while it is Plain, else 0
	Plain       bool        // it is listed, Asks nothing, and no kill switch is turned: the short way is open
	Asks        Asks        // what an order has to be asked besides size, band and margin
	STP         msg.STP     // what STPDefault means here
	MarkMode    msg.MarkMode

	Spans    [2]Span     // of the prices at which an order may go the short way, by side & 1
	MaxOpen  int64       // orders of an account
	LotValue fixed.Money // Mark · TickLot: the value of one lot at the mark
	Taker    fixed.Rate  // fee rate of the order that comes
	Maker    fixed.Rate  // fee rate of the order that rests; negative: a rebate

	Last           fixed.Ticks // price of the last trade; 0: none yet
	PerLotKept     fixed.Money // the maintenance of a lot, rounded up
	CalmLow        fixed.Ticks // a sell that rests below it is asked before it trades, see Strays
	CalmHigh       fixed.Ticks // and a buy above it
	InitialLot     uint64      // LotValue times the rate, in billionths of Money, where a single bracket without slope makes
	MaintenanceLot uint64      // the requirement that simple; else 0
	Low            fixed.Ticks // no sell below it
	High           fixed.Ticks // no buy above it

	Type     msg.InstrumentType
	Phase    msg.Phase
	Entry    msg.Action // of the kill switch; 0: open
	Group    uint8      // permission group
	Brackets uint8      // in force
	tiered   bool       // the venue has fee tiers
	Health   msg.Health // of its prices; what it forbids says Permits
	staged   uint8      // brackets of a table that is still coming in

	PriceStep   fixed.Ticks // prices are multiples of it
	QtyStep     fixed.Lots  // quantities are multiples of it
	MaxQty      fixed.Lots  // of one order
	MaxPosition fixed.Lots  // of an owner; 0: none
	MaxInterest fixed.Lots  // long lots over all accounts; 0: none

	UnitLots         fixed.Lots // lots to one unit of the underlying
	SlopeInitial     fixed.Rate // M-07
	SlopeMaintenance fixed.Rate
	Band             fixed.Rate // around the mark; 0: none
	MarketRange      fixed.Rate // around the mark, for market orders where there is no band
	Start            fixed.Ticks
	Symbol           [24]byte

	Table [MaxBrackets]Bracket // the first Brackets are in force
	next  [MaxBrackets]Bracket // the first staged are waiting for the last

	// What only the rare command asks for.
	Crowding    Crowding
	Liquidation Liquidation
	Index       fixed.Money // of a unit of the underlying; 0: none yet
	Haircut     fixed.Rate  // of a spot instrument's asset as collateral; One: it is none (M-03)
	MarginStays bool        // isolated margin does not leave a position that is held (M-28)
	_           [31]byte    // to whole lines
}

// Span is a range of prices.
type Span struct {
	Low   fixed.Ticks
	Width uint64 // to the highest
}

// MaxPrice bounds what an order may state.
const MaxPrice fixed.Ticks = 1 << 55

// Asks are the questions that few instruments put, each at its place in the gate, so that the others are spared them all
// by one look. They are derived from the rules.
type Asks uint8

const (
	AskSteps    Asks = 1 << iota // PriceStep or QtyStep is above 1
	AskPhase                     // not continuous, not marked, or the health of the index forbids risk
	AskCaps                      // MaxPosition or MaxInterest is set
	AskMargin                    // spot, several brackets or a slope: InitialLot does not say it all
	AskFees                      // the venue has fee tiers: each owner has rates of his own (M-44)
	AskOthers                    // initial depends on what others hold: margin.Conditions have to be found first (M-10, M-11)
	AskLeverage                  // a position's: its account chose a leverage (M-09)
	AskMode                      // a position's: it has margin of its own (M-21)
)

// Bracket is one margin bracket: it holds for a notional above From, up to the next one's From (M-06).
type Bracket struct {
	From         fixed.Money
	Initial      fixed.Rate
	Maintenance  fixed.Rate
	InitialD     fixed.Wide // deducted from notional · rate, exact in 1e-9 Money
	MaintenanceD fixed.Wide
}

// List makes in the instrument that l describes, in phase closed, with the default bracket of 10 % initial and 5 %
// maintenance, without fees, band or limits.
func (in *Instrument) List(l msg.Listing) msg.Reject {
	switch {
	case in.Type != 0,
		l.Type != msg.Spot && l.Type != msg.Perpetual,
		l.TickLot <= 0 || l.UnitLots < 0 || l.Start < 0,
		l.STP > msg.STPNone || l.Group > 31:
		return msg.RejectInvalidParameter
	}
	*in = Instrument{Type: l.Type, TickLot: l.TickLot, UnitLots: max(l.UnitLots, 1), Start: l.Start, STP: l.STP, Group: l.Group,
		Symbol: l.Symbol, MarketRange: 10 * fixed.Percent, Brackets: 1, High: fixed.MaxInt64, Low: fixed.MinInt64,
		PriceStep: 1, QtyStep: 1, MaxQty: fixed.MaxInt64, MaxNotional: fixed.MaxInt64, MaxOpen: MaxOpenOrders,
		Liquidation: newLiquidation(), Haircut: fixed.One}
	if in.STP == msg.STPDefault {
		in.STP = msg.STPNone
	}
	in.Table[0] = Bracket{Initial: 10 * fixed.Percent, Maintenance: 5 * fixed.Percent}
	in.derive()
	return 0
}

// SetTier stages one bracket; the last one puts the staged table into force. Rates must not fall from bracket to bracket
// nor exceed 100 %, initial must not be below maintenance, and bounds must rise.
func (in *Instrument) SetTier(t msg.Tier) msg.Reject {
	if int(t.Index) >= MaxBrackets || t.Index != 0 && t.Index != in.staged || t.UpTo < 0 ||
		t.Maintenance < 0 || t.Maintenance > t.Initial || t.Initial > fixed.One {
		return msg.RejectInvalidParameter
	}
	b := Bracket{Initial: t.Initial, Maintenance: t.Maintenance}
	if t.Index > 0 {
		before := &in.next[t.Index-1]
		b.From = in.next[t.Index].From
		if t.Initial < before.Initial || t.Maintenance < before.Maintenance || t.UpTo != 0 && t.UpTo <= b.From {
			return msg.RejectInvalidParameter
		}
		b.InitialD = before.InitialD.Add(fixed.MulWide(int64(b.From), int64(t.Initial-before.Initial)))
		b.MaintenanceD = before.MaintenanceD.Add(fixed.MulWide(int64(b.From), int64(t.Maintenance-before.Maintenance)))
	}
	if t.UpTo != 0 && int(t.Index) == MaxBrackets-1 {
		return msg.RejectInvalidParameter
	}
	in.next[t.Index] = b
	in.staged = t.Index + 1
	if t.UpTo != 0 {
		in.next[t.Index+1].From = t.UpTo
		return 0
	}
	in.Table, in.Brackets, in.staged = in.next, in.staged, 0
	in.next = [MaxBrackets]Bracket{}
	for i := int(in.Brackets); i < MaxBrackets; i++ {
		in.Table[i] = Bracket{}
	}
	in.derive()
	return 0
}

// SetFees sets the fee rates. A taker is never paid, and a rebate never exceeds what the taker pays, so that the venue's
// fees of a trade are never negative (M-45).
func (in *Instrument) SetFees(f msg.Fees) msg.Reject {
	if f.Taker < 0 || f.Taker > fixed.One || f.Maker > fixed.One || f.Maker < -f.Taker {
		return msg.RejectInvalidParameter
	}
	in.Maker, in.Taker = f.Maker, f.Taker
	in.Reserve = max(0, f.Maker, f.Taker)
	in.derive()
	return 0
}

// SetRule sets one parameter of the instrument.
func (in *Instrument) SetRule(s msg.Setting) msg.Reject {
	if s.Value < 0 {
		return msg.RejectInvalidParameter
	}
	switch rate := fixed.Rate(s.Value); s.Rule {
	case msg.Band:
		if rate >= fixed.One {
			return msg.RejectInvalidParameter
		}
		in.Band = rate
	case msg.MarketRange:
		if rate == 0 || rate >= fixed.One {
			return msg.RejectInvalidParameter
		}
		in.MarketRange = rate
	case msg.SlopeInitial:
		if rate < in.SlopeMaintenance || rate > fixed.One {
			return msg.RejectInvalidParameter
		}
		in.SlopeInitial = rate
	case msg.SlopeMaintenance:
		if rate > in.SlopeInitial {
			return msg.RejectInvalidParameter
		}
		in.SlopeMaintenance = rate
	case msg.PriceStep:
		in.PriceStep = max(fixed.Ticks(s.Value), 1)
	case msg.QtyStep:
		in.QtyStep = max(fixed.Lots(s.Value), 1)
	case msg.MaxOrderQty:
		in.MaxQty = fixed.Lots(orNone(s.Value, fixed.MaxInt64))
	case msg.MaxOrderNotional:
		in.MaxNotional = fixed.Money(orNone(s.Value, fixed.MaxInt64))
	case msg.MinOrderNotional:
		in.MinNotional = fixed.Money(s.Value)
	case msg.MaxOpenOrders:
		in.MaxOpen = min(orNone(s.Value, MaxOpenOrders), MaxOpenOrders)
	case msg.MaxPosition:
		in.MaxPosition = fixed.Lots(s.Value)
	case msg.MaxOpenInterest:
		in.MaxInterest = fixed.Lots(s.Value)
	default:
		if r := in.setRare(s); r != 0 {
			return r
		}
	}
	in.derive()
	return 0
}

// SetTiered says that each owner has fee rates of his own, which replace the instrument's.
func (in *Instrument) SetTiered() {
	in.tiered = true
	in.derive()
}

// setRare sets a parameter that no order asks for; its value is not below 0.
func (in *Instrument) setRare(s msg.Setting) msg.Reject {
	switch s.Rule {
	case msg.InterestLow, msg.InterestHigh:
		return in.Crowding.setInterest(s)
	case msg.CollateralHaircut:
		if fixed.Rate(s.Value) > fixed.One {
			return msg.RejectInvalidParameter
		}
		in.Haircut = fixed.Rate(s.Value)
	case msg.IsolatedNoRemove:
		if s.Value > 1 {
			return msg.RejectInvalidParameter
		}
		in.MarginStays = s.Value == 1
	default:
		return in.Liquidation.set(s)
	}
	return 0
}

// SetPhase moves the instrument to a phase.
func (in *Instrument) SetPhase(to msg.Phase) msg.Reject {
	switch to {
	case msg.Closed, msg.CallAuction, msg.Continuous, msg.ReduceOnly, msg.Halted:
		in.Phase = to
		in.derive()
		return 0
	}
	return msg.RejectInvalidParameter
}

// SetMarkMode says where the mark comes from.
func (in *Instrument) SetMarkMode(m msg.MarkMode) { in.MarkMode = m }

// SetIndex says what a unit of the underlying is worth.
func (in *Instrument) SetIndex(index fixed.Money) { in.Index = index }

// SetHealth says what can be thought of the instrument's prices.
func (in *Instrument) SetHealth(h msg.Health) {
	in.Health = h
	in.derive()
}

// SetEntry sets the kill switch of the instrument.
func (in *Instrument) SetEntry(a msg.Action) {
	in.Entry = a
	in.derive()
}

// CanMark reports whether mark is a price at which lots lots can be valued below bound; bound is above 0.
func (in *Instrument) CanMark(mark fixed.Ticks, lots fixed.Lots, bound fixed.Money) msg.Reject {
	if mark <= 0 {
		return msg.RejectInvalidParameter
	}
	if v, ok := fixed.Notional(max(lots, 1), mark, in.TickLot); !ok || v > bound {
		return msg.RejectOverflow
	}
	return 0
}

// SetMark marks the instrument; the caller has asked CanMark. It reports whether the mark moved.
func (in *Instrument) SetMark(mark fixed.Ticks) (moved bool) {
	if in.Mark == mark {
		return false
	}
	in.Mark = mark
	in.LotValue, _ = fixed.Notional(1, mark, in.TickLot)
	in.derive()
	return true
}

// orNone is a bound, or for 0 the highest there is.
func orNone(bound, highest int64) int64 {
	if bound == 0 {
		return highest
	}
	return bound
}

// derive keeps the edges of the band, the rates per lot, what is asked, and whether and how far the short way is open.
func (in *Instrument) derive() {
	in.setBand()
	in.InitialLot, in.MaintenanceLot, in.Asks = 0, 0, 0
	if in.Brackets == 1 && in.SlopeInitial == 0 && in.Type == msg.Perpetual {
		initial, fits := fixed.Mul(int64(in.LotValue), int64(in.Table[0].Initial))
		maintenance, ok := fixed.Mul(int64(in.LotValue), int64(in.Table[0].Maintenance))
		if fits && ok {
			in.InitialLot, in.MaintenanceLot = uint64(initial), uint64(maintenance)
		}
	}
	if in.Crowding.floats() {
		in.InitialLot = 0
		in.Asks |= AskOthers
	}
	if in.InitialLot == 0 {
		in.Asks |= AskMargin
	}
	if in.PriceStep > 1 || in.QtyStep > 1 {
		in.Asks |= AskSteps
	}
	if in.Phase != msg.Continuous || in.Mark == 0 || !Permits(in.Health, AddRisk) {
		in.Asks |= AskPhase
	}
	if in.MaxPosition|in.MaxInterest != 0 {
		in.Asks |= AskCaps
	}
	if in.tiered {
		in.Asks |= AskFees
	}
	in.setCalm()
	in.shorten()
}

// setCalm derives how far from the mark a fill that closes lots frees more maintenance than it costs: Floor(P·(r - f)/(1 + f)) - 1 ticks, r the
// maintenance of the first bracket and f the highest fee, where that is above 0; 0 where owners have fees of their own.
func (in *Instrument) setCalm() {
	in.CalmLow, in.CalmHigh = fixed.MinInt64, fixed.MaxInt64
	if in.Type != msg.Perpetual || in.Mark == 0 {
		return
	}
	away := fixed.Ticks(0)
	if freed := in.Table[0].Maintenance - in.Reserve; freed > 0 && !in.tiered {
		ticks, _ := fixed.MulDivFloor(int64(in.Mark), int64(freed), int64(fixed.One+in.Reserve))
		away = max(0, fixed.Ticks(ticks)-1)
	}
	in.CalmLow, in.CalmHigh = in.Mark-away, in.Mark+away
}

// Strays reports whether a resting order of a side is so far on its losing side of the mark that its pool is asked before it trades (M-16).
func (in *Instrument) Strays(side msg.Side, price fixed.Ticks) bool {
	return side == msg.Sell && price < in.CalmLow || side == msg.Buy && price > in.CalmHigh
}

// shorten derives the short way. It ends at four times the mark, so that products need not be checked.
func (in *Instrument) shorten() {
	in.Plain, in.Opens, in.PlainQty = in.Asks == 0 && in.Entry == 0, 0, 0
	if !in.Plain {
		return
	}
	in.Opens = 1 << in.Group
	in.PerLot, _ = fixed.CeilOne(1, in.InitialLot)
	in.PerLotKept, _ = fixed.CeilOne(1, in.MaintenanceLot)
	top := MaxPrice
	if in.Mark < MaxPrice>>2 {
		top = 4 * in.Mark
	}
	low := max(in.Low, 1)
	in.Spans = [2]Span{
		msg.Sell & 1: {low, uint64(max(top, low) - low)},
		msg.Buy & 1:  {1, uint64(max(1, min(in.High, top)) - 1)},
	}
	dearest, ok := fixed.Notional(1, max(top, low), in.TickLot)
	if most, fits := fixed.Mul(int64(dearest), int64(max(in.Reserve, 16))); ok && fits {
		most, _ = fixed.MulDivFloor(1, fixed.MaxInt64-int64(fixed.One), most)
		in.PlainQty = min(in.MaxQty, fixed.Lots(most))
	}
}

// setBand derives the edges of the price band from the mark (M-73): buys up to the Floor, sells down to the Ceil.
func (in *Instrument) setBand() {
	in.Low, in.High = fixed.MinInt64, fixed.MaxInt64
	if in.Band != 0 && in.Mark != 0 {
		if high, ok := in.Band.ScaleFloor(in.Mark); ok {
			in.High = high
		}
		in.Low, _ = (-in.Band).ScaleCeil(in.Mark)
	}
}

// Protection is the price that bounds a market order: the band's edge, or without a band the market range around the
// mark, and protect where that is stricter and not 0 (M-18). The mark is set.
func (in *Instrument) Protection(side msg.Side, protect fixed.Ticks) fixed.Ticks {
	if side == msg.Buy {
		edge := in.High
		if in.Band == 0 {
			if high, ok := in.MarketRange.ScaleFloor(in.Mark); ok {
				edge = high
			}
		}
		if protect != 0 {
			edge = min(edge, protect)
		}
		return edge
	}
	edge := in.Low
	if in.Band == 0 {
		edge, _ = (-in.MarketRange).ScaleCeil(in.Mark)
	}
	return max(edge, protect, 1)
}

// Hash folds the instrument into d.
func (in *Instrument) Hash(d *fixed.Digest) {
	for _, v := range [...]int64{int64(in.Mark), int64(in.Last), int64(in.TickLot), int64(in.Taker), int64(in.Maker),
		int64(in.PriceStep), int64(in.QtyStep), int64(in.MaxQty), int64(in.MaxNotional), int64(in.MinNotional),
		in.MaxOpen, int64(in.MaxPosition), int64(in.MaxInterest), int64(in.UnitLots), int64(in.SlopeInitial),
		int64(in.SlopeMaintenance), int64(in.Band), int64(in.MarketRange), int64(in.Start)} {
		d.Word(uint64(v))
	}
	d.Word(uint64(in.Type) | uint64(in.Phase)<<8 | uint64(in.Entry)<<16 | uint64(in.STP)<<24 | uint64(in.Group)<<32 |
		uint64(in.Brackets)<<40 | uint64(in.staged)<<48 | flag(in.tiered)<<56)
	d.Word(uint64(in.MarkMode) | uint64(in.Health)<<8)
	hashSymbol(d, &in.Symbol)
	for i := range in.Table[:in.Brackets] {
		in.Table[i].hash(d)
	}
	for i := range in.next[:min(int(in.staged)+1, MaxBrackets)] {
		in.next[i].hash(d)
	}
	in.Crowding.hash(d)
	in.Liquidation.hash(d)
	d.Word(uint64(in.Index))
	d.Word(uint64(in.Haircut))
	d.Word(bit(in.MarginStays))
}

// bit is 1 for true.
func bit(b bool) uint64 {
	if b {
		return 1
	}
	return 0
}

func hashSymbol(d *fixed.Digest, s *[24]byte) {
	for i := 0; i < len(s); i += 8 {
		w := uint64(0)
		for _, b := range s[i : i+8] {
			w = w<<8 | uint64(b)
		}
		d.Word(w)
	}
}

func (b *Bracket) hash(d *fixed.Digest) {
	d.Word(uint64(b.From))
	d.Word(uint64(b.Initial))
	d.Word(uint64(b.Maintenance))
}
