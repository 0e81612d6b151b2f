package gateway

import (
	"bytes"
	"crypto/tls"
	"fmt"
	"net"
	"testing"
	"time"

	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/msg"
	"github.com/lockstep-exchange/lockstep/node/journal"
	"github.com/lockstep-exchange/lockstep/wire"
)

// halting is a disk that holds up what is to be made durable, while it is locked.
type halting struct {
	journal.Disk
	held chan struct{} // full: held
}

type haltingFile struct {
	journal.File
	held chan struct{}
}

func (d halting) Open(name string, flag int) (journal.File, error) {
	f, err := d.Disk.Open(name, flag)
	return haltingFile{f, d.held}, err
}

func (f haltingFile) Datasync() error {
	f.held <- struct{}{}
	<-f.held
	return f.File.Datasync()
}

// Nothing leaves before it is durable, whichever thread writes it.
func TestNothingLeavesEarly(t *testing.T) { everyWay(t, nothingLeavesEarly) }

func nothingLeavesEarly(t *testing.T, way way) {
	disk := halting{held: make(chan struct{}, 1)}
	v := newVenue(t, setting{way: way, dir: t.TempDir(), files: disk})
	c := v.call()
	c.enter("id=ABC")
	c.say("order 1")
	c.expect("1 OrderAccepted 101")
	disk.held <- struct{}{}
	before := v.node.Status().Applied
	c.say("order 2")
	for v.node.Status().Applied == before {
		time.Sleep(time.Millisecond)
	}
	c.socket.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
	if n, err := c.socket.Read(make([]byte, 1)); !isTimeout(err) {
		t.Errorf("%d bytes come although the disk has nothing, %v", n, err)
	}
	<-disk.held
	c.expect("2 OrderAccepted 102")
}

// A connection whose other side has gone silently, or has closed one direction, or does not read, ends; who stays is served.
func TestEndsOfConnections(t *testing.T) { everyWay(t, endsOfConnections) }

func endsOfConnections(t *testing.T, way way) {
	v := newVenue(t, setting{way: way, rates: Rates{Orders: Rate{1 << 20, 1 << 20}}})
	stays, half, silent, slow := v.call(), v.call(), v.call(), v.call()
	stays.enter("id=STAYS")
	half.enter(fmt.Sprintf("id=HALF key=%d", idlers))
	silent.enter(fmt.Sprintf("id=SILENT key=%d keepalive=100", idlers+1))
	slow.enter(fmt.Sprintf("id=SLOW key=%d keepalive=60000", idlers+2))

	half.say("order 1 account=2")
	half.expect("1 OrderAccepted 101")
	if err := half.socket.(interface{ CloseWrite() error }).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	half.expect("closed")

	var flood []byte
	for n := 1; n <= 150_000; n++ {
		flood = append(flood, slow.words(fmt.Sprintf("order %d account=2 type=3", n))...)
	}
	slow.socket.SetWriteDeadline(time.Now().Add(20 * time.Second))
	_ = slow.write(flood) // it ends in the middle

	silent.expect("Terminate 1 120 idle\nclosed")
	stays.say("order 1")
	stays.expect("1 OrderAccepted 101")
	for end := time.Now().Add(20 * time.Second); v.gate.Connections() > 1 && time.Now().Before(end); {
		time.Sleep(10 * time.Millisecond)
	}
	if n := v.gate.Connections(); n != 1 {
		t.Errorf("%d connections are left, expected the one that stays", n)
	}
}

// Whoever closes while the core is behind has said what the venue has read: all of it, with packets, which keep what the other side has closed upon
// (W-49).
func TestLastWords(t *testing.T) {
	if !takesPackets {
		t.Skip("no packets here")
	}
	for _, shell := range []Shell{Net, Spin, Fused} {
		disk := halting{held: make(chan struct{}, 1)}
		v := newVenue(t, setting{way: way{shell, "unixpacket"}, dir: t.TempDir(), files: disk, rates: Rates{Orders: Rate{1 << 20, 1 << 20}}})
		c := v.call()
		c.enter("id=ABC")
		disk.held <- struct{}{}
		sent := 0
		for err := error(nil); err == nil; {
			words := c.words(fmt.Sprintf("order %d account=2 type=3", sent+1))
			c.socket.SetWriteDeadline(time.Now().Add(200 * time.Millisecond))
			if _, err = c.socket.Write(words); err == nil {
				sent++
			}
		}
		c.socket.Close()
		time.Sleep(50 * time.Millisecond) // for who hears of it
		<-disk.held
		for v.gate.Connections() > 0 {
			time.Sleep(time.Millisecond)
		}
		again := v.call()
		again.say("negotiate id=DEF")
		again.expect(fmt.Sprintf("NegotiationResponse flow=0 last=%d", sent+100))
	}
}

