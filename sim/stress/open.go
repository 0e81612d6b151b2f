package stress

import (
	"fmt"

	"github.com/lockstep-exchange/lockstep/engine"
	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/market"
	"github.com/lockstep-exchange/lockstep/msg"
)

// How a book comes to be in the engine: by commands, as it would on a venue. Every position is a trade at the opening price, its other
// side a counterparty that holds whatever the book does not balance. Fees come into force when all is held, so nobody pays to be in the
// book that the file describes.
//
//	accounts 1 .. n      the book's
//	n + 1  @counterparty the other side of every position
//	n + 2  @maker        quotes around the price, and takes what is sold

const (
	sources    = 3 // of every index
	deepPocket = 100_000_000_000 * fixed.Coin
)

// limits are those of an engine for a book.
func (b *Book) limits(accounts []*account) engine.Limits {
	positions, widest := 4*len(b.instruments), len(b.instruments)
	owners := map[string]int{}
	for _, a := range accounts {
		positions += len(a.positions)
		owners[a.owner]++
	}
	shared := 1
	for _, n := range owners {
		shared = max(shared, n)
	}
	return engine.Limits{Instruments: uint32(len(b.instruments)), Underlyings: uint32(len(b.instruments)), Accounts: uint32(len(accounts) + 2),
		Positions: uint32(positions + 16), Orders: uint32(2*64*len(b.instruments) + 256), Events: 1 << 12, Sessions: 1,
		AccountPositions: uint32(max(widest, 1)), OwnerAccounts: uint32(shared)}
}

// open brings the book into the engine.
func (r *run) open() error {
	c := r.collect
	r.counterparty = msg.AccountID(len(r.accounts) + 1)
	r.maker = r.counterparty + 1
	c.maker = r.maker
	for _, do := range []func() error{r.openVenue, r.openMarkets, r.openAccounts, r.openPositions, r.postMargin, r.startFees} {
		if err := do(); err != nil {
			return err
		}
	}
	c.opened = true
	c.fund = r.eng.VenueAccounts().Fund
	c.fundLow = c.fund
	for _, a := range r.accounts {
		v := r.value(a)
		t := c.of(a.id)
		t.initial, t.posted, t.before = v.initial, v.behind, v.equity
	}
	return nil
}

// refused is the fault of a book of which the engine takes something amiss.
func (r *run) refused(offset int, why msg.Reject, format string, args ...any) error {
	return r.book.file.Alone(offset, "%s is refused under %s margin: %s", fmt.Sprintf(format, args...), r.mode, why.Name())
}

// set sends settings until none is left or none of those left is taken: some must be in order, whatever the order of the file.
func (r *run) set(in msg.InstrumentID, settings []msg.Setting, offset int) error {
	left := settings
	for len(left) > 0 {
		var again []msg.Setting
		why := msg.Reject(0)
		for _, s := range left {
			if no := r.send(msg.SetRule(in, s.Rule, s.Value)); no != 0 {
				why, again = no, append(again, s)
			}
		}
		if len(again) == len(left) {
			return r.refused(offset, why, "%s = %d", again[0].Rule, again[0].Value)
		}
		left = again
	}
	return nil
}

func (r *run) openVenue() error {
	stale := msg.Setting{Rule: msg.OracleStale, Value: int64(2*r.shock.step + fixed.Second)}
	if err := r.set(0, append([]msg.Setting{stale}, r.book.venue...), 0); err != nil {
		return err
	}
	if r.book.fund > 0 {
		r.send(msg.PayFund(r.book.fund))
	}
	return nil
}

// openMarkets lists underlyings and instruments, reports the opening price, and opens them for trading.
func (r *run) openMarkets() error {
	for _, in := range r.book.instruments {
		u := in.underlying
		if r.walks[u.id] == nil {
			l := msg.Underlying{ID: u.id, Sources: sources}
			copy(l.Symbol[:], u.name)
			r.send(msg.ListUnderlying(l))
			r.walks[u.id] = newWalk(r.shock, u, r.seed)
			r.prices[u.id] = u.price
			r.send(msg.ReportPrice(msg.Report{Underlying: u.id, Price: u.price, Confidence: fixed.One}))
		}
		spec := market.Spec{ID: in.id, Symbol: in.name, Type: msg.Perpetual, TickLot: in.tickLot, UnitLots: in.unitLots, Start: in.price,
			Underlying: u.id, Mark: in.mark, Tiers: in.tiers}
		for _, c := range spec.Append(nil) {
			if no := r.send(c); no != 0 {
				return r.refused(in.offset, no, "%s, or its tiers,", in.name)
			}
		}
		byCommand := msg.Setting{Rule: msg.FundingInterval} // the shock says what funding costs
		if err := r.set(in.id, append([]msg.Setting{byCommand}, in.rules...), in.offset); err != nil {
			return err
		}
		r.send(msg.SetPhase(in.id, msg.Continuous))
	}
	return nil
}

