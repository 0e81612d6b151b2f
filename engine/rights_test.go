package engine

import (
	"strings"
	"testing"

	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/msg"
)

// roles is the table of rights as it is agreed upon: by role, what a session may ask for on its own account and on another's. A kind of
// session of which nothing is said carries nothing. What is not listed is denied.
var roles = []struct {
	role       msg.Role
	owner      msg.OwnerID // of the key; account 1 is of owner 1
	kind       msg.SessionKind
	own, other string
}{
	{msg.RoleTrader, 1, msg.OrderEntry, "limit market place amend quote cancel sweep leverage isolate kill kill-owner dead-man protect ask ask-orders ask-margin", ""},
	{msg.RoleTrader, 1, msg.RiskControl, "sweep leverage isolate kill kill-owner dead-man protect ask ask-orders ask-margin", ""},
	{msg.RoleTrader, 1, msg.DropCopy, "", ""},
	{msg.RoleRiskManager, 1, msg.OrderEntry, "cancel sweep leverage isolate kill kill-owner dead-man protect ask ask-orders ask-margin", ""},
	{msg.RoleRiskManager, 1, msg.RiskControl, "sweep leverage isolate kill kill-owner dead-man protect ask ask-orders ask-margin", ""},
	{msg.RoleRiskManager, 0, msg.OrderEntry, "cancel sweep leverage isolate kill kill-owner dead-man protect ask ask-orders ask-margin halt halt-venue", "cancel sweep leverage isolate kill kill-owner dead-man protect ask ask-orders ask-margin halt halt-venue"},
	{msg.RoleRiskManager, 0, msg.RiskControl, "sweep leverage isolate kill kill-owner dead-man protect ask ask-orders ask-margin halt halt-venue", "sweep leverage isolate kill kill-owner dead-man protect ask ask-orders ask-margin halt halt-venue"},
	{msg.RoleOperator, 0, msg.RiskControl, "halt halt-venue", "halt halt-venue"},
	{msg.RoleDropCopy, 1, msg.DropCopy, "", ""},
	{msg.RoleAuditor, 0, msg.DropCopy, "", ""},
	{msg.RoleTreasury, 0, msg.FeedSnapshot, "", ""},
}

// acts are what a client can ask for about an account of an owner.
func acts(account msg.AccountID, owner msg.OwnerID, order msg.OrderID) map[string]msg.Command {
	turn := func(scope msg.Scope, action msg.Action) msg.Command {
		return msg.SetEntry(account, 1, msg.Entry{Scope: scope, Action: action, Owner: owner})
	}
	return map[string]msg.Command{
		"limit":         msg.Limit(account, 1, msg.Buy, 90, 1),
		"market":        msg.Market(account, 1, msg.Buy, 1, 0),
		"place":         msg.Place(account, 1, msg.Buy, 90, 1, msg.OrderExt{}),
		"amend":         msg.Amend(account, 1, order, 91, 2),
		"cancel":        msg.Cancel(account, 1, order),
		"sweep":         msg.CancelAll(account, 0, 0),
		"leverage":      msg.SetLeverage(account, 2, 500),
		"isolate":       msg.IsolateDefault(account, 2),
		"kill":          turn(msg.ScopeAccount, msg.Block),
		"kill-owner":    turn(msg.ScopeOwner, msg.Block),
		"halt":          turn(msg.ScopeInstrument, msg.Block),
		"halt-venue":    turn(msg.ScopeVenue, msg.Block),
		"dead-man":      msg.SetDeadMan(account, 60*fixed.Second+fixed.Hour),
		"ask":           msg.AskOrder(account, order, 0),
		"quote":         msg.Quote(account, 1, msg.Quotation{Bid: 50, BidQty: 1, Count: 1}),
		"protect":       msg.SetProtection(account, msg.Protection{Group: 1, Qty: 1, Window: 1}),
		"ask-orders":    msg.AskOrders(account),
		"ask-margin":    msg.AskMargin(account, 1, msg.Buy, 90, 1),
		"lift":          turn(msg.ScopeAccount, msg.Unblock),
		"lift-owner":    turn(msg.ScopeOwner, msg.Unblock),
		"lift-venue":    turn(msg.ScopeVenue, msg.Unblock),
		"deposit":       msg.Deposit(account, 5),
		"withdraw":      msg.Withdraw(account, 5),
		"transfer":      msg.Transfer(account, 4, 5),
		"list":          msg.List(2, msg.Listing{}),
		"mark":          msg.SetMark(1, 100),
		"rule":          msg.SetRule(1, msg.Band, 1),
		"phase":         msg.SetPhase(1, msg.Halted),
		"open-account":  msg.OpenAccount(account, owner, 0),
		"open-session":  msg.OpenSession(9, owner),
		"key":           msg.SetKey(msg.KeyChange{Key: 1}),
		"negotiate":     msg.Negotiate(msg.Negotiation{Session: 20, Key: 1, Kind: 1, Stamp: 1 << 50}),
		"bind":          msg.Bind(msg.Binding{Session: 11, Stamp: 1 << 50}),
		"unbind":        msg.Unbind(11, msg.UnbindLost),
		"end-grace":     msg.EndGrace(11),
		"finalize":      msg.Finalize(11),
		"miss":          msg.Miss(msg.Missing{Session: 11, From: 1, Count: 1}),
		"tick":          msg.Tick(),
		"checkpoint":    msg.SetCheckpoint(msg.Checkpoint{}),
		"storage":       msg.SetStorage(msg.StorageSoft),
		"maintain":      msg.Maintain(),
		"nothing known": {Request: msg.Request{Kind: 200}},
	}
}

