package engine

import (
	"flag"
	"fmt"
	"slices"
	"testing"

	"github.com/lockstep-exchange/lockstep/clearing"
	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/msg"
)

var invariantCommands = flag.Int("engine.commands", 3_000_000, "commands of TestInvariants, over all its days")

// observer applies commands and holds what must be true after every one of them.
type observer struct {
	*desk
	refusals int
}

// fingerprint is the hash of all that a refused command may not change: the state without sequence number, time, quotas
// and client ids, and which mass quote is under way.
func (o *observer) fingerprint() uint64 {
	seq, now, quoting := o.seq, o.now, o.quoting
	o.quoting.count = 0
	quotas := make([][2]fixed.Nanos, o.limits.Accounts+1)
	last := make([]msg.Ref, len(o.gate.Sessions))
	for id := range quotas {
		quota := &o.house.Statement(msg.AccountID(id)).Quota
		quotas[id], *quota = *quota, [2]fixed.Nanos{}
	}
	for i := range last {
		last[i], o.gate.Sessions[i].Last = o.gate.Sessions[i].Last, 0
	}
	keys, rows := slices.Clone(o.gate.Keys), slices.Clone(o.clients.rows)
	for i := range rows {
		o.gate.Keys[i].Last, o.clients.rows[i].next, o.clients.rows[i].server = 0, 0, 0
	}
	o.Engine.seq, o.Engine.now = 0, 0
	hash := o.Hash()
	o.Engine.seq, o.Engine.now, o.quoting = seq, now, quoting
	for id := range quotas {
		o.house.Statement(msg.AccountID(id)).Quota = quotas[id]
	}
	for i := range last {
		o.gate.Sessions[i].Last = last[i]
	}
	copy(o.gate.Keys, keys)
	copy(o.clients.rows, rows)
	return hash
}

// settled lets left-over work end and brings every account up to date, so that the next command brings nothing but its
// own. The day is that of the command to come.
func (o *observer) settled() {
	for range 2 { // what is touched may have to be examined
		for id := range o.limits.Accounts + 1 {
			if o.house.Account(msg.AccountID(id)) != nil {
				o.house.Touch(msg.AccountID(id))
			}
		}
		o.do(msg.Tick())
		for at, ok := o.NextDue(); ok && at <= o.at; at, ok = o.NextDue() {
			o.do(msg.Tick())
		}
	}
}

// watch applies a command and says which invariant is broken.
func (o *observer) watch(c msg.Command) error {
	o.at = max(o.at, c.Time)
	examined := uint64(0)
	if o.refusals%16 == 15 {
		o.settled()
		examined = o.fingerprint()
		o.refusals = 0
	}
	before, _ := o.Account(c.Account)
	held, _ := o.Position(c.Account, c.Instr)
	owned := o.owned(c.Account)
	events := o.do(c)
	if err := o.answered(events); err != nil {
		return err
	}
	if refusal(events) != 0 {
		o.refusals++
		if examined != 0 {
			if o.fingerprint() != examined {
				return fmt.Errorf("refused as %s, and yet something has changed", refusal(events).Name())
			}
			o.refusals = 0
		}
	}
	if err := o.covered(&c, events, before, held); err != nil {
		return err
	}
	if err := o.apart(&c, events, before, owned); err != nil {
		return err
	}
	if money, lots := o.Imbalance(); money != 0 || lots != 0 {
		return fmt.Errorf("%s and %d lots are missing", money, lots)
	}
	if row := o.stained(); row != 0 {
		return fmt.Errorf("row %d is free, and its ledger is not zero", row)
	}
	if err := o.onTheLadder(events); err != nil {
		return err
	}
	return o.uncrossed()
}

// answered holds that a command has events, in order, and no more than one command may have.
func (o *observer) answered(events []msg.Event) error {
	if len(events) == 0 || len(events) > int(o.limits.Events) {
		return fmt.Errorf("%d events", len(events))
	}
	for i := range events {
		e := &events[i]
		if e.Seq != o.seq || int(e.Index) != i || e.Time != o.at || e.Kind == 0 {
			return fmt.Errorf("event %d of seq %d is %s", i, o.seq, e.String())
		}
		if e.Kind == msg.Rejected && (i != len(events)-1 && !o.later(events[i+1:]) || e.Reject == 0) {
			return fmt.Errorf("event %d is a refusal, and then %s", i, events[i+1].String())
		}
	}
	return nil
}

