package gateway

import (
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/lockstep-exchange/lockstep/msg"
	"github.com/lockstep-exchange/lockstep/tape/feed"
	"github.com/lockstep-exchange/lockstep/wire"
	"github.com/lockstep-exchange/lockstep/wire/gen"
)

// ticker is a channel whose records are numbers: that of each stands in it. Instrument 1 is listed.
type ticker struct {
	first, next uint64
	tape        *feed.Tape
}

// newTicker has kept the records first..next-1.
func newTicker(first, next uint64) *ticker {
	k := &ticker{first, next, feed.New(feed.Limits{Instruments: 1, Orders: 1})}
	c := msg.List(1, msg.Listing{Type: msg.Perpetual, TickLot: 1})
	k.tape.Append(nil, []msg.Event{{Kind: msg.InstrumentListed, Seq: 1, Instr: 1, Rare: c.Rare}})
	return k
}

func (k *ticker) Numbers() (first, next uint64) { return k.first, k.next }

func (k *ticker) Records(dst []byte, from uint64, count int) (out []byte, n int, first, next uint64) {
	for ; n < count && from+uint64(n) >= k.first && from+uint64(n) < k.next; n++ {
		h := gen.Header{Block: uint16(len(gen.OrderDelete{})), Template: gen.TemplateOrderDelete, Schema: gen.SchemaMarketData, Version: gen.VersionMarketData}
		var block []byte
		dst = binary.BigEndian.AppendUint16(dst, uint16(gen.HeaderSize)+h.Block)
		dst, block = wire.AppendRecord(dst, h)
		gen.AsOrderDelete(block).SetOrderID(from + uint64(n))
	}
	return dst, n, k.first, k.next
}

func (k *ticker) Snapshot(id msg.InstrumentID, into *feed.Snapshot) bool {
	return k.tape.Take(id, into)
}

