package book

import "unsafe"

// The compiler holds the sizes: a fill is a cache line, an order, its ticket, a level, a block and a side of a book are half of
// one each, and the slots of a block are four of them: no record straddles lines.
var (
	_ = [1]struct{}{}[unsafe.Sizeof(Order{})-32]
	_ = [1]struct{}{}[unsafe.Sizeof(Ticket{})-32]
	_ = [1]struct{}{}[unsafe.Sizeof(Fill{})-64]
	_ = [1]struct{}{}[unsafe.Sizeof(level{})-32]
	_ = [1]struct{}{}[unsafe.Sizeof(block{})-32]
	_ = [1]struct{}{}[unsafe.Sizeof(slots{})-256]
	_ = [1]struct{}{}[unsafe.Sizeof(Book{}.sides)-64]
	_ = [1]struct{}{}[unsafe.Offsetof(Book{}.store)-64]
)
