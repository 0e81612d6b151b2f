package msg

import "github.com/lockstep-exchange/lockstep/fixed"

// Envelope is what a client's message says besides what it asks for, and when it came: what its reports repeat and the engine
// has no use for. It travels in words 5 to 7 of line 2 of every command of a session whose kind is FromClient; these kinds leave
// the three words alone, and so has every word one meaning. Commands of session 0 have none, and the short ones stay one line.
//
//	5  SeqNum u32 · Template u16 << 32     6  Ingress     7  Sending
type Envelope struct {
	SeqNum   uint32      // the client's number of the message, its low 32 bits
	Template uint16      // of the message; 0: there is no envelope
	Ingress  fixed.Nanos // when the message reached the venue
	Sending  fixed.Nanos // when its client says that he sent it; 0: he does not
}

// Where an envelope lies.
const (
	envelopeHead = 5
	ingressWord  = 6
	sendingWord  = 7
)

// put writes the envelope into a second line.
func (v *Envelope) put(r *Rare) {
	r[envelopeHead] = uint64(v.SeqNum) | uint64(v.Template)<<32
	r[ingressWord], r[sendingWord] = uint64(v.Ingress), uint64(v.Sending)
}

// envelope is the one in a second line.
func envelope(r *Rare) Envelope {
	return Envelope{uint32(r[envelopeHead]), uint16(r[envelopeHead] >> 32), fixed.Nanos(r[ingressWord]), fixed.Nanos(r[sendingWord])}
}

// SetEnvelope writes the envelope of a command of a session.
func (r *Request) SetEnvelope(v Envelope) { v.put(&r.Rare) }

// Envelope is the envelope of a command of a session; none of one of session 0 or of a kind that no client has.
func (r *Request) Envelope() Envelope {
	if r.Session == 0 || !r.Kind.FromClient() {
		return Envelope{}
	}
	return envelope(&r.Rare)
}

// FromClient reports whether a message of a client becomes a command of this kind. All others are the venue's own.
func (k Kind) FromClient() bool { return k < 64 && clients>>k&1 == 1 }

// clients are the kinds that a client's message becomes, by bit.
const clients uint64 = 1<<KindLimit | 1<<KindMarket | 1<<KindAmend | 1<<KindCancel | 1<<KindCancelAll | 1<<KindPlace |
	1<<KindSetEntry | 1<<KindSetLeverage | 1<<KindIsolate | 1<<KindCross | 1<<KindMoveMargin | 1<<KindRefuse | 1<<KindSetDeadMan | 1<<KindAskOrder |
	1<<KindQuote | 1<<KindSetProtection | 1<<KindAskOrders | 1<<KindAskMargin

// Receipt is what a Received says of the command that came: what reports tell of an order and its events do not.
type Receipt struct {
	Asked Kind
	TIF   TIF
	STP   STP
	Flags Flags
	More  bool // of an entry of a mass quote: more of the same message come
}

// SetReceived writes the receipt and the envelope of a command as line 2 of a Received.
func (e *Event) SetReceived(r *Request) {
	e.Rare = Rare{uint64(r.Kind) | uint64(r.TIF)<<8 | uint64(r.STP)<<16 | bit(r.Follows())<<24 | uint64(r.Flags)<<32}
	copy(e.Rare[envelopeHead:], r.Rare[envelopeHead:])
}

// Receipt is that of a Received.
func (e *Event) Receipt() Receipt {
	w := e.Rare[0]
	return Receipt{Kind(w), TIF(w >> 8), STP(w >> 16), Flags(w >> 32), w>>24&1 == 1}
}

// Envelope is that of a Received.
func (e *Event) Envelope() Envelope { return envelope(&e.Rare) }

// append writes the envelope.
func (v Envelope) append(dst []byte) []byte {
	if v.Template == 0 {
		return dst
	}
	dst = appendUint(dst, " number=", v.SeqNum)
	dst = appendUint(dst, " template=", v.Template)
	dst = appendInt(dst, " ingress=", v.Ingress)
	if v.Sending != 0 {
		dst = appendInt(dst, " sending=", v.Sending)
	}
	return dst
}

// append writes the receipt.
func (r Receipt) append(dst []byte) []byte {
	dst = appendWord(dst, " asked=", r.Asked.String())
	dst = appendWord(dst, " ", r.TIF.String())
	if r.STP != STPDefault {
		dst = appendWord(dst, " stp=", r.STP.String())
	}
	if r.Flags != 0 {
		dst = r.Flags.append(append(dst, ' '))
	}
	if r.More {
		dst = append(dst, " more"...)
	}
	return dst
}
