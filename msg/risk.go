package msg

import "github.com/lockstep-exchange/lockstep/fixed"

// The commands of margin: underlyings and their prices, leverage, isolated margin, funding, the insurance fund, fee tiers.

// Underlying is what an index is the price of.
type Underlying struct {
	Symbol  [24]byte     // zero padded, for people
	ID      UnderlyingID //
	Sources uint8        // of its index, 1..8; a report names one by its number from 1 on
}

// ListUnderlying brings an underlying into being, without an index.
func ListUnderlying(u Underlying) Command {
	c := Command{Request: Request{Kind: KindListUnderlying}}
	spell(&c.Rare, u.Symbol)
	c.Rare[3], c.Rare[4] = uint64(u.ID), uint64(u.Sources)
	return c
}

// Underlying is the underlying of a KindListUnderlying.
func (r *Request) Underlying() Underlying {
	return Underlying{Symbol: symbol(&r.Rare), ID: UnderlyingID(r.Rare[3]), Sources: uint8(r.Rare[4])}
}

// Report is what a source says of an underlying.
type Report struct {
	Underlying UnderlyingID
	Source     uint8       // from 1 on; 0: every source says the same
	Price      fixed.Money // of one unit; 0 or less, where most agree on it, halts its instruments (M-33)
	Confidence fixed.Rate  // up to One
}

// ReportPrice is the report of a source.
func ReportPrice(p Report) Command {
	return Command{Request: Request{Kind: KindReport,
		Rare: Rare{uint64(p.Underlying), uint64(p.Source), uint64(p.Price), uint64(p.Confidence)}}}
}

// Report is the report of a KindReport.
func (r *Request) Report() Report {
	return Report{UnderlyingID(r.Rare[0]), uint8(r.Rare[1]), fixed.Money(r.Rare[2]), fixed.Rate(r.Rare[3])}
}

// Leverage is a chosen leverage in hundredths: 1,000 is tenfold. 0: none chosen, the tiers alone.
type Leverage uint16

// SetLeverage chooses the leverage of an account in an instrument (M-09).
func SetLeverage(account AccountID, instr InstrumentID, x Leverage) Command {
	return Command{Request: Request{Kind: KindSetLeverage, Account: account, Instr: instr, Rare: Rare{uint64(x)}}}
}

// Leverage is the leverage of a KindSetLeverage.
func (r *Request) Leverage() Leverage { return Leverage(r.Rare[0]) }

// Isolation is the cash that moves with or into an isolated position.
type Isolation struct {
	Margin fixed.Money // Isolate: 0 or more where Stated; MoveMargin: into the position, below 0 out of it
	Stated bool        // Isolate: Margin is stated, else it is the initial requirement (M-26)
}

// Isolate gives the position of an account in an instrument the stated margin of its own (M-26).
func Isolate(account AccountID, instr InstrumentID, margin fixed.Money) Command {
	return isolation(KindIsolate, account, instr, Isolation{margin, true})
}

// IsolateDefault is Isolate with the initial requirement as margin.
func IsolateDefault(account AccountID, instr InstrumentID) Command {
	return isolation(KindIsolate, account, instr, Isolation{})
}

// Cross gives an isolated position back to the margin of its account (M-27).
func Cross(account AccountID, instr InstrumentID) Command {
	return isolation(KindCross, account, instr, Isolation{})
}

// MoveMargin moves cash from an account into its isolated position, below 0 back (M-28).
func MoveMargin(account AccountID, instr InstrumentID, margin fixed.Money) Command {
	return isolation(KindMoveMargin, account, instr, Isolation{Margin: margin})
}

func isolation(kind Kind, account AccountID, instr InstrumentID, i Isolation) Command {
	return Command{Request: Request{Kind: kind, Account: account, Instr: instr, Rare: Rare{uint64(i.Margin), bit(i.Stated)}}}
}

// Isolation is the cash of a KindIsolate or KindMoveMargin.
func (r *Request) Isolation() Isolation { return Isolation{fixed.Money(r.Rare[0]), r.Rare[1] == 1} }

// SettleFunding settles one payment of an instrument at a rate, the whole of it (M-42).
func SettleFunding(instr InstrumentID, rate fixed.Rate) Command {
	return Command{Request: Request{Kind: KindSettleFunding, Instr: instr, Rare: Rare{uint64(rate)}}}
}

// FundingRate is the rate of a KindSettleFunding.
func (r *Request) FundingRate() fixed.Rate { return fixed.Rate(r.Rare[0]) }

// PayFund pays amount into the insurance fund, from outside.
func PayFund(amount fixed.Money) Command { return payment(KindPayFund, 0, Payment{Amount: amount}) }

