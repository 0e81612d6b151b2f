package capture

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/lockstep-exchange/lockstep/wire"
	"github.com/lockstep-exchange/lockstep/wire/gen"
)

// From recorded bytes to messages, whatever the bytes were recorded in.
//
//	raw      frames one after another, or one datagram
//	hex      the same as hexadecimal digits; # begins a remark, an empty line ends one recording and begins another
//	capture  pcap or pcapng: TCP flows of frames, UDP datagrams of the feed

// Found is one message of a recording, or something else that was said on the way.
type Found struct {
	Time   time.Time // of the packet that ended it; zero outside of captures
	Flow   Flow      // zero outside of captures
	Offset int64     // of its frame or record: in the file, the flow or the datagram
	Number uint64    // of a record of the feed; 0 for frames
	Body   []byte    // the message from its SBE header on; nil where there is none
	Note   string    // where Body is nil: heartbeat, end of session, request
	Fault  error     // what is wrong with it
}

// Direction is who speaks.
type Direction uint8

const (
	Both Direction = iota
	In             // client to venue
	Out            // venue to client
)

// DirectionOf is who sends a message; Both where either may.
func DirectionOf(h gen.Header) Direction {
	switch h.Schema {
	case gen.SchemaOrderEntry:
		if h.Template < gen.TemplateOrderAccepted {
			return In
		}
		return Out
	case gen.SchemaMarketData:
		if h.Template == gen.TemplateSnapshotRequest {
			return In
		}
		return Out
	case gen.SchemaSession:
		switch h.Template {
		case gen.TemplateNegotiate, gen.TemplateEstablish, gen.TemplateRetransmitRequest:
			return In
		case gen.TemplateNegotiationResponse, gen.TemplateNegotiationReject, gen.TemplateEstablishmentAck, gen.TemplateEstablishmentReject,
			gen.TemplateRetransmission, gen.TemplateRetransmitReject, gen.TemplateApplied, gen.TemplateNotApplied:
			return Out
		}
	}
	return Both
}

// frames is one flow of frames on its way.
type frames struct {
	stream *wire.Stream
	broken bool
	see    func(*Found) error
}

func newFrames(limit int, see func(*Found) error) *frames {
	return &frames{stream: wire.NewStream(2*limit, limit), see: see}
}

// add shows every frame that is now whole. A fault of the framing ends the flow.
func (f *frames) add(b []byte, like Found) error {
	for len(b) > 0 && !f.broken {
		n := copy(f.stream.Room(), b)
		f.stream.Filled(n)
		b = b[n:]
		for {
			found := like
			found.Offset = f.stream.Passed()
			frame, fault := f.stream.Next()
			if fault.Kind != 0 {
				f.broken = true
				fault.Offset += int(found.Offset)
				found.Fault = fault
				if err := f.see(&found); err != nil {
					return err
				}
			}
			if frame == nil {
				break
			}
			if err := f.show(frame, &found); err != nil {
				return err
			}
		}
	}
	return nil
}

// show shows one frame; a message that cannot be opened is a fault, and the next frame goes on.
func (f *frames) show(frame []byte, found *Found) error {
	found.Body = frame[wire.MessageAt:]
	if _, fault := wire.Open(frame); fault.Kind != 0 {
		fault.Offset += int(found.Offset)
		found.Fault = fault
	}
	return f.see(found)
}

// end tells of a frame that was never completed.
func (f *frames) end(like Found) error {
	if f.broken || f.stream.Waiting() == 0 {
		return nil
	}
	like.Offset = f.stream.Passed()
	like.Fault = wire.Fault{Kind: wire.FrameCut, Offset: int(like.Offset), Got: f.stream.Waiting()}
	return f.see(&like)
}

// ReadRaw shows the messages of one recording: frames, or a datagram where it does not begin with a frame.
func ReadRaw(in io.Reader, limit int, see func(*Found) error) error {
	f := newFrames(limit, see)
	b := make([]byte, 1<<16)
	for first := true; ; first = false {
		n, err := io.ReadFull(in, b)
		if first && n > 0 && !framed(b[:n]) && n <= wire.MaxOutbound && err != nil {
			return showDatagram(b[:n], wire.MaxOutbound, Found{}, see)
		}
		if err := f.add(b[:n], Found{}); err != nil {
			return err
		}
		switch {
		case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
			return f.end(Found{})
		case err != nil:
			return err
		}
	}
}

// framed reports whether bytes begin with the head of a frame, as far as they go.
func framed(b []byte) bool {
	return len(b) < wire.FrameHead || binary.BigEndian.Uint16(b[4:]) == wire.Encoding
}