// later reports whether events are left-over work alone.
func (o *observer) later(events []msg.Event) bool {
	for i := range events {
		switch e := &events[i]; {
		case e.Kind == msg.Canceled, e.Kind == msg.MassCanceled, e.Kind == msg.RebateVested, e.Kind == msg.FundingPaid,
			e.Kind == msg.MarginMoved, e.Kind == msg.Expired, e.Kind >= msg.MarginCall, e.Kind == msg.Traded && e.Fill().Peer == 0:
		default:
		}
	}
	return true
}

// covered holds that an order which was accepted and did not only reduce leaves equity at or above the initial
// requirement, but for the rounding of the fee of each fill; that no trade costs the venue; and that an account which is
// below initial never lets maintenance rise by an order that fills.
func (o *observer) covered(c *msg.Command, events []msg.Event, before clearing.Summary, held clearing.Holding) error { // I-12, I-13, I-27
	accepted, fills, expired := false, fixed.Money(0), fixed.Lots(0)
	for i := range events {
		switch e := &events[i]; e.Kind {
		case msg.Expired: // before the order was looked at
			if e.Account == c.Account && e.Instr == c.Instr && e.Side == c.Side {
				expired += e.Qty
			}
		case msg.Accepted:
			accepted = true
		case msg.Traded:
			if f := e.Fill(); f.Maker && f.Peer == 0 { // the other side is a slice
				if f.Fee < 0 {
					return fmt.Errorf("event %d: a rebate for meeting a slice", i)
				}
			} else if f.Maker {
				if i+1 == len(events) || events[i+1].Kind != msg.Traded || events[i+1].Fill().Trade != f.Trade {
					return fmt.Errorf("event %d: half a trade", i)
				}
				if sum := f.Fee + events[i+1].Fill().Fee; sum < 0 {
					return fmt.Errorf("trade %d earns the venue %d", f.Trade, sum)
				}
			}
			if e.Account == c.Account {
				fills++
			}
		}
	}
	if !accepted || distressed(events, c.Account) {
		return nil
	}
	after, _ := o.Account(c.Account)
	against, lots := held.Sells, held.Qty
	if c.Side == msg.Buy {
		against, lots = held.Buys, -held.Qty
	}
	if c.Flags&msg.FlagReduceOnly == 0 && against-expired+c.Qty > lots && after.Free < -fills {
		return fmt.Errorf("accepted with %s free, and now %s after %d fills", before.Free, after.Free, fills)
	}
	if before.Free < 0 && after.Maintenance > before.Maintenance {
		return fmt.Errorf("below initial, and maintenance rose from %s to %s", before.Maintenance, after.Maintenance)
	}
	return nil
}

// owned is the cash of an account with that of its isolated positions.
func (o *observer) owned(id msg.AccountID) (m fixed.Money) {
	s, _ := o.Account(id)
	for i := range o.instruments {
		p, _ := o.Position(id, msg.InstrumentID(i))
		m += p.Margin
	}
	return s.Cash + m
}

// apart holds that an isolated position takes nothing of its account but for lots that open and where its account says so,
// that no money is made by a change of mode, and that both pools are sound after it; and that what an accepted order may open
// survives its fill.
func (o *observer) apart(c *msg.Command, events []msg.Event, before clearing.Summary, owned fixed.Money) error { // I-06, I-12, I-15
	changed, moving := false, false
	for i := range events {
		switch e := &events[i]; e.Kind {
		case msg.RebateVested, msg.FundingSettled:
			moving = true
		case msg.Traded: // it met a slice that was due
			moving = moving || e.Account == c.Account && e.Fill().Peer == 0
		case msg.ModeChanged:
			changed = true
		case msg.MarginMoved:
			changed = changed || c.Kind == msg.KindMoveMargin && refusal(events) == 0 // and not what a slice moved
			if e.Balance().Amount > 0 && c.Kind != msg.KindMoveMargin && !opened(events[:i], e) {
				return fmt.Errorf("event %d: an isolated position took %s and opened nothing", i, e.Balance().Amount)
			}
		}
	}
	if distressed(events, c.Account) {
		return nil
	}
	after, _ := o.Account(c.Account)
	child, _ := o.Position(c.Account, c.Instr)
	if changed && !moving && o.owned(c.Account) != owned {
		return fmt.Errorf("%s were %s before the mode changed", o.owned(c.Account), owned)
	}
	if changed && (after.Free < 0 && (c.Kind != msg.KindMoveMargin || after.Free < before.Free) ||
		child.Mode == msg.ModeIsolated && child.Margin+child.Profit < child.Initial && c.Isolation().Margin <= 0) {
		return fmt.Errorf("after a change of margin the account has %s free, the position %+v", after.Free, child)
	}
	return o.survives(c, events, &child)
}

