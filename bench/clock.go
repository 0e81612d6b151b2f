package bench

import (
	"os"
	"runtime"
	"slices"
	"strings"
	"time"
)

// Clock turns readings of the core's counter into nanoseconds. On a machine whose
// counter does not run at one rate at all times, readings come from the monotonic
// clock of the system instead.
//
// One reading costs Cost, and that is contained in every time that is measured:
// nothing is subtracted.
type Clock struct {
	perNano float64 // ticks of the counter
	system  time.Time
	byTicks bool
	Cost    float64 // ns of one reading
	Step    float64 // ns by which it moves
	Source  string  // what is read
}

// calibration is how long the counter is compared with the system's clock.
const calibration = 20 * time.Millisecond

// NewClock measures the counter against the system's clock. It spins for about 20
// ms.
func NewClock() *Clock {
	c := &Clock{system: time.Now(), byTicks: hasCounter && steadyCounter(), perNano: 1, Source: "system clock"}
	if c.byTicks {
		c.Source = "time stamp counter"
		t, from := time.Now(), counter()
		for time.Since(t) < calibration {
		}
		c.perNano = float64(counter()-from) / float64(time.Since(t).Nanoseconds())
	}
	var gaps [1001]uint64
	last := c.Read()
	for i := range gaps {
		now := c.Read()
		gaps[i], last = now-last, now
	}
	slices.Sort(gaps[:])
	c.Cost, c.Step = c.Nanos(gaps[len(gaps)/2]), c.Nanos(c.findStep())
	return c
}

// findStep reads the clock after delays that differ, and finds by how much it moves.
func (c *Clock) findStep() uint64 {
	gaps, sink := make([]uint64, 4096), uint64(0)
	for i := range gaps {
		from := c.Read()
		for n := range i % 61 {
			sink += sink<<1 ^ uint64(n)
		}
		gaps[i] = c.Read() - from
	}
	runtime.KeepAlive(sink)
	return step(gaps)
}

// step is the ticks by which a counter moves, 1 where that cannot be seen: the gap that is met most often, if nearly all others are a
// small multiple of it, but for the ticks that a rate which is no whole number leaves over.
func step(gaps []uint64) uint64 {
	met, most := map[uint64]int{}, uint64(0)
	for _, g := range gaps {
		if met[g]++; g > 3 && met[g] > met[most] {
			most = g
		}
	}
	if most == 0 {
		return 1
	}
	near, multiples := 0, 0
	for _, g := range gaps {
		if g >= 4*most {
			continue
		}
		near++
		if over := g % most; min(over, most-over) <= 1+g/most {
			multiples++
		}
	}
	if multiples < near*19/20 {
		return 1
	}
	return most
}

// Read returns the time in ticks.
func (c *Clock) Read() uint64 {
	if c.byTicks {
		return counter()
	}
	return uint64(time.Since(c.system))
}

// Nanos turns a difference of two readings into nanoseconds.
func (c *Clock) Nanos(ticks uint64) float64 { return float64(ticks) / c.perNano }

// Ticks turns nanoseconds into a difference of two readings.
func (c *Clock) Ticks(nanos float64) uint64 { return uint64(nanos * c.perNano) }

// steadyCounter reports whether the counter runs at one rate, asleep or awake. An
// answer is known on Linux; elsewhere the system's clock is used.
func steadyCounter() bool {
	info, err := os.ReadFile("/proc/cpuinfo")
	return err == nil && strings.Contains(string(info), " constant_tsc ") && strings.Contains(string(info), " nonstop_tsc ")
}
