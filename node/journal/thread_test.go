package journal_test

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/lockstep-exchange/lockstep/engine"
	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/msg"
	"github.com/lockstep-exchange/lockstep/node/journal"
	"github.com/lockstep-exchange/lockstep/ring"
	"github.com/lockstep-exchange/lockstep/sim/disk"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv("JOURNAL_CHILD"); dir != "" {
		child(dir)
	}
	goleak.VerifyTestMain(m)
}

// tape is a day of plain orders and cancels, after a setup, with the ids that an engine gives.
func tape(t testing.TB, n int) (setup, day []msg.Command) {
	e := newVenue(t)
	seed := uint64(1)
	chance := func(n uint64) uint64 {
		seed = seed*6364136223846793005 + 1442695040888963407
		return seed >> 33 % n
	}
	add := func(list []msg.Command, c msg.Command) []msg.Command {
		c.Seq, c.Time = e.Seq()+1, e.Now()+1
		return append(list, c)
	}
	listing := msg.Listing{TickLot: 1, UnitLots: 1, Start: 50_000, Type: msg.Perpetual}
	for _, c := range []msg.Command{msg.List(1, listing), msg.SetTier(1, msg.Tier{Initial: 10 * fixed.Percent, Maintenance: 5 * fixed.Percent}),
		msg.SetMark(1, 50_000), msg.SetPhase(1, msg.Continuous)} {
		setup = add(setup, c)
		e.Apply(&setup[len(setup)-1], nil)
	}
	for account := range msg.AccountID(64) {
		setup = add(setup, msg.Deposit(account+1, 1_000_000*fixed.Coin))
		e.Apply(&setup[len(setup)-1], nil)
	}
	type order struct {
		account msg.AccountID
		id      msg.OrderID
	}
	var resting []order
	for len(day) < n {
		var c msg.Command
		if len(resting) > 2_000 {
			k := chance(uint64(len(resting)))
			c = msg.Cancel(resting[k].account, 1, resting[k].id)
			resting[k] = resting[len(resting)-1]
			resting = resting[:len(resting)-1]
		} else {
			side, price := msg.Buy, 49_990-fixed.Ticks(chance(100))
			if chance(2) == 0 {
				side, price = msg.Sell, 50_010+fixed.Ticks(chance(100))
			}
			c = msg.Limit(msg.AccountID(1+chance(64)), 1, side, price, 1)
		}
		day = add(day, c)
		events := e.Apply(&day[len(day)-1], nil)
		switch events[0].Kind {
		case msg.Accepted:
			resting = append(resting, order{c.Account, events[0].Order})
		case msg.Canceled:
		default:
			t.Fatalf("%v", &events[0])
		}
	}
	return setup, day
}

