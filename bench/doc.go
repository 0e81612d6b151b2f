// Package bench measures the exchange, always against a baseline in the same run.
//
// Nanoseconds belong to a machine and an hour; a ratio of two medians, taken in
// turns on one pinned thread, travels. So a figure here is a race: every entry
// replays the same stream of operations, round after round in alternating order,
// and no time is printed of one that did not do the stream's work.
//
//	ops.Stream -> Plan      peak depth, expected result: all that a driver needs beforehand
//	Plan -> Entry           a name and a way to make a fresh driver
//	Entries -> Race         rounds A B C, C B A, ...: median and minimum of each
//	Entry -> Distribution   one further pass with a clock around each operation
//	Races -> Report         figure, baseline, ratio, goal, verdict; the noise of the machine beside it
//
// Words: a driver replays operations and counts what they trade; a baseline is the
// driver that another is divided by; a round is one pass of every entry; a run is
// void when the machine took away more of it than VoidAbove; a twin is the same
// pipeline with an empty handler; the probe is an empty loop that finds out what
// the machine takes away.
//
//	L     reference ladder: prices bounded, no risk                  ref.Ladder
//	K(n)  reference ladder with the least margin check, n accounts   ref.RiskLadder
//	M     one tree entry a price                                     ref.MapBook
//	A     package book, bare                                         BareBook
//	W     the engine inline: gate, book, margin, fees, events        WholeEngine
//	R     one record to another core and back                        RoundTrip
//	E     64 bytes over TCP loopback to another thread and back      Bounce
//	N     the pipeline of W with an empty handler
package bench
