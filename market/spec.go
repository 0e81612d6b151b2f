package market

import (
	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/msg"
)

// Spec describes an instrument in one place, for those who set one up: an embedder, a replay, a test. The engine never
// sees it; it sees the commands that Append writes.
type Spec struct {
	ID       msg.InstrumentID
	Symbol   string             // at most 24 bytes
	Type     msg.InstrumentType // msg.Spot or msg.Perpetual
	TickLot  fixed.Money        // the value of one tick of one lot
	UnitLots fixed.Lots         // lots to one unit of the underlying; 0: one
	Start    fixed.Ticks        // a price near which it is expected to trade
	STP      msg.STP            // what STPDefault means; STPDefault: none
	Group    uint8              // permission group, 0..31

	Underlying msg.UnderlyingID // whose index it has; 0: none
	Mark       msg.MarkMode     // where its mark comes from

	Initial, Maintenance fixed.Rate // one bracket; both 0: 10 % and 5 %
	Tiers                []msg.Tier // or several, in order; Index is filled in

	Maker, Taker fixed.Rate
	Rules        []msg.Setting
}

// Append writes the commands that list the instrument, in phase closed and unmarked.
func (s *Spec) Append(dst []msg.Command) []msg.Command {
	l := msg.Listing{Type: s.Type, TickLot: s.TickLot, UnitLots: s.UnitLots, Start: s.Start, STP: s.STP, Group: s.Group,
		Underlying: s.Underlying, Mark: s.Mark}
	copy(l.Symbol[:], s.Symbol)
	dst = append(dst, msg.List(s.ID, l))
	if s.Initial != 0 || s.Maintenance != 0 {
		dst = append(dst, msg.SetTier(s.ID, msg.Tier{Initial: s.Initial, Maintenance: s.Maintenance}))
	}
	for i, t := range s.Tiers {
		t.Index = uint8(i)
		dst = append(dst, msg.SetTier(s.ID, t))
	}
	if s.Maker != 0 || s.Taker != 0 {
		dst = append(dst, msg.SetFees(s.ID, msg.Fees{Maker: s.Maker, Taker: s.Taker}))
	}
	for _, r := range s.Rules {
		dst = append(dst, msg.SetRule(s.ID, r.Rule, r.Value))
	}
	return dst
}
