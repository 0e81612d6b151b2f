package gateway

import (
	"runtime"
	"slices"
	"sync"
	"sync/atomic"

	"golang.org/x/sys/unix"

	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/ring"
)

// The shells Spin and Fused: the sockets of established sessions are asked again and again, and nobody waits for one of them.
//
//	Step    released events ──> links ──> one write a link that has something to say
//	        sockets: those that spoke last, by a recv each; every few turns all, by epoll ──> links ──> lanes
//	        links that were held up; a few timers
//	Sleep   epoll, until a socket or the bell of who wakes this thread
//
// A connection begins with a goroutine, as with Net: to check a signature takes long. When its session is established its descriptor is
// taken over, and the goroutine ends. Sessions of market data stay where they are: a snapshot takes long too.
//
// One thread calls Step and Sleep; a descriptor is used by who has its link's mutex: recall and shutdown write as well.

// pollsSockets says that sockets can be polled here.
const pollsSockets = true

const (
	recentMax   = 4      // sockets that are asked each turn
	recentTurns = 4096   // in vain, until one is asked no more
	epollTurns  = 8      // turns until all are asked
	clockTurns  = 64     // turns until the clock is read
	attendMost  = 8      // connections whose timers are looked at in one turn
	attendLate  = 64     // and where all of them have taken lateTime: many connections, and turns that do much
	heldMost    = 16     // connections that wait for the core and are gone on with in one turn
	patience    = 20_000 // turns in vain until the thread sleeps, where it has a core
	impatience  = 100    // and where it takes one from others
)

// lateTime is how long it may take until all timers have been looked at.
const lateTime = 10 * fixed.Nanos(tickTime)

// spinner is the thread that polls sockets.
type spinner struct {
	gate *Gateway
	poll epoll
	conn []*conn // by descriptor; who has one no more stays until it is forgotten
	all  []*conn
	held []*conn // those whose links wait for the core

	recent  [recentMax]*conn // nil: none
	misses  [recentMax]int
	victim  int
	turn    uint
	look    bool // all are to be asked at the next turn
	at      int  // of all: whose timers are looked at next
	nextAt  fixed.Nanos
	discard [4 << 10]byte

	arrivals atomic.Int32
	mu       sync.Mutex
	come     []*conn
}

func newSpinner(g *Gateway) (*spinner, error) {
	s := &spinner{gate: g}
	return s, s.poll.open()
}

// adopt takes a connection over from its goroutine; false where it has to stay: it has ended meanwhile, or the system lends no more.
func (s *spinner) adopt(c *conn) bool {
	fd := -1
	err := c.raw.Control(func(own uintptr) { fd, _ = unix.FcntlInt(own, unix.F_DUPFD_CLOEXEC, 0) })
	if err != nil || fd < 0 {
		return false
	}
	c.link.mu.Lock()
	if c.link.state != established || !s.poll.watch(unix.EPOLL_CTL_ADD, fd, true, false) {
		c.link.mu.Unlock()
		_ = unix.Close(fd)
		return false
	}
	c.fd = fd
	c.polled.Store(true)
	s.mu.Lock()
	s.come = append(s.come, c)
	s.mu.Unlock()
	s.arrivals.Add(1)
	c.link.mu.Unlock()
	_ = c.socket.Close() // the descriptor lives on. Who writes to this one has the link meanwhile: it is not to be held here
	return true
}

// welcome takes in who has come.
func (s *spinner) welcome() {
	s.mu.Lock()
	come := s.come
	s.come = nil
	s.mu.Unlock()
	s.arrivals.Add(int32(-len(come)))
	for _, c := range come {
		c.link.mu.Lock()
		fd := c.fd
		c.link.mu.Unlock()
		if fd < 0 { // closed already: it has only to be forgotten
			s.all = append(s.all, c)
			continue
		}
		for len(s.conn) <= fd {
			s.conn = append(s.conn, nil)
		}
		s.conn[fd], c.at = c, fd
		s.all = append(s.all, c)
		s.receive(c)
		c.push() // who had something to say while it changed hands found its old descriptor closed
	}
}

