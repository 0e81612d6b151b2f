package msg_test

import (
	"bytes"
	"flag"
	"go/ast"
	"go/constant"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/lockstep-exchange/lockstep/msg"
)

var rewrite = flag.Bool("rewrite", false, "write the golden files anew")

// Every kind in its forms, as a person reads it.
func TestPrintGolden(t *testing.T) {
	var got []byte
	for _, c := range commands() {
		got = append(c.Append(got), '\n')
	}
	got = append(got, '\n')
	for _, e := range events() {
		got = append(e.Append(got), '\n')
	}
	file := filepath.Join("testdata", "print.golden")
	if *rewrite {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(string(got), "\n")); diff != "" {
		t.Errorf("the lines differ from %s (-want +got):\n%s", file, diff)
	}
}

// The two lines that the drawing and the manual show.
func TestPrintByHand(t *testing.T) {
	c := msg.Limit(1, 1, msg.Buy, 50_010, 3)
	c.Seq = 12
	if got, want := c.String(), "#12 Limit account=1 instr=1 buy 3@50010 gtc"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if got, want := c.Request.String(), "Limit account=1 instr=1 buy 3@50010 gtc"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	e := msg.Event{Seq: 12, Index: 1, Kind: msg.Traded, Account: 2, Order: 1<<32 | 1, Side: msg.Buy, Qty: 3, Price: 50_000}
	e.SetFill(&msg.Fill{Filled: 3, Trade: 1, Peer: 2, Fee: 15_000, Position: 3, Maker: true})
	want := "#12.1 Traded account=2 order=1:1 buy 3@50000 leaves=0 filled=3 trade=1 peer=0:2 maker fee=0.015000 realized=0.000000 position=3"
	if got := e.String(); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// The samples name every kind, so what ranges over them ranges over all kinds.
func TestSamplesNameEveryKind(t *testing.T) {
	kinds := map[string]bool{}
	for _, c := range commands() {
		kinds["Kind"+c.Kind.String()] = true
	}
	for _, e := range events() {
		kinds[e.Kind.String()] = true
	}
	for _, c := range constants(t) {
		if (c.typ == "Kind" || c.typ == "EventKind") && !kinds[c.name] {
			t.Errorf("%s has no sample", c.name)
		}
	}
}

// Every field that a kind uses is shown: in a sample each holds a value that is not zero, and another value there gives
// another line.
func TestPrintShowsEveryField(t *testing.T) {
	for _, c := range commands() {
		line := c.String()
		eachChange(&c, func(field string) {
			if c.String() == line {
				t.Errorf("%s is not shown in %s", field, line)
			}
		})
	}
	for _, e := range events() {
		line := e.String()
		eachChange(&e, func(field string) {
			if e.String() == line {
				t.Errorf("%s is not shown in %s", field, line)
			}
		})
	}
}

// eachChange puts another value into each field of a record that is not zero.
func eachChange(record any, look func(field string)) {
	change(record, false, look)
}

// eachField puts another value into each field of a record.
func eachField(record any, look func(field string)) {
	change(record, true, look)
}

// change puts another value that is not zero into one number of a record after the other, calls look and puts the old
// one back. Without zeros it leaves out the numbers that are zero.
func change(record any, zeros bool, look func(field string)) {
	var walk func(name string, v reflect.Value)
	walk = func(name string, v reflect.Value) {
		switch {
		case v.Kind() == reflect.Struct:
			for i := range v.NumField() {
				walk(name+"."+v.Type().Field(i).Name, v.Field(i))
			}
			return
		case v.Kind() == reflect.Array:
			for i := range v.Len() {
				walk(name+strconv.Itoa(i), v.Index(i))
			}
			return
		case v.IsZero() && !zeros:
			return
		}
		old := reflect.New(v.Type()).Elem()
		old.Set(v)
		switch {
		case v.CanInt() && v.Int() != -1:
			v.SetInt(v.Int() + 1)
		case v.CanInt():
			v.SetInt(1)
		case v.Uint() != 1:
			v.SetUint(1)
		default:
			v.SetUint(2)
		}
		look(name)
		v.Set(old)
	}
	walk("", reflect.ValueOf(record).Elem())
}

// Any bytes at all print as one line of plain characters.
func TestPrintTakesAnything(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var c msg.Command
		var e msg.Event
		draw(t, &c)
		draw(t, &e)
		if rapid.Bool().Draw(t, "known kinds") {
			c.Kind, e.Kind = c.Kind%(msg.KindCloseSession+1), e.Kind%(msg.EntryChanged+1)
		}
		for _, line := range [][]byte{c.Append(nil), e.Append(nil)} {
			if i := bytes.IndexFunc(line, func(r rune) bool { return r < ' ' || r > '~' }); i >= 0 || bytes.HasSuffix(line, []byte(" ")) {
				t.Fatalf("%q is no line of plain characters", line)
			}
		}
	})
}

