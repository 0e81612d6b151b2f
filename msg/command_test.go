package msg_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/msg"
)

// What a constructor is given, the accessor of its kind gives back, whatever the values, and line 1 holds the rest.
func TestConstructorAndAccessorAgree(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var (
			account, to = drawn[msg.AccountID](t), drawn[msg.AccountID](t)
			instr       = drawn[msg.InstrumentID](t)
			order       = drawn[msg.OrderID](t)
			session     = drawn[msg.SessionID](t)
			side        = drawn[msg.Side](t)
			price       = drawn[fixed.Ticks](t)
			qty         = drawn[fixed.Lots](t)
			amount      = drawn[fixed.Money](t)
			ext         = drawn[msg.OrderExt](t)
			opening     = drawn[msg.Opening](t)
			listing     = drawn[msg.Listing](t)
			tier        = drawn[msg.Tier](t)
			fees        = drawn[msg.Fees](t)
			setting     = drawn[msg.Setting](t)
			phase       = drawn[msg.Phase](t)
			entry       = drawn[msg.Entry](t)
		)
		opening.Session = 0 // which is a session's, not an account's
		// line1 is the command without line 2.
		line1 := func(c msg.Command) msg.Request { c.Rare = msg.Rare{}; return c.Request }

		for _, c := range []checked{
			{msg.Limit(account, instr, side, price, qty), msg.Request{Kind: msg.KindLimit, Account: account, Instr: instr, Side: side, Price: price, Qty: qty}, nil, nil},
			{msg.Market(account, instr, side, qty, price), msg.Request{Kind: msg.KindMarket, Account: account, Instr: instr, Side: side, Price: price, Qty: qty, TIF: msg.IOC}, nil, nil},
			{msg.Amend(account, instr, order, price, qty), msg.Request{Kind: msg.KindAmend, Account: account, Instr: instr, Order: order, Price: price, Qty: qty}, nil, nil},
			{msg.Cancel(account, instr, order), msg.Request{Kind: msg.KindCancel, Account: account, Instr: instr, Order: order}, nil, nil},
			{msg.CancelAll(account, instr, side), msg.Request{Kind: msg.KindCancelAll, Account: account, Instr: instr, Side: side}, nil, nil},
			{msg.SetMark(instr, price), msg.Request{Kind: msg.KindSetMark, Instr: instr, Price: price}, nil, nil},
			{msg.Tick(), msg.Request{Kind: msg.KindTick}, nil, nil},
			both(msg.Place(account, instr, side, price, qty, ext), msg.Request{Kind: msg.KindPlace, Account: account, Instr: instr, Side: side, Price: price, Qty: qty}, (*msg.Request).OrderExt, ext),
			both(msg.OpenAccount(account, opening.Owner, opening.Groups), msg.Request{Kind: msg.KindOpenAccount, Account: account}, (*msg.Request).Opening, opening),
			both(msg.OpenSession(session, opening.Owner), msg.Request{Kind: msg.KindOpenSession}, (*msg.Request).Opening, msg.Opening{Owner: opening.Owner, Session: session}),
			both(msg.CloseSession(session), msg.Request{Kind: msg.KindCloseSession}, (*msg.Request).Opening, msg.Opening{Session: session}),
			both(msg.Deposit(account, amount), msg.Request{Kind: msg.KindDeposit, Account: account}, (*msg.Request).Payment, msg.Payment{Amount: amount}),
			both(msg.Withdraw(account, amount), msg.Request{Kind: msg.KindWithdraw, Account: account}, (*msg.Request).Payment, msg.Payment{Amount: amount}),
			both(msg.Transfer(account, to, amount), msg.Request{Kind: msg.KindTransfer, Account: account}, (*msg.Request).Payment, msg.Payment{Amount: amount, To: to}),
			both(msg.DepositAsset(account, instr, qty), msg.Request{Kind: msg.KindDepositAsset, Account: account, Instr: instr, Qty: qty}, (*msg.Request).Payment, msg.Payment{}),
			both(msg.WithdrawAsset(account, instr, qty), msg.Request{Kind: msg.KindWithdrawAsset, Account: account, Instr: instr, Qty: qty}, (*msg.Request).Payment, msg.Payment{}),
			both(msg.List(instr, listing), msg.Request{Kind: msg.KindList, Instr: instr}, (*msg.Request).Listing, listing),
			both(msg.SetTier(instr, tier), msg.Request{Kind: msg.KindSetTier, Instr: instr}, (*msg.Request).Tier, tier),
			both(msg.SetFees(instr, fees), msg.Request{Kind: msg.KindSetFees, Instr: instr}, (*msg.Request).Fees, fees),
			both(msg.SetRule(instr, setting.Rule, setting.Value), msg.Request{Kind: msg.KindSetRule, Instr: instr}, (*msg.Request).Setting, setting),
			both(msg.SetPhase(instr, phase), msg.Request{Kind: msg.KindSetPhase, Instr: instr}, (*msg.Request).Phase, phase),
			both(msg.SetEntry(account, instr, entry), msg.Request{Kind: msg.KindSetEntry, Account: account, Instr: instr}, (*msg.Request).Entry, entry),
		} {
			if diff := cmp.Diff(c.line1, line1(c.got)); diff != "" {
				t.Fatalf("%v: line 1 differs (-want +got):\n%s", c.got.Kind, diff)
			}
			if diff := cmp.Diff(c.want, c.said); diff != "" {
				t.Fatalf("%v: what was said differs (-want +got):\n%s", c.got.Kind, diff)
			}
			if c.got.Seq != 0 || c.got.Lines() == 1 && c.got.Rare != (msg.Rare{}) {
				t.Fatalf("%v: a constructor numbers it or writes the line that its kind leaves alone", c.got.Kind)
			}
		}
	})
}

