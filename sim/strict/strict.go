// Package strict reads TOML of which every fault has its line and column, and all of them are told, not the first. The library says whether
// a text is TOML at all, and what stands in it; what it means is asked for here, key by key.
//
// Words: a table is [name], [[name]], {…} or the file itself; an entry is a key of it. A key that nobody has asked for when its table
// is closed is a fault. Values are strings: a number that TOML would make binary is refused, 0.1 being none.
package strict

import (
	"errors"
	"fmt"
	"math/big"
	"os"
	"slices"
	"sort"
	"strings"

	"github.com/pelletier/go-toml/v2"
	"github.com/pelletier/go-toml/v2/unstable"

	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/sim/scenario"
)

// Value is what stands behind a key: one of text, list and table, by kind.
type Value struct {
	kind   unstable.Kind
	Offset int // in the file
	Text   string
	list   []*Value // of an array, or of [[name]]
	table  *Table
}

// Table is a table under way.
type Table struct {
	File    *File
	called  string // as the file writes it, for faults
	Offset  int
	entries []entry
	known   []string // keys that were asked for
}

type entry struct {
	key    string
	offset int
	value  *Value
	taken  bool
}

// File is a text with its faults.
type File struct {
	Name   string
	lines  []int // offsets at which they begin
	faults scenario.Faults
}

// Fault notes what is wrong at an offset.
func (f *File) Fault(offset int, format string, args ...any) {
	line := sort.SearchInts(f.lines, offset+1)
	f.faults = append(f.faults, scenario.Fault{File: f.Name, Line: line, Column: offset - f.lines[line-1] + 1, Text: fmt.Sprintf(format, args...)})
}

// Err is all faults, in the order of the file; nil without any.
func (f *File) Err() error {
	if len(f.faults) == 0 {
		return nil
	}
	slices.SortStableFunc(f.faults, func(a, b scenario.Fault) int {
		if a.File != b.File {
			return strings.Compare(a.File, b.File)
		}
		if a.Line != b.Line {
			return a.Line - b.Line
		}
		return a.Column - b.Column
	})
	return f.faults
}

// Unreadable is the fault of a path that cannot be read.
func Unreadable(path, expected string, err error) error {
	if inner := new(os.PathError); errors.As(err, &inner) {
		err = inner.Err
	}
	return scenario.Faults{{File: path, Text: err.Error() + ", expected " + expected}}
}

// Sound reports whether nothing is wrong so far.
func (f *File) Sound() bool { return len(f.faults) == 0 }

// Alongside notes what is wrong with another file that this one names.
func (f *File) Alongside(err error) {
	if others := (scenario.Faults)(nil); errors.As(err, &others) {
		f.faults = append(f.faults, others...)
		return
	}
	f.faults = append(f.faults, scenario.Fault{File: f.Name, Text: err.Error()})
}

// Alone is a fault at an offset by itself, whatever else was noted.
func (f *File) Alone(offset int, format string, args ...any) error {
	one := File{Name: f.Name, lines: f.lines}
	one.Fault(offset, format, args...)
	return one.Err()
}

// Parse reads a text; the error is a scenario.Faults.
func Parse(name string, text []byte) (*Table, error) {
	f := &File{Name: name, lines: []int{0}}
	for i, b := range text {
		if b == '\n' {
			f.lines = append(f.lines, i+1)
		}
	}
	var whole map[string]any // what the library finds wrong: syntax, keys and tables that stand twice
	if err := toml.Unmarshal(text, &whole); err != nil {
		fault := scenario.Fault{File: name, Line: 1, Column: 1, Text: err.Error()}
		if at := new(toml.DecodeError); errors.As(err, &at) {
			fault.Line, fault.Column = at.Position()
			fault.Text = strings.TrimPrefix(at.Error(), "toml: ") + ", expected TOML"
		}
		return nil, scenario.Faults{fault}
	}
	root := &Table{File: f}
	p := unstable.Parser{}
	p.Reset(text)
	at := root
	for p.NextExpression() {
		switch e := p.Expression(); e.Kind {
		case unstable.KeyValue:
			at.take(e)
		case unstable.Table, unstable.ArrayTable:
			at = root.open(e)
		}
	}
	if err := p.Error(); err != nil {
		return nil, scenario.Faults{{File: name, Line: 1, Column: 1, Text: err.Error()}}
	}
	return root, nil
}

// keys are the parts of a key, with the offset of the first.
func keys(e *unstable.Node) (parts []string, offset int) {
	for it := e.Key(); it.Next(); {
		if parts == nil {
			offset = int(it.Node().Raw.Offset)
		}
		parts = append(parts, string(it.Node().Data))
	}
	return parts, offset
}

