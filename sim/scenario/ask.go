package scenario

import (
	"strings"

	"github.com/lockstep-exchange/lockstep/engine"
	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/msg"
)

// The statements that ask: an order or a shock against a copy of the live state. Nothing changes by them.

// asked is the last what-if and its answer.
type asked struct {
	in *instrument
	engine.Forecast
}

// readWhatIf reads what-if: what an order would do. Without a price it is a market order, and without a mode it works for the
// position as it is margined now.
func readWhatIf(a *args) func(*world) {
	who, in, side := a.account("account", true), a.instrument("instrument", true), a.side("side", true)
	qty, price := a.qty("qty", in, true), a.price("price", in, false)
	mode := Mode(a.choice("mode", false, "cross", "isolated", "|", "portfolio"))
	if a.mode != AsWritten {
		mode = a.mode
	} else if a.given("mode") == nil {
		mode = AsWritten
	}
	a.asked = true
	return func(w *world) {
		t := terms{market: price == 0, stp: msg.STPCancelNewest}
		if t.market {
			t.tif = msg.IOC
		}
		now, _ := w.eng.Position(who.id, in.id)
		isolated := mode == Isolated || mode == AsWritten && now.Mode == msg.ModeIsolated
		if isolated && in.kind != msg.Spot {
			t.flags = msg.FlagIsolated
		}
		o := order{account: who, in: in, side: side}
		w.asked = asked{in, w.eng.WhatIf(w.order(&o, price, qty, &t))}
	}
}

// tried is the last stress and its answer.
type tried struct{ engine.Outcome }

// readStress reads stress: what a shock would do to an account, or to all.
func readStress(a *args) func(*world) {
	t := engine.Trial{}
	if p := a.need("account", "ACCOUNT|all"); p != nil && p.value != "all" {
		if who := known(a, p, "account", a.script.accounts); who != nil {
			t.Account = who.id
		}
	}
	if p := a.need("shocks", "UNDERLYING:RATE,..."); p != nil {
		for shock := range strings.SplitSeq(p.value, ",") {
			name, text, found := strings.Cut(shock, ":")
			if !found {
				a.fault(p.at, "shocks has %s, expected UNDERLYING:RATE, as in BTC:-30%%", quote(shock))
				continue
			}
			at := *p
			at.value = name
			u, move := known(a, &at, "underlying", a.script.underlyings), a.fraction(p, text)
			if move <= -fixed.One {
				a.fault(p.at, "shocks has %s, expected a rate above -100%%", quote(shock))
			}
			if u != nil {
				t.Shocks = append(t.Shocks, engine.Shock{Underlying: u.id, Move: move})
			}
		}
	}
	if a.find("vol") != nil {
		a.rate("vol", false)
		a.lacks("vol")
	}
	if p := a.find("depth"); p != nil {
		text, ok := strings.CutPrefix(p.value, "/")
		r, isNumber := decimal(text)
		if !ok || !isNumber || r.Sign() <= 0 || !r.IsInt() || !r.Num().IsInt64() {
			a.fault(p.at, "depth is %s, expected / and a whole number, as in /5", quote(p.value))
		} else {
			t.Depth = r.Num().Int64()
		}
	}
	switch a.choice("mode", false, "cross", "isolated", "|", "portfolio") {
	case "cross":
		t.Mode = msg.ModeCross
	case "isolated":
		t.Mode = msg.ModeIsolated
	}
	a.tried = true
	return func(w *world) { w.tried = tried{w.eng.Stress(t)} }
}
