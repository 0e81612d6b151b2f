package msg_test

import (
	"testing"

	"github.com/lockstep-exchange/lockstep/msg"
)

// TestSound puts a high bit into each word of each kind's second line: what an accessor would cut short is not sound.
func TestSound(t *testing.T) {
	narrow := map[msg.Kind][]int{
		msg.KindOpenAccount: {0, 1, 2}, msg.KindOpenSession: {0, 1, 2}, msg.KindCloseSession: {0, 1, 2},
		msg.KindDeposit: {1}, msg.KindWithdraw: {1}, msg.KindTransfer: {1}, msg.KindDepositAsset: {1}, msg.KindWithdrawAsset: {1},
		msg.KindList: {6}, msg.KindSetTier: {0}, msg.KindSetRule: {0}, msg.KindSetPhase: {0}, msg.KindSetEntry: {0, 1, 2},
		msg.KindListUnderlying: {3, 4}, msg.KindReport: {0, 1}, msg.KindSetLeverage: {0},
		msg.KindIsolate: {1}, msg.KindCross: {1}, msg.KindMoveMargin: {1},
		msg.KindSetFeeTier: {0, 1}, msg.KindSetConcentration: {0, 1}, msg.KindPayFund: {1}, msg.KindSetStorage: {0},
		msg.KindSetKey: {1}, msg.KindBind: {0, 1}, msg.KindUnbind: {0, 1}, msg.KindEndGrace: {0}, msg.KindFinalize: {0},
		msg.KindMiss: {0}, msg.KindRefuse: {0},
	}
	for kind := msg.KindLimit; kind <= msg.KindAskOrder; kind++ {
		for word := range len(msg.Rare{}) {
			r := msg.Request{Kind: kind}
			r.Rare[word] = 1 << 48
			want := true
			for _, n := range narrow[kind] {
				want = want && n != word
			}
			if r.Sound() != want {
				t.Errorf("%s with a high bit in word %d: sound %v, want %v", kind, word, !want, want)
			}
		}
	}
}
