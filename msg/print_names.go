package msg

import "strconv"

// The words for the small enumerations, as scenarios and screens write them. A value without a word is its type and
// number, as in tif-9, so that a line shows every value and no two alike.

var (
	kindNames = [kindEnd]string{
		KindLimit: "Limit", KindMarket: "Market", KindAmend: "Amend", KindCancel: "Cancel", KindCancelAll: "CancelAll",
		KindSetMark: "SetMark", KindTick: "Tick", KindPlace: "Place", KindOpenAccount: "OpenAccount",
		KindDeposit: "Deposit", KindWithdraw: "Withdraw", KindTransfer: "Transfer", KindDepositAsset: "DepositAsset",
		KindWithdrawAsset: "WithdrawAsset", KindList: "List", KindSetTier: "SetTier", KindSetFees: "SetFees",
		KindSetRule: "SetRule", KindSetPhase: "SetPhase", KindSetEntry: "SetEntry", KindOpenSession: "OpenSession",
		KindCloseSession: "CloseSession", KindListUnderlying: "ListUnderlying", KindReport: "Report",
		KindSetLeverage: "SetLeverage", KindIsolate: "Isolate", KindCross: "Cross", KindMoveMargin: "MoveMargin",
		KindSettleFunding: "SettleFunding", KindPayFund: "PayFund", KindSetFeeTier: "SetFeeTier",
		KindSetConcentration: "SetConcentration", KindCheckpoint: "Checkpoint", KindSetStorage: "SetStorage",
		KindMaintain: "Maintain", KindSetKey: "SetKey", KindNegotiate: "Negotiate", KindBind: "Bind", KindUnbind: "Unbind",
		KindEndGrace: "EndGrace", KindFinalize: "Finalize", KindMiss: "Miss", KindRefuse: "Refuse", KindSetDeadMan: "SetDeadMan",
		KindAskOrder: "AskOrder", KindQuote: "Quote", KindSetProtection: "SetProtection", KindAskOrders: "AskOrders",
		KindAskMargin: "AskMargin",
	}
	eventNames = [eventEnd]string{
		Accepted: "Accepted", Expired: "Expired", MarkUpdated: "MarkUpdated", MassCanceled: "MassCanceled",
		Ticked: "Ticked", SessionOpened: "SessionOpened", SessionClosed: "SessionClosed", Rejected: "Rejected",
		Traded: "Traded", Amended: "Amended", Canceled: "Canceled", AccountOpened: "AccountOpened",
		Deposited: "Deposited", Withdrawn: "Withdrawn", Transferred: "Transferred", AssetDeposited: "AssetDeposited",
		AssetWithdrawn: "AssetWithdrawn", RebateVested: "RebateVested", InstrumentListed: "InstrumentListed",
		TierSet: "TierSet", FeesSet: "FeesSet", RuleSet: "RuleSet", PhaseChanged: "PhaseChanged",
		EntryChanged: "EntryChanged", UnderlyingListed: "UnderlyingListed", IndexUpdated: "IndexUpdated",
		OracleHealth: "OracleHealth", LeverageSet: "LeverageSet", ModeChanged: "ModeChanged", MarginMoved: "MarginMoved",
		FundingSettled: "FundingSettled", FundingPaid: "FundingPaid", FeeTierSet: "FeeTierSet",
		FeeTierChanged: "FeeTierChanged", ConcentrationSet: "ConcentrationSet", MarginCall: "MarginCall",
		MarginCallCleared: "MarginCallCleared", OrdersCanceledByRisk: "OrdersCanceledByRisk",
		LiquidationStarted: "LiquidationStarted", LiquidationSlice: "LiquidationSlice",
		LiquidationEnded: "LiquidationEnded", Takeover: "Takeover", FundDraw: "FundDraw", FundIncome: "FundIncome",
		AdlStarted: "AdlStarted", AdlFill: "AdlFill", Socialized: "Socialized", DeficitBooked: "DeficitBooked",
		SweepPending: "SweepPending", Checkpointed: "Checkpointed", StorageChanged: "StorageChanged",
		Maintained: "Maintained", Received: "Received", KeySet: "KeySet", SessionNegotiated: "SessionNegotiated",
		SessionBound: "SessionBound", SessionUnbound: "SessionUnbound", GraceEnded: "GraceEnded",
		SessionFinalized: "SessionFinalized", MessagesMissed: "MessagesMissed",
		MassCancelBegun: "MassCancelBegun", DeadManSet: "DeadManSet", DeadManExpired: "DeadManExpired",
		OrderStated: "OrderStated", QuotePlaced: "QuotePlaced", QuoteAnswered: "QuoteAnswered",
		ProtectionSet: "ProtectionSet", ProtectionTripped: "ProtectionTripped", MarginForecast: "MarginForecast",
	}
	sideNames = [...]string{Buy: "buy", Sell: "sell"}
	tifNames  = [...]string{GTC: "gtc", IOC: "ioc", FOK: "fok", GTD: "gtd"}
	stpNames  = [...]string{STPDefault: "default", STPCancelNewest: "cancel-newest", STPCancelOldest: "cancel-oldest",
		STPCancelBoth: "cancel-both", STPDecrement: "decrement", STPNone: "none"}
	typeNames  = [...]string{Spot: "spot", Perpetual: "perpetual"}
	phaseNames = [phaseEnd]string{Closed: "closed", CallAuction: "call-auction", Continuous: "continuous",
		ReduceOnly: "reduce-only", Halted: "halted"}
	scopeNames = [scopeEnd]string{ScopeAccount: "account", ScopeOwner: "owner", ScopeInstrument: "instrument",
		ScopeVenue: "venue"}
	actionNames = [actionEnd]string{Block: "block", BlockAndCancel: "block-and-cancel", ReduceEntry: "reduce-only",
		Unblock: "unblock"}
	flagNames    = [16]string{0: "post-only", 1: "slide", 2: "reduce-only", 3: "isolated", 10: "leaves", 12: "persist"}
	markNames    = [markEnd]string{MarkManual: "manual", MarkIndex: "index", MarkComposite: "composite"}
	healthNames  = [healthEnd]string{Good: "good", Degraded: "degraded", Frozen: "frozen", OracleHalted: "halted"}
	storageNames = [storageEnd]string{StorageNormal: "normal", StorageSoft: "soft", StorageHard: "hard"}
	modeNames    = [modeEnd]string{ModeCross: "cross", ModeIsolated: "isolated"}
	rungNames    = [rungEnd]string{RungOK: "ok", RungCall1: "call1", RungCall2: "call2", RungLiquidating: "liquidating",
		RungTakeover: "takeover", RungADL: "adl"}
)

