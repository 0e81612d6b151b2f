package book

import "unsafe"

// The compiler holds the sizes: a fill is a cache line, an order, its ticket and a level are half of one each, and
// so is the head of a block: no record straddles lines but a block's handles.
var (
	_ = [1]struct{}{}[unsafe.Sizeof(Order{})-32]
	_ = [1]struct{}{}[unsafe.Sizeof(Ticket{})-32]
	_ = [1]struct{}{}[unsafe.Sizeof(Fill{})-64]
	_ = [1]struct{}{}[unsafe.Sizeof(level{})-32]
	_ = [1]struct{}{}[unsafe.Sizeof(block{})-288]
	_ = [1]struct{}{}[unsafe.Offsetof(block{}.levels)-32]
)
