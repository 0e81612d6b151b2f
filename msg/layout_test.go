package msg_test

import (
	"os"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/lockstep-exchange/lockstep/msg"
)

// The drawings above Command and Event state the offset of every field; the compiler agrees with each. // T-7
func TestFieldsLieWhereTheDrawingSays(t *testing.T) {
	for _, c := range []struct {
		file   string
		record any
		size   uintptr
	}{{"command.go", msg.Command{}, msg.CommandSize}, {"event.go", msg.Event{}, msg.EventSize}} {
		typ := reflect.TypeOf(c.record)
		if typ.Size() != c.size || c.size%64 != 0 {
			t.Errorf("%v has %d bytes, want %d, whole cache lines", typ, typ.Size(), c.size)
		}
		drawn := drawing(t, c.file)
		fields := 0
		for _, f := range reflect.VisibleFields(typ) {
			if f.Anonymous {
				continue
			}
			fields++
			offset, ok := drawn[f.Name]
			if actual := offsetOf(typ, f.Index); !ok || offset != actual {
				t.Errorf("%v.%s lies at %d, the drawing says %d (stated: %v)", typ, f.Name, actual, offset, ok)
			}
		}
		if fields != len(drawn) {
			t.Errorf("%v has %d fields, the drawing %d", typ, fields, len(drawn))
		}
	}
}

// offsetOf is the offset of a field from the start of the outermost struct.
func offsetOf(typ reflect.Type, index []int) (offset uintptr) {
	for _, i := range index {
		f := typ.Field(i)
		offset, typ = offset+f.Offset, f.Type
	}
	return offset
}

// drawing reads the offsets from the lines of a file's record comment: "line 1   0 Seq u64 · 8 Time i64 · ...".
func drawing(t *testing.T, file string) map[string]uintptr {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	comment, _, _ := strings.Cut(string(text), " struct {")
	_, comment, ok := strings.Cut(comment, "//\tline 1 ")
	if !ok {
		t.Fatalf("%s has no drawing", file)
	}
	offsets := map[string]uintptr{}
	for _, m := range regexp.MustCompile(`(\d+) ([A-Z]\w+)`).FindAllStringSubmatch(comment, -1) {
		n, err := strconv.Atoi(m[1])
		if err != nil {
			t.Fatal(err)
		}
		offsets[m[2]] = uintptr(n)
	}
	return offsets
}

// A record is moved as bytes: it holds numbers and arrays of numbers and nothing that points. // A-19
func TestRecordsHoldNoPointer(t *testing.T) {
	var walk func(path string, typ reflect.Type)
	walk = func(path string, typ reflect.Type) {
		switch typ.Kind() {
		case reflect.Struct:
			for i := range typ.NumField() {
				walk(path+"."+typ.Field(i).Name, typ.Field(i).Type)
			}
		case reflect.Array:
			walk(path+"[]", typ.Elem())
		case reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Int64, reflect.Bool:
		default:
			t.Errorf("%s is a %v", path, typ)
		}
	}
	for _, record := range []any{msg.Command{}, msg.Request{}, msg.Event{}, msg.OrderExt{}, msg.Payment{}, msg.Opening{},
		msg.Listing{}, msg.Tier{}, msg.Fees{}, msg.Setting{}, msg.Entry{}, msg.Fill{}, msg.Change{}, msg.Refusal{},
		msg.Balance{}, msg.PhaseStep{}} {
		typ := reflect.TypeOf(record)
		walk(typ.Name(), typ)
	}
}

// No byte of a record is padding: equal records are equal bytes.
func TestRecordsHaveNoPadding(t *testing.T) {
	var sum func(typ reflect.Type) uintptr
	sum = func(typ reflect.Type) (n uintptr) {
		if typ.Kind() != reflect.Struct {
			return typ.Size()
		}
		for i := range typ.NumField() {
			n += sum(typ.Field(i).Type)
		}
		return n
	}
	for _, record := range []any{msg.Command{}, msg.Event{}} {
		if typ := reflect.TypeOf(record); sum(typ) != typ.Size() {
			t.Errorf("%v has %d bytes, its fields %d", typ, typ.Size(), sum(typ))
		}
	}
}
