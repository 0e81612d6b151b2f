// Package gateway lets firms in: it speaks FIXP 1.1 with them, makes commands of their messages, and reports of the events.
//
//	socket ──> Link ──────> lane ──> node ──> journal         one Link a connection, one Row a session
//	           ^   │ numbers, rights, rates      │
//	           │   └─ what is refused here is a command too    released events
//	           │                                 │
//	socket <── Link <── Row <── Roster.Hear <────┘             reports, numbered and kept for who asks again
//
// Words: a session is what a client negotiates once and may bind to one connection after another; a Row is what is known of it here,
// and in the core. A Link is one connection. The Roster holds rows, keys and scales. A lane is the door of the node that a session keeps
// for life, so that its commands are sequenced in the order of their numbers. Gateway is the sockets around all that.
//
// Roster, Row and Link have no goroutine, no clock and no socket (D-60): bytes, events and the time go in, bytes and commands come
// out. Whatever decides about a number is read from events: the roster is a cache, and a new one, made of the core's tables, goes on
// where the old one was (W-29).
//
// Locks. That of the reader of events is taken before a link's, a link's before a lane's, and a lane's before a row's or the roster's, of
// which one at a time. So the reader of events, a connection's goroutine and the ticker may meet in any order.
package gateway
