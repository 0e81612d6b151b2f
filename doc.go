// Package lockstep is the root of an exchange core in which risk moves in lockstep with matching: deterministic, in one
// process. One hot loop per shard takes each command from a ring and runs it to the end (sequence, risk gate, order book,
// clearing and margin) before it looks at the next, so no order is admitted on margin that another has already spent.
//
// The package holds no code of its own. A builder starts at the engine package:
//
//	engine    Engine: commands in, events out, no thread, no clock; Loop: the same over rings
//	msg       the vocabulary: a constructor per command, an accessor per event
//	fixed     the units: Ticks, Lots, Money, Rate, Nanos
//	node      the engine on a pinned thread of its own
//
// docs/ARCHITECTURE.md draws the whole and holds the rules; the tests beside this file hold the tree to them.
package lockstep