// take adds a key and its value.
func (t *Table) take(e *unstable.Node) {
	parts, offset := keys(e)
	for _, part := range parts[:len(parts)-1] {
		t = t.inner(part, offset)
	}
	t.entries = append(t.entries, entry{key: parts[len(parts)-1], offset: offset, value: t.read(e.Value(), parts[len(parts)-1], offset)})
}

// read is a value; one without a place of its own has that of its key.
func (t *Table) read(n *unstable.Node, key string, offset int) *Value {
	if n.Raw.Length > 0 {
		offset = int(n.Raw.Offset)
	}
	v := &Value{kind: n.Kind, Offset: offset, Text: string(n.Data)}
	switch n.Kind {
	case unstable.Array:
		for it := n.Children(); it.Next(); {
			v.list = append(v.list, t.read(it.Node(), key, offset))
		}
	case unstable.InlineTable:
		v.table = &Table{File: t.File, called: key, Offset: offset}
		for it := n.Children(); it.Next(); {
			v.table.take(it.Node())
		}
	}
	return v
}

// inner is a table within a table; of [[name]] the last one.
func (t *Table) inner(key string, offset int) *Table {
	for i := range t.entries {
		e := &t.entries[i]
		if e.key != key {
			continue
		}
		if e.value.kind == unstable.ArrayTable {
			return e.value.list[len(e.value.list)-1].table
		}
		if e.value.table != nil {
			return e.value.table
		}
	}
	in := &Table{File: t.File, called: key, Offset: offset}
	t.entries = append(t.entries, entry{key: key, offset: offset, value: &Value{kind: unstable.Table, Offset: offset, table: in}})
	return in
}

// open is the table of a header.
func (t *Table) open(e *unstable.Node) *Table {
	parts, offset := keys(e)
	for _, part := range parts[:len(parts)-1] {
		t = t.inner(part, offset)
	}
	last := parts[len(parts)-1]
	if e.Kind == unstable.Table {
		return t.inner(last, offset)
	}
	in := &Table{File: t.File, called: last, Offset: offset}
	item := &Value{kind: unstable.Table, Offset: offset, table: in}
	for i := range t.entries {
		if t.entries[i].key == last {
			t.entries[i].value.list = append(t.entries[i].value.list, item)
			return in
		}
	}
	t.entries = append(t.entries, entry{key: last, offset: offset, value: &Value{kind: unstable.ArrayTable, Offset: offset, list: []*Value{item}}})
	return in
}

// Find is the value of a key, nil without one. Nothing else asks for a key.
func (t *Table) Find(key string) *Value {
	t.known = append(t.known, key)
	for i := range t.entries {
		if e := &t.entries[i]; e.key == key {
			e.taken = true
			return e.value
		}
	}
	return nil
}

// Close notes the keys that nobody asked for.
func (t *Table) Close() {
	for i := range t.entries {
		if e := &t.entries[i]; !e.taken {
			t.File.Fault(e.offset, "%s%s is no key here%s", t.Prefix(), e.key, scenario.Meant(e.key, t.known))
		}
	}
}

// Prefix is how a fault names the table.
func (t *Table) Prefix() string {
	if t.called == "" {
		return ""
	}
	return "[" + t.called + "] "
}

// Fault notes what is wrong with a value of a key.
func (t *Table) Fault(key string, v *Value, format string, args ...any) {
	t.File.Fault(v.Offset, "%s%s %s", t.Prefix(), key, fmt.Sprintf(format, args...))
}

// Missing notes a key that is not there.
func (t *Table) Missing(key, what string) {
	t.File.Fault(t.Offset, "%shas no %s, expected %s", t.Prefix(), key, what)
}

// Text is the string behind a key; v is nil where there is none, or no string.
func (t *Table) Text(key, what string, required bool) (text string, v *Value) {
	v = t.Find(key)
	switch {
	case v == nil && required:
		t.Missing(key, key+" = "+what)
	case v != nil && v.kind != unstable.String:
		t.Fault(key, v, "is %s, expected a string, as in %s", v.Describe(), what)
		return "", nil
	case v != nil:
		return v.Text, v
	}
	return "", nil
}

// Describe names what is no string.
func (v *Value) Describe() string {
	switch v.kind {
	case unstable.Array:
		return "an array"
	case unstable.InlineTable, unstable.Table, unstable.ArrayTable:
		return "a table"
	}
	return v.Text + " without quotes"
}

