package gateway

import (
	"context"
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/lockstep-exchange/lockstep/msg"
	"github.com/lockstep-exchange/lockstep/wire"
	"github.com/lockstep-exchange/lockstep/wire/gen"
)

func unhex(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// W-41: the vectors of RFC 8032, section 7.1, through the function that logons are checked with.
func TestEd25519Vectors(t *testing.T) {
	for _, v := range []struct{ name, public, message, signature string }{
		{"TEST 1", "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
			"e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"},
		{"TEST 2", "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
			"92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"},
		{"TEST 3", "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
			"6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a"},
		{"TEST SHA(abc)", "ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf",
			"ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
			"dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b58909351fc9ac90b3ecfdfbc7c66431e0303dca179c138ac17ad9bef1177331a704"},
	} {
		public, message, signature := unhex(t, v.public), unhex(t, v.message), (*[64]byte)(unhex(t, v.signature))
		if !signedEd25519(public, message, signature) {
			t.Errorf("%s: not taken", v.name)
		}
		for _, at := range []int{0, 31, 32, 63} {
			harmed := *signature
			harmed[at] ^= 1
			if signedEd25519(public, message, &harmed) {
				t.Errorf("%s: taken with byte %d harmed", v.name, at)
			}
		}
		if signedEd25519(public, append(message, 0), signature) {
			t.Errorf("%s: taken for another message", v.name)
		}
	}
}

// W-41: the vectors of RFC 4231 that are as long as a whole digest.
func TestHMACVectors(t *testing.T) {
	long := strings.Repeat("aa", 131)
	for _, v := range []struct{ name, secret, message, digest string }{
		{"4.2", strings.Repeat("0b", 20), hex.EncodeToString([]byte("Hi There")),
			"b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"},
		{"4.3", hex.EncodeToString([]byte("Jefe")), hex.EncodeToString([]byte("what do ya want for nothing?")),
			"5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
		{"4.4", strings.Repeat("aa", 20), strings.Repeat("dd", 50),
			"773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"},
		{"4.5", "0102030405060708090a0b0c0d0e0f10111213141516171819", strings.Repeat("cd", 50),
			"82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b"},
		{"4.7", long, hex.EncodeToString([]byte("Test Using Larger Than Block-Size Key - Hash Key First")),
			"60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"},
		{"4.8", long, hex.EncodeToString([]byte("This is a test using a larger than block-size key and a larger than block-size data. The key needs to be hashed before being used by the HMAC algorithm.")),
			"9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2"},
	} {
		var signature [64]byte
		copy(signature[:], unhex(t, v.digest))
		if !signedHMAC(unhex(t, v.secret), unhex(t, v.message), &signature) {
			t.Errorf("%s: not taken", v.name)
		}
		for _, at := range []int{0, 31, 32, 63} {
			harmed := signature
			harmed[at] ^= 1
			if signedHMAC(unhex(t, v.secret), unhex(t, v.message), &harmed) {
				t.Errorf("%s: taken with byte %d harmed", v.name, at)
			}
		}
	}
}

// Whose public key is weak is not let in, though a signature fits that nobody has made: R and S zero.
func TestWeakKeyProvesNothing(t *testing.T) {
	keys, err := NewKeys(1, private(1), nil)
	if err != nil {
		t.Fatal(err)
	}
	keys.set(msg.KeyChange{Key: 9, Role: msg.RoleTrader, Owner: 7, Scheme: uint8(gen.SignatureSchemeEd25519)}, 0, 0)
	fits := 0
	for n := range 1000 {
		credentials, block := wire.AppendRecord(nil, gen.Header{Block: uint16(len(gen.AuthCredentials{})), Template: gen.TemplateAuthCredentials,
			Schema: gen.SchemaCredentials, Version: gen.VersionCredentials})
		c := gen.AsAuthCredentials(block)
		c.SetKeyID(9)
		c.SetScheme(gen.SignatureSchemeEd25519)
		message := []byte{byte(n), byte(n >> 8)}
		if signedEd25519(make([]byte, 32), wire.AppendClientProof(nil, message, credentials), c.Signature()) {
			fits++
		}
		if _, ok := keys.prove(message, credentials, here); ok {
			t.Fatal("it is let in")
		}
	}
	if fits == 0 {
		t.Error("no signature fits, so nothing was asked")
	}
}

// The error of a ring names what is not sound.
func TestKeysAreSound(t *testing.T) {
	venue := ed25519.NewKeyFromSeed(make([]byte, 32))
	for _, c := range []struct {
		venue   ed25519.PrivateKey
		secrets map[msg.KeyID][]byte
		want    string
	}{
		{venue, map[msg.KeyID][]byte{7: make([]byte, 32)}, ""},
		{venue[:5], nil, "the venue's private key has 5 bytes, expected 64"},
		{venue, map[msg.KeyID][]byte{7: make([]byte, 31)}, "the secret of key 7 has 31 bytes, expected at least 32"},
	} {
		_, err := NewKeys(1, c.venue, c.secrets)
		if got := errText(err); !strings.Contains(got, c.want) || (c.want == "") != (got == "") {
			t.Errorf("got %q, want %q", got, c.want)
		}
	}
}

func errText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// macOf is how a client signs with a secret.
func macOf(secret, message []byte) []byte {
	mac := hmac.New(sha256.New, secret)
	mac.Write(message)
	return mac.Sum(nil)
}

// While a signature is checked, which takes long and waits for its turn, nobody has what others wait for; and the timers of who waits stand still:
// he has said what he had to.
func TestChecksHoldUpNobody(t *testing.T) { // W-14, W-38
	w := newWorld(t)
	begun, goOn, said := make(chan struct{}), make(chan struct{}), make(chan string)
	w.roster.terms.Aside = func(check func()) bool {
		close(begun)
		<-goOn
		check()
		return true
	}
	w.run("connect a")
	l := w.at.link
	go func() { said <- w.run("negotiate id=ABC") }()
	<-begun
	if l.tryAdvance(w.now + 10*helloTime) {
		t.Error("the timers of who waits go on")
	}
	locks := map[string]interface {
		TryLock() bool
		Unlock()
	}{"roster": &w.roster.mu, "hearing": &w.roster.hearing, "keys": &w.roster.keys.mu, "listeners": &w.roster.listeners.mu}
	for i, lane := range w.roster.lanes {
		locks[fmt.Sprint("lane ", i)] = &lane.mu
	}
	for name, lock := range locks {
		if !lock.TryLock() {
			t.Errorf("%s is locked", name)
			continue
		}
		lock.Unlock()
	}
	close(goOn)
	if got := <-said; !strings.Contains(got, "NegotiationResponse") {
		t.Errorf("got %q", got)
	}
}

// A gateway that stops does not wait for the turns of strangers.
func TestStopWhileStrangersWait(t *testing.T) {
	v := newVenue(t, setting{})
	for range cap(v.gate.logons) {
		v.gate.enter() // and never leaves
	}
	stranger := v.call()
	stranger.say("negotiate id=ABC")
	waits := func() bool {
		all := v.gate.list(nil)
		if len(all) == 0 || !all[0].link.mu.TryLock() {
			return len(all) > 0
		}
		all[0].link.mu.Unlock()
		return false
	}
	for held := 0; held < 10; { // not one who looks at timers
		if time.Sleep(time.Millisecond); waits() {
			held++
		} else {
			held = 0
		}
	}
	ctx, enough := context.WithTimeout(t.Context(), time.Minute)
	defer enough()
	v.gate.Shutdown(ctx)
	if ctx.Err() != nil || v.gate.Connections() != 0 {
		t.Errorf("%d connections are left: %v", v.gate.Connections(), ctx.Err())
	}
}
