package sim

import (
	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/msg"
)

// market is what everyone can know of the instruments, and what the venue's own client does: it lists them one after the other,
// marks them, lets prices crash, pays out and in, turns switches, and puts back what it has turned some commands later.
type market struct {
	options  *Options
	mids     [8]fixed.Ticks // about where it trades, by instrument
	undo     []undoing
	stray    [64]msg.OrderID // orders that somebody has seen, whoever's
	strays   int
	probes   msg.InstrumentID // an instrument that nobody trades until faults have healed
	welcomed int              // accounts that were opened
	accounts msg.AccountID    // of clients: 1..accounts; the two behind are the probe's
}

// undoing is a command that sets right, some commands on, what another has turned.
type undoing struct {
	in      int
	command msg.Command
}

// listings are what can be listed, in turns; the first of them is the probe's as well.
var listings = [...]msg.Listing{
	{Type: msg.Perpetual, TickLot: 10_000, UnitLots: 10, Start: 100, STP: msg.STPCancelNewest},
	{Type: msg.Perpetual, TickLot: 700, UnitLots: 3, Start: 1000, Group: 1},
	{Type: msg.Spot, TickLot: 2_300, Start: 50, Group: 2, STP: msg.STPDecrement},
	{Type: msg.Perpetual, TickLot: 10_000, UnitLots: 10, Start: 100, STP: msg.STPCancelNewest},
}

func (m *market) listing(id msg.InstrumentID) msg.Listing {
	if id == m.probes {
		return listings[0]
	}
	return listings[(int(id)-1)%len(listings)]
}

func newMarket(o *Options) market {
	m := market{options: o, probes: msg.InstrumentID(o.Instruments + 1), accounts: msg.AccountID(2 * o.Clients)}
	for i := 1; i < len(m.mids); i++ {
		m.mids[i] = m.listing(msg.InstrumentID(i)).Start
	}
	return m
}

// opening are the venue's first commands: one instrument that trades, and the probe's with its two accounts, each with a lot
// against the other, so that they can trade whatever tables are full.
func (m *market) opening(w *world) []msg.Command {
	long, short := m.accounts+1, m.accounts+2
	out := append([]msg.Command{msg.SetRule(0, msg.SweepLimit, int64(m.options.Sweep))}, m.list(w, 1)...)
	out = append(out, m.list(w, m.probes)...)
	for _, id := range [...]msg.AccountID{long, short} {
		out = append(out, msg.OpenAccount(id, msg.OwnerID(id), msg.AllGroups), msg.Deposit(id, 100_000*fixed.Coin))
	}
	out = append(out, msg.Limit(short, m.probes, msg.Sell, 100, 1), msg.Limit(long, m.probes, msg.Buy, 100, 1))
	for _, d := range w.desks {
		if d.client != 0 {
			id := msg.AccountID(ownerOf(d.client))
			out = append(out, msg.OpenAccount(id, ownerOf(d.client), msg.AllGroups), msg.Deposit(id, fixed.Money(m.options.Money)*10_000))
		}
		out = append(out, msg.SetKey(d.change()))
	}
	if len(w.desks) > 0 {
		out = append(out, msg.SetKey(msg.KeyChange{Key: intruderKey, Role: msg.RoleRiskManager, Owner: ownerOf(1), Scheme: 1, Public: [32]byte{9}}))
	}
	return out
}

// list are the commands that bring an instrument into being.
func (m *market) list(w *world, id msg.InstrumentID) []msg.Command {
	l := m.listing(id)
	var out []msg.Command
	if m.options.Priced > 0 && id != m.probes {
		l.Underlying = msg.UnderlyingID(id)
		if l.Type == msg.Perpetual {
			l.Mark = pick(w.chance, msg.MarkIndex, msg.MarkComposite)
		}
		out = append(out, msg.ListUnderlying(msg.Underlying{ID: l.Underlying, Sources: uint8(1 + w.chance.IntN(3))}), m.report(w, id, 0))
	}
	taker := fixed.Rate(w.chance.IntN(100)) * fixed.BasisPoint / 10
	out = append(out, msg.List(id, l), msg.SetFees(id, msg.Fees{Maker: taker/2 - fixed.Rate(w.chance.IntN(int(taker)+1)), Taker: taker}),
		msg.SetPhase(id, msg.Continuous), msg.SetMark(id, m.mids[id]))
	if m.options.Priced > 0 && l.Type == msg.Perpetual && id != m.probes {
		out = append(out, msg.SetRule(id, msg.FundingInterval, int64(7*fixed.Minute)), msg.SetRule(id, msg.FundingImpact, 1_000_000))
	}
	return out
}