// Step does what there is to do, without waiting, and reports whether there was anything.
func (s *spinner) Step() (did bool) {
	did = s.gate.pass()
	if s.arrivals.Load() > 0 {
		s.welcome()
		did = true
	}
	recents := 0
	for i, c := range s.recent {
		if c == nil {
			continue
		}
		recents++
		if s.receive(c) {
			s.misses[i], did = 0, true
		} else if s.misses[i]++; s.misses[i] > recentTurns {
			s.recent[i] = nil
		}
	}
	if s.turn++; s.look || recents == 0 || s.turn%epollTurns == 0 {
		s.look = false
		did = s.ask() || did
	}
	if len(s.held) > 0 {
		s.goOn()
	}
	if s.turn%clockTurns == 0 {
		s.attend(s.gate.clock())
	}
	return did
}

// ask asks all sockets.
func (s *spinner) ask() (did bool) {
	for _, ready := range s.poll.ready(0) {
		if int(ready.Fd) >= len(s.conn) || s.conn[ready.Fd] == nil { // the bell, or one that is not welcomed yet
			continue
		}
		c := s.conn[ready.Fd]
		if ready.Events&unix.EPOLLOUT != 0 {
			c.push()
		}
		switch {
		case ready.Events&unix.EPOLLIN != 0:
			if s.receive(c) {
				s.remember(c)
				did = true
			}
		case ready.Events&(unix.EPOLLHUP|unix.EPOLLERR) != 0:
			s.hungUp(c)
		}
	}
	return did
}

// hungUp ends a connection whose other side is gone. Where it waits for the core, what it has said comes first (W-49): it is asked again then.
func (s *spinner) hungUp(c *conn) {
	c.link.mu.Lock()
	parked := c.parked && c.fd >= 0
	if parked {
		c.deaf = true
		s.poll.watch(unix.EPOLL_CTL_DEL, c.fd, false, false)
	}
	c.link.mu.Unlock()
	if !parked {
		s.lose(c)
	}
}

// remember puts a connection among those that are asked each turn.
func (s *spinner) remember(c *conn) {
	for i := range s.recent {
		if s.recent[i] == c {
			return
		}
		if s.recent[i] == nil {
			s.recent[i], s.misses[i] = c, 0
			return
		}
	}
	s.victim = (s.victim + 1) % recentMax
	s.recent[s.victim], s.misses[s.victim] = c, 0
}

// receive reads what a socket has and lets its link take it; false where it has nothing.
func (s *spinner) receive(c *conn) bool {
	l := c.link
	l.mu.Lock()
	if c.fd < 0 || c.parked {
		l.mu.Unlock()
		return false
	}
	room := l.stream.Room()
	if l.state == over { // what comes now is for nobody
		room = s.discard[:]
	}
	n, again := receiveFrom(uintptr(c.fd), room, c.packets)
	if n <= 0 && again {
		l.mu.Unlock()
		return false
	}
	now := s.gate.clock()
	switch {
	case n <= 0:
		l.mu.Unlock()
		s.lose(c)
		return true
	case l.state == over:
	case n > len(room): // the end of the packet is lost
		l.torn(now)
		l.handOver()
	default:
		l.stream.Filled(n)
		l.run(now)
	}
	if l.stops() {
		c.parked = true
		s.held = append(s.held, c)
		s.watch(c)
	}
	c.flush()
	l.mu.Unlock()
	return true
}

// goOn lets links go on that wait for the core, a few of them, all in turn.
func (s *spinner) goOn() {
	now := s.gate.clock()
	some := s.held[:min(len(s.held), heldMost)]
	for _, c := range some {
		c.link.Advance(now)
		c.link.mu.Lock()
		if c.fd >= 0 && c.link.stops() {
			s.held = append(s.held, c)
		} else {
			c.parked = false
			s.watch(c)
		}
		c.flush()
		c.link.mu.Unlock()
	}
	s.held = slices.Delete(s.held, 0, len(some))
}

// watch says which of a connection's events are waited for; its link's mutex is held.
func (s *spinner) watch(c *conn) {
	how := unix.EPOLL_CTL_MOD
	switch {
	case c.fd < 0 || c.deaf && c.parked:
		return
	case c.deaf:
		c.deaf, how = false, unix.EPOLL_CTL_ADD
	}
	s.poll.watch(how, c.fd, !c.parked, c.armed)
}

// lose ends a connection whose socket is.
func (s *spinner) lose(c *conn) {
	c.link.Lost(s.gate.clock())
	c.drop()
}