// opened reports whether a trade among events opened lots for what moved margin.
func opened(events []msg.Event, moved *msg.Event) bool {
	for i := range events {
		e := &events[i]
		if e.Kind != msg.Traded || e.Account != moved.Account || e.Instr != moved.Instr {
			continue
		}
		if q := e.Fill().Position; e.Side == msg.Buy && q > 0 || e.Side == msg.Sell && q < 0 {
			return true
		}
	}
	return false
}

// survives holds that an isolated order which was accepted and opened lots at once leaves its position at or above maintenance,
// but for the rounding of what each fill posts. Where the rate is above 100 % a better price posts less than it gains.
func (o *observer) survives(c *msg.Command, events []msg.Event, child *clearing.Holding) error {
	fills, opens := fixed.Money(0), false
	for i := range events {
		e := &events[i]
		if e.Kind == msg.Traded && e.Account == c.Account && e.Fill().Maker { // with itself: the position went another way
			return nil
		}
		if e.Kind == msg.Traded && e.Account == c.Account {
			fills++
			opens = child.Mode == msg.ModeIsolated && (e.Side == msg.Buy) == (child.Qty > 0)
		}
	}
	if in := &o.instruments[c.Instr&3]; !opens || in.SlopeInitial != 0 || in.Crowding.Count != 0 || fills == 0 {
		return nil
	}
	if e := child.Margin + child.Profit; e < child.Maintenance-fills {
		return fmt.Errorf("an accepted order leaves its position with equity %s below maintenance %s", e, child.Maintenance)
	}
	return nil
}

// uncrossed holds that no bid reaches an ask.
func (o *observer) uncrossed() error {
	for id := range o.instruments {
		bid, ok := o.Best(msg.InstrumentID(id), msg.Buy)
		ask, both := o.Best(msg.InstrumentID(id), msg.Sell)
		if ok && both && bid >= ask {
			return fmt.Errorf("instrument %d: bid %d, ask %d", id, bid, ask)
		}
	}
	return nil
}

// TestInvariants lets random days pass and holds after every command what must always be true. The engine's own checks
// of sums are called for every account now and then, and by itself for the one that acts.
func TestInvariants(t *testing.T) { // I-01, I-02, I-11, I-12, I-13, I-26, I-27, A-15, A-16, A-22
	many := append([]day(nil), days...)
	many = append(many, day{name: "wide", limits: Limits{Instruments: 3, Accounts: 16, Orders: 4096, Events: 512, Jobs: 8}, accounts: 6, lots: 500,
		money: 1_000_000, width: 60, calm: 97, leap: 2000})
	for i, d := range many {
		seed := xorshift(*firstSeed + uint64(i+100)*0x2545F4914F6CDD1D)
		count := *invariantCommands / len(many)
		if testing.Short() {
			count /= 20
		}
		t.Run(d.name, func(t *testing.T) {
			t.Logf("seed %#x, %d commands", uint64(seed), count)
			tr := newTrader(d, &seed)
			o := &observer{desk: newDesk(t, d.limits)}
			opening, kinds := tr.opening(), map[msg.EventKind]int{}
			for k := range count {
				var c msg.Command
				if k < len(opening) {
					c = opening[k]
				} else {
					c = tr.next()
				}
				if err := o.watch(c); err != nil {
					t.Fatalf("seq %d: %s: %v", o.seq, c.String(), err)
				}
				tr.see(&c, o.last)
				for i := range o.last {
					kinds[o.last[i].Kind]++
				}
				if k%64 == 0 {
					o.sound()
				}
			}
			t.Logf("hash %016x after seq %d: %d accepted, %d amended, %d sides of trades, %d canceled, %d expired, %d refused", o.Hash(), o.seq,
				kinds[msg.Accepted], kinds[msg.Amended], kinds[msg.Traded], kinds[msg.Canceled], kinds[msg.Expired], kinds[msg.Rejected])
		})
	}
}

// stained is a free row of which the ledger is not zero, 0 where there is none.
func (o *observer) stained() uint32 {
	for row := uint32(1); row < 2*o.limits.Positions+8; row++ {
		if o.house.Position(row).Account == 0 && *o.house.Ledger(row) != (clearing.Ledger{}) {
			return row
		}
	}
	return 0
}