// Sessions of kinds 4 and 5: their flows, numbers and limits (W-22, the table of section 4). The channel has kept records 3 to 9.
func TestListeners(t *testing.T) {
	const (
		replay   = "connect a\nnegotiate kind=4\nestablish kind=4\n"
		replays  = "a NegotiationResponse flow=0 last=0\na EstablishmentAck 10\n"
		snapshot = "connect a\nnegotiate kind=5\nestablish kind=5\nsequence 1\n"
		shots    = "a NegotiationResponse flow=2 last=0\na EstablishmentAck 18446744073709551615\n"
		shot     = "a SnapshotBegin of 1 for 77, next 2\na record 312\na record 311\na record 310\na SnapshotEnd of 0 orders\n"
	)
	for _, c := range []struct{ name, script, want string }{
		{"replay", replay + "retransmit 5 3", replays + "a Retransmission 5+3\na OrderDelete 5\na OrderDelete 6\na OrderDelete 7\na Sequence 10"},
		{"replay by a drop copy's key", "connect a\nnegotiate kind=4 key=4\nestablish kind=4 key=4", replays},
		{"replay with messages of the client", "connect a\nnegotiate kind=4 flow=1", "a NegotiationReject 1 \na closed"},
		{"what was kept no longer", replay + "retransmit 2 3", replays + "a RetransmitReject 0\na Sequence 10"},
		{"past the end", replay + "retransmit 9 2", replays + "a Terminate 2 "},
		{"too much", replay + "retransmit 3 2001", replays + "a RetransmitReject 2\na Sequence 10"},
		{"of an unknown session", replay + "retransmit 3 1 id=DEF", replays + "a RetransmitReject 1\na Sequence 10"},
		{"of an order session", "connect b\nnegotiate id=DEF\n" + replay + "retransmit 3 1 id=DEF", "b NegotiationResponse flow=0 last=0\n" + replays + "a RetransmitReject 1\na Sequence 10"},
		{"live", replay + "publish 2\nwait 10ms", replays + "a OrderDelete 10\na OrderDelete 11"},
		{"too slow", replay + "forget 20\nwait 10ms", replays + "a Terminate 1 125 slow reader"},
		{"heartbeats", replay + "wait 900ms\nheartbeat\nwait 900ms\nheartbeat\nwait 300ms", replays + "a Sequence 10\na Sequence 10"},
		{"silence", replay + "wait 3010ms", replays + "a Sequence 10\na Sequence 10\na Terminate 1 120 idle"},
		{"a sequence where there are no messages", replay + "sequence 1", replays + "a Terminate 1 123 illegal message"},
		{"an order", replay + "order 1", replays + "a Terminate 1 123 illegal message"},
		{"a snapshot of a replay", replay + "snapshot 1 1", replays + "a Terminate 1 123 illegal message"},
		{"back again", replay + "terminate\nclose\nconnect b\nestablish kind=4\nretransmit 3 1",
			replays + "a Terminate 0 \nb EstablishmentAck 10\nb Retransmission 3+1\nb OrderDelete 3\nb Sequence 10"},
		{"lost and back", replay + "close\nconnect b\nestablish kind=4", replays + "b EstablishmentAck 10"},
		{"back as another kind", replay + "close\nconnect b\nestablish kind=5", replays + "b EstablishmentReject 4 \nb closed"},
		{"back with another's key", replay + "close\nconnect b\nestablish kind=4 key=5", replays + "b EstablishmentReject 4 \nb closed"},
		{"established twice", replay + "establish kind=4", replays + "a EstablishmentReject 1 \na Sequence 10"},
		{"revoked", replay + "revoke\nwait 10ms", replays + "a Terminate 1 201 not permitted"},
		{"revoked, of snapshots", snapshot + "revoke\nwait 10ms", shots + "a Terminate 1 201 not permitted"},
		{"two of a key", replay + "connect b\nnegotiate id=DEF kind=4\nestablish id=DEF kind=4", replays + "b NegotiationResponse flow=0 last=0\nb EstablishmentReject 1 \nb closed"},
		{"taken over", replay + "connect b\nnegotiate id=DEF kind=4\nestablish id=DEF kind=4 takeover=1\nwait 10ms",
			replays + "b NegotiationResponse flow=0 last=0\nb EstablishmentAck 10\na Terminate 1 124 taken over"},
		{"an id twice", replay + "connect b\nnegotiate kind=5", replays + "b NegotiationReject 2 \nb closed"},
		{"an id of an order session", "connect a\nnegotiate\nconnect b\nnegotiate kind=4", "a NegotiationResponse flow=0 last=0\nb NegotiationReject 2 \nb closed"},
		{"a logon again", replay + "close\nconnect b\nestablish kind=4 skew=-1ms", replays + "b EstablishmentReject 5 128 clock\nb closed"},

		{"snapshot", snapshot + "snapshot 1 1", shots + shot},
		{"snapshot of what is not listed", snapshot + "snapshot 1 2\nsnapshot 2 1", shots + "a 0 Reject 400 of 1\n" + shot},
		{"two in a second", snapshot + "snapshot 1 1\nsnapshot 2 1\nwait 900ms\nsequence 3\nwait 200ms\nsnapshot 3 1",
			shots + shot + "a 0 Reject 200 of 2\na UnsequencedHeartbeat\n" + shot},
		{"reserved bits", snapshot + "snapshot 1 1 flags=1", shots + "a 0 Reject 103 of 1"},
		{"another number", snapshot + "snapshot 2 1", shots + "a Terminate 1 104 sequence mismatch"},
		{"numbers that are passed over", snapshot + "sequence 9\nsnapshot 9 1", shots + shot},
		{"numbers that are lower", snapshot + "snapshot 1 1\nsequence 1", shots + shot + "a Terminate 1 121 sequence lower"},
		{"before any sequence", "connect a\nnegotiate kind=5\nestablish kind=5\nsnapshot 1 1", shots + "a Terminate 1 122 not sequenced"},
		{"retransmission of snapshots", snapshot + "retransmit 1 1", shots + "a Terminate 1 123 illegal message"},
		{"unsequenced heartbeats", snapshot + "heartbeat", shots + "a Terminate 1 123 illegal message"},
		{"back to snapshots", snapshot + "snapshot 1 1\nclose\nconnect b\nestablish kind=5\nsequence 2\nsnapshot 2 2",
			shots + shot + "b EstablishmentAck 18446744073709551615\nb 0 Reject 400 of 2"},
		{"a snapshot in an order session", in + "snapshot 1 1", welcome + "a Terminate 1 123 illegal message"},
		{"shutdown", replay + "shutdown", replays + "a Terminate 0 129 shutdown"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			k := newTicker(3, 10)
			w.roster.listeners.market = k
			var lines []string
			for step := range strings.Lines(c.script) {
				n := uint64(0)
				switch word := strings.TrimSpace(step); {
				case word == "shutdown":
					w.peers["a"].link.Shutdown(w.now)
					w.lines = nil
					w.peers["a"].hear()
					lines = append(lines, w.lines...)
					continue
				case word == "revoke":
					c := msg.SetKey(msg.KeyChange{Key: firm})
					if err := w.node.Port(3).Send(&c.Request); err != nil {
						t.Fatal(err)
					}
					w.settle()
					continue
				case strings.HasPrefix(word, "publish"):
					fmt.Sscanf(word, "publish %d", &n)
					k.next += n
					continue
				case strings.HasPrefix(word, "forget"):
					fmt.Sscanf(word, "forget %d", &n)
					k.first, k.next = n, n+5
					continue
				}
				if said := w.run(step); said != "" {
					lines = append(lines, said)
				}
			}
			if got, want := trim(strings.Join(lines, "\n")), trim(c.want); got != want {
				t.Errorf("got\n%s\n\nwant\n%s", got, want)
			}
		})
	}
}

