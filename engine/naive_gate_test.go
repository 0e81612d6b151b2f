package engine

import (
	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/msg"
)

// The part of the twin that refuses: the door, form, caps and credit. Every reason that applies is collected before the first
// in order of precedence answers.

// objection is a reason to refuse, with the limit and what was found.
type objection struct {
	reject        msg.Reject
	limit, actual int64
}

// objections are all that apply.
type objections []objection

func (o *objections) when(applies bool, r msg.Reject, limit, actual int64) {
	if applies {
		*o = append(*o, objection{r, limit, actual})
	}
}

// first is the one that stands first in the order of precedence; among equals the one found first.
func (o objections) first() (f objection) {
	for _, p := range o {
		if f.reject == 0 || p.reject < f.reject {
			f = p
		}
	}
	return f
}

// enter is the door (W-59): rate, rights and kill switch, account, client id, instrument. meter: 0 orders, 1 cancels. It
// is done when it has told why not. reduce says that the kill switch lets only reducing orders in.
func (n *naive) enter(c *msg.Command, meter int, enters bool) (done, reduce bool) {
	a, s := n.accounts[c.Account], n.sessions[c.Session]
	if a == nil {
		if c.Session != 0 && (s == nil || !s.open) {
			n.refuse(c, msg.RejectNotPermitted, 0, 0)
		} else {
			n.refuse(c, msg.RejectUnknownAccount, 0, 0)
		}
		return true, false
	}
	if n.rate != 0 {
		gap, burst := int64(fixed.Second)/n.rate, n.burst
		cost := gap
		if meter == 2 { // an entry of a mass quote is five eighths of an order
			meter, cost = 0, max(gap*int64(c.Quotation().Count)*5/8, 1)
		}
		if meter == 1 {
			gap, burst = max(gap/4, 1), 4*burst
			cost = gap
		}
		debt := max(0, a.debt[meter]-(n.now-a.debtAt[meter]))
		if over := debt - fixed.Nanos((burst-1)*gap); over > 0 {
			n.refuse(c, msg.RejectRateLimited, int64(over), 0)
			return true, false
		}
		if c.Session == 0 || s != nil && s.open && s.owner == a.owner {
			a.debt[meter], a.debtAt[meter] = debt+fixed.Nanos(cost), n.now
		}
	}
	if c.Session != 0 && (s == nil || !s.open || s.owner != a.owner) {
		n.refuse(c, msg.RejectNotPermitted, 0, 0)
		return true, false
	}
	last := s.last
	if c.Ref > last {
		s.last = c.Ref
	}
	if enters {
		var no objections
		if reduce = n.entryOf(c.Instr, a, &no); len(no) > 0 {
			n.refuse(c, no.first().reject, 0, 0)
			return true, false
		}
	}
	if c.Ref != 0 && c.Ref <= last {
		n.refuse(c, msg.RejectDuplicateClientID, int64(last), int64(c.Ref))
		return true, false
	}
	if c.Instr != 0 && n.instruments[c.Instr] == nil {
		n.refuse(c, msg.RejectUnknownInstrument, 0, 0)
		return true, false
	}
	return false, reduce
}

// entryOf asks permission and kill switch for a new order.
func (n *naive) entryOf(id msg.InstrumentID, a *naiveAccount, no *objections) (reduce bool) {
	turns := []msg.Action{n.entry, a.entry, n.owners[a.owner].entry}
	if in := n.instruments[id]; in != nil {
		no.when(a.groups>>in.listing.Group&1 == 0, msg.RejectNotPermitted, 0, 0)
		turns = append(turns, in.entry)
	}
	for _, t := range turns {
		no.when(t == msg.Block || t == msg.BlockAndCancel, msg.RejectEntryBlocked, 0, 0)
		reduce = reduce || t == msg.ReduceEntry
	}
	return reduce
}

// formed checks what a command says by itself.
func (n *naive) formed(c *msg.Command) msg.Reject {
	var no objections
	amend, ext := c.Kind == msg.KindAmend, msg.OrderExt{}
	if c.Kind == msg.KindPlace {
		ext = c.OrderExt()
	}
	const most = 1 << 55
	bad := func(b bool) { no.when(b, msg.RejectValueOutOfRange, 0, 0) }
	no.when(c.Flags&^(msg.FlagPostOnly|msg.FlagSlide|msg.FlagReduceOnly|msg.FlagIsolated|msg.FlagPersist|msg.FlagLeaves) != 0, msg.RejectReservedBits, 0, 0)
	bad(c.Qty <= 0 || c.Qty > most || c.Price < 0 || c.Price > most)
	bad(c.Price == 0 && c.Kind != msg.KindMarket)
	if amend {
		bad(c.Flags&^msg.FlagLeaves != 0)
		return no.first().reject
	}
	passive := c.Flags&(msg.FlagPostOnly|msg.FlagSlide) != 0
	bad(c.Side != msg.Buy && c.Side != msg.Sell)
	bad(c.STP > msg.STPNone || c.TIF > msg.GTD || c.Flags&msg.FlagLeaves != 0)
	bad(c.Kind == msg.KindMarket && c.TIF != msg.IOC && c.TIF != msg.FOK)
	bad(c.Kind == msg.KindLimit && c.TIF == msg.GTD)
	bad(passive && (c.TIF == msg.IOC || c.TIF == msg.FOK))
	bad(ext.Min < 0 || ext.Min > c.Qty || ext.Min > 0 && passive)
	bad(c.Kind == msg.KindPlace && (c.TIF == msg.GTD && ext.Expire <= n.now || c.TIF != msg.GTD && ext.Expire != 0))
	return no.first().reject
}

