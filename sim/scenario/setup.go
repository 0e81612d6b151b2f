package scenario

import (
	"cmp"
	"math/big"
	"slices"
	"strings"

	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/msg"
)

// The statements that set something up: what is declared from their line on.

// readVenue reads venue: what holds for everything.
func readVenue(a *args) func(*world) {
	if p := a.find("settlement"); p != nil {
		a.named(p)
		a.settlement = p.value
	}
	fund := a.balance("fund")
	set, tables := a.settings(venueParameters, laterVenue, nil), a.feeTiers()
	a.commanded = true
	return func(w *world) {
		w.answer = answer{refused: cmp.Or(w.set(nil, set), w.setTable(tables))}
		if fund != 0 {
			c := msg.PayFund(fund)
			w.answer.refused = cmp.Or(w.answer.refused, w.apply(&c))
		}
	}
}

// readUnderlying reads underlying: what an index is the price of.
func readUnderlying(a *args) func(*world) {
	u := &underlying{name: a.name("name"), id: msg.UnderlyingID(len(a.script.underlyings) + 1), sources: []string{"a"}}
	unique(a, "underlying", a.script.underlyings)
	if p := a.find("sources"); p != nil {
		u.sources = strings.Split(p.value, ",")
		for i, s := range u.sources {
			switch {
			case !isName(s):
				a.fault(p.at, "sources has %s, expected a comma list of names", quote(s))
			case slices.Contains(u.sources[:i], s):
				a.fault(p.at, "sources has %s twice", quote(s))
			}
		}
		const most = 8
		if len(u.sources) > most {
			a.fault(p.at, "sources names %d, expected at most %d", len(u.sources), most)
		}
	}
	a.later("group", "vol")
	if u.name != "" {
		a.script.underlyings = append(a.script.underlyings, u)
	}
	listing := msg.Underlying{ID: u.id, Sources: uint8(len(u.sources))}
	copy(listing.Symbol[:], u.name[:min(len(u.name), len(listing.Symbol))])
	return func(w *world) { w.send(msg.ListUnderlying(listing)) }
}

// readCorrelation reads correlation, which only portfolio margin looks at.
func readCorrelation(a *args) func(*world) {
	a.need("a", "GROUP")
	a.need("b", "GROUP")
	a.number("rho", "FACTOR", true)
	a.lacksVerb()
	return nil
}

// lacksVerb notes that the whole statement is one that this build does not have.
func (a *args) lacksVerb() {
	if !a.faulty {
		if a.end(); !a.faulty {
			a.lacks(a.verb)
		}
	}
}

// unique notes a name that is taken already.
func unique[T namedThing](a *args, what string, things []T) {
	p := a.given("name")
	if p != nil && slices.ContainsFunc(things, func(t T) bool { return t.called() == p.value }) {
		a.fault(p.at, "the %s %s is there already, expected a name of its own", what, quote(p.value))
	}
}

// readInstrument reads instrument: what is traded. It lists the instrument, states its parameters and opens it for trading.
func readInstrument(a *args) func(*world) {
	in := &instrument{name: a.name("name"), id: msg.InstrumentID(len(a.script.instruments) + 1), kind: msg.Perpetual}
	unique(a, "instrument", a.script.instruments)
	if a.choice("kind", true, "perpetual", "spot", "|", "future", "call", "put") == "spot" {
		in.kind = msg.Spot
	}
	in.underlying = a.underlying("underlying")
	a.steps(in)
	a.later("strike", "expiry")
	mark := a.markMode("composite")
	f, tiers, tables := a.fees(), a.tiers(), a.instrumentTables(in)
	set := a.settings(instrumentParameters, laterInstrument, in)
	if in.name != "" {
		a.script.instruments = append(a.script.instruments, in)
	}
	a.commanded = true
	return func(w *world) {
		w.send(msg.List(in.id, in.listing(mark)))
		if w.answer.refused != 0 {
			return
		}
		w.answer.refused = cmp.Or(w.setTiers(in, tiers), w.setFees(in, f), w.setTable(tables), w.set(in, set))
		open := msg.SetPhase(in.id, msg.Continuous)
		w.answer.refused = cmp.Or(w.answer.refused, w.apply(&open))
	}
}

