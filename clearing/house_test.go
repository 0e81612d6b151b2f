package clearing

import (
	"flag"
	"fmt"
	"testing"

	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/margin"
	"github.com/lockstep-exchange/lockstep/market"
	"github.com/lockstep-exchange/lockstep/msg"
)

var houseMoves = flag.Int("clearing.moves", 40_000, "moves of TestHouseAgainstNaive, over all its seeds")

// houseWorld is a house and its twin, and does the same with both, as an engine would.
type houseWorld struct {
	*xorshift
	*House
	t           *testing.T
	n           *naive
	instruments []market.Instrument
	venue       market.Venue
	now         fixed.Nanos
	orders      []*naiveOrder // that rest
	spare       []uint32      // handles of orders
}

const (
	worldAccounts = 5
	worldOrders   = 40
)

func newHouseWorld(t *testing.T, seed xorshift) *houseWorld {
	w := &houseWorld{xorshift: &seed, t: t, instruments: make([]market.Instrument, 5), venue: market.NewVenue(), now: 20 * fixed.Hour}
	for id, l := range []msg.Listing{1: {Type: msg.Perpetual, TickLot: 7, UnitLots: 10}, 2: {Type: msg.Perpetual, TickLot: 10_000},
		4: {Type: msg.Spot, TickLot: 33}} {
		if l.Type != 0 {
			w.instruments[id].List(l)
			w.instruments[id].SetMark(fixed.Ticks(50 + w.below(200)))
		}
	}
	w.House = New(Limits{Accounts: 8, Positions: 64, Orders: worldOrders, AccountPositions: 8, OwnerAccounts: 4}, w.instruments)
	w.n = newNaive(w.instruments)
	for id := msg.AccountID(1); id <= worldAccounts; id++ {
		owner := msg.OwnerID(id | 1)
		if r := w.Open(id, owner, msg.AllGroups); r != 0 {
			t.Fatal(r.Name())
		}
		w.n.open(id, owner)
	}
	for h := uint32(1); h <= worldOrders; h++ {
		w.spare = append(w.spare, h)
	}
	w.pass(0)
	return w
}

func (w *houseWorld) pass(d fixed.Nanos) {
	w.now += d
	w.n.day = int64(w.now / fixed.Day)
	if w.now >= w.Cut() {
		w.StartDay(w.now)
	}
}

func (w *houseWorld) account() msg.AccountID { return msg.AccountID(1 + w.below(worldAccounts)) }

func (w *houseWorld) instrument() msg.InstrumentID {
	return [4]msg.InstrumentID{1, 1, 2, 4}[w.below(4)]
}

// touch brings an account up to date in both, and holds what vests by it.
func (w *houseWorld) touch(id msg.AccountID) error {
	want := w.n.vest(id)
	if got, _, _ := w.Touch(id); got != want {
		return fmt.Errorf("account %d: %s vests, want %s", id, got, want)
	}
	return nil
}

// row is the position of an account, taken where there is none.
func (w *houseWorld) row(id msg.AccountID, instr msg.InstrumentID) uint32 {
	if row := w.Find(id, instr); row != 0 {
		return row
	}
	if !w.CanTake(id) {
		w.t.Fatal("the table is too small for the test")
	}
	return w.Take(id, instr)
}

func (w *houseWorld) price(instr msg.InstrumentID) fixed.Ticks {
	return max(1, w.instruments[instr].Mark+fixed.Ticks(w.below(41)-20))
}

// move does one thing to both.
func (w *houseWorld) move() error {
	w.pass(fixed.Nanos(w.below(int64(fixed.Minute))))
	switch act := w.below(100); {
	case act < 25:
		return w.rest()
	case act < 50:
		return w.trade()
	case act < 58 && len(w.orders) > 0:
		return w.cancel(int(w.below(int64(len(w.orders)))))
	case act < 66 && len(w.orders) > 0:
		return w.shrink(w.orders[w.below(int64(len(w.orders)))])
	case act < 72 && len(w.orders) > 0:
		return w.suspend(int(w.below(int64(len(w.orders)))))
	case act < 80:
		return w.pay()
	case act < 92:
		return w.remark()
	case act < 94:
		w.pass(fixed.Nanos(w.below(int64(2 * fixed.Day))))
		return nil
	}
	return w.touch(w.account())
}

// rest puts a new order into both.
func (w *houseWorld) rest() error {
	if len(w.spare) == 0 {
		return nil
	}
	id, instr := w.account(), w.instrument()
	in := &w.instruments[instr]
	if err := w.touch(id); err != nil {
		return err
	}
	h := w.spare[len(w.spare)-1]
	w.spare = w.spare[:len(w.spare)-1]
	o := &naiveOrder{account: id, instr: instr, leaves: fixed.Lots(1 + w.below(50)),
		Resting: Resting{Order: h, Side: msg.Side(1 + w.below(2)), ReduceOnly: w.below(5) == 0 && in.Type != msg.Spot, Limit: w.price(instr)}}
	o.terms = margin.TermsOf(in, o.Side, o.Limit)
	w.Add(o.Resting, w.row(id, instr), in, o.terms, o.leaves)
	w.n.resting[h] = o
	w.orders = append(w.orders, o)
	return nil
}

