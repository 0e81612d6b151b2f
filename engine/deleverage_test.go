package engine

import (
	"fmt"
	"reflect"
	"slices"
	"testing"

	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/msg"
)

// losing is a desk on which account 1 with so much money is long against as many accounts as asked, from 11 on, each of which has other lots and other money; it
// looks at so many positions a command for winners.
func losing(t *testing.T, stride uint32, winners int, money fixed.Money) *desk {
	t.Helper()
	d := newDesk(t, Limits{Instruments: 1, Accounts: 200, Events: 256})
	d.stride = stride
	d.list(perpetual(1), 100)
	d.ok(msg.Deposit(1, money), msg.SetRule(0, msg.FundEventCap, 0), msg.SetRule(0, msg.AdlBand, int64(5*fixed.Percent)))
	for i := range winners {
		id := msg.AccountID(11 + i)
		lots := fixed.Lots(1 + i*7%5)
		d.ok(msg.Deposit(id, fixed.Money(100+i*13%90)*fixed.Coin*fixed.Money(lots)), msg.Limit(1, 1, msg.Buy, 100, lots), msg.Limit(id, 1, msg.Sell, 100, lots))
	}
	return d
}

// adlFills are the accounts, lots and ranks of the AdlFills of the last command.
func (d *desk) adlFills() (list []string) {
	for i := range d.last {
		if e := &d.last[i]; e.Kind == msg.AdlFill {
			list = append(list, fmt.Sprintf("%d of account %d at %d, rank %d", e.Qty, e.Account, e.Price, e.Closeout().Rank))
		}
	}
	return list
}

// TestWinnersAreFoundOverCommands holds that a search which takes several commands finds whom one that takes none would, that each command
// looks no further than it may, and that forks and snapshots on the way go on as the engine does.
func TestWinnersAreFoundOverCommands(t *testing.T) { // M-53
	at, over := losing(t, rowsMax, 20, 1_000*fixed.Coin), losing(t, 23, 20, 1_000*fixed.Coin)
	at.ok(msg.SetMark(1, 75))
	want := at.adlFills()
	if len(want) != 20 || at.adl != (adl{}) || len(at.found) != 0 {
		t.Fatalf("%d winners: %v; %+v", len(want), want, at.adl)
	}
	over.ok(msg.SetMark(1, 75))
	got, commands, row, hash := over.adlFills(), 0, over.adl.row, over.Hash()
	for ; over.jobs.shedding.pool != 0; commands++ {
		if over.adl.leg == 0 || over.adl.row > row+23 || len(got) != 0 {
			t.Fatalf("after %d commands: %+v, %v", commands, over.adl, got)
		}
		row = over.adl.row
		over.sound()
		copies := []*desk{{Engine: over.Fork(), t: t}, {Engine: restored(t, over.limits, image(over.Engine)), t: t}}
		copies[1].stride = over.stride
		if !reflect.DeepEqual(over.found, copies[1].found) {
			t.Fatalf("restored: %v, found were %v", copies[1].found, over.found)
		}
		over.ok(msg.Tick())
		for _, c := range copies {
			if c.ok(msg.Tick()); c.Hash() != over.Hash() || !slices.Equal(c.adlFills(), over.adlFills()) {
				t.Fatalf("after %d commands a copy goes another way", commands)
			}
		}
		if over.Hash() == hash {
			t.Fatal("the hash does not see how far the search is")
		}
		hash, got = over.Hash(), append(got, over.adlFills()...)
	}
	if all := int(over.house.Rows()); !slices.Equal(got, want) || commands != (all-2)/23 {
		t.Errorf("%d commands over %d rows: %v, want %v", commands, all, got, want)
	}
	for id := msg.AccountID(1); id <= 200; id++ {
		if a, b := at.house.Account(id), over.house.Account(id); a != nil && *a != *b {
			t.Errorf("account %d: %+v, want %+v", id, *b, *a)
		}
	}
	over.sound()
}

// TestWinnersAreRankedAsTheyStand lets some who were found go, turn and shrink before all have been looked at, and others come: who is gone is left out, who
// is there counts as he stands then, and who came behind the search is asked in the next.
func TestWinnersAreRankedAsTheyStand(t *testing.T) { // A-16, M-53
	d := losing(t, 4, 4, 4_000*fixed.Coin) // of 1, 3, 5 and 2 lots
	d.ok(msg.Deposit(5, 10_000*fixed.Coin), msg.Deposit(6, 10_000*fixed.Coin), msg.Deposit(7, 10_000*fixed.Coin), msg.Deposit(8, 10_000*fixed.Coin))
	d.ok(msg.Limit(1, 1, msg.Buy, 100, 300), msg.Limit(7, 1, msg.Sell, 100, 300))
	all, latest := d.house.Rows(), uint32(0)
	for _, id := range []msg.AccountID{7, 11, 12, 13, 14} {
		latest = max(latest, d.house.Find(id, 1))
	}
	d.ok(msg.SetMark(1, 75))
	for d.adl.row <= latest {
		d.ok(msg.Tick())
	}
	if d.adl.row >= all-48 || len(d.found) != 5 {
		t.Fatalf("%+v of %d, found %v", d.adl, all, d.found)
	}
	d.trade(5, 11, 1, 75, 1)  // is gone, for one who comes
	d.trade(6, 12, 1, 75, 4)  // turns
	d.trade(5, 13, 1, 75, 4)  // keeps 1 of 5
	d.trade(5, 7, 1, 75, 290) // keeps 10
	var got []string
	for n := 0; d.jobs.shedding.pool != 0; n++ {
		d.ok(msg.Tick())
		got = append(got, d.adlFills()...)
		if n > 10_000 {
			t.Fatal("it does not end")
		}
	}
	for _, id := range []msg.AccountID{7, 12, 13, 14} { // 12 has turned, and all but the lots of 5 are used up
		if p, _ := d.Position(id, 1); p.Qty != map[msg.AccountID]fixed.Lots{12: 1}[id] {
			t.Errorf("account %d has %d lots left", id, p.Qty)
		}
	}
	if p, _ := d.Position(5, 1); p.Qty >= 0 && len(got) != 5 {
		t.Errorf("account 5 has %d lots: %v", p.Qty, got)
	}
	d.stands(1, msg.RungOK)
	d.sound()
}

