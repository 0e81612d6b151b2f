package scenario

import (
	"maps"
	"math/big"
	"slices"

	"github.com/lockstep-exchange/lockstep/msg"
)

// The event memory: what was told since the start, or since the last forget, of the kinds that the text asks for.

// eventKinds are the kinds of this build by name.
var eventKinds = func() map[string]msg.EventKind {
	kinds := map[string]msg.EventKind{}
	for k := msg.EventKind(1); k != 0; k++ {
		if name := k.String(); name[0] >= 'A' && name[0] <= 'Z' {
			kinds[name] = k
		}
	}
	kinds["Trade"] = msg.Traded
	return kinds
}()

// laterKinds are the kinds of rules that are not built.
var laterKinds = []string{"StressLevel", "AuctionOpened", "AuctionBid", "AuctionClosed", "AutoIsolated", "Merged", "RiskArrayApplied", "Settled",
	"Triggered", "PositionChanged", "FeeCharged", "RebateAccrued"}

// readForget reads forget.
func readForget(a *args) func(*world) {
	return func(w *world) { w.memory = w.memory[:0] }
}

// expectEvent reads expect event: events of a kind with the fields that are named; at least one, or as many as count says.
func expectEvent(a *args) func(*world) {
	kind, name := a.eventKind()
	tol := a.tolerance()
	times := a.number("count", "NUMBER", false)
	if times != nil && (!times.IsInt() || times.Sign() < 0) {
		a.fault(a.given("count").at, "count is %s, expected a whole number from 0 on", quote(a.given("count").value))
	}
	var named []wanted
	for _, f := range (*world)(nil).tell(&msg.Event{Kind: kind}) {
		p := a.find(f.name)
		if p == nil {
			continue
		}
		named = append(named, wanted{f.name, a.wantField(p, f)})
	}
	if kind != 0 {
		a.eventNames(kind)
	}
	a.script.remembered[kind] = true
	return func(w *world) {
		n := 0
		for i := range w.memory {
			if ev := &w.memory[i]; ev.Kind == kind && w.matches(ev, named, tol) {
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
func (a *args) eventKind() (msg.EventKind, string) {
	p := a.need("kind", "KIND")
	if p == nil {
		return 0, ""
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
func (w *world) matches(ev *msg.Event, named []wanted, tol *big.Rat) bool {
	told := w.tell(ev)
	for _, n := range named {
		i := slices.IndexFunc(told, func(f field) bool { return f.name == n.field })
		if i < 0 || !told[i].value.meets(n.want, tol) {
			return false
		}
	}
	return true
}
