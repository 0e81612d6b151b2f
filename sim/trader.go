package sim

import (
	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/msg"
)

// trader draws what one client asks for. It sees its own answers and nothing of the state, so it asks for what is not there, for
// what has gone and for what is somebody else's, as people do.
type trader struct {
	mine  []order // that it has seen in the book, the latest last
	apart [8]bool // by instrument: whether the last it heard of its first account was isolated
}

// order is what a trader remembers of one.
type order struct {
	id      msg.OrderID
	account msg.AccountID
	instr   msg.InstrumentID
	side    msg.Side
	price   fixed.Ticks
	qty     fixed.Lots
}

// remembered is how many orders a trader remembers.
const remembered = 48

// account is one of the client's own two, and now and then somebody's.
func (c *client) account() msg.AccountID {
	if c.world.percent(2) {
		return pick(c.world.chance, c.world.market.account(c.world), 0, 1<<29)
	}
	return msg.AccountID(ownerOf(c.number)) + msg.AccountID(c.world.chance.IntN(8)/7)
}

// draw is the client's next request.
func (c *client) draw() msg.Command {
	w := c.world
	o := &w.options
	in := w.market.instrument(w)
	if w.percent(o.Apart) {
		return c.remargin(in)
	}
	if w.percent(o.Calm) {
		switch {
		case w.percent(25):
			return c.recall(msg.KindCancel)
		case w.percent(18):
			return c.recall(msg.KindAmend)
		}
		return c.order(in)
	}
	id := c.account()
	switch w.chance.IntN(8) {
	case 0:
		return msg.Withdraw(id, fixed.Money(w.chance.Int64N(o.Money))*pick[fixed.Money](w.chance, 1_000, 10_000))
	case 1:
		return msg.Transfer(id, pick(w.chance, id^1, w.market.account(w)), fixed.Money(w.chance.Int64N(o.Money))*5_000)
	case 2:
		return msg.WithdrawAsset(id, in, fixed.Lots(w.chance.Int64N(o.Lots)))
	case 3:
		return msg.CancelAll(id, pick(w.chance, 0, 0, in), pick(w.chance, 0, 0, msg.Buy, msg.Sell, 3))
	case 4: // what only the venue may do
		return pick(w.chance, msg.SetMark(in, 1), msg.Deposit(id, fixed.Coin), msg.SetPhase(in, msg.Continuous), msg.OpenSession(c.session, ownerOf(c.number)))
	}
	return c.remargin(in)
}

// price is near where the instrument trades, as bold as the options say.
func (c *client) price(in msg.InstrumentID, side msg.Side) fixed.Ticks {
	w := c.world
	if w.percent(1) {
		return fixed.Ticks(w.chance.IntN(3))
	}
	d := fixed.Ticks(w.chance.Int64N(w.chance.Int64N(w.options.Width)+1) - w.chance.Int64N(3))
	if side == msg.Buy {
		d = -d
	}
	return w.market.mids[in&7] + d
}

func (c *client) order(in msg.InstrumentID) (m msg.Command) {
	w := c.world
	id, side := c.account(), pick(w.chance, msg.Buy, msg.Sell)
	qty := fixed.Lots(1 + w.chance.Int64N(w.chance.Int64N(w.options.Lots)+1))
	flags := msg.Flags(0)
	switch w.chance.IntN(16) {
	case 0:
		flags = msg.FlagPostOnly
	case 1:
		flags = msg.FlagSlide
	case 2, 3:
		flags = msg.FlagReduceOnly
	}
	if c.trader.apart[in&7] != w.percent(4) {
		flags |= msg.FlagIsolated
	}
	switch w.chance.IntN(12) {
	case 0:
		m = msg.Market(id, in, side, qty, pick(w.chance, 0, 0, c.price(in, side.Opposite())))
		m.TIF = pick(w.chance, msg.IOC, msg.IOC, msg.FOK)
		flags &= msg.FlagReduceOnly | msg.FlagIsolated
	case 1:
		ext, tif := msg.OrderExt{}, msg.GTC
		if w.percent(60) {
			tif, ext.Expire = msg.GTD, w.now+w.skew+fixed.Nanos(w.chance.Int64N(int64(pick(w.chance, fixed.Millisecond, fixed.Hour))))
		}
		if w.percent(40) {
			ext.Min = fixed.Lots(w.chance.Int64N(int64(qty) + 1))
		}
		m = msg.Place(id, in, side, c.price(in, side), qty, ext)
		m.TIF = tif
	default:
		m = msg.Limit(id, in, side, c.price(in, side), qty)
		if w.percent(15) {
			m.TIF = pick(w.chance, msg.IOC, msg.FOK)
			m.Price = c.price(in, side.Opposite())
		}
	}
	m.Flags = flags
	if w.percent(30) {
		m.STP = msg.STP(w.chance.IntN(6))
	}
	if w.percent(1) {
		m.Flags, m.STP, m.TIF = msg.Flags(w.chance.IntN(1<<12)), msg.STP(w.chance.IntN(8)), msg.TIF(w.chance.IntN(6))
	}
	return m
}

