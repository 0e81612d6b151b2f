package sim

import (
	"crypto/ed25519"
	"time"

	sdk "github.com/lockstep-exchange/lockstep/client"
	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/msg"
	"github.com/lockstep-exchange/lockstep/wire"
	"github.com/lockstep-exchange/lockstep/wire/gen"
)

// desk is a firm that trades over the wire: a key, and a terminal for each kind of session that it has. The accounts are those of one of
// the clients with a lane of their own, so that one firm's orders come through two doors.
type desk struct {
	world     *world
	key       msg.KeyID
	client    int // whose accounts it has; 0: everybody's, to read
	off       fixed.Nanos
	skew      fixed.Nanos // of its machine's clock against the world's
	mine      []msg.Ref   // orders that it has asked for, the latest last
	again     []sdk.NewOrder
	terminals []*terminal
}

// newDesk makes a desk with a terminal for each kind.
func newDesk(w *world, number, client int, kinds ...gen.SessionKind) *desk {
	d := &desk{world: w, key: msg.KeyID(venueKey + 1 + number), client: client, off: w.around(2*fixed.Second) - 2*fixed.Second}
	for _, kind := range kinds {
		d.terminals = append(d.terminals, newTerminal(w, d, kind))
	}
	return d
}

func newTerminal(w *world, d *desk, kind gen.SessionKind) *terminal {
	t := &terminal{world: w, number: len(w.terminals), desk: d}
	t.config = sdk.Config{Key: sdk.Key{ID: uint64(d.key), Private: private(uint64(d.key))}, Venue: private(venueKey).Public().(ed25519.PublicKey),
		Kind: kind, Shard: 1, Keepalive: pick(w.chance, 100*time.Millisecond, 300*time.Millisecond, 2*time.Second), Patience: 2 * time.Second,
		OnLoss: sdk.OnLoss(w.chance.IntN(4)), Window: pick(w.chance, 0, 10*time.Millisecond, 100*time.Millisecond, time.Second),
		Orders: 64, Pending: 64, Held: pick(w.chance, wire.MaxOutbound, 1<<20), Random: w.random}
	t.begin(sdk.Resume{})
	w.terminals = append(w.terminals, t)
	return t
}

// change is the key as the venue sets it.
func (d *desk) change() msg.KeyChange {
	k := msg.KeyChange{Key: d.key, Role: msg.RoleTrader, Scheme: uint8(gen.SignatureSchemeEd25519), Owner: ownerOf(d.client),
		Public: [32]byte(private(uint64(d.key)).Public().(ed25519.PublicKey))}
	if d.client == 0 {
		k.Role, k.Owner = msg.RoleAuditor, 0
	}
	return k
}

// wants reports whether a terminal would ask for something now.
func (d *desk) wants(t *terminal) bool {
	w := d.world
	return !w.healing && !t.left && t.config.Kind != gen.SessionKindDropCopy && t.session.Bound() && t.session.Unanswered() < w.options.Window
}

// account is one of its own two, and now and then somebody's.
func (d *desk) account() msg.AccountID {
	w := d.world
	if w.percent(2) {
		return w.market.account(w)
	}
	return msg.AccountID(ownerOf(d.client)) + msg.AccountID(w.chance.IntN(8)/7)
}

// request asks for something. What was not sent has no number.
func (d *desk) request(t *terminal) (ref msg.Ref, template uint16, err error) {
	w := d.world
	if t.config.Kind == gen.SessionKindRiskControl {
		return d.control(t)
	}
	in := w.market.instrument(w)
	switch n := w.chance.IntN(100); {
	case n < 55:
		return d.place(t, in)
	case n < 75 && len(d.mine) > 0:
		at := w.chance.IntN(len(d.mine))
		order := d.mine[at]
		if w.percent(80) {
			d.mine = append(d.mine[:at], d.mine[at+1:]...)
		}
		ref, err = t.session.Cancel(order, t.clock())
		return ref, gen.TemplateCancel, err
	case n < 85 && len(d.mine) > 0:
		order := d.mine[w.chance.IntN(len(d.mine))]
		o, ok := t.session.Order(order)
		if !ok {
			return 0, 0, sdk.ErrOrder
		}
		s := d.scale(o.Instrument)
		price, qty := o.Price, s.Lot*(1+w.chance.Int64N(w.options.Lots))
		if w.percent(50) {
			price = s.Tick * int64(w.market.mids[o.Instrument&7]+fixed.Ticks(w.chance.Int64N(7)-3))
		}
		ref, err = t.session.Replace(order, price, qty, w.percent(50), t.clock())
		return ref, gen.TemplateReplace, err
	case n < 88:
		ref, err = t.session.CancelID(in, w.market.stray[w.chance.IntN(len(w.market.stray))], t.clock())
		return ref, gen.TemplateCancel, err
	case n < 90:
		return d.quote(t)
	case n < 92:
		ref, err = t.session.AskOrder(d.account(), w.market.stray[w.chance.IntN(len(w.market.stray))], 0, t.clock())
		return ref, gen.TemplateOrderStatusRequest, err
	}
	return d.control(t)
}

