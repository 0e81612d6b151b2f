package demo

import (
	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/msg"
)

// Who the accounts are, and what they bring. Makers come first; of the takers every tenth margins his positions one by one,
// at a leverage of his choice, and every twentieth is thin: he believes in one direction, puts all he has on it, and has
// little. Nobody's price is bent for him; that he is called and sold is the size of his position and the recorded market.
//
//	accounts   1 .. makers   makers + 1 .. makers + takers
//	           makers        cross, isolated, thin

// role is what an account does.
type role uint8

const (
	maker    role = iota // keeps levels of the book
	cross                // all that he has margins his position
	isolated             // beside his position lies what he could lose with it
	thin                 // cross, on one side, with as much as he may
	lone                 // thin, and isolated
	roles
)

var roleNames = [roles]string{"maker", "cross", "isolated", "thin", "thin, isolated"}

func (r role) String() string { return roleNames[r] }

// isolates reports whether the positions of a role are isolated.
func (r role) isolates() bool { return r == isolated || r == lone }

// thins is that one taker of so many is thin.
const thins = 20

// roleOf is what an account does.
func roleOf(id msg.AccountID) role {
	if id <= makers {
		return maker
	}
	switch i := uint32(id) - makers - 1; {
	case i%(3*thins) == 2*thins-1:
		return lone
	case i%thins == thins-1:
		return thin
	case i%10 == 3:
		return isolated
	}
	return cross
}

// Collateral. That of takers is spread evenly over a range of doublings, so that some of them can carry every order that falls
// to them and some cannot.
const (
	stakeMaker = 50_000_000 * fixed.Coin
	stakeMin   = 200 * fixed.Coin
	stakeSteps = 10
	stakeThin  = 25 * fixed.Coin
	thinSteps  = 5
	fundPaidIn = 10_000 * fixed.Coin
)

// stake is what an account brings.
func (w *writer) stake(id msg.AccountID) fixed.Money {
	switch roleOf(id) {
	case maker:
		return stakeMaker
	case thin, lone:
		return stakeThin << (w.chance.Uint64() % thinSteps)
	}
	return stakeMin << (w.chance.Uint64() % stakeSteps)
}

// leverages are those that an isolated taker chooses from, in hundredths.
var leverages = [...]msg.Leverage{1_000, 2_000, 5_000, 10_000}

// taker is who sends a trade that was taken by a side: one in eight is a thin one's who believes in it, if there is one.
func (w *writer) taker(side msg.Side) msg.AccountID {
	takers := uint64(w.script.accounts - makers)
	first := makers + 1 + msg.AccountID(thins-1)
	if side == msg.Sell {
		first += thins
	}
	if all := uint64(w.script.accounts) + 1; w.chance.Uint64()%8 == 0 && uint64(first) < all {
		pairs := (all - uint64(first) + 2*thins - 1) / (2 * thins)
		return first + 2*thins*msg.AccountID(w.chance.Uint64()%pairs)
	}
	id := makers + 1 + msg.AccountID(w.chance.Uint64()%takers)
	if r := roleOf(id); r == thin || r == lone {
		id--
	}
	return id
}
