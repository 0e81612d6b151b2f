package node

import (
	"flag"
	"testing"

	"github.com/lockstep-exchange/lockstep/engine"
	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/market"
	"github.com/lockstep-exchange/lockstep/msg"
	"github.com/lockstep-exchange/lockstep/node/journal"
)

var (
	openOrders = flag.Int("open-orders", 1_000_000, "orders that rest in the snapshot of BenchmarkRecovery")
	tail       = flag.Int("tail", 10_000_000, "commands behind it")
)

// BenchmarkRecovery opens an exchange with a million open orders in its snapshot and ten million commands behind it, and prints the
// phases (D-49). Writing the journal takes longer than opening it.
//
//	go test ./node -run xxx -bench Recovery -benchtime 1x
func BenchmarkRecovery(b *testing.B) {
	const accounts, instruments = 10_000, 64
	limits := engine.Limits{Instruments: instruments, Accounts: accounts, Positions: 64 * accounts, Orders: uint32(*openOrders + 1024), Levels: 1 << 16}
	dir := b.TempDir()
	v := Venue{Limits: limits, Currency: "USD", Ack: journal.None, Segment: 32 << 20, Snapshots: -1}
	write(b, dir, v, accounts, instruments)
	for b.Loop() {
		n, found, err := Open(dir, v, Config{Float: true})
		if err != nil {
			b.Fatal(err)
		}
		if got := n.config.Engine.OpenOrders(); int(got) != *openOrders {
			b.Fatalf("%d orders rest, expected %d", got, *openOrders)
		}
		total := 0.0
		for _, p := range found.Phases {
			total += p.Seconds
		}
		b.Logf("%.2f s\n%s", total, found.Append(nil))
		b.ReportMetric(total, "s")
		if err := n.Stop(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
}

// write makes the journal, with a snapshot where the orders rest.
func write(b *testing.B, dir string, v Venue, accounts, instruments int) {
	e, err := engine.New(v.Limits)
	if err != nil {
		b.Fatal(err)
	}
	e.SetChecks(false)
	w, _, err := journal.Open(journal.Config{FS: journal.Disk{}, Dir: dir, Mode: v.Ack, Segment: v.Segment,
		Genesis: journal.Genesis{Currency: v.Currency, Limits: e.Limits()}}, nil)
	if err != nil {
		b.Fatal(err)
	}
	shadow, err := journal.NewShadow(journal.Disk{}, dir, e, w.Place(), journal.Chronicle{}, int64(*openOrders)*64/v.Segment*v.Segment+v.Segment)
	if err != nil {
		b.Fatal(err)
	}
	seq := msg.Seq(0)
	do := func(c msg.Command) {
		seq++
		c.Seq, c.Time = seq, fixed.Hour
		for !w.Append(&c) {
			w.Publish()
			if err := w.Flush(); err != nil {
				b.Fatal(err)
			}
		}
	}
	for id := 1; id <= instruments; id++ {
		spec := market.Spec{ID: msg.InstrumentID(id), Type: msg.Perpetual, TickLot: fixed.Coin, Initial: 10 * fixed.Percent, Maintenance: 5 * fixed.Percent}
		for _, c := range spec.Append(nil) {
			do(c)
		}
		do(msg.SetPhase(spec.ID, msg.Continuous))
		do(msg.SetMark(spec.ID, 10_000))
	}
	for id := 1; id <= accounts; id++ {
		do(msg.Deposit(msg.AccountID(id), 1<<44))
	}
	order := func(n int) msg.Command {
		away := fixed.Ticks(1 + n*7919%400)
		side, price := msg.Buy, 10_000-away
		if n/instruments%2 == 0 {
			side, price = msg.Sell, 10_000+away
		}
		return msg.Limit(msg.AccountID(n/100%accounts)+1, msg.InstrumentID(n%instruments)+1, side, price, 5)
	}
	for n := range *openOrders {
		do(order(n))
	}
	handle, generation := msg.OrderID(*openOrders+1), msg.OrderID(0)
	pair := func(n int) { // one that rests, and goes
		c := order(n)
		do(c)
		do(msg.Cancel(c.Account, c.Instr, generation<<32|handle))
		generation++
	}
	n := 0
	for ; shadow.Last().File == ""; n++ {
		pair(n)
		if n%4096 == 0 {
			for did := true; did; {
				if did, err = shadow.Step(); err != nil {
					b.Fatal(err)
				}
			}
		}
	}
	for last := shadow.Last().Place.Seq; seq < last+msg.Seq(*tail); n++ {
		pair(n)
	}
	w.Publish()
	if err := w.Flush(); err != nil {
		b.Fatal(err)
	}
	if err := shadow.Close(); err != nil {
		b.Fatal(err)
	}
	if err := w.Close(); err != nil {
		b.Fatal(err)
	}
}
