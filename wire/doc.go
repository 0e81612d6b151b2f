// Package wire is msg as bytes: what firms send and what they are told, without a socket.
//
// The messages themselves are blocks of fixed offsets, written from XML into package gen. Here is what is around them and what
// they mean:
//
//	fault.go     what is wrong with bytes, and where
//	frame.go     TCP: a length, a header, a block, groups and data; Open looks at all of them once
//	stream.go    bytes in, frames out: a receive buffer of fixed size, and no thread
//	mold.go      UDP: datagrams of numbered records, heartbeats, the end of a session, requests for what was missed
//	scale.go     prices and quantities of the wire to ticks and lots, and back
//	order.go     order entry to msg.Request
//	control.go   kill switch, mass cancel and positions to msg.Request
//	report.go    msg.Event to reports
//	logon.go     what a client and the venue sign
//	checksum.go  what an order adds to the checksum of its book
//
//	bytes --Stream--> frame --Open--> Message --Request--> msg.Request ... msg.Event --Report--> bytes
//
// What events become in market data is a matter of more than one event: package feed.
//
// Nothing here waits, allocates or panics, whatever the bytes are. A decoder returns views of the buffer that it was given;
// they are good until the buffer is used again. An encoder appends to the caller's buffer.
package wire

//go:generate go run ../tools/sbegen
