package engine

import (
	"github.com/lockstep-exchange/lockstep/clearing"
	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/market"
	"github.com/lockstep-exchange/lockstep/msg"
)

// The part of the twin that is not orders: accounts, money, instruments, phases, the kill switch, sessions.

func (n *naive) administer(c *msg.Command) {
	switch last := n.sessions[0].last; {
	case c.Session != 0:
		n.refuse(c, msg.RejectNotPermitted, 0, 0)
		return
	case !c.Sound():
		n.refuse(c, msg.RejectValueOutOfRange, 0, 0)
		return
	case c.Ref != 0 && c.Ref <= last:
		n.refuse(c, msg.RejectDuplicateClientID, int64(last), int64(c.Ref))
		return
	case c.Ref != 0:
		n.sessions[0].last = c.Ref
	}
	switch c.Kind {
	case msg.KindTick:
		n.answer(msg.Ticked, c)
	case msg.KindOpenAccount:
		if r := n.openAccount(c.Account, c.Opening()); r != 0 {
			n.refuse(c, r, 0, int64(c.Account))
			return
		}
		n.answer(msg.AccountOpened, c).Rare = msg.Rare{uint64(n.accounts[c.Account].owner), uint64(c.Opening().Groups)}
	case msg.KindDeposit:
		n.deposit(c)
	case msg.KindPayFund:
		n.payFund(c)
	case msg.KindWithdraw, msg.KindTransfer:
		n.payOut(c)
	case msg.KindDepositAsset, msg.KindWithdrawAsset:
		n.moveAsset(c)
	case msg.KindList:
		n.list(c)
	case msg.KindSetTier, msg.KindSetFees, msg.KindSetRule, msg.KindSetPhase, msg.KindSetMark, msg.KindSetConcentration:
		n.set(c)
	case msg.KindListUnderlying:
		n.listUnderlying(c)
	case msg.KindReport:
		n.report(c)
	case msg.KindSettleFunding:
		n.settleFunding(c)
	case msg.KindSetFeeTier:
		n.setFeeTier(c)
	case msg.KindSetEntry:
		n.setEntry(c)
	case msg.KindOpenSession, msg.KindCloseSession:
		n.setSession(c)
	case msg.KindCheckpoint:
		n.answer(msg.Checkpointed, c).Rare = c.Rare
	case msg.KindSetStorage:
		n.answer(msg.StorageChanged, c).Rare = msg.Rare{uint64(n.storage), c.Rare[0]}
		n.storage = c.Storage()
	case msg.KindMaintain:
		n.answer(msg.Maintained, c).Rare = c.Rare
	default:
		n.refuse(c, msg.RejectNotSupported, 0, int64(c.Kind))
	}
}

func (n *naive) openAccount(id msg.AccountID, op msg.Opening) msg.Reject {
	if op.Owner == 0 {
		op.Owner = msg.OwnerID(id)
	}
	if id == 0 || uint32(id) > n.limits.Accounts || uint32(op.Owner) > n.limits.Accounts {
		return msg.RejectUnknownAccount
	}
	if a := n.accounts[id]; a != nil {
		if a.owner != op.Owner {
			return msg.RejectInvalidParameter
		}
		a.groups = op.Groups
		return 0
	}
	o := n.owners[op.Owner]
	if o == nil {
		o = &naiveOwner{}
		n.owners[op.Owner] = o
	}
	if uint32(len(o.accounts)) == n.limits.OwnerAccounts {
		return msg.RejectTableFull
	}
	o.accounts = append([]msg.AccountID{id}, o.accounts...)
	n.accounts[id] = newNaiveAccount(id, op.Owner, op.Groups)
	return 0
}

func (n *naive) deposit(c *msg.Command) {
	pay := c.Payment()
	switch {
	case pay.Amount <= 0:
		n.refuse(c, msg.RejectValueOutOfRange, 0, int64(pay.Amount))
		return
	case pay.Amount > clearing.MaxDeposits-n.paidIn:
		n.refuse(c, msg.RejectOverflow, 0, int64(pay.Amount))
		return
	case n.accounts[c.Account] == nil:
		r := msg.RejectUnknownAccount
		if o := n.owners[msg.OwnerID(c.Account)]; o == nil || len(o.accounts) == 0 {
			r = n.openAccount(c.Account, msg.Opening{Groups: msg.AllGroups})
		}
		if r != 0 {
			n.refuse(c, r, 0, int64(c.Account))
			return
		}
		n.answer(msg.AccountOpened, c).Rare = msg.Rare{uint64(c.Account), uint64(msg.AllGroups)}
	}
	a := n.accounts[c.Account]
	n.touch(a)
	a.cash += pay.Amount
	n.paidIn += pay.Amount
	n.answer(msg.Deposited, c).SetBalance(msg.Balance{Amount: pay.Amount, Cash: a.cash, External: pay.External})
}

