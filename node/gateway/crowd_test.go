package gateway

import (
	"flag"
	"fmt"
	"net"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

var crowd = flag.Int("gateway.crowd", 0, "idle sessions of TestOthersAreProtected, a tenth as many stalled readers; 1000 or more: times are compared too")

// Idle sessions, readers that read nothing, and strangers whose logons fail, one after another from many addresses, cost the others little: at full
// size the p99 of who trades is at most one and a half of what it is alone, and memory is bounded (W-48, D-100).
func TestOthersAreProtected(t *testing.T) {
	idle, answers := max(*crowd, 40), 400
	if *crowd > 0 {
		answers = 4000
	}
	stalled := idle / 10
	for _, way := range []way{{Net, "tcp"}, {Spin, "tcp"}, {Fused, "tcp"}} {
		if way.shell != Net && !pollsSockets {
			continue
		}
		t.Run(way.shell.String(), func(t *testing.T) { protected(t, way, idle, stalled, answers) })
	}
}

func protected(t *testing.T, way way, idle, stalled, answers int) {
	v := newVenue(t, setting{way: way, per: 10_000, crowd: idle + stalled})
	c := v.call()
	c.enter("id=ABC keepalive=60000")
	n := 0
	trade := func() (p50, p99 time.Duration) {
		all := make([]time.Duration, answers)
		for i := range all {
			n++
			words := c.words(fmt.Sprintf("order %d price=%d", n, 45+n%5))
			at := time.Now()
			if _, err := c.socket.Write(words); err != nil {
				t.Fatal(err)
			}
			c.expect(fmt.Sprintf("%d OrderAccepted %d", n, n+100))
			all[i] = time.Since(at)
			time.Sleep(250 * time.Microsecond)
		}
		slices.Sort(all)
		return all[answers/2], all[answers*99/100]
	}
	trade()
	p50, p99 := trade()

	var wait sync.WaitGroup
	for part := range 4 {
		wait.Go(func() {
			for i := part; i < idle; i += 4 {
				v.call().enter(fmt.Sprintf("id=I%d key=%d keepalive=10000", i, idlers+i))
			}
		})
	}
	wait.Wait()
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	var over atomic.Bool
	var reports, failed atomic.Int64
	for i := range stalled {
		s := v.call()
		s.enter(fmt.Sprintf("id=S%d key=%d keepalive=10000", i, idlers+idle+i))
		_ = s.socket.(interface{ SetReadBuffer(int) error }).SetReadBuffer(4096)
		var script strings.Builder
		for k := range 2000 {
			fmt.Fprintf(&script, "order %d account=2 type=3\n", k+1)
		}
		words := s.words(script.String())
		wait.Go(func() {
			s.socket.SetWriteDeadline(time.Now().Add(10 * time.Second))
			if s.write(words) == nil {
				reports.Add(2000)
			}
		})
	}
	wait.Wait()
	for part := range 2 {
		attacker := v.call()
		bad := attacker.words("negotiate id=BAD signer=5")
		wait.Go(func() {
			for i := 0; !over.Load(); i++ {
				from := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 1+byte(part), byte(i>>8), byte(i))}}
				s, err := from.Dial("tcp", v.address)
				if err != nil {
					continue
				}
				_, _ = s.Write(bad)
				_, _ = s.Read(make([]byte, 256))
				s.Close()
				failed.Add(1)
			}
		})
	}
	p50Beside, p99Beside := trade()
	over.Store(true)
	wait.Wait()
	runtime.GC()
	runtime.ReadMemStats(&after)
	t.Logf("alone: p50 %v, p99 %v; beside %d idle sessions, %d stalled (%d orders) and %d logons that failed: p50 %v, p99 %v (%.2f); %d KiB more memory", p50, p99,
		idle, stalled, reports.Load(), failed.Load(), p50Beside, p99Beside, float64(p99Beside)/float64(p99), (int64(after.HeapAlloc)-int64(before.HeapAlloc))>>10)
	if more := int64(after.HeapAlloc) - int64(before.HeapAlloc); more > int64(stalled)*(2<<20)+(8<<20) {
		t.Errorf("%d KiB more memory", more>>10)
	}
	if *crowd >= 1000 && 2*p99Beside > 3*p99 {
		t.Errorf("p99 is %v, alone %v", p99Beside, p99)
	}
}
