package book

import (
	"testing"

	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/msg"
	"github.com/tidwall/btree"
)

func (b *Book) sum() uint64 {
	var d fixed.Digest
	b.store.Hash(&d)
	b.Hash(&d)
	return d.Sum()
}

// forget throws away what the hash leaves out: fingers, and the shape of the trees.
func (b *Book) forget() {
	for i := range b.sides {
		s, x := &b.sides[i], &b.indexes[i]
		x.finger = [fingers]uint32{}
		x.tree = btree.Map[int64, uint32]{}
		x.seek = x.tree.Iter()
		for h := s.first; h != 0; h = b.store.blocks[h].next {
			x.tree.Set(b.store.blocks[h].key, h)
		}
	}
}

// TestHashLeavesOutWhatChangesNothing lets two books do the same, one of which loses its fingers and the shape of its trees
// again and again: hashes, answers and queues stay equal.
func TestHashLeavesOutWhatChangesNothing(t *testing.T) {
	for i, m := range mixes {
		t.Run(m.name, func(t *testing.T) {
			seed, again := xorshift(i+77), xorshift(i+77)
			t.Logf("seed %#x", uint64(seed))
			a, b := newWorld(m, &seed), newWorld(m, &again)
			for step := range 20_000 {
				errA, errB := a.step(), b.step()
				if errA != nil || errB != nil {
					t.Fatalf("step %d: %v, %v", step, errA, errB)
				}
				if step%97 == 0 {
					b.book.forget()
				}
				if step%101 == 0 && a.book.sum() != b.book.sum() {
					t.Fatalf("step %d: hashes differ", step)
				}
			}
			if a.book.sum() != b.book.sum() {
				t.Fatal("hashes differ at the end")
			}
			if err := b.compare(); err != nil {
				t.Error(err)
			}
		})
	}
}

// visit lets the last sell order rest elsewhere for a moment, so that nothing but the empty blocks remembers it.
func visit(b *Book, side msg.Side, price fixed.Ticks) {
	h := b.First(msg.Sell)
	for b.NextOf(h) != 0 {
		h = b.NextOf(h)
	}
	o, t := b.store.Order(h), b.store.Ticket(h)
	home := t.Price
	b.Unlink(h)
	o.Side, t.Price = side, price
	b.rest(h)
	b.Unlink(h)
	o.Side, t.Price = msg.Sell, home
	b.rest(h)
}

// TestHashSeesWhatChangesAnswers changes one thing at a time.
func TestHashSeesWhatChangesAnswers(t *testing.T) { // A-17, L-14
	build := func() *Book {
		b := sells(maker{price: 100, lots: 5, owner: 7}, maker{price: 100, lots: 6, expire: 50}, maker{price: 7000, lots: 1})
		for _, price := range []fixed.Ticks{10, 10_000, 20_000} {
			visit(b, msg.Buy, price-30_000)
		}
		return b
	}
	if one, other := build().sum(), build().sum(); one != other {
		t.Fatal("equal books have unequal hashes")
	}
	seen := map[uint64]string{build().sum(): "nothing"}
	second := func(b *Book) uint32 { return b.NextOf(b.First(msg.Sell)) }
	for name, change := range map[string]func(*Book){
		"leaves":                    func(b *Book) { b.Reduce(b.First(msg.Sell), 1) },
		"filled":                    func(b *Book) { b.store.Ticket(b.First(msg.Sell)).Filled++ },
		"ref":                       func(b *Book) { b.store.Ticket(b.First(msg.Sell)).Ref++ },
		"owner":                     func(b *Book) { b.store.Order(b.First(msg.Sell)).Owner++ },
		"account":                   func(b *Book) { b.store.Ticket(b.First(msg.Sell)).Account++ },
		"session":                   func(b *Book) { b.store.Order(b.First(msg.Sell)).Session++ },
		"flags":                     func(b *Book) { b.store.Order(b.First(msg.Sell)).Flags |= ReduceOnly },
		"a time":                    func(b *Book) { b.store.SetExpire(second(b), 51) },
		"place in the queue":        func(b *Book) { h := b.First(msg.Sell); b.Unlink(h); b.rest(h) },
		"a price":                   func(b *Book) { h := b.First(msg.Sell); b.Unlink(h); b.store.Ticket(h).Price++; b.rest(h) },
		"an order fewer":            func(b *Book) { h := b.First(msg.Sell); b.Unlink(h); b.store.Free(h) },
		"an order that rests not":   func(b *Book) { b.Unlink(b.First(msg.Sell)) },
		"another that rests not":    func(b *Book) { h := b.First(msg.Sell); b.Unlink(h); b.store.Order(h).Leaves = 99 },
		"a row taken":               func(b *Book) { b.store.Alloc() },
		"a generation":              func(b *Book) { b.store.Free(b.store.Alloc()) },
		"the order of free rows":    func(b *Book) { x, y := b.store.Alloc(), b.store.Alloc(); b.store.Free(x); b.store.Free(y) },
		"which block is empty":      func(b *Book) { visit(b, msg.Buy, -77_000) },
		"which was empty the first": func(b *Book) { visit(b, msg.Buy, 10-30_000) },
	} {
		b := build()
		change(b)
		if err := b.check(); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		sum := b.sum()
		if same, ok := seen[sum]; ok {
			t.Errorf("%s has the hash of %s", name, same)
		}
		seen[sum] = name
	}
}
