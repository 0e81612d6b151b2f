package node

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/msg"
	"github.com/lockstep-exchange/lockstep/ring"
)

// acknowledge answers every request with an event and does nothing else: what remains of a node without an engine.
type acknowledge struct {
	lanes *ring.FanIn[msg.Request]
	out   *ring.Ring[msg.Event]
	seq   msg.Seq
}

func (a *acknowledge) Poll(fixed.Nanos) (done int) {
	for done < 32 && a.out.Room(1) {
		r := a.lanes.Next()
		if r == nil {
			break
		}
		a.seq++
		e := a.out.Claim()
		e.Seq, e.Ref, e.Kind = a.seq, r.Ref, msg.Accepted
		done++
	}
	if done > 0 {
		a.lanes.Release()
		a.out.Publish()
	}
	return done
}

// trips are timed together, so that the clock costs little and a preemption spoils few.
const trips = 16

// BenchmarkRoundTrip is one command to its event and back to the sender, closed loop, both ends spinning: with an engine
// that is asked for nothing but the time, and without an engine. Medians over rounds of 16 trips; "quiet" is the fastest
// tenth.
func BenchmarkRoundTrip(b *testing.B) {
	for _, c := range []struct {
		name   string
		config func() Config
	}{
		{"engine", func() Config { return Config{Engine: exchange(b)} }},
		{"empty", func() Config {
			return Config{Handler: func(lanes []*ring.Lane[msg.Request], out *ring.Ring[msg.Event]) Poller {
				return &acknowledge{lanes: ring.NewFanIn(lanes, 16), out: out}
			}}
		}},
	} {
		b.Run(c.name, func(b *testing.B) {
			config := c.config()
			config.Idle = Spin
			n, err := New(config)
			if err != nil {
				b.Fatal(err)
			}
			r, err := n.Reader(true)
			if err != nil {
				b.Fatal(err)
			}
			if err := n.Start(); err != nil {
				b.Fatal(err)
			}
			defer func() {
				if err := n.Stop(context.Background()); err != nil {
					b.Error(err)
				}
			}()
			if s := n.Status(); s.Core < 0 || s.Idle != Spin {
				b.Logf("not as in production: %+v", s)
			}
			p := n.Port(0)
			seq := msg.Seq(0)
			var rounds []time.Duration
			for b.Loop() {
				start := time.Now()
				for range trips {
					seq++
					slot := p.Claim()
					*slot = msg.Request{Kind: msg.KindTick, Time: fixed.Nanos(seq)}
					p.Publish()
					e := r.Next()
					for e == nil {
						ring.Pause()
						e = r.Next()
					}
					if e.Seq != seq {
						b.Fatalf("event of command %d, want %d", e.Seq, seq)
					}
					r.Release()
				}
				rounds = append(rounds, time.Since(start)/trips)
			}
			slices.Sort(rounds)
			b.ReportMetric(0, "ns/op") // a mean over what else the machine did
			b.ReportMetric(float64(rounds[len(rounds)/2]), "median-ns")
			b.ReportMetric(float64(rounds[len(rounds)/10]), "quiet-ns")
		})
	}
}
