package gateway

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/msg"
	"github.com/lockstep-exchange/lockstep/wire"
	"github.com/lockstep-exchange/lockstep/wire/gen"
)

// The reports of a session are the same to the byte when they are sent again, from the tail as in another session (W-24).
func TestSentAgainAsSentFirst(t *testing.T) {
	w := newWorld(t)
	w.roster.terms.Retain = 1 << 13
	script := in
	for i := range 40 {
		script += fmt.Sprintf("order %d\n", i+1)
	}
	w.run(script)
	first := bytes.Clone(w.at.got)
	at := bytes.Index(first, first[len(first)-40*112:])
	w.run("retransmit 11 30\n")
	again := w.at.got[len(first):]
	again = again[wire.BlockAt+len(gen.Retransmission{}):]
	again = again[:len(again)-wire.BlockAt-len(gen.Sequence{})]
	if want := first[at+10*112:]; !bytes.Equal(again, want) {
		t.Errorf("sent again:\n%x\nfirst:\n%x", again, want)
	}
}

// The tail holds what its limit lets it: the oldest go, and what is there is whole.
func TestTail(t *testing.T) {
	frame, _ := wire.AppendFrame(nil, gen.Header{Block: 50, Schema: gen.SchemaOrderEntry})
	unnumbered, _ := wire.AppendFrame(nil, gen.Header{Block: 12, Schema: gen.SchemaSession})
	tl := tail{limit: 1000}
	tl.begin(5)
	for i := range 200 {
		if i%3 == 1 {
			tl.add(unnumbered)
		} else {
			tl.add(frame)
		}
		if len(tl.bytes) > 1000 {
			t.Fatalf("%d bytes", len(tl.bytes))
		}
	}
	if tl.next != 205 || tl.first < 180 || tl.has(tl.first-1, 1) || !tl.has(tl.first, int(205-tl.first)) || tl.has(204, 2) {
		t.Fatalf("first %d, next %d", tl.first, tl.next)
	}
	for n := tl.first; n < tl.next; n++ {
		got := tl.of(n, 1)
		m, fault := wire.Open(got)
		if fault.Kind != 0 && fault.Kind != wire.MessageTemplate {
			t.Fatal(fault)
		}
		if i := n - 5; i%3 == 1 && len(got) != len(unnumbered) || i%3 != 1 && (len(got) != len(frame) || got[wire.BlockAt] != byte(n)) {
			t.Errorf("number %d is %x, %v", n, got, m.Header)
		}
	}
}

// Who does not read is shown out after a quarter of a second, or as soon as a mebibyte waits; what he has half of comes to its end (W-48).
func TestSlowReader(t *testing.T) {
	for _, much := range []bool{false, true} {
		w := newWorld(t)
		w.run(in)
		p := w.at
		l := p.link
		w.batch = []byte{}
		w.do([]string{"order", "1"})
		w.do([]string{"order", "2"})
		two := w.batch
		w.batch = nil
		l.Filled(copy(l.Room(), two), w.now)
		w.settle()
		if got := len(l.Unsent()); got != 2*112 {
			t.Fatalf("%d bytes wait", got)
		}
		l.Sent(40, w.now) // less than one report
		if much {
			for i := 0; i < 10_000 && l.Established(); i++ {
				l.deliver(bytes.Repeat([]byte{0, 0, 0, 112, 0xeb, 0x50}, 19)[:112], 1, w.now)
			}
		} else {
			w.now += stallTime - 1
			l.Advance(w.now)
			if !l.Established() {
				t.Fatal("shown out too early")
			}
			w.now++
			l.Advance(w.now)
		}
		rest := l.Unsent()
		if len(rest) < 112-40 {
			t.Fatalf("%d bytes are left", len(rest))
		}
		m, fault := wire.Open(rest[112-40:])
		if fault.Kind != 0 || m.Template != gen.TemplateTerminate || !strings.HasPrefix(string(m.Data), "125") {
			t.Errorf("after the report come %x", rest[112-40:])
		}
		w.settle()
		if w.core.sessions[1].bound {
			t.Error("the core has it bound still")
		}
		w.now += stallTime
		l.Advance(w.now)
		if !l.Over() || !l.Done() {
			t.Error("it is not over")
		}
	}
}

// Who asks for reports again and again and reads nothing costs no more memory than who reads nothing.
func TestGreedyReader(t *testing.T) {
	w := newWorld(t)
	w.roster.terms.Retain = 1 << 16
	w.run(in)
	for i := range 40 {
		w.run(fmt.Sprintf("order %d", i+1))
	}
	a := w.at
	w.batch = []byte{}
	for range 300 {
		w.do([]string{"retransmit", "10", "30"})
	}
	asks := w.batch
	w.batch = nil
	for range 3 {
		n := copy(a.link.Room(), asks)
		a.link.Filled(n, w.now)
	}
	if got := len(a.link.Unsent()); got > outMax+(64<<10) || a.link.Established() {
		t.Errorf("%d bytes wait, established %v", got, a.link.Established())
	}
}

