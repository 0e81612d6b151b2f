package msg

import "strconv"

// Append writes the event as one line without a line end, in the form that print.go draws.
func (e *Event) Append(dst []byte) []byte {
	dst = strconv.AppendUint(append(dst, '#'), uint64(e.Seq), 10)
	dst = strconv.AppendUint(append(dst, '.'), uint64(e.Index), 10)
	dst = appendWord(dst, " ", e.Kind.String())
	dst = appendParty(dst, e.Session, e.Ref, e.Account, e.Instr, e.Order)
	dst = e.appendTerms(dst)
	dst = e.appendRare(dst)
	if e.Time != 0 || e.Kind == Ticked {
		dst = appendInt(dst, " time=", e.Time)
	}
	return dst
}

// String is Append as a string; it allocates.
func (e *Event) String() string { return string(e.Append(nil)) }

// appendTerms writes what line 1 says of price, quantity, side, reject and reason.
func (e *Event) appendTerms(dst []byte) []byte {
	switch e.Kind {
	case Accepted, Traded, Amended, Canceled, Expired, OrderStated, QuotePlaced:
		if e.Side != 0 {
			dst = appendWord(dst, " ", e.Side.String())
		}
		dst = appendLots(dst, e.Qty, e.Price)
		if e.Kind == Canceled {
			dst = appendWord(dst, " reason=", e.Reason.String())
		}
	case MarginForecast:
		dst = appendLots(appendWord(dst, " ", e.Side.String()), e.Qty, e.Price)
		if e.Reject != 0 {
			dst = appendWord(dst, " reject=", e.Reject.String())
		}
	case Rejected:
		dst = appendWord(dst, " reject=", e.Reject.String())
	case MarkUpdated:
		dst = appendInt(dst, " price=", e.Price)
		dst = appendInterest(dst, e.Qty)
	case MassCanceled, MassCancelBegun:
		if e.Side != 0 {
			dst = appendWord(dst, " ", e.Side.String())
		}
		dst = appendInt(dst, " canceled=", e.Qty)
	case OrdersCanceledByRisk:
		dst = appendInt(dst, " canceled=", e.Qty)
	case SweepPending:
		dst = appendInt(dst, " pools=", e.Qty)
	case LiquidationSlice, AdlFill:
		dst = appendWord(dst, " ", e.Side.String())
		dst = appendLots(dst, e.Qty, e.Price)
	case AssetDeposited, AssetWithdrawn:
		dst = appendInt(dst, " qty=", e.Qty)
	case Transferred:
		if e.Qty != 0 { // of an asset
			dst = appendInt(dst, " qty=", e.Qty)
		}
	}
	return dst
}

// appendRare writes line 2.
func (e *Event) appendRare(dst []byte) []byte {
	asked := Request{Rare: e.Rare} // an event that repeats what its command said holds it as the command did
	switch e.Kind {
	case Rejected:
		dst = e.Refusal().append(dst)
	case Traded:
		dst = e.Fill().append(dst)
	case Amended:
		dst = e.Change().append(dst)
		if e.Change().Kept {
			dst = append(dst, " kept"...)
		}
	case Canceled, Expired:
		dst = e.Change().append(dst)
	case MassCanceled, MassCancelBegun:
		en := asked.Entry()
		dst = appendWord(dst, " scope=", en.Scope.String())
		dst = appendID(dst, " owner=", en.Owner)
	case SessionOpened, SessionClosed:
		dst = asked.Opening().appendSession(dst)
	case Deposited, Withdrawn, Transferred, RebateVested:
		b := e.Balance()
		dst = b.append(dst)
		if e.Kind == Transferred && e.Qty != 0 {
			dst = appendInt(dst, " lots=", b.Lots)
		}
	case AssetDeposited, AssetWithdrawn:
		b := e.Balance()
		dst = appendInt(dst, " lots=", b.Lots)
		dst = appendID(dst, " external=", b.External)
	case AccountOpened:
		dst = asked.Opening().append(dst)
	case InstrumentListed:
		dst = asked.Listing().append(dst)
	case TierSet:
		dst = asked.Tier().append(dst)
	case FeesSet:
		dst = asked.Fees().append(dst)
	case RuleSet:
		dst = asked.Setting().append(dst)
	case PhaseChanged:
		step := e.PhaseStep()
		dst = appendWord(dst, " from=", step.From.String())
		dst = appendWord(dst, " to=", step.To.String())
	case EntryChanged:
		dst = asked.Entry().append(dst)
	default:
		dst = e.appendRisk(dst)
	}
	return dst
}

// append writes what was asked and, where they mean something, the bound and what was found.
func (r Refusal) append(dst []byte) []byte {
	if r.Limit != 0 || r.Actual != 0 {
		dst = appendInt(dst, " limit=", r.Limit)
		dst = appendInt(dst, " actual=", r.Actual)
	}
	dst = appendID(dst, " field=", uint16(r.Field))
	return appendWord(dst, " asked=", r.Asked.String())
}

// append writes the fill.
func (f Fill) append(dst []byte) []byte {
	dst = appendInt(dst, " leaves=", f.Leaves)
	dst = appendInt(dst, " filled=", f.Filled)
	dst = appendUint(dst, " trade=", f.Trade)
	dst = f.Peer.Append(append(dst, " peer="...))
	if f.Maker {
		dst = append(dst, " maker"...)
	} else {
		dst = append(dst, " taker"...)
	}
	dst = appendMoney(dst, " fee=", f.Fee)
	dst = appendMoney(dst, " realized=", f.Realized)
	return appendInt(dst, " position=", f.Position)
}

// append writes what an Amended, a Canceled and an Expired share.
func (c Change) append(dst []byte) []byte {
	dst = appendInt(dst, " leaves=", c.Leaves)
	dst = appendInt(dst, " filled=", c.Filled)
	dst = appendID(dst, " request=", c.Request)
	return appendID(dst, " asker=", c.Asker)
}

// append writes the balance of an event of money.
func (b Balance) append(dst []byte) []byte {
	dst = appendMoney(dst, " amount=", b.Amount)
	dst = appendMoney(dst, " cash=", b.Cash)
	dst = appendID(dst, " peer=", b.Peer)
	return appendID(dst, " external=", b.External)
}
