package gateway

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"fmt"
	"math/big"
	mrand "math/rand/v2"
	"net"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lockstep-exchange/lockstep/wire"
	"github.com/lockstep-exchange/lockstep/wire/gen"
)

// Reports are brought about again from the journal, byte for byte: out of the tail, by a replay where they are older, and after a restart, of
// a session of one's own and of a drop copy (W-22 to W-24, W-29, W-31).
func TestRecoveredFromTheJournal(t *testing.T) { everyWay(t, recoveredFromTheJournal) }

func recoveredFromTheJournal(t *testing.T, way way) {
	dir := t.TempDir()
	s := setting{way: way, dir: dir, retain: 4096}
	v := newVenue(t, s)
	seller, buyer, copies := v.call(), v.call(), v.call()
	copies.enter("id=COPY key=4 kind=3")
	seller.enter("id=SELL cod=0")
	buyer.enter("id=BUY key=5")
	orders := 700
	if way.shell != Net || way.network != "tcp" {
		orders = 140
	}
	first := map[*caller][][]byte{}
	keep := func(c *caller, n int) {
		t.Helper()
		for len(first[c]) < n {
			frame := c.frame()
			if frame == nil {
				t.Fatal("closed")
			}
			if m, _ := wire.Open(frame); m.Schema == gen.SchemaOrderEntry || m.Template == gen.TemplateNotApplied {
				first[c] = append(first[c], bytes.Clone(frame))
			}
		}
	}
	for i := 1; i <= orders; i++ {
		script := fmt.Sprintf("order %d side=2 price=51 qty=2", i)
		if i == orders/2 {
			script = fmt.Sprintf("order %d side=9", i)
		}
		if i%7 == 1 {
			script = fmt.Sprintf("quote %d", i)
		}
		seller.say(script)
		if i%3 == 0 {
			buyer.say(fmt.Sprintf("order %d account=2 price=51 qty=1", i/3))
		}
		if i%50 == 0 {
			keep(seller, i)
		}
	}
	total := orders + orders/3
	keep(seller, total)
	keep(buyer, 2*(orders/3))
	keep(copies, total)

	check := func(when string, v *venue, c *caller, id, terms string) {
		t.Helper()
		again := v.call()
		again.say("establish takeover=1 keepalive=10000 id=" + id + " " + terms)
		want := first[c]
		again.expect(fmt.Sprintf("EstablishmentAck %d", len(want)+1))
		for from := 1; from <= len(want); {
			n := min(len(want)-from+1, 2000)
			again.say(fmt.Sprintf("retransmit %d %d", from, n))
			head := again.frame()
			m, _ := wire.Open(head)
			for m.Template == gen.TemplateSequence {
				head = again.frame()
				m, _ = wire.Open(head)
			}
			if m.Template != gen.TemplateRetransmission {
				t.Fatalf("%s, %s: to a request from %d on comes %s", when, id, from, again.describe(head))
			}
			count := int(gen.AsRetransmission(m.Block).Count())
			if count != min(n, 64) {
				t.Fatalf("%s, %s: %d of %d are sent", when, id, count, n)
			}
			for i := range count {
				if got := again.frame(); !bytes.Equal(got, want[from-1+i]) {
					t.Fatalf("%s, %s, number %d:\n%x\nfirst:\n%x", when, id, from+i, got, want[from-1+i])
				}
			}
			from += count
		}
		again.say("terminate")
		again.socket.Close()
	}
	check("later", v, seller, "SELL", "")
	check("later", v, copies, "COPY", "key=4 kind=3")
	for _, c := range []*caller{seller, buyer, copies} { // a venue that shuts down waits for them otherwise
		c.socket.Close()
	}
	v.close()
	v = newVenue(t, s)
	check("after a restart", v, seller, "SELL", "")
	check("after a restart", v, buyer, "BUY", "key=5")
	check("after a restart", v, copies, "COPY", "key=4 kind=3")

	again := v.call()
	again.say("establish id=SELL")
	again.hear(1)
	again.say(fmt.Sprintf("sequence %d\norder %d side=2 price=60", orders+1, orders+1))
	again.expect(fmt.Sprintf("%d OrderAccepted %d", total+1, orders+101))
	again.socket.Close()
}