// A session that was lost is unbound, and when its grace is over the core is told so, unless it was bound again (W-42).
func TestGrace(t *testing.T) {
	asked := func(w *world) (kinds string) {
		for _, r := range w.core.log {
			if r.Kind.AboutSession() {
				kinds += r.Kind.String() + " "
			}
		}
		return kinds
	}
	w := newWorld(t)
	w.run("connect a\nnegotiate window=500\nestablish\nclose\nwait 490ms")
	if got := asked(w); got != "Negotiate Bind Unbind " {
		t.Fatal(got)
	}
	w.run("wait 20ms")
	if got := asked(w); got != "Negotiate Bind Unbind EndGrace " {
		t.Fatal(got)
	}
	w = newWorld(t)
	w.run("connect a\nnegotiate window=500\nestablish\nclose\nwait 490ms\nconnect b\nestablish\nwait 1s")
	if got := asked(w); got != "Negotiate Bind Unbind Bind " {
		t.Error(got)
	}
}

// A connection that is lost while another one takes its session over does not end the new one: its end would come behind the new beginning.
// Where the core refuses that, the session has no connection.
func TestLostWhileTakenOver(t *testing.T) {
	for _, refused := range []bool{false, true} {
		w := newWorld(t)
		w.run(in)
		a := w.at
		w.dial("b")
		b := w.at
		w.batch = []byte{}
		w.do([]string{"establish", "takeover=1"})
		b.link.Filled(copy(b.link.Room(), w.batch), w.now)
		w.batch = nil
		if refused {
			w.core.refuses = msg.RejectStaleSendingTime
		}
		a.shut = true
		a.link.Lost(w.now) // the core has not taken the Bind yet
		w.settle()
		w.wait(20 * fixed.Millisecond)
		if got := w.core.sessions[1].bound; got == refused {
			t.Errorf("refused %v: bound %v", refused, got)
		}
		if !refused {
			w.at = b
			if got := w.run("sequence 1\norder 1"); !strings.HasSuffix(got, "b 1 OrderAccepted 101") {
				t.Errorf("got\n%s", got)
			}
		}
	}
}

// A connection that is gone before the core has bound it leaves a binding that nobody has, which ends; but not where another one binds the
// session meanwhile.
func TestGoneBeforeBound(t *testing.T) {
	for _, again := range []bool{false, true} {
		w := newWorld(t)
		w.run("connect a\nnegotiate")
		a := w.at
		w.batch = []byte{}
		w.do([]string{"establish"})
		a.link.Filled(copy(a.link.Room(), w.batch), w.now)
		w.batch = nil
		a.shut = true
		a.link.Lost(w.now)
		w.answer() // it is bound, and nobody is there
		if again {
			w.dial("b")
			w.batch = []byte{}
			w.do([]string{"establish", "takeover=1"})
			w.at.link.Filled(copy(w.at.link.Room(), w.batch), w.now)
			w.batch = nil
		}
		w.wait(20 * fixed.Millisecond)
		if got := w.core.sessions[1].bound; got != again {
			t.Errorf("bound again %v: bound %v", again, got)
		}
	}
}

// What a connection says after another one has asked for its session does not come behind the Bind: the numbers would be others than those that
// the Bind has told.
func TestSaidWhileTakenOver(t *testing.T) {
	for _, c := range []struct {
		says string
		lost bool
	}{{"order 2", false}, {"sequence 9", false}, {"sequence 9", true}} {
		w := newWorld(t)
		w.run(in + "order 1")
		a := w.at
		w.dial("b")
		b := w.at
		w.batch = []byte{}
		w.do([]string{"establish", "takeover=1"})
		hello := w.batch
		w.batch = []byte{}
		w.do(strings.Fields(c.says))
		late := w.batch
		w.batch = nil
		b.link.Filled(copy(b.link.Room(), hello), w.now)
		a.link.Filled(copy(a.link.Room(), late), w.now)
		if c.lost {
			a.shut = true
			a.link.Lost(w.now)
		}
		w.settle()
		w.wait(20 * fixed.Millisecond)
		w.at = b
		if got := w.run("sequence 2\norder 2"); !strings.HasSuffix(got, "b 2 OrderAccepted 102") {
			t.Errorf("%s: got\n%s", c.says, got)
		}
		if s := w.core.sessions[1]; s.client != 3 || b.link.row.client != 3 || !s.bound {
			t.Errorf("%s: the core expects %d, bound %v, the gateway says %d", c.says, s.client, s.bound, b.link.row.client)
		}
	}
}

