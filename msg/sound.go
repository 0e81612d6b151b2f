package msg

// Sound reports whether the second line of a command says nothing that the narrow fields of its struct cannot hold, so that
// no accessor cuts a word short. A kind of one line is sound.
func (r *Request) Sound() bool {
	const byteMax, wordMax, longMax = 1<<8 - 1, 1<<16 - 1, 1<<32 - 1
	w := &r.Rare
	switch r.Kind {
	case KindOpenAccount, KindOpenSession, KindCloseSession:
		return w[0] <= longMax && w[1] <= longMax && w[2] <= wordMax
	case KindDeposit, KindWithdraw, KindTransfer, KindDepositAsset, KindWithdrawAsset, KindPayFund:
		return w[1] <= longMax
	case KindList:
		return w[6] < 1<<48
	case KindSetTier, KindSetRule, KindSetPhase:
		return w[0] <= byteMax
	case KindSetEntry:
		return w[0] <= byteMax && w[1] <= byteMax && w[2] <= longMax
	case KindListUnderlying:
		return w[3] <= wordMax && w[4] <= byteMax
	case KindReport:
		return w[0] <= wordMax && w[1] <= byteMax
	case KindSetLeverage:
		return w[0] <= wordMax
	case KindIsolate, KindCross, KindMoveMargin:
		return w[1] <= 1
	case KindSetFeeTier, KindSetConcentration:
		return w[0] <= byteMax && w[1] <= 1
	case KindSetStorage:
		return w[0] < uint64(storageEnd)
	case KindSetKey:
		return w[0]>>16&wordMax == 0 && w[1] <= longMax
	case KindBind:
		return w[0] <= wordMax && w[1] <= 1
	case KindUnbind:
		return w[0] <= wordMax && w[1] <= byteMax
	case KindEndGrace, KindFinalize, KindMiss:
		return w[0] <= wordMax
	case KindRefuse:
		return w[0] <= longMax
	case KindSetProtection:
		return w[0] <= wordMax
	case KindQuote:
		return w[3] <= longMax
	}
	return true
}
