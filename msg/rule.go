package msg

import "github.com/lockstep-exchange/lockstep/fixed"

// The parameters that a SetRule sets: names, units and the words for them. Their defaults and bounds are the market's.

// Rule names a parameter; its unit is in its comment. Those of the venue say so, the others are an instrument's.
type Rule uint8

const (
	_                   Rule = iota
	Band                     // Rate around the mark outside which an order is refused; 0: none
	MarketRange              // Rate around the mark within which a market order trades where there is no band
	PriceStep                // Ticks: prices are multiples of it; 0: every tick
	QtyStep                  // Lots: quantities are multiples of it; 0: every lot
	MaxOrderQty              // Lots of one order; 0: none
	MaxOrderNotional         // Money of one order; 0: none
	MinOrderNotional         // Money of one order; 0: none
	MaxOpenOrders            // open orders of an account in the instrument; 0: none
	MaxPosition              // Lots of an owner, open orders counted; 0: none
	MaxOpenInterest          // Lots long over all accounts; 0: none
	SlopeInitial             // Rate added to initial per unit of size
	SlopeMaintenance         // Rate added to maintenance per unit of size
	MessageRate              // venue: messages a second of an account; 0: no throttle
	MessageBurst             // venue: messages at once of an account
	ProfitHaircut            // venue: Rate of unrealized profit that cannot be withdrawn
	WithdrawMargin           // venue: Rate of notional that a withdrawal leaves behind
	InterestLow              // Money long notional from which initial rises; with oi-high 0: never (M-10)
	InterestHigh             // Money long notional at which initial is 100 % (M-10)
	IsolatedNoRemove         // 1: isolated margin stays where it is (M-28)
	CollateralHaircut        // Rate of a spot instrument's asset as collateral; 100 %: it is none (M-03)
	MarkFrom                 // a MarkMode (M-34)
	MarkInputs               // bits of MarkBasis, MarkBook, MarkTrades (M-36)
	MarkCombine              // 0: the median of the inputs, 1: their weighted mean (M-36)
	MarkWeightBasis          // the weight of an input (M-36)
	MarkWeightBook           // the weight of an input (M-36)
	MarkWeightTrades         // the weight of an input (M-36)
	MarkStale                // Nanos after which an input is no more; 0: never (M-36)
	MarkWindow               // Nanos over which trades count (M-35)
	MarkDecay                // Rate by which a trade's weight falls over the window (M-35)
	MarkEMA                  // Nanos of the basis (M-35)
	MarkVelocity             // Rate a second that the mark may move when the clamp is closed (M-37)
	FundingInterval          // Nanos between payments; 0: by command alone (M-41)
	FundingBase              // Nanos to which rates refer (M-41)
	FundingSample            // Nanos between samples of the premium (M-40)
	FundingTrim              // Rate of the samples dropped at either end (M-41)
	FundingImpact            // Money notional of the impact prices (M-40)
	FundingPremiumCap        // Rate bound on a sample (M-40)
	FundingInterest          // Rate signed, per base (M-41)
	FundingScale             // Rate factor on the rate (M-41)
	FundingClampLow          // Rate signed (M-41)
	FundingClampHigh         // Rate signed (M-41)
	FundingMin               // Rate signed, the least rate (M-41)
	FundingMax               // Rate signed, the highest rate (M-41)
	LiqFraction              // Rate of a position in one slice (M-48)
	LiqFull                  // Money notional up to which a slice is the whole position (M-48)
	LiqMin                   // Lots: the least slice (M-48)
	LiqCap                   // Money notional of a slice (M-48)
	LiqBookShare             // Rate of the depth at the limit that a slice takes (M-48)
	LiqFee                   // Rate of a slice's value, to the fund (M-50)
	LiqSpread                // Rate of maintenance by which the fillable price leaves the mark (M-31)
	LiqAdjust                // Rate how fast it does (M-31)
	OracleStale              // venue: Nanos age from which a report is no longer fresh; 0: never (M-32)
	OracleOutlier            // venue: Rate distance from the median at which a source is dropped (M-32)
	OracleHalt               // venue: Nanos how long frozen until halted (M-33)
	OracleConfidence         // venue: Rate below which the confidence of an index is low (M-66)
	MarkStep                 // venue: Nanos between composite marks (M-34)
	LadderCall1              // venue: Rate health below which the first call comes (M-46)
	LadderCall1Exit          // venue: Rate health at which it ends (M-47)
	LadderCall2              // venue: Rate health below which the second call comes (M-46)
	LadderCall2Exit          // venue: Rate health at which it ends (M-47)
	LadderCall1Deadline      // venue: Nanos after which the first call is the second (M-47)
	LadderTarget             // venue: Rate health at which a liquidation ends (M-47)
	LiqStep                  // venue: Nanos between slices (M-48)
	LiqStall                 // venue: steps in a row without a fill until takeover (M-49)
	FundEventCap             // venue: Money that the fund pays in one takeover; the highest Money: none (M-52)
	FundDayCap               // venue: Money that it pays in a day; the highest Money: none (M-52)
	FundMin                  // venue: Money that stays in the fund (M-52)
	FundInventory            // venue: Money notional that the fund may hold; the highest Money: none (M-52)
	FundRange                // venue: Rate around the mark in which the fund sells (M-52)
	AdlBand                  // venue: Rate around the mark in which deleveraging closes (M-53)
	SweepLimit               // venue: pools examined in one command (M-58)
	WireFunding              // venue: Rate of a pool's distance, given to funding (M-56)
	ruleEnd
)

