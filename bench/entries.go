package bench

import (
	"fmt"

	"github.com/lockstep-exchange/lockstep/bench/ref"
)

// The competitors, by the letters of the package comment.

// Ladder is L.
func Ladder(p *Plan) Entry {
	return Entry{"ladder", p, func() (Driver, error) { return ref.NewLadder(p.Stream) }}
}

// RiskLadder is K(accounts).
func RiskLadder(p *Plan, accounts uint32) Entry {
	return Entry{fmt.Sprintf("ladder+risk/%d", accounts), p, func() (Driver, error) { return ref.NewRiskLadder(p.Stream, accounts) }}
}

// Map is M.
func Map(p *Plan) Entry {
	return Entry{"map", p, func() (Driver, error) {
		if p.Instruments > 1 {
			return ref.NewMapBooks(p.Stream, p.Instruments, uint32(p.Resting), uint32(p.Deepest)), nil
		}
		return ref.NewMapBook(p.Stream, uint32(p.Resting)), nil
	}}
}

// Bare is A.
func Bare(p *Plan) Entry {
	return Entry{"book", p, func() (Driver, error) { return NewBareBook(p), nil }}
}

// Whole is W with so many accounts.
func Whole(p *Plan, accounts uint32) Entry {
	return Entry{fmt.Sprintf("engine/%d", accounts), p, func() (Driver, error) { return NewWholeEngine(p, accounts) }}
}

// Unchecked is W without the engine's self-checks.
func Unchecked(p *Plan, accounts uint32) Entry {
	return Entry{fmt.Sprintf("engine/%d/unchecked", accounts), p, func() (Driver, error) {
		w, err := NewWholeEngine(p, accounts)
		if err == nil {
			w.SetChecks(false)
		}
		return w, err
	}}
}
