package msg_test

import (
	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/msg"
)

// One command and one event of every kind, in which every field that the kind uses holds a value of its own that is not
// zero. Tests that range over kinds range over these.

var btc = msg.Listing{Symbol: [24]byte{'B', 'T', 'C', '-', 'P', 'E', 'R', 'P'}, TickLot: 100, UnitLots: 1000, Start: 50_000,
	Type: msg.Perpetual, STP: msg.STPCancelNewest, Group: 3, Underlying: 5, Mark: msg.MarkComposite}

var (
	ext     = msg.OrderExt{Min: 2, Expire: 60 * fixed.Second}
	tier    = msg.Tier{Index: 1, UpTo: 150_000_000 * fixed.Coin, Initial: 5 * fixed.Percent, Maintenance: 25 * fixed.BasisPoint}
	lastly  = msg.Tier{Index: 2, Initial: 10 * fixed.Percent, Maintenance: 5 * fixed.Percent}
	fees    = msg.Fees{Maker: -fixed.BasisPoint, Taker: 5 * fixed.BasisPoint}
	entry   = msg.Entry{Scope: msg.ScopeOwner, Action: msg.BlockAndCancel, Owner: 9}
	opening = msg.Opening{Owner: 9, Groups: 0b1011}
	order   = msg.OrderID(3)<<32 | 17
	another = msg.OrderID(1)<<32 | 5

	bitcoin    = msg.Underlying{Symbol: [24]byte{'B', 'T', 'C'}, ID: 5, Sources: 3}
	checkpoint = msg.Checkpoint{Upto: 11, Hash: 0x1234_5678_9abc_def0}
	report     = msg.Report{Underlying: 5, Source: 2, Price: 50_000 * fixed.Coin, Confidence: 90 * fixed.Percent}
	feeRow     = msg.FeeTier{Index: 1, Last: true, Volume: 25_000_000 * fixed.Coin, Fees: fees}
	share      = msg.Concentration{Index: 1, Last: true, Share: 25 * fixed.Percent, Rate: 5 * fixed.Percent}
	envelope   = msg.Envelope{SeqNum: 41, Template: 100, Ingress: 990, Sending: 980}
	key        = msg.KeyChange{Key: 6, Role: msg.RoleTrader, Scheme: 1, Owner: 9, Account: 1, Public: [32]byte{0: 0xd7, 31: 0x1a}}
	agreed     = msg.Negotiation{Session: 4, Key: 6, Kind: msg.OrderEntry, Version: 1, Cancel: msg.CancelOnLoss, CancelFlags: 1,
		Window: 5000, UUID: [16]byte{0: 0x12, 15: 0x34}, Stamp: 999}
	quotation = msg.Quotation{Bid: 49_990, Ask: 50_010, BidQty: 3, AskQty: 4, BidNo: msg.RejectOffTick, AskNo: msg.RejectOffLot, Group: 7, Index: 1,
		Count: 3, Entry: 21}
	protection = msg.Protection{Group: 7, Qty: 5_000_000_000, Delta: 3_000_000_000, Window: fixed.Second, Freeze: 2 * fixed.Second}
	refused    = msg.Refused{Reject: msg.RejectOffTick, Field: 2, Instead: msg.KindLimit, Limit: 5, Actual: 7}
	everyone   = msg.Report{Underlying: 5, Price: 50_000 * fixed.Coin, Confidence: fixed.One}
)

// sequenced gives commands their numbers and times.
func sequenced(commands []msg.Command) []msg.Command {
	for i := range commands {
		commands[i].Seq, commands[i].Time = msg.Seq(i+12), fixed.Nanos(1000+i)
	}
	return commands
}

// asked adds what any asker may add to a command.
func asked(c msg.Command) msg.Command {
	c.Session, c.Ref = 4, 77
	return c
}

// enveloped adds what a client's session adds.
func enveloped(c msg.Command) msg.Command {
	c = asked(c)
	c.SetEnvelope(envelope)
	return c
}

