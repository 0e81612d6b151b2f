package client

import (
	"errors"
	"fmt"
	"iter"

	"github.com/lockstep-exchange/lockstep/msg"
	"github.com/lockstep-exchange/lockstep/wire"
	"github.com/lockstep-exchange/lockstep/wire/gen"
)

// Kind says what an event tells.
type Kind uint8

const (
	Report       Kind = 1 + iota // a message of the venue: Template says which, Block holds its fields
	NotApplied                   // a request never reached the venue: it has no effect, and never will
	Bound                        // the session is bound to a connection; Number is that of the venue's next message
	Recovered                    // every request and report from before the binding is known
	Missed                       // Count messages from Number on cannot be had any more: the venue no longer keeps them
	Lost                         // the connection is gone; Err says why
	LogonRefused                 // the venue does not let the session in; Err says why
	Terminated                   // the venue ends the binding; Err says why
	Finished                     // the session has ended for good, with nothing missing on either side
)

var kindNames = [...]string{"none", "Report", "NotApplied", "Bound", "Recovered", "Missed", "Lost", "LogonRefused", "Terminated", "Finished"}

func (k Kind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return fmt.Sprintf("Kind(%d)", uint8(k))
}

// Event is one thing that the session has learned. It is good until the next call of Next.
type Event struct {
	Kind Kind

	// Of a Report: the message. Its fields are read by the types of package gen, say gen.AsTrade(e.Block). They are in
	// the receive buffer.
	wire.Message

	Number  uint64  // Report: its number in the venue's flow, 0 where that has none. NotApplied: of the request
	Count   uint64  // Missed, and NotApplied of requests that the session does not know: how many
	Request Request // that the report is the first response to, or that was not applied; the zero value for none
	Order   Order   // as it stands behind the report; Ref 0 where it is about none, or about one that is not in the table
	Err     error
}

// Request names a request that was sent.
type Request struct {
	Number   uint64 // from 1 on
	Ref      msg.Ref
	Template uint16 // of package gen
}

// Reject is what a Reject says; ok is false for other events.
func (e *Event) Reject() (code gen.RejectCode, ok bool) {
	if e.Kind != Report || e.Schema != gen.SchemaOrderEntry || e.Template != gen.TemplateReject {
		return 0, false
	}
	return gen.AsReject(e.Block).Code(), true
}

// Why a request is not sent, and why a binding ends.
var (
	ErrNotBound   = errors.New("client: the session is not bound to a connection")
	ErrRecovering = errors.New("client: what became of earlier requests is not known yet: only cancels and controls are sent")
	ErrKind       = errors.New("client: a session of this kind has no such request")
	ErrPending    = errors.New("client: too many requests without an answer (Config.Pending)")
	ErrOrders     = errors.New("client: the order table is full (Config.Orders)")
	ErrSend       = errors.New("client: too much output waits to be written (Config.Send)")
	ErrRef        = errors.New("client: a client id has to be above all before it")
	ErrOrder      = errors.New("client: no such order is open")
	ErrUnanswered = errors.New("client: the order has no id of the venue's yet")
	ErrEntries    = errors.New("client: a mass quote has 1 to 16 entries")

	ErrLost     = errors.New("client: the connection was lost")
	ErrIdle     = errors.New("client: the venue has fallen silent")
	ErrTimeout  = errors.New("client: the venue does not answer the logon")
	ErrStuck    = errors.New("client: the venue does not read")
	ErrClosed   = errors.New("client: closed")
	ErrFinished = errors.New("client: the session is finished")
	ErrVenue    = errors.New("client: the venue's signature is not that of Config.Venue")
	ErrVersion  = errors.New("client: the venue no longer speaks this version of the protocol")
)

// Refused is the venue's answer to a logon that it does not accept.
type Refused struct {
	Stage  string // Negotiate or Establish
	Code   uint8  // a gen.NegotiationRejectCode or gen.EstablishmentRejectCode
	Reason string
}

// refusals are the names of the codes.
var refusals = map[string][]string{
	"Negotiate": {"Credentials", "FlowTypeNotSupported", "DuplicateId", "Unspecified"},
	"Establish": {"Unnegotiated", "AlreadyEstablished", "SessionBlocked", "KeepaliveInterval", "Credentials", "Unspecified"},
}

func (r *Refused) Error() string {
	name := fmt.Sprint("code ", r.Code)
	if names := refusals[r.Stage]; int(r.Code) < len(names) {
		name = names[r.Code]
	}
	return fmt.Sprintf("client: %s refused: %s %q", r.Stage, name, r.Reason)
}

// Ended is why a binding was terminated, by the venue or by us.
type Ended struct {
	Code   gen.TerminationCode
	Reason string // begins with a number, see docs/WIRE.md
	Ours   bool
}

func (e *Ended) Error() string {
	who := "the venue"
	if e.Ours {
		who = "the client"
	}
	return fmt.Sprintf("client: %s terminated the session: code %d %q", who, e.Code, e.Reason)
}

// Orders are the orders that are open or not answered yet, in no order. The sequence is good until the next call of Next.
func (s *Session) Orders() iter.Seq[Order] { return s.orders.all }

// Order is the order with a client id; ok is false where none is open.
func (s *Session) Order(ref msg.Ref) (o Order, ok bool) {
	if row := s.orders.byRef.find(uint64(ref)); row != 0 {
		return s.orders.rows[row].Order, true
	}
	return Order{}, false
}