// unit is the value of one tick of one unit of what an instrument is about.
func (m *market) unit(id msg.InstrumentID) fixed.Money {
	l := m.listing(id)
	return l.TickLot * fixed.Money(max(l.UnitLots, 1))
}

// report is what a source says of the underlying of an instrument: mostly near where it trades.
func (m *market) report(w *world, id msg.InstrumentID, source uint8) msg.Command {
	m.move(w, id)
	price := fixed.Money(m.mids[id])*m.unit(id) + fixed.Money(w.chance.Int64N(int64(m.unit(id))))
	switch w.chance.IntN(40) {
	case 0:
		price = price * 3 / 2
	case 1:
		price = fixed.Money(w.chance.IntN(3) - 1)
	}
	return msg.ReportPrice(msg.Report{Underlying: msg.UnderlyingID(id), Source: source, Price: price,
		Confidence: fixed.One - fixed.Rate(w.chance.Int64N(3)*w.chance.Int64N(int64(fixed.One)))})
}

// move lets a price wander.
func (m *market) move(w *world, id msg.InstrumentID) {
	by := w.chance.Int64N(m.options.Width+1) - w.chance.Int64N(m.options.Width+1)
	m.mids[id] = max(5, m.mids[id]+fixed.Ticks(by))
	if m.options.Crash > 0 && w.chance.IntN(m.options.Crash) < 100 { // it is asked once in a hundred commands or so
		m.mids[id] = max(5, m.mids[id]*fixed.Ticks(30+w.chance.IntN(160))/100)
	}
}

func (m *market) instrument(w *world) msg.InstrumentID {
	if w.percent(1) {
		return pick(w.chance, msg.InstrumentID(0), msg.InstrumentID(m.options.Instruments+2), 65_537)
	}
	return msg.InstrumentID(1 + w.chance.IntN(m.options.Instruments))
}

func (m *market) account(w *world) msg.AccountID {
	return msg.AccountID(1 + w.chance.IntN(int(m.accounts)))
}

// saw remembers an order that somebody may ask about who has no right to.
func (m *market) saw(id msg.OrderID) {
	m.stray[m.strays%len(m.stray)] = id
	m.strays++
}

// turn is a command with which the venue changes something, and sets it right again twice: the first may come too early.
func (m *market) turn(w *world, c, right msg.Command) msg.Command {
	for range 2 {
		m.undo = append(m.undo, undoing{1 + w.chance.IntN(9), right})
	}
	return c
}

