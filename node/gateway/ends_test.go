package gateway

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"math/big"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/lockstep-exchange/lockstep/engine"
	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/msg"
)

// What is left of sessions, connections and addresses when they are over, and what may come of it later: nothing.

// The end of a connection that found its lane full is not said once another one has the session, nor is a gap of before.
func TestLateEnd(t *testing.T) {
	for _, gap := range []bool{false, true} {
		w := newWorld(t)
		w.run(in)
		a := w.at
		w.batch = []byte{}
		for i := range 16 {
			w.do([]string{"order", fmt.Sprint(i + 1)})
		}
		orders := w.batch
		w.batch = nil
		a.link.Filled(copy(a.link.Room(), orders), w.now)
		if gap {
			w.batch = []byte{}
			w.do([]string{"sequence", "20"})
			late := w.batch
			w.batch = nil
			a.link.Filled(copy(a.link.Room(), late), w.now)
			a.link.Shutdown(w.now)
		}
		a.shut = true
		a.link.Lost(w.now)
		if len(a.link.owed) == 0 {
			t.Fatal("the lane is not full")
		}
		w.answer()
		w.dial("b")
		b := w.at
		w.run("establish takeover=1")
		a.link.Advance(w.now)
		w.settle()
		if !w.core.sessions[1].bound || a.link.lane != nil || len(a.link.owed) != 0 || b.link.row.lane.urgent.Load() != 0 {
			t.Errorf("gap %v: the core has the session bound %v, %d are owed", gap, w.core.sessions[1].bound, len(a.link.owed))
		}
		if got := w.run("sequence 17\norder 17"); !strings.Contains(got, "b 17 OrderAccepted") {
			t.Errorf("gap %v: got\n%s", gap, got)
		}
	}
}

// A session whose row another one has is not found any more, by nobody, and takes no memory.
func TestRowOfAnother(t *testing.T) {
	w := newWorld(t)
	w.run("connect a\nnegotiate id=OLD key=4 kind=3\nestablish id=OLD key=4 kind=3\nclose")
	old := w.at.link.row
	for i := range 6 {
		w.run(fmt.Sprintf("connect x\nnegotiate id=N%d key=5", i))
	}
	w.now += fixed.Day + 20*fixed.Second
	if got := w.run("connect b\nnegotiate id=NEW key=4 kind=3"); !strings.HasPrefix(got, "b NegotiationResponse") || w.at.link.row.id != old.id {
		t.Fatalf("the row is not used again: %s", got)
	}
	if len(w.roster.copies) != 1 || w.roster.copies[0] != w.at.link.row || len(w.roster.byID) != 7 {
		t.Errorf("%d drop copies are told, %d ids are known", len(w.roster.copies), len(w.roster.byID))
	}
	if got := w.run("connect c\nestablish id=OLD key=4 kind=3"); !strings.HasPrefix(got, "c EstablishmentReject 0") {
		t.Errorf("who comes back hears %s", got)
	}
}

// A session that the core ends, for its key was revoked, is told so.
func TestRevoked(t *testing.T) {
	w := newWorld(t)
	w.run(in)
	w.lines = nil
	w.roster.Hear(&msg.Event{Kind: msg.SessionFinalized, Session: 1}, w.now)
	w.settle()
	w.at.hear()
	if got := strings.Join(w.lines, "\n"); got != "a Terminate 1 201 not permitted" {
		t.Errorf("got\n%s", got)
	}
}

// Who listens has nothing to wait for.
func TestListenerIsAnswered(t *testing.T) {
	w := newWorld(t)
	w.roster.listeners.market = newTicker(3, 10)
	w.run("connect a\nnegotiate kind=4\nestablish kind=4")
	if !w.at.link.Established() || !w.at.link.answered() {
		t.Error("the link waits for an answer")
	}
}

// Asking for what is not there does not get a key another snapshot of what is.
func TestSnapshotsOfNothing(t *testing.T) {
	w := newWorld(t)
	for id := range msg.InstrumentID(2 * listenersMax) {
		w.roster.due(firm, 1+id, w.now)
	}
	if w.roster.due(firm, 1, w.now) == 0 || len(w.roster.listeners.asked) != listenersMax {
		t.Errorf("another snapshot is due at once, of %d that are remembered", len(w.roster.listeners.asked))
	}
	if wait := w.roster.due(firm, 2*listenersMax, w.now+snapshotEvery); wait != 0 {
		t.Errorf("a second later it takes %d ns more", wait)
	}
}