// ReadHex is ReadRaw for hexadecimal digits: one recording after another, parted by empty lines. Offsets count from the start
// of each.
func ReadHex(in io.Reader, limit int, see func(*Found) error) error {
	text, err := io.ReadAll(in)
	if err != nil {
		return err
	}
	var digits []byte
	flush := func(line int) error {
		if len(digits) == 0 {
			return nil
		}
		b := make([]byte, hex.DecodedLen(len(digits)))
		if _, err := hex.Decode(b, digits); err != nil {
			return fmt.Errorf("line %d: an odd number of hexadecimal digits before here", line)
		}
		digits = digits[:0]
		return ReadRaw(bytes.NewReader(b), limit, see)
	}
	n := 0
	for line := range bytes.Lines(text) {
		n++
		code, _, remark := bytes.Cut(line, []byte("#"))
		code = bytes.TrimSpace(code)
		if len(code) == 0 && !remark {
			if err := flush(n); err != nil {
				return err
			}
		}
		for _, c := range code {
			switch {
			case c == ' ' || c == '\t':
			case c >= '0' && c <= '9' || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F':
				digits = append(digits, c)
			default:
				return fmt.Errorf("line %d: %q is no hexadecimal digit", n, c)
			}
		}
	}
	return flush(n)
}

// ReadCapture shows the messages of a capture. port, where it is not 0, has to be that of one end. skipped is how many
// packets were neither TCP nor UDP in one piece.
func ReadCapture(in io.Reader, port uint16, see func(*Found) error) (skipped int, err error) {
	r, err := NewReader(in)
	if err != nil {
		return 0, err
	}
	a, flows := NewAssembler(), map[Flow]*frames{}
	var order []Flow
	for {
		p, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return r.Skipped, err
		}
		if port != 0 && p.Flow.From.Port() != port && p.Flow.To.Port() != port {
			continue
		}
		like := Found{Time: p.Time, Flow: p.Flow}
		if !p.TCP {
			if err := showDatagram(p.Payload, wire.MaxOutbound, like, see); err != nil {
				return r.Skipped, err
			}
			continue
		}
		b, fresh, gap := a.Add(p)
		if fresh || flows[p.Flow] == nil {
			flows[p.Flow] = newFrames(wire.MaxOutbound, see)
			order = append(order, p.Flow)
		}
		if err := flows[p.Flow].add(b, like); err != nil {
			return r.Skipped, err
		}
		if gap != nil {
			like.Offset, like.Fault = flows[p.Flow].stream.Passed(), gap
			flows[p.Flow] = newFrames(wire.MaxOutbound, see)
			if err := see(&like); err != nil {
				return r.Skipped, err
			}
		}
	}
	for _, gap := range a.Rest() {
		if err := see(&Found{Flow: gap.Flow, Offset: flows[gap.Flow].stream.Passed(), Fault: gap}); err != nil {
			return r.Skipped, err
		}
	}
	for _, flow := range order {
		if f := flows[flow]; f != nil {
			delete(flows, flow)
			if err := f.end(Found{Flow: flow}); err != nil {
				return r.Skipped, err
			}
		}
	}
	return r.Skipped, nil
}

// showDatagram shows what a datagram of the feed holds, or that it is a request for some of it.
func showDatagram(b []byte, limit int, like Found, see func(*Found) error) error {
	if r, fault := wire.OpenRequest(b); fault.Kind == 0 {
		like.Note = fmt.Sprintf("request session=%s sequence=%d count=%d", r.Session[:], r.Sequence, r.Count)
		return see(&like)
	}
	d, fault := wire.OpenDatagram(b, limit)
	switch {
	case fault.Kind != 0:
		like.Fault = fault
	case d.End:
		like.Note = fmt.Sprintf("end session=%s next=%d", d.Session[:], d.Sequence)
	case d.Count == 0:
		like.Note = fmt.Sprintf("heartbeat session=%s next=%d", d.Session[:], d.Sequence)
	}
	if fault.Kind != 0 || d.Count == 0 {
		return see(&like)
	}
	at := int64(wire.DatagramHead)
	number := d.Sequence
	for record := d.Record(); record != nil; record = d.Record() {
		found := like
		found.Offset, found.Number, found.Body = at+2, number, record
		if _, fault := wire.OpenRecord(record); fault.Kind != 0 {
			fault.Offset += int(found.Offset)
			found.Fault = fault
		}
		if err := see(&found); err != nil {
			return err
		}
		at += 2 + int64(len(record))
		number++
	}
	return nil
}
