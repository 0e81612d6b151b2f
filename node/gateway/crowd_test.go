package gateway

import (
	"flag"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

var attacked = flag.String("gateway.attack", "", "what TestAttacker attacks")

var crowd = flag.Int("gateway.crowd", 0, "idle sessions of TestOthersAreProtected, a tenth as many stalled readers; 1000 or more: times are compared too")

// Idle sessions, readers that read nothing, and strangers whose logons fail, one after another from many addresses, cost the others little: at full
// size the p99 of who trades is at most one and a half of what it is alone where the venue has a core, and memory is bounded (W-48, D-100).
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
	v := newVenue(t, setting{way: way, per: 10_000, crowd: idle + stalled, real: *crowd >= 1000})
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
	var reports atomic.Int64
	failed := 0
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
	attack := exec.Command("nice", "-n", "19", os.Args[0], "-test.run", "^TestAttacker$", "-gateway.attack", v.address)
	said, err := attack.StdoutPipe()
	if err == nil {
		err = attack.Start()
	}
	if err != nil {
		t.Skipf("nobody attacks: %v", err)
	}
	p50Beside, p99Beside := trade()
	_ = attack.Process.Signal(os.Interrupt)
	_, _ = fmt.Fscanf(said, "%d", &failed)
	_ = attack.Wait() // it was interrupted
	if *crowd > 0 && failed == 0 {
		t.Error("no logon has failed: nobody attacks")
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	t.Logf("alone: p50 %v, p99 %v; beside %d idle sessions, %d stalled (%d orders) and %d logons that failed: p50 %v, p99 %v (%.2f); %d KiB more memory", p50, p99,
		idle, stalled, reports.Load(), failed, p50Beside, p99Beside, float64(p99Beside)/float64(p99), (int64(after.HeapAlloc)-int64(before.HeapAlloc))>>10)
	if more := int64(after.HeapAlloc) - int64(before.HeapAlloc); more > int64(stalled)*(2<<20)+(8<<20) {
		t.Errorf("%d KiB more memory", more>>10)
	}
	if *crowd >= 1000 && float64(p99Beside) > 1.5*float64(p99) {
		t.Errorf("p99 is %v, alone %v: more than 1.5 times", p99Beside, p99)
	}
}

// TestAttacker is a process of its own, which TestOthersAreProtected starts: what it costs by itself is not the venue's. It fails to log on from
// ever new addresses until it is interrupted, and says how often it has.
func TestAttacker(t *testing.T) {
	if *attacked == "" {
		t.Skip("nobody to be attacked")
	}
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, os.Interrupt)
	bad := (&caller{peer: &peer{w: &world{t: t}}}).words("negotiate id=BAD signer=5")
	var failed atomic.Int64
	var all sync.WaitGroup
	over := make(chan struct{})
	for part := range 4 {
		all.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-over:
					return
				default:
				}
				from := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 1+byte(part), byte(i>>8), byte(i))}}
				s, err := from.Dial("tcp", *attacked)
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
	<-stop
	close(over)
	all.Wait()
	fmt.Println(failed.Load())
}
