package engine

import (
	"reflect"
	"testing"
	"unsafe"

	"github.com/lockstep-exchange/lockstep/book"
	"github.com/lockstep-exchange/lockstep/clearing"
	"github.com/lockstep-exchange/lockstep/market"
	"github.com/lockstep-exchange/lockstep/msg"
	"github.com/lockstep-exchange/lockstep/riskgate"
)

// TestHotSetFitsTheCache sums what 10,000 orders and 1,000 accounts with a position each touch, lane and out ring included:
// it lies in a second-level cache of 2 MiB.
func TestHotSetFitsTheCache(t *testing.T) { // L-15
	const (
		orders, levels, accounts = 10_000, 1_000, 1_000
		spareBlocks              = 2 * 64
		positionRows             = 2 * accounts // of the table, half of which is free
		laneSlots, outSlots      = 1024, 2048

		level, block = 32, 32 + 256 // the compiler holds them in book/layout.go
		path, ready  = 4, 8         // a word for each row of positions, and for each slot of a lane
		instrument   = unsafe.Sizeof(market.Instrument{})
	)
	sum := uintptr(0)
	for _, part := range []struct {
		name        string
		count, size uintptr
	}{
		{"orders", orders, unsafe.Sizeof(book.Order{})},
		{"tickets", orders, unsafe.Sizeof(book.Ticket{})},
		{"claims", orders, unsafe.Sizeof(clearing.Claim{})},
		{"levels", levels, level},
		{"blocks", levels/64 + spareBlocks, block},
		{"accounts", accounts, unsafe.Sizeof(clearing.Account{})},
		{"statements", accounts, unsafe.Sizeof(clearing.Statement{})},
		{"positions", positionRows, unsafe.Sizeof(clearing.Position{}) + unsafe.Sizeof(clearing.Ledger{}) + path},
		{"instrument", 1, instrument},
		{"sessions", 256, unsafe.Sizeof(riskgate.Session{})},
		{"lane", laneSlots, unsafe.Sizeof(msg.Request{}) + ready},
		{"out ring", outSlots, unsafe.Sizeof(msg.Event{})},
	} {
		t.Logf("%-11s %6d x %4d = %7d", part.name, part.count, part.size, part.count*part.size)
		sum += part.count * part.size
	}
	if t.Logf("%d bytes", sum); sum >= 2<<20 {
		t.Errorf("the hot set has %d bytes, want fewer than %d", sum, 2<<20)
	}
}

// TestInstrumentsFillLines holds that what plain orders ask of an instrument lies in its first three lines, whole ones.
func TestInstrumentsFillLines(t *testing.T) { // L-15, T-7
	var in market.Instrument
	for name, got := range map[string][2]uintptr{
		"size over whole lines": {unsafe.Sizeof(in) % 64, 0},
		"offset of Spans":       {unsafe.Offsetof(in.Spans), 64}, "offset of Last": {unsafe.Offsetof(in.Last), 128},
		"offset of Type": {unsafe.Offsetof(in.Type), 192},
	} {
		if got[0] != got[1] {
			t.Errorf("the %s is %d, want %d", name, got[0], got[1])
		}
	}
}

// TestRowsHoldNoPointers holds that what lies in slabs and rings is plain: the collector passes it over, and a snapshot can
// write it.
func TestRowsHoldNoPointers(t *testing.T) { // A-19, T-7
	var walk func(reflect.Type, string)
	walk = func(typ reflect.Type, path string) {
		switch typ.Kind() {
		case reflect.Struct:
			for i := range typ.NumField() {
				walk(typ.Field(i).Type, path+"."+typ.Field(i).Name)
			}
		case reflect.Array:
			walk(typ.Elem(), path+"[]")
		case reflect.Int, reflect.Int64, reflect.Uint64, reflect.Uint32, reflect.Uint16, reflect.Uint8, reflect.Bool:
		default:
			t.Errorf("%s is a %s", path, typ.Kind())
		}
	}
	for _, r := range []reflect.Type{reflect.TypeFor[job](), reflect.TypeFor[Limits](), reflect.TypeFor[book.Order](), reflect.TypeFor[book.Ticket](), reflect.TypeFor[book.Fill](),
		reflect.TypeFor[book.Taker](), reflect.TypeFor[riskgate.Session](), reflect.TypeFor[riskgate.Key](), reflect.TypeFor[session](), reflect.TypeFor[msg.Command](), reflect.TypeFor[msg.Event]()} {
		walk(r, r.Name())
	}
}