// attend looks at the timers of a few connections, all of them in turn, no more often than each tickTime.
func (s *spinner) attend(now fixed.Nanos) {
	if s.at >= len(s.all) {
		if now < s.nextAt {
			return
		}
		s.at, s.nextAt = 0, now+fixed.Nanos(tickTime)
		s.gate.roster.Advance(now)
	}
	most := attendMost
	if now-s.nextAt > lateTime {
		most = attendLate
	}
	for range most {
		if s.at >= len(s.all) {
			return
		}
		c := s.all[s.at]
		c.attend(now)
		if !c.isGone() || !c.link.Done() {
			s.at++
			continue
		}
		s.gate.forget(c)
		if c.at < len(s.conn) && s.conn[c.at] == c {
			s.conn[c.at] = nil
		}
		last := len(s.all) - 1
		s.all[s.at], s.all[last] = s.all[last], nil
		s.all = s.all[:last]
	}
}

// Sleep waits until a socket has something, bell can be read, or a timer may be due. Timers that are being looked at come first: while nothing
// else is to be done there is time for all of them.
func (s *spinner) Sleep(bell int) {
	s.poll.ring(bell)
	s.look, s.turn = true, clockTurns-1
	for s.at < len(s.all) {
		if s.arrivals.Load() > 0 || len(s.poll.ready(0)) > 0 {
			return
		}
		s.attend(s.gate.clock())
	}
	ms := int(tickTime.Milliseconds())
	if len(s.held) > 0 {
		ms = 1
	}
	if s.arrivals.Load() == 0 {
		s.poll.ready(ms)
	}
}

// run is the life of the thread of Spin.
func (s *spinner) run() {
	runtime.LockOSThread()
	g := s.gate
	g.hearing.Lock()
	defer g.hearing.Unlock()
	most := patience
	if runtime.NumCPU() < 3 {
		most = impatience
	}
	for idle := 0; !g.reader.Over(); {
		if s.Step() {
			idle = 0
		} else if idle++; idle < most || g.config.Spins {
			ring.Pause()
		} else {
			g.reader.Sleep(s.Sleep)
		}
	}
	g.abandon()
}

// close gives back what the system lent, once nobody steps any more.
func (s *spinner) close() { _ = unix.Close(s.poll.fd) }

// push is flush for who does not hold the link.
func (c *conn) push() {
	c.link.mu.Lock()
	c.flush()
	c.link.mu.Unlock()
}

// flush writes what the socket takes; for the rest it is watched. Behind the last word nothing more is written. The link's mutex is held.
func (c *conn) flush() {
	l := c.link
	for c.fd >= 0 && l.sent < len(l.out) {
		n, again := sendTo(uintptr(c.fd), c.portion())
		switch {
		case n > 0:
			l.Sent(n, c.gate.clock())
		case again:
			if !c.armed {
				c.armed = true
				c.gate.spin.watch(c)
			}
			return
		default: // it is closed: reading tells as well
			l.Sent(len(l.out)-l.sent, c.gate.clock())
		}
	}
	if c.armed {
		c.armed = false
		c.gate.spin.watch(c)
	}
	if c.fd >= 0 && l.state == over && !c.closed.Swap(true) {
		_ = unix.Shutdown(c.fd, unix.SHUT_WR)
	}
}

// hangUp closes the socket; the link's mutex is held.
func (c *conn) hangUp() {
	if c.fd >= 0 {
		_ = unix.Close(c.fd)
		c.fd = -1
		c.leave()
	}
}

// epoll is the kernel's list of sockets.
type epoll struct {
	fd     int
	bell   int
	events [64]unix.EpollEvent
}

func (e *epoll) open() (err error) {
	e.bell = -1
	e.fd, err = unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	return err
}

// watch adds a socket, changes what is waited for of it, or takes it out; to add one may fail.
func (e *epoll) watch(how, fd int, in, out bool) bool {
	event := unix.EpollEvent{Fd: int32(fd)}
	if in {
		event.Events |= unix.EPOLLIN
	}
	if out {
		event.Events |= unix.EPOLLOUT
	}
	return unix.EpollCtl(e.fd, how, fd, &event) == nil
}

// ring adds the bell.
func (e *epoll) ring(bell int) {
	if e.bell != bell {
		e.bell = bell
		e.watch(unix.EPOLL_CTL_ADD, bell, true, false)
	}
}

// ready are those of which there is something to know, good until the next call; it waits for ms milliseconds at most.
func (e *epoll) ready(ms int) []unix.EpollEvent {
	n := 0
	if ms == 0 {
		n = pollNow(e.fd, &e.events)
	} else {
		n, _ = unix.EpollWait(e.fd, e.events[:], ms)
	}
	return e.events[:max(n, 0)]
}
