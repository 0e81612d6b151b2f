package scenario

import (
	"cmp"
	"math/big"
	"strings"

	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/msg"
)

// The statements that act: each is a command, or a few.

// readDeposit reads deposit: money from outside.
func readDeposit(a *args) func(*world) {
	c := a.payment("amount", a.accountID("account"), false, msg.Deposit, msg.DepositAsset)
	a.commanded = true
	return func(w *world) { w.send(c) }
}

// readWithdraw reads withdraw: money to the outside.
func readWithdraw(a *args) func(*world) {
	c := a.payment("amount", a.accountID("account"), false, msg.Withdraw, msg.WithdrawAsset)
	a.commanded = true
	return func(w *world) { w.send(c) }
}

// readTransfer reads transfer: money from one account to another.
func readTransfer(a *args) func(*world) {
	from, to, amount := a.account("from", true), a.account("to", true), a.positive("amount", true)
	a.commanded = true
	return func(w *world) { w.send(msg.Transfer(from.id, to.id, amount)) }
}

// readLeverage reads leverage: the chosen one, in steps of 0.01.
func readLeverage(a *args) func(*world) {
	who, in := a.account("account", true), a.instrument("instrument", true)
	x := msg.Leverage(0)
	if r := a.number("x", "LEVERAGE", true); r != nil {
		const most = 1<<16 - 1
		n, ok := count(r, big.NewRat(1, 100))
		if !ok || n <= 0 || n > most {
			a.fault(a.given("x").at, "x is %s, expected a leverage in steps of 0.01, from 0.01 to 655.35", quote(a.given("x").value))
		}
		x = msg.Leverage(n)
	}
	a.commanded = true
	return func(w *world) { w.send(msg.SetLeverage(who.id, in.id, x)) }
}

// readIsolate reads isolate: a position gets margin of its own.
func readIsolate(a *args) func(*world) {
	who, in := a.account("account", true), a.instrument("instrument", true)
	margin := a.positive("margin", false)
	a.commanded = true
	if a.mode != AsWritten {
		return leftOut
	}
	return func(w *world) {
		if margin == 0 {
			w.send(msg.IsolateDefault(who.id, in.id))
			return
		}
		w.send(msg.Isolate(who.id, in.id, margin))
	}
}

// leftOut is a statement that a mode for everything leaves without a sense.
func leftOut(w *world) { w.answer = answer{leftOut: true} }

// readCross reads cross: an isolated position goes back to its account.
func readCross(a *args) func(*world) {
	who, in := a.account("account", true), a.instrument("instrument", true)
	a.commanded = true
	if a.mode != AsWritten {
		return leftOut
	}
	return func(w *world) { w.send(msg.Cross(who.id, in.id)) }
}

// readMargin reads margin: cash into an isolated position, or out of it.
func readMargin(a *args) func(*world) {
	who, in, amount := a.account("account", true), a.instrument("instrument", true), a.money("add", true)
	if p := a.given("add"); p != nil && amount == 0 && !a.faulty {
		a.fault(p.at, "add is %s, expected an amount above 0 to add, or below 0 to remove", quote(p.value))
	}
	a.commanded = true
	if a.mode == Cross {
		return leftOut
	}
	return func(w *world) { w.send(msg.MoveMargin(who.id, in.id, amount)) }
}

// terms are what an order says besides who, what and at which price.
type terms struct {
	market bool
	tif    msg.TIF
	stp    msg.STP
	flags  msg.Flags
	min    fixed.Lots
	expire fixed.Nanos // from its placing on
}

// readPlace reads place: an order.
func readPlace(a *args) func(*world) {
	who, in := a.account("account", true), a.instrument("instrument", true)
	side, qty := a.side("side", true), a.qty("qty", in, true)
	var t terms
	t.market = a.choice("type", false, "limit", "market", "|", "stop", "stop-limit", "take-profit", "take-profit-limit", "trailing", "pegged") == "market"
	price := a.price("price", in, !t.market)
	t.tif = a.timeInForce(t.market)
	t.expire = a.duration("expire", false)
	if p := a.given("expire"); p != nil {
		switch {
		case t.tif == msg.GTC && a.given("tif") == nil:
			t.tif = msg.GTD
		case t.tif != msg.GTD:
			a.fault(p.column, "expire belongs to tif=gtd")
		}
		if t.expire == 0 || t.expire > maxTime-a.script.Ends {
			a.fault(p.at, "expire is %s, expected a duration above 0 that ends by %s", quote(p.value), span(maxTime))
		}
	} else if t.tif == msg.GTD {
		a.fault(a.column, "tif=gtd needs expire=DURATION, counted from this line on")
	}
	t.min = a.qty("min-qty", in, false)
	if p := a.given("min-qty"); p != nil && t.min > qty && qty > 0 {
		a.fault(p.at, "min-qty is %s, expected no more than qty", quote(p.value))
	}
	t.stp = stps[a.choice("stp", false, "cancel-newest", "cancel-oldest", "cancel-both", "decrement", "none")]
	t.flags = a.orderFlags(&t, in)
	a.later("trigger", "trigger-by", "peg", "offset", "display", "bucket", "link", "hidden")
	label := a.newLabel(in)
	a.commanded = true
	a.orders++
	return func(w *world) {
		w.answer = answer{}
		o := &order{label: label, account: who, in: in, side: side}
		if label != "" {
			w.labels[label] = o
		}
		w.answer.refused = w.place(o, w.order(o, price, qty, &t))
	}
}

