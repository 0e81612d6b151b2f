package gateway

import (
	"crypto/ed25519"
	"math/rand/v2"
	"testing"

	"github.com/lockstep-exchange/lockstep/client"
	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/msg"
	"github.com/lockstep-exchange/lockstep/wire/gen"
)

// trader is the SDK's session on a link of the world. What it sends and hears goes over in pieces that chance cuts, and the line may
// break behind any of them.
type trader struct {
	*world
	dice    *rand.Rand
	session *client.Session
	link    *Link
	known   map[msg.Ref]string
	sent    []msg.Ref
}

func newTrader(t *testing.T, seed uint64) *trader {
	dice := rand.New(rand.NewPCG(seed, 1))
	s, err := client.NewSession(client.Config{Key: client.Key{ID: firm, Private: private(firm)}, Venue: private(1).Public().(ed25519.PublicKey), Shard: 9,
		Pending: 64, Orders: 64, Random: func(b []byte) {
			for i := range b {
				b[i] = byte(dice.Uint32())
			}
		}})
	if err != nil {
		t.Fatal(err)
	}
	return &trader{world: newWorld(t), dice: dice, session: s, known: map[msg.Ref]string{}}
}

// drain takes what the session has learned; of each request it learns once.
func (tr *trader) drain() {
	for e := tr.session.Next(); e != nil; e = tr.session.Next() {
		ref, what := e.Request.Ref, "answered"
		if e.Kind == client.NotApplied {
			what = "not applied"
		}
		if ref == 0 {
			continue
		}
		if tr.known[ref] != "" {
			tr.t.Fatalf("request %d is %s, and then %s", ref, tr.known[ref], what)
		}
		tr.known[ref] = what
	}
}

// lose breaks the line.
func (tr *trader) lose() {
	tr.drain()
	tr.link.Lost(tr.now)
	tr.settle()
	tr.session.Disconnected(tr.now)
	tr.drain()
	tr.link = nil
}

// carry moves bytes until nobody has any, on new lines where the last one is broken. With cut lines break now and then, and not
// all is moved.
func (tr *trader) carry(cut bool) {
	piece := func(b []byte) []byte {
		if cut {
			return b[:tr.dice.IntN(len(b)+1)]
		}
		return b
	}
	for range 200 {
		tr.now += fixed.Millisecond
		if tr.link == nil {
			if tr.session.Over() {
				tr.t.Fatal(tr.session.Err())
			}
			tr.now += 10 * fixed.Millisecond
			tr.link = tr.roster.NewLink(tr.now)
			tr.session.Connected(tr.now)
		}
		said, heard := 0, 0
		if !tr.link.Over() {
			said = copy(tr.link.Room(), piece(tr.session.Output()))
			tr.link.Filled(said, tr.now)
			tr.session.Wrote(said)
		}
		tr.settle()
		heard = copy(tr.session.Room(), piece(tr.link.Unsent()))
		tr.session.Received(heard, tr.now)
		tr.link.Sent(heard, tr.now)
		tr.drain()
		switch silent := len(tr.session.Output())+len(tr.link.Unsent()) == 0; {
		case cut && tr.dice.IntN(6) == 0, tr.session.Closing() && len(tr.session.Output()) == 0, tr.link.Over() && len(tr.link.Unsent()) == 0:
			tr.lose()
		case said+heard == 0 && silent:
			return
		}
	}
	if !cut {
		tr.t.Fatal("the session and the gateway do not come to rest")
	}
}

// The SDK and the gateway, neither of which knows the other's code, hold one protocol: however lines break, each request is answered or
// known never to have come, and the core has had it once or never.
func TestClientOnBreakingLines(t *testing.T) {
	rounds := uint64(100)
	if testing.Short() {
		rounds = 40
	}
	missed := 0
	for seed := range rounds {
		tr := newTrader(t, seed)
		for range 30 {
			for range tr.dice.IntN(6) {
				ref, err := tr.session.Place(&client.NewOrder{Account: 1, Instrument: 1, Side: gen.SideBuy, Price: 5, Qty: 1}, tr.now)
				if tr.dice.IntN(3) == 0 {
					tr.session.MassCancel(&client.MassCancel{Account: 1}, tr.now)
				}
				if err == nil {
					tr.sent = append(tr.sent, ref)
				}
			}
			tr.carry(tr.dice.IntN(3) > 0)
		}
		tr.carry(false)
		if tr.session.Recovering() || tr.session.Unanswered() != 0 {
			t.Fatalf("seed %d: %d requests are not known", seed, tr.session.Unanswered())
		}
		came := map[msg.Ref]int{}
		for i := range tr.core.log {
			if r := &tr.core.log[i]; r.Session != 0 {
				came[r.Ref]++
			}
		}
		for _, ref := range tr.sent {
			want := "answered"
			if came[ref] == 0 {
				want = "not applied"
				missed++
			}
			if came[ref] > 1 || tr.known[ref] != want {
				t.Fatalf("seed %d: request %d came %d times and is known as %q", seed, ref, came[ref], tr.known[ref])
			}
		}
	}
	if missed == 0 {
		t.Error("no request was lost on the way: the lines do not break")
	}
}