// steps reads the tick and the lot of an instrument. One tick of one lot must be whole money, and one unit whole lots.
func (a *args) steps(in *instrument) {
	in.tick, in.lot = a.positiveStep("tick"), a.positiveStep("lot")
	if in.tick == nil || in.lot == nil {
		in.tick, in.lot = one, one // the text is faulty, and what follows is read all the same
		return
	}
	worth := new(big.Rat).Mul(in.tick, in.lot)
	n, ok := count(worth, moneyUnit)
	if !ok || n <= 0 {
		a.fault(a.given("tick").at, "a tick of a lot is worth %s, expected a whole multiple of 0.000001, the smallest unit of money", exact(worth))
	}
	in.tickLot = fixed.Money(n)
	perUnit, ok := count(one, in.lot)
	if p := a.given("lot"); !ok {
		a.fault(p.at, "lot is %s, expected a whole number of lots to one unit, as in 0.001 or 1", quote(p.value))
	}
	in.perUnit = fixed.Lots(perUnit)
}

// readAsset reads asset: what an account may hold besides the settlement currency. It is counted in the lots of a spot
// instrument on its underlying; where none stands above that is free, it gets one of its own, which does not trade.
func readAsset(a *args) func(*world) {
	held := &asset{name: a.name("name")}
	u, haircut := a.underlying("underlying"), a.rate("haircut", false)
	if unique(a, "asset", a.script.assets); held.name == a.settlement {
		a.fault(a.given("name").at, "%s is the settlement currency, expected another name", quote(held.name))
	}
	if u == nil || held.name == "" {
		return nil
	}
	for _, in := range a.script.instruments {
		taken := slices.ContainsFunc(a.script.assets, func(t *asset) bool { return t.in == in })
		if in.kind == msg.Spot && in.underlying == u && !taken {
			held.in = in
		}
	}
	var vault []msg.Command
	if held.in == nil {
		held.in = a.vault(held.name, u)
		vault = append(vault, msg.List(held.in.id, held.in.listing(msg.MarkIndex)))
	}
	a.script.assets = append(a.script.assets, held)
	a.commanded = true
	return func(w *world) {
		w.send(append(vault, msg.SetRule(held.in.id, msg.CollateralHaircut, int64(haircut)))...)
	}
}

// vault is the instrument in whose lots an asset is counted that nobody trades: eight decimals of a unit.
func (a *args) vault(asset string, u *underlying) *instrument {
	in := &instrument{name: "@" + asset, id: msg.InstrumentID(len(a.script.instruments) + 1), underlying: u, kind: msg.Spot,
		tick: big.NewRat(100, 1), lot: big.NewRat(1, 100_000_000), tickLot: 1, perUnit: 100_000_000}
	a.script.instruments = append(a.script.instruments, in)
	return in
}

// listing is what an instrument is listed as.
func (i *instrument) listing(mark msg.MarkMode) msg.Listing {
	l := msg.Listing{TickLot: i.tickLot, UnitLots: i.perUnit, Type: i.kind, Underlying: i.underlying.id, Mark: mark}
	copy(l.Symbol[:], i.name[:min(len(i.name), len(l.Symbol))])
	return l
}

// readOwner reads owner: a legal entity.
func readOwner(a *args) func(*world) {
	name := a.name("name")
	if _, taken := a.owners[name]; taken {
		a.fault(a.given("name").at, "the owner %s is there already", quote(name))
	}
	a.owner(name)
	return func(w *world) {}
}

// owner is the number of an owner, who becomes known by it.
func (r *reader) owner(name string) msg.OwnerID {
	id, ok := r.owners[name]
	if !ok {
		r.script.owners = append(r.script.owners, name)
		id = msg.OwnerID(len(r.script.owners))
		r.owners[name] = id
	}
	return id
}

