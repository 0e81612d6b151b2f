package wire_test

import (
	"bytes"
	"crypto/ed25519"
	"encoding/hex"
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

// For each weak key a signature fits that nobody has made, one in a few messages: S is zero, R another weak key. They are the points of orders 1, 2,
// 4 and 8, those above the prime too.
func TestWeakKeys(t *testing.T) {
	var weak [][]byte
	for _, digits := range []string{
		"0000000000000000000000000000000000000000000000000000000000000000", "0100000000000000000000000000000000000000000000000000000000000000",
		"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
		"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
		"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
	} {
		for _, sign := range []byte{0, 0x80} {
			public, err := hex.DecodeString(digits)
			if err != nil {
				t.Fatal(err)
			}
			public[31] |= sign
			weak = append(weak, public)
		}
	}
	for _, public := range weak {
		forged := 0
		for n := range byte(50) {
			for _, r := range weak {
				var signature [64]byte
				copy(signature[:], r)
				if ed25519.Verify(public, []byte{n}, signature[:]) {
					forged++
				}
			}
		}
		if forged == 0 || !wire.WeakKey(public) {
			t.Errorf("%x: %d signatures are forged, weak %v", public, forged, wire.WeakKey(public))
		}
	}
	if sound := ed25519.NewKeyFromSeed(make([]byte, 32)).Public().(ed25519.PublicKey); wire.WeakKey(sound) || !wire.WeakKey(nil) {
		t.Error("a sound key is weak, or none is not")
	}
}
