package msg

// How keys and sessions read. Names that clients chose are bytes, and written in hexadecimal digits.

var (
	roleNames = [roleEnd]string{0: "none", RoleTrader: "trader", RoleRiskManager: "risk-manager",
		RoleDropCopy: "drop-copy", RoleAuditor: "auditor", RoleOperator: "operator", RoleTreasury: "treasury"}
	sessionKindNames = [sessionKindEnd]string{OrderEntry: "order-entry", RiskControl: "risk-control", DropCopy: "drop-copy",
		FeedReplay: "replay", FeedSnapshot: "snapshot"}
	cancelModeNames = [cancelModeEnd]string{CancelNever: "never", CancelOnLoss: "loss", CancelOnTerminate: "terminate",
		CancelOnBoth: "both"}
	whyNames = [whyEnd]string{UnbindTerminated: "terminated", UnbindLost: "lost"}
)

// String is the name of the role, as in risk-manager.
func (r Role) String() string { return word(roleNames[:], "role-", uint64(r)) }

// String is the name of the kind, as in order-entry.
func (k SessionKind) String() string { return word(sessionKindNames[:], "session-kind-", uint64(k)) }

// String is never, loss, terminate or both.
func (m CancelMode) String() string { return word(cancelModeNames[:], "cancel-", uint64(m)) }

// String is terminated or lost.
func (w Why) String() string { return word(whyNames[:], "why-", uint64(w)) }

// appendSession writes line 2 of the commands about keys and sessions.
func (r *Request) appendSession(dst []byte) []byte {
	switch r.Kind {
	case KindSetKey:
		dst = r.KeyChange().append(dst)
	case KindNegotiate:
		dst = r.Negotiation().append(appendUint(dst, " of=", r.Meant()))
	case KindBind:
		b := r.Binding()
		dst = appendInt(appendUint(dst, " of=", b.Session), " stamp=", b.Stamp)
		if b.TakeOver {
			dst = append(dst, " take-over"...)
		}
	case KindUnbind:
		dst = appendWord(appendUint(dst, " of=", r.Meant()), " why=", r.Unbinding().Why.String())
	case KindEndGrace, KindFinalize:
		dst = appendUint(dst, " of=", r.Meant())
	case KindMiss:
		dst = r.Missing().append(appendUint(dst, " of=", r.Meant()))
	case KindRefuse:
		dst = r.Refused().append(dst)
	case KindSetDeadMan:
		dst = appendInt(dst, " deadline=", r.Deadline())
	case KindAskOrder:
		dst = appendID(dst, " placed=", r.Placed())
	case KindSetProtection:
		dst = r.Protection().append(dst)
	case KindQuote:
		dst = r.Quotation().append(dst)
	}
	return dst
}

// appendSession writes line 2 of the events of keys and sessions.
func (e *Event) appendSession(dst []byte) []byte {
	asked := Request{Account: e.Account, Rare: e.Rare}
	switch e.Kind {
	case Received:
		dst = e.Envelope().append(e.Receipt().append(dst))
	case KeySet:
		dst = asked.KeyChange().append(dst)
	case SessionNegotiated:
		dst = appendUint(asked.Negotiation().append(dst), " last=", e.Last())
	case SessionBound:
		b := e.Bound()
		dst = appendUint(dst, " client=", b.Client)
		dst = appendUint(dst, " server=", b.Server)
		dst = appendUint(dst, " last=", b.Last)
		dst = appendInt(dst, " stamp=", b.Stamp)
		if b.TookOver {
			dst = append(dst, " took-over"...)
		}
	case SessionUnbound:
		u := e.Unbound()
		dst = appendWord(dst, " why=", u.Why.String())
		if u.Goes {
			dst = appendInt(dst, " orders-go=", u.Grace)
		}
	case DeadManSet, DeadManExpired:
		dst = appendInt(dst, " deadline=", asked.Deadline())
	case OrderStated:
		dst = e.Standing().append(dst)
	case ProtectionSet:
		dst = asked.Protection().append(dst)
	case MarginForecast:
		dst = e.Forecast().append(dst)
	case ProtectionTripped:
		dst = e.Trip().append(dst)
	case QuoteAnswered:
		dst = e.QuoteAnswer().append(dst)
	case MessagesMissed:
		dst = e.Missing().append(dst)
	}
	return dst
}

// append writes the key.
func (k KeyChange) append(dst []byte) []byte {
	dst = appendUint(dst, " key=", k.Key)
	dst = appendWord(dst, " role=", k.Role.String())
	dst = appendID(dst, " owner=", k.Owner)
	dst = appendUint(dst, " scheme=", k.Scheme)
	return appendBytes(dst, " public=", k.Public[:])
}

// append writes the negotiation, but for the row.
func (n Negotiation) append(dst []byte) []byte {
	dst = appendUint(dst, " key=", n.Key)
	dst = appendWord(dst, " ", n.Kind.String())
	dst = appendUint(dst, " version=", n.Version)
	dst = appendWord(dst, " cancel=", n.Cancel.String())
	dst = appendUint(dst, " window=", n.Window)
	dst = appendID(dst, " cancel-flags=", n.CancelFlags)
	dst = appendBytes(dst, " uuid=", n.UUID[:])
	return appendInt(dst, " stamp=", n.Stamp)
}

// append writes which messages.
func (m Missing) append(dst []byte) []byte {
	return appendUint(appendUint(dst, " from=", m.From), " count=", m.Count)
}

// append writes the refusal.
func (f Refused) append(dst []byte) []byte {
	dst = appendWord(dst, " reject=", f.Reject.String())
	dst = appendID(dst, " field=", uint16(f.Field))
	if f.Limit != 0 || f.Actual != 0 {
		dst = appendInt(appendInt(dst, " limit=", f.Limit), " actual=", f.Actual)
	}
	if f.Instead != 0 {
		dst = appendWord(dst, " instead=", f.Instead.String())
	}
	return dst
}

// appendBytes writes a name and bytes, two digits each.
func appendBytes(dst []byte, name string, b []byte) []byte {
	dst = append(dst, name...)
	for _, v := range b {
		dst = append(dst, "0123456789abcdef"[v>>4], "0123456789abcdef"[v&15])
	}
	return dst
}
