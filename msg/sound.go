package msg

// Sound reports whether the second line of a command says nothing that the narrow fields of its struct cannot hold, so that
// no accessor cuts a word short. A kind of one line is sound.
func (r *Request) Sound() bool {
	const byteMax, wordMax, longMax = 1<<8 - 1, 1<<16 - 1, 1<<32 - 1
	w := &r.Rare
	switch r.Kind {
	case KindOpenAccount, KindOpenSession, KindCloseSession:
		return w[0] <= longMax && w[1] <= longMax && w[2] <= wordMax
	case KindDeposit, KindWithdraw, KindTransfer, KindDepositAsset, KindWithdrawAsset:
		return w[1] <= longMax
	case KindList:
		return w[6] < 1<<24
	case KindSetTier, KindSetRule, KindSetPhase:
		return w[0] <= byteMax
	case KindSetEntry:
		return w[0] <= byteMax && w[1] <= byteMax && w[2] <= longMax
	}
	return true
}