// quote quotes in some of the instruments.
func (d *desk) quote(t *terminal) (ref msg.Ref, template uint16, err error) {
	w := d.world
	q := sdk.Quotes{Account: d.account(), PostOnly: w.percent(30)}
	for i := range 1 + w.chance.IntN(w.options.Instruments) {
		in := msg.InstrumentID(1 + i)
		s, mid := d.scale(in), int64(w.market.mids[in&7])
		q.Entries = append(q.Entries, sdk.Quote{Instrument: in, ID: uint32(i), BidPx: s.Tick * max(mid-w.chance.Int64N(5), 1), BidQty: s.Lot * w.chance.Int64N(4),
			AskPx: s.Tick * (mid + w.chance.Int64N(5)), AskQty: s.Lot * w.chance.Int64N(4)})
	}
	ref, err = t.session.Quote(&q, t.clock())
	return ref, gen.TemplateMassQuote, err
}

// control is a request that a session of risk control may have as well.
func (d *desk) control(t *terminal) (ref msg.Ref, template uint16, err error) {
	w, in := d.world, d.world.market.instrument(d.world)
	switch n := w.chance.IntN(20); {
	case n < 8:
		ref, err = t.session.MassCancel(&sdk.MassCancel{Account: d.account(), Instrument: pick(w.chance, 0, 0, in), Side: gen.SideFilter(w.chance.IntN(3))}, t.clock())
		return ref, gen.TemplateMassCancel, err
	case n < 9:
		ref, err = t.session.Entry(gen.ScopeAccount, d.account(), 0, pick(w.chance, gen.EntryActionReduceOnly, gen.EntryActionUnblock), t.clock())
		return ref, gen.TemplateEntryControl, err
	case n < 14:
		at := fixed.Nanos(0)
		if w.percent(60) {
			at = w.clock() + fixed.Second + w.around(fixed.Second/2)
		}
		ref, err = t.session.DeadMan(d.account(), at, t.clock())
		return ref, gen.TemplateDeadMan, err
	}
	ref, err = t.session.SetPosition(&sdk.Position{Account: d.account(), Instrument: in, Leverage: pick[int64](w.chance, 0, 5_000_000_000),
		Mode: pick(w.chance, gen.MarginModeAccount, gen.MarginModeCross, gen.MarginModeIsolated), Margin: pick(w.chance, 0, wire.None, w.chance.Int64N(1_000_000))}, t.clock())
	return ref, gen.TemplatePositionControl, err
}

// scale is that of an instrument.
func (d *desk) scale(in msg.InstrumentID) wire.Scale {
	if in == 0 || int(in) > d.world.options.Instruments {
		return wire.Scale{Tick: 1, Lot: 1}
	}
	l := d.world.market.listing(in)
	return wire.ScaleOf(l.TickLot, l.UnitLots)
}

// place places an order.
func (d *desk) place(t *terminal, in msg.InstrumentID) (ref msg.Ref, template uint16, err error) {
	w, s := d.world, d.scale(in)
	o := sdk.NewOrder{Account: d.account(), Instrument: in, Side: pick(w.chance, gen.SideBuy, gen.SideSell),
		Qty: s.Lot * (1 + w.chance.Int64N(w.chance.Int64N(w.options.Lots)+1))}
	away := w.chance.Int64N(w.chance.Int64N(w.options.Width)+1) - w.chance.Int64N(3)
	if o.Side == gen.SideBuy {
		away = -away
	}
	o.Price = s.Tick * (int64(w.market.mids[in&7]) + away)
	switch w.chance.IntN(16) {
	case 0:
		o.Price++
	case 1:
		o.TIF = pick(w.chance, gen.TimeInForceIOC, gen.TimeInForceFOK)
	case 2:
		o.Flags |= gen.OrderFlagsPostOnly
	case 3:
		o.Flags |= gen.OrderFlagsReduceOnly
	case 4:
		o.TIF, o.Expire = gen.TimeInForceGTD, w.clock()+w.around(fixed.Second)
	}
	if w.percent(25) {
		o.Flags |= gen.OrderFlagsPersistOnDisconnect
	}
	if len(d.again) > 0 { // what was not applied is asked for once more, under another id
		o = d.again[0]
		o.Ref = 0
		d.again = d.again[1:]
	}
	template = gen.TemplateNewOrder
	if o.Extra != (sdk.Extra{}) {
		template = gen.TemplateNewOrderExt
	}
	ref, err = t.session.Place(&o, t.clock())
	if err == nil {
		if len(d.mine) == remembered {
			d.mine = append(d.mine[:0], d.mine[remembered/3:]...)
		}
		d.mine = append(d.mine, ref)
	}
	return ref, template, err
}

// dropped is told of what was not applied.
func (d *desk) dropped(t *terminal, e *sdk.Event) {
	w := d.world
	w.reached[notApplied]++
	if o := &e.Order; o.Ref != 0 && len(d.again) < 4 && w.percent(50) {
		d.again = append(d.again, sdk.NewOrder{Account: o.Account, Instrument: o.Instrument, Side: o.Side, Price: o.Price, Qty: o.Leaves, Flags: o.Flags, STP: o.STP})
	}
}
