package riskgate

import "github.com/lockstep-exchange/lockstep/msg"

// Who may do what (D-94). A key has one role; what a session may do is what its key's role may and its kind carries. A gateway asks
// the same table early, the engine decides: what is not listed is denied.
//
//	                  trader   risk manager  operator   others    order entry  risk control
//	MayOrder          own      -             -          -         yes          -
//	MayCancel         own      any           -          -         yes          -
//	MaySweep          own      any           -          -         yes          yes
//	MayMargin         own      any           -          -         yes          yes
//	MayKill           own      any           -          -         yes          yes
//	MayHalt           -        any, owner 0  any        -         yes          yes
//	MayGuard          own      any           -          -         yes          yes
//	MayAsk            own      any           -          -         yes          yes
//
// "own" and "any" are the accounts of the key: one, those of an owner, or with owner 0 everybody's.

// Rights are what a session may do, by bit.
type Rights uint8

const (
	MayOrder  Rights = 1 << iota // new orders, amends and quotes
	MayCancel                    // cancel an order
	MaySweep                     // cancel all orders of an account
	MayMargin                    // leverage, isolated and cross margin
	MayKill                      // turn the kill switch of an account or an owner
	MayHalt                      // turn that of an instrument or the venue
	MayGuard                     // arm what cancels an account's orders by itself
	MayAsk                       // ask how things stand

	mayAll = MayOrder | MayCancel | MaySweep | MayMargin | MayKill | MayHalt | MayGuard | MayAsk
	// DoorRights are those of a session that has no key.
	DoorRights = MayOrder | MayCancel | MaySweep | MayMargin
)

// RightsOf is what a session of a kind may do with a key.
func RightsOf(k *Key, kind msg.SessionKind) (may Rights) {
	switch k.Role {
	case msg.RoleTrader:
		may = MayOrder | MayCancel | MaySweep | MayMargin | MayKill | MayGuard | MayAsk
	case msg.RoleRiskManager:
		may = MayCancel | MaySweep | MayMargin | MayKill | MayGuard | MayAsk
		if k.Owner == 0 {
			may |= MayHalt
		}
	case msg.RoleOperator:
		may = MayHalt
	}
	switch kind {
	case msg.OrderEntry:
		return may
	case msg.RiskControl:
		return may &^ (MayOrder | MayCancel)
	}
	return 0
}

// Carries reports whether a key may have sessions of a kind at all. A drop copy is of all accounts of an owner: a key of one account has
// none.
func Carries(k *Key, kind msg.SessionKind) bool {
	if kind == msg.DropCopy && k.Account != 0 {
		return false
	}
	switch k.Role {
	case msg.RoleTrader:
		return true
	case msg.RoleRiskManager:
		return true
	case msg.RoleOperator:
		return kind != msg.OrderEntry && kind != msg.DropCopy
	case msg.RoleDropCopy, msg.RoleAuditor:
		return kind != msg.OrderEntry && kind != msg.RiskControl
	case msg.RoleTreasury:
		return kind == msg.FeedReplay || kind == msg.FeedSnapshot
	}
	return false
}

// Needs is the right that a command of a client needs, any one of those named; 0: nobody but the venue has it.
func Needs(k msg.Kind) Rights {
	switch k {
	case msg.KindLimit, msg.KindMarket, msg.KindPlace, msg.KindAmend, msg.KindQuote:
		return MayOrder
	case msg.KindCancel:
		return MayCancel
	case msg.KindCancelAll:
		return MaySweep
	case msg.KindSetLeverage, msg.KindIsolate, msg.KindCross, msg.KindMoveMargin:
		return MayMargin
	case msg.KindSetEntry:
		return MayKill | MayHalt
	case msg.KindSetDeadMan, msg.KindSetProtection:
		return MayGuard
	case msg.KindAskOrder, msg.KindAskOrders, msg.KindAskMargin:
		return MayAsk
	case 0: // a message that stands for nothing: whoever may do something may be told that it does not exist
		return mayAll
	}
	return 0
}