func newVenue(t testing.TB) *engine.Engine {
	e, err := engine.New(engine.Limits{Instruments: 1, Accounts: 64, Orders: 1 << 14, Levels: 1 << 12, Events: 256})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// real is a journal on the disk of the machine.
func real(dir string) journal.Config {
	return journal.Config{FS: journal.Disk{}, Dir: dir, Genesis: genesis(), Segment: 1 << 20}
}

// gate lets events through up to what is released: the way in which a node's readers would.
type gate struct {
	events  *ring.Reader[msg.Event]
	held    *msg.Event // read, and not released yet
	release func() msg.Seq
}

func (g *gate) next() *msg.Event {
	if g.held == nil {
		g.held = g.events.Next()
	}
	if g.held == nil || g.held.Seq > g.release() {
		return nil
	}
	ev := g.held
	g.held = nil
	return ev
}

// An engine, a journal on its own thread, and a reader behind the gate. What is released is durable; what is recovered is the
// same state; and so again after a second start.
func TestFromLoopToDisk(t *testing.T) { // D-07, D-09, D-32, D-50
	setup, day := tape(t, 12_000)
	all := append(setup, day...)
	dir := t.TempDir()
	c := real(dir)
	c.Segment = 64 << 10
	live := newVenue(t)
	c.Genesis.Limits = live.Limits()
	for _, upto := range []int{5_000, len(all)} {
		recovered := newVenue(t)
		w, found, err := journal.Open(c, into(recovered))
		if err != nil {
			t.Fatal(err)
		}
		if found.Place.Seq != live.Seq() || recovered.Hash() != live.Hash() {
			t.Fatalf("recovered %d commands and state %016x, expected %d and %016x", found.Place.Seq, recovered.Hash(), live.Seq(), live.Hash())
		}
		trade(t, w, recovered, all[live.Seq():upto])
		live = recovered
	}
	again := newVenue(t)
	r, err := journal.NewReader(journal.Disk{}, dir)
	if err != nil {
		t.Fatal(err)
	}
	for r.Next() {
		for i := range r.Commands() {
			again.Apply(&r.Commands()[i], nil)
		}
	}
	if err := errors.Join(r.Err(), r.Close()); err != nil || again.Hash() != live.Hash() {
		t.Errorf("replayed to %016x, expected %016x: %v", again.Hash(), live.Hash(), err)
	}
	if tail := r.Tail(); tail.Kind != journal.Shutdown || tail.Segment == 0 {
		t.Errorf("%+v", tail)
	}
}

// trade runs commands through an engine while the journal's thread makes them durable, and reads the events as they are released.
func trade(t *testing.T, w *journal.Writer, e *engine.Engine, commands []msg.Command) {
	t.Helper()
	out, err := ring.NewRing[msg.Event](1 << 12)
	if err != nil {
		t.Fatal(err)
	}
	var applied atomic.Uint64
	applied.Store(uint64(e.Seq()))
	g := &gate{events: out.Reader(true), release: func() msg.Seq { return w.Release(msg.Seq(applied.Load())) }}
	moved := make(chan struct{}, 1)
	thread, err := journal.Start(w, func() {
		select {
		case moved <- struct{}{}:
		default:
		}
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	read, last := 0, e.Seq()
	drain := func() {
		for ev := g.next(); ev != nil; ev = g.next() {
			if ev.Seq > w.Durable() {
				t.Fatalf("event %v is released, durable is %d", ev, w.Durable())
			}
			read, last = read+1, ev.Seq
		}
		g.events.Release()
	}
	told := 0
	var events []msg.Event
	for i := range commands {
		c := commands[i]
		if !out.Room(300) || !w.Append(&c) {
			t.Fatal("the lane or the ring is full")
		}
		events = e.Apply(&c, events[:0])
		for k := range events {
			events[k].CopyTo(out.Claim())
		}
		told += len(events)
		if i%8 == 7 || i == len(commands)-1 {
			w.Publish()
			thread.Wake()
			out.Publish()
			applied.Store(uint64(c.Seq))
			for i%1024 == 1023 && last < c.Seq-512 { // never so far ahead that the lane is full
				<-moved
				drain()
			}
			drain()
		}
	}
	for last < e.Seq() {
		<-moved
		drain()
	}
	if read != told {
		t.Errorf("%d events were released, expected %d", read, told)
	}
	if err := thread.Stop(); err != nil {
		t.Fatal(err)
	}
	<-thread.Done()
}

// The journal's thread ends when the disk fails, whoever noticed it, and says so.
func TestThreadEndsWithTheDisk(t *testing.T) { // D-28
	for _, call := range []string{"Datasync", "Zero"} {
		failing := disk.FailAt(disk.New(room), 0, nil)
		armed := atomic.Bool{}
		failing.Fail = func(c disk.Call) error {
			if armed.Load() && c.Name == call {
				return syscall.EIO
			}
			return nil
		}
		w, _, _ := open(t, small(failing))
		armed.Store(true)
		thread, err := journal.Start(w, func() { t.Error("something has become durable") }, nil)
		if err != nil {
			t.Fatal(err)
		}
		if call == "Datasync" { // the other one happens by itself
			commands := someCommands(14, 1)
			w.Append(&commands[0])
			w.Publish()
			thread.Wake()
		}
		<-thread.Done()
		var storage *journal.StorageError
		if err := thread.Stop(); !errors.As(err, &storage) || !errors.Is(err, syscall.EIO) || w.Durable() != 0 {
			t.Errorf("%s: stopped with %v, durable %d", call, err, w.Durable())
		}
	}
}

// child is a process that writes a journal until it is killed, and prints what is durable.
func child(dir string) {
	commands := someCommands(15, 200_000)
	held := 0
	w, _, err := journal.Open(real(dir), func(c []msg.Command) error { held += len(c); return nil })
	if err != nil {
		fmt.Println(err)
		var coded interface{ ExitCode() int }
		errors.As(err, &coded)
		os.Exit(coded.ExitCode())
	}
	fmt.Println(w.Durable())
	moved := make(chan struct{}, 1)
	thread, err := journal.Start(w, func() {
		fmt.Println(w.Durable())
		select {
		case moved <- struct{}{}:
		default:
		}
	}, nil)
	if err != nil {
		panic(err)
	}
	for i := range commands[held:] {
		if !w.Append(&commands[held+i]) {
			panic("the lane is full")
		}
		if i%5 == 4 {
			w.Publish()
			thread.Wake()
		}
		for ; i-100 > int(w.Durable())-held; <-moved {
		}
	}
	os.Exit(3)
}

// Processes that write the same journal are killed one after the other, at some moment. While one lives, another is refused.
func TestKilledProcesses(t *testing.T) { // D-01, D-29, D-30; G-05
	dir := t.TempDir()
	start := func() (*exec.Cmd, *bufio.Scanner) {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), "JOURNAL_CHILD="+dir)
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		return cmd, bufio.NewScanner(out)
	}
	acked, rounds := 0, 6
	if testing.Short() {
		rounds = 2
	}
	for round := range rounds {
		cmd, lines := start()
		for n := 0; n < 4+3*round && lines.Scan(); n++ {
			seq, err := strconv.Atoi(lines.Text())
			if err != nil {
				t.Fatalf("round %d: the process says %q", round, lines.Text())
			}
			if seq < acked {
				t.Fatalf("round %d: durable is %d, acknowledged were %d", round, seq, acked)
			}
			acked = seq
			if n == 1 {
				other, said := start()
				for said.Scan() {
				}
				err := other.Wait()
				var exit *exec.ExitError
				if !errors.As(err, &exit) || exit.ExitCode() != 9 {
					t.Fatalf("a second process ended with %v, expected exit code 9", err)
				}
			}
		}
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		for lines.Scan() { // what it said before it died counts
			if seq, err := strconv.Atoi(lines.Text()); err == nil {
				acked = max(acked, seq)
			}
		}
		_ = cmd.Wait() // killed
	}
	var held []msg.Command
	w, found, err := journal.Open(real(dir), keep(&held))
	if err != nil {
		t.Fatal(err)
	}
	if len(held) < acked || acked == 0 || found.Epoch != uint64(rounds+1) {
		t.Fatalf("%d commands are left, acknowledged were %d; %+v", len(held), acked, found)
	}
	equal(t, held, someCommands(15, len(held)))
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(dir, "*.tmp"))
	if err != nil || len(files) != 0 {
		t.Errorf("left behind: %v, %v", files, err)
	}
	t.Logf("%d processes, %d commands acknowledged, %d left", rounds, acked, len(held))
}
