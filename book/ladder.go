package book

import (
	"slices"
	"strconv"

	"github.com/lockstep-exchange/lockstep/msg"
)

// Append draws the best levels of both sides as a ladder, asks above bids, each line ended by a newline:
//
//	         50010      12 (2)      price, open lots, orders
//	         50005       3 (1)
//	---
//	         50000       7 (1)
//
// It is meant for people and golden tests, and allocates.
func (b *Book) Append(dst []byte, levels int) []byte {
	asks := b.Levels(msg.Sell, nil, levels)
	slices.Reverse(asks)
	for _, l := range asks {
		dst = l.append(dst)
	}
	dst = append(dst, "---\n"...)
	for _, l := range b.Levels(msg.Buy, nil, levels) {
		dst = l.append(dst)
	}
	return dst
}

func (l Depth) append(dst []byte) []byte {
	dst = right(dst, int64(l.Price), 14)
	dst = right(dst, int64(l.Qty), 8)
	dst = append(dst, " ("...)
	dst = strconv.AppendUint(dst, uint64(l.Orders), 10)
	return append(dst, ")\n"...)
}

// right writes v in at least width columns, at their right end.
func right(dst []byte, v int64, width int) []byte {
	var digits [20]byte
	text := strconv.AppendInt(digits[:0], v, 10)
	for range width - len(text) {
		dst = append(dst, ' ')
	}
	return append(dst, text...)
}