// next is the venue's next command.
func (m *market) next(w *world) msg.Command {
	for i := range m.undo {
		if m.undo[i].in--; m.undo[i].in <= 0 {
			c := m.undo[i].command
			m.undo = append(m.undo[:i], m.undo[i+1:]...)
			return c
		}
	}
	if m.welcomed < int(m.accounts) && w.percent(30) {
		return m.welcome(w)
	}
	if len(w.desks) > 0 && w.percent(3) {
		w.intrude()
	}
	id, in := m.account(w), m.instrument(w)
	if w.percent(m.options.Priced) {
		return m.prices(w, msg.InstrumentID(1+w.chance.IntN(m.options.Instruments)))
	}
	switch w.chance.IntN(40) {
	case 0, 1, 2, 3, 4:
		return msg.Deposit(id, fixed.Money(1+w.chance.Int64N(m.options.Money))*10_000)
	case 5:
		return msg.DepositAsset(id, in, fixed.Lots(w.chance.Int64N(200)))
	case 6, 7:
		return m.door(w)
	case 8:
		return m.entry(w, id, in)
	case 9:
		return m.turn(w, msg.SetPhase(in, msg.Phase(w.chance.IntN(6))), msg.SetPhase(in, msg.Continuous))
	case 10:
		taker := fixed.Rate(w.chance.IntN(100)) * fixed.BasisPoint
		return msg.SetFees(in, msg.Fees{Maker: taker/3 - fixed.Rate(w.chance.IntN(200))*fixed.BasisPoint, Taker: taker})
	case 11, 12, 13:
		return m.rule(w, in)
	case 14:
		return m.turn(w, msg.SetTier(in, msg.Tier{Index: uint8(w.chance.IntN(3)), UpTo: fixed.Money(w.chance.Int64N(3) * w.chance.Int64N(9_000_000)),
			Initial: fixed.Rate(w.chance.Int64N(int64(fixed.One / 2))), Maintenance: fixed.Rate(w.chance.Int64N(int64(fixed.One / 8)))}),
			msg.SetTier(in, msg.Tier{Initial: 7 * fixed.Percent, Maintenance: 4 * fixed.Percent}))
	case 15:
		return msg.SettleFunding(in, fixed.Rate(w.chance.Int64N(int64(fixed.Percent))-int64(fixed.Percent)/2))
	case 16:
		return msg.PayFund(fixed.Money(w.chance.Int64N(m.options.Money))*2_000 - 1)
	case 17:
		return m.turn(w, msg.OpenAccount(id, pick(w.chance, m.owner(w), ownerOf((int(id)+1)/2)), pick[uint32](w.chance, 0b101, 0b110)),
			msg.OpenAccount(id, ownerOf((int(id)+1)/2), msg.AllGroups))
	case 26:
		return m.welcome(w)
	case 18:
		return msg.SetFeeTier(msg.FeeTier{Last: true, Fees: msg.Fees{Taker: fixed.Rate(w.chance.Int64N(int64(fixed.Percent)))}})
	case 19:
		return msg.Command{Request: msg.Request{Kind: msg.Kind(40 + w.chance.IntN(200))}}
	case 20:
		return msg.CancelAll(id, 0, 0)
	case 21, 22, 23:
		return msg.Tick()
	case 24:
		return msg.SetConcentration(in, msg.Concentration{Last: true, Share: fixed.Rate(w.chance.Int64N(int64(fixed.One / 2))),
			Rate: fixed.Rate(w.chance.Int64N(int64(fixed.One / 5)))})
	case 25:
		if next := m.unlisted(w); next != 0 {
			cs := m.list(w, next)
			for _, c := range cs[1:] {
				m.undo = append(m.undo, undoing{1, c})
			}
			return cs[0]
		}
	}
	if in == 0 || int(in) > m.options.Instruments {
		return msg.SetMark(in, fixed.Ticks(w.chance.IntN(3)))
	}
	if m.options.Priced > 0 {
		return m.report(w, in, 0)
	}
	m.move(w, in)
	return msg.SetMark(in, m.mids[in])
}

// welcome opens an account of a client, with money, and its door. Each comes when it comes; before that a client asks in vain.
func (m *market) welcome(w *world) msg.Command {
	if m.welcomed < int(m.accounts) {
		m.welcomed++
	}
	id := m.welcomed
	if w.percent(30) {
		id = 1 + w.chance.IntN(m.welcomed)
	}
	client := (id + 1) / 2
	m.undo = append(m.undo, undoing{1, msg.OpenSession(m.options.door(client), ownerOf(client))},
		undoing{1, msg.Deposit(msg.AccountID(id), fixed.Money(1+w.chance.Int64N(m.options.Money))*10_000)})
	return msg.OpenAccount(msg.AccountID(id), ownerOf(client), msg.AllGroups)
}