// withFlags adds flags, time in force and self-trade prevention.
func withFlags(c msg.Command, flags msg.Flags, tif msg.TIF, stp msg.STP) msg.Command {
	c.Flags, c.TIF, c.STP = flags, tif, stp
	return c
}

// external adds the reference of the outside world.
func external(c msg.Command) msg.Command {
	c.Rare[2] = 31
	return c
}

// commands is one of every kind and, after the first of a kind, its other forms.
func commands() []msg.Command {
	return sequenced([]msg.Command{
		asked(withFlags(msg.Limit(1, 2, msg.Buy, 50_010, 3), msg.FlagPostOnly|msg.FlagReduceOnly, msg.IOC, msg.STPDecrement)),
		msg.Limit(1, 2, msg.Sell, -7, 3),
		asked(msg.Market(1, 2, msg.Sell, 3, 49_900)),
		msg.Market(1, 2, msg.Buy, 3, 0),
		asked(withFlags(msg.Amend(1, 2, order, 50_020, 8), msg.FlagLeaves, msg.GTC, msg.STPDefault)),
		asked(msg.Cancel(1, 2, order)),
		asked(msg.CancelAll(1, 2, msg.Sell)),
		msg.CancelAll(1, 0, 0),
		msg.SetMark(2, 50_000),
		msg.Tick(),
		asked(withFlags(msg.Place(1, 2, msg.Buy, 50_010, 3, ext), msg.FlagSlide, msg.GTD, msg.STPCancelOldest)),
		asked(msg.OpenAccount(1, opening.Owner, opening.Groups)),
		msg.OpenAccount(1, 9, msg.AllGroups),
		external(msg.Deposit(1, 1_000*fixed.Coin)),
		external(msg.Withdraw(1, 999_999)),
		external(msg.Transfer(1, 6, 12*fixed.Coin+345)),
		external(msg.DepositAsset(1, 2, 40)),
		external(msg.WithdrawAsset(1, 2, 41)),
		msg.List(2, btc),
		msg.SetTier(2, tier),
		msg.SetTier(2, lastly),
		msg.SetFees(2, fees),
		msg.SetRule(2, msg.Band, int64(3*fixed.Percent)),
		msg.SetRule(2, msg.MaxOrderNotional, int64(5*fixed.Coin)),
		msg.SetRule(0, msg.MessageRate, 5000),
		msg.SetPhase(2, msg.Continuous),
		msg.SetEntry(1, 2, entry),
		msg.OpenSession(4, 9),
		msg.CloseSession(4),
		msg.ListUnderlying(bitcoin),
		msg.ReportPrice(report),
		msg.ReportPrice(everyone),
		asked(msg.SetLeverage(1, 2, 1050)),
		asked(msg.Isolate(1, 2, 5_000*fixed.Coin)),
		msg.IsolateDefault(1, 2),
		asked(msg.Cross(1, 2)),
		asked(msg.MoveMargin(1, 2, -3*fixed.Coin)),
		msg.SettleFunding(2, -125*fixed.Rate(100)),
		external(msg.PayFund(1_000 * fixed.Coin)),
		msg.SetFeeTier(feeRow),
		msg.SetConcentration(2, share),
		msg.SetCheckpoint(checkpoint),
		msg.SetStorage(msg.StorageSoft),
		msg.Maintain(),
		asked(withFlags(msg.Limit(1, 2, msg.Buy, 50_010, 3), msg.FlagIsolated, msg.GTC, msg.STPDefault)),
		enveloped(msg.Cancel(1, 2, order)),
		msg.SetKey(key),
		msg.SetKey(msg.KeyChange{Key: 6}),
		msg.Negotiate(agreed),
		msg.Bind(msg.Binding{Session: 4, TakeOver: true, Stamp: 1000}),
		msg.Unbind(4, msg.UnbindLost),
		msg.EndGrace(4),
		msg.Finalize(4),
		msg.Miss(msg.Missing{Session: 4, From: 41, Count: 3}),
		enveloped(msg.Refuse(0, 1, 2, order, refused)),
		enveloped(msg.Refuse(0, 1, 2, 0, msg.Refused{Reject: msg.RejectBadBlock, Instead: msg.KindCancel})),
		enveloped(msg.SetDeadMan(1, 60*fixed.Second)),
		enveloped(msg.AskOrder(1, order, 70)),
		enveloped(withFlags(msg.Quote(1, 2, quotation), msg.FlagPostOnly, msg.GTC, msg.STPCancelOldest)),
		msg.Quote(1, 2, msg.Quotation{Bid: 49_990, BidQty: 3, Count: 1}),
		enveloped(msg.SetProtection(1, protection)),
		enveloped(msg.AskOrders(1)),
		enveloped(msg.AskMargin(1, 2, msg.Sell, 50_010, 3)),
		withFlags(msg.Limit(1, 2, msg.Buy, 50_010, 3), msg.FlagPersist, msg.GTC, msg.STPDefault),
	})
}