// forget takes an order out of the test's own lists.
func (w *houseWorld) forget(o *naiveOrder) {
	for i := range w.orders {
		if w.orders[i] == o {
			w.orders = append(w.orders[:i], w.orders[i+1:]...)
			break
		}
	}
	delete(w.n.resting, o.Order)
	w.spare = append(w.spare, o.Order)
}

func (w *houseWorld) cancel(i int) error {
	o := w.orders[i]
	if err := w.touch(o.account); err != nil {
		return err
	}
	row := w.Claim(o.Order).Position
	w.Remove(o.Resting, &w.instruments[o.instr], o.leaves)
	w.Tidy(row)
	w.forget(o)
	return nil
}

func (w *houseWorld) shrink(o *naiveOrder) error {
	if o.leaves < 2 {
		return nil
	}
	if err := w.touch(o.account); err != nil {
		return err
	}
	by := fixed.Lots(1 + w.below(int64(o.leaves-1)))
	o.leaves -= by
	w.Shrink(o.Resting, &w.instruments[o.instr], by, o.leaves)
	return nil
}

// suspend lets an order work as a taker: it trades nothing or some, and rests again at another price or goes.
func (w *houseWorld) suspend(i int) error {
	o := w.orders[i]
	in := &w.instruments[o.instr]
	if err := w.touch(o.account); err != nil {
		return err
	}
	w.Suspend(o.Resting, in, o.leaves)
	o.suspended = true
	if err := w.n.compare(w.House, &w.venue); err != nil {
		return fmt.Errorf("suspended: %w", err)
	}
	row := w.Claim(o.Order).Position
	if w.below(3) == 0 {
		w.Unlist(o.Resting)
		w.Tidy(row)
		w.forget(o)
		return nil
	}
	o.suspended = false
	o.Limit, o.leaves = w.price(o.instr), fixed.Lots(1+w.below(60))
	o.terms = margin.TermsOf(in, o.Side, o.Limit)
	w.Resume(o.Resting, in, o.terms, o.leaves)
	return nil
}

// trade lets a taker meet a resting order, at its price.
func (w *houseWorld) trade() error {
	if len(w.orders) == 0 {
		return nil
	}
	o := w.orders[w.below(int64(len(w.orders)))]
	in, taker := &w.instruments[o.instr], w.account()
	if err := w.touch(taker); err != nil {
		return err
	}
	if err := w.touch(o.account); err != nil {
		return err
	}
	q := fixed.Lots(1 + w.below(int64(o.leaves)))
	n := fixed.Money(w.n.worth(o.instr, q, o.Limit).Int64())
	same := w.n.accounts[taker].owner == w.n.accounts[o.account].owner
	takerFee, makerFee := charge(n, in.Taker, in.Maker, same)
	if err := w.charged(in, n, same, takerFee, makerFee); err != nil {
		return err
	}
	w.Collect(takerFee, makerFee, o.account)
	w.n.fees.Add(w.n.fees, product(int64(takerFee+makerFee)))
	if makerFee < 0 {
		a := w.n.accounts[o.account]
		a.rebate.Sub(a.rebate, product(int64(makerFee)))
		a.rebateDay = w.n.day
	}

	delta := q
	if o.Side == msg.Sell {
		delta = -q
	}
	o.leaves -= q
	takerRow, makerRow := w.row(taker, o.instr), w.Claim(o.Order).Position
	got := w.FillResting(o.Resting, in, q, o.leaves, o.Limit, max(makerFee, 0))
	if want := w.n.fill(o.account, o.instr, delta, o.Limit, max(makerFee, 0)); got != want {
		return fmt.Errorf("maker realized %s, want %s", got, want)
	}
	w.state(o.account, got, max(makerFee, 0))
	got = w.Fill(0, takerRow, in, -delta, o.Limit, takerFee)
	if want := w.n.fill(taker, o.instr, -delta, o.Limit, takerFee); got != want {
		return fmt.Errorf("taker realized %s, want %s", got, want)
	}
	w.Settle(takerRow, in)
	w.state(taker, got, takerFee)
	if o.leaves == 0 {
		w.forget(o)
	}
	if w.Tidy(makerRow); takerRow != makerRow {
		w.Tidy(takerRow)
	}
	return nil
}

func (w *houseWorld) state(id msg.AccountID, realized, fee fixed.Money) {
	w.State(id, realized, fee)
	a := w.n.accounts[id]
	a.realized.Add(a.realized, product(int64(realized)))
	a.fees.Add(a.fees, product(int64(fee)))
}

