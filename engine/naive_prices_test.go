package engine

import (
	"github.com/lockstep-exchange/lockstep/clearing"
	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/msg"
)

// The part of the twin that is the venue's own money.

// venue is the venue's own accounts (M-05).
func (n *naive) venue() clearing.Venue {
	return clearing.Venue{Fees: n.fees, Rebates: n.rebates, Fund: n.fund, Deficit: -n.uncovered}
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
