package wire

import "github.com/lockstep-exchange/lockstep/wire/gen"

// What is signed when a client and the venue prove to each other who they are. Both sides sign what they say, in which the place
// of the signature is zero, after a line that no other signature of theirs begins with:
//
//	client   "LOCKSTEP-FIXP-1" 0 | header, block of Negotiate or Establish       | header, block of AuthCredentials
//	venue    "LOCKSTEP-VENUE-1" 0 | header, block of NegotiationResponse | nonce | header, block of VenueChallenge
//
// The nonce is the client's, from the Negotiate that is answered, so an old answer proves nothing.

const (
	clientLine = "LOCKSTEP-FIXP-1\x00"
	venueLine  = "LOCKSTEP-VENUE-1\x00"
	proofAt    = 40 // of the signature, in AuthCredentials and in VenueChallenge
	proofSize  = 64
)

// AppendClientProof appends what a client signs: message is header and block of its Negotiate or Establish, credentials header
// and block of the AuthCredentials in it.
func AppendClientProof(dst, message, credentials []byte) []byte {
	dst = append(append(dst, clientLine...), message...)
	return appendUnsigned(dst, credentials)
}

// AppendVenueProof appends what the venue signs: message is header and block of its NegotiationResponse, challenge header and
// block of the VenueChallenge in it, nonce what the client's Negotiate carried.
func AppendVenueProof(dst, message []byte, nonce *[32]byte, challenge []byte) []byte {
	dst = append(append(dst, venueLine...), message...)
	dst = append(dst, nonce[:]...)
	return appendUnsigned(dst, challenge)
}

// appendUnsigned appends header and block of credentials, their signature zero.
func appendUnsigned(dst, credentials []byte) []byte {
	at := len(dst) + gen.HeaderSize + proofAt
	dst = append(dst, credentials...)
	if at+proofSize <= len(dst) {
		clear(dst[at : at+proofSize])
	}
	return dst
}