// payOut withdraws or transfers (M-19, M-20).
func (n *naive) payOut(c *msg.Command) {
	pay := c.Payment()
	from, to := n.accounts[c.Account], n.accounts[pay.To]
	transfers := c.Kind == msg.KindTransfer
	switch {
	case pay.Amount <= 0 || transfers && pay.To == c.Account:
		n.refuse(c, msg.RejectValueOutOfRange, 0, int64(pay.Amount))
		return
	case transfers && (from == nil || to == nil):
		n.refuse(c, msg.RejectUnknownAccount, 0, int64(pay.To))
		return
	case from == nil:
		n.refuse(c, msg.RejectUnknownAccount, 0, int64(c.Account))
		return
	}
	n.touch(from)
	if transfers {
		n.touch(to)
	}
	most, within := n.withdrawable(from), transfers && from.owner == to.owner
	if within {
		equity, initial, _ := n.figures(from)
		most = max(0, min(from.cash, equity-initial))
	}
	if n.uncovered > 0 && !within {
		n.refuse(c, msg.RejectWithdrawalsPaused, int64(most), int64(pay.Amount))
		return
	}
	if pay.Amount > most {
		n.refuse(c, msg.RejectInsufficientFunds, int64(most), int64(pay.Amount))
		return
	}
	from.cash -= pay.Amount
	if !transfers {
		n.paidIn -= pay.Amount
		n.answer(msg.Withdrawn, c).SetBalance(msg.Balance{Amount: pay.Amount, Cash: from.cash, External: pay.External})
		return
	}
	to.cash += pay.Amount
	n.answer(msg.Transferred, c).SetBalance(msg.Balance{Amount: -pay.Amount, Cash: from.cash, Peer: to.id, External: pay.External})
	e := n.answer(msg.Transferred, c)
	e.Account = to.id
	e.SetBalance(msg.Balance{Amount: pay.Amount, Cash: to.cash, Peer: from.id, External: pay.External})
}

func (n *naive) moveAsset(c *msg.Command) {
	a, in := n.accounts[c.Account], n.instruments[c.Instr]
	var no objections
	no.when(c.Qty <= 0, msg.RejectValueOutOfRange, 0, 0)
	no.when(a == nil, msg.RejectUnknownAccount, 0, 0)
	no.when(in == nil || in.perpetual(), msg.RejectUnknownInstrument, 0, 0)
	in2 := c.Kind == msg.KindDepositAsset
	if a != nil {
		n.touch(a)
	}
	if len(no) == 0 {
		x := n.exposure(a, c.Instr, nil)
		no.when(!in2 && n.uncovered > 0, msg.RejectWithdrawalsPaused, 0, 0)
		no.when(!in2 && (c.Qty > x.qty-x.sells || !n.assetLeaves(a, c.Instr, c.Qty)), msg.RejectInsufficientFunds, 0, 0)
		no.when(in2 && c.Qty > clearing.MaxLots-n.assetsIn[c.Instr], msg.RejectOverflow, 0, 0)
		no.when(in2 && !n.canHold(a, c.Instr), msg.RejectTableFull, 0, 0)
	}
	if len(no) > 0 {
		n.refuse(c, no.first().reject, 0, int64(c.Qty))
		return
	}
	kind, lots := msg.AssetDeposited, c.Qty
	if !in2 {
		kind, lots = msg.AssetWithdrawn, -c.Qty
	}
	a.qty[c.Instr] += lots
	n.assetsIn[c.Instr] += lots
	e := n.answer(kind, c)
	e.Qty = c.Qty
	e.SetBalance(msg.Balance{Lots: a.qty[c.Instr], Cash: a.cash, External: c.Payment().External})
}

func (n *naive) list(c *msg.Command) {
	l := c.Listing()
	switch {
	case c.Instr == 0 || uint32(c.Instr) > n.limits.Instruments:
		n.refuse(c, msg.RejectTableFull, int64(n.limits.Instruments), int64(c.Instr))
		return
	case n.instruments[c.Instr] != nil, l.Type != msg.Spot && l.Type != msg.Perpetual, l.TickLot <= 0, l.UnitLots < 0, l.Start < 0,
		l.STP > msg.STPNone, l.Group > 31:
		n.refuse(c, msg.RejectInvalidParameter, 0, 0)
		return
	}
	if r := n.priceable(l); r != 0 {
		n.refuse(c, r, 0, 0)
		return
	}
	n.instruments[c.Instr] = &naiveInstrument{listing: l, rules: map[msg.Rule]int64{},
		tiers: []msg.Tier{{Initial: 10 * fixed.Percent, Maintenance: 5 * fixed.Percent}}}
	n.answer(msg.InstrumentListed, c).Rare = c.Rare
	n.priced(c.Instr)
}

