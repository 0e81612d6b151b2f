package wire_test

import (
	"bytes"
	"testing"

	"github.com/lockstep-exchange/lockstep/wire"
	"github.com/lockstep-exchange/lockstep/wire/gen"
)

// W-35: what is signed is the line, the message, the nonce where it is the venue's, and the credentials with no signature in
// them; every bit of what was said changes it, the signature does not.
func TestProofsCoverWhatIsSaid(t *testing.T) {
	nonce := [32]byte{1, 2, 3}
	for _, side := range []struct {
		name        string
		credentials int
		line        string
		proof       func(message, credentials []byte) []byte
	}{
		{"client", gen.HeaderSize + len(gen.AuthCredentials{}), "LOCKSTEP-FIXP-1\x00",
			func(m, c []byte) []byte { return wire.AppendClientProof(nil, m, c) }},
		{"venue", gen.HeaderSize + len(gen.VenueChallenge{}), "LOCKSTEP-VENUE-1\x00",
			func(m, c []byte) []byte { return wire.AppendVenueProof(nil, m, &nonce, c) }},
	} {
		message := bytes.Repeat([]byte{7}, gen.HeaderSize+len(gen.Negotiate{}))
		credentials := bytes.Repeat([]byte{9}, side.credentials)
		said := side.proof(message, credentials)
		if !bytes.HasPrefix(said, []byte(side.line)) {
			t.Errorf("%s: begins with %q", side.name, said[:20])
		}
		for i := range message {
			message[i] ^= 1
			if bytes.Equal(side.proof(message, credentials), said) {
				t.Errorf("%s: byte %d of the message is not signed", side.name, i)
			}
			message[i] ^= 1
		}
		for i := range credentials {
			credentials[i] ^= 1
			inside := i >= gen.HeaderSize+40 && i < gen.HeaderSize+104
			if bytes.Equal(side.proof(message, credentials), said) != inside {
				t.Errorf("%s: byte %d of the credentials: signed is %v", side.name, i, inside)
			}
			credentials[i] ^= 1
		}
	}
	nonce[0]++
	if m := make([]byte, 33); bytes.Equal(wire.AppendVenueProof(nil, m, &nonce, m), wire.AppendVenueProof(nil, m, &[32]byte{1, 2, 3}, m)) {
		t.Error("the nonce is not signed")
	}
}
