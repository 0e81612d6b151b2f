package channel

import (
	"net/netip"

	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/wire"
)

// Desk answers those who ask for records again: one datagram a request. Who is on no list, asks too often, or asks for what there is not gets
// no answer, and is counted: nobody else learns anything. Within the listed networks a source can be forged, and a datagram sent to another,
// as often as the limit says. A step function like the Publisher.
type Desk struct {
	networks []netip.Prefix
	sources  map[netip.Addr]allowance
	Counts   Counts
}

// Counts are what became of requests.
type Counts struct {
	Answered  uint64
	Malformed uint64 // no request, or of another session
	Unlisted  uint64 // of a source in no listed network
	Limited   uint64 // above the rate of a source
	Missing   uint64 // not kept any more, or not sent yet
}

// allowance is how much a source may ask: a bucket that fills by requestRate a second.
type allowance struct {
	left float64
	at   fixed.Nanos
}

const (
	// requestRate is how many requests a second a source has, and how many at once.
	requestRate = 100
	// sourcesMax is how many sources are remembered at a time; those that have been silent for a second are forgotten for others.
	sourcesMax = 4096
)

// NewDesk answers sources in the listed networks alone.
func NewDesk(networks []netip.Prefix) *Desk {
	return &Desk{networks: networks, sources: make(map[netip.Addr]allowance, sourcesMax)}
}

// Answer appends the answer to a request to dst; ok is false where there is none. now is any clock that does not run back.
func (d *Desk) Answer(dst []byte, p *Publisher, source netip.Addr, request []byte, now fixed.Nanos) (out []byte, ok bool) {
	source = source.Unmap()
	if !d.lists(source) {
		d.Counts.Unlisted++
		return dst, false
	}
	r, fault := wire.OpenRequest(request)
	switch {
	case fault.Kind != 0 || r.Session != p.Session():
		d.Counts.Malformed++
		return dst, false
	case !d.allows(source, now):
		d.Counts.Limited++
		return dst, false
	}
	if out, ok = p.AppendDatagram(dst, r.Sequence, r.Count); !ok {
		d.Counts.Missing++
		return dst, false
	}
	d.Counts.Answered++
	return out, true
}

func (d *Desk) lists(source netip.Addr) bool {
	for _, n := range d.networks {
		if n.Contains(source) {
			return true
		}
	}
	return false
}

// allows takes one request out of what a source may ask.
func (d *Desk) allows(source netip.Addr, now fixed.Nanos) bool {
	a, known := d.sources[source]
	if !known {
		if len(d.sources) >= sourcesMax && !d.forget(now) {
			return false
		}
		a = allowance{requestRate, now}
	}
	a.left = min(requestRate, a.left+float64(now-a.at)/float64(fixed.Second)*requestRate)
	a.at = now
	allowed := a.left >= 1
	if allowed {
		a.left--
	}
	d.sources[source] = a
	return allowed
}

// forget forgets the sources whose allowance is whole again, and reports whether there were any.
func (d *Desk) forget(now fixed.Nanos) bool {
	for source, a := range d.sources {
		if now-a.at >= fixed.Second {
			delete(d.sources, source)
		}
	}
	return len(d.sources) < sourcesMax
}