// A full lane stops the reading of who filled it, and of nobody else; nothing that was read is lost (W-49).
func TestFullLane(t *testing.T) {
	w := newWorld(t)
	w.run(in + "connect b\nnegotiate id=DEF key=5\nestablish id=DEF key=5\nsequence 1")
	a, b := w.peers["a"], w.peers["b"]
	if a.link.row.lane == b.link.row.lane {
		t.Fatal("two sessions share a lane although there are two")
	}
	said := func(p *peer, n int) []byte {
		w.at, w.batch = p, []byte{}
		for i := range n {
			w.do([]string{"order", fmt.Sprint(i + 1)})
		}
		s := w.batch
		w.batch = nil
		return s
	}
	all := said(a, 19)
	room := a.link.Room()
	a.link.Filled(copy(room, all), w.now)
	if !a.link.Blocked() {
		t.Fatal("nineteen orders fit in a lane of sixteen")
	}
	b.send(said(b, 3))
	a.hear()
	if got := strings.Count(strings.Join(w.lines, "\n"), "OrderAccepted"); got != 3+19 {
		t.Errorf("%d orders accepted:\n%s", got, strings.Join(w.lines, "\n"))
	}
}

// Of who is shown out while the lane is full no more is read than there is room for: to ask for no bytes at all would be answered at once, again and
// again.
func TestShownOutAtAFullLane(t *testing.T) {
	w := newWorld(t)
	w.run(in)
	a := w.at
	w.batch = []byte{}
	for i := range 17 {
		w.do([]string{"order", fmt.Sprint(i + 1)})
	}
	orders := w.batch
	w.batch = nil
	a.link.Filled(copy(a.link.Room(), orders[:16*64]), w.now)
	a.link.Filled(copy(a.link.Room(), orders[:64]), w.now) // its number was said before
	if a.link.state != closing || len(a.link.owed) != 1 || a.link.Blocked() {
		t.Fatalf("state %d, %d owed, blocked %v", a.link.state, len(a.link.owed), a.link.Blocked())
	}
	for n := 0; !a.link.Blocked(); n++ {
		room := a.link.Room()
		if len(room) == 0 {
			t.Fatalf("there is room for %d orders and no more", n)
		}
		a.link.Filled(copy(room, orders[:64]), w.now)
	}
	w.answer()
	if w.settle(); a.link.Blocked() || w.core.sessions[1].bound {
		t.Error("it waits although the lane has room")
	}
}

// Who finds the lane full when he logs on is let in when there is room, before the messages of who has filled it.
func TestLogonAtAFullLane(t *testing.T) {
	w := newWorld(t)
	w.run(in)
	a := w.at
	w.run("connect b\nnegotiate id=DEF key=5") // takes the other lane
	w.dial("c")
	c := w.at
	w.batch = []byte{}
	w.do([]string{"negotiate", "id=GHI", "key=6"})
	hello := w.batch
	w.at, w.batch = a, []byte{}
	for i := range 30 {
		w.do([]string{"order", fmt.Sprint(i + 1)})
	}
	orders := w.batch
	w.batch, w.lines = nil, nil
	a.link.Filled(copy(a.link.Room(), orders), w.now)
	c.link.Filled(copy(c.link.Room(), hello), w.now)
	if c.link.row.lane != a.link.row.lane || !a.link.Blocked() || len(c.link.owed) != 1 {
		t.Fatal("the lane is not full, or not shared")
	}
	w.answer()
	a.link.Advance(w.now)
	if got := a.link.row.client; got != 17 {
		t.Errorf("%d messages came before the logon that waited", got-17)
	}
	for range 3 {
		w.settle()
	}
	c.hear()
	a.hear()
	if got := strings.Join(w.lines, "\n"); !strings.Contains(got, "c NegotiationResponse") || strings.Count(got, "OrderAccepted") != 30 || c.link.row.lane.urgent.Load() != 0 {
		t.Errorf("got\n%s", got)
	}
}

// What a stranger can do before he has logged on is little: short frames only, and no more memory than his buffer.
func TestStrangers(t *testing.T) {
	w := newWorld(t)
	w.run("connect a")
	if got := len(w.at.link.Room()); got > 1<<10 {
		t.Errorf("%d bytes of a stranger are read ahead", got)
	}
	long, _ := wire.AppendFrame(nil, gen.Header{Block: strangerFrame - wire.BlockAt + 1, Template: gen.TemplateNegotiate, Schema: gen.SchemaSession})
	w.at.send(long)
	if got := strings.Join(w.lines, "\n"); got != "a closed" {
		t.Errorf("to a long frame the venue says %q", got)
	}
}

// A decoded order costs no memory, and neither does its report.
func TestNoAllocations(t *testing.T) {
	w := newWorld(t)
	w.roster.terms.Rates = Rates{Orders: Rate{1 << 30, 1 << 30}}
	w.roster.terms.Rates.complete()
	w.core.log = nil
	w.run(in)
	frame := w.frame(w.at, "order", words{}, func(int) uint64 { return 1 })
	order := gen.AsNewOrder(frame[wire.BlockAt:])
	l := w.at.link
	n := uint32(0)
	allocs := testing.AllocsPerRun(2000, func() {
		n++
		order.SetSeqNum(n)
		l.Filled(copy(l.Room(), frame), w.now)
		w.answer()
		l.Sent(len(l.Unsent()), w.now)
		w.core.log = w.core.log[:0]
	})
	if allocs > 0 {
		t.Errorf("%v allocations an order", allocs)
	}
	if got := l.row.tail.next; got != uint64(n)+1 {
		t.Fatalf("next is %d after %d orders", got, n)
	}
}