// A venue that shuts down says so, and its sessions can be bound again afterwards (W-27).
func TestShutdown(t *testing.T) { everyWay(t, shutdown) }

func shutdown(t *testing.T, way way) {
	dir := t.TempDir()
	v := newVenue(t, setting{way: way, dir: dir})
	c, stranger := v.call(), v.call()
	c.enter("id=ABC")
	c.say("order 1")
	c.expect("1 OrderAccepted 101")
	done := make(chan struct{})
	go func() { v.close(); close(done) }()
	c.expect("Terminate 0 129 shutdown")
	c.say("terminate")
	c.expect("closed")
	stranger.expect("closed")
	<-done
	v = newVenue(t, setting{way: way, dir: dir})
	again := v.call()
	again.say("establish")
	again.expect("EstablishmentAck 3")
	again.say("retransmit 1 2")
	again.expect("Retransmission 1+2\n1 OrderAccepted 101\n2 OrderCanceled 101 reason 7")
}

// A session over TLS 1.3, and none over less (W-40).
func TestTLS(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	trusted := x509.NewCertPool()
	trusted.AddCert(certificate)
	v := newVenue(t, setting{secure: &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}, MinVersion: tls.VersionTLS13}})
	socket, err := tls.Dial("tcp", v.address, &tls.Config{RootCAs: trusted})
	if err != nil {
		t.Fatal(err)
	}
	c := callerOn(t, socket)
	c.enter("id=ABC")
	var script strings.Builder
	for i := range 500 {
		fmt.Fprintf(&script, "order %d\n", i+1)
	}
	c.say(script.String())
	for i := range 500 {
		c.expect(fmt.Sprintf("%d OrderAccepted %d", i+1, i+101))
	}
	c.say("terminate")
	c.expect("Terminate 0")
	if _, err := tls.Dial("tcp", v.address, &tls.Config{RootCAs: trusted, MaxVersion: tls.VersionTLS12}); err == nil {
		t.Error("TLS 1.2 is taken")
	}
}

// Five failures in a minute, and an address is refused for one; nobody who is in is touched (W-39). What a stranger is told is the same
// whatever was wrong.
func TestFailedLogons(t *testing.T) { everyWay(t, failedLogons) }

func failedLogons(t *testing.T, way way) {
	v := newVenue(t, setting{way: way})
	in := v.call()
	in.enter("id=ABC")
	for _, script := range []string{"negotiate signer=5", "negotiate key=77", "negotiate key=2 scheme=2", "negotiate cut=yes", "negotiate key=4 kind=1"} {
		c := v.call()
		c.say(script)
		c.expect("NegotiationReject 0\nclosed")
	}
	c := v.call()
	_, _ = c.socket.Write(c.words("negotiate id=DEF"))
	refused := "closed"
	if way.network != "tcp" { // nobody can be told from others by a Unix socket
		refused = "NegotiationResponse flow=0 last=0"
	}
	if got := c.hear(1); got != refused {
		t.Errorf("after five failures the venue says %q", got)
	}
	in.say("order 1")
	in.expect("1 OrderAccepted 101")
}

// The table of bad input, over a socket: what comes in is no frame, is cut short, or is not read at all (WIRE, 12).
func TestHostileBytes(t *testing.T) { everyWay(t, hostileBytes) }