// FeeTier is one row of the venue's fee tiers (M-44). Rows come in order, from index 0 and volume 0 on; the last puts the
// table into force as a whole.
type FeeTier struct {
	Index  uint8
	Last   bool
	Volume fixed.Money // of an owner in 30 days, from which the row holds
	Fees   Fees
}

// SetFeeTier states one row of the fee tiers.
func SetFeeTier(t FeeTier) Command {
	return Command{Request: Request{Kind: KindSetFeeTier,
		Rare: Rare{uint64(t.Index), bit(t.Last), uint64(t.Volume), uint64(t.Fees.Maker), uint64(t.Fees.Taker)}}}
}

// FeeTier is the row of a KindSetFeeTier.
func (r *Request) FeeTier() FeeTier {
	return FeeTier{uint8(r.Rare[0]), r.Rare[1] == 1, fixed.Money(r.Rare[2]),
		Fees{fixed.Rate(r.Rare[3]), fixed.Rate(r.Rare[4])}}
}

// Concentration is one row of an instrument's add-on for those who hold much of it (M-11). Rows come in order, with rising
// shares, from index 0 on; the last puts the table into force. One row with share 0 and rate 0 is no add-on.
type Concentration struct {
	Index uint8
	Last  bool
	Share fixed.Rate // of an owner's lots in open interest, from which the rate holds
	Rate  fixed.Rate // of notional, added to initial
}

// SetConcentration states one row of the concentration add-on of an instrument.
func SetConcentration(instr InstrumentID, c Concentration) Command {
	return Command{Request: Request{Kind: KindSetConcentration, Instr: instr,
		Rare: Rare{uint64(c.Index), bit(c.Last), uint64(c.Share), uint64(c.Rate)}}}
}

// Concentration is the row of a KindSetConcentration.
func (r *Request) Concentration() Concentration {
	return Concentration{uint8(r.Rare[0]), r.Rare[1] == 1, fixed.Rate(r.Rare[2]), fixed.Rate(r.Rare[3])}
}

// appendRisk writes line 2 of the commands of margin.
func (r *Request) appendRisk(dst []byte) []byte {
	switch r.Kind {
	case KindListUnderlying:
		dst = r.Underlying().append(dst)
	case KindReport:
		dst = r.Report().append(dst)
	case KindSetLeverage:
		dst = r.Leverage().append(append(dst, " x="...))
	case KindIsolate:
		if i := r.Isolation(); i.Stated {
			dst = appendMoney(dst, " margin=", i.Margin)
		}
	case KindMoveMargin:
		dst = appendMoney(dst, " add=", r.Isolation().Margin)
	case KindSettleFunding:
		dst = appendRate(dst, " rate=", r.FundingRate())
	case KindPayFund:
		dst = appendMoney(dst, " amount=", r.Payment().Amount)
		dst = appendID(dst, " external=", r.Payment().External)
	case KindSetFeeTier:
		dst = r.FeeTier().append(dst)
	case KindSetConcentration:
		dst = r.Concentration().append(dst)
	default:
		dst = r.appendUpkeep(dst)
	}
	return dst
}

// append writes the underlying.
func (u Underlying) append(dst []byte) []byte {
	dst = appendSymbol(dst, u.Symbol)
	dst = appendUint(dst, " underlying=", u.ID)
	return appendUint(dst, " sources=", u.Sources)
}

// append writes the report.
func (p Report) append(dst []byte) []byte {
	dst = appendUint(dst, " underlying=", p.Underlying)
	if p.Source == 0 {
		dst = append(dst, " source=all"...)
	} else {
		dst = appendUint(dst, " source=", p.Source)
	}
	dst = appendMoney(dst, " price=", p.Price)
	return appendRate(dst, " confidence=", p.Confidence)
}

// append writes the leverage as a factor, as in 10.50.
func (x Leverage) append(dst []byte) []byte {
	dst = appendUint(dst, "", uint16(x)/100)
	return append(dst, '.', byte('0'+x/10%10), byte('0'+x%10))
}

// append writes the row.
func (t FeeTier) append(dst []byte) []byte {
	dst = appendUint(dst, " row=", t.Index)
	dst = appendMoney(dst, " volume=", t.Volume)
	return appendLast(t.Fees.append(dst), t.Last)
}

// append writes the row.
func (c Concentration) append(dst []byte) []byte {
	dst = appendUint(dst, " row=", c.Index)
	dst = appendRate(dst, " share=", c.Share)
	return appendLast(appendRate(dst, " rate=", c.Rate), c.Last)
}

// appendLast marks the row that ends a table.
func appendLast(dst []byte, last bool) []byte {
	if last {
		dst = append(dst, " last"...)
	}
	return dst
}
