package gateway

import (
	"strings"
	"testing"
)

// trim takes the indentation off the lines of an answer.
func trim(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	for i, line := range lines {
		lines[i] = strings.TrimSpace(line)
	}
	return strings.Join(lines, "\n")
}

// in is how a script gets a session, and welcome what the venue says to it.
const (
	in = `connect a
		negotiate
		establish
		sequence 1
		`
	welcome = `a NegotiationResponse flow=0 last=0
		a EstablishmentAck 1
		`
	inCopies = `connect a
		negotiate kind=3 key=4
		establish kind=3 key=4
		`
)

// The scenarios of FIXP 1.1, Appendix A, and the rules of docs/WIRE.md that say more. Rows of the appendix that are narrower here: one
// connection carries one session and Context is refused (W-16); who is shown out has to connect again, an answer to Terminate comes within
// one keepalive, then the connection is closed (W-26); of one request at most 64 messages are sent, in one batch (W-22); refused logons end the
// connection. Its text calls a request past the end an OutOfRange and one of messages that are gone a ReRequestOutOfBounds: W-22 has them the
// other way round, as the body of the standard does.
func TestScenarios(t *testing.T) {
	for _, c := range []struct{ name, script, want string }{
		// Negotiation.
		{"negotiation, idempotent and recoverable", "connect a\nnegotiate", "a NegotiationResponse flow=0 last=0"},
		{"negotiation, none and recoverable", "connect a\nnegotiate kind=3 key=4", "a NegotiationResponse flow=0 last=0"},
		{"negotiation with HMAC", "connect a\nnegotiate key=6\nestablish key=6", welcome},
		{"bad credentials: another's signature", "connect a\nnegotiate signer=5", "a NegotiationReject 0 \na closed"},
		{"bad credentials: nobody's key", "connect a\nnegotiate key=99", "a NegotiationReject 0 \na closed"},
		{"bad credentials: another scheme", "connect a\nnegotiate key=6 scheme=1", "a NegotiationReject 0 \na closed"},
		{"bad credentials: HMAC with a public key", "connect a\nnegotiate key=2 scheme=2", "a NegotiationReject 0 \na closed"},
		{"bad credentials: cut short", "connect a\nnegotiate cut=yes", "a NegotiationReject 0 \na closed"},
		{"bad credentials: a kind that the role has not", "connect a\nnegotiate key=4 kind=1", "a NegotiationReject 0 \na closed"},
		{"bad credentials: a kind that is not served", "connect a\nnegotiate kind=4", "a NegotiationReject 0 \na closed"},
		{"flow not supported", "connect a\nnegotiate flow=0", "a NegotiationReject 1 \na closed"},
		{"flow not supported: an unknown one", "connect a\nnegotiate flow=9", "a NegotiationReject 1 \na closed"},
		{"drop copy with messages of the client", "connect a\nnegotiate kind=3 key=4 flow=1", "a NegotiationReject 1 \na closed"},
		{"invalid session id", "connect a\nnegotiate id=000", "a NegotiationReject 3 the session id is no UUID of version 4\na closed"},
		{"invalid timestamp", "connect a\nnegotiate stamp=86400", "a NegotiationReject 3 128 clock\na closed"},
		{"a clock that is late", "connect a\nnegotiate skew=-5001ms", "a NegotiationReject 3 128 clock\na closed"},
		{"a clock that is early", "connect a\nnegotiate skew=5001ms", "a NegotiationReject 3 128 clock\na closed"},
		{"a clock that is late enough", "connect a\nnegotiate skew=-4999ms", "a NegotiationResponse flow=0 last=0"},
		{"another shard", "connect a\nnegotiate shard=8", "a NegotiationReject 3 another shard\na closed"},
		{"no version", "connect a\nnegotiate version=0", "a NegotiationReject 3 the version of schema 7001 is not served\na closed"},
		{"a later version", "connect a\nnegotiate version=7", "a NegotiationResponse flow=0 last=0"},
		{"a window that is too long", "connect a\nnegotiate window=60001", "a NegotiationReject 3 codWindowMs is above 60000\na closed"},
		{"an id twice", in + "connect b\nnegotiate", welcome + "b NegotiationReject 2 \nb closed"},
		{"an id twice, of another key", in + "connect b\nnegotiate key=5", welcome + "b NegotiationReject 2 \nb closed"},
		{"no room for another session",
			"connect a\nnegotiate id=A\nconnect a\nnegotiate id=B\nconnect a\nnegotiate id=C\nconnect a\nnegotiate id=D\nconnect a\nnegotiate id=E\nconnect a\nnegotiate id=F\nconnect a\nnegotiate id=G\nconnect b\nnegotiate id=H",
			strings.Repeat("a NegotiationResponse flow=0 last=0\n", 7) + "b NegotiationReject 3 there is no room for another session\nb closed"},
		{"a second Negotiate", "connect a\nnegotiate\nnegotiate id=DEF", "a NegotiationResponse flow=0 last=0\na Terminate 1 123 illegal message\na closed"},
		{"the last client id is told", in + "order 1\nterminate\nclose\nconnect b\nnegotiate id=DEF", welcome + "a 1 OrderAccepted 101\na Terminate 0 \nb NegotiationResponse flow=0 last=101"},

		// Establishment.
		{"unnegotiated", "connect a\nestablish", "a EstablishmentReject 0 \na closed"},
		{"another session than was negotiated here", in + "connect b\nnegotiate id=DEF key=5\nestablish id=ABC", welcome + "b NegotiationResponse flow=0 last=0\nb EstablishmentReject 0 \nb closed"},
		{"already established", in + "establish", welcome + "a EstablishmentReject 1 \na Sequence 1"},
		{"already established elsewhere", in + "connect b\nestablish", welcome + "b EstablishmentReject 1 \nb closed"},
		{"already established in another session", in + "connect b\nnegotiate id=DEF\nestablish id=DEF", welcome + "b NegotiationResponse flow=0 last=0\nb EstablishmentReject 1 \nb closed"},
		{"one key in two kinds", in + "connect b\nnegotiate id=DEF kind=2\nestablish id=DEF kind=2", welcome + "b NegotiationResponse flow=0 last=0\nb EstablishmentAck 1"},
		{"a keepalive that is too short", "connect a\nnegotiate\nestablish keepalive=99", "a NegotiationResponse flow=0 last=0\na EstablishmentReject 3 expected 100 to 60000 ms\na closed"},
		{"a keepalive that is too long", "connect a\nnegotiate\nestablish keepalive=60001", "a NegotiationResponse flow=0 last=0\na EstablishmentReject 3 expected 100 to 60000 ms\na closed"},
		{"invalid timestamp of Establish", "connect a\nnegotiate\nestablish stamp=86400", "a NegotiationResponse flow=0 last=0\na EstablishmentReject 5 128 clock\na closed"},
		{"bad credentials of Establish", "connect a\nnegotiate\nestablish signer=5", "a NegotiationResponse flow=0 last=0\na EstablishmentReject 4 \na closed"},
		{"a nonce that is not the venue's", "connect a\nnegotiate\nestablish nonce=wrong", "a NegotiationResponse flow=0 last=0\na EstablishmentReject 4 \na closed"},
		{"a session of another key", in + "terminate\nclose\nconnect b\nestablish key=5", welcome + "a Terminate 0 \nb EstablishmentReject 4 \nb closed"},
		{"another kind than was negotiated", "connect a\nnegotiate\nestablish kind=2", "a NegotiationResponse flow=0 last=0\na EstablishmentReject 4 \na closed"},
		{"the core says that it is bound", "connect a\nnegotiate\nrefuse-bind ModeConflict\nestablish", "a NegotiationResponse flow=0 last=0\na EstablishmentReject 1 \na closed"},
		{"the core is still taking orders out", "connect a\nnegotiate\nrefuse-bind EntryBlocked\nestablish\nwait 10ms", welcome},

		// Unbinding.
		{"silence", in + "wait 3010ms", welcome + "a Sequence 1\na Sequence 1\na Terminate 1 120 idle"},
		{"silence, and no answer", in + "wait 4020ms", welcome + "a Sequence 1\na Sequence 1\na Terminate 1 120 idle\na closed"},
		{"a sequence that is lower", in + "order 1\nsequence 1", welcome + "a 1 OrderAccepted 101\na Terminate 1 121 sequence lower"},
		{"a sequence beyond all numbers", in + "sequence 4294967297", welcome + "a Terminate 1 121 sequence lower"},
		{"graceful termination, and back", in + "order 1\nterminate\nclose\nconnect b\nestablish\nsequence 2\norder 2",
			welcome + "a 1 OrderAccepted 101\na Terminate 0 \nb EstablishmentAck 2\nb 2 OrderAccepted 102"},
		{"the client does not close", in + "terminate\nwait 1s", welcome + "a Terminate 0 \na closed"},
		{"disconnection, and back", in + "order 1\nclose\nconnect b\nestablish\nsequence 2\norder 2", welcome + "a 1 OrderAccepted 101\nb EstablishmentAck 2\nb 2 OrderAccepted 102"},
		{"taking over", in + "order 1\nconnect b\nestablish takeover=1\nsequence 2\norder 2\nas a\nterminate",
			welcome + "a 1 OrderAccepted 101\nb EstablishmentAck 2\nb 2 OrderAccepted 102\na Terminate 1 124 taken over\na closed"},
		{"taking over with another session", in + "connect b\nnegotiate id=DEF\nestablish id=DEF takeover=1\nas a\norder 1",
			welcome + "b NegotiationResponse flow=0 last=0\nb EstablishmentAck 1\na Terminate 1 124 taken over"},

		// Transferring.
		{"sequence as a heartbeat", in + "wait 900ms\nsequence 1\nwait 900ms\nsequence 1\nwait 900ms\nsequence 1", welcome + "a Sequence 1\na Sequence 1"},
		{"a sequence that is higher", in + "order 1\nsequence 200\norder 200", welcome + "a 1 OrderAccepted 101\na NotApplied 2+198\na 3 OrderAccepted 300"},
		{"unsequenced heartbeats of a drop copy", inCopies + "wait 900ms\nheartbeat\nwait 900ms\nheartbeat\nwait 900ms\nheartbeat", welcome + "a Sequence 1\na Sequence 1"},
		{"unsequenced heartbeat where messages are numbered", in + "heartbeat", welcome + "a Terminate 1 123 illegal message"},
		{"sequence where there are no messages", inCopies + "sequence 1", welcome + "a Terminate 1 123 illegal message"},
		{"a message where there are none", inCopies + "order 1", welcome + "a Terminate 1 123 illegal message"},
		{"a message before any sequence", "connect a\nnegotiate\nestablish\norder 1", welcome + "a Terminate 1 122 not sequenced"},
		{"a message out of the mode", in + "order 1\nretransmit 1 1\norder 2", welcome + "a 1 OrderAccepted 101\na Retransmission 1+1\na 1 OrderAccepted 101\na Sequence 2\na Terminate 1 122 not sequenced"},
		{"a message with another number", in + "order 2", welcome + "a Terminate 1 104 sequence mismatch"},
		{"a cancel with another number", in + "cancel 2", welcome + "a Terminate 1 104 sequence mismatch"},
		{"context", in + "session-message 9 24", welcome + "a Terminate 1 123 illegal message"},
		{"topic", in + "session-message 4 25", welcome + "a Terminate 1 123 illegal message"},
		{"a message that only the venue sends", in + "session-message 6 36", welcome + "a Terminate 1 123 illegal message"},
		{"a message of the session layer before logon", "connect a\nsequence 1", "a Terminate 1 123 illegal message\na closed"},
		{"a business message before logon", "connect a\norder 1", "a Terminate 1 123 illegal message\na closed"},
		{"a business message before Establish", "connect a\nnegotiate\norder 1", "a NegotiationResponse flow=0 last=0\na Terminate 1 123 illegal message\na closed"},

		// Retransmission.
		{"retransmission", in + "order 1\norder 2\norder 3\nretransmit 2 2\nsequence 4\norder 4",
			welcome + "a 1 OrderAccepted 101\na 2 OrderAccepted 102\na 3 OrderAccepted 103\na Retransmission 2+2\na 2 OrderAccepted 102\na 3 OrderAccepted 103\na Sequence 4\na 4 OrderAccepted 104"},
		{"retransmission past the end", in + "order 1\nretransmit 1 2", welcome + "a 1 OrderAccepted 101\na Terminate 2 "},
		{"retransmission from beyond the end", in + "retransmit 1 1", welcome + "a Terminate 2 "},
		{"retransmission of nothing", in + "order 1\nretransmit 1 0", welcome + "a 1 OrderAccepted 101\na RetransmitReject 2\na Sequence 2"},
		{"retransmission of too much", in + "retransmit 1 2001", welcome + "a RetransmitReject 2\na Sequence 1"},
		{"retransmission of number 0", in + "order 1\nretransmit 0 1", welcome + "a 1 OrderAccepted 101\na RetransmitReject 0\na Sequence 2"},
		{"retransmission of an unknown session", in + "retransmit 1 1 id=DEF", welcome + "a RetransmitReject 1\na Sequence 1"},
		{"retransmission of another key's session", in + "order 1\nconnect b\nnegotiate id=DEF key=5\nestablish id=DEF key=5\nretransmit 1 1 id=ABC",
			welcome + "a 1 OrderAccepted 101\nb NegotiationResponse flow=0 last=0\nb EstablishmentAck 1\nb RetransmitReject 1\nb Sequence 1"},
		{"retransmission of an earlier session", in + "order 1\nterminate\nclose\nconnect b\nnegotiate id=DEF\nestablish id=DEF\nretransmit 1 1 id=ABC\nsequence 1\norder 1",
			welcome + "a 1 OrderAccepted 101\na Terminate 0 \nb NegotiationResponse flow=0 last=101\nb EstablishmentAck 1\nb Retransmission 1+1\nb 1 OrderAccepted 101\nb Sequence 1\nb 1 OrderAccepted 101"},

		// Finalizing.
		{"finished", in + "order 1\nfinished-sending 1\nfinished-receiving\nterminate\nclose\nconnect b\nestablish",
			welcome + "a 1 OrderAccepted 101\na FinishedReceiving\na FinishedSending 1\na Terminate 0 \nb EstablishmentReject 0 \nb closed"},
		{"finished, and a row is free again", in + "finished-sending 0\nfinished-receiving\nterminate\nclose\nconnect b\nnegotiate id=DEF\nestablish id=DEF",
			welcome + "a FinishedReceiving\na FinishedSending 0\na Terminate 0 \nb NegotiationResponse flow=0 last=0\nb EstablishmentAck 1"},
		{"finished, without an answer", in + "finished-sending 0\nwait 900ms\nfinished-sending 0\nwait 900ms\nfinished-sending 0\nwait 900ms", welcome + "a FinishedReceiving\na FinishedSending 0\na FinishedSending 0\na FinishedSending 0"},
		{"finished, with a gap", in + "order 1\nfinished-sending 4\nwait 10ms", welcome + "a 1 OrderAccepted 101\na NotApplied 2+3\na FinishedReceiving\na FinishedSending 2"},
		{"finished, with less than was sent", in + "order 1\nfinished-sending 0", welcome + "a 1 OrderAccepted 101\na Terminate 1 121 sequence lower"},
		{"finished, but not the venue", in + "finished-sending 0\nterminate", welcome + "a FinishedReceiving\na FinishedSending 0\na Terminate 1 123 illegal message"},
		{"finished, and a sequence", in + "finished-sending 0\nsequence 1", welcome + "a FinishedReceiving\na FinishedSending 0\na Terminate 1 123 illegal message"},
		{"finished, and a message", in + "finished-sending 0\norder 1", welcome + "a FinishedReceiving\na FinishedSending 0\na Terminate 1 123 illegal message"},
		{"finished receiving what has not finished", in + "finished-receiving", welcome + "a Terminate 1 123 illegal message"},
		{"finished, and something is missing", in + "order 1\nfinished-sending 1\nretransmit 1 1\nfinished-receiving\nterminate",
			welcome + "a 1 OrderAccepted 101\na FinishedReceiving\na FinishedSending 1\na Retransmission 1+1\na 1 OrderAccepted 101\na Sequence 2\na Terminate 0 "},

		// Timers (W-14).
		{"nothing for two seconds", "connect a\nwait 2s", "a closed"},
		{"half a frame for a second", "connect a\nbytes n=3\nwait 1100ms", "a closed"},
		{"half a frame in a session", in + "bytes n=3\nwait 1100ms", welcome + "a Terminate 1 120 idle\na closed"},
		{"no Establish for five seconds", "connect a\nnegotiate\nwait 5s", "a NegotiationResponse flow=0 last=0\na closed"},

		// Bad input (WIRE, 12).
		{"no frame", "connect a\nbytes n=20 of=1", "a closed"},
		{"no frame in a session", in + "bytes n=20 of=1", welcome + "a Terminate 1 123 illegal message\na closed"},
		{"rights of risk control", "connect a\nnegotiate kind=2 key=3\nestablish kind=2 key=3\nsequence 1\norder 1\ncancel 2\nblock 3",
			welcome + "a 1 Reject 201 of 1\na 2 Reject 201 of 2\na 3 ControlAck"},
		{"values", in + "order 1 side=7\norder 2 qty=0\norder 3 flags=1024\norder 4", welcome + "a 1 Reject 102 of 1\na 2 Reject 102 of 2\na 3 Reject 103 of 3\na 4 OrderAccepted 104"},
		{"what is not there", in + "order 1 type=3", welcome + "a 1 Reject 413 of 1"},
		{"sending time", in + "order 1 sent=-4s\norder 2 sent=-6s\norder 3 sent=6s\norder 4 sent=4s",
			welcome + "a 1 OrderAccepted 101\na 2 Reject 105 of 2\na 3 Reject 105 of 3\na 4 OrderAccepted 104"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			if got, want := trim(w.run(c.script)), trim(c.want); got != want {
				t.Errorf("got\n%s\n\nwant\n%s", got, want)
			}
		})
	}
}