// set changes a rule, the phase or the mark.
func (n *naive) set(c *msg.Command) {
	in := n.instruments[c.Instr]
	actual := int64(0)
	if c.Kind == msg.KindSetMark {
		actual = int64(c.Price)
	}
	venue := c.Kind == msg.KindSetRule && c.Instr == 0
	if in == nil && !venue {
		n.refuse(c, msg.RejectUnknownInstrument, 0, actual)
		return
	}
	ok, kind := false, msg.RuleSet
	step := msg.PhaseStep{To: c.Phase()}
	switch c.Kind {
	case msg.KindSetTier:
		ok, kind = in.setTier(c.Tier()), msg.TierSet
	case msg.KindSetFees:
		f := c.Fees()
		kind = msg.FeesSet
		if ok = f.Taker >= 0 && f.Taker <= fixed.One && f.Maker <= fixed.One && f.Maker+f.Taker >= 0; ok {
			in.fees = f
		}
	case msg.KindSetConcentration:
		ok, kind = in.setConcentration(c.Concentration()), msg.ConcentrationSet
	case msg.KindSetPhase:
		kind, step.From = msg.PhaseChanged, in.phase
		if n.health(c.Instr) == msg.OracleHalted && step.To != msg.Closed && step.To != msg.Halted {
			n.refuse(c, msg.RejectMarketHalted, 0, actual)
			return
		}
		if ok = step.To == msg.Closed || step.To == msg.Continuous || step.To == msg.ReduceOnly || step.To == msg.Halted; ok {
			in.phase, in.halted = step.To, false
		}
	case msg.KindSetMark:
		kind = msg.MarkUpdated
		if ok = c.Price > 0 && in.marker.Mode == msg.MarkManual; ok {
			in.mark = c.Price
		}
	default:
		s := c.Setting()
		if !venue && (market.MarkRule(s.Rule) || market.FundingRule(s.Rule)) {
			if r := n.setPrices(c.Instr, s); r != 0 {
				n.refuse(c, r, 0, actual)
				return
			}
			ok = true
		} else if venue {
			ok = n.setVenue(s)
		} else {
			ok = in.setRule(c.Setting())
		}
	}
	if !ok {
		n.refuse(c, msg.RejectInvalidParameter, 0, actual)
		return
	}
	e := n.answer(kind, c)
	switch c.Kind {
	case msg.KindSetMark:
		e.Price, e.Qty = c.Price, n.interest(c.Instr)
	case msg.KindSetPhase:
		e.SetPhaseStep(step)
	default:
		e.Rare = c.Rare
		if c.Kind == msg.KindSetRule {
			n.reprice(c.Instr, c.Setting().Rule)
		}
	}
}

func (in *naiveInstrument) setTier(t msg.Tier) bool {
	k := int(t.Index)
	if k != 0 && k != len(in.staged) || k > 15 || k == 15 && t.UpTo != 0 || t.UpTo < 0 || t.Maintenance < 0 || t.Maintenance > t.Initial ||
		t.Initial > fixed.One {
		return false
	}
	if k > 0 {
		before := in.staged[k-1]
		if t.Initial < before.Initial || t.Maintenance < before.Maintenance || t.UpTo != 0 && t.UpTo <= before.UpTo {
			return false
		}
	}
	in.staged = append(in.staged[:k:k], t)
	if t.UpTo == 0 {
		in.tiers, in.staged = in.staged, nil
	}
	return true
}

func (in *naiveInstrument) setRule(s msg.Setting) bool {
	v, one := s.Value, int64(fixed.One)
	switch s.Rule {
	case msg.Band:
		if v >= one {
			return false
		}
	case msg.MarketRange:
		if v == 0 || v >= one {
			return false
		}
	case msg.SlopeInitial:
		if v > one || v < in.rules[msg.SlopeMaintenance] {
			return false
		}
	case msg.SlopeMaintenance:
		if v > in.rules[msg.SlopeInitial] {
			return false
		}
	case msg.PriceStep, msg.QtyStep, msg.MaxOrderQty, msg.MaxOrderNotional, msg.MinOrderNotional, msg.MaxOpenOrders, msg.MaxPosition, msg.MaxOpenInterest:
	case msg.InterestLow:
		if high := in.rules[msg.InterestHigh]; high != 0 && v >= high {
			return false
		}
	case msg.InterestHigh:
		if v != 0 && v <= in.rules[msg.InterestLow] {
			return false
		}
	case msg.CollateralHaircut:
		if v > one {
			return false
		}
	case msg.LiqFraction, msg.LiqBookShare:
		if v == 0 || v > one {
			return false
		}
	case msg.LiqMin, msg.LiqCap:
		if v == 0 {
			return false
		}
	case msg.LiqFull:
	case msg.LiqFee:
		if v >= one {
			return false
		}
	case msg.LiqSpread:
		if v > one {
			return false
		}
	case msg.LiqAdjust:
		if v > 10*one {
			return false
		}
	case msg.IsolatedNoRemove:
		if v > 1 {
			return false
		}
	default:
		return false
	}
	if v < 0 {
		return false
	}
	in.rules[s.Rule] = v
	return true
}