// door opens or closes the session of somebody who may not be there yet, or for another owner, and sets it right.
func (m *market) door(w *world) msg.Command {
	s := 1 + w.chance.IntN(m.options.Clients)
	door := m.options.door(s)
	right := msg.OpenSession(door, ownerOf(s))
	if w.percent(50) {
		return m.turn(w, msg.CloseSession(door), right)
	}
	return m.turn(w, msg.OpenSession(door, m.owner(w)), right)
}

// unlisted is an instrument that may not be there yet, now and then.
func (m *market) unlisted(w *world) msg.InstrumentID {
	if m.options.Instruments == 1 {
		return 0
	}
	return msg.InstrumentID(2 + w.chance.IntN(m.options.Instruments-1))
}

func (m *market) owner(w *world) msg.OwnerID { return ownerOf(1 + w.chance.IntN(m.options.Clients)) }

// ownerOf is the owner for whom a client acts: its first account.
func ownerOf(client int) msg.OwnerID { return msg.OwnerID(2*client - 1) }

// entry turns the kill switch of some scope.
func (m *market) entry(w *world, id msg.AccountID, in msg.InstrumentID) msg.Command {
	e := msg.Entry{Scope: msg.Scope(w.chance.IntN(6)), Owner: m.owner(w),
		Action: pick(w.chance, msg.Block, msg.BlockAndCancel, msg.ReduceEntry, msg.ReduceEntry, msg.Action(w.chance.IntN(7)))}
	right := e
	right.Action = msg.Unblock
	return m.turn(w, msg.SetEntry(id, in, e), msg.SetEntry(id, in, right))
}

// prices is a report, or a rule of prices and funding.
func (m *market) prices(w *world, in msg.InstrumentID) msg.Command {
	switch w.chance.IntN(8) {
	case 0, 1, 2:
		return m.report(w, in, 0)
	case 3, 4:
		return m.report(w, in, uint8(w.chance.IntN(5)))
	case 5:
		return msg.SettleFunding(in, fixed.Rate(w.chance.Int64N(int64(fixed.Percent))-int64(fixed.Percent)/2))
	case 6:
		r := pick(w.chance, msg.MarkFrom, msg.MarkInputs, msg.MarkCombine)
		return m.turn(w, msg.SetRule(in, r, int64(w.chance.IntN(8))), msg.SetRule(in, r, 1))
	}
	r := pick(w.chance, msg.FundingInterval, msg.FundingSample, msg.MarkWindow, msg.MarkEMA)
	return msg.SetRule(in, r, int64(w.chance.IntN(9))*int64(fixed.Minute))
}

// rule sets a rule that refuses much, and takes it back.
func (m *market) rule(w *world, in msg.InstrumentID) msg.Command {
	r := msg.Rule(w.chance.IntN(18))
	v, back := int64(0), int64(0)
	switch r {
	case msg.Band, msg.MarketRange:
		v = w.chance.Int64N(int64(30 * fixed.Percent))
		if r == msg.MarketRange {
			back = int64(10 * fixed.Percent)
		}
	case msg.SlopeInitial, msg.SlopeMaintenance:
		v = w.chance.Int64N(200_000)
	case msg.PriceStep, msg.QtyStep:
		v = pick[int64](w.chance, 2, 5)
	case msg.MaxOrderQty:
		v = 1 + m.options.Lots/3
	case msg.MaxOrderNotional:
		v = w.chance.Int64N(40_000_000)
	case msg.MinOrderNotional:
		v = w.chance.Int64N(3_000_000)
	case msg.MaxOpenOrders:
		v = 1 + w.chance.Int64N(8)
	case msg.MaxPosition, msg.MaxOpenInterest:
		v = w.chance.Int64N(2 * m.options.Lots)
	case msg.MessageRate:
		in, v = 0, 1+w.chance.Int64N(20)
	case msg.MessageBurst:
		in, v, back = 0, 1+w.chance.Int64N(4), 2
	case msg.ProfitHaircut, msg.WithdrawMargin:
		in, v = 0, w.chance.Int64N(int64(fixed.One)+1)
		back = v / 2
	}
	return m.turn(w, msg.SetRule(in, r, v), msg.SetRule(in, r, back))
}