// readAccount reads account: opened for its owner, with money where some is deposited.
func readAccount(a *args) func(*world) {
	account := &account{name: a.name("name"), id: msg.AccountID(len(a.script.accounts) + 1)}
	unique(a, "account", a.script.accounts)
	a.accountMode()
	owner := account.name
	if p := a.find("owner"); p != nil {
		owner = p.value
		if _, there := a.owners[owner]; !there {
			names := make([]string, 0, len(a.owners))
			for name := range a.owners {
				names = append(names, name)
			}
			slices.Sort(names)
			a.fault(p.at, "there is no owner %s above this line, expected a statement owner name=%s%s", quote(owner), owner, meant(owner, names))
		}
	}
	deposit := a.payment("deposit", account.id, true, msg.Deposit, msg.DepositAsset)
	id := a.owner(owner)
	if account.name != "" {
		a.script.accounts = append(a.script.accounts, account)
	}
	a.commanded = true
	return func(w *world) {
		w.send(msg.OpenAccount(account.id, id, msg.AllGroups))
		if w.answer.refused == 0 && (deposit.Qty != 0 || deposit.Payment().Amount != 0) {
			w.send(deposit)
		}
	}
}

// accountMode reads how an account is margined, unless the mode of the run says it for all.
func (a *args) accountMode() {
	if a.mode != AsWritten {
		a.choice("mode", false, "cross", "portfolio")
		return
	}
	a.choice("mode", false, "cross", "|", "portfolio")
}

// payment reads the amount of a payment, in the settlement currency or in an asset, and makes its command.
func (a *args) payment(key string, account msg.AccountID, zero bool, pay func(msg.AccountID, fixed.Money) msg.Command,
	hand func(msg.AccountID, msg.InstrumentID, fixed.Lots) msg.Command) msg.Command {
	p := a.find("asset")
	if p == nil || p.value == a.settlement {
		if zero {
			return pay(account, a.balance(key))
		}
		return pay(account, a.positive(key, true))
	}
	held := known(a, p, "asset", a.script.assets)
	if held == nil || held.in == nil {
		a.get(key, "AMOUNT", !zero)
		return msg.Command{}
	}
	return hand(account, held.in.id, a.qty(key, held.in, !zero))
}

// readBucket reads bucket: a strategy's ledger with limits.
func readBucket(a *args) func(*world) {
	a.account("account", true)
	a.name("name")
	a.money("max-notional", false)
	a.money("max-loss", false)
	a.lacksVerb()
	return nil
}

// readSet reads set venue and set instrument=NAME: parameters anew.
func readSet(a *args) func(*world) {
	if a.flag("venue") {
		set, tables := a.settings(venueParameters, laterVenue, nil), a.feeTiers()
		if len(set) == 0 && tables == nil {
			a.nothingSet()
		}
		a.commanded = true
		return func(w *world) { w.answer = answer{refused: cmp.Or(w.set(nil, set), w.setTable(tables))} }
	}
	if !slices.ContainsFunc(a.pairs, func(p pair) bool { return p.key == "instrument" }) {
		a.fault(a.column, "set needs venue or instrument=INSTRUMENT, as in set venue upnl-haircut=50%% or set instrument=BTC-PERP band=3%%")
		return nil
	}
	in := a.instrument("instrument", true)
	f, tiers, tables := a.fees(), a.tiers(), a.instrumentTables(in)
	if mark := a.markMode(""); a.given("mark") != nil && in != nil {
		tables = append(tables, msg.SetRule(in.id, msg.MarkFrom, int64(mark)))
	}
	set := a.settings(instrumentParameters, laterInstrument, in)
	if len(set) == 0 && tiers == nil && tables == nil && !f.hasMaker && !f.hasTaker {
		a.nothingSet()
	}
	a.commanded = true
	return func(w *world) {
		w.answer = answer{refused: cmp.Or(w.setTiers(in, tiers), w.setFees(in, f), w.setTable(tables), w.set(in, set))}
	}
}

// nothingSet notes a set that states no parameter.
func (a *args) nothingSet() {
	if a.faulty {
		return
	}
	if a.end(); !a.faulty {
		a.fault(a.column, "set states no parameter, expected at least one PARAMETER=VALUE")
	}
}
