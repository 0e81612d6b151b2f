package export

import (
	"github.com/lockstep-exchange/lockstep/engine"
	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/market"
	"github.com/lockstep-exchange/lockstep/msg"
)

// A row is a struct whose tags name its columns, in both forms. A pointer is a column that may be empty; a decimal is an integer that
// CSV shows with its point.

// OrderRow is what became of an order: a row when it is accepted or refused, at each of its trades, and when it changes or ends.
type OrderRow struct {
	Seq        uint64 `parquet:"seq"`
	Time       int64  `parquet:"ts"`
	Account    uint32 `parquet:"account"`
	Market     string `parquet:"market"`
	Order      uint64 `parquet:"order_id"`
	Client     uint64 `parquet:"client_id"`
	Session    uint32 `parquet:"session"`
	Kind       string `parquet:"kind"`
	Side       string `parquet:"side"`
	TIF        string `parquet:"tif"`
	Flags      string `parquet:"flags"`
	Price      *int64 `parquet:"price,optional,decimal(6:18)"`
	PriceTicks int64  `parquet:"price_ticks"`
	Qty        *int64 `parquet:"qty,optional,decimal(9:18)"`
	QtyLots    int64  `parquet:"qty_lots"`
	LeavesLots int64  `parquet:"leaves_lots"`
	CumLots    int64  `parquet:"cum_lots"`
	Status     string `parquet:"status"`
	RejectCode uint32 `parquet:"reject_code"`
	Reason     string `parquet:"cancel_reason"`
}

// FillRow is one side of a trade.
type FillRow struct {
	Seq           uint64 `parquet:"seq"`
	Time          int64  `parquet:"ts"`
	Trade         uint64 `parquet:"trade_id"`
	Account       uint32 `parquet:"account"`
	Market        string `parquet:"market"`
	Order         uint64 `parquet:"order_id"`
	Client        uint64 `parquet:"client_id"`
	Side          string `parquet:"side"`
	Liquidity     string `parquet:"liquidity"`
	Price         *int64 `parquet:"price,optional,decimal(6:18)"`
	PriceTicks    int64  `parquet:"price_ticks"`
	Qty           *int64 `parquet:"qty,optional,decimal(9:18)"`
	QtyLots       int64  `parquet:"qty_lots"`
	FeeMoney      int64  `parquet:"fee_money"`
	RealizedMoney int64  `parquet:"realized_money"`
	PositionLots  int64  `parquet:"position_lots"`
	Parameters    uint64 `parquet:"param_version"`
}

// MarginRow is where the cross pool of an account stands behind a command that moved money, a position or a rung of it.
type MarginRow struct {
	Seq              uint64 `parquet:"seq"`
	Time             int64  `parquet:"ts"`
	Account          uint32 `parquet:"account"`
	Mode             string `parquet:"mode"`
	EquityMoney      int64  `parquet:"equity_money"`
	InitialMoney     int64  `parquet:"initial_money"`
	MaintenanceMoney int64  `parquet:"maintenance_money"`
	AvailableMoney   int64  `parquet:"available_money"`
	HealthRate       *int64 `parquet:"health_rate,optional"`
	Rung             string `parquet:"rung"`
	Cause            string `parquet:"cause"`
	Parameters       uint64 `parquet:"param_version"`
}

// LedgerRow is an amount that moved.
type LedgerRow struct {
	Seq          uint64 `parquet:"seq"`
	Time         int64  `parquet:"ts"`
	Account      uint32 `parquet:"account"`
	Entry        string `parquet:"entry"`
	Counter      uint32 `parquet:"counter_account"`
	AmountMoney  int64  `parquet:"amount_money"`
	BalanceMoney *int64 `parquet:"balance_money,optional"`
	Ref          uint64 `parquet:"ref"`
	Reason       string `parquet:"reason"`
}

// order writes the row of an event about an order.
func (e *Export) order(c *msg.Command, ev *msg.Event, in *market.Instrument) error {
	r := OrderRow{Seq: uint64(ev.Seq), Time: int64(ev.Time), Account: uint32(ev.Account), Market: e.symbols[ev.Instr], Order: uint64(ev.Order),
		Client: uint64(ev.Ref), Session: uint32(ev.Session), Price: priceOf(in, ev.Price), PriceTicks: int64(ev.Price),
		Qty: qtyOf(in, ev.Qty), QtyLots: int64(ev.Qty)}
	t := e.placed[ev.Order]
	switch ev.Kind {
	case msg.Accepted, msg.QuotePlaced:
		r.Status, r.LeavesLots = "accepted", int64(ev.Qty)
	case msg.Traded:
		f := ev.Fill()
		if r.Status = "filled"; f.Leaves > 0 {
			r.Status = "partially_filled"
		}
		r.LeavesLots, r.CumLots = int64(f.Leaves), int64(f.Filled)
	case msg.Amended:
		r.Status, r.LeavesLots, r.CumLots = "amended", int64(ev.Change().Leaves), int64(ev.Change().Filled)
	case msg.Canceled:
		r.Status, r.Reason, r.LeavesLots, r.CumLots = "canceled", ev.Reason.String(), int64(ev.Change().Leaves), int64(ev.Change().Filled)
	case msg.Expired:
		r.Status, r.LeavesLots, r.CumLots = "expired", int64(ev.Change().Leaves), int64(ev.Change().Filled)
	case msg.Rejected:
		if !aboutOrders(c.Kind) {
			return nil
		}
		r.Status, r.RejectCode = "rejected", uint32(ev.Reject.Code())
		if t.kind == 0 {
			t = terms{c.Kind, c.TIF, c.Flags}
		}
	default:
		return nil
	}
	if t.kind != 0 { // else it was placed before the first segment that is left
		r.Kind, r.TIF, r.Flags = t.kind.String(), t.tif.String(), t.flags.String()
	}
	if ev.Side != 0 {
		r.Side = ev.Side.String()
	}
	return e.orders.write(&r)
}

