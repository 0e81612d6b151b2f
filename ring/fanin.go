package ring

import (
	"math/bits"
	"strconv"
	"sync/atomic"
)

// A fan-in reads several lanes as one stream: a lane has its turn until it is empty or has given its take, then comes the
// next one that has something. A busy lane delays another by one take at most.
//
// Up to 64 lanes are looked at one by one: a bell costs each hand-over more than looking past silent lanes does. More
// lanes ring a bell each, a bit in a shared word, so that silence costs one load for 64 lanes
// (docs/decisions/0002-lane-publication.md):
//
//	lane 0  lane 1  ...  lane 63     lane 64 ...
//	   \      |           /             |           Publish: ready word first, then the bit unless it is set
//	[ bells 0: 0 1 0 ... 1 ]      [ bells 1: ... ]
//	          |  swapped for 0, then looked at: a bell that rings in between is heard again
//	[ heard 0: 0 1 0 ... 1 ]      [ heard 1: ... ]  the consumer's own; a bit falls when its lane is found empty
//
// Invariant: a lane with published records that are not taken has its bit in bells or in heard, or its producer stands
// between its ready word and its bell.

const (
	lanesPolled = 64 // up to here lanes are looked at one by one
	takeMax     = 32 // a consumer gives slots back at least this often
)

// bells are the bells of 64 lanes.
type bells struct {
	rung atomic.Uint64
	_    [apart - 8]byte
}

// FanIn is the one consumer of several lanes. T must be free of pointers.
type FanIn[T any] struct {
	_ [apart]byte

	lanes []*Lane[T]
	at    int // the lane whose turn it is
	take  int
	taken int // what it has given in this turn

	bells []bells  // nil up to lanesPolled
	heard []uint64 // lanes that may have something

	_ [apart]byte
}

// NewFanIn reads lanes in turn, at most take records (1..32) of a lane at a time. It panics on a take out of range and on
// no lanes. A lane belongs to one FanIn, and its producer starts after NewFanIn. Memory: 136 bytes for each 64 lanes
// once there are more than 64.
func NewFanIn[T any](lanes []*Lane[T], take int) *FanIn[T] {
	if take < 1 || take > takeMax {
		panic("ring: a take of " + strconv.Itoa(take) + ": expected 1.." + strconv.Itoa(takeMax))
	}
	if len(lanes) == 0 {
		panic("ring: a fan-in of no lanes")
	}

	f := &FanIn[T]{lanes: lanes, take: take}
	if len(lanes) > lanesPolled {
		f.hang()
	}
	return f
}

// hang gives each lane its bell. Nobody knows what lies in them already, so all count as heard.
func (f *FanIn[T]) hang() {
	words := (len(f.lanes) + 63) / 64
	f.bells, f.heard = make([]bells, words), make([]uint64, words)
	for i, l := range f.lanes {
		l.bell, l.bit = &f.bells[i>>6].rung, 1<<(i&63)
		f.heard[i>>6] |= l.bit
	}
}

// Next is the next record, or nil when every lane is empty. It is read in place and stays valid until the following
// Next or Release.
func (f *FanIn[T]) Next() *T {
	if f.taken < f.take {
		if r := f.lanes[f.at].Next(); r != nil {
			f.taken++
			return r
		}
	}
	return f.turn()
}

// Stay keeps the turn with the lane that gave the last record: the next one comes from it too, if it is there, whatever has been given.
func (f *FanIn[T]) Stay() { f.taken = min(f.taken, f.take-1) }

// Release gives back what is still held. The lane whose turn it is keeps the rest of its turn.
func (f *FanIn[T]) Release() { f.lanes[f.at].Release() }

// turn ends the turn of a lane and gives the first record of the next one that has any.
func (f *FanIn[T]) turn() *T {
	f.Release()
	f.taken = 0
	if f.bells != nil {
		return f.answer()
	}

	for range len(f.lanes) {
		f.at++
		if f.at == len(f.lanes) {
			f.at = 0
		}
		if r := f.lanes[f.at].Next(); r != nil {
			f.taken = 1
			return r
		}
	}
	return nil
}

// answer looks at the lanes that rang.
func (f *FanIn[T]) answer() *T {
	for i := range f.bells {
		if f.bells[i].rung.Load() != 0 {
			f.heard[i] |= f.bells[i].rung.Swap(0)
		}
	}
	for {
		at := f.after(f.at)
		if at < 0 {
			return nil
		}
		f.at = at
		if r := f.lanes[at].Next(); r != nil {
			f.taken = 1
			return r
		}
		f.heard[at>>6] &^= 1 << (at & 63)
	}
}

// after is the first heard lane behind at, all the way round to at itself, or -1.
func (f *FanIn[T]) after(at int) int {
	i, behind := at>>6, ^uint64(0)<<(at&63)<<1
	for range len(f.heard) + 1 {
		if word := f.heard[i] & behind; word != 0 {
			return i<<6 + bits.TrailingZeros64(word)
		}
		behind = ^uint64(0)
		i++
		if i == len(f.heard) {
			i = 0
		}
	}
	return -1
}
