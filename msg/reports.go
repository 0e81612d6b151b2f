package msg

// Reports says whether an event is a report: a message to the session that it names, which takes one number of it. Events that
// name no session are reports of the account alone, for drop copies.
func (e *Event) Reports() bool {
	switch e.Kind {
	case Accepted, Amended, Canceled, Expired, Traded, MassCanceled, MassCancelBegun, EntryChanged, DeadManSet, OrderStated, MessagesMissed,
		MarginCall, MarginCallCleared, LiquidationStarted, LiquidationSlice, LiquidationEnded, Takeover, AdlStarted, AdlFill,
		FundingPaid:
		return true
	case LeverageSet, ModeChanged, MarginMoved: // what a fill moves on its own account is told by its Traded
		return e.Session != 0
	case Rejected: // a message out of its number has none to be answered by
		return e.Refusal().Asked.FromClient() && e.Reject != RejectSequenceMismatch
	}
	return false
}

// Copies says whether an event is a report that drop copies repeat: all but what is said of the numbers of one session.
func (e *Event) Copies() bool { return e.Kind != MessagesMissed && e.Reports() }
