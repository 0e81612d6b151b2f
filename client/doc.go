// Package client is how a program trades on a venue: it logs in, sends orders, follows what becomes of them, and after a lost
// connection finds out about each of them before it goes on.
//
// A Session is the protocol (FIXP, docs/WIRE.md) as a step function: bytes and time go in, bytes and events come out. It has no
// thread, no clock and no socket, so a simulator can drive it. A Client is a Session on a connection, which it makes anew when it
// is lost. A Book is an instrument's order book from the records of the feed.
//
//	           Place, Replace, Cancel, ...                         Next: *Event
//	                     |                                              ^
//	                     v                                              |
//	Session   number it, remember it  --> Output      Room, Received --> frame by frame, in the order of their numbers
//	                     |                  |             ^                 |
//	                     v                  v             |                 v
//	           requests without an answer   connection ---+        orders: what is known of each
//
// What is known of a request. Requests are numbered from 1; the venue answers each one once, in order, by a first response. When a
// connection is lost nobody knows how far the venue has read. The session binds anew and says which number comes next; the venue
// answers numbers that it has never seen by NotApplied, behind its answers to those before. What the venue has said meanwhile is
// asked for again, by number, and nothing is shown out of order. So every request ends in exactly one of two events: its
// first response, or NotApplied. Nothing is ever sent twice. The event Recovered says that all requests from before are known.
//
// Units are those of the wire: prices and quantities in 10^pxExp and 10^qtyExp of the instrument, money in millionths, rates
// in billionths, times in nanoseconds since 1970.
//
// Once a session is made, sending and receiving allocate nothing. Its tables are bounded: a full one is an error that names it.
//
//	key.go       who the client is, and the proofs of both sides
//	session.go   the states of a session, and its timers
//	logon.go     Negotiate, Establish, and their answers
//	event.go     what a session has learned, and errors
//	receive.go   frames in, events out, in the order of their numbers
//	terminate.go how a binding and a session end
//	request.go   what can be asked for, and the numbers of it
//	control.go   requests that are no orders
//	pending.go   requests without a first response
//	order.go     what is known of orders
//	follow.go    what a report changes
//	index.go     a hash table from ids to rows
//	client.go    a session on a connection
//	socket_*.go  reads and writes that do not wait
//	book.go      an order book from the feed
//	market.go    a channel of the feed: two lines, holes in the numbers and what closes them, books that follow
//	receiver.go  a market with sockets
//	recovery.go  replays and snapshots for it, by sessions
package client
