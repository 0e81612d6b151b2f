package client

import (
	"context"
	"errors"
	"strings"
	"sync"
	"time"

	"github.com/lockstep-exchange/lockstep/msg"
	"github.com/lockstep-exchange/lockstep/wire/gen"
)

// Sessions recovers a Receiver by sessions with the venue: a replay, which is begun when it is first needed and from then on brings every
// record over TCP too, and one for snapshots.
type Sessions struct {
	link   Link
	config Config

	dialing   sync.Mutex
	replays   chan uint64 // from which number on
	snapshots chan msg.InstrumentID
}

// askedMax is how much may wait to be asked for; what is beyond it is asked for again later.
const askedMax = 1 << 10

// lookEvery is how long a session is waited for before somebody looks whether there is more to ask.
const lookEvery = 20 * time.Millisecond

// NewSessions recovers by sessions of a key at a venue. Kind and Resume of c are set here.
func NewSessions(l Link, c Config) *Sessions {
	return &Sessions{link: l, config: c, replays: make(chan uint64, askedMax), snapshots: make(chan msg.InstrumentID, askedMax)}
}

// Replay asks for records.
func (s *Sessions) Replay(from uint64, _ int) {
	select {
	case s.replays <- from:
	default:
	}
}

// Snapshot asks for a snapshot.
func (s *Sessions) Snapshot(instrument msg.InstrumentID) {
	select {
	case s.snapshots <- instrument:
	default:
	}
}

// Run does what the receiver asks for until ctx ends. The error is that of a session that the venue does not let in.
func (s *Sessions) Run(ctx context.Context, r *Receiver) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var both sync.WaitGroup
	both.Go(func() { cancel(s.replay(ctx, r)) })
	both.Go(func() { cancel(s.snapshot(ctx, r)) })
	both.Wait()
	return context.Cause(ctx)
}

// again reports whether a session that was refused may be let in when it is tried anew: the venue has started anew and knows it no longer, or two
// logons of the key have come in another order than they were made in.
func again(err error) bool {
	var no *Refused
	return errors.As(err, &no) && (no.Stage == "Establish" && no.Code == uint8(gen.EstablishmentRejectCodeUnnegotiated) || strings.HasPrefix(no.Reason, "128"))
}

// keep has a session of a kind until ctx ends: speak speaks in it until it is over or ctx ends. resume is asked before each one for where it begins.
func (s *Sessions) keep(ctx context.Context, kind gen.SessionKind, resume func() Resume, speak func(*Client)) error {
	for {
		c := s.config
		c.Kind, c.Resume, c.Takeover = kind, resume(), true
		s.dialing.Lock() // so that the times of the logons rise
		session, err := Dial(ctx, s.link, c)
		s.dialing.Unlock()
		if err == nil {
			speak(session)
			err = session.Err()
			session.Close()
		}
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case !again(err):
			return err
		}
		select {
		case <-ctx.Done():
		case <-time.After(lookEvery):
		}
	}
}

// replay hands over what a replay session brings.
func (s *Sessions) replay(ctx context.Context, r *Receiver) error {
	var next uint64
	select {
	case <-ctx.Done():
		return ctx.Err()
	case next = <-s.replays:
	}
	var room []byte
	return s.keep(ctx, gen.SessionKindReplay, func() Resume { return Resume{Expected: next} }, func(c *Client) {
		for !c.Over() && ctx.Err() == nil {
			e := c.Wait(lookEvery)
			switch {
			case e == nil:
			case e.Kind == Missed:
				r.Refused(Ask{Kind: AskReplay})
			case e.Kind == Report && e.Schema == gen.SchemaMarketData:
				room, next = appendRaw(room[:0], e), e.Number+1
				r.Replayed(e.Number, room)
			}
			for len(s.replays) > 0 {
				<-s.replays // it comes by itself
			}
		}
	})
}

// snapshot asks for snapshots, one after another, and hands them over.
func (s *Sessions) snapshot(ctx context.Context, r *Receiver) error {
	var next msg.InstrumentID
	select {
	case <-ctx.Done():
		return ctx.Err()
	case next = <-s.snapshots:
	}
	return s.keep(ctx, gen.SessionKindSnapshot, func() Resume { return Resume{} }, func(c *Client) {
		var asked msg.InstrumentID // of which the answer is not whole
		var room []byte
		for !c.Over() && ctx.Err() == nil {
			if next == 0 && len(s.snapshots) > 0 {
				next = <-s.snapshots
			}
			if next != 0 && asked == 0 && c.Bound() && !c.Recovering() {
				if _, err := c.AskSnapshot(next, c.Now()); err == nil {
					asked, next = next, 0
					c.Flush()
				}
			}
			e := c.Wait(lookEvery)
			switch {
			case e == nil:
			case e.Kind == Lost || e.Kind == Terminated || e.Kind == NotApplied:
				asked = 0 // the receiver asks again
			case e.Kind == Report && e.Schema == gen.SchemaMarketData:
				room = appendRaw(room[:0], e)
				_ = r.Snapshot(room) // a bad one is asked for again
				if e.Template == gen.TemplateSnapshotEnd {
					asked = 0
				}
			case e.Kind == Report && e.Template == gen.TemplateReject:
				if gen.AsReject(e.Block).Code() == gen.RejectCode(msg.RejectUnknownInstrument.Code()) {
					r.Refused(Ask{Kind: AskSnapshot, Instrument: asked})
				}
				asked = 0
			}
		}
	})
}

// appendRaw appends header and block of a record.
func appendRaw(dst []byte, e *Event) []byte {
	dst = append(dst, make([]byte, gen.HeaderSize)...)
	e.Header.Put((*[gen.HeaderSize]byte)(dst))
	return append(dst, e.Block...)
}