// draw fills every field of a record.
func draw(t *rapid.T, record any) {
	var walk func(v reflect.Value)
	walk = func(v reflect.Value) {
		switch {
		case v.Kind() == reflect.Struct:
			for i := range v.NumField() {
				walk(v.Field(i))
			}
		case v.Kind() == reflect.Array:
			for i := range v.Len() {
				walk(v.Index(i))
			}
		case v.CanInt():
			v.SetInt(rapid.Int64().Draw(t, v.Type().Name()))
		case v.Kind() == reflect.Bool:
			v.SetBool(rapid.Bool().Draw(t, v.Type().Name()))
		default:
			v.SetUint(rapid.Uint64().Draw(t, v.Type().Name()) >> (64 - v.Type().Bits()))
		}
	}
	walk(reflect.ValueOf(record).Elem())
}

func TestAppendAllocatesNothing(t *testing.T) {
	dst := make([]byte, 0, 1024)
	cs, es := commands(), events()
	if n := testing.AllocsPerRun(20, func() {
		for i := range cs {
			dst = cs[i].Append(dst[:0])
		}
		for i := range es {
			dst = es[i].Append(dst[:0])
		}
	}); n != 0 {
		t.Errorf("printing all kinds allocates %v times", n)
	}
}

// named is a constant of the package.
type named struct {
	name, typ string
	value     uint64
}

// constants are the exported constants of the package that have a type of its own.
func constants(t *testing.T) []named {
	t.Helper()
	found, err := readConstants()
	if err != nil || len(found) == 0 {
		t.Fatalf("the source of the package has %d constants: %v", len(found), err)
	}
	return found
}

// readConstants reads them from the source, so that a new one cannot be forgotten.
var readConstants = sync.OnceValues(func() ([]named, error) {
	names, err := filepath.Glob("*.go")
	if err != nil {
		return nil, err
	}
	fset := token.NewFileSet()
	var files []*ast.File
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(fset, name, nil, 0)
		if err != nil {
			return nil, err
		}
		files = append(files, file)
	}
	config := types.Config{Importer: importer.ForCompiler(fset, "source", nil)}
	pkg, err := config.Check("msg", fset, files, nil)
	if err != nil {
		return nil, err
	}
	var found []named
	for _, name := range pkg.Scope().Names() {
		c, ok := pkg.Scope().Lookup(name).(*types.Const)
		if !ok || !c.Exported() {
			continue
		}
		typ, ok := c.Type().(*types.Named)
		if !ok || typ.Obj().Pkg() != pkg {
			continue
		}
		value, _ := constant.Uint64Val(c.Val())
		found = append(found, named{name, typ.Obj().Name(), value})
	}
	return found, nil
})

// unnamed is what a value without a word prints, or a word that would break a line.
var unnamed = regexp.MustCompile(`-[0-9]+$| `)

