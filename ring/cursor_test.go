package ring

import (
	"sync/atomic"
	"testing"
)

// The other ways to publish a lane, measured against the one in use (docs/decisions/0002-lane-publication.md).

// claimBare is Claim without ready words, for publishEach and publishLate.
func (l *Lane[T]) claimBare() *T {
	if l.claimed == l.limit && !l.extend() {
		return nil
	}
	l.claimed++
	return &l.slots[l.claimed&l.mask].body
}

// publishEach stores every ready word atomically, in order.
func (l *Lane[T]) publishEach() {
	for p := l.published + 1; p <= l.claimed; p++ {
		atomic.StoreUint64(&l.slots[p&l.mask].ready, p)
	}
	l.published = l.claimed
}

// publishLate stores the ready words behind the first when the batch is published.
func (l *Lane[T]) publishLate() {
	first := l.published + 1
	if l.claimed < first {
		return
	}
	for p := first + 1; p <= l.claimed; p++ {
		l.slots[p&l.mask].ready = p
	}
	atomic.StoreUint64(&l.slots[first&l.mask].ready, first)
	l.published = l.claimed
}

// cursorLane has no ready words: its producer stores the last published position into one padded cursor for a batch, and
// its consumer keeps a copy of it.
type cursorLane[T any] struct {
	slots []slot[T] // the same slots; the ready word lies idle
	mask  uint64

	_ [apart]byte

	claimed uint64
	limit   uint64

	_ [apart]byte

	published atomic.Uint64

	_ [apart]byte

	next uint64
	seen uint64

	_ [apart]byte

	released atomic.Uint64

	_ [apart]byte
}

func newCursorLane[T any](size int) *cursorLane[T] {
	return &cursorLane[T]{slots: make([]slot[T], size), mask: uint64(size - 1), limit: uint64(size), next: 1}
}

func (l *cursorLane[T]) Claim() *T {
	if l.claimed == l.limit {
		l.limit = l.released.Load() + uint64(len(l.slots))
		if l.claimed == l.limit {
			return nil
		}
	}
	l.claimed++
	return &l.slots[l.claimed&l.mask].body
}

func (l *cursorLane[T]) Publish() { l.published.Store(l.claimed) }

func (l *cursorLane[T]) Next() *T {
	if l.next > l.seen {
		l.seen = l.published.Load()
		if l.next > l.seen {
			return nil
		}
	}
	s := &l.slots[l.next&l.mask]
	l.next++
	return &s.body
}

func (l *cursorLane[T]) Release() { l.released.Store(l.next - 1) }

// cursorRing is a ring whose slots are bare records: its producer stores one padded cursor for a batch. It has one required
// reader, and no pages, which is less than Ring has to do.
type cursorRing[T any] struct {
	slots []T
	mask  uint64

	_ [apart]byte

	claimed uint64
	gate    uint64

	_ [apart]byte

	published atomic.Uint64

	_ [apart]byte

	next uint64
	seen uint64

	_ [apart]byte

	released atomic.Uint64

	_ [apart]byte
}

func newCursorRing[T any](size int) *cursorRing[T] {
	return &cursorRing[T]{slots: make([]T, size), mask: uint64(size - 1), gate: uint64(size)}
}

func (r *cursorRing[T]) Claim() *T {
	if r.claimed == r.gate {
		r.gate = r.released.Load() + uint64(len(r.slots))
		if r.claimed == r.gate {
			return nil
		}
	}
	s := &r.slots[r.claimed&r.mask]
	r.claimed++
	return s
}

func (r *cursorRing[T]) Publish() { r.published.Store(r.claimed) }

func (r *cursorRing[T]) Next() *T {
	if r.next == r.seen {
		r.seen = r.published.Load()
		if r.next == r.seen {
			return nil
		}
	}
	s := &r.slots[r.next&r.mask]
	r.next++
	return s
}

func (r *cursorRing[T]) Release() { r.released.Store(r.next) }

// The alternatives are queues too: a comparison with something that loses records would say nothing.
func TestAlternativesCarryEverything(t *testing.T) {
	each, late, cursor := lane(t, 16), lane(t, 16), newCursorLane[body](16)
	out := newCursorRing[event](16)
	sent, got := uint64(0), uint64(0)
	for batch := range uint64(16) {
		for range batch + 1 {
			out.Claim().fill(1, sent)
			each.claimBare().fill(1, sent)
			late.claimBare().fill(1, sent)
			cursor.Claim().fill(1, sent)
			sent++
		}
		if each.Next() != nil || late.Next() != nil || cursor.Next() != nil || out.Next() != nil {
			t.Fatal("a record was seen before it was published")
		}
		each.publishEach()
		late.publishLate()
		cursor.Publish()
		out.Publish()
		for ; got < sent; got++ {
			if e := out.Next(); !e.check(1, got) {
				t.Fatalf("want record %d, got %+v", got, *e)
			}
			if a, b, c := each.Next(), late.Next(), cursor.Next(); !a.check(1, got) || !b.check(1, got) || !c.check(1, got) {
				t.Fatalf("want record %d, got %+v, %+v and %+v", got, *a, *b, *c)
			}
		}
		each.Release()
		late.Release()
		cursor.Release()
		out.Release()
	}
}
