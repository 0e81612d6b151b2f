package engine_test

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"testing"

	"github.com/lockstep-exchange/lockstep/bench/ops"
	"github.com/lockstep-exchange/lockstep/engine"
	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/market"
	"github.com/lockstep-exchange/lockstep/msg"
)

// soak plays an OPS1 stream on a whole engine: gate, book and clearing. Ids of the stream become ids of the engine.
type soak struct {
	*engine.Engine
	ids     []msg.OrderID // by id of the stream
	names   []uint64      // ids of the stream, by handle
	command msg.Command
	out     []msg.Event
	ops.Result
}

func newSoak(s *ops.Stream, p ops.Profile) (*soak, error) {
	e, err := engine.New(engine.Limits{Instruments: 1, Accounts: uint32(p.Accounts), Orders: uint32(2 * p.Resting), Events: 4096})
	if err != nil {
		return nil, err
	}
	k := &soak{Engine: e, ids: make([]msg.OrderID, s.MaxID+1), names: make([]uint64, 2*p.Resting+1), out: make([]msg.Event, 0, 4096), Result: ops.NoTrades()}
	spec := market.Spec{ID: 1, Type: msg.Perpetual, TickLot: 1, Start: 131_072, Initial: 5 * fixed.Percent, Maintenance: 3 * fixed.Percent}
	day := append(spec.Append(nil), msg.SetPhase(1, msg.Continuous), msg.SetMark(1, 131_072))
	for id := msg.AccountID(1); id <= msg.AccountID(p.Accounts); id++ {
		day = append(day, msg.Deposit(id, 1<<45))
	}
	for i := range day {
		k.command = day[i]
		k.apply()
	}
	return k, nil
}

func (k *soak) apply() []msg.Event {
	k.command.Seq, k.command.Time = k.Seq()+1, k.Now()+1
	k.out = k.Apply(&k.command, k.out[:0])
	return k.out
}

// play plays operations. A replacement loses its place in the stream in any case, so it is a cancel and a new order.
func (k *soak) play(list []ops.Op) error {
	for i := range list {
		op := &list[i]
		account := msg.AccountID(op.Account%k.Limits().Accounts) + 1
		if op.Kind >= ops.Cancel {
			k.command = msg.Cancel(account, 1, k.ids[op.ID])
			if canceled := k.apply()[0].Kind == msg.Canceled; !canceled || op.Kind == ops.Cancel {
				continue
			}
		}
		k.command = msg.Limit(account, 1, msg.Side(op.Side+1), fixed.Ticks(op.Price), fixed.Lots(op.Qty))
		if op.Kind == ops.IOC {
			k.command.TIF = msg.IOC
		}
		maker := uint64(0)
		for j := range k.apply() {
			switch e := &k.out[j]; e.Kind {
			case msg.Accepted:
				k.ids[op.ID], k.names[e.Order.Handle()] = e.Order, op.ID
			case msg.Traded:
				if e.Fill().Maker {
					maker = k.names[e.Order.Handle()]
				} else {
					k.Trade(op.ID, maker, int64(e.Price), uint64(e.Qty))
				}
			case msg.Rejected:
				return fmt.Errorf("operation %d: %s", i, e.String())
			}
		}
	}
	return nil
}

// TestSoakDoesNotAllocate plays a million commands, does the work of the published streams with them, and reads the count of
// objects that the process has ever made: it does not move. What else runs in the process may make some, so one clean run
// of three is enough; what the engine makes would be in all of them, nodes of the price index too (L-10).
func TestSoakDoesNotAllocate(t *testing.T) { // T-5, L-10, L-49
	if testing.Short() {
		t.Skip("a million commands")
	}
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	for _, p := range ops.Profiles() {
		s, err := ops.Generate(p, 340_000, ops.Seed)
		if err != nil {
			t.Fatal(err)
		}
		made := uint64(1)
		for run := 0; run < 3 && made != 0; run++ {
			made = playCounting(t, p, s)
			t.Logf("%s: %d objects in 340000 commands", p.Name, made)
		}
		if made != 0 {
			t.Errorf("%s: the engine allocates", p.Name)
		}
	}
}

// playCounting plays a stream and returns how many objects were made after its prefill.
func playCounting(t *testing.T, p ops.Profile, s *ops.Stream) uint64 {
	t.Helper()
	var stats runtime.MemStats // exact, where a metric counts the objects of a size class only once its span is full
	objects := func() uint64 {
		runtime.ReadMemStats(&stats)
		return stats.Mallocs
	}
	runtime.GC()
	k, err := newSoak(s, p)
	if err != nil {
		t.Fatal(err)
	}
	prefill := len(s.Ops) - 340_000
	if err := k.play(s.Ops[:prefill]); err != nil {
		t.Fatal(err)
	}
	first := objects()
	if err := k.play(s.Ops[prefill:]); err != nil {
		t.Fatal(err)
	}
	made := objects() - first
	if err := s.Check(k.Result); err != nil {
		t.Errorf("%s: %v", p.Name, err)
	}
	if money, lots := k.Imbalance(); money != 0 || lots != 0 {
		t.Errorf("%s: %s and %d lots are missing", p.Name, money, lots)
	}
	return made
}