// checked is a command, its line 1, and what its accessor says and should say.
type checked struct {
	got        msg.Command
	line1      msg.Request
	said, want any
}

// both is a checked command whose line 2 has an accessor.
func both[T any](c msg.Command, line1 msg.Request, accessor func(*msg.Request) T, want T) checked {
	return checked{c, line1, accessor(&c.Request), want}
}

// drawn is any value of T.
func drawn[T any](t *rapid.T) T {
	var v T
	draw(t, &v)
	return v
}

// The kinds of one line come first; a kind that uses line 2 has two.
func TestLinesOfCommands(t *testing.T) {
	long := false
	for _, c := range constants(t) {
		if c.typ != "Kind" {
			continue
		}
		r := msg.Request{Kind: msg.Kind(c.value)}
		if n := r.Lines(); n != 1 && n != 2 || (n == 1) != (c.value <= uint64(msg.KindTick)) {
			t.Errorf("%s has %d lines", c.name, n)
		}
	}
	for _, c := range commands() {
		long = long || c.Lines() == 2
		if c.Rare != (msg.Rare{}) && c.Lines() == 1 {
			t.Errorf("%v uses line 2 and has %d line", c.Kind, c.Lines())
		}
	}
	if !long {
		t.Error("no command has two lines")
	}
}

func TestOpposite(t *testing.T) {
	if msg.Buy.Opposite() != msg.Sell || msg.Sell.Opposite() != msg.Buy {
		t.Errorf("opposite of buy is %v, of sell %v", msg.Buy.Opposite(), msg.Sell.Opposite())
	}
}

func TestOrderIDIsGenerationAndHandle(t *testing.T) {
	if id := msg.OrderID(3)<<32 | 17; id.Handle() != 17 || id.Generation() != 3 {
		t.Errorf("%#x has handle %d, generation %d", uint64(id), id.Handle(), id.Generation())
	}
	if id := ^msg.OrderID(0); id.Handle() != 1<<32-1 || id.Generation() != 1<<32-1 {
		t.Errorf("%#x has handle %d, generation %d", uint64(id), id.Handle(), id.Generation())
	}
}

// A list of commands with room for them is filled without allocation. // A-20
func TestConstructorsAllocateNothing(t *testing.T) {
	day := make([]msg.Command, 0, 64)
	if n := testing.AllocsPerRun(100, func() {
		day = append(day[:0],
			msg.Limit(1, 2, msg.Buy, 50_010, 3), msg.Market(1, 2, msg.Sell, 3, 0), msg.Amend(1, 2, order, 50_020, 8),
			msg.Cancel(1, 2, order), msg.CancelAll(1, 2, 0), msg.SetMark(2, 50_000), msg.Tick(),
			msg.Place(1, 2, msg.Buy, 50_010, 3, ext), msg.OpenAccount(1, 9, msg.AllGroups), msg.Deposit(1, 5),
			msg.Withdraw(1, 5), msg.Transfer(1, 6, 5), msg.DepositAsset(1, 2, 4), msg.WithdrawAsset(1, 2, 4),
			msg.List(2, btc), msg.SetTier(2, tier), msg.SetFees(2, fees), msg.SetRule(2, msg.Band, 1),
			msg.SetPhase(2, msg.Continuous), msg.SetEntry(1, 2, entry), msg.OpenSession(4, 9), msg.CloseSession(4),
			msg.ListUnderlying(bitcoin), msg.ReportPrice(report), msg.SetLeverage(1, 2, 1050), msg.Isolate(1, 2, 5),
			msg.Cross(1, 2), msg.MoveMargin(1, 2, -5), msg.SettleFunding(2, 5), msg.PayFund(5), msg.SetFeeTier(feeRow),
			msg.SetConcentration(2, share), msg.SetCheckpoint(checkpoint), msg.SetStorage(msg.StorageSoft), msg.Maintain(),
			msg.SetKey(key), msg.Negotiate(agreed), msg.Bind(msg.Binding{Session: 4}), msg.Unbind(4, msg.UnbindLost),
			msg.EndGrace(4), msg.Finalize(4), msg.Miss(msg.Missing{Session: 4}), msg.Refuse(1, 2, 3, order, refused), msg.SetDeadMan(1, 60), msg.AskOrder(1, order, 7),
			msg.Quote(1, 2, quotation), msg.SetProtection(1, protection),
			msg.AskOrders(1), msg.AskMargin(1, 2, msg.Buy, 5, 1))
		for i := range day {
			r := &day[i].Request
			r.OrderExt()
			r.Payment()
			r.Opening()
			r.Listing()
			r.Tier()
			r.Fees()
			r.Setting()
			r.Entry()
			r.Underlying()
			r.Report()
			r.Leverage()
			r.Isolation()
			r.FundingRate()
			r.FeeTier()
			r.Concentration()
			r.Checkpoint()
			r.Storage()
			r.KeyChange()
			r.Negotiation()
			r.Binding()
			r.Unbinding()
			r.Missing()
			r.Refused()
			r.Quotation()
			r.Protection()
			r.SetEnvelope(envelope)
		}
	}); n != 0 {
		t.Errorf("making a command of every kind allocates %v times", n)
	}
	kinds := map[msg.Kind]bool{}
	for _, c := range day {
		kinds[c.Kind] = true
	}
	for _, c := range constants(t) {
		if c.typ == "Kind" && !kinds[msg.Kind(c.value)] {
			t.Errorf("%s is not among the commands made", c.name)
		}
	}
}
