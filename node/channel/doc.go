// Package channel publishes the market data of a shard: the records of package feed as numbered datagrams on two groups, A and B,
// and what a reader needs who has lost some of them or comes late.
//
//	released events --> Publisher --> datagrams --> group A
//	                     |      |              `--> group B, the same bytes
//	                     |      `--> history of the last records --> re-requests, replay sessions
//	                     `--> the book as it was told ------------> snapshots
//
//	publisher.go  events in, datagrams out: a step function with neither clock nor socket
//	history.go    the last records by their numbers
//	request.go    who asks for records again: networks, rates, answers
//	server.go     a publisher with sockets, on goroutines of its own
//	socket.go     UDP: to a group or to one reader, from a group
//
// Numbers are a function of the journal. A publisher that is given what a start replays sends nothing of it, keeps the last of it
// for who asks, and goes on with the next number under the same name; so a restart is no more than a gap, which readers close as
// they close any other.
package channel
