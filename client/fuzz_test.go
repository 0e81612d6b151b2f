package client_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/lockstep-exchange/lockstep/client"
	"github.com/lockstep-exchange/lockstep/fixed"
)

// began is when the session of the fuzzer is connected; from there on its time stands.
const began fixed.Nanos = 1_001_000

// hear lets a session hear bytes in pieces of a size; once it is bound it sends orders. What it tells and what it says
// are returned.
func hear(t testing.TB, b []byte, piece int) (events []string, said []byte) {
	s, err := client.NewSession(config(1))
	if err != nil {
		t.Fatal(err)
	}
	take := func() {
		for e := s.Next(); e != nil; e = s.Next() {
			events = append(events, fmt.Sprint(e.Kind, e.Number, e.Count, e.Template, len(e.Block), e.Request, e.Order, e.Err))
			if e.Kind == client.Bound {
				for i := range int64(6) {
					s.Place(limit(5+i, 1+i), began+fixed.Nanos(i))
				}
			}
			if e.Order.State.Over() != (e.Order.State >= client.Filled) || s.Unanswered() < 0 || s.Unanswered() > 64 {
				t.Fatalf("event %v, %d unanswered", e, s.Unanswered())
			}
		}
		said = append(said, s.Output()...)
		s.Wrote(len(s.Output()))
	}
	s.Connected(began)
	take()
	for len(b) > 0 && !s.Closing() {
		n := copy(s.Room(), b[:min(piece, len(b))])
		if n == 0 {
			t.Fatal("there is no room for more bytes, and the connection is not closed")
		}
		s.Received(n, began)
		b = b[n:]
		take()
	}
	s.Disconnected(began)
	take()
	if s.Bound() {
		t.Fatal("bound without a connection")
	}
	return events, said
}

// conversation is all that a venue says to the session of hear.
func conversation(t testing.TB) []byte {
	v := newVenue(t)
	v.connect()
	var heard []byte
	for {
		_, said := hear(t, heard, 1<<20)
		v = newVenue(t)
		v.connect()
		v.take(said)
		if len(v.out) == len(heard) {
			return heard
		}
		heard = v.out
	}
}

// W-72 from the other side: whatever a venue sends, cut anywhere, the session does not panic, and the same bytes in other
// pieces tell the same and are answered in the same way.
func FuzzHear(f *testing.F) {
	talk := conversation(f)
	if events, _ := hear(f, talk, 1<<20); len(events) < 10 {
		f.Fatalf("only %d events: %q", len(events), events)
	}
	f.Add(talk, 7)
	f.Add(talk[:len(talk)-3], 1)
	for at := 0; at < len(talk); at += 17 {
		damaged := slices.Clone(talk)
		damaged[at] ^= 0x41
		f.Add(damaged, 50)
	}
	f.Fuzz(func(t *testing.T, b []byte, piece int) {
		events, said := hear(t, b, 1<<20)
		other, answers := hear(t, b, 1+piece&0xFFF)
		if !slices.Equal(events, other) || !slices.Equal(said, answers) {
			t.Fatalf("in pieces of %d:\n%q\nwant\n%q", 1+piece&0xFFF, other, events)
		}
	})
}
