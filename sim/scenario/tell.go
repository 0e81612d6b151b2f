package scenario

import (
	"slices"
	"strings"

	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/msg"
)

// An event in the words of the language: its fields by name, in human units. A trace prints them, and expect event compares
// them, so what a trace shows can be expected.

// field is a named value of an event. One that says nothing is there to be compared, and is not printed.
type field struct {
	name  string
	value quantity
	empty bool
}

// telling is an event on its way to fields.
type telling struct {
	w      *world // nil: only the names are wanted
	ev     *msg.Event
	in     *instrument
	fields []field
}

// tell is the fields of an event. With a nil world they have names alone.
func (w *world) tell(ev *msg.Event) []field {
	t := telling{w: w, ev: ev, in: w.instrumentOf(ev)}
	t.party()
	switch ev.Kind {
	case msg.Accepted, msg.QuotePlaced:
		t.order()
		t.side().lots("qty", ev.Qty).ticks("price", ev.Price)
	case msg.Traded:
		f := ev.Fill()
		t.order()
		t.side().lots("qty", ev.Qty).ticks("price", ev.Price).lots("leaves", f.Leaves).lots("filled", f.Filled).
			money("fee", f.Fee).money("realised", f.Realized).position(f.Position).word("role", role(f.Maker))
	case msg.Amended, msg.Canceled, msg.Expired:
		c := ev.Change()
		t.order()
		t.side().lots("qty", ev.Qty).ticks("price", ev.Price).lots("leaves", c.Leaves).lots("filled", c.Filled)
		if ev.Kind == msg.Canceled {
			t.word("reason", ev.Reason.Name())
		}
	case msg.Rejected:
		t.word("reason", ev.Reject.Name()).word("asked", ev.Refusal().Asked.String())
	case msg.MarkUpdated:
		t.ticks("price", ev.Price)
	case msg.MassCanceled, msg.OrdersCanceledByRisk, msg.SweepPending:
		t.side().count("count", int64(ev.Qty))
	case msg.Deposited, msg.Withdrawn, msg.Transferred, msg.RebateVested:
		b := ev.Balance()
		t.money("amount", b.Amount).money("cash", b.Cash)
		if ev.Kind == msg.Transferred {
			t.word("peer", t.account(b.Peer))
			if ev.Instr != 0 {
				t.lots("qty", ev.Qty).position(b.Lots)
			}
		}
	case msg.AssetDeposited, msg.AssetWithdrawn:
		t.lots("qty", ev.Qty).position(ev.Balance().Lots)
	case msg.PhaseChanged:
		s := ev.PhaseStep()
		t.word("from", s.From.String()).word("to", s.To.String())
	default:
		t.rules()
		t.risk()
	}
	return t.fields
}

// instrumentOf is the instrument that an event concerns, or nil.
func (w *world) instrumentOf(ev *msg.Event) *instrument {
	if w == nil || ev.Instr == 0 || int(ev.Instr) > len(w.script.instruments) {
		return nil
	}
	return w.script.instruments[ev.Instr-1]
}

// rules tells of the events that repeat a parameter.
func (t *telling) rules() {
	asked := msg.Request{Rare: t.ev.Rare}
	switch t.ev.Kind {
	case msg.TierSet:
		r := asked.Tier()
		t.count("row", int64(r.Index))
		if r.UpTo == 0 {
			t.word("upto", "inf")
		} else {
			t.money("upto", r.UpTo)
		}
		t.rate("initial", r.Initial).rate("maintenance", r.Maintenance)
	case msg.FeesSet:
		f := asked.Fees()
		t.rate("maker", f.Maker).rate("taker", f.Taker)
	case msg.RuleSet:
		s := asked.Setting()
		t.word("parameter", s.Rule.String()).setting(s)
	case msg.FeeTierSet:
		r := asked.FeeTier()
		t.count("row", int64(r.Index)).money("volume", r.Volume).rate("maker", r.Fees.Maker).rate("taker", r.Fees.Taker)
	case msg.ConcentrationSet:
		r := asked.Concentration()
		t.count("row", int64(r.Index)).rate("share", r.Share).rate("rate", r.Rate)
	}
}

// risk tells of the events of margin.
func (t *telling) risk() {
	ev := t.ev
	switch ev.Kind {
	case msg.UnderlyingListed:
		asked := msg.Request{Rare: ev.Rare}
		t.word("underlying", t.underlying(asked.Underlying().ID)).count("sources", int64(asked.Underlying().Sources))
	case msg.IndexUpdated:
		s := ev.IndexStep()
		t.word("underlying", t.underlying(s.Underlying)).money("price", s.Index).rate("confidence", s.Confidence)
	case msg.OracleHealth:
		s := ev.HealthStep()
		t.word("underlying", t.underlying(s.Underlying)).add("from", health(s.From), false).add("to", health(s.To), false)
	case msg.LeverageSet:
		asked := msg.Request{Rare: ev.Rare}
		t.add("x", number(units(int64(asked.Leverage()), percentUnit)), false)
	case msg.ModeChanged:
		s := ev.ModeStep()
		t.word("from", s.From.String()).word("to", s.To.String()).money("amount", s.Margin).money("cash", s.Cash)
	case msg.MarginMoved, msg.FundingPaid, msg.FundDraw, msg.FundIncome, msg.Socialized, msg.DeficitBooked:
		b := ev.Balance()
		t.money("amount", b.Amount).money("cash", b.Cash)
	case msg.FundingSettled:
		s := ev.FundingStep()
		t.rate("rate", s.Rate).money("price", s.Index)
	case msg.FeeTierChanged:
		s := ev.TierStep()
		t.word("owner", t.owner(s.Owner)).count("row", int64(s.Row)).money("volume", s.Volume)
	case msg.MarginCall, msg.MarginCallCleared, msg.LiquidationStarted, msg.LiquidationEnded, msg.Takeover, msg.AdlStarted:
		s := ev.RungStep()
		t.word("from", s.From.String()).word("to", s.To.String())
		t.add("level", whole(int64(level(s.To))), level(s.To) == 0)
		t.time("deadline", s.Deadline).money("equity", s.Equity).money("maintenance", s.Maintenance)
	case msg.LiquidationSlice, msg.AdlFill:
		c := ev.Closeout()
		t.side().lots("qty", ev.Qty).ticks("price", ev.Price).money("fee", c.Fee).money("realised", c.Realized).position(c.Position).
			ticks("limit", c.Limit).add("rank", whole(c.Rank), c.Rank == 0)
	}
}

