package engine

import (
	"errors"
	"math/bits"
	"strconv"

	"github.com/lockstep-exchange/lockstep/fixed"
)

// Limits bound every table of an engine at birth. They belong to its state: engines with other limits are others. A zero
// field takes the default in its comment.
type Limits struct {
	Instruments      uint32 // ids 1..Instruments; up to 65,535; default 16
	Underlyings      uint32 // ids 1..Underlyings; up to 65,535; default Instruments. One has up to Events/16 instruments
	Accounts         uint32 // account and owner ids 1..Accounts; default 1,024
	Positions        uint32 // open at one time over all accounts; default 4 · Accounts
	Orders           uint32 // resting at one time; default 65,536
	Levels           uint32 // prices with orders at one time; default Orders
	Events           uint32 // of one command; 256..65,536; default 2,048: a ring of twice as many stays in a second-level cache
	Sessions         uint32 // ids 0..Sessions-1, and as many of keys; up to 65,536; default 256
	AccountPositions uint32 // of one account; default 256. The value of one is bounded by 2^62 / AccountPositions Money
	OwnerAccounts    uint32 // of one owner; up to 65,535; default 64
	Jobs             uint32 // mass cancels under way at one time, 32 more for the kill switch; default 64
}

// Complete fills in the defaults and says what does not fit.
func (l Limits) Complete() (Limits, error) {
	or := func(v *uint32, def uint32) {
		if *v == 0 {
			*v = def
		}
	}
	or(&l.Instruments, 16)
	or(&l.Underlyings, l.Instruments)
	or(&l.Accounts, 1024)
	or(&l.Positions, uint32(min(4*uint64(l.Accounts), 1<<30)))
	or(&l.Orders, 1<<16)
	or(&l.Levels, l.Orders)
	or(&l.Events, 1<<11)
	or(&l.Sessions, 256)
	or(&l.AccountPositions, 256)
	or(&l.OwnerAccounts, 64)
	or(&l.Jobs, 64)
	for _, c := range [...]struct {
		name         string
		v, low, high uint32
	}{
		{"Instruments", l.Instruments, 1, 1<<16 - 1},
		{"Underlyings", l.Underlyings, 1, 1<<16 - 1},
		{"Accounts", l.Accounts, 1, 1 << 30},
		{"Positions", l.Positions, 1, 1 << 30},
		{"Orders", l.Orders, 1, 1 << 30},
		{"Levels", l.Levels, 1, 1 << 30},
		{"Events", l.Events, 256, 1 << 16},
		{"Sessions", l.Sessions, 1, 1 << 16},
		{"AccountPositions", l.AccountPositions, 1, 1<<16 - 1},
		{"OwnerAccounts", l.OwnerAccounts, 1, 1<<16 - 1},
		{"Jobs", l.Jobs, 1, 1 << 16},
	} {
		if c.v < c.low || c.v > c.high {
			return l, errors.New("engine: Limits." + c.name + " is " + strconv.FormatUint(uint64(c.v), 10) + ", expected " +
				strconv.FormatUint(uint64(c.low), 10) + ".." + strconv.FormatUint(uint64(c.high), 10))
		}
	}
	return l, nil
}

func (l *Limits) hash(d *fixed.Digest) {
	for _, v := range l.all() {
		d.Word(uint64(*v))
	}
}

// all are the limits in the order in which hash, snapshot and genesis record have them.
func (l *Limits) all() [11]*uint32 {
	return [...]*uint32{&l.Instruments, &l.Underlyings, &l.Accounts, &l.Positions, &l.Orders, &l.Levels, &l.Events, &l.Sessions,
		&l.AccountPositions, &l.OwnerAccounts, &l.Jobs}
}

// blocks is how many price blocks the books may need: one for each level, and the empty ones that every side keeps.
func (l *Limits) blocks() uint32 {
	const spare = 2 * 64
	hi, lo := bits.Mul32(l.Instruments, spare)
	if hi != 0 || lo > 1<<31-1-l.Levels {
		return 1<<31 - 1
	}
	return l.Levels + lo
}

// timers is how many timers of each kind there can be.
func (l *Limits) timers(pools uint32) (n [timerKinds]uint32) {
	n[tierTimer] = 1
	n[ladderTimer] = pools
	n[emptyTimer], n[deadManTimer], n[lapseTimer] = l.Sessions, l.Accounts+1, l.Sessions
	n[guardTimer] = guardsPerSession*l.Sessions + 1
	n[oracleTimer] = l.Underlyings + 1
	n[markTimer], n[fundingTimer] = l.Instruments+1, l.Instruments+1
	return n
}