var stps = map[string]msg.STP{"cancel-newest": msg.STPCancelNewest, "cancel-oldest": msg.STPCancelOldest, "cancel-both": msg.STPCancelBoth,
	"decrement": msg.STPDecrement, "none": msg.STPNone}

// timeInForce reads tif. A market order never rests.
func (a *args) timeInForce(market bool) msg.TIF {
	switch a.choice("tif", false, "gtc", "ioc", "fok", "gtd") {
	case "ioc":
		return msg.IOC
	case "fok":
		return msg.FOK
	case "gtd":
		if market {
			a.fault(a.given("tif").at, "tif is \"gtd\", expected ioc or fok: a market order never rests")
		}
		return msg.GTD
	}
	if p := a.given("tif"); market && p != nil {
		a.fault(p.at, "tif is \"gtc\", expected ioc or fok: a market order never rests")
	}
	if market {
		return msg.IOC
	}
	return msg.GTC
}

// orderFlags reads the bare words of an order.
func (a *args) orderFlags(t *terms, in *instrument) (flags msg.Flags) {
	if a.flag("reduce-only") {
		flags |= msg.FlagReduceOnly
	}
	for _, f := range []struct {
		word string
		flag msg.Flags
	}{{"post-only", msg.FlagPostOnly}, {"slide", msg.FlagSlide}} {
		if !a.flag(f.word) {
			continue
		}
		if flags |= f.flag; t.market || t.tif == msg.IOC || t.tif == msg.FOK || t.min > 0 {
			a.fault(a.column, "%s is for an order that rests, expected no market order, no tif=ioc or fok and no min-qty with it", f.word)
		}
	}
	isolated := a.flag("isolated")
	if in != nil && in.kind != msg.Spot && a.mode != Cross && (isolated || a.mode == Isolated) {
		flags |= msg.FlagIsolated
	}
	return flags
}

// newLabel reads the label that an order gets.
func (a *args) newLabel(in *instrument) string {
	p := a.find("id")
	if p == nil {
		return ""
	}
	a.named(p)
	a.labels = append(a.labels, p.value)
	a.ordered[p.value] = in
	return p.value
}

// order is the command of an order.
func (w *world) order(o *order, price fixed.Ticks, qty fixed.Lots, t *terms) (c msg.Command) {
	switch {
	case t.market && t.min == 0:
		c = msg.Market(o.account.id, o.in.id, o.side, qty, price)
	case t.tif == msg.GTD || t.min != 0:
		ext := msg.OrderExt{Min: t.min}
		if t.tif == msg.GTD {
			ext.Expire = w.now + t.expire
		}
		c = msg.Place(o.account.id, o.in.id, o.side, price, qty, ext)
	default:
		c = msg.Limit(o.account.id, o.in.id, o.side, price, qty)
	}
	c.TIF, c.STP, c.Flags = t.tif, t.stp, t.flags
	return c
}

// readAmend reads amend: another price, another total quantity, or both.
func readAmend(a *args) func(*world) {
	label := a.label("id")
	in := a.ordered[label]
	price, qty := a.price("price", in, false), a.qty("qty", in, false)
	if a.given("price") == nil && a.given("qty") == nil && !a.faulty {
		a.fault(a.column, "amend changes nothing, expected price=PRICE, qty=QUANTITY or both")
	}
	a.commanded = true
	return func(w *world) {
		o := w.labels[label]
		c := msg.Amend(o.account.id, o.in.id, o.id, cmp.Or(price, o.price), cmp.Or(qty, o.filled+o.leaves))
		w.send(c)
	}
}

// readCancel reads cancel.
func readCancel(a *args) func(*world) {
	label := a.label("id")
	a.commanded = true
	return func(w *world) {
		o := w.labels[label]
		w.send(msg.Cancel(o.account.id, o.in.id, o.id))
	}
}

// readCancelAll reads cancel-all: of one instrument and side where they are stated.
func readCancelAll(a *args) func(*world) {
	who, in, side := a.account("account", true), a.instrument("instrument", false), a.side("side", false)
	id := msg.InstrumentID(0)
	if in != nil {
		id = in.id
	}
	a.commanded = true
	return func(w *world) { w.send(msg.CancelAll(who.id, id, side)) }
}