// MarkMode says where an instrument's mark comes from (M-34).
type MarkMode uint8

const (
	MarkManual    MarkMode = iota // a SetMark
	MarkIndex                     // the index of the underlying, in ticks
	MarkComposite                 // basis, book and trades, each mark-step
	markEnd
)

// The inputs of a composite mark, by bit of MarkInputs (M-35).
const (
	MarkBasis  = 1 << iota // index and a smoothed basis
	MarkBook               // median of best bid, best ask and last
	MarkTrades             // mean of the trades in the window
)

// Setting is a parameter and its value.
type Setting struct {
	Rule  Rule
	Value int64 // in the rule's unit
}

// SetRule sets a parameter of an instrument, or with instr 0 of the venue.
func SetRule(instr InstrumentID, rule Rule, value int64) Command {
	return Command{Request: Request{Kind: KindSetRule, Instr: instr, Rare: Rare{uint64(rule), uint64(value)}}}
}

// Setting is the parameter of a KindSetRule.
func (r *Request) Setting() Setting { return Setting{Rule(r.Rare[0]), int64(r.Rare[1])} }

// unit is what the value of a rule counts.
type unit uint8

const (
	count unit = iota // ticks, lots, messages, bits
	rate
	money
	nanos
)

// rules are the word and the unit of each rule.
var rules = [ruleEnd]struct {
	name string
	unit unit
}{
	Band:                {"band", rate},
	MarketRange:         {"market-range", rate},
	PriceStep:           {"price-step", count},
	QtyStep:             {"qty-step", count},
	MaxOrderQty:         {"max-order-qty", count},
	MaxOrderNotional:    {"max-order-notional", money},
	MinOrderNotional:    {"min-order-notional", money},
	MaxOpenOrders:       {"max-open-orders", count},
	MaxPosition:         {"max-position", count},
	MaxOpenInterest:     {"max-oi", count},
	SlopeInitial:        {"slope-initial", rate},
	SlopeMaintenance:    {"slope-maintenance", rate},
	MessageRate:         {"message-rate", count},
	MessageBurst:        {"message-burst", count},
	ProfitHaircut:       {"upnl-haircut", rate},
	WithdrawMargin:      {"withdraw-margin", rate},
	InterestLow:         {"oi-low", money},
	InterestHigh:        {"oi-high", money},
	IsolatedNoRemove:    {"isolated-no-remove", count},
	CollateralHaircut:   {"haircut", rate},
	MarkFrom:            {"mark", count},
	MarkInputs:          {"mark-inputs", count},
	MarkCombine:         {"mark-combine", count},
	MarkWeightBasis:     {"mark-weight-basis", count},
	MarkWeightBook:      {"mark-weight-book", count},
	MarkWeightTrades:    {"mark-weight-trades", count},
	MarkStale:           {"mark-stale", nanos},
	MarkWindow:          {"mark-window", nanos},
	MarkDecay:           {"mark-decay", rate},
	MarkEMA:             {"mark-ema", nanos},
	MarkVelocity:        {"mark-velocity", rate},
	FundingInterval:     {"funding-interval", nanos},
	FundingBase:         {"funding-base", nanos},
	FundingSample:       {"funding-sample", nanos},
	FundingTrim:         {"funding-trim", rate},
	FundingImpact:       {"funding-impact", money},
	FundingPremiumCap:   {"funding-premium-cap", rate},
	FundingInterest:     {"funding-interest", rate},
	FundingScale:        {"funding-scale", rate},
	FundingClampLow:     {"funding-clamp-low", rate},
	FundingClampHigh:    {"funding-clamp-high", rate},
	FundingMin:          {"funding-min", rate},
	FundingMax:          {"funding-max", rate},
	LiqFraction:         {"liq-fraction", rate},
	LiqFull:             {"liq-full", money},
	LiqMin:              {"liq-min", count},
	LiqCap:              {"liq-cap", money},
	LiqBookShare:        {"liq-book-share", rate},
	LiqFee:              {"liq-fee", rate},
	LiqSpread:           {"liq-spread", rate},
	LiqAdjust:           {"liq-adjust", rate},
	OracleStale:         {"oracle-stale", nanos},
	OracleOutlier:       {"oracle-outlier", rate},
	OracleHalt:          {"oracle-halt", nanos},
	OracleConfidence:    {"oracle-confidence", rate},
	MarkStep:            {"mark-step", nanos},
	LadderCall1:         {"ladder-call1", rate},
	LadderCall1Exit:     {"ladder-call1-exit", rate},
	LadderCall2:         {"ladder-call2", rate},
	LadderCall2Exit:     {"ladder-call2-exit", rate},
	LadderCall1Deadline: {"ladder-call1-deadline", nanos},
	LadderTarget:        {"ladder-target", rate},
	LiqStep:             {"liq-step", nanos},
	LiqStall:            {"liq-stall", count},
	FundEventCap:        {"fund-event-cap", money},
	FundDayCap:          {"fund-day-cap", money},
	FundMin:             {"fund-min", money},
	FundInventory:       {"fund-inventory", money},
	FundRange:           {"fund-range", rate},
	AdlBand:             {"adl-band", rate},
	SweepLimit:          {"sweep-limit", count},
	WireFunding:         {"wire-funding", rate},
}

// String is the name of the parameter, as in max-position.
func (r Rule) String() string {
	if r < ruleEnd && r != 0 {
		return rules[r].name
	}
	return word(nil, "rule-", uint64(r))
}

// String is manual, index or composite.
func (m MarkMode) String() string { return word(markNames[:], "mark-", uint64(m)) }

// append writes the parameter and its value in the rule's unit.
func (s Setting) append(dst []byte) []byte {
	dst = appendWord(dst, " ", s.Rule.String())
	if s.Rule < ruleEnd {
		switch rules[s.Rule].unit {
		case rate:
			return appendRate(dst, "=", fixed.Rate(s.Value))
		case money:
			return appendMoney(dst, "=", fixed.Money(s.Value))
		}
	}
	return appendInt(dst, "=", s.Value)
}
