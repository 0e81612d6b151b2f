package market

import "github.com/lockstep-exchange/lockstep/fixed"

// What a snapshot has of an instrument, of what its prices come from, and of the venue's rules: all of it. What is derived from
// marks and rules is stored as well, since it is little.

// Code codes an instrument.
func (in *Instrument) Code(c *fixed.Codec) {
	fixed.Word(c, &in.Mark)
	fixed.Word(c, &in.LotValue)
	fixed.Word(c, &in.TickLot)
	fixed.Word(c, &in.Low)
	fixed.Word(c, &in.High)
	for _, r := range [...]*fixed.Rate{&in.Taker, &in.Maker, &in.Reserve, &in.SlopeInitial, &in.SlopeMaintenance, &in.Band, &in.MarketRange, &in.Haircut} {
		fixed.Word(c, r)
	}
	fixed.Byte(c, &in.Type)
	fixed.Byte(c, &in.Phase)
	fixed.Byte(c, &in.Entry)
	fixed.Byte(c, &in.STP)
	fixed.Byte(c, &in.Group)
	fixed.Byte(c, &in.Brackets)
	c.Flag(&in.tiered)
	fixed.Byte(c, &in.MarkMode)
	fixed.Byte(c, &in.Health)
	fixed.Byte(c, &in.staged)
	c.Flag(&in.Plain)
	c.Flag(&in.MarginStays)
	fixed.Byte(c, &in.Asks)
	fixed.Half(c, &in.Opens)
	fixed.Word(c, &in.Last)
	fixed.Word(c, &in.PriceStep)
	fixed.Word(c, &in.QtyStep)
	fixed.Word(c, &in.MaxQty)
	fixed.Word(c, &in.MaxNotional)
	fixed.Word(c, &in.MinNotional)
	fixed.Word(c, &in.MaxOpen)
	fixed.Word(c, &in.MaxPosition)
	fixed.Word(c, &in.MaxInterest)
	fixed.Word(c, &in.InitialLot)
	fixed.Word(c, &in.MaintenanceLot)
	for i := range in.Spans {
		fixed.Word(c, &in.Spans[i].Low)
		fixed.Word(c, &in.Spans[i].Width)
	}
	fixed.Word(c, &in.PlainQty)
	fixed.Word(c, &in.PerLot)
	fixed.Word(c, &in.PerLotKept)
	fixed.Word(c, &in.CalmLow)
	fixed.Word(c, &in.CalmHigh)
	fixed.Word(c, &in.UnitLots)
	fixed.Word(c, &in.Start)
	fixed.Word(c, &in.Index)
	c.Bytes(in.Symbol[:])
	for i := range in.Table {
		in.Table[i].code(c)
		in.next[i].code(c)
	}
	in.Crowding.code(c)
	in.Liquidation.code(c)
	c.Within(c.Row(), "brackets in force", uint64(in.Brackets), MaxBrackets)
	c.Within(c.Row(), "brackets staged", uint64(in.staged), MaxBrackets)
	c.Within(c.Row(), "rows of the concentration table", uint64(max(in.Crowding.Count, in.Crowding.staged)), MaxShares)
	c.Within(c.Row(), "group", uint64(in.Group), 31)
}

func (b *Bracket) code(c *fixed.Codec) {
	fixed.Word(c, &b.From)
	fixed.Word(c, &b.Initial)
	fixed.Word(c, &b.Maintenance)
	c.Wide(&b.InitialD)
	c.Wide(&b.MaintenanceD)
}

func (o *Crowding) code(c *fixed.Codec) {
	fixed.Word(c, &o.Low)
	fixed.Word(c, &o.High)
	for i := range o.Rows {
		fixed.Word(c, &o.Rows[i].Share)
		fixed.Word(c, &o.Rows[i].Rate)
		fixed.Word(c, &o.next[i].Share)
		fixed.Word(c, &o.next[i].Rate)
	}
	fixed.Byte(c, &o.Count)
	fixed.Byte(c, &o.staged)
}

func (l *Liquidation) code(c *fixed.Codec) {
	for _, r := range [...]*fixed.Rate{&l.Fraction, &l.BookShare, &l.Fee, &l.Spread, &l.Adjust} {
		fixed.Word(c, r)
	}
	fixed.Word(c, &l.Full)
	fixed.Word(c, &l.Min)
	fixed.Word(c, &l.Cap)
}