// aboutOrders reports whether a refused command was about one order.
func aboutOrders(k msg.Kind) bool {
	switch k {
	case msg.KindLimit, msg.KindMarket, msg.KindPlace, msg.KindAmend, msg.KindCancel, msg.KindQuote:
		return true
	}
	return false
}

// fill writes the row of one side of a trade.
func (e *Export) fill(ev *msg.Event, in *market.Instrument) error {
	if ev.Kind != msg.Traded {
		return nil
	}
	f := ev.Fill()
	r := FillRow{Seq: uint64(ev.Seq), Time: int64(ev.Time), Trade: uint64(f.Trade), Account: uint32(ev.Account), Market: e.symbols[ev.Instr],
		Order: uint64(ev.Order), Client: uint64(ev.Ref), Side: ev.Side.String(), Liquidity: "taker", Price: priceOf(in, ev.Price),
		PriceTicks: int64(ev.Price), Qty: qtyOf(in, ev.Qty), QtyLots: int64(ev.Qty), FeeMoney: int64(f.Fee), RealizedMoney: int64(f.Realized),
		PositionLots: int64(f.Position), Parameters: uint64(e.parameters)}
	if f.Maker {
		r.Liquidity = "maker"
	}
	return e.fills.write(&r)
}

// touch is an account that a command moved, and by what first.
type touch struct {
	account msg.AccountID
	cause   msg.EventKind
}

// moves reports whether an event moves money, a position or a rung of its account.
func moves(k msg.EventKind) bool {
	switch k {
	case msg.Traded, msg.Deposited, msg.Withdrawn, msg.Transferred, msg.AssetDeposited, msg.AssetWithdrawn, msg.RebateVested, msg.ModeChanged,
		msg.MarginMoved, msg.FundingPaid, msg.MarginCall, msg.MarginCallCleared, msg.LiquidationStarted, msg.LiquidationSlice,
		msg.LiquidationEnded, msg.Takeover, msg.AdlFill, msg.Socialized:
		return true
	}
	return false
}

// margin writes where an account stands.
func (e *Export) margin(c *msg.Command, t touch, eng *engine.Engine) error {
	s, open := eng.Account(t.account)
	if !open {
		return nil // the insurance fund
	}
	r := MarginRow{Seq: uint64(c.Seq), Time: int64(eng.Now()), Account: uint32(t.account), Mode: msg.ModeCross.String(), EquityMoney: int64(s.Equity),
		InitialMoney: int64(s.Initial), MaintenanceMoney: int64(s.Maintenance), AvailableMoney: int64(s.Free), Rung: s.State.String(),
		Cause: t.cause.String(), Parameters: uint64(e.parameters)}
	if s.Maintenance > 0 {
		if rate, ok := fixed.MulDivFloor(int64(s.Equity), int64(fixed.One), int64(s.Maintenance)); ok {
			r.HealthRate = &rate
		}
	}
	return e.margins.write(&r)
}

// entry writes the rows of what an event moved.
func (e *Export) entry(ev *msg.Event) error {
	r := LedgerRow{Seq: uint64(ev.Seq), Time: int64(ev.Time), Account: uint32(ev.Account), Entry: ev.Kind.String(), Ref: uint64(ev.Ref)}
	switch ev.Kind {
	case msg.Traded:
		f := ev.Fill()
		r.Ref, r.Reason = uint64(f.Trade), "trade"
		for _, part := range []struct {
			entry  string
			amount fixed.Money
		}{{"Fee", -f.Fee}, {"Realized", f.Realized}} {
			if r.Entry, r.AmountMoney = part.entry, int64(part.amount); part.amount == 0 {
				continue
			}
			if err := e.ledger.write(&r); err != nil {
				return err
			}
		}
		return nil
	case msg.Deposited, msg.Withdrawn, msg.Transferred, msg.RebateVested, msg.MarginMoved, msg.FundingPaid, msg.FundDraw, msg.FundIncome,
		msg.Socialized, msg.DeficitBooked:
		b := ev.Balance()
		cash := int64(b.Cash)
		r.AmountMoney, r.BalanceMoney, r.Counter = int64(b.Amount), &cash, uint32(b.Peer)
		if ev.Kind == msg.Withdrawn {
			r.AmountMoney = -r.AmountMoney
		}
		if b.External != 0 {
			r.Ref, r.Reason = b.External, "external"
		}
		return e.ledger.write(&r)
	}
	return nil
}
