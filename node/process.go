package node

import (
	"math"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"sync"
)

// What nodes share: cores, processors of the Go runtime, and the garbage collector belong to the process, and several
// nodes may run in it. The first one in changes them, the last one out puts them back.

// process is the one account of it.
var process shared

type shared struct {
	sync.Mutex
	nodes    int
	spinners int
	procs    int // GOMAXPROCS before the first node

	quiet   int // nodes that want the collector off
	percent int // the collector's settings before the first of them
	limit   int64

	cores cores
}

// stay is what one node holds of the process while it runs.
type stay struct {
	core     int    // of the hot thread; -1: not pinned
	unpinned string // why not
	lonely   bool   // there is no second core: nobody may spin
	spins    bool
	quiet    bool
	fuse     int64
	cycles   uint64 // collections before Start
}

// enter makes room for a node: steps 1 and 5 of Start.
func (p *shared) enter(c *Config) stay {
	p.Lock()
	defer p.Unlock()
	s := stay{core: -1, unpinned: "not asked for", quiet: !c.Collect, fuse: c.Fuse}
	if !c.Float {
		s.core, s.unpinned = p.cores.reserve(c.Core)
	}
	s.lonely = runtime.NumCPU() < 2
	s.spins = c.Idle == Spin && !s.lonely
	if s.quiet && s.fuse == 0 {
		s.fuse = memory() / 5 * 4
		s.quiet = s.fuse > 0 // without a fuse the collector stays on
	}
	if p.nodes++; p.nodes == 1 {
		p.procs = runtime.GOMAXPROCS(0)
	}
	if s.spins {
		p.spinners++
	}
	if s.quiet {
		p.hush(s.fuse)
	}
	s.cycles = cycles()
	return s
}

// hush runs the collector once more and turns it off, up to the fuse.
func (p *shared) hush(fuse int64) {
	if p.quiet++; p.quiet == 1 {
		runtime.GC()
		p.limit = debug.SetMemoryLimit(-1)
		p.percent = debug.SetGCPercent(-1)
	}
	debug.SetMemoryLimit(fuse)
}

// settle sets GOMAXPROCS: step 4, after the hot thread has been pinned.
func (p *shared) settle(c *Config) {
	p.Lock()
	defer p.Unlock()
	procs := c.Procs
	if procs == 0 {
		procs = p.spinners + 2
	}
	if runtime.GOMAXPROCS(0) != procs {
		runtime.GOMAXPROCS(procs)
	}
}

// leave undoes enter and settle.
func (p *shared) leave(c *Config, s stay) {
	p.Lock()
	defer p.Unlock()
	if s.core >= 0 {
		p.cores.giveBack(s.core)
	}
	if s.spins {
		p.spinners--
	}
	if s.quiet {
		if p.quiet--; p.quiet == 0 {
			debug.SetMemoryLimit(p.limit)
			debug.SetGCPercent(p.percent)
		}
	}
	if p.nodes--; p.nodes == 0 {
		runtime.GOMAXPROCS(p.procs)
	}
}

// pin ties the calling thread to the core of this stay: step 3.
func (s *stay) pin() {
	if s.core < 0 {
		return
	}

	process.Lock()
	defer process.Unlock()
	if why := process.cores.pin(s.core); why != "" {
		process.cores.giveBack(s.core)
		s.core, s.unpinned = -1, why
	}
}

// status is the part of a node's status that lies with the process.
func (s *stay) status() Status {
	status := Status{Core: s.core, Unpinned: s.unpinned, Procs: runtime.GOMAXPROCS(0), Collector: !s.quiet,
		Cycles: cycles() - s.cycles}
	if limit := debug.SetMemoryLimit(-1); limit != math.MaxInt64 {
		status.Fuse = limit
	}
	return status
}

// cycles is the number of collections since the process began.
func cycles() uint64 {
	sample := []metrics.Sample{{Name: "/gc/cycles/total:gc-cycles"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}
