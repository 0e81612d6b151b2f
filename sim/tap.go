package sim

import (
	"encoding/binary"
	"strings"

	"github.com/lockstep-exchange/lockstep/msg"
	"github.com/lockstep-exchange/lockstep/wire"
	"github.com/lockstep-exchange/lockstep/wire/gen"
)

// tap reads what the venue says on one connection, byte for byte as it leaves, and holds it to what the sequence says of the session
// (notary). It numbers reports by their place alone, as a client does:
//
//	EstablishmentAck n          the next live report is number n
//	Retransmission n, count     the count frames that follow are n, n+1, ...; then live ones again
//	Sequence n                  the next live report is number n, which has to be so already
type tap struct {
	world *world
	life  int
	rest  []byte // of a frame that is not whole yet
	flow  *flow  // of the session; nil before it is bound
	live  uint64
	again *flow  // whose reports come again
	at    uint64 // the number of the next of them
	left  int    // how many are to come
}

// read reads bytes.
func (t *tap) read(b []byte) {
	t.rest = append(t.rest, b...)
	for t.world.finding == nil {
		size, fault := wire.NextFrame(t.rest, wire.MaxOutbound)
		if fault.Kind != 0 {
			t.world.find("frames", "the venue says %x: %v", t.rest, fault)
		}
		if size == 0 {
			return
		}
		t.frame(t.rest[:size])
		t.rest = t.rest[:copy(t.rest, t.rest[size:])]
	}
}

// frame reads one frame.
func (t *tap) frame(frame []byte) {
	w := t.world
	m, fault := wire.Open(frame)
	if fault.Kind != 0 {
		w.find("frames", "the venue says %x: %v", frame, fault)
		return
	}
	if m.Schema == gen.SchemaOrderEntry || m.Template == gen.TemplateNotApplied {
		t.report(&m, frame)
		return
	}
	switch m.Template {
	case gen.TemplateEstablishmentAck:
		a := gen.AsEstablishmentAck(m.Block)
		t.flow = w.notary.flows[*a.SessionID()]
		if t.flow == nil {
			w.find("recoverable flow", "session %x is bound and was never negotiated", *a.SessionID())
			return
		}
		t.live = a.NextSeqNo()
		t.flow.promise(w, t.live)
		t.alone()
	case gen.TemplateSequence:
		next := gen.AsSequence(m.Block).NextSeqNo()
		if t.flow == nil || next != t.live || t.left > 0 {
			w.find("recoverable flow", "the venue says that report %d is next, expected %d, and %d were to come again", next, t.live, t.left)
		}
	case gen.TemplateTerminate:
		for code, s := range map[string]sometimes{"120": idleClient, "124": shownOut, "125": slowCut, "126": flawed, "127": flooded} {
			w.note(s, strings.HasPrefix(string(m.Data), code))
		}
	case gen.TemplateRetransmission:
		r := gen.AsRetransmission(m.Block)
		t.again, t.at, t.left = w.notary.flows[*r.SessionID()], r.NextSeqNo(), int(r.Count())
		w.reached[sentAgain]++
		if t.again == nil || t.again.key != t.flow.key {
			w.find("recoverable flow", "reports of session %x are sent to another key", *r.SessionID())
		}
	}
}

// alone holds the venue to one binding: whoever had the session, or another of its key and kind, is shown out by now (W-16).
func (t *tap) alone() {
	for _, l := range t.world.lines {
		if f := l.tap.flow; &l.tap != t && f != nil && l.link != nil && f.key == t.flow.key && f.kind == t.flow.kind && l.link.Established() {
			t.world.find("protocol", "session %d is bound, and session %d of the same key and kind is so too", t.flow.row, f.row)
		}
	}
}

// report reads a frame that has a number.
func (t *tap) report(m *wire.Message, frame []byte) {
	w, f, number := t.world, t.flow, t.live
	if f == nil {
		w.find("recoverable flow", "a report before the session is bound: %x", frame)
		return
	}
	if t.left > 0 {
		f, number = t.again, t.at
		t.at++
		t.left--
	} else {
		t.live++
	}
	if m.Schema == gen.SchemaOrderEntry {
		if said := binary.LittleEndian.Uint64(m.Block); said != number {
			w.find("recoverable flow", "report %d says that it is number %d", number, said)
		}
		seq := msg.Seq(binary.LittleEndian.Uint64(m.Block[32:]))
		if m.Template == gen.TemplateMassQuoteAck {
			seq = msg.Seq(gen.AsMassQuoteAck(m.Block).EngineSeq())
		}
		if seq > w.shard.durable {
			w.find("release", "report %d of command %d is sent, and %d is durable", number, seq, w.shard.durable)
		}
	}
	f.tell(w, number, digestOfBytes(frame))
}
