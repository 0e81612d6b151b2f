package scenario

import (
	"cmp"
	"maps"
	"math/big"
	"slices"

	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/msg"
)

// The event memory: what was told since the start, or since the last forget, of the kinds that the text asks for.

// reading is a kind of event as the language names it: a kind of the engine, or those events of it that say what the name
// says, with fields of their own.
type reading struct {
	kind msg.EventKind
	fee  int // 0: every event; 1: those in which a fee was charged, -1: those in which a rebate was accrued
}

// eventKinds are the kinds by name.
var eventKinds = func() map[string]reading {
	kinds := map[string]reading{}
	for k := msg.EventKind(1); k != 0; k++ {
		if name := k.String(); name[0] >= 'A' && name[0] <= 'Z' {
			kinds[name] = reading{kind: k}
		}
	}
	kinds["Trade"] = reading{kind: msg.Traded}
	kinds["FeeCharged"] = reading{kind: msg.Traded, fee: 1}
	kinds["RebateAccrued"] = reading{kind: msg.Traded, fee: -1}
	return kinds
}()

// fields are those of an event as the reading has them; ok is false for an event that it does not mean.
func (r reading) fields(w *world, ev *msg.Event) (told []field, ok bool) {
	if r.fee == 0 {
		return w.tell(ev), true
	}
	fee := ev.Fill().Fee
	if w != nil && cmp.Compare(fee, 0) != r.fee {
		return nil, false
	}
	t := telling{w: w, ev: ev, in: w.instrumentOf(ev)}
	t.party()
	t.order()
	t.money("amount", fixed.Abs(fee))
	return t.fields, true
}

// laterKinds are the kinds of rules that are not built.
var laterKinds = []string{"StressLevel", "AuctionOpened", "AuctionBid", "AuctionClosed", "AutoIsolated", "Merged", "RiskArrayApplied", "Settled",
	"Triggered", "PositionChanged"}

// readForget reads forget.
func readForget(a *args) func(*world) {
	return func(w *world) { w.memory = w.memory[:0] }
}

// expectEvent reads expect event: events of a kind with the fields that are named; at least one, or as many as count says.
func expectEvent(a *args) func(*world) {
	r, name := a.eventKind()
	tol := a.tolerance()
	times := a.number("count", "NUMBER", false)
	if times != nil && (!times.IsInt() || times.Sign() < 0) {
		a.fault(a.given("count").at, "count is %s, expected a whole number from 0 on", quote(a.given("count").value))
	}
	var named []wanted
	sample, _ := r.fields(nil, &msg.Event{Kind: r.kind})
	for _, f := range sample {
		p := a.find(f.name)
		if p == nil {
			continue
		}
		named = append(named, wanted{f.name, a.wantField(p, f)})
	}
	a.eventNames(r.kind)
	a.script.remembered[r.kind] = true
	return func(w *world) {
		n := 0
		for i := range w.memory {
			if ev := &w.memory[i]; ev.Kind == r.kind && r.matches(w, ev, named, tol) {
				n++
			}
		}
		want := "at least 1"
		if times != nil {
			want = exact(times)
		}
		if times == nil && n == 0 || times != nil && times.Cmp(units(int64(n), one)) != 0 {
			w.note(Failure{Line: w.line, What: "event", kind: name, Field: "count", Want: want, Got: whole(n).String()})
		}
	}
}

// eventKind reads the kind.
func (a *args) eventKind() (reading, string) {
	p := a.need("kind", "KIND")
	if p == nil {
		return reading{}, ""
	}
	k, there := eventKinds[p.value]
	if !there || pending["expect event kind="+p.value] {
		if all := append(slices.Sorted(maps.Keys(eventKinds)), laterKinds...); slices.Contains(all, p.value) {
			a.lacks("kind=" + p.value)
		} else {
			a.fault(p.at, "there is no kind of event %s%s", quote(p.value), meant(p.value, all))
		}
	}
	return k, p.value
}

// wantField reads what a field of an event must be; a sample of the field says of which form.
func (a *args) wantField(p *pair, sample field) quantity {
	switch {
	case sample.name == "value" || sample.name == "upto": // a number for some, a word for others
		return a.want(p, aWord)
	case sample.name == "deadline":
		return a.want(p, anInstant)
	case sample.value.rate:
		return a.want(p, aPercent)
	case sample.value.number != nil || numbers[sample.name]:
		return a.want(p, aNumber)
	}
	return a.want(p, aWord)
}

// numbers are the fields that are numbers once the instrument is known.
var numbers = map[string]bool{"qty": true, "price": true, "leaves": true, "filled": true, "position": true, "limit": true}

// eventNames notes names of accounts, instruments, underlyings and orders that are not there.
func (a *args) eventNames(kind msg.EventKind) {
	if p := a.given("account"); p != nil && p.value != fundName {
		known(a, p, "account", a.script.accounts)
	}
	if p := a.given("instrument"); p != nil {
		known(a, p, "instrument", a.script.instruments)
	}
	if p := a.given("underlying"); p != nil && (kind == msg.IndexUpdated || kind == msg.OracleHealth) {
		known(a, p, "underlying", a.script.underlyings)
	}
}

// fundName is the insurance fund as an account.
const fundName = "@fund"

// matches reports whether an event has what is wanted.
func (r reading) matches(w *world, ev *msg.Event, named []wanted, tol *big.Rat) bool {
	told, ok := r.fields(w, ev)
	if !ok {
		return false
	}
	for _, n := range named {
		i := slices.IndexFunc(told, func(f field) bool { return f.name == n.field })
		if i < 0 || !told[i].value.meets(n.want, tol) {
			return false
		}
	}
	return true
}