// event is the part of an event that does not depend on its kind.
func event(kind msg.EventKind) msg.Event {
	return msg.Event{Seq: 12, Index: 1, Time: 1000, Session: 4, Ref: 77, Account: 1, Instr: 2, Kind: kind}
}

// ordered is an event about an order.
func ordered(kind msg.EventKind) msg.Event {
	e := event(kind)
	e.Order, e.Side, e.Price, e.Qty = order, msg.Buy, 50_000, 3
	return e
}

// events is one of every kind and, after the first of a kind, its other forms.
func events() []msg.Event {
	mark, mass, ticked := event(msg.MarkUpdated), event(msg.MassCanceled), msg.Event{Seq: 12, Kind: msg.Ticked}
	mark.Price, mass.Qty, mass.Side = 50_000, 3, msg.Sell

	rejected := event(msg.Rejected)
	rejected.Reject, rejected.Order = msg.RejectInsufficientMargin, order
	rejected.SetRefusal(msg.Refusal{Limit: 5_000, Actual: -12, Asked: msg.KindLimit})
	unbounded := event(msg.Rejected)
	unbounded.Reject = msg.RejectNoMark
	unbounded.SetRefusal(msg.Refusal{Asked: msg.KindMarket})

	maker, taker := ordered(msg.Traded), ordered(msg.Traded)
	fill := msg.Fill{Leaves: 6, Filled: 5, Trade: 8, Peer: another, Fee: 15_000, Realized: -2 * fixed.Coin, Position: -3, Maker: true}
	maker.SetFill(&fill)
	fill.Maker, fill.Fee = false, -7_500
	taker.SetFill(&fill)

	change := msg.Change{Leaves: 6, Filled: 5, Request: 78, Asker: 7}
	canceled, amended := ordered(msg.Canceled), ordered(msg.Amended)
	canceled.Reason = msg.CanceledByMass
	canceled.SetChange(&change)
	change.Kept = true
	amended.SetChange(&change)

	expired, opened, closed := ordered(msg.Expired), event(msg.SessionOpened), event(msg.SessionClosed)
	change.Kept, change.Leaves, change.Request, change.Asker = false, 0, 0, 0
	expired.SetChange(&change)
	mass.Rare = msg.Rare{uint64(msg.ScopeOwner), 0, 9}
	opened.Rare, closed.Rare = msg.Rare{9, 0, 4}, msg.Rare{0, 0, 4}

	all := []msg.Event{ordered(msg.Accepted), expired, mark, mass, ticked, opened, closed, rejected,
		unbounded, maker, taker, amended, canceled}

	for _, kind := range []msg.EventKind{msg.Deposited, msg.Withdrawn, msg.Transferred, msg.RebateVested} {
		e := event(kind)
		e.SetBalance(msg.Balance{Amount: -4 * fixed.Coin, Cash: 90 * fixed.Coin, Peer: 6, External: 31})
		all = append(all, e)
	}
	for _, kind := range []msg.EventKind{msg.AssetDeposited, msg.AssetWithdrawn} {
		e := event(kind)
		e.Qty = 40
		e.SetBalance(msg.Balance{Lots: 41, External: 31})
		all = append(all, e)
	}
	for _, said := range []struct {
		kind msg.EventKind
		c    msg.Command
	}{{msg.AccountOpened, msg.OpenAccount(1, opening.Owner, opening.Groups)}, {msg.InstrumentListed, msg.List(2, btc)},
		{msg.TierSet, msg.SetTier(2, tier)}, {msg.FeesSet, msg.SetFees(2, fees)},
		{msg.RuleSet, msg.SetRule(2, msg.MaxPosition, 40)}, {msg.EntryChanged, msg.SetEntry(1, 2, entry)},
	} {
		e := event(said.kind)
		e.Rare = said.c.Rare
		all = append(all, e)
	}
	phase := event(msg.PhaseChanged)
	phase.SetPhaseStep(msg.PhaseStep{From: msg.Halted, To: msg.Continuous})
	return append(append(append(all, phase), riskEvents()...), sessionEvents()...)
}