// wish is an order at the gate.
type wish struct {
	account    *naiveAccount
	instr      msg.InstrumentID
	side       msg.Side
	limit      fixed.Ticks
	qty        fixed.Lots
	market     bool
	reduceOnly bool
	isolated   bool
	reduce     bool // the kill switch wants it to reduce
	rests      bool
	old        *naiveOrder // that it takes the place of
}

// admit says why an order may not come in, or cuts and prices it (W-59, M-16 to M-18).
func (n *naive) admit(w *wish) (no objections) {
	a, in := w.account, n.instruments[w.instr]
	step, lot := in.step(msg.PriceStep), in.step(msg.QtyStep)
	no.when(int64(w.limit)%step != 0, msg.RejectOffTick, step, int64(w.limit))
	no.when(int64(w.qty)%lot != 0, msg.RejectOffLot, lot, int64(w.qty))
	most := in.rules[msg.MaxOrderQty]
	no.when(most != 0 && int64(w.qty) > most, msg.RejectOrderSizeLimit, most, int64(w.qty))
	x := n.exposure(a, w.instr, w.old)
	reducing := w.side == msg.Buy && x.buys+w.qty <= -x.qty || w.side == msg.Sell && x.sells+w.qty <= x.qty
	if in.mark == 0 && w.market { // nothing further can be said of an order without a price
		no.when(in.phase != msg.Continuous && (in.phase != msg.ReduceOnly || !w.reduceOnly), msg.RejectMarketHalted, 0, 0)
		no.when(n.health(w.instr) >= msg.Frozen && !w.reduceOnly, msg.RejectOracleFrozen, 0, 0)
		no.when(true, msg.RejectNoMark, 0, 0)
		return no
	}
	if w.market {
		w.limit = in.protection(w.side, w.limit)
	}

	notional := in.worth(w.qty, w.limit)
	least, largest := in.rules[msg.MinOrderNotional], in.rules[msg.MaxOrderNotional]
	no.when(largest != 0 && int64(notional) > largest, msg.RejectNotionalLimit, largest, int64(notional))
	no.when(int64(notional) < least, msg.RejectNotionalLimit, least, int64(notional))
	count, open := in.rules[msg.MaxOpenOrders], int64(n.open(a, w.instr))
	no.when(w.old == nil && w.rests && count != 0 && open >= count, msg.RejectOpenOrderLimit, count, open+1)
	no.when(in.phase != msg.Continuous && (in.phase != msg.ReduceOnly || !reducing && !w.reduceOnly), msg.RejectMarketHalted, 0, 0)
	no.when(n.health(w.instr) >= msg.Frozen && !reducing && !w.reduceOnly, msg.RejectOracleFrozen, 0, 0)
	no.when(in.mark == 0, msg.RejectNoMark, 0, 0)
	no.when(n.storage > msg.StorageNormal && !reducing && !w.reduceOnly, msg.RejectStorageReduceOnly, 0, 0)
	low, high := in.edges()
	no.when(w.side == msg.Buy && w.limit > high, msg.RejectPriceOutsideBand, int64(high), int64(w.limit))
	no.when(w.side == msg.Sell && w.limit < low, msg.RejectPriceOutsideBand, int64(low), int64(w.limit))
	busy, isolated := a.qty[w.instr] != 0 || open != 0, a.own(w.instr).isolated
	no.when(w.isolated && !in.perpetual() || busy && w.isolated != isolated, msg.RejectModeConflict, 0, 0)
	if len(no) > 0 {
		return no
	}

	if w.reduceOnly {
		held := x.qty
		if w.side == msg.Buy {
			held = -held
		}
		no.when(held <= 0, msg.RejectWouldNotReduce, 0, int64(w.qty))
		if len(no) > 0 {
			return no
		}
		if in.perpetual() {
			w.qty = min(w.qty, held)
		} else {
			w.reduceOnly = false // a spot sell opens nothing
		}
		reducing = true
	}
	if !reducing {
		n.caps(w, x, &no)
		limit, actual := int64(0), int64(0)
		if n.pool(poolID{account: a.id}).rung >= msg.RungCall2 {
			equity, initial, _ := n.figures(a)
			limit, actual = int64(initial), int64(equity)
		}
		no.when(w.reduce, msg.RejectAccountReduceOnly, limit, actual)
	}
	if in.mark != 0 && w.isolated {
		n.isolatedCredit(w, x, reducing, &no)
	} else if in.mark != 0 {
		n.credit(w, x, reducing, &no)
	}
	return no
}