func (r *run) openAccounts() error {
	owners := map[string]msg.OwnerID{}
	for _, a := range r.accounts {
		owner, there := owners[a.owner]
		if !there {
			owner = msg.OwnerID(a.id)
			owners[a.owner] = owner
		}
		if no := r.send(msg.OpenAccount(a.id, owner, msg.AllGroups)); no != 0 {
			return r.refused(a.offset, no, "account %s", a.name)
		}
		if no := r.send(msg.Deposit(a.id, a.deposit)); no != 0 {
			return r.refused(a.offset, no, "the deposit of account %s", a.name)
		}
	}
	for _, id := range []msg.AccountID{r.counterparty, r.maker} {
		r.send(msg.OpenAccount(id, msg.OwnerID(id), msg.AllGroups))
		if no := r.send(msg.Deposit(id, deepPocket)); no != 0 {
			return r.refused(0, no, "all deposits together")
		}
	}
	return nil
}

// openPositions lets every account trade what it holds with the counterparty, at the opening price.
func (r *run) openPositions() error {
	for _, a := range r.accounts {
		for _, p := range a.positions {
			if p.leverage != 0 {
				if no := r.send(msg.SetLeverage(a.id, p.in.id, p.leverage)); no != 0 {
					return r.refused(p.offset, no, "a leverage of %d.%02d of account %s in %s", p.leverage/100, p.leverage%100, a.name, p.in.name)
				}
			}
			side, other := msg.Buy, msg.Sell
			if p.qty < 0 {
				side, other = other, side
			}
			if no := r.send(msg.Limit(r.counterparty, p.in.id, other, p.in.price, fixed.Abs(p.qty))); no != 0 {
				return r.refused(p.offset, no, "the other side of %s %s of account %s", p.in.lots(p.qty), p.in.name, a.name)
			}
			take := msg.Limit(a.id, p.in.id, side, p.in.price, fixed.Abs(p.qty))
			take.TIF = msg.IOC
			if r.mode == msg.ModeIsolated {
				take.Flags = msg.FlagIsolated
			}
			if no := r.send(take); no != 0 {
				return r.refused(p.offset, no, "%s %s of account %s, with a deposit of %s,", p.in.lots(p.qty), p.in.name, a.name, a.deposit)
			}
			r.positions++
		}
	}
	return nil
}

// postMargin gives isolated positions what they are to have beyond their initial margin.
func (r *run) postMargin() error {
	if r.mode != msg.ModeIsolated {
		return nil
	}
	for _, a := range r.accounts {
		s, _ := r.eng.Account(a.id)
		sum, free := fixed.Money(0), s.Free
		for _, p := range a.positions {
			h, _ := r.eng.Position(a.id, p.in.id)
			sum += h.Margin
		}
		for i, p := range a.positions {
			h, _ := r.eng.Position(a.id, p.in.id)
			more := max(p.margin-h.Margin, 0)
			if r.book.posts && p.margin == 0 && sum > 0 {
				part, _ := fixed.MulDivFloor(int64(free), int64(h.Margin), int64(sum))
				more = fixed.Money(part)
				if i == len(a.positions)-1 {
					s, _ = r.eng.Account(a.id)
					more = s.Free
				}
			}
			if more <= 0 {
				continue
			}
			if no := r.send(msg.MoveMargin(a.id, p.in.id, more)); no != 0 {
				return r.refused(p.offset, no, "a margin of %s of account %s in %s", h.Margin+more, a.name, p.in.name)
			}
		}
	}
	return nil
}

func (r *run) startFees() error {
	for _, in := range r.book.instruments {
		if no := r.send(msg.SetFees(in.id, in.fees)); no != 0 {
			return r.refused(in.offset, no, "maker and taker fees of %s", in.name)
		}
	}
	return nil
}
