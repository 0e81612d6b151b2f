// Package journal keeps what was sequenced: every command, in its order, on the disk before anyone hears of what it did.
//
// A journal is a folder that one process at a time may write:
//
//	LOCK                       held for life by who writes
//	EPOCH                      the number of the last start
//	GENESIS                    what the journal is the journal of: venue, shard, currency, limits of the engine
//	SEED                       the hash of the commands with which a venue has begun, if it has such
//	7-0000000000000000.seg     segments of shard 7, in their order, of a fixed size each
//	7-0000000000000001.seg     [ header | frame | frame | ... | end frame | zeros ]
//	7-0000000000000002.seg     [ header | frame | frame | zeros, made ahead ................ ]
//	7-0000000000000009.spare   [ zeros .................................................... ]
//
// Words: a frame is what is written and synced at once: a batch of commands, or a mark between batches. The chain is the hash in
// each frame of the one before, back to the genesis record. A torn tail is what a crash leaves of the one frame that was not
// synced; all else that does not hold is damage, and ends the start with the file and the offset (Corrupt). Durable is what a sync
// has confirmed.
//
// Reader reads and checks, Open recovers, Writer appends. They do one step when they are told to, and have no clock and no
// randomness of their own; the disk is behind FS. So a simulation drives what an exchange runs.
package journal
