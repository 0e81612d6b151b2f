package ring_test

import (
	"reflect"
	"testing"
	"unsafe"

	"github.com/lockstep-exchange/lockstep/msg"
	"github.com/lockstep-exchange/lockstep/ring"
)

// Records that travel in rings have no pointer anywhere, or their slots would keep objects alive.
func TestRecordsHaveNoPointers(t *testing.T) { // A-19, L-51
	for _, record := range []reflect.Type{reflect.TypeFor[msg.Request](), reflect.TypeFor[msg.Event]()} {
		if path := pointer(record, record.Name()); path != "" {
			t.Errorf("%s holds a pointer", path)
		}
	}
	if pointer(reflect.TypeFor[struct{ A [2]struct{ B []int } }](), "x") != "x.A[].B" {
		t.Error("the walk does not find a planted slice")
	}
}

// pointer is the path to the first field that holds a pointer, or "".
func pointer(t reflect.Type, path string) string {
	switch t.Kind() {
	case reflect.Struct:
		for i := range t.NumField() {
			if p := pointer(t.Field(i).Type, path+"."+t.Field(i).Name); p != "" {
				return p
			}
		}
		return ""
	case reflect.Array:
		return pointer(t.Elem(), path+"[]")
	case reflect.Pointer, reflect.Slice, reflect.Map, reflect.String, reflect.Interface, reflect.Func, reflect.Chan, reflect.UnsafePointer:
		return path
	}
	return ""
}

// Slots begin on cache lines: the ready word and the first 56 bytes of the record share one.
func TestSlotsBeginOnLines(t *testing.T) { // L-17, L-50
	for _, size := range []int{2, 4, 16, 256, 4096} {
		l, err := ring.NewLane[msg.Request](size)
		if err != nil {
			t.Fatal(err)
		}
		first := uintptr(unsafe.Pointer(l.Claim())) - 8
		second := uintptr(unsafe.Pointer(l.Claim())) - 8
		if stride := max(first, second) - min(first, second); first%64 != 0 || stride != 128 {
			t.Errorf("lane of %d: slots at %#x and %#x, want them on lines and 128 bytes apart", size, first, second)
		}
	}
	r, err := ring.NewRing[msg.Event](64)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 64 {
		if at := uintptr(unsafe.Pointer(r.Claim())) - 8; at%64 != 0 {
			t.Fatalf("ring slot %d at %#x, want a multiple of 64", i, at)
		}
	}
}