// TestWinnersCannotRun holds that a deleveraging comes to its end though the one who wins is at another place whenever all have been looked at:
// two accounts of one hand pass the lots to and fro behind the search.
func TestWinnersCannotRun(t *testing.T) { // A-16, M-53
	d := losing(t, 1, 0, 4_000*fixed.Coin)
	d.ok(msg.Deposit(5, 10_000*fixed.Coin), msg.Deposit(6, 10_000*fixed.Coin), msg.Limit(1, 1, msg.Buy, 100, 300), msg.Limit(5, 1, msg.Sell, 100, 300))
	d.ok(msg.Limit(6, 1, msg.Sell, 200, 1)) // keeps its row
	seen := max(d.house.Find(5, 1), d.house.Find(6, 1))
	holder, other, passed := msg.AccountID(5), msg.AccountID(6), 0
	d.ok(msg.SetMark(1, 75))
	for n := 0; d.jobs.shedding.pool != 0; n++ {
		if n == 10_000 {
			t.Fatalf("passed on %d times, and nothing closed", passed)
		}
		if d.adl.row > seen && len(d.found) == 1 && d.found[0].Account == holder {
			if p, _ := d.Position(holder, 1); p.Qty == -300 {
				d.do(msg.Limit(other, 1, msg.Sell, 75, 300))
				d.do(msg.Limit(holder, 1, msg.Buy, 75, 300))
				holder, other = other, holder
				passed++
				continue
			}
		}
		d.ok(msg.Tick())
	}
	if passed == 0 {
		t.Fatalf("nothing was passed on: the test says nothing; seen %d of %d, %d fills", seen, d.house.Rows(), d.count(msg.AdlFill))
	}
	if p, _ := d.Position(holder, 1); p.Qty != 0 {
		t.Errorf("%d lots, passed on %d times", p.Qty, passed)
	}
	d.sound()
}

// TestBrokenOffSearchesEndAlike lets two engines go through dark days, one of which finds its winners in many commands: it is given ticks until it is done.
// Both then are the same.
func TestBrokenOffSearchesEndAlike(t *testing.T) { // A-16, M-53, T-1
	searches := 0
	for i, day := range darkDays {
		seed := xorshift(uint64(i)*0x9E3779B97F4A7C15 + 77)
		t.Logf("%s: seed %#x", day.name, uint64(seed))
		tr, a, b := newTrader(day, &seed), newDesk(t, day.limits), newDesk(t, day.limits)
		b.stride = 5
		settle := func(d *desk) {
			for n := 0; d.jobs.shedding.pool != 0 || d.house.Restless() || d.jobs.count != 0; n++ {
				if d.adl.leg != 0 {
					searches++
				}
				if d.do(msg.Tick()); n > 20_000 {
					t.Fatalf("seq %d: it does not end: %+v", d.seq, d.adl)
				}
			}
		}
		play := func(c msg.Command) {
			a.at = max(c.Time, a.now)
			b.at = a.at
			tr.see(&c, a.do(c))
			told := slices.Clone(a.last)
			b.do(c)
			settle(a)
			settle(b)
			if x, y := a.VenueAccounts(), b.VenueAccounts(); x != y {
				t.Fatalf("%s, %s: %+v, over more commands %+v; %v", day.name, c.String(), x, y, told)
			}
		}
		for _, c := range tr.opening() {
			play(c)
		}
		for range 15_000 {
			play(tr.next())
			for id := msg.AccountID(1); id <= msg.AccountID(day.limits.Accounts); id++ {
				x, y := a.house.Account(id), b.house.Account(id)
				if (x == nil) != (y == nil) || x != nil && (x.Cash != y.Cash || x.Rung != y.Rung || x.Held != y.Held) {
					t.Fatalf("%s, seq %d: account %d is %+v, over more commands %+v", day.name, a.seq, id, x, y)
				}
			}
		}
	}
	if searches < 500 {
		t.Errorf("%d commands of searches: the days say nothing about them", searches)
	}
}
