package book

import "unsafe"

// The compiler holds the sizes: an order and a fill are a cache line, a level half of one, a block five.
var (
	_ = [1]struct{}{}[unsafe.Sizeof(Order{})-64]
	_ = [1]struct{}{}[unsafe.Sizeof(Fill{})-64]
	_ = [1]struct{}{}[unsafe.Sizeof(level{})-32]
	_ = [1]struct{}{}[unsafe.Sizeof(block{})-320]
	_ = [1]struct{}{}[unsafe.Offsetof(block{}.levels)-64]
)