// caps are M-71: the owner's lots, and the lots of all, with the order filled.
func (n *naive) caps(w *wish, x exposure, no *objections) {
	in := n.instruments[w.instr]
	if most := in.rules[msg.MaxPosition]; most != 0 {
		would := w.qty
		for _, id := range n.owners[w.account.owner].accounts {
			y := n.exposure(n.accounts[id], w.instr, w.old)
			if w.side == msg.Buy {
				would += y.qty + y.buys
			} else {
				would += y.sells - y.qty
			}
		}
		no.when(int64(would) > most, msg.RejectPositionLimit, most, int64(would))
	}
	if most := in.rules[msg.MaxOpenInterest]; most != 0 && in.perpetual() {
		closes := min(w.qty, max(0, x.qty))
		if w.side == msg.Buy {
			closes = min(w.qty, max(0, -x.qty))
		}
		opens := w.qty - closes
		would := n.interest(w.instr) + opens
		no.when(opens > 0 && int64(would) > most, msg.RejectOpenInterestLimit, most, int64(would))
	}
}

// credit is M-16 and M-17; x is without the order.
func (n *naive) credit(w *wish, x exposure, reducing bool, no *objections) {
	a, in := w.account, n.instruments[w.instr]
	equity, initial, maintenance := n.figures(a)
	fees := n.feesOf(in, a.owner)
	if reducing && in.perpetual() && equity >= initial {
		if n.tighten(w, equity, no); len(*no) > 0 {
			return
		}
	}
	loss, fee := in.terms(w.side, w.limit, fees)
	reserve := in.reserve(w.qty, w.limit, loss, fee)
	y := x
	if w.side == msg.Buy {
		y.buys, y.buyReserve = x.buys+w.qty, x.buyReserve+reserve
	} else {
		y.sells, y.sellReserve = x.sells+w.qty, x.sellReserve+reserve
	}
	no.when(!in.perpetual() && y.sells > x.qty, msg.RejectInsufficientFunds, int64(x.qty-x.sells), int64(w.qty))
	if w.reduceOnly {
		y = x
	}
	delta := w.qty
	if w.side == msg.Sell {
		delta = -w.qty
	}
	more := in.requirementUnder(y, n.conditions(a, w.instr, delta)) - in.requirementUnder(n.exposure(a, w.instr, nil), n.conditions(a, w.instr, 0))
	if !n.reduces(poolID{account: a.id}, equity, initial) {
		no.when((!reducing || !in.perpetual()) && initial+more > equity, msg.RejectInsufficientMargin, int64(equity-initial), int64(more))
		return
	}
	if !reducing {
		no.when(true, msg.RejectAccountReduceOnly, int64(initial), int64(equity))
		return
	}
	if equity >= initial {
		return
	}
	n.worsens(w, x, equity, maintenance, no)
}

// worsens is M-17 for a reducing order of a pool with that equity and maintenance.
func (n *naive) worsens(w *wish, x exposure, equity, maintenance fixed.Money, no *objections) {
	in := n.instruments[w.instr]
	fees := n.feesOf(in, w.account.owner)
	paid := fixed.Money(ceilOf(share(in.worth(w.qty, w.limit), max(0, fees.Maker, fees.Taker)), int64(fixed.One)))
	after, gained := x.qty+w.qty, in.worth(w.qty, in.mark-w.limit)
	if w.side == msg.Sell {
		after, gained = x.qty-w.qty, in.worth(w.qty, w.limit-in.mark)
	}
	if !in.perpetual() {
		gained = in.worth(w.qty, w.limit) - in.collateral(x.qty) + in.collateral(after)
	}
	equityAfter := equity + gained - paid
	maintenanceAfter := maintenance - in.maintenance(x.qty) + in.maintenance(after)
	healthy := product(int64(equityAfter), int64(maintenance)).Cmp(product(int64(equity), int64(maintenanceAfter))) >= 0
	if maintenance == 0 && maintenanceAfter == 0 {
		healthy = equityAfter > equity
	}
	no.when(maintenanceAfter > maintenance || !healthy, msg.RejectWouldWorsenHealth, int64(equity), int64(equityAfter))
}

// slid is the price of a sliding order.
func (n *naive) slid(id msg.InstrumentID, side msg.Side, price fixed.Ticks) fixed.Ticks {
	step := fixed.Ticks(n.instruments[id].step(msg.PriceStep))
	if !n.crosses(id, side, price) || price%step != 0 {
		return price
	}
	best := n.first(id, side.Opposite()).price
	behind := best - best%step + step
	if side == msg.Buy {
		for behind = best - 1; behind%step != 0; behind-- {
		}
	}
	if behind <= 0 || behind > 1<<55 {
		return price
	}
	return behind
}