// Every constant of every enumeration has a word, and no two of a type share one.
func TestEveryConstantHasAName(t *testing.T) {
	words := map[string]func(uint64) string{
		"Kind":           func(v uint64) string { return msg.Kind(v).String() },
		"EventKind":      func(v uint64) string { return msg.EventKind(v).String() },
		"Side":           func(v uint64) string { return msg.Side(v).String() },
		"TIF":            func(v uint64) string { return msg.TIF(v).String() },
		"STP":            func(v uint64) string { return msg.STP(v).String() },
		"Flags":          func(v uint64) string { return msg.Flags(v).String() },
		"InstrumentType": func(v uint64) string { return msg.InstrumentType(v).String() },
		"Rule":           func(v uint64) string { return msg.Rule(v).String() },
		"Phase":          func(v uint64) string { return msg.Phase(v).String() },
		"Scope":          func(v uint64) string { return msg.Scope(v).String() },
		"Action":         func(v uint64) string { return msg.Action(v).String() },
		"Reject":         func(v uint64) string { return msg.Reject(v).String() },
		"Reason":         func(v uint64) string { return msg.Reason(v).String() },
		"MarkMode":       func(v uint64) string { return msg.MarkMode(v).String() },
		"Health":         func(v uint64) string { return msg.Health(v).String() },
		"Mode":           func(v uint64) string { return msg.Mode(v).String() },
		"Rung":           func(v uint64) string { return msg.Rung(v).String() },
		"Storage":        func(v uint64) string { return msg.Storage(v).String() },
		"Role":           func(v uint64) string { return msg.Role(v).String() },
		"SessionKind":    func(v uint64) string { return msg.SessionKind(v).String() },
		"CancelMode":     func(v uint64) string { return msg.CancelMode(v).String() },
		"Why":            func(v uint64) string { return msg.Why(v).String() },
	}
	taken, typesSeen := map[string]string{}, map[string]bool{}
	for _, c := range constants(t) {
		if c.typ == "AccountID" { // the fund's: a number like any other
			continue
		}
		typesSeen[c.typ] = true
		if words[c.typ] == nil {
			t.Errorf("type %s has no words", c.typ)
			continue
		}
		word := words[c.typ](c.value)
		if word == "" || unnamed.MatchString(word) {
			t.Errorf("%s prints %q", c.name, word)
		}
		if other := taken[c.typ+word]; other != "" {
			t.Errorf("%s and %s both print %q", other, c.name, word)
		}
		taken[c.typ+word] = c.name
		switch c.typ {
		case "Kind", "Reject":
			word = c.typ + word
			fallthrough
		case "EventKind":
			if c.name != word {
				t.Errorf("%s prints as %s", c.name, word)
			}
		}
	}
	for typ := range words {
		if !typesSeen[typ] {
			t.Errorf("type %s has no constants", typ)
		}
	}
}

// A value without a word is its type and number.
func TestUnknownValuesPrintTheirNumber(t *testing.T) {
	for _, c := range []struct{ got, want string }{
		{msg.Kind(0).String(), "kind-0"}, {msg.Kind(255).String(), "kind-255"}, {msg.EventKind(255).String(), "event-255"},
		{msg.Side(0).String(), "side-0"}, {msg.Side(3).String(), "side-3"}, {msg.TIF(4).String(), "tif-4"},
		{msg.STP(6).String(), "stp-6"}, {msg.InstrumentType(0).String(), "type-0"}, {msg.Rule(255).String(), "rule-255"},
		{msg.Phase(9).String(), "phase-9"}, {msg.Scope(9).String(), "scope-9"}, {msg.Action(9).String(), "action-9"},
		{msg.Reject(0).String(), "reject-0"}, {msg.Reject(255).String(), "reject-255"},
		{msg.Reason(0).String(), "reason-0"}, {msg.Reason(255).String(), "reason-255"},
		{msg.Flags(0).String(), ""}, {(msg.FlagSlide | msg.FlagLeaves | 1<<15).String(), "slide+leaves+flag-15"},
		{msg.OrderID(3<<32 | 17).String(), "3:17"},
	} {
		if c.got != c.want {
			t.Errorf("got %q, want %q", c.got, c.want)
		}
	}
}