// A second Establish in a session of market data is answered for what it says, not for the first (W-16).
func TestListenerEstablishedTwice(t *testing.T) {
	w := newWorld(t)
	w.roster.listeners.market = newTicker(3, 10)
	w.run("connect a\nnegotiate kind=4\nestablish kind=4")
	said := len(w.at.got)
	w.now += 5
	w.run("establish kind=4 id=OTHER")
	m, fault := wire.Open(w.at.got[said : said+int(binary.BigEndian.Uint32(w.at.got[said:]))])
	if fault.Kind != 0 || m.Template != gen.TemplateEstablishmentReject {
		t.Fatalf("it is answered by template %d, %v", m.Template, fault)
	}
	if r := gen.AsEstablishmentReject(m.Block); *r.SessionID() != uuid("OTHER") || r.RequestTimestamp() != w.at.link.request.stamp || r.RequestTimestamp() < uint64(w.now-5) {
		t.Errorf("it is answered for session %x and time %d", *r.SessionID(), r.RequestTimestamp())
	}
}

// FuzzListener: whatever comes in a session of market data, and however it is cut, nothing breaks and the same comes out.
func FuzzListener(f *testing.F) {
	f.Add([]byte{0, 1, 1, 1, 1, 2})
	f.Add([]byte{2, 3, 2, 5, 3, 0, 4, 7})
	f.Add([]byte{0, 1, 5, 9, 1, 1})
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > 100 {
			t.Skip()
		}
		for _, kind := range []string{"4", "5"} {
			var first []string
			var said []byte
			for i, chunk := range []int{0, 1, 7, 64} {
				w := newWorld(t)
				w.roster.listeners.market = newTicker(3, 10)
				w.run("connect a\nnegotiate kind=" + kind + "\nestablish kind=" + kind)
				for at := 0; i == 0 && at+1 < len(data); at += 2 {
					n := uint64(data[at+1])
					step := []string{"sequence", "snapshot", "retransmit", "heartbeat", "terminate", "bytes", "order", "establish"}[data[at]%8]
					said = append(said, w.frame(w.at, step, words{"n": fmt.Sprint(n), "of": fmt.Sprint(n), "kind": kind}, func(i int) uint64 { return n >> (4 * i) & 15 })...)
				}
				w.lines, w.chunk = nil, chunk
				w.at.send(said)
				w.wait(20_000_000)
				if i == 0 {
					first = w.lines
				} else if !slices.Equal(w.lines, first) {
					t.Errorf("kind %s, in pieces of %d bytes:\n%s\n\nat once:\n%s", kind, chunk, strings.Join(w.lines, "\n"), strings.Join(first, "\n"))
				}
			}
		}
	})
}