// word is the name of value v, or its type and number where it has none.
func word(names []string, typ string, v uint64) string {
	if v < uint64(len(names)) && names[v] != "" {
		return names[v]
	}
	return typ + strconv.FormatUint(v, 10)
}

// String is the name of the kind, as in CancelAll.
func (k Kind) String() string { return word(kindNames[:], "kind-", uint64(k)) }

// String is the name of the kind, as in MassCanceled.
func (k EventKind) String() string { return word(eventNames[:], "event-", uint64(k)) }

// String is buy or sell.
func (s Side) String() string { return word(sideNames[:], "side-", uint64(s)) }

// String is gtc, ioc, fok or gtd.
func (t TIF) String() string { return word(tifNames[:], "tif-", uint64(t)) }

// String is the name of the mode, as in cancel-newest.
func (s STP) String() string { return word(stpNames[:], "stp-", uint64(s)) }

// String is spot or perpetual.
func (t InstrumentType) String() string { return word(typeNames[:], "type-", uint64(t)) }

// String is the name of the phase, as in continuous.
func (p Phase) String() string { return word(phaseNames[:], "phase-", uint64(p)) }

// String is account, owner, instrument or venue.
func (s Scope) String() string { return word(scopeNames[:], "scope-", uint64(s)) }

// String is the name of the action, as in block-and-cancel.
func (a Action) String() string { return word(actionNames[:], "action-", uint64(a)) }

// String is the name of the reject, as in InsufficientMargin.
func (r Reject) String() string {
	if name := r.Name(); name != "" {
		return name
	}
	return word(nil, "reject-", uint64(r))
}

// String is the name of the reason, as in MassCancel.
func (r Reason) String() string {
	if name := r.Name(); name != "" {
		return name
	}
	return word(nil, "reason-", uint64(r))
}

// String is the names of the flags, as in post-only+reduce-only; empty for none.
func (f Flags) String() string { return string(f.append(nil)) }

// append writes the names of the flags, joined by a plus.
func (f Flags) append(dst []byte) []byte {
	start := len(dst)
	for bit := range flagNames {
		if f>>bit&1 == 0 {
			continue
		}
		if len(dst) > start {
			dst = append(dst, '+')
		}
		if flagNames[bit] != "" {
			dst = append(dst, flagNames[bit]...)
		} else {
			dst = strconv.AppendUint(append(dst, "flag-"...), uint64(bit), 10)
		}
	}
	return dst
}

// Append writes the id as generation:handle, as in 3:17.
func (id OrderID) Append(dst []byte) []byte {
	dst = strconv.AppendUint(dst, uint64(id.Generation()), 10)
	return strconv.AppendUint(append(dst, ':'), uint64(id.Handle()), 10)
}

// String is Append as a string; it allocates.
func (id OrderID) String() string { return string(id.Append(nil)) }
