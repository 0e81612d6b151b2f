package stress

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

// Strict TOML. The library says whether a text is TOML at all, and what stands in it; what it means is read here, key by key, so that
// every fault has its line and column and all of them are told, not the first.
//
// Words: a table is [name], [[name]], {…} or the file itself; an entry is a key of it. A key that nobody has asked for when its table
// is closed is a fault. All values are strings: a number that TOML would make binary is refused, 0.1 being none.

// value is what stands behind a key: one of text, list and table, by kind.
type value struct {
	kind   unstable.Kind
	offset int // in the file
	text   string
	list   []*value // of an array, or of [[name]]
	table  *table
}

// table is a table under way.
type table struct {
	file    *file
	called  string // as the file writes it, for faults
	offset  int
	entries []entry
	known   []string // keys that were asked for
}

type entry struct {
	key    string
	offset int
	value  *value
	taken  bool
}

// file is a text with its faults.
type file struct {
	name   string
	lines  []int // offsets at which they begin
	faults scenario.Faults
}

// fault notes what is wrong at an offset.
func (f *file) fault(offset int, format string, args ...any) {
	line := sort.SearchInts(f.lines, offset+1)
	f.faults = append(f.faults, scenario.Fault{File: f.name, Line: line, Column: offset - f.lines[line-1] + 1, Text: fmt.Sprintf(format, args...)})
}

// err is all faults, in the order of the file; nil without any.
func (f *file) err() error {
	if len(f.faults) == 0 {
		return nil
	}
	slices.SortStableFunc(f.faults, func(a, b scenario.Fault) int {
		if a.Line != b.Line {
			return a.Line - b.Line
		}
		return a.Column - b.Column
	})
	return f.faults
}

// unreadable is the fault of a path that cannot be read.
func unreadable(path, expected string, err error) error {
	if inner := new(os.PathError); errors.As(err, &inner) {
		err = inner.Err
	}
	return scenario.Faults{{File: path, Text: err.Error() + ", expected " + expected}}
}

