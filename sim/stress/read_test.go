package stress

import (
	"strings"
	"testing"
)

const (
	goodBook = `name = "b"
[[instrument]]
name = "BTC-USD-PERP"
price = "50000"
tick = "1"
lot = "0.01"
[[account]]
name = "a"
deposit = "1000"
position = [{ instrument = "BTC-USD-PERP", qty = "0.1" }]
`
	goodShock = `name = "s"
[[path]]
points = ["1m -1%"]
`
)

// Every fault says where it is, what was found and what was expected; all of them are told.
func TestFaultsOfBooks(t *testing.T) {
	if _, err := ParseBook("b.toml", []byte(goodBook)); err != nil {
		t.Fatal(err)
	}
	change := func(old, new string) string { return strings.Replace(goodBook, old, new, 1) }
	for _, c := range []struct{ text, want string }{
		{"name = ", "b.toml:1:7: "},
		{"name = \"a\"\nname = \"b\"\n", "b.toml:2:"},
		{change(`name = "b"`, ""), `b.toml:1:1: has no name, expected name = "desk"`},
		{change(`name = "b"`, "name = \"b\"\nsed = 1"), `b.toml:2:1: sed is no key here; did you mean seed?`},
		{change(`name = "b"`, "name = \"b\"\nseed = \"1\""), `b.toml:2:8: seed is "1", expected a whole number from 0 to 9223372036854775807 without quotes`},
		{change(`name = "b"`, "name = \"b\"\nisolated-margin = \"al\""), `is "al", expected initial or all; did you mean all?`},
		{change(`"50000"`, "50000"), `b.toml:4:9: [instrument] price is 50000 without quotes, expected a string, as in "50000"`},
		{change(`"50000"`, `"50000.5"`), `b.toml:4:9: [instrument] price is "50000.5", expected a whole multiple of 1`},
		{change(`tick = "1"`, `tick = "0"`), `b.toml:5:8: [instrument] tick is "0", expected a decimal number above 0, as in 0.1`},
		{change(`lot = "0.01"`, `lot = "0.03"`), `[instrument] lot is no whole part of a unit`},
		{change(`lot = "0.01"`, `lot = "0.0000001"`), `a tick of a lot is not a whole multiple of 0.000001`},
		{change(`lot = "0.01"`, "lot = \"0.01\"\nband = \"x\""), `b.toml:7:8: [instrument] band is "x", expected a rate`},
		{change(`lot = "0.01"`, "lot = \"0.01\"\nbnd = \"1%\""), `b.toml:7:1: [instrument] bnd is no key here; did you mean band?`},
		{change(`lot = "0.01"`, "lot = \"0.01\"\nband = 0.05"), `b.toml:7:8: [instrument] band is 0.05 without quotes, expected a string`},
		{change(`lot = "0.01"`, "lot = \"0.01\"\ntiers = \"10%/5%\""), `[instrument] tiers has the row "10%/5%", expected UPTO/INITIAL/MAINTENANCE`},
		{change(`lot = "0.01"`, "lot = \"0.01\"\ntiers = \"inf/x/5%\""), `[instrument] tiers has the row "inf/x/5%", of which a part is "x", expected a rate`},
		{change(`deposit = "1000"`, `deposit = "-1"`), `b.toml:9:11: [account] deposit is "-1", expected an amount above 0 and up to a billion`},
		{change(`qty = "0.1"`, `qty = "0.001"`), `b.toml:10:50: [position] qty is "0.001", expected a whole multiple of 0.01`},
		{change(`qty = "0.1"`, `qty = "0"`), `qty is "0", expected a quantity, below 0 for a short`},
		{change(`instrument = "BTC`, `instrument = "BTX`), `[position] instrument is "BTX-USD-PERP", expected an instrument of the book; did you mean BTC-USD-PERP?`},
		{change(`qty = "0.1"`, `qty = "0.1", leverage = "0.5"`), `leverage is "0.5", expected a leverage from 1 to 655`},
		{change(`position = [{`, `position = ["x", {`), `position holds "x", expected a table`},
		{change(`[[account]]`, `[account]`), `account is a table, expected tables, as in [[account]]`},
		{change(`"0.1" }]`, `"0.1" }, { instrument = "BTC-USD-PERP", qty = "1" }]`), `BTC-USD-PERP is held twice`},
		{goodBook + "[[account]]\nname = \"a\"\ndeposit = \"1\"\n", `the name "a" is taken`},
		{goodBook + "[[crowd]]\nname = \"c\"\naccounts = 0\ndeposit = \"9..1\"\nleverage = \"2..x\"\n", `accounts is 0, expected a whole number from 1 to 1000000`},
		{goodBook + "[[crowd]]\nname = \"c\"\naccounts = 1\ndeposit = \"9..1\"\nleverage = \"2\"\n", `deposit is "9..1", expected the lower bound first`},
		{goodBook + "[[crowd]]\nname = \"c\"\naccounts = 1\ndeposit = \"9\"\nleverage = \"2\"\nlong = \"101%\"\n", `long is "101%", expected 0% to 100%`},
		{goodBook + "[venue]\nfund = \"-1\"\nladder-call1 = \"x\"\n", `ladder-call1 is "x", expected a rate`},
		{"name = \"b\"\n", `has no instrument, expected at least one [[instrument]]`},
	} {
		if _, err := ParseBook("b.toml", []byte(c.text)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("expected %s, got\n%v\nof\n%s", c.want, err, c.text)
		}
	}
	_, err := ParseBook("b.toml", []byte(strings.NewReplacer(`"50000"`, `"x"`, `"1000"`, `"y"`).Replace(goodBook)))
	if err == nil || strings.Count(err.Error(), "\n") != 1 {
		t.Errorf("expected two faults, got %v", err)
	}
}