// sessionEvents are the events of keys and sessions.
func sessionEvents() (all []msg.Event) {
	came := enveloped(withFlags(msg.Limit(1, 2, msg.Buy, 50_010, 3), msg.FlagSlide, msg.GTD, msg.STPCancelOldest))
	received, bound, unbound, stays := event(msg.Received), event(msg.SessionBound), event(msg.SessionUnbound), event(msg.SessionUnbound)
	received.SetReceived(&came.Request)
	bound.SetBound(msg.Bound{Client: 41, Server: 52, Last: 77, Stamp: 1000, TookOver: true})
	unbound.SetUnbound(msg.Unbound{Why: msg.UnbindLost, Goes: true, Grace: 5 * fixed.Second})
	stays.SetUnbound(msg.Unbound{Why: msg.UnbindTerminated})
	set, negotiated, missed := event(msg.KeySet), event(msg.SessionNegotiated), event(msg.MessagesMissed)
	logon := msg.Negotiate(agreed)
	set.Rare = msg.SetKey(key).Rare
	negotiated.SetNegotiated(&logon.Request, 77)
	missed.SetMissing(msg.Missing{From: 41, Count: 3})
	off := event(msg.Rejected)
	off.Reject = msg.RejectOffTick
	off.SetRefusal(msg.Refusal{Limit: 5, Actual: 7, Asked: msg.KindRefuse, Field: 2})
	begun := event(msg.MassCancelBegun)
	begun.Qty, begun.Side, begun.Rare = 3, msg.Sell, msg.Rare{uint64(msg.ScopeAccount)}
	armed, expired := event(msg.DeadManSet), event(msg.DeadManExpired)
	armed.Rare = msg.Rare{uint64(60 * fixed.Second)}
	expired.Rare = armed.Rare
	stated := ordered(msg.OrderStated)
	stated.SetStanding(msg.Standing{Filled: 2, Request: 78, TIF: msg.GTD, STP: msg.STPCancelBoth, Flags: msg.FlagPersist | msg.FlagSlide})
	answered := event(msg.QuoteAnswered)
	answered.Order = order
	answered.SetQuoteAnswer(msg.QuoteAnswer{Ask: another, BidNo: msg.RejectWouldCross, AskNo: msg.RejectOffTick, Group: 7, Index: 2, Count: 3, Number: 41})
	part := event(msg.Received)
	entry := enveloped(msg.Quote(1, 2, quotation))
	part.SetReceived(&entry.Request)
	limits, tripped := event(msg.ProtectionSet), event(msg.ProtectionTripped)
	limits.Rare = msg.SetProtection(1, protection).Rare
	tripped.SetTrip(msg.Trip{Traded: 5_000_000_000, Until: 9 * fixed.Second, Group: 7})
	foretold, listed := event(msg.MarginForecast), ordered(msg.OrderStated)
	foretold.Side, foretold.Price, foretold.Qty, foretold.Reject = msg.Sell, 50_010, 3, msg.RejectInsufficientMargin
	foretold.SetForecast(&msg.Forecast{Initial: 12 * fixed.Coin, Maintenance: 6 * fixed.Coin, Available: -3 * fixed.Coin, More: 2 * fixed.Coin,
		Liquidation: 48_000, Most: 7})
	listed.SetStanding(msg.Standing{Filled: 2, Request: 78, More: true})
	return append(all, foretold, listed, limits, tripped, ordered(msg.QuotePlaced), answered, part, stated, armed, expired, begun, received, bound, unbound, stays, set, negotiated, missed, event(msg.GraceEnded), event(msg.SessionFinalized), off)
}

