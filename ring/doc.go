// Package ring carries records between threads: one writer to a structure, no lock, no allocation after New, no copy on
// the way. Records are pointer-free values: a slot keeps the bytes of an earlier lap until it is filled again, so a
// pointer in it would keep its object alive.
//
//	Lane   one producer, one consumer            a gateway session to the hot loop
//	FanIn  one consumer of several lanes         the hot loop: round robin, a bounded take a turn
//	Ring   one producer, several readers         the hot loop to egress, telemetry and tapes
//	Pause  tells the core that the thread spins; Prefetch, what it will soon look at
//
//	producer 1 --> [Lane] --\                               /--> Reader (required: gates reuse)
//	producer 2 --> [Lane] ---> FanIn -> hot loop -> [Ring] ----> Reader (required)
//	producer 3 --> [Lane] --/                               \--> Reader (optional: cut off when a lap behind)
//
// Words: a producer claims slots, fills them in place and publishes all of them at once; a consumer takes what is ready,
// reads it in place and releases all of it at once. The position of a record counts from 1, without a gap, over all
// laps; so every counter here is both a count of records and the position of the last one.
//
// Nothing here waits. A full structure and an empty one answer nil, and the caller decides whether to spin, to park or
// to turn the sender away.
//
// Words written by different threads stand 128 bytes apart, because cores fetch lines in pairs; and whatever the allocator
// puts beside one of these structures stands as far away from its words.
package ring

// apart is the distance in bytes between words that different threads write: two cache lines.
const apart = 128

// line is the size of a cache line in bytes: records fill whole lines, or two threads would share one.
const line = 64