func hostileBytes(t *testing.T, way way) {
	v := newVenue(t, setting{way: way, per: 10_000})
	in := v.call()
	in.enter("id=GOOD key=5")
	random := mrand.New(mrand.NewPCG(1, 2))
	for i := range 60 {
		c := v.call()
		switch {
		case i%2 != 0:
		case i < 10:
			c.enter(fmt.Sprintf("id=H%d takeover=1 keepalive=200", i))
		default:
			c.say(fmt.Sprintf("establish id=H%d takeover=1 keepalive=200", i%10))
			c.hear(1)
			c.say(fmt.Sprintf("sequence %d", i/10*1000))
		}
		garbage := make([]byte, 1+random.IntN(3000))
		for j := range garbage {
			garbage[j] = byte(random.Uint32())
		}
		if i%3 == 0 { // a frame's head in front, so that it is read as one
			binary.BigEndian.PutUint32(garbage, uint32(min(len(garbage), 4096)))
			if len(garbage) > 6 {
				binary.BigEndian.PutUint16(garbage[4:], wire.Encoding)
			}
		}
		_, _ = c.socket.Write(garbage)
		if i%5 == 0 {
			c.socket.Close()
			continue
		}
		for {
			c.socket.SetReadDeadline(time.Now().Add(time.Minute))
			n, err := c.socket.Read(c.stream.Room())
			if n == 0 && err != nil {
				if isTimeout(err) {
					t.Fatalf("garbage %d is answered by nothing", i)
				}
				break
			}
		}
	}
	in.say("order 1 account=2")
	in.expect("1 OrderAccepted 101")
}

// Idle sessions, and some that send and never read, cost the others nothing but memory, and of that little (W-48, D-100).
func TestIdleAndStalled(t *testing.T) { everyWay(t, idleAndStalled) }

