package msg

import "unsafe"

// The compiler holds the sizes and offsets that the drawings of Command and Event state.
var (
	_ = [1]struct{}{}[unsafe.Sizeof(Command{})-CommandSize]
	_ = [1]struct{}{}[unsafe.Sizeof(Event{})-EventSize]
	_ = [1]struct{}{}[unsafe.Offsetof(Command{}.Request)-8]
	_ = [1]struct{}{}[unsafe.Offsetof(Request{}.Rare)+8-64]
	_ = [1]struct{}{}[unsafe.Offsetof(Event{}.Rare)-64]
	_ = [1]struct{}{}[unsafe.Offsetof(Event{}.Side)-63]
	_ = [1]struct{}{}[unsafe.Offsetof(Request{}.STP)+8-63]
)
