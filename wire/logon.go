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

// weak are the public keys of small order, the sign of x left out: what is signed with them anybody can sign, without a private key. Zero, the
// placeholder, is one of them.
var weak = [...][32]byte{
	{}, {1}, below(0xec), below(0xed), below(0xee),
	{0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98, 0xf0,
		0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53, 0xfc, 0x05},
	{0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67, 0x0f,
		0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac, 0x03, 0x7a},
}

// below is 2^255 - 256 + low: 2^255 - 19 is the prime of the curve.
func below(low byte) (b [32]byte) {
	for i := range b {
		b[i] = 0xff
	}
	b[0], b[31] = low, 0x7f
	return b
}

// WeakKey reports whether a public key of Ed25519 proves nothing.
func WeakKey(public []byte) bool {
	if len(public) != len(weak[0]) {
		return true
	}
	plain := [32]byte(public)
	plain[31] &= 0x7f
	for i := range weak {
		if weak[i] == plain {
			return true
		}
	}
	return false
}