// Read reads the string behind a key by a function; what is an example of it. there is false where nothing could be read.
func Read[T any](t *Table, key, what string, required bool, by func(string) (T, error)) (got T, there bool) {
	text, v := t.Text(key, what, required)
	if v == nil {
		return got, false
	}
	got, err := by(text)
	if err != nil {
		t.Fault(key, v, "%v", err)
		var none T
		return none, false
	}
	return got, true
}

// Rate is a rate, as in 5%.
func (t *Table) Rate(key string, required bool) (fixed.Rate, bool) {
	return Read(t, key, `"5%"`, required, scenario.ParseRate)
}

// Share is a rate from 0 to 100 %.
func (t *Table) Share(key string) (fixed.Rate, bool) {
	return Read(t, key, `"50%"`, false, func(text string) (fixed.Rate, error) {
		r, err := scenario.ParseRate(text)
		if err == nil && (r < 0 || r > fixed.One) {
			err = fmt.Errorf("is %q, expected 0%% to 100%%", text)
		}
		return r, err
	})
}

// Amount is money from 0 on.
func (t *Table) Amount(key string, required bool) (fixed.Money, bool) {
	return Read(t, key, `"1000"`, required, parseAmount)
}

func parseAmount(text string) (fixed.Money, error) {
	m, err := scenario.ParseMoney(text)
	if err == nil && m < 0 {
		err = fmt.Errorf("is %q, expected an amount from 0 on", text)
	}
	return m, err
}

// Span is a length of time, as in 1m.
func (t *Table) Span(key string, required bool) (fixed.Nanos, bool) {
	return Read(t, key, `"1m"`, required, scenario.ParseSpan)
}

// Step is a decimal number above 0.
func (t *Table) Step(key string, required bool) (*big.Rat, bool) {
	return Read(t, key, `"0.1"`, required, scenario.ParseStep)
}

// Whole is an integer of TOML within bounds.
func (t *Table) Whole(key string, required bool, low, high, otherwise int64) int64 {
	v := t.Find(key)
	if v == nil {
		if required {
			t.Missing(key, key+" = a whole number")
		}
		return otherwise
	}
	n, ok := new(big.Int).SetString(strings.ReplaceAll(v.Text, "_", ""), 10)
	if v.kind != unstable.Integer || !ok || !n.IsInt64() || n.Int64() < low || n.Int64() > high {
		t.Fault(key, v, "is %s, expected a whole number from %d to %d without quotes", v.Shown(), low, high)
		return otherwise
	}
	return n.Int64()
}

func (v *Value) Shown() string {
	if v.kind == unstable.String {
		return fmt.Sprintf("%q", v.Text)
	}
	if v.Text == "" {
		return v.Describe()
	}
	return v.Text
}

// Choice is one of some words; the first where there is none.
func (t *Table) Choice(key string, words ...string) string {
	text, v := t.Text(key, `"`+words[0]+`"`, false)
	switch {
	case v == nil:
		return words[0]
	case !slices.Contains(words, text):
		t.Fault(key, v, "is %q, expected %s%s", text, strings.Join(words, " or "), scenario.Meant(text, words))
		return words[0]
	}
	return text
}

// Texts is an array of strings, each with its place.
func (t *Table) Texts(key string) (list []*Value) {
	v := t.Find(key)
	if v == nil {
		return nil
	}
	if v.kind != unstable.Array {
		t.Fault(key, v, "is %s, expected an array of strings", v.Shown())
		return nil
	}
	for _, item := range v.list {
		if item.kind != unstable.String {
			t.Fault(key, item, "holds %s, expected a string", item.Shown())
			continue
		}
		list = append(list, item)
	}
	return list
}

// One is the table behind a key, nil without one.
func (t *Table) One(key string) *Table {
	v := t.Find(key)
	if v == nil {
		return nil
	}
	if v.table == nil {
		t.Fault(key, v, "is %s, expected a table, as in [%s]", v.Shown(), key)
	}
	return v.table
}

// Many are the tables behind a key: [[key]], or an array of {…}.
func (t *Table) Many(key string) (tables []*Table) {
	v := t.Find(key)
	if v == nil {
		return nil
	}
	if v.kind != unstable.ArrayTable && v.kind != unstable.Array {
		t.Fault(key, v, "is %s, expected tables, as in [[%s]]", v.Shown(), key)
		return nil
	}
	for _, item := range v.list {
		if item.table == nil {
			t.Fault(key, item, "holds %s, expected a table", item.Shown())
			continue
		}
		tables = append(tables, item.table)
	}
	return tables
}