func TestFaultsOfShocks(t *testing.T) {
	if _, err := ParseShock("s.toml", []byte(goodShock)); err != nil {
		t.Fatal(err)
	}
	change := func(old, new string) string { return strings.Replace(goodShock, old, new, 1) }
	for _, c := range []struct{ text, want string }{
		{change(`"1m -1%"`, `"1m"`), `s.toml:3:11: [path] points has "1m", expected a time and a move from the start, as in "10m -30%"`},
		{change(`"1m -1%"`, `"1m -100%"`), `a move above -100%`},
		{change(`"1m -1%"`, `"2m -1%", "1m -2%"`), `s.toml:3:21: [path] points has "1m -2%", expected a time after the one before`},
		{change(`points = ["1m -1%"]`, ``), `[path] needs either points, or bars with from, to and needs`},
		{change(`points = ["1m -1%"]`, "needs = \"x\"\nfrom = \"2020-01-02\"\nto = \"2020-01-01\""), `[path] needs from and to, and to after from`},
		{change(`points = ["1m -1%"]`, "needs = \"x\"\nfrom = \"2020-1-2\"\nto = \"2020-01-01\""), `from is "2020-1-2", expected a time in UTC`},
		{change(`points`, "beta = \"11\"\npoints"), `beta is beyond 10, expected -10 to 10`},
		{change(`points = ["1m -1%"]`, "beta = \"2\"\npoints = [\"1m -50%\"]"), `leaves no price`},
		{goodShock + "[[path]]\npoints = [\"1m 0%\"]\n", `* has a path already`},
		{change(`name = "s"`, "name = \"s\"\nstep = \"2h\""), `s.toml:2:8: step is 2h, expected 1s to 1h`},
		{goodShock + "[maker]\nlevels = 65\n", `levels is 65, expected a whole number from 1 to 64`},
		{goodShock + "[maker]\ngap = \"20%\"\n", `the last level would stand at a price of 0 or less`},
		{goodShock + "[[liquidity]]\nfrom = \"2m\"\nto = \"1m\"\ndepth = \"1%\"\n", `to is 1m, expected more than from`},
		{goodShock + "[[liquidity]]\nfrom = \"1m\"\nto = \"2m\"\n", `has no depth, expected depth = "10%"`},
		{goodShock + "[[silence]]\nfrom = \"1m\"\n", `has no to, expected to = "1m"`},
		{goodShock + "[funding]\nrate = \"1%\"\nneeds = \"x\"\n", `[funding] needs either rate, or file with needs`},
		{goodShock + "[funding]\nrate = \"1%\"\nevery = \"1s\"\n", `every is 1s, expected at least 1m`},
		{"name = \"s\"\n", `has no path, expected at least one [[path]]`},
	} {
		if _, err := ParseShock("s.toml", []byte(c.text)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("expected %s, got\n%v\nof\n%s", c.want, err, c.text)
		}
	}
}

// Whatever a text says, reading it ends with a book or with faults that have a place.
func FuzzBook(f *testing.F) {
	f.Add(goodBook)
	for _, name := range names("books") {
		text, _ := builtin("books", name)
		f.Add(string(text))
	}
	f.Fuzz(func(t *testing.T, text string) {
		b, err := ParseBook("b.toml", []byte(text))
		if err == nil && (b.Name == "" || len(b.instruments) == 0) {
			t.Error("a book without a name or an instrument is taken")
		}
		checkFaults(t, err)
	})
}

func FuzzShock(f *testing.F) {
	f.Add(goodShock)
	for _, name := range names("scenarios") {
		text, _ := builtin("scenarios", name)
		f.Add(string(text))
	}
	f.Fuzz(func(t *testing.T, text string) {
		s, err := ParseShock("s.toml", []byte(text))
		if err == nil {
			for _, p := range s.paths {
				if !p.recorded() && (p.move(0) <= -1_000_000_000 || p.move(p.end()) <= -1_000_000_000) {
					t.Error("a path leaves no price")
				}
			}
		}
		checkFaults(t, err)
	})
}

func checkFaults(t *testing.T, err error) {
	t.Helper()
	if err == nil {
		return
	}
	for _, line := range strings.Split(err.Error(), "\n") {
		if line == "" {
			t.Errorf("a fault says nothing: %v", err)
		}
	}
}
