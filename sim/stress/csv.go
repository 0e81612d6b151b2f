package stress

import (
	"encoding/csv"
	"io"
	"strconv"

	"github.com/lockstep-exchange/lockstep/fixed"
)

// The two CSV files: a row for each account under each mode, and a row for each event. Columns that end with _money count 1e-6 of the
// settlement currency, those with _lots and _ticks what the book says of its instrument; docs/STRESS.md explains each.

// AccountColumns are the columns of WriteAccounts.
var AccountColumns = []string{"mode", "account", "name", "owner", "deposit_money", "outcome", "initial_money", "posted_money", "equity_before_money",
	"equity_after_money", "change_money", "calls1", "calls2", "cleared", "liquidations", "slices", "slippage_money", "fees_money", "takeovers",
	"adl", "adl_fills", "socialized_money"}

// EventColumns are the columns of WriteEvents.
var EventColumns = []string{"mode", "seq", "ts", "event", "account", "name", "market", "isolated", "from", "to", "side", "qty_lots", "price_ticks",
	"mark_ticks", "equity_money", "maintenance_money", "amount_money", "fee_money", "position_lots", "cause", "rule"}

func amountOf(m fixed.Money) string { return strconv.FormatInt(int64(m), 10) }

// WriteAccounts writes a row for each account of the book under each mode, by mode and account.
func (p *Report) WriteAccounts(w io.Writer) error {
	out := csv.NewWriter(w)
	out.Write(AccountColumns)
	for _, r := range p.runs {
		for _, a := range r.accounts {
			t := r.collect.of(a.id)
			out.Write([]string{r.mode.String(), number(a.id), a.name, a.owner, amountOf(a.deposit), t.outcome(), amountOf(t.initial), amountOf(t.posted),
				amountOf(t.before), amountOf(t.after), amountOf(t.after - t.before), number(t.calls1), number(t.calls2), number(t.cleared),
				number(t.liquidations), number(t.slices), amountOf(t.slippage), amountOf(t.fees), number(t.takeovers), number(t.adl),
				number(t.fills), amountOf(fixed.Abs(t.socialized))})
		}
	}
	out.Flush()
	return out.Error()
}

func number[T ~int | ~int64 | ~uint32 | ~uint64](n T) string { return strconv.FormatInt(int64(n), 10) }

// WriteEvents writes a row for each event of the ladder, the fund and the oracles, by mode and in their order.
func (p *Report) WriteEvents(w io.Writer) error {
	out := csv.NewWriter(w)
	out.Write(EventColumns)
	for _, r := range p.runs {
		for i := range r.collect.records {
			c := &r.collect.records[i]
			market, side, cause := "", "", ""
			if in := r.instrumentOf(c); in != nil {
				market = in.name
			}
			if c.Side != 0 {
				side = c.Side.String()
			}
			if c.cause != 0 {
				cause = r.accountName(c.cause)
			}
			out.Write([]string{r.mode.String(), number(c.Seq), number(int64(c.Time)), c.Kind.String(), number(c.Account), r.accountName(c.Account), market,
				strconv.FormatBool(c.Isolated), c.From.String(), c.To.String(), side, number(int64(c.Qty)), number(int64(c.Price)), number(int64(c.Mark)),
				amountOf(c.Equity), amountOf(c.Maintenance), amountOf(c.Amount), amountOf(c.Fee), number(int64(c.Position)), cause, c.rule()})
		}
	}
	out.Flush()
	return out.Error()
}