// parse reads a text; the error is a scenario.Faults.
func parse(name string, text []byte) (*table, error) {
	f := &file{name: name, lines: []int{0}}
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
	root := &table{file: f}
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
func (t *table) take(e *unstable.Node) {
	parts, offset := keys(e)
	for _, part := range parts[:len(parts)-1] {
		t = t.inner(part, offset)
	}
	t.entries = append(t.entries, entry{key: parts[len(parts)-1], offset: offset, value: t.read(e.Value(), parts[len(parts)-1], offset)})
}

// read is a value; one without a place of its own has that of its key.
func (t *table) read(n *unstable.Node, key string, offset int) *value {
	if n.Raw.Length > 0 {
		offset = int(n.Raw.Offset)
	}
	v := &value{kind: n.Kind, offset: offset, text: string(n.Data)}
	switch n.Kind {
	case unstable.Array:
		for it := n.Children(); it.Next(); {
			v.list = append(v.list, t.read(it.Node(), key, offset))
		}
	case unstable.InlineTable:
		v.table = &table{file: t.file, called: key, offset: offset}
		for it := n.Children(); it.Next(); {
			v.table.take(it.Node())
		}
	}
	return v
}

// inner is a table within a table; of [[name]] the last one.
func (t *table) inner(key string, offset int) *table {
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
	in := &table{file: t.file, called: key, offset: offset}
	t.entries = append(t.entries, entry{key: key, offset: offset, value: &value{kind: unstable.Table, offset: offset, table: in}})
	return in
}

// open is the table of a header.
func (t *table) open(e *unstable.Node) *table {
	parts, offset := keys(e)
	for _, part := range parts[:len(parts)-1] {
		t = t.inner(part, offset)
	}
	last := parts[len(parts)-1]
	if e.Kind == unstable.Table {
		return t.inner(last, offset)
	}
	in := &table{file: t.file, called: last, offset: offset}
	item := &value{kind: unstable.Table, offset: offset, table: in}
	for i := range t.entries {
		if t.entries[i].key == last {
			t.entries[i].value.list = append(t.entries[i].value.list, item)
			return in
		}
	}
	t.entries = append(t.entries, entry{key: last, offset: offset, value: &value{kind: unstable.ArrayTable, offset: offset, list: []*value{item}}})
	return in
}

// find is the value of a key, nil without one. Nothing else asks for a key.
func (t *table) find(key string) *value {
	t.known = append(t.known, key)
	for i := range t.entries {
		if e := &t.entries[i]; e.key == key {
			e.taken = true
			return e.value
		}
	}
	return nil
}

// close notes the keys that nobody asked for.
func (t *table) close() {
	for i := range t.entries {
		if e := &t.entries[i]; !e.taken {
			t.file.fault(e.offset, "%s%s is no key here%s", t.prefix(), e.key, scenario.Meant(e.key, t.known))
		}
	}
}

// prefix is how a fault names the table.
func (t *table) prefix() string {
	if t.called == "" {
		return ""
	}
	return "[" + t.called + "] "
}

// fault notes what is wrong with a value of a key.
func (t *table) fault(key string, v *value, format string, args ...any) {
	t.file.fault(v.offset, "%s%s %s", t.prefix(), key, fmt.Sprintf(format, args...))
}

// missing notes a key that is not there.
func (t *table) missing(key, what string) {
	t.file.fault(t.offset, "%shas no %s, expected %s", t.prefix(), key, what)
}

// text is the string behind a key; v is nil where there is none, or no string.
func (t *table) text(key, what string, required bool) (text string, v *value) {
	v = t.find(key)
	switch {
	case v == nil && required:
		t.missing(key, key+" = "+what)
	case v != nil && v.kind != unstable.String:
		t.fault(key, v, "is %s, expected a string, as in %s", v.describe(), what)
		return "", nil
	case v != nil:
		return v.text, v
	}
	return "", nil
}

// describe names what is no string.
func (v *value) describe() string {
	switch v.kind {
	case unstable.Array:
		return "an array"
	case unstable.InlineTable, unstable.Table, unstable.ArrayTable:
		return "a table"
	}
	return v.text + " without quotes"
}

// read reads the string behind a key by a function; what is an example of it. there is false where nothing could be read.
func read[T any](t *table, key, what string, required bool, by func(string) (T, error)) (got T, there bool) {
	text, v := t.text(key, what, required)
	if v == nil {
		return got, false
	}
	got, err := by(text)
	if err != nil {
		t.fault(key, v, "%v", err)
		var none T
		return none, false
	}
	return got, true
}

func (t *table) rate(key string, required bool) (fixed.Rate, bool) {
	return read(t, key, `"5%"`, required, scenario.ParseRate)
}

// share is a rate from 0 to 100 %.
func (t *table) share(key string) (fixed.Rate, bool) {
	return read(t, key, `"50%"`, false, func(text string) (fixed.Rate, error) {
		r, err := scenario.ParseRate(text)
		if err == nil && (r < 0 || r > fixed.One) {
			err = fmt.Errorf("is %q, expected 0%% to 100%%", text)
		}
		return r, err
	})
}

// amount is money from 0 on.
func (t *table) amount(key string, required bool) (fixed.Money, bool) {
	return read(t, key, `"1000"`, required, parseAmount)
}

func parseAmount(text string) (fixed.Money, error) {
	m, err := scenario.ParseMoney(text)
	if err == nil && m < 0 {
		err = fmt.Errorf("is %q, expected an amount from 0 on", text)
	}
	return m, err
}

func (t *table) span(key string, required bool) (fixed.Nanos, bool) {
	return read(t, key, `"1m"`, required, scenario.ParseSpan)
}

func (t *table) step(key string, required bool) (*big.Rat, bool) {
	return read(t, key, `"0.1"`, required, scenario.ParseStep)
}

// whole is an integer of TOML within bounds.
func (t *table) whole(key string, required bool, low, high, otherwise int64) int64 {
	v := t.find(key)
	if v == nil {
		if required {
			t.missing(key, key+" = a whole number")
		}
		return otherwise
	}
	n, ok := new(big.Int).SetString(strings.ReplaceAll(v.text, "_", ""), 10)
	if v.kind != unstable.Integer || !ok || !n.IsInt64() || n.Int64() < low || n.Int64() > high {
		t.fault(key, v, "is %s, expected a whole number from %d to %d without quotes", v.shown(), low, high)
		return otherwise
	}
	return n.Int64()
}

func (v *value) shown() string {
	if v.kind == unstable.String {
		return fmt.Sprintf("%q", v.text)
	}
	if v.text == "" {
		return v.describe()
	}
	return v.text
}

// choice is one of some words; the first where there is none.
func (t *table) choice(key string, words ...string) string {
	text, v := t.text(key, `"`+words[0]+`"`, false)
	switch {
	case v == nil:
		return words[0]
	case !slices.Contains(words, text):
		t.fault(key, v, "is %q, expected %s%s", text, strings.Join(words, " or "), scenario.Meant(text, words))
		return words[0]
	}
	return text
}

// texts is an array of strings, each with its place.
func (t *table) texts(key string) (list []*value) {
	v := t.find(key)
	if v == nil {
		return nil
	}
	if v.kind != unstable.Array {
		t.fault(key, v, "is %s, expected an array of strings", v.shown())
		return nil
	}
	for _, item := range v.list {
		if item.kind != unstable.String {
			t.fault(key, item, "holds %s, expected a string", item.shown())
			continue
		}
		list = append(list, item)
	}
	return list
}

// one is the table behind a key, nil without one.
func (t *table) one(key string) *table {
	v := t.find(key)
	if v == nil {
		return nil
	}
	if v.table == nil {
		t.fault(key, v, "is %s, expected a table, as in [%s]", v.shown(), key)
	}
	return v.table
}

// many are the tables behind a key: [[key]], or an array of {…}.
func (t *table) many(key string) (tables []*table) {
	v := t.find(key)
	if v == nil {
		return nil
	}
	if v.kind != unstable.ArrayTable && v.kind != unstable.Array {
		t.fault(key, v, "is %s, expected tables, as in [[%s]]", v.shown(), key)
		return nil
	}
	for _, item := range v.list {
		if item.table == nil {
			t.fault(key, item, "holds %s, expected a table", item.shown())
			continue
		}
		tables = append(tables, item.table)
	}
	return tables
}