// riskEvents are the events of margin.
func riskEvents() (all []msg.Event) {
	for _, said := range []struct {
		kind msg.EventKind
		c    msg.Command
	}{{msg.UnderlyingListed, msg.ListUnderlying(bitcoin)}, {msg.LeverageSet, msg.SetLeverage(1, 2, 1050)},
		{msg.FeeTierSet, msg.SetFeeTier(feeRow)}, {msg.ConcentrationSet, msg.SetConcentration(2, share)},
		{msg.Checkpointed, msg.SetCheckpoint(checkpoint)}, {msg.Maintained, msg.Maintain()},
	} {
		e := event(said.kind)
		e.Rare = said.c.Rare
		all = append(all, e)
	}
	index, health, mode := event(msg.IndexUpdated), event(msg.OracleHealth), event(msg.ModeChanged)
	index.SetIndexStep(msg.IndexStep{Underlying: 5, Index: 50_000 * fixed.Coin, Confidence: 90 * fixed.Percent})
	health.SetHealthStep(msg.HealthStep{Underlying: 5, From: msg.Good, To: msg.Frozen})
	mode.SetModeStep(msg.ModeStep{From: msg.ModeCross, To: msg.ModeIsolated, Margin: 5_000 * fixed.Coin, Cash: 90 * fixed.Coin})
	funding, tier := event(msg.FundingSettled), event(msg.FeeTierChanged)
	funding.SetFundingStep(msg.FundingStep{Rate: -12_500, Index: 50_000 * fixed.Coin, Step: -62_500, Sum: -1_000})
	tier.SetTierStep(msg.TierStep{Owner: 9, Row: 1, Volume: 26_000_000 * fixed.Coin})
	storage := event(msg.StorageChanged)
	storage.SetStorageStep(msg.StorageStep{From: msg.StorageSoft, To: msg.StorageHard})
	all = append(all, storage)
	canceled, pending := event(msg.OrdersCanceledByRisk), event(msg.SweepPending)
	canceled.Qty, pending.Qty = 3, 44
	all = append(all, index, health, mode, funding, tier, canceled, pending)

	for _, kind := range []msg.EventKind{msg.MarginMoved, msg.FundingPaid, msg.FundDraw, msg.FundIncome, msg.Socialized,
		msg.DeficitBooked} {
		e := event(kind)
		e.SetBalance(msg.Balance{Amount: -4 * fixed.Coin, Cash: 90 * fixed.Coin, Peer: 6, External: 31})
		all = append(all, e)
	}
	for _, kind := range []msg.EventKind{msg.MarginCall, msg.MarginCallCleared, msg.LiquidationStarted, msg.LiquidationEnded,
		msg.Takeover, msg.AdlStarted} {
		e := event(kind)
		e.SetRungStep(&msg.RungStep{From: msg.RungCall1, To: msg.RungCall2, Isolated: true, Deadline: 7200 * fixed.Second,
			Equity: 145 * fixed.Coin, Maintenance: 100 * fixed.Coin})
		all = append(all, e)
	}
	for _, kind := range []msg.EventKind{msg.LiquidationSlice, msg.AdlFill} {
		e := ordered(kind)
		e.SetCloseout(&msg.Closeout{Fee: 15_000, Realized: -2 * fixed.Coin, Position: -3, Limit: 49_000, Rank: 2, Isolated: true})
		all = append(all, e)
	}
	return all
}