func (n *naive) setVenue(s msg.Setting) bool {
	v := s.Value
	switch {
	case v < 0:
	case s.Rule == msg.MessageRate && v <= int64(fixed.Second):
		n.rate = v
		return true
	case s.Rule == msg.MessageBurst && v > 0 && v <= 1_000_000:
		n.burst = v
		return true
	case s.Rule == msg.ProfitHaircut && fixed.Rate(v) <= fixed.One:
		n.haircut = fixed.Rate(v)
		return true
	case s.Rule == msg.WithdrawMargin && fixed.Rate(v) <= fixed.One:
		n.leave = fixed.Rate(v)
		return true
	case s.Rule >= msg.OracleStale && s.Rule <= msg.WireFunding:
		return n.prices.venue.SetRule(s) == 0
	}
	return false
}

// setEntry is a turn of the kill switch (W-45). What is still being emptied cannot be opened.
func (n *naive) setEntry(c *msg.Command) {
	en := c.Entry()
	a, owner, in := n.accounts[c.Account], n.owners[en.Owner], n.instruments[c.Instr]
	var no objections
	no.when(en.Action < msg.Block || en.Action > msg.Unblock || en.Scope < msg.ScopeAccount || en.Scope > msg.ScopeVenue,
		msg.RejectValueOutOfRange, 0, 0)
	no.when(en.Scope == msg.ScopeAccount && a == nil || en.Scope == msg.ScopeOwner && owner == nil, msg.RejectUnknownAccount, 0, 0)
	no.when(en.Scope == msg.ScopeInstrument && in == nil, msg.RejectUnknownInstrument, 0, 0)
	no.when(en.Action == msg.BlockAndCancel && uint32(len(n.jobs)) == n.limits.Jobs+32, msg.RejectTableFull, 0, 0)
	for _, j := range n.jobs {
		same := j.reason == msg.CanceledByKill && j.entry.Scope == en.Scope && (en.Scope == msg.ScopeVenue ||
			en.Scope == msg.ScopeAccount && j.asker == c.Account || en.Scope == msg.ScopeOwner && j.entry.Owner == en.Owner ||
			en.Scope == msg.ScopeInstrument && j.instr == c.Instr)
		no.when(same && (en.Action == msg.Unblock || en.Action == msg.ReduceEntry), msg.RejectEntryBlocked, 0, 0)
	}
	if len(no) > 0 {
		n.refuse(c, no.first().reject, 0, 0)
		return
	}
	j := &naiveJob{entry: en, asker: c.Account, reason: msg.CanceledByKill, ref: c.Ref, session: c.Session}
	switch en.Scope {
	case msg.ScopeAccount:
		a.entry, j.accounts = en.Action, []msg.AccountID{c.Account}
	case msg.ScopeOwner:
		owner.entry, j.accounts = en.Action, owner.accounts
	case msg.ScopeInstrument:
		in.entry, j.instr = en.Action, c.Instr
	case msg.ScopeVenue:
		n.entry = en.Action
	}
	n.answer(msg.EntryChanged, c).Rare = c.Rare
	if en.Action == msg.BlockAndCancel {
		n.begin(j)
		n.jobs = append([]*naiveJob{j}, n.jobs...)
	}
}

func (n *naive) setSession(c *msg.Command) {
	op := c.Opening()
	if op.Session == 0 || uint32(op.Session) >= n.limits.Sessions {
		n.refuse(c, msg.RejectTableFull, int64(n.limits.Sessions)-1, int64(op.Session))
		return
	}
	s := n.sessions[op.Session]
	if s == nil {
		s = &naiveSession{}
		n.sessions[op.Session] = s
	}
	kind := msg.SessionClosed
	if c.Kind == msg.KindOpenSession {
		if o := n.owners[op.Owner]; o == nil || len(o.accounts) == 0 {
			n.refuse(c, msg.RejectUnknownAccount, 0, int64(op.Owner))
			return
		}
		kind = msg.SessionOpened
	}
	s.open, s.owner = kind == msg.SessionOpened, op.Owner
	e := n.answer(kind, c)
	e.Session, e.Rare = op.Session, c.Rare
}