// charged holds the rules of fees (M-43, M-45, I-27).
func (w *houseWorld) charged(in *market.Instrument, n fixed.Money, same bool, taker, maker fixed.Money) error {
	one := product(int64(fixed.One))
	if want := money(up(product(int64(n), int64(in.Taker)), one)); taker != want {
		return fmt.Errorf("taker pays %d of %d, want %d", taker, n, want)
	}
	want := money(up(product(int64(n), int64(max(0, in.Maker))), one))
	if in.Maker < 0 && !same {
		want = -min(taker, money(product(int64(n), -int64(in.Maker)).Div(product(int64(n), -int64(in.Maker)), one)))
	}
	if maker != want || taker+maker < 0 {
		return fmt.Errorf("maker pays %d of %d, want %d", maker, n, want)
	}
	return nil
}

// pay moves money or an asset.
func (w *houseWorld) pay() error {
	id, to, m := w.account(), w.account(), fixed.Money(1+w.below(2_000_000))
	a := w.n.accounts[id]
	if err := w.touch(id); err != nil {
		return err
	}
	if err := w.touch(to); err != nil {
		return err
	}
	s := w.n.summary(id, &w.venue)
	switch w.below(5) {
	case 0, 1:
		w.Deposit(id, m)
		a.cash.Add(a.cash, product(int64(m)))
		w.n.paidIn.Add(w.n.paidIn, product(int64(m)))
	case 2:
		r := w.Withdraw(id, m, &w.venue)
		if (r == 0) != (m <= s.Withdrawable) {
			return fmt.Errorf("%s withdrawn: %q, withdrawable %s", m, r.Name(), s.Withdrawable)
		}
		if r == 0 {
			a.cash.Sub(a.cash, product(int64(m)))
			w.n.paidIn.Sub(w.n.paidIn, product(int64(m)))
		}
	case 3:
		if id == to {
			return nil
		}
		most := s.Withdrawable
		if b := w.n.accounts[to]; b.owner == a.owner {
			most = max(0, min(s.Cash, s.Free))
		}
		r := w.Transfer(id, to, m, &w.venue)
		if (r == 0) != (m <= most) {
			return fmt.Errorf("%s transferred: %q, at most %s", m, r.Name(), most)
		}
		if r == 0 {
			a.cash.Sub(a.cash, product(int64(m)))
			b := w.n.accounts[to]
			b.cash.Add(b.cash, product(int64(m)))
		}
	case 4:
		lots := fixed.Lots(1 + w.below(100))
		row := w.row(id, 4)
		if w.below(2) == 0 {
			w.DepositAsset(row, lots)
			a.qty[4] += lots
		} else if lots <= w.AssetFree(row) {
			w.WithdrawAsset(row, lots)
			a.qty[4] -= lots
		}
		w.Tidy(row)
	}
	return nil
}

// remark changes a mark, a rule or a rate.
func (w *houseWorld) remark() error {
	in := &w.instruments[w.instrument()]
	switch w.below(6) {
	case 0, 1, 2:
		in.SetMark(max(1, in.Mark+fixed.Ticks(w.below(61)-30)))
	case 3:
		taker := fixed.Rate(w.below(int64(fixed.Percent)))
		in.SetFees(msg.Fees{Maker: fixed.Rate(w.below(2*int64(fixed.Percent))) - taker, Taker: taker})
	case 4:
		maintenance := fixed.Rate(w.below(int64(fixed.One / 4)))
		in.SetTier(msg.Tier{UpTo: fixed.Money(1 + w.below(300_000)), Initial: 2 * maintenance, Maintenance: maintenance})
		in.SetTier(msg.Tier{Index: 1, Initial: 3 * maintenance, Maintenance: 2 * maintenance})
	case 5:
		in.SetRule(msg.Setting{Rule: msg.SlopeInitial, Value: w.below(3_000_000)})
		in.SetRule(msg.Setting{Rule: msg.SlopeMaintenance, Value: w.below(int64(in.SlopeInitial) + 1)})
	}
	w.venue.ProfitHaircut, w.venue.WithdrawMargin = fixed.Rate(w.below(int64(fixed.One)+1)), fixed.Rate(w.below(int64(fixed.One)+1))
	w.Remark()
	return nil
}

// TestHouseAgainstNaive does the same with a house and its twin, and compares every figure after every move.
func TestHouseAgainstNaive(t *testing.T) { // S-15, T-1, I-01, I-02, I-11, I-27, A-22, M-03, M-04, M-05, M-15, M-19, M-20, M-43, M-45
	const worlds = 4
	for i := range uint64(worlds) {
		seed := xorshift(0x9E3779B97F4A7C15 + i*0x2545F4914F6CDD1D)
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			moves := *houseMoves / worlds
			if testing.Short() {
				moves /= 5
			}
			t.Logf("seed %#x, %d moves", uint64(seed), moves)
			w := newHouseWorld(t, seed)
			for k := range moves {
				err := w.move()
				if err == nil {
					err = w.n.compare(w.House, &w.venue)
				}
				if err != nil {
					t.Fatalf("move %d: %v", k, err)
				}
			}
		})
	}
}
