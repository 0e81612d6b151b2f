package engine

import (
	"math/big"
	"slices"

	"github.com/lockstep-exchange/lockstep/clearing"
	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/market"
	"github.com/lockstep-exchange/lockstep/msg"
)

// The part of the twin that is time and the venue's own money: day cuts, fee tiers, the fund.

// naivePrices is what the twin knows of them.
type naivePrices struct {
	tiers   []msg.FeeTier
	staged  []msg.FeeTier
	volumes map[msg.OwnerID]map[int64]fixed.Money // by day
	told    map[msg.OwnerID]uint8                 // row of the fee tiers

	venue       market.Venue // the parameters of oracles and marks alone
	underlyings map[msg.UnderlyingID]*naiveUnderlying
	funding     fixed.Money // @funding
	rest        *big.Int    // what rounding has cut off payments so far, in 1e-6 Money, less what the fund has evened out
}

func newNaivePrices() naivePrices {
	return naivePrices{volumes: map[msg.OwnerID]map[int64]fixed.Money{}, told: map[msg.OwnerID]uint8{}, venue: market.NewVenue(),
		underlyings: map[msg.UnderlyingID]*naiveUnderlying{}, rest: new(big.Int)}
}

// cut is the day cut.
func (n *naive) cut() {
	n.even()
	if len(n.prices.tiers) > 0 {
		n.tellTiers(1)
	}
}

// Fee tiers (M-44).

func (n *naive) setFeeTier(c *msg.Command) {
	t, p := c.FeeTier(), &n.prices
	ok := int(t.Index) < 16 && (t.Index == 0 || int(t.Index) == len(p.staged)) && (t.Last || t.Index < 15) &&
		(t.Index == 0 && t.Volume == 0 || t.Index > 0 && t.Volume > 0) && t.Fees.Taker >= 0 && t.Fees.Taker <= fixed.One &&
		t.Fees.Maker <= fixed.One && t.Fees.Maker >= -fixed.One
	if ok {
		table := append(p.staged[:t.Index:t.Index], t)
		for i, a := range table {
			ok = ok && (i == 0 || a.Volume > table[i-1].Volume)
			for _, b := range table {
				ok = ok && a.Fees.Maker+b.Fees.Taker >= 0
			}
		}
		if ok {
			p.staged = table
		}
	}
	if !ok {
		n.refuse(c, msg.RejectInvalidParameter, 0, 0)
		return
	}
	n.answer(msg.FeeTierSet, c).Rare = c.Rare
	if t.Last {
		p.tiers, p.staged = p.staged, nil
		n.tellTiers(1)
	}
}

// volume is what an owner traded in the thirty days before today.
func (n *naive) volume(owner msg.OwnerID) (sum fixed.Money) {
	for d := n.day() - 30; d < n.day(); d++ {
		sum += n.prices.volumes[owner][d]
	}
	return sum
}

func (n *naive) tierOf(owner msg.OwnerID) (row uint8) {
	for i, t := range n.prices.tiers {
		if n.volume(owner) >= t.Volume {
			row = uint8(i)
		}
	}
	return row
}

// feesOf are the rates of an owner in an instrument.
func (n *naive) feesOf(in *naiveInstrument, owner msg.OwnerID) msg.Fees {
	if len(n.prices.tiers) == 0 {
		return in.fees
	}
	return n.prices.tiers[n.tierOf(owner)].Fees
}

// turnover counts a trade between two owners for both of them, from the first table on.
func (n *naive) turnover(taker, maker msg.OwnerID, value fixed.Money) {
	if taker == maker || len(n.prices.tiers) == 0 {
		return
	}
	for _, owner := range []msg.OwnerID{taker, maker} {
		if n.prices.volumes[owner] == nil {
			n.prices.volumes[owner] = map[int64]fixed.Money{}
		}
		n.prices.volumes[owner][n.day()] += value
	}
}

// tellTiers tells owners from one on of their rows, at most one at a time, and looks at no more than eight.
func (n *naive) tellTiers(from msg.OwnerID) {
	n.tellTiersAt(from, n.now)
}

func (n *naive) tellTiersAt(from msg.OwnerID, at fixed.Nanos) {
	n.timers = slices.DeleteFunc(n.timers, func(t naiveTimer) bool { return t.kind == naiveTierTimer })
	n.at(at, naiveTierTimer, uint64(from), 3, func() {
		for owner := from; owner < from+8; owner++ {
			if uint32(owner) > n.limits.Accounts {
				return
			}
			row := n.tierOf(owner)
			if o := n.owners[owner]; o == nil || len(o.accounts) == 0 || n.prices.told[owner] == row {
				continue
			}
			n.prices.told[owner] = row
			n.emit(msg.Event{Kind: msg.FeeTierChanged}).SetTierStep(msg.TierStep{Owner: owner, Row: row, Volume: n.volume(owner)})
			n.tellTiersAt(owner+1, at)
			return
		}
		n.tellTiersAt(from+8, at)
	})
}

// The venue's own money.

// venue is the venue's own accounts (M-05), as if everybody had paid the funding that he owes.
func (n *naive) venue() clearing.Venue {
	v := clearing.Venue{Fees: n.fees, Rebates: n.rebates, Fund: n.fund, Funding: n.prices.funding, Deficit: -n.uncovered}
	gain := fixed.Money(0) // of the fund's inventory
	for _, a := range n.holders() {
		for _, id := range n.ids() {
			m, _ := n.owed(a, id)
			v.Funding += m
			if a == n.inventory {
				gain -= m
			}
		}
	}
	repaid := min(max(gain, 0), -v.Deficit)
	v.Fund, v.Deficit = v.Fund+gain-repaid, v.Deficit+repaid
	if v.Fund < 0 {
		v.Fund, v.Deficit = 0, v.Deficit+v.Fund
	}
	return v
}

// payFund pays into the fund; what nobody has covered is repaid first (M-54).
func (n *naive) payFund(c *msg.Command) {
	pay := c.Payment()
	switch {
	case pay.Amount <= 0:
		n.refuse(c, msg.RejectValueOutOfRange, 0, int64(pay.Amount))
		return
	case pay.Amount > clearing.MaxDeposits-n.paidIn:
		n.refuse(c, msg.RejectOverflow, 0, int64(pay.Amount))
		return
	}
	n.paidIn += pay.Amount
	n.earn(pay.Amount)
	n.answer(msg.FundIncome, c).SetBalance(msg.Balance{Amount: pay.Amount, Cash: n.fund, External: pay.External})
}

func (n *naive) earn(m fixed.Money) {
	for m > 0 && n.uncovered > 0 {
		part := min(m, n.uncovered)
		n.uncovered -= part
		m -= part
	}
	n.fund += m
}
