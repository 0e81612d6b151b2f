package scenario

import "strings"

// The statements that ask: an order or a shock against a copy of the live state. Nothing changes by them.

// readWhatIf reads what-if: what an order would do.
func readWhatIf(a *args) func(*world) {
	a.account("account", true)
	in := a.instrument("instrument", true)
	a.side("side", true)
	a.qty("qty", in, true)
	a.price("price", in, false)
	a.choice("mode", false, "cross", "isolated", "portfolio")
	a.lacksVerb()
	return nil
}

// readStress reads stress: what a shock would do to an account, or to all.
func readStress(a *args) func(*world) {
	if p := a.need("account", "ACCOUNT|all"); p != nil && p.value != "all" {
		known(a, p, "account", a.script.accounts)
	}
	if p := a.need("shocks", "UNDERLYING:RATE,..."); p != nil {
		for shock := range strings.SplitSeq(p.value, ",") {
			name, move, found := strings.Cut(shock, ":")
			if !found {
				a.fault(p.at, "shocks has %s, expected UNDERLYING:RATE, as in BTC:-30%%", quote(shock))
				continue
			}
			at := *p
			at.value = name
			known(a, &at, "underlying", a.script.underlyings)
			a.fraction(p, move)
		}
	}
	a.rate("vol", false)
	if p := a.find("depth"); p != nil {
		text, ok := strings.CutPrefix(p.value, "/")
		if r, isNumber := decimal(text); !ok || !isNumber || r.Sign() <= 0 || !r.IsInt() {
			a.fault(p.at, "depth is %s, expected / and a whole number, as in /5", quote(p.value))
		}
	}
	a.choice("mode", false, "cross", "isolated", "portfolio")
	a.lacksVerb()
	return nil
}
