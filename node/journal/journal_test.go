package journal_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/lockstep-exchange/lockstep/engine"
	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/msg"
	"github.com/lockstep-exchange/lockstep/node/journal"
	"github.com/lockstep-exchange/lockstep/sim/disk"
)

const (
	dir  = "/journal"
	room = 1 << 30
)

// limits are those of the genesis record of the tests; no engine is made with them unless a test says so.
var limits = engine.Limits{Instruments: 3, Underlyings: 3, Accounts: 8, Positions: 32, Orders: 700, Levels: 200, Events: 256, Sessions: 256,
	AccountPositions: 256, OwnerAccounts: 64, Jobs: 4}

func genesis() journal.Genesis {
	return journal.Genesis{Cluster: 0x1c, Shard: 7, Currency: "USD", Limits: limits}
}

// small is a journal with small segments, which are soon full.
func small(files journal.FS) journal.Config {
	return journal.Config{FS: files, Dir: dir, Genesis: genesis(), Segment: 16 << 10, Batch: 4096, Ahead: 64}
}

// someCommands are n commands of one and two lines, in sequence, with every field in use. What they ask for is nonsense.
func someCommands(seed uint64, n int) []msg.Command {
	return drawCommands(seed, n, func(c *msg.Command) bool { return c.Lines() > 1 })
}

// drawCommands draws n commands, of two lines where long says so.
func drawCommands(seed uint64, n int, long func(c *msg.Command) bool) []msg.Command {
	chance := rand.New(rand.NewPCG(seed, 1))
	list := make([]msg.Command, n)
	now := fixed.Nanos(1_000)
	for i := range list {
		now += fixed.Nanos(chance.IntN(3))
		c := &list[i]
		c.Seq, c.Time, c.Order, c.Ref = msg.Seq(i+1), now, msg.OrderID(chance.Uint64()), msg.Ref(chance.Uint64())
		c.Price, c.Qty = fixed.Ticks(chance.Uint64()), fixed.Lots(chance.Uint64())
		c.Account, c.Instr = msg.AccountID(chance.Uint32()), msg.InstrumentID(chance.Uint32())
		c.Session, c.Flags = msg.SessionID(chance.Uint32()), msg.Flags(chance.Uint32())
		c.Kind, c.Side = msg.Kind(1+chance.IntN(40)), msg.Side(chance.Uint32())
		c.TIF, c.STP = msg.TIF(chance.Uint32()), msg.STP(chance.Uint32())
		if long(c) {
			for k := range c.Rare {
				c.Rare[k] = chance.Uint64()
			}
		}
	}
	return list
}

// keep adds to a list what an opening hands over.
func keep(list *[]msg.Command) func([]msg.Command) error {
	return func(c []msg.Command) error {
		*list = append(*list, c...)
		return nil
	}
}

// into applies to an engine what an opening hands over.
func into(e *engine.Engine) func([]msg.Command) error {
	return func(commands []msg.Command) error {
		for i := range commands {
			e.Apply(&commands[i], nil)
		}
		return nil
	}
}

// open opens a journal that is whole, and gives the commands that it holds.
func open(t *testing.T, c journal.Config) (*journal.Writer, journal.Recovery, []msg.Command) {
	t.Helper()
	var list []msg.Command
	w, found, err := journal.Open(c, keep(&list))
	if err != nil {
		t.Fatal(err)
	}
	return w, found, list
}

// feed makes commands durable, in batches of up to batch, and returns how many are: fewer than all only with an error.
func feed(w *journal.Writer, commands []msg.Command, batch int) (int, error) {
	for done := 0; done < len(commands); {
		n := 0
		for n < batch && done+n < len(commands) && w.Append(&commands[done+n]) {
			n++
		}
		w.Publish()
		for w.Waits() {
			k, err := w.Step(0)
			if err != nil {
				return done, err
			}
			done += k
			if w.Stalled() {
				made, err := w.Prepare()
				if err != nil {
					return done, err
				}
				if !made {
					return done, errors.New("no room for a spare")
				}
			}
		}
	}
	return len(commands), nil
}

// writeDown makes a journal of commands in batches of up to batch and ends it in order.
func writeDown(t *testing.T, c journal.Config, commands []msg.Command, batch int) {
	t.Helper()
	w, _, held := open(t, c)
	if n, err := feed(w, commands[len(held):], batch); err != nil || n != len(commands)-len(held) {
		t.Fatalf("%d of %d commands are durable: %v", n, len(commands)-len(held), err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
}

// read reads a journal.
func read(files journal.FS) (list []msg.Command, tail journal.Tail, err error) {
	r, err := journal.NewReader(files, dir)
	if err != nil {
		return nil, tail, err
	}
	for r.Next() {
		list = append(list, r.Commands()...)
	}
	return list, r.Tail(), errors.Join(r.Err(), r.Close())
}

func equal(t *testing.T, got, want []msg.Command) {
	t.Helper()
	if !slices.Equal(got, want) {
		for i := range min(len(got), len(want)) {
			if got[i] != want[i] {
				t.Fatalf("command %d: got %v, expected %v", i, &got[i], &want[i])
			}
		}
		t.Fatalf("got %d commands, expected %d", len(got), len(want))
	}
}

// What goes in comes out, in batches of whatever size, over many segments and starts.
func TestCommandsComeBack(t *testing.T) { // D-06, D-10
	commands := someCommands(1, 3_000)
	for _, alignment := range []int{512, 4096} {
		for _, batch := range []int{1, 7, 64} {
			t.Run(fmt.Sprintf("alignment=%d,batch=%d", alignment, batch), func(t *testing.T) {
				files := disk.New(room)
				c := small(files)
				c.Alignment = alignment
				last := msg.Seq(0)
				for epoch, upto := range []int{0, 1, 500, 501, len(commands)} {
					w, found, held := open(t, c)
					equal(t, held, commands[:last])
					if found.Created != (epoch == 0) || found.Epoch != uint64(epoch+1) || w.Epoch() != found.Epoch || found.Place.Seq != last || w.Durable() != last {
						t.Fatalf("start %d found %+v, durable %d, expected epoch %d and seq %d", epoch, found, w.Durable(), epoch+1, last)
					}
					if _, err := feed(w, commands[last:upto], batch); err != nil {
						t.Fatal(err)
					}
					last = msg.Seq(upto)
					if err := w.Close(); err != nil || w.Durable() != last {
						t.Fatalf("closed with %v, durable %d", err, w.Durable())
					}
				}
				held, tail, err := read(files)
				if err != nil {
					t.Fatal(err)
				}
				equal(t, held, commands)
				if tail.Kind != journal.Shutdown || tail.Torn != 0 || tail.Seq != last || tail.Epoch != 5 {
					t.Errorf("the tail is %+v", tail)
				}
				chance := rand.New(rand.NewPCG(2, 2))
				r, err := journal.NewReader(files, dir)
				if err != nil {
					t.Fatal(err)
				}
				for range 50 {
					from := 1 + chance.IntN(len(commands))
					if err := r.Seek(msg.Seq(from)); err != nil {
						t.Fatal(err)
					}
					held = nil
					for r.Next() {
						held = append(held, r.Commands()...)
					}
					if r.Err() != nil {
						t.Fatal(r.Err())
					}
					equal(t, held, commands[from-1:])
				}
			})
		}
	}
}
