package book

import (
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"unsafe"
)

// TestRowsAreFlat holds that no row of a slab, and nothing that travels per order, holds a pointer or anything like one.
func TestRowsAreFlat(t *testing.T) { // A-19, L-51
	var flat func(path string, typ reflect.Type)
	flat = func(path string, typ reflect.Type) {
		switch typ.Kind() {
		case reflect.Struct:
			for i := range typ.NumField() {
				flat(path+"."+typ.Field(i).Name, typ.Field(i).Type)
			}
		case reflect.Array:
			flat(path+"[]", typ.Elem())
		case reflect.Bool, reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
			reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		default:
			t.Errorf("%s is a %s", path, typ.Kind())
		}
	}
	for _, row := range []any{Order{}, Ticket{}, level{}, block{}, Fill{}, Taker{}, Depth{}, Rehearsal{}, Part{}, Impact{}, Auction{}, Turn{}, Pair{}} {
		typ := reflect.TypeOf(row)
		flat(typ.Name(), typ)
	}
}

// TestLayout holds where the fields of an order lie, and that rows keep to cache lines.
func TestLayout(t *testing.T) { // L-15, L-50, T-7
	var o Order
	var k Ticket
	for name, got := range map[string][2]uintptr{
		"Order.Leaves": {unsafe.Offsetof(o.Leaves), 0}, "Order.Next": {unsafe.Offsetof(o.Next), 8},
		"Order.Prev": {unsafe.Offsetof(o.Prev), 12}, "Order.Level": {unsafe.Offsetof(o.Level), 16},
		"Order.Gen": {unsafe.Offsetof(o.Gen), 20}, "Order.Owner": {unsafe.Offsetof(o.Owner), 24},
		"Order.Session": {unsafe.Offsetof(o.Session), 28}, "Order.Side": {unsafe.Offsetof(o.Side), 30},
		"Order.Flags": {unsafe.Offsetof(o.Flags), 31}, "Ticket.Price": {unsafe.Offsetof(k.Price), 0},
		"Ticket.Filled": {unsafe.Offsetof(k.Filled), 8}, "Ticket.Ref": {unsafe.Offsetof(k.Ref), 16},
		"Ticket.Account": {unsafe.Offsetof(k.Account), 24}, "Ticket.Instr": {unsafe.Offsetof(k.Instr), 28},
	} {
		if got[0] != got[1] {
			t.Errorf("%s lies at %d, want %d", name, got[0], got[1])
		}
	}
	s := NewStore(1000, 100, 100)
	if at := uintptr(unsafe.Pointer(&s.orders[0])); at%64 != 0 {
		t.Errorf("the orders begin %d bytes into a cache line", at%64)
	}
	if at := uintptr(unsafe.Pointer(&s.tickets[0])); at%32 != 0 {
		t.Errorf("the tickets begin %d bytes into a half line", at)
	}
	if at := uintptr(unsafe.Pointer(&s.blocks[0])); at%32 != 0 {
		t.Errorf("the blocks begin %d bytes into a half line", at%32)
	}
	if at := uintptr(unsafe.Pointer(&s.levels[0])); at%32 != 0 {
		t.Errorf("the levels begin %d bytes into a half line", at%32)
	}
}

// TestHotSet holds that what 10,000 orders in 1,000 levels need fits the second-level cache with room for the rest.
func TestHotSet(t *testing.T) { // L-15
	const orders, levels, blocks = 10_000, 1_000, 40
	size := orders*(unsafe.Sizeof(Order{})+unsafe.Sizeof(Ticket{})) + levels*unsafe.Sizeof(level{}) + blocks*unsafe.Sizeof(block{}) + unsafe.Sizeof(Book{}) + orders*4
	if size > 1<<20 {
		t.Errorf("%d bytes for %d orders, want at most half of 2 MiB", size, orders)
	}
	t.Logf("%d bytes for %d orders in %d levels", size, orders, levels)
}

// TestHotLeavesInline holds that the leaves of the hot path are inlined into their callers.
func TestHotLeavesInline(t *testing.T) { // S-16
	gobin, err := exec.LookPath("go")
	if err != nil {
		t.Skip("no go command")
	}
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(gobin, "build", "-gcflags=-m", "-o", filepath.Join(t.TempDir(), "out"), ".")
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	inlined := map[string]bool{}
	for _, m := range regexp.MustCompile(`can inline (\S+)`).FindAllStringSubmatch(string(out), -1) {
		inlined[strings.TrimSuffix(m[1], ":")] = true
	}
	for _, name := range []string{"rank", "price", "(*rows).take", "(*rows).give", "(*Store).Alloc", "(*Store).Free",
		"(*Store).Find", "(*Store).Order", "(*Store).ID", "(*Store).Due", "(*Store).Live", "(*Book).side", "(*Book).Best",
		"(*Book).Crosses", "(*Book).Reduce", "(*Book).First"} {
		if !inlined[name] {
			t.Errorf("%s is not inlined", name)
		}
	}
	if strings.Contains(string(out), "moved to heap") {
		t.Errorf("something escapes:\n%s", out)
	}
}