// However many sessions a key begins and ends, others have rows for theirs.
func TestSessionsOfOneKey(t *testing.T) {
	w := newWorld(t)
	var day strings.Builder
	for i := range 3 * len(w.roster.rows) {
		fmt.Fprintf(&day, "connect a%d\nnegotiate id=S%d\nestablish id=S%d\nfinished-sending 0\nfinished-receiving\nterminate\nclose\n", i, i, i)
		w.run(day.String())
		day.Reset()
	}
	if got := w.run("connect b\nnegotiate id=DEF key=5"); !strings.Contains(got, "b NegotiationResponse") {
		t.Errorf("another key: got\n%s", got)
	}
	used := 0
	for i := range w.roster.rows {
		if w.roster.rows[i].Load() != nil {
			used++
		}
	}
	if used != 2 {
		t.Errorf("two keys that have a session each hold %d rows", used)
	}
}

// Addresses whose failures are a minute old are forgotten; those that are refused are not.
func TestForgive(t *testing.T) {
	one, two := placeOf(netip.MustParseAddr("192.0.2.1")), placeOf(netip.MustParseAddr("192.0.2.2"))
	g := &Gateway{failures: map[place]failures{one: {epoch, 1}, two: {epoch + failuresTime/2, 5}}}
	g.forgive(epoch + failuresTime)
	if _, refused := g.failures[two]; len(g.failures) != 1 || !refused {
		t.Errorf("%v are remembered", g.failures)
	}
}

// A replay for who asks for old reports does not hold up the end of the gateway.
func TestRecallEnds(t *testing.T) {
	quit := make(chan struct{})
	close(quit)
	w := newWorld(t)
	w.run(in)
	done := make(chan error, 1)
	go func() { done <- w.roster.Recall(&Journal{}, engine.Limits{}, w.at.link.row, 1, quit) }()
	select {
	case err := <-done:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(10 * time.Second):
		t.Error("it goes on")
	}
}

// A client of TLS that takes nothing any more does not hold up who closes its connection.
func TestClosedAtOnce(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	w := newWorld(t)
	g := &Gateway{roster: w.roster, clock: func() fixed.Nanos { return w.now }, logons: make(chan struct{}, 1), shaking: map[place]int{{}: 1}}
	here, there := net.Pipe()
	defer there.Close()
	c := newConn(g, here, &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}, SessionTicketsDisabled: true}, placeOf(addressOf(here)), w.now)
	g.work.Go(c.run)
	if err := tls.Client(there, &tls.Config{InsecureSkipVerify: true}).Handshake(); err != nil {
		t.Fatal(err)
	}
	begun := time.Now()
	c.attend(w.now + helloTime)
	for !c.closed.Load() && time.Since(begun) < 100*time.Millisecond { // its last word has no room
		time.Sleep(time.Millisecond)
	}
	c.attend(w.now + helloTime + 3*fixed.Nanos(lingerTime))
	if took := time.Since(begun); took > 2*time.Second {
		t.Errorf("it took %v", took)
	}
	g.work.Wait()
}

// A drop copy is of all accounts of its owner: a key of one of them has none, neither a new one nor one of before.
func TestDropCopyOfOneAccount(t *testing.T) {
	w := newWorld(t)
	w.run("connect a\nnegotiate key=4 kind=3\nestablish key=4 kind=3\nclose")
	w.roster.keys.mu.Lock()
	k := w.roster.keys.byID[copier]
	k.Account = 3
	w.roster.keys.byID[copier] = k
	w.roster.keys.mu.Unlock()
	if got := w.run("connect b\nnegotiate id=DEF key=4 kind=3"); got != "b NegotiationReject 0 \nb closed" {
		t.Errorf("a new one: %s", got)
	}
	if got := w.run("connect c\nestablish key=4 kind=3"); got != "c EstablishmentReject 4 \nc closed" {
		t.Errorf("one of before: %s", got)
	}
}
