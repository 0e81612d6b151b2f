package msg

// Reports says whether an event is a report: a message to the session that it names, which takes one number of it. Events that
// name no session are reports of the account alone, for drop copies.
func (e *Event) Reports() bool {
	switch e.Kind {
	case Accepted, Amended, Expired, Traded, MassCanceled, MassCancelBegun, EntryChanged, DeadManSet, OrderStated, MessagesMissed, ProtectionSet, ProtectionTripped, MarginForecast,
		MarginCall, MarginCallCleared, LiquidationStarted, LiquidationSlice, LiquidationEnded, Takeover, AdlStarted, AdlFill,
		FundingPaid:
		return true
	case Canceled: // what a quote does to the one before it is told by its QuoteAnswered
		return e.Reason != CanceledByQuote
	case QuoteAnswered:
		a := e.QuoteAnswer()
		return a.Whole()
	case LeverageSet, ModeChanged, MarginMoved: // what a fill moves on its own account is told by its Traded
		return e.Session != 0
	case Rejected: // a message out of its number has none to be answered by
		return e.Refusal().Asked.FromClient() && e.Reject != RejectSequenceMismatch
	}
	return false
}

// Elsewhere is the session that has asked for a report that names another one: it has canceled or amended an order that came through
// that. Its message has no other answer, so it is told as well, under a number of its own. 0: there is none.
func (e *Event) Elsewhere() SessionID {
	if e.Kind != Amended && (e.Kind != Canceled || e.Reason != CanceledByUser) {
		return 0
	}
	if asker := e.Change().Asker; asker != e.Session {
		return asker
	}
	return 0
}

// Copies says whether an event is a report that drop copies repeat: all but what is said of the numbers of one session.
func (e *Event) Copies() bool { return e.Kind != MessagesMissed && e.Reports() }

// About is the owner whom a report is about that names neither account nor instrument of his: a turn of his kill switch, and what it took
// out; 0: none.
func (e *Event) About() OwnerID {
	switch e.Kind {
	case EntryChanged, MassCanceled:
		asked := Request{Rare: e.Rare}
		return asked.Entry().Owner
	}
	return 0
}