// TestRoles asks for everything, by every role, on its own account and on another's, with nothing before the engine that would have said
// no: what is not in the table is refused as NotPermitted and changes nothing but numbers.
func TestRoles(t *testing.T) { // D-94, G-11
	tried := 0
	for _, r := range roles {
		for _, account := range []msg.AccountID{1, 4} {
			names := acts(account, 1, 0)
			for name := range names {
				d, _, _ := membership(t)
				d.ok(msg.Limit(1, 2, msg.Buy, 100, 1), msg.Limit(4, 2, msg.Sell, 100, 1), msg.Limit(account, 1, msg.Buy, 90, 1))
				order := d.last[0].Order
				d.ok(msg.SetKey(keyOf(7, r.role, r.owner)))
				m := d.logon(17, 7, r.kind, nil)
				owner := msg.OwnerID(1)
				may := r.own
				if account == 4 {
					owner, may = 5, r.other
				}
				c := acts(account, owner, order)[name]
				want := msg.RejectNotPermitted
				for _, word := range strings.Fields(may) {
					if word == name {
						want = 0
					}
				}
				before := (&observer{desk: d}).fingerprint()
				events := m.send(c)
				got := refusal(events)
				if tried++; got != want {
					t.Errorf("%v, key of owner %d, %v: %s of account %d: %q, want %q", r.role, r.owner, r.kind, name, account, got.Name(), want.Name())
				}
				if after := (&observer{desk: d}).fingerprint(); want != 0 && after != before {
					t.Errorf("%v, %v: %s of account %d was refused and changed something", r.role, r.kind, name, account)
				}
			}
		}
	}
	t.Logf("%d tried", tried)
}

// TestKillIsNotEased lets a session turn its kill switch tighter, and never looser.
func TestKillIsNotEased(t *testing.T) { // D-94, W-45
	d, one, _ := membership(t)
	turn := func(a msg.Action) msg.Command {
		return msg.SetEntry(1, 0, msg.Entry{Scope: msg.ScopeAccount, Action: a})
	}
	one.takes(turn(msg.ReduceEntry))
	one.takes(turn(msg.Block))
	one.takes(turn(msg.BlockAndCancel))
	one.refuses(msg.RejectNotPermitted, turn(msg.ReduceEntry))
	one.refuses(msg.RejectNotPermitted, turn(msg.Unblock))
	one.refuses(msg.RejectEntryBlocked, msg.Limit(1, 1, msg.Buy, 90, 1))
	d.ok(turn(msg.Unblock))
	one.takes(msg.Limit(1, 1, msg.Buy, 90, 1))
	one.refuses(msg.RejectValueOutOfRange, turn(0))
	one.refuses(msg.RejectUnknownAccount, msg.SetEntry(9, 0, msg.Entry{Scope: msg.ScopeAccount, Action: msg.Block}))
}

// TestKillsDoNotPileUp turns a switch again and again while what it cancels goes on: one mass cancel is enough.
func TestKillsDoNotPileUp(t *testing.T) {
	d, one, _ := membership(t)
	for range 300 {
		one.takes(msg.Limit(1, 1, msg.Buy, 90, 1))
	}
	for range 40 {
		before := d.jobs.count
		one.takes(msg.SetEntry(1, 0, msg.Entry{Scope: msg.ScopeAccount, Action: msg.BlockAndCancel}))
		if d.jobs.count > max(before, 1) {
			t.Fatalf("%d mass cancels under way", d.jobs.count)
		}
	}
	if d.resting(11) != 0 {
		t.Errorf("%d orders are left", d.resting(11))
	}
}
