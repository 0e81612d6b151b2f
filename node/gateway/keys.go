package gateway

import (
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/sha256"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/msg"
	"github.com/lockstep-exchange/lockstep/wire"
	"github.com/lockstep-exchange/lockstep/wire/gen"
)

// Who may log in, and how he proves that it is he (WIRE, 5). Keys are the core's: a SetKey says whose accounts a key acts for, in which
// role, and what its signatures are checked with. Here they are read, and the secrets of scheme 2 are added, which stand in no journal.
//
// What is wrong with a proof is not told, and not by the time it takes either: whatever is wrong, and if nothing is, one signature of
// each scheme is checked, against the key's own or against one that belongs to nobody (W-38).

// Keys are those that may log in, and the venue's own. Any goroutine may use them.
type Keys struct {
	venue   ed25519.PrivateKey
	named   uint64 // the number of the venue's key
	secrets map[msg.KeyID][]byte
	nobody  ed25519.PublicKey // whose private key is known to all
	nothing []byte            // as a secret

	mu   sync.RWMutex
	byID map[msg.KeyID]key
}

// key is one that may log in.
type key struct {
	msg.KeyChange
	last  *atomic.Uint64 // the highest client id of all its sessions; only the reader of events moves it
	stamp fixed.Nanos    // of its last logon
}

// secretMin is the least length of a secret, in bytes.
const secretMin = 32

// NewKeys makes a ring of keys, empty as yet. venue is the private key, of number venueID, with which the venue proves itself; secrets are those
// of keys for which the operator has enabled HMAC-SHA256. The error names what is not sound.
func NewKeys(venueID uint64, venue ed25519.PrivateKey, secrets map[msg.KeyID][]byte) (*Keys, error) {
	if len(venue) != ed25519.PrivateKeySize {
		return nil, fmt.Errorf("gateway: the venue's private key has %d bytes, expected %d", len(venue), ed25519.PrivateKeySize)
	}
	for id, secret := range secrets {
		if len(secret) < secretMin {
			return nil, fmt.Errorf("gateway: the secret of key %d has %d bytes, expected at least %d", id, len(secret), secretMin)
		}
	}
	k := &Keys{venue: venue, named: venueID, secrets: secrets, nothing: make([]byte, secretMin), byID: map[msg.KeyID]key{}}
	k.nobody = ed25519.NewKeyFromSeed(k.nothing).Public().(ed25519.PublicKey)
	return k, nil
}

// set adds, changes or revokes a key. last and stamp are known of one that was there before this process.
func (k *Keys) set(c msg.KeyChange, last msg.Ref, stamp fixed.Nanos) {
	k.mu.Lock()
	defer k.mu.Unlock()
	old := k.byID[c.Key]
	if old.last == nil {
		old.last = new(atomic.Uint64)
	}
	used(old.last, last)
	k.byID[c.Key] = key{c, old.last, max(stamp, old.stamp)}
}

// lastOf is where the highest client id of a key stands.
func (k *Keys) lastOf(id msg.KeyID) *atomic.Uint64 {
	if who := k.get(id); who.last != nil {
		return who.last
	}
	return new(atomic.Uint64) // of a key that is not there: nobody asks
}

// used notes a client's id.
func used(last *atomic.Uint64, ref msg.Ref) {
	if uint64(ref) > last.Load() {
		last.Store(uint64(ref))
	}
}

// stamped notes the time of a logon.
func (k *Keys) stamped(id msg.KeyID, stamp fixed.Nanos) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if old := k.byID[id]; stamp > old.stamp {
		old.stamp = stamp
		k.byID[id] = old
	}
}

// get is a key; one that is not there has role 0.
func (k *Keys) get(id msg.KeyID) key {
	k.mu.RLock()
	defer k.mu.RUnlock()
	return k.byID[id]
}

// permits reports whether a key may have sessions of a kind. Drop copies are of all accounts of an owner: a key of one account has none.
func (k *key) permits(kind msg.SessionKind) bool {
	if kind == msg.DropCopy && k.Account != 0 {
		return false
	}
	switch k.Role {
	case msg.RoleTrader:
		return kind <= msg.DropCopy
	case msg.RoleRiskManager:
		return kind == msg.RiskControl || kind == msg.DropCopy
	case msg.RoleOperator:
		return kind == msg.RiskControl
	case msg.RoleDropCopy, msg.RoleAuditor:
		return kind == msg.DropCopy
	}
	return false
}

// prove finds the key that credentials are of and checks their signature. message is header and block of the Negotiate or Establish that
// carries them, credentials header and block of the AuthCredentials. ok is false where they prove nothing. The signature alone is checked aside
// (Terms): whatever locks there are, nobody has them meanwhile but that of the link.
func (k *Keys) prove(message, credentials []byte, aside func(check func()) bool) (who key, ok bool) {
	c := gen.AsAuthCredentials(credentials[gen.HeaderSize:])
	if id := c.KeyID(); id < 1<<32 {
		who = k.get(msg.KeyID(id))
	}
	public, secret := k.nobody, k.nothing
	byCurve := who.Role != 0 && gen.SignatureScheme(who.Scheme) == gen.SignatureSchemeEd25519 && !wire.WeakKey(who.Public[:])
	byDigest := who.Role != 0 && gen.SignatureScheme(who.Scheme) == gen.SignatureSchemeHmacSha256 && k.secrets[who.Key] != nil
	if byCurve {
		public = who.Public[:]
	}
	if byDigest {
		secret = k.secrets[who.Key]
	}
	var room [512]byte
	signed := wire.AppendClientProof(room[:0], message, credentials)
	curve, digest := false, false
	if !aside(func() {
		curve, digest = signedEd25519(public, signed, c.Signature()), signedHMAC(secret, signed, c.Signature())
	}) {
		return who, false
	}
	return who, c.Scheme() == gen.SignatureScheme(who.Scheme) && (byCurve && curve || byDigest && digest)
}

// signedEd25519 reports whether a signature of RFC 8032 is that of a message.
func signedEd25519(public ed25519.PublicKey, message []byte, signature *[64]byte) bool {
	return ed25519.Verify(public, message, signature[:])
}

// signedHMAC reports whether a signature begins with the HMAC-SHA256 of a message (RFC 2104) and is zero behind it.
func signedHMAC(secret, message []byte, signature *[64]byte) bool {
	mac := hmac.New(sha256.New, secret)
	mac.Write(message)
	var want [64]byte
	mac.Sum(want[:0])
	return hmac.Equal(want[:], signature[:])
}

// challenge appends the Credentials of a NegotiationResponse: a VenueChallenge, signed. response is header and block of that, client the
// nonce of the Negotiate.
func (k *Keys) challenge(dst, response []byte, client, server *[32]byte, last msg.Ref, now fixed.Nanos) []byte {
	out, block := wire.AppendRecord(dst, gen.Header{Block: uint16(len(gen.VenueChallenge{})), Template: gen.TemplateVenueChallenge,
		Schema: gen.SchemaCredentials, Version: gen.VersionCredentials})
	m := gen.AsVenueChallenge(block)
	m.SetVenueKeyID(k.named)
	*m.ServerNonce() = *server
	m.SetLastClOrdID(uint64(last))
	m.SetVenueTime(uint64(now))
	m.SetMinVersion(minVersion)
	m.SetMaxVersion(gen.VersionOrderEntry)
	var room [512]byte
	copy(m.Signature()[:], ed25519.Sign(k.venue, wire.AppendVenueProof(room[:0], response, client, out[len(dst):])))
	return out
}

// minVersion is the oldest version of schema 7001 that is taken.
const minVersion = 1
