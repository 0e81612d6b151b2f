package demo

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lockstep-exchange/lockstep/msg"
	"github.com/lockstep-exchange/lockstep/node"
	"github.com/lockstep-exchange/lockstep/node/journal"
)

// breaker ends a demo after so many acks.
type breaker struct {
	left int
	end  context.CancelFunc
	seen bytes.Buffer
}

func (b *breaker) Write(p []byte) (int, error) {
	if b.left -= bytes.Count(p, []byte("\n")); b.left <= 0 {
		b.end()
	}
	return b.seen.Write(p)
}

// TestGoesOnWhereItEnded: a demo with a journal that is interrupted again and again comes to the state of one that was not, every
// command is acknowledged once, and each start says what it found.
func TestGoesOnWhereItEnded(t *testing.T) {
	s := scriptOf(t, 300, 1)
	whole := playOf(t, s, unpaced)
	for _, ack := range []journal.Mode{journal.Fsync, journal.None} {
		dir, acked, found := t.TempDir(), "", []*node.Recovery(nil)
		lives := 0
		for life := 0; life == lives; life++ {
			ctx, cancel := context.WithCancel(context.Background())
			heard := &breaker{left: 1, end: cancel}
			if life == 2 {
				heard.end = func() {}
			}
			o := unpaced
			o.Data, o.Ack, o.Acks = dir, ack, heard
			o.Found = func(r *node.Recovery) { found = append(found, r) }
			p, err := perform(ctx, s, o)
			cancel()
			switch {
			case errors.Is(err, context.Canceled):
				lives++
			case err != nil:
				t.Fatalf("life %d ended with %v", life, err)
			}
			if diff := cmp.Diff(whole.Money, p.Money); err == nil && diff != "" {
				t.Errorf("life %d came to other money (-want +got):\n%s", life, diff)
			}
			if p.Recovery == nil || p.Ack != ack.String() {
				t.Errorf("life %d: recovery %v, ack %s, expected %v", life, p.Recovery, p.Ack, ack)
			}
			if err := p.unmet(); err != nil {
				t.Errorf("life %d: %v", life, err)
			}
			acked += heard.seen.String()
		}
		if lives == 0 {
			t.Error("the first life played everything")
		}
		own, next := owned(t, dir), msg.Seq(1)
		for _, line := range strings.Split(strings.TrimSuffix(acked, "\n"), "\n") {
			for own[next] && !strings.HasPrefix(line, fmt.Sprintf("%d ", next)) {
				next++ // nobody waits for what the node says to itself
			}
			if !strings.HasPrefix(line, fmt.Sprintf("%d ", next)) {
				t.Fatalf("instead of the ack of command %d there is %q", next, line)
			}
			next++
		}
		if int(next) <= len(s.requests) {
			t.Errorf("the acks end with %d", next-1)
		}
		for life, r := range found {
			if r.Epoch != uint64(life+1) || r.Created != (life == 0) || r.Seq != msg.Seq(r.Commands) {
				t.Errorf("life %d found %+v", life, r)
			}
		}
		other := scriptOf(t, 300, 2)
		misfit := (*journal.Misfit)(nil)
		if _, err := perform(context.Background(), other, Options{Max: true, Accounts: 300, Seed: 2, Data: dir, Ack: ack}); !errors.As(err, &misfit) {
			t.Errorf("the journal of another seed: %v", err)
		}
	}
}

// owned are the commands of the node's own that a journal holds.
func owned(t *testing.T, dir string) map[msg.Seq]bool {
	t.Helper()
	r, err := journal.NewReader(journal.Disk{}, dir)
	if err != nil {
		t.Fatal(err)
	}
	own := map[msg.Seq]bool{}
	for r.Next() {
		for i := range r.Commands() {
			if c := &r.Commands()[i]; c.Kind.Own() {
				own[c.Seq] = true
			}
		}
	}
	if err := errors.Join(r.Err(), r.Close()); err != nil {
		t.Fatal(err)
	}
	return own
}

// An ack that nobody hears ends the demo.
func TestAcksThatNobodyHears(t *testing.T) {
	s := scriptOf(t, 300, 1)
	o := unpaced
	r, w := io.Pipe()
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	o.Data, o.Acks = t.TempDir(), w
	if _, err := perform(context.Background(), s, o); !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("ended with %v", err)
	}
	o.Data = ""
	if err := o.Check(); err == nil {
		t.Error("acks without a journal were taken")
	}
}

// TestChecksSeeTheJournal: what was not journaled as it was sent is found.
func TestChecksSeeTheJournal(t *testing.T) {
	s := scriptOf(t, 300, 1)
	o := unpaced
	o.Data = t.TempDir()
	playOf(t, s, o)
	r := &run{script: s, options: o, sent: len(s.requests), kept: &kept{}}
	s.requests[len(s.requests)-2].Price++
	w, err := r.reread()
	if err != nil || w.other != 2 || w.script != len(s.requests)-2 {
		t.Errorf("%+v, %v", w, err)
	}
}
