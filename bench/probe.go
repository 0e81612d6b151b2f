package bench

import "time"

// The probe is an empty loop on the measuring thread: whatever happens in it, the
// machine did. It stands beside every figure, because no tail is better than that
// of the machine.

// Probe is what an empty loop lost.
type Probe struct {
	Spun     time.Duration
	Gaps     int           // between two readings, of more than GapOver
	LostTime time.Duration // in gaps
	Longest  time.Duration
}

const (
	// GapOver is how long a reading may be late before it counts.
	GapOver = 10 * time.Microsecond
	// VoidAbove is the share of lost time from which on a run means nothing.
	VoidAbove = 0.02
	// probeSpan is how long the loop spins before and after a run.
	probeSpan = 5 * time.Millisecond
)

// Spin runs the empty loop for a while.
func (c *Clock) Spin(d time.Duration) Probe {
	var p Probe
	over := c.Ticks(float64(GapOver))
	from := c.Read()
	end, last := from+c.Ticks(float64(d)), from
	for last < end {
		now := c.Read()
		if now-last > over {
			gap := time.Duration(c.Nanos(now - last))
			p.Gaps++
			p.LostTime += gap
			p.Longest = max(p.Longest, gap)
		}
		last = now
	}
	p.Spun = time.Duration(c.Nanos(last - from))
	return p
}

// Add joins what two loops lost.
func (p *Probe) Add(o Probe) {
	p.Spun += o.Spun
	p.Gaps += o.Gaps
	p.LostTime += o.LostTime
	p.Longest = max(p.Longest, o.Longest)
}

// Lost returns the share of the time that was lost, 0 to 1.
func (p Probe) Lost() float64 {
	if p.Spun == 0 {
		return 0
	}
	return float64(p.LostTime) / float64(p.Spun)
}

// Void reports whether more was lost than a run can bear.
func (p Probe) Void() bool { return p.Lost() > VoidAbove }
