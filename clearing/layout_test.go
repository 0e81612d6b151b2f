package clearing

import (
	"reflect"
	"testing"
)

// TestRecordsHoldNoPointers holds that every row of the house's tables is a plain value: nothing in it points anywhere, so
// a snapshot can write it and the collector passes it over.
func TestRecordsHoldNoPointers(t *testing.T) { // A-19, T-7
	var walk func(reflect.Type, string)
	walk = func(typ reflect.Type, path string) {
		switch typ.Kind() {
		case reflect.Struct:
			for i := range typ.NumField() {
				walk(typ.Field(i).Type, path+"."+typ.Field(i).Name)
			}
		case reflect.Array:
			walk(typ.Elem(), path+"[]")
		case reflect.Int64, reflect.Uint64, reflect.Uint32, reflect.Uint16, reflect.Uint8, reflect.Bool:
		default:
			t.Errorf("%s is a %s", path, typ.Kind())
		}
	}
	for _, r := range []reflect.Type{reflect.TypeFor[Account](), reflect.TypeFor[Statement](), reflect.TypeFor[Owner](), reflect.TypeFor[Position](),
		reflect.TypeFor[Ledger](), reflect.TypeFor[Claim]()} {
		walk(r, r.Name())
	}
}

// TestRecordsFillLines holds that what an order touches is a line or half of one, whole at its place in a slab.
func TestRecordsFillLines(t *testing.T) { // L-15, T-7
	for _, c := range []struct {
		typ  reflect.Type
		size uintptr
	}{
		{reflect.TypeFor[Account](), 64}, {reflect.TypeFor[Statement](), 64}, {reflect.TypeFor[Position](), 64},
		{reflect.TypeFor[Ledger](), 64}, {reflect.TypeFor[Claim](), 32},
	} {
		if c.typ.Size() != c.size {
			t.Errorf("%s has %d bytes, want %d", c.typ.Name(), c.typ.Size(), c.size)
		}
		used := uintptr(0)
		for i := range c.typ.NumField() {
			if f := c.typ.Field(i); f.Offset != used {
				t.Errorf("%s.%s stands at %d behind %d: padding that is not said", c.typ.Name(), f.Name, f.Offset, used)
			}
			used += c.typ.Field(i).Type.Size()
		}
	}
}