// Code codes an underlying.
func (u *Underlying) Code(c *fixed.Codec) {
	fixed.Word(c, &u.Index)
	fixed.Word(c, &u.Confidence)
	fixed.Word(c, &u.IndexAt)
	fixed.Byte(c, &u.Health)
	fixed.Byte(c, &u.Sources)
	c.Bytes(u.Symbol[:])
	fixed.Word(c, &u.seen)
	fixed.Word(c, &u.frozen)
	for i := range u.reports {
		r := &u.reports[i]
		fixed.Word(c, &r.at)
		fixed.Word(c, &r.price)
		fixed.Word(c, &r.confidence)
		fixed.Word(c, &r.made)
	}
	c.Within(c.Row(), "sources", uint64(u.Sources), MaxSources)
}

// Code codes how an instrument is marked.
func (m *Marker) Code(c *fixed.Codec) {
	fixed.Byte(c, &m.Mode)
	fixed.Byte(c, &m.Inputs)
	for _, f := range [...]*bool{&m.Weighted, &m.began, &m.stood, &m.traded} {
		c.Flag(f)
	}
	fixed.Words(c, m.Weights[:])
	for _, t := range [...]*fixed.Nanos{&m.Stale, &m.Window, &m.EMA, &m.at, &m.bookAt, &m.emaAt} {
		fixed.Word(c, t)
	}
	fixed.Word(c, &m.Decay)
	fixed.Word(c, &m.Velocity)
	fixed.Word(c, &m.book)
	fixed.Word(c, &m.last)
	c.Wide(&m.basis)
	fixed.Word(c, &m.weight)
	fixed.Quarter(c, &m.head)
	fixed.Quarter(c, &m.count)
	if !c.Within(c.Row(), "first instant", uint64(m.head), MaxInstants-1) || !c.Within(c.Row(), "instants", uint64(m.count), MaxInstants) {
		m.head, m.count = 0, 0
	}
	for i := range m.count {
		at := &m.instants[(m.head+i)%MaxInstants]
		fixed.Word(c, &at.at)
		c.Wide(&at.lots)
		c.Wide(&at.value)
	}
}

// Code codes the funding of a perpetual.
func (f *Funding) Code(c *fixed.Codec) {
	fixed.Word(c, &f.Index)
	for _, r := range [...]*fixed.Rate{&f.Rate, &f.Trim, &f.PremiumCap, &f.Interest, &f.Scale, &f.Low, &f.High, &f.Min, &f.Max} {
		fixed.Word(c, r)
	}
	for _, t := range [...]*fixed.Nanos{&f.Interval, &f.Base, &f.Sample} {
		fixed.Word(c, t)
	}
	fixed.Word(c, &f.Impact)
	fixed.Word(c, &f.count)
	if !c.Within(c.Row(), "samples", f.count, MaxSamples) {
		f.count = 0
	}
	fixed.Halves(c, f.samples[:f.count])
}

// Code codes what holds for all instruments.
func (v *Venue) Code(c *fixed.Codec) {
	fixed.Word(c, &v.MessageRate)
	fixed.Word(c, &v.MessageBurst)
	fixed.Byte(c, &v.Entry)
	fixed.Byte(c, &v.Storage)
	for _, r := range [...]*fixed.Rate{&v.ProfitHaircut, &v.WithdrawMargin, &v.OracleOutlier, &v.OracleConfidence, &v.Ladder.Call1, &v.Ladder.Call1Exit,
		&v.Ladder.Call2, &v.Ladder.Call2Exit, &v.Ladder.Target, &v.Fund.Range, &v.Fund.AdlBand, &v.Sweep.Funding} {
		fixed.Word(c, r)
	}
	for _, t := range [...]*fixed.Nanos{&v.OracleStale, &v.OracleHalt, &v.MarkStep, &v.Ladder.Deadline, &v.Ladder.Step} {
		fixed.Word(c, t)
	}
	for _, m := range [...]*fixed.Money{&v.Fund.EventCap, &v.Fund.DayCap, &v.Fund.Min, &v.Fund.Inventory} {
		fixed.Word(c, m)
	}
	fixed.Word(c, &v.Ladder.Stall)
	fixed.Word(c, &v.Sweep.Limit)
}
