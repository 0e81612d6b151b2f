package ring

import (
	"sync/atomic"
	"testing"
)

// The other ways to publish a lane, measured against the one in use (docs/decisions/0002-lane-publication.md).

// publishEach is Publish with an atomic store for every ready word.
func (l *Lane[T]) publishEach() {
	for p := l.published + 1; p <= l.claimed; p++ {
		atomic.StoreUint64(&l.slots[p&l.mask].ready, p)
	}
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

// The alternatives are queues too: a comparison with something that loses records would say nothing.
func TestAlternativesCarryEverything(t *testing.T) {
	each, cursor := lane(t, 16), newCursorLane[body](16)
	sent, got := uint64(0), uint64(0)
	for batch := range uint64(16) {
		for range batch + 1 {
			each.Claim().fill(1, sent)
			cursor.Claim().fill(1, sent)
			sent++
		}
		if each.Next() != nil || cursor.Next() != nil {
			t.Fatal("a record was seen before it was published")
		}
		each.publishEach()
		cursor.Publish()
		for ; got < sent; got++ {
			if a, b := each.Next(), cursor.Next(); !a.check(1, got) || !b.check(1, got) {
				t.Fatalf("want record %d, got %+v and %+v", got, *a, *b)
			}
		}
		each.Release()
		cursor.Release()
	}
}
