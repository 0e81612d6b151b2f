package client

// index finds rows by ids: a hash table with open addressing, linear probing, and removal that leaves no gaps. It is at most half
// full; grow makes it twice as large. Ids and rows are above 0.
//
//	slots   | id, row | 0 | id, row | id, row | 0 | ...     an id stands in its own slot or in the first free one behind
type index struct {
	slots []slot
	shift uint8 // 64 - log2 of the slots
	count int
}

type slot struct {
	id  uint64
	row uint32
}

// newIndex makes an index that holds so many ids before it grows.
func newIndex(ids int) (x index) {
	x.shift = 63
	for 1<<(64-x.shift) < 2*ids {
		x.shift--
	}
	x.slots = make([]slot, 1<<(64-x.shift))
	return x
}

// home is the slot in which an id would stand alone (Fibonacci hashing).
func (x *index) home(id uint64) uint64 { return id * 0x9E3779B97F4A7C15 >> x.shift }

// find is the row of an id, 0 for none.
func (x *index) find(id uint64) uint32 {
	mask := uint64(len(x.slots) - 1)
	for i := x.home(id); x.slots[i].id != 0; i = (i + 1) & mask {
		if x.slots[i].id == id {
			return x.slots[i].row
		}
	}
	return 0
}

// put adds an id that is not there.
func (x *index) put(id uint64, row uint32) {
	if 2*(x.count+1) > len(x.slots) {
		x.grow()
	}
	mask := uint64(len(x.slots) - 1)
	i := x.home(id)
	for x.slots[i].id != 0 {
		i = (i + 1) & mask
	}
	x.slots[i] = slot{id, row}
	x.count++
}

func (x *index) grow() {
	old := x.slots
	x.slots, x.shift, x.count = make([]slot, 2*len(old)), x.shift-1, 0
	for _, s := range old {
		if s.id != 0 {
			x.put(s.id, s.row)
		}
	}
}

// remove takes an id out, if it is there, and moves those behind it up that would not be found any more.
func (x *index) remove(id uint64) {
	mask := uint64(len(x.slots) - 1)
	i := x.home(id)
	for x.slots[i].id != id {
		if x.slots[i].id == 0 {
			return
		}
		i = (i + 1) & mask
	}
	x.count--
	for j := (i + 1) & mask; x.slots[j].id != 0; j = (j + 1) & mask {
		if (j-x.home(x.slots[j].id))&mask >= (j-i)&mask {
			x.slots[i] = x.slots[j]
			i = j
		}
	}
	x.slots[i] = slot{}
}

// clear takes everything out.
func (x *index) clear() {
	clear(x.slots)
	x.count = 0
}