var percentUnit = units(1, rateSuffixes[0].value)

// health is the health of an index, none before its first report.
func health(h msg.Health) quantity {
	if h == 0 {
		return none
	}
	return word(h.String())
}

// level is the number of a margin call; 0 for what is none.
func level(r msg.Rung) int {
	switch r {
	case msg.RungCall1:
		return 1
	case msg.RungCall2:
		return 2
	}
	return 0
}

func role(maker bool) string {
	if maker {
		return "maker"
	}
	return "taker"
}

// add adds a field.
func (t *telling) add(name string, q quantity, empty bool) *telling {
	t.fields = append(t.fields, field{name, q, empty})
	return t
}

func (t *telling) word(name, text string) *telling { return t.add(name, word(text), text == "") }
func (t *telling) money(name string, m fixed.Money) *telling {
	return t.add(name, money(m), false)
}
func (t *telling) rate(name string, r fixed.Rate) *telling { return t.add(name, rate(r), false) }
func (t *telling) count(name string, n int64) *telling     { return t.add(name, whole(n), false) }
func (t *telling) time(name string, at fixed.Nanos) *telling {
	return t.add(name, number(units(int64(at), one)), at == 0)
}

// ticks adds a price; none where there is none.
func (t *telling) ticks(name string, price fixed.Ticks) *telling {
	if t.in == nil || price == 0 {
		return t.add(name, none, true)
	}
	return t.add(name, t.in.price(price), false)
}

// lots adds a quantity.
func (t *telling) lots(name string, n fixed.Lots) *telling {
	if t.in == nil {
		return t.add(name, none, true)
	}
	return t.add(name, t.in.qty(n), false)
}

func (t *telling) position(n fixed.Lots) *telling { return t.lots("position", n) }

// side adds the side of an order.
func (t *telling) side() *telling {
	if t.ev.Side == 0 {
		return t.add("side", none, true)
	}
	return t.word("side", t.ev.Side.String())
}

// party adds whom the event concerns.
func (t *telling) party() {
	t.word("account", t.account(t.ev.Account))
	name := ""
	if t.in != nil {
		name = t.in.name
	}
	t.word("instrument", name)
}

// order adds the label of the order; one that has none shows the engine's number.
func (t *telling) order() {
	label := ""
	if t.w != nil {
		if o := t.w.orders[t.ev.Order]; o != nil && o.label != "" {
			label = o.label
		} else {
			label = t.ev.Order.String()
		}
	}
	t.word("id", label)
}

// account is the name of an account.
func (t *telling) account(id msg.AccountID) string {
	switch {
	case t.w == nil:
		return ""
	case id == msg.FundAccount:
		return fundName
	case id == 0 || int(id) > len(t.w.script.accounts):
		return ""
	}
	return t.w.script.accounts[id-1].name
}

// underlying is the name of an underlying.
func (t *telling) underlying(id msg.UnderlyingID) string {
	if t.w == nil || id == 0 || int(id) > len(t.w.script.underlyings) {
		return ""
	}
	return t.w.script.underlyings[id-1].name
}

// owner is the name of an owner.
func (t *telling) owner(id msg.OwnerID) string {
	if t.w == nil || id == 0 || int(id) > len(t.w.script.owners) {
		return ""
	}
	return t.w.script.owners[id-1]
}

// setting adds the value of a parameter as it is written.
func (t *telling) setting(s msg.Setting) {
	switch s.Rule {
	case msg.MarkFrom:
		t.word("value", msg.MarkMode(s.Value).String())
		return
	case msg.MarkInputs:
		t.word("value", strings.Join(inputsOf(s.Value), ","))
		return
	case msg.MarkCombine:
		t.word("value", markCombines[s.Value&1])
		return
	}
	for _, list := range [][]parameter{venueParameters, instrumentParameters} {
		i := slices.IndexFunc(list, func(p parameter) bool { return p.name == s.Rule.String() })
		if i < 0 {
			continue
		}
		switch p := &list[i]; {
		case p.none && s.Value == p.highest:
			t.word("value", "none")
		case p.unit == aRate:
			t.rate("value", fixed.Rate(s.Value))
		case p.unit == anAmount:
			t.money("value", fixed.Money(s.Value))
		case p.unit == aTime:
			t.word("value", span(fixed.Nanos(s.Value)))
		case p.unit == aQuantity:
			t.lots("value", fixed.Lots(s.Value))
		case p.unit == aTruth:
			t.add("value", truth(s.Value == 1), false)
		default:
			t.count("value", s.Value)
		}
		return
	}
	if s.Rule == msg.CollateralHaircut {
		t.rate("value", fixed.Rate(s.Value))
		return
	}
	t.count("value", s.Value)
}

// inputsOf are the names of the inputs of a composite mark.
func inputsOf(bits int64) (names []string) {
	for i, name := range markInputs {
		if bits&(1<<i) != 0 {
			names = append(names, name)
		}
	}
	return names
}
