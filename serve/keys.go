package serve

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
)

// developments is how many development keys there are.
const developments = 16

// DevelopmentKey is a private key that everybody has, number 1 to 16: exchange demo prints and uses them, exchange serve refuses them.
func DevelopmentKey(number int) ed25519.PrivateKey {
	seed := sha256.Sum256(fmt.Appendf(nil, "lockstep development key %d: everybody has it", number))
	return ed25519.NewKeyFromSeed(seed[:])
}

// Development reports whether a public key is that of a development key.
func Development(public ed25519.PublicKey) bool {
	for n := 1; n <= developments; n++ {
		if DevelopmentKey(n).Public().(ed25519.PublicKey).Equal(public) {
			return true
		}
	}
	return false
}

// NewKey makes a private key and writes its seed to a file that must not be there, for its owner alone. It returns the public key.
func NewKey(file string) (ed25519.PublicKey, error) {
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, err
	}
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, err
	}
	if _, err := fmt.Fprintln(f, hex.EncodeToString(private.Seed())); err != nil {
		_ = f.Close() // what went wrong first counts
		return nil, err
	}
	return public, f.Close()
}
