package book

import "unsafe"

// The compiler holds the sizes: an order and a fill are a cache line, a level is half of one, and so is the head
// of a block: no record straddles lines but a block's handles.
var (
	_ = [1]struct{}{}[unsafe.Sizeof(Order{})-64]
	_ = [1]struct{}{}[unsafe.Sizeof(Fill{})-64]
	_ = [1]struct{}{}[unsafe.Sizeof(level{})-32]
	_ = [1]struct{}{}[unsafe.Sizeof(block{})-288]
	_ = [1]struct{}{}[unsafe.Offsetof(block{}.levels)-32]
)
