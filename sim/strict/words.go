package strict

import (
	"errors"
	"fmt"
	"math/big"
	"strings"

	"github.com/pelletier/go-toml/v2/unstable"

	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/msg"
	"github.com/lockstep-exchange/lockstep/sim/scenario"
)

// Settings reads parameters by the names that the margin rules give them; with lot nil the venue's.
func (t *Table) Settings(lot *big.Rat) (set []msg.Setting) {
	t.known = append(t.known, scenario.Parameters(lot == nil)...)
	for i := range t.entries {
		e := &t.entries[i]
		if e.taken {
			continue
		}
		s, err := scenario.ParseParameter(e.key, e.value.Text, lot)
		switch k := e.value.kind; {
		case errors.Is(err, scenario.ErrNoParameter):
			continue // close tells of it
		case k != unstable.String && k != unstable.Integer && k != unstable.Bool:
			t.Fault(e.key, e.value, "is %s, expected a string", e.value.Describe())
		case err != nil:
			t.Fault(e.key, e.value, "%v", err)
		}
		e.taken = true
		set = append(set, s)
	}
	return set
}

// Name reads a name: what can stand in a line of a report.
func (t *Table) Name(key, what string) (string, *Value) {
	text, v := t.Text(key, what, true)
	if v == nil {
		return "", nil
	}
	if len(text) > 24 || text == "" || strings.Trim(strings.ToLower(text), "abcdefghijklmnopqrstuvwxyz0123456789-_.") != "" {
		t.Fault(key, v, "is %q, expected up to 24 letters, digits, -, _ and .", text)
		return "", nil
	}
	return text, v
}

// Tiers reads margin brackets as scenarios write them.
func (t *Table) Tiers() (tiers []msg.Tier) {
	const form = "UPTO/INITIAL/MAINTENANCE,... with inf as the last UPTO, as in 1000000/5%/2.5%,inf/10%/5%"
	text, v := t.Text("tiers", `"inf/10%/5%"`, false)
	if v == nil {
		return []msg.Tier{{Initial: 10 * fixed.Percent, Maintenance: 5 * fixed.Percent}}
	}
	rows := strings.Split(text, ",")
	for i, row := range rows {
		parts := strings.Split(row, "/")
		if last := i == len(rows)-1; len(parts) != 3 || last != (parts[0] == "inf") || i > 15 {
			t.Fault("tiers", v, "has the row %q, expected %s", row, form)
			return nil
		}
		tier := msg.Tier{Index: uint8(i)}
		var faults [3]error
		if parts[0] != "inf" {
			if tier.UpTo, faults[0] = scenario.ParseMoney(parts[0]); faults[0] == nil && tier.UpTo <= 0 {
				faults[0] = fmt.Errorf("is %q, expected a notional above 0", parts[0])
			}
		}
		tier.Initial, faults[1] = scenario.ParseRate(parts[1])
		tier.Maintenance, faults[2] = scenario.ParseRate(parts[2])
		if err := errors.Join(faults[:]...); err != nil {
			t.Fault("tiers", v, "has the row %q, of which a part %v", row, err)
			return nil
		}
		tiers = append(tiers, tier)
	}
	return tiers
}
