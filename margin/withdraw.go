package margin

import "github.com/lockstep-exchange/lockstep/fixed"

// What may leave a pool, and what an asset in it counts.

// ProfitHaircut is the part of a position's unrealized profit that may not be withdrawn (M-19): Ceil(max(0, profit) ·
// haircut), with a haircut of at most 100 %.
func ProfitHaircut(profit fixed.Money, haircut fixed.Rate) fixed.Money {
	m, _ := haircut.Ceil(max(0, profit))
	return m
}

// WithdrawalMargin is what stays behind a withdrawal (M-19): the initial requirement, or rate of the notional of all
// positions where that is more.
func WithdrawalMargin(initial, notional fixed.Money, rate fixed.Rate) (m fixed.Money, ok bool) {
	m, ok = rate.Ceil(notional)
	return max(m, initial), ok
}

// Withdrawable is what may leave a pool (M-19): max(0, min(cash, equity - haircut - stays)). Between accounts of one owner
// the haircut is 0 and what stays is the initial requirement (M-20).
func Withdrawable(cash, equity, haircut, stays fixed.Money) fixed.Money {
	left, ok := fixed.Widen(int64(equity)).Sub(fixed.Widen(int64(haircut))).Sub(fixed.Widen(int64(stays))).Int64()
	if !ok || left <= 0 { // haircut and what stays are not below 0: what does not fit is far below
		return 0
	}
	return max(0, min(cash, fixed.Money(left)))
}

// AssetValue is what lots of an asset count as collateral (M-03): Floor(lots / unitLots · index · (1 - haircut)), with an
// index in Money per unit and a haircut of at most 100 %. None of them is below zero; unitLots is above 0.
func AssetValue(lots, unitLots fixed.Lots, index fixed.Money, haircut fixed.Rate) (m fixed.Money, ok bool) {
	whole := fixed.MulWide(int64(lots), int64(index)).Huge().Times(uint64(fixed.One - haircut))
	units, _ := whole.Floor(uint64(unitLots))
	value, _ := units.Floor(uint64(fixed.One)) // floor after floor is the floor of both
	v, ok := value.Int64()
	return fixed.Money(v), ok
}
