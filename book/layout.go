package book

import "unsafe"

// The compiler holds the sizes: an order and a fill are a cache line, the head of a block is half of one.
var (
	_ = [1]struct{}{}[unsafe.Sizeof(Order{})-64]
	_ = [1]struct{}{}[unsafe.Sizeof(Fill{})-64]
	_ = [1]struct{}{}[unsafe.Sizeof(level{})-24]
	_ = [1]struct{}{}[unsafe.Sizeof(block{})-32]
)