// A packet that is longer than the room for it ends its connection: its end is lost, and what comes behind would be misread.
func TestPacketTooLong(t *testing.T) {
	if !takesPackets {
		t.Skip("no packets here")
	}
	for _, shell := range []Shell{Net, Spin, Fused} {
		v := newVenue(t, setting{way: way{shell, "unixpacket"}})
		c := v.call()
		c.enter("id=ABC")
		c.say("order 1")
		c.expect("1 OrderAccepted 101")
		long := bytes.Repeat(c.words("order 2"), linkBuffer/64+1)
		if _, err := c.socket.Write(long); err != nil {
			t.Fatal(err)
		}
		c.expect("Terminate 1 123 illegal message\nclosed")
		stranger := v.call()
		if _, err := stranger.socket.Write(make([]byte, 2*strangerBuffer)); err != nil {
			t.Fatal(err)
		}
		stranger.expect("closed")
	}
}

// Failures and connections are counted by address; of IPv6 by network of /64, of which one machine may have all addresses.
func TestPlaces(t *testing.T) {
	at := func(address string) place {
		return placeOf(addressOf(named(address)))
	}
	for _, c := range []struct {
		one, other string
		same       bool
	}{
		{"192.0.2.1:1", "192.0.2.1:2", true}, {"192.0.2.1:1", "192.0.2.2:1", false}, {"[::ffff:192.0.2.1]:1", "192.0.2.1:2", true},
		{"[2001:db8:1:2::1]:1", "[2001:db8:1:2:ffff::2]:1", true}, {"[2001:db8:1:2::1]:1", "[2001:db8:1:3::1]:1", false},
		{"[fe80::1%eth0]:1", "[fe80::2%eth0]:1", true}, {"@", "127.0.0.1:1", false}, {"@", "/tmp/x", true},
	} {
		if got := at(c.one) == at(c.other); got != c.same {
			t.Errorf("%s and %s: one place is %v", c.one, c.other, got)
		}
	}
}

// named is a socket with an address on the other side.
type named string

func (n named) RemoteAddr() net.Addr { return n }
func (n named) Network() string      { return "tcp" }
func (n named) String() string       { return string(n) }

// Older reports are brought about again by a replay, of which a key has eight at once and one a second.
func TestReplaysOfAKey(t *testing.T) {
	g := &Gateway{replays: map[msg.KeyID]*bucket{}}
	may := func(key msg.KeyID, at fixed.Nanos) (n int) {
		for g.mayRecall(key, at) {
			n++
		}
		return n
	}
	if n := may(firm, epoch); n != 8 {
		t.Errorf("%d at once", n)
	}
	if n := may(rival, epoch); n != 8 {
		t.Errorf("%d of another key", n)
	}
	if n := may(firm, epoch+2*fixed.Second); n != 2 {
		t.Errorf("%d two seconds later", n)
	}
}

// Who is at work on a link, and takes his time, holds up nobody who looks at timers.
func TestTimersWaitForNobody(t *testing.T) {
	w := newWorld(t)
	w.run(in)
	l := w.at.link
	l.mu.Lock()
	if l.tryAdvance(w.now) {
		t.Error("a link is advanced twice at once")
	}
	l.mu.Unlock()
	if w.now += 2*l.keepalive + fixed.Second; !l.tryAdvance(w.now) || l.Established() {
		t.Error("a link that nobody has is not advanced")
	}
}

// A handshake of TLS has its time, and a place has sixteen at once; then others have theirs again.
func TestHandshakes(t *testing.T) {
	v := newVenue(t, setting{secure: &tls.Config{MinVersion: tls.VersionTLS13}})
	begun := time.Now()
	var all []net.Conn
	for range shakesMax + 1 {
		s, err := net.Dial("tcp", v.address)
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		all = append(all, s)
		if len(all) == shakesMax {
			for v.gate.Connections() < shakesMax {
				time.Sleep(time.Millisecond)
			}
		}
	}
	ends := func(s net.Conn) time.Duration {
		s.SetReadDeadline(time.Now().Add(time.Minute))
		if _, err := s.Read(make([]byte, 1)); err == nil || isTimeout(err) {
			t.Fatalf("a handshake that nobody begins: %v", err)
		}
		return time.Since(begun)
	}
	if took := ends(all[shakesMax]); took >= shakeTime {
		t.Errorf("one too many is refused after %v", took)
	}
	if took := ends(all[0]); took < shakeTime/2 || took > 20*time.Second {
		t.Errorf("a handshake without a word ends after %v", took)
	}
	v.gate.mu.Lock()
	defer v.gate.mu.Unlock()
	for end := time.Now().Add(time.Minute); len(v.gate.shaking) > 0 && time.Now().Before(end); {
		v.gate.mu.Unlock()
		time.Sleep(time.Millisecond)
		v.gate.mu.Lock()
	}
	if len(v.gate.shaking) > 0 {
		t.Errorf("%v are under way still", v.gate.shaking)
	}
}

// There is no shell but those that have a name.
func TestShells(t *testing.T) {
	if err := Shell(len(Shells)).Known(); err == nil {
		t.Error("a shell without a name is known")
	}
	if err := Fused.Known(); (err == nil) != pollsSockets {
		t.Errorf("fused: %v", err)
	}
	if packetMost < wire.MaxInbound {
		t.Error("a frame may be longer than a packet")
	}
}