func idleAndStalled(t *testing.T, way way) {
	if testing.Short() {
		t.Skip("many connections")
	}
	const stalled = 10
	v := newVenue(t, setting{way: way, per: 10_000, rates: Rates{Orders: Rate{1 << 20, 1 << 20}}})
	c := v.call()
	c.enter("id=ABC")
	answer := func(n int) time.Duration {
		at := time.Now()
		c.say(fmt.Sprintf("order %d price=%d", n, 45+n%5))
		c.expect(fmt.Sprintf("%d OrderAccepted %d", n, n+100))
		return time.Since(at)
	}
	n := 0
	var alone []time.Duration
	for range 300 {
		n++
		alone = append(alone, answer(n))
	}
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	for i := range idlersMax - stalled {
		v.call().enter(fmt.Sprintf("id=I%d key=%d keepalive=60000", i, idlers+stalled+i))
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	if got := int64(after.HeapAlloc) - int64(before.HeapAlloc); got > (idlersMax-stalled)*(300<<10) { // the clients' own buffers are most of it
		t.Errorf("%d KiB for %d idle sessions", got>>10, idlersMax-stalled)
	}
	out := make(chan int, stalled)
	for i := range stalled {
		s := v.call()
		s.enter(fmt.Sprintf("id=S%d key=%d keepalive=60000", i, idlers+i))
		_ = s.socket.(interface{ SetReadBuffer(int) error }).SetReadBuffer(4096)
		words := make([][]byte, 200)
		for j := range words {
			var script strings.Builder
			for k := range 500 {
				fmt.Fprintf(&script, "order %d account=2 type=3\n", 500*j+k+1)
			}
			words[j] = s.words(script.String())
		}
		go func() { // orders whose reports nobody reads
			sent := 0
			for _, b := range words {
				s.socket.SetWriteDeadline(time.Now().Add(10 * time.Second))
				if err := s.write(b); err != nil {
					break
				}
				sent += 500
				time.Sleep(time.Millisecond)
			}
			out <- sent
		}()
	}
	var beside []time.Duration
	for i := 0; i < stalled || len(beside) < 300; {
		if len(beside) < 3000 {
			n++
			beside = append(beside, answer(n))
		} else { // the book has room for few more
			time.Sleep(time.Millisecond)
		}
		select {
		case <-out:
			i++
		default:
		}
	}
	slices.Sort(alone)
	slices.Sort(beside)
	t.Logf("alone: p50 %v, p99 %v; beside %d idle sessions and %d that do not read: p50 %v, p99 %v", alone[150], alone[297],
		idlersMax-stalled, stalled, beside[len(beside)/2], beside[len(beside)*99/100])
	if worst := beside[len(beside)-1]; worst > 5*time.Second {
		t.Errorf("an answer took %v", worst)
	}
}

// Connections are cut at random points. Every order is known in the end: accepted, or not applied, once; and a drop copy has all of it.
func TestCutAtRandom(t *testing.T) { everyWay(t, cutAtRandom) }

func cutAtRandom(t *testing.T, way way) {
	rounds := 150
	if testing.Short() {
		rounds = 20
	}
	v := newVenue(t, setting{way: way, dir: t.TempDir(), rates: Rates{Orders: Rate{1 << 20, 1 << 20}}, retain: 16 << 10})
	copies := v.call()
	copies.enter("id=COPY key=4 kind=3")
	random := mrand.New(mrand.NewPCG(3, uint64(rounds)))
	c := v.call()
	c.enter("id=ABC cod=0")
	var (
		next    = 1                   // number of the client's next message
		fate    = map[uint64]string{} // by client id
		reports = uint64(0)           // the last that was read
	)
	take := func(frame []byte) (number uint64) {
		m, _ := wire.Open(frame)
		switch {
		case m.Schema == gen.SchemaSession && m.Template == gen.TemplateNotApplied:
			a := gen.AsNotApplied(m.Block)
			for n := a.FromSeqNo(); n < a.FromSeqNo()+uint64(a.Count()); n++ {
				if fate[n+100] != "" {
					t.Fatalf("%d is %s and not applied", n, fate[n+100])
				}
				fate[n+100] = "not applied"
			}
			return reports + 1
		case m.Schema == gen.SchemaSession && m.Template != gen.TemplateSequence:
			t.Fatalf("in the middle comes %s", c.describe(frame))
		case m.Schema == gen.SchemaSession:
			return 0
		}
		id := gen.AsOrderAccepted(m.Block).ClOrdID()
		if m.Template != gen.TemplateOrderAccepted || fate[id] != "" {
			t.Fatalf("%d is %q, and now %s", id, fate[id], c.describe(frame))
		}
		fate[id] = "accepted"
		return binary.LittleEndian.Uint64(m.Block)
	}
	for range rounds {
		var b []byte
		for range 1 + random.IntN(20) {
			b = append(b, c.words(fmt.Sprintf("order %d", next))...)
			next++
		}
		_, _ = c.socket.Write(b[:random.IntN(len(b)+1)])
		for range random.IntN(10) {
			c.socket.SetReadDeadline(time.Now().Add(time.Duration(random.IntN(3)) * time.Millisecond))
			n, err := c.socket.Read(c.stream.Room())
			c.stream.Filled(n)
			for frame, _ := c.stream.Next(); frame != nil; frame, _ = c.stream.Next() {
				if n := take(frame); n > 0 {
					reports = n
				}
			}
			if err != nil {
				break
			}
		}
		c.socket.Close()
		c = v.call()
		c.say("establish takeover=1 keepalive=10000")
		m, _ := wire.Open(c.frame())
		if m.Template != gen.TemplateEstablishmentAck {
			t.Fatalf("the venue answers an Establish by template %d", m.Template)
		}
		for last := gen.AsEstablishmentAck(m.Block).NextSeqNo(); reports+1 < last; {
			c.say(fmt.Sprintf("retransmit %d %d", reports+1, min(last-reports-1, 64)))
			m, _ := wire.Open(c.frame())
			for m.Template == gen.TemplateSequence {
				m, _ = wire.Open(c.frame())
			}
			if m.Template != gen.TemplateRetransmission {
				t.Fatalf("a request from %d on is answered by template %d", reports+1, m.Template)
			}
			for range gen.AsRetransmission(m.Block).Count() {
				reports = take(c.frame())
			}
		}
		c.say(fmt.Sprintf("sequence %d", next))
	}
	c.say(fmt.Sprintf("order %d", next))
	for fate[uint64(next)+100] == "" {
		if n := take(c.frame()); n > 0 {
			reports = n
		}
	}
	accepted := 0
	for n := 1; n <= next; n++ {
		switch fate[uint64(n)+100] {
		case "accepted":
			accepted++
		case "":
			t.Errorf("nobody knows what became of %d", n)
		}
	}
	for i := range accepted {
		if got := copies.hear(1); !strings.HasPrefix(got, fmt.Sprintf("%d OrderAccepted", i+1)) {
			t.Fatalf("the drop copy has %q as number %d", got, i+1)
		}
	}
	t.Logf("%d cuts, %d orders: %d accepted", rounds, next, accepted)
}