// recall is a cancel or an amend of an order that the client has seen, and now and then of one that is not its own.
func (c *client) recall(kind msg.Kind) msg.Command {
	w := c.world
	mine := c.trader.mine
	if len(mine) == 0 {
		return msg.Cancel(c.account(), w.market.instrument(w), msg.OrderID(w.chance.IntN(100)))
	}
	at := len(mine) - 1 - w.chance.IntN(len(mine))
	o := mine[at]
	if kind == msg.KindCancel && w.percent(80) { // it will be gone
		c.trader.mine = append(mine[:at], mine[at+1:]...)
	}
	switch w.chance.IntN(60) {
	case 0:
		o.account, o.instr = c.account(), w.market.instrument(w)
	case 1:
		o.id += msg.OrderID(w.chance.IntN(3)) << 32
	case 2:
		o.id = w.market.stray[w.chance.IntN(len(w.market.stray))]
	}
	if kind == msg.KindCancel {
		return msg.Cancel(o.account, o.instr, o.id)
	}
	price, qty := c.price(o.instr, o.side), fixed.Lots(1+w.chance.Int64N(w.options.Lots))
	if w.percent(50) {
		price, qty = o.price, fixed.Lots(1+w.chance.Int64N(int64(o.qty)))
	}
	m := msg.Amend(o.account, o.instr, o.id, price, qty)
	if w.percent(50) {
		m.Flags = msg.FlagLeaves
	}
	return m
}

// remargin is about the margin of a position.
func (c *client) remargin(in msg.InstrumentID) msg.Command {
	w := c.world
	id, cash := c.account(), fixed.Money(w.chance.Int64N(w.options.Money))*1_000
	switch w.chance.IntN(10) {
	case 0, 1:
		return msg.SetLeverage(id, in, msg.Leverage(pick(w.chance, 0, 100+w.chance.IntN(3000), w.chance.IntN(101), w.chance.IntN(1<<16))))
	case 2, 3:
		return msg.IsolateDefault(id, in)
	case 4:
		return msg.Isolate(id, in, pick(w.chance, cash, cash/10, -1))
	case 5, 6:
		return msg.Cross(id, in)
	}
	return msg.MoveMargin(id, in, pick(w.chance, cash, cash/10, cash/100, -cash, -cash/10, -cash/100))
}

// see lets the client look at an event of its own.
func (c *client) see(e *msg.Event) {
	t := &c.trader
	switch e.Kind {
	case msg.ModeChanged:
		t.apart[e.Instr&7] = e.ModeStep().To == msg.ModeIsolated
	case msg.Accepted:
		if len(t.mine) == remembered {
			t.mine = append(t.mine[:0], t.mine[remembered/3:]...)
		}
		t.mine = append(t.mine, order{e.Order, e.Account, e.Instr, e.Side, e.Price, e.Qty})
		c.world.market.saw(e.Order)
	case msg.Traded:
		if e.Fill().Leaves == 0 {
			t.forget(e.Order, c.world)
		}
	case msg.Canceled:
		if e.Change().Leaves == 0 {
			t.forget(e.Order, c.world)
		}
	case msg.Amended:
		for i := range t.mine {
			if t.mine[i].id == e.Order {
				t.mine[i].price, t.mine[i].qty = e.Price, e.Qty
			}
		}
	case msg.Expired:
		t.forget(e.Order, c.world)
	}
}

// forget forgets an order that is gone, mostly.
func (t *trader) forget(id msg.OrderID, w *world) {
	if w.percent(5) {
		return
	}
	for i := range t.mine {
		if t.mine[i].id == id {
			t.mine = append(t.mine[:i], t.mine[i+1:]...)
			return
		}
	}
}
