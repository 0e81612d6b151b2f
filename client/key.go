package client

import (
	"crypto/ed25519"
	"errors"

	"github.com/lockstep-exchange/lockstep/wire"
	"github.com/lockstep-exchange/lockstep/wire/gen"
)

// Key is who logs in: the id under which the venue knows the public half, and the private half.
type Key struct {
	ID      uint64
	Private ed25519.PrivateKey
}

func (k *Key) check() error {
	if k.ID == 0 || len(k.Private) != ed25519.PrivateKeySize {
		return errors.New("client: Key is not complete: expected an id above 0 and an Ed25519 private key of 64 bytes")
	}
	return nil
}

// credentialsSize is an AuthCredentials with its header, as it stands in Negotiate and Establish.
const credentialsSize = gen.HeaderSize + len(gen.AuthCredentials{})

// sign puts the key's signature into credentials: header and block of an AuthCredentials in the message, of which header and
// block are given.
func (k *Key) sign(message, credentials []byte) {
	proof := wire.AppendClientProof(nil, message, credentials)
	*gen.AsAuthCredentials(credentials[gen.HeaderSize:]).Signature() = [64]byte(ed25519.Sign(k.Private, proof))
}

// proven reports whether a venue's challenge is signed by its key, as the answer to a Negotiate with this nonce. response is
// header and block of the NegotiationResponse.
func proven(venue ed25519.PublicKey, response []byte, nonce *[32]byte, challenge []byte) bool {
	signature := gen.AsVenueChallenge(challenge[gen.HeaderSize:]).Signature()
	return ed25519.Verify(venue, wire.AppendVenueProof(nil, response, nonce, challenge), signature[:])
}