// readQuote reads quote: a bid, an ask or both in the stead of what is left of the last quote. The old sides are canceled
// first; a side that is not stated is not quoted.
func readQuote(a *args) func(*world) {
	who, in := a.account("account", true), a.instrument("instrument", true)
	var sides [2]struct {
		price fixed.Ticks
		qty   fixed.Lots
	}
	for i, key := range []string{"bid", "ask"} {
		p := a.find(key)
		if p == nil || in == nil {
			continue
		}
		qty, price, found := strings.Cut(p.value, "@")
		if !found {
			a.fault(p.at, "%s is %s, expected QTY@PRICE, as in 2@50000", key, quote(p.value))
			continue
		}
		sides[i].qty, sides[i].price = a.lots(p, qty, in), a.ticks(p, price, in)
	}
	a.commanded = true
	a.orders += 2
	t := terms{stp: msg.STPCancelNewest}
	if in != nil && in.kind != msg.Spot && a.mode == Isolated {
		t.flags = msg.FlagIsolated
	}
	return func(w *world) {
		key := quoteKey{who, in}
		last := w.quotes[key]
		if last == nil {
			last = new([2]*order)
			w.quotes[key] = last
		}
		w.answer = answer{}
		for i := range last {
			if last[i].works() {
				c := msg.Cancel(who.id, in.id, last[i].id)
				w.answer.refused = cmp.Or(w.answer.refused, w.apply(&c))
			}
		}
		for i, side := range []msg.Side{msg.Buy, msg.Sell} {
			if last[i] = nil; sides[i].qty == 0 {
				continue
			}
			last[i] = &order{account: who, in: in, side: side}
			r := w.place(last[i], w.order(last[i], sides[i].price, sides[i].qty, &t))
			w.answer.refused = cmp.Or(w.answer.refused, r)
		}
	}
}

// readIndex reads index: every source reports the price.
func readIndex(a *args) func(*world) {
	u, price := a.underlying("underlying"), a.money("price", true)
	a.commanded = true
	return func(w *world) {
		w.send(msg.ReportPrice(msg.Report{Underlying: u.id, Price: price, Confidence: fixed.One}))
	}
}

// readOracle reads oracle: one source reports a price.
func readOracle(a *args) func(*world) {
	u := a.underlying("underlying")
	source := uint8(0)
	if p := a.need("source", "SOURCE"); p != nil && u != nil {
		source = a.source(p, u)
	}
	price, confidence := a.money("price", true), fixed.One
	if p := a.find("confidence"); p != nil {
		confidence = a.fraction(p, p.value)
		if (confidence < 0 || confidence > fixed.One) && !a.faulty {
			a.fault(p.at, "confidence is %s, expected a rate from 0 to 100%%", quote(p.value))
		}
	}
	a.commanded = true
	return func(w *world) {
		w.send(msg.ReportPrice(msg.Report{Underlying: u.id, Source: source, Price: price, Confidence: confidence}))
	}
}

// source is the number of a source, from 1 on.
func (a *args) source(p *pair, u *underlying) uint8 {
	for i, s := range u.sources {
		if s == p.value {
			return uint8(i + 1)
		}
	}
	a.fault(p.at, "%s has no source %s, expected %s", u.name, quote(p.value), either(u.sources))
	return 0
}

// readMark reads mark: the mark of an instrument that is marked by hand.
func readMark(a *args) func(*world) {
	in := a.instrument("instrument", true)
	price := a.price("price", in, true)
	a.commanded = true
	return func(w *world) { w.send(msg.SetMark(in.id, price)) }
}

// readVol reads vol, which only options look at.
func readVol(a *args) func(*world) {
	a.underlying("underlying")
	a.rate("implied", true)
	a.lacksVerb()
	return nil
}

// readFunding reads funding: one payment at a rate, now.
func readFunding(a *args) func(*world) {
	in, rate := a.instrument("instrument", true), a.rate("rate", true)
	a.commanded = true
	return func(w *world) { w.send(msg.SettleFunding(in.id, rate)) }
}

var phases = map[string]msg.Phase{"closed": msg.Closed, "call-auction": msg.CallAuction, "continuous": msg.Continuous, "reduce-only": msg.ReduceOnly, "halted": msg.Halted}

// readPhase reads phase: the trading phase of an instrument.
func readPhase(a *args) func(*world) {
	in := a.instrument("instrument", true)
	to := phases[a.choice("to", true, "closed", "call-auction", "continuous", "reduce-only", "halted")]
	a.commanded = true
	return func(w *world) { w.send(msg.SetPhase(in.id, to)) }
}

// readBid reads bid: an offer for what a liquidation auction sells.
func readBid(a *args) func(*world) {
	a.account("account", true)
	a.need("liquidation", "LABEL")
	a.number("qty", "QUANTITY", true)
	a.number("price", "PRICE", true)
	a.lacksVerb()
	return nil
}

// readAdvance reads advance: time passes.
func readAdvance(a *args) func(*world) {
	if len(a.pairs) != 1 || !a.pairs[0].bare {
		a.fault(a.column, "advance needs one duration, as in advance 8h")
		return nil
	}
	p := &a.pairs[0]
	p.taken = true
	by := a.time(p.column, "the duration", p.key)
	if by > maxTime-a.script.Ends {
		a.fault(p.column, "the time would be later than %s, the last that there is", span(maxTime))
		return nil
	}
	a.script.Ends += by
	a.commanded = true
	return func(w *world) { w.advance(by) }
}
