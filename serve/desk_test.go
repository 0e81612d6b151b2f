package serve_test

import (
	"context"
	"crypto/ed25519"
	"encoding/hex"
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/lockstep-exchange/lockstep/client"
	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/msg"
	"github.com/lockstep-exchange/lockstep/serve"
	"github.com/lockstep-exchange/lockstep/wire/gen"
)

// maker is a client of a demonstration.
type maker struct {
	*client.Client
	t *testing.T
}

// newMaker logs in to a venue with one of the demonstration's keys.
func newMaker(t *testing.T, address string, public ed25519.PublicKey, key uint64, kind gen.SessionKind) *maker {
	t.Helper()
	c, err := client.Dial(t.Context(), client.Link{Network: "tcp", Address: address}, client.Config{Key: client.Key{ID: key, Private: serve.DevelopmentKey(int(key))},
		Venue: public, Kind: kind, OnLoss: client.KeepOrders, Patience: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return &maker{c, t}
}

// answer waits for the first response to a request, and gives each report to see. Both are good while they are looked at.
func (m *maker) answer(ref msg.Ref, err error, see func(*client.Event)) *client.Event {
	m.t.Helper()
	if err != nil {
		m.t.Fatal(err)
	}
	m.Flush()
	for end := time.Now().Add(time.Minute); time.Now().Before(end); {
		e := m.Wait(time.Second)
		if e == nil || e.Kind != client.Report {
			continue
		}
		if see != nil {
			see(e)
		}
		if e.Request.Ref == ref {
			return e
		}
	}
	m.t.Fatalf("request %d has no answer", ref)
	return nil
}

// A mass quote over a socket: one answer for all of it, entry by entry, whose orders are there and are replaced by the next one.
func TestMassQuoteServed(t *testing.T) { // W-51
	address, public := venue(t)
	m := newMaker(t, address, public, 1, gen.SessionKindOrderEntry)
	q := client.Quotes{Account: 1, Entries: []client.Quote{{BidPx: 500_000, BidQty: 3, AskPx: 700_000, AskQty: 4, Instrument: 1, ID: 7},
		{BidPx: 1, BidQty: 1, Instrument: 9}}}
	ref, err := m.Quote(&q, m.Now())
	e := m.answer(ref, err, nil)
	if e.Template != gen.TemplateMassQuoteAck || e.Group.Count != 2 || gen.AsMassQuoteAck(e.Block).AccountID() != 1 {
		t.Fatalf("template %d, %d entries", e.Template, e.Group.Count)
	}
	first, second := gen.AsMassQuoteAckEntry(e.Group.At(0)), gen.AsMassQuoteAckEntry(e.Group.At(1))
	if first.BidOrderID() == 0 || first.AskOrderID() == 0 || first.BidCode()|first.AskCode() != 0 || second.BidCode() != gen.RejectCodeUnknownInstrument {
		t.Errorf("entries %+v, %+v", first, second)
	}
	bid, ask := first.BidOrderID(), first.AskOrderID()
	q.Entries = q.Entries[:1]
	q.Entries[0].BidQty, q.Entries[0].AskPx = 2, 700_001
	ref, err = m.Quote(&q, m.Now())
	e = m.answer(ref, err, nil)
	if again := gen.AsMassQuoteAckEntry(e.Group.At(0)); again.BidOrderID() != bid || again.AskOrderID() == ask || again.AskOrderID() == 0 {
		t.Errorf("the second quote has orders %x and %x, the first %x and %x", again.BidOrderID(), again.AskOrderID(), bid, ask)
	}
	ask = gen.AsMassQuoteAckEntry(e.Group.At(0)).AskOrderID()
	ref, err = m.AskOrder(1, msg.OrderID(bid), 0, m.Now())
	if e = m.answer(ref, err, nil); e.Template != gen.TemplateOrderStatus || gen.AsOrderStatus(e.Block).LeavesQty() != 2 {
		t.Errorf("the bid is told by template %d", e.Template)
	}
	q.Entries[0].BidQty = -1 // a flaw of form refuses all of it
	ref, err = m.Quote(&q, m.Now())
	if code, ok := m.answer(ref, err, nil).Reject(); !ok || code != gen.RejectCodeValueOutOfRange {
		t.Errorf("a quantity below nothing: %v", code)
	}
	ref, err = m.CancelID(1, msg.OrderID(ask), m.Now())
	if e = m.answer(ref, err, nil); e.Template != gen.TemplateOrderCanceled {
		t.Errorf("the ask is canceled by template %d", e.Template)
	}
}

// Market-maker protection over a socket: limits are set, a trade reaches them, the quote is gone and none comes in until they are set again.
func TestProtectionServed(t *testing.T) { // D-108
	address, public := venue(t)
	m := newMaker(t, address, public, 1, gen.SessionKindOrderEntry)
	p := client.Protection{Account: 1, Group: 3, Qty: 1, Window: fixed.Second}
	ref, err := m.Protect(&p, m.Now())
	if e := m.answer(ref, err, nil); e.Template != gen.TemplateControlAck || gen.AsControlAck(e.Block).RefTemplate() != gen.TemplateMmpConfig {
		t.Fatalf("template %d", e.Template)
	}
	q := client.Quotes{Account: 1, MMPGroup: 3, Entries: []client.Quote{{BidPx: 500_000, BidQty: 3, AskPx: 900_000, AskQty: 3, Instrument: 1}}}
	tripped, gone := false, 0
	see := func(e *client.Event) {
		switch e.Template {
		case gen.TemplateMmpTriggered:
			tripped = gen.AsMmpTriggered(e.Block).MmpGroup() == 3
		case gen.TemplateOrderCanceled:
			if gen.AsOrderCanceled(e.Block).Reason() == gen.CancelReasonProtection {
				gone++
			}
		}
	}
	ref, err = m.Quote(&q, m.Now())
	m.answer(ref, err, see)
	other := newMaker(t, address, public, 2, gen.SessionKindOrderEntry)
	ref, err = other.Place(&client.NewOrder{Account: 2, Instrument: 1, Side: gen.SideSell, Price: 500_000, Qty: 1, TIF: gen.TimeInForceIOC}, other.Now())
	if e := other.answer(ref, err, nil); e.Template != gen.TemplateOrderAccepted {
		t.Fatalf("who sells is answered by template %d", e.Template)
	}
	ref, err = m.Quote(&q, m.Now())
	e := m.answer(ref, err, see)
	if code := gen.AsMassQuoteAckEntry(e.Group.At(0)).AskCode(); !tripped || gone == 0 || code != gen.RejectCodeMmpFrozen {
		t.Errorf("tripped %v, %d orders gone, then a quote is answered by %d", tripped, gone, code)
	}
	ref, err = m.Protect(&p, m.Now())
	m.answer(ref, err, see)
	ref, err = m.Quote(&q, m.Now())
	if e := m.answer(ref, err, see); gen.AsMassQuoteAckEntry(e.Group.At(0)).BidOrderID() == 0 {
		t.Error("it does not thaw")
	}
}

// What an order would do, and all open orders, over a socket.
func TestQuestionsServed(t *testing.T) { // W-53
	address, public := venue(t)
	m := newMaker(t, address, public, 1, gen.SessionKindOrderEntry)
	w := client.WhatIf{Account: 1, Instrument: 1, Side: gen.SideBuy, Price: 500_000, Qty: 3}
	ref, err := m.AskMargin(&w, m.Now())
	e := m.answer(ref, err, nil)
	if e.Template != gen.TemplateWhatIfResult {
		t.Fatalf("template %d", e.Template)
	}
	f := *gen.AsWhatIfResult(e.Block)
	if f.Code() != 0 || f.OrderInit() <= 0 || f.MaxQty() < 3 || f.InitAfter() < f.OrderInit() || f.RequestID() != uint64(ref) {
		t.Errorf("code %d, order %d, most %d, initial %d", f.Code(), f.OrderInit(), f.MaxQty(), f.InitAfter())
	}
	w.Qty = f.MaxQty() + 1
	ref, err = m.AskMargin(&w, m.Now())
	if code := gen.AsWhatIfResult(m.answer(ref, err, nil).Block).Code(); code == 0 {
		t.Errorf("%d lots would be let in, and %d are said to be the most", w.Qty, f.MaxQty())
	}
	w.Leverage = 1
	ref, err = m.AskMargin(&w, m.Now())
	if code, ok := m.answer(ref, err, nil).Reject(); !ok || code != gen.RejectCodeNotSupported {
		t.Errorf("another leverage: %d", code)
	}

	ref, err = m.AskOrders(1, m.Now())
	if e = m.answer(ref, err, nil); e.Template != gen.TemplateOrderStatus || gen.AsOrderStatus(e.Block).LastInList() != gen.YesNoYes || gen.AsOrderStatus(e.Block).OrderID() != 0 {
		t.Errorf("no order is told by template %d", e.Template)
	}
	const orders = 100
	for i := range int64(orders) {
		ref, err = m.Place(&client.NewOrder{Account: 1, Instrument: 1, Side: gen.SideBuy, Price: 400_000 + i, Qty: 1}, m.Now())
		m.answer(ref, err, nil)
	}
	asked, err := m.AskOrders(1, m.Now())
	seen, last := map[uint64]bool{}, false
	see := func(e *client.Event) {
		if e.Template == gen.TemplateOrderStatus && gen.AsOrderStatus(e.Block).RequestID() == uint64(asked) {
			seen[gen.AsOrderStatus(e.Block).OrderID()] = true
			last = last || gen.AsOrderStatus(e.Block).LastInList() == gen.YesNoYes
		}
	}
	m.answer(asked, err, see)
	for end := time.Now().Add(time.Minute); !last && time.Now().Before(end); {
		if e := m.Wait(time.Second); e != nil && e.Kind == client.Report {
			see(e)
		}
	}
	if len(seen) != orders || !last {
		t.Errorf("%d orders are told, the last of them %v", len(seen), last)
	}
}

// The client in Python says the same things, of which it shares no code.
func TestDeskInPython(t *testing.T) {
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("no python3 on this machine")
	}
	if out, err := exec.Command(python, "-c", "import sys, cryptography; assert sys.version_info >= (3, 10)").CombinedOutput(); err != nil {
		t.Skipf("python3 is too old, or has no package cryptography: %s", out)
	}
	address, public := venue(t)
	host, port, _ := net.SplitHostPort(address)
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	run := exec.CommandContext(ctx, python, "tests/desk.py", host, port, "1", hex.EncodeToString(serve.DevelopmentKey(1).Seed()), hex.EncodeToString(public))
	run.Dir, run.Env = "../clients/python", append(os.Environ(), "PYTHONDONTWRITEBYTECODE=1")
	var faults strings.Builder
	run.Stderr = &faults
	out, err := run.Output()
	if err != nil || strings.TrimSpace(string(out)) != "ok" {
		t.Fatalf("%v\n%s%s", err, out, faults.String())
	}
}
