package export

import (
	"bufio"
	"encoding/csv"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/parquet-go/parquet-go"
)

// table is the files of one kind of row. A nil table takes rows and keeps none.
type table[T any] struct {
	rows    int64
	columns []column

	text     *os.File
	buffered *bufio.Writer
	lines    *csv.Writer
	cells    []string

	packed  *os.File
	parquet *parquet.GenericWriter[T]
	page    []T
}

// column is one of them.
type column struct {
	name     string
	places   int // of a decimal; 0: it is none
	optional bool
}

const (
	pageMax     = 1024    // rows that are handed to the writer at once
	rowGroupMax = 1 << 17 // rows of a row group: fixed, so that equal rows give equal files
)

// columnsOf reads the tags of a row.
func columnsOf[T any]() (list []column) {
	t := reflect.TypeFor[T]()
	for i := range t.NumField() {
		name, rest, _ := strings.Cut(t.Field(i).Tag.Get("parquet"), ",")
		c := column{name: name, optional: strings.Contains(rest, "optional")}
		if _, decimal, found := strings.Cut(rest, "decimal("); found {
			places, _, _ := strings.Cut(decimal, ":")
			c.places, _ = strconv.Atoi(places)
		}
		list = append(list, c)
	}
	return list
}

// create makes the files of a table, if it is wanted.
func create[T any](to **table[T], o *Options, name string) (err error) {
	if !slices.Contains(o.Tables, name) {
		return nil
	}
	t := &table[T]{columns: columnsOf[T]()}
	*to = t
	if slices.Contains(o.Formats, "csv") {
		if t.text, err = os.Create(filepath.Join(o.Dir, name+".csv")); err != nil {
			return err
		}
		t.buffered = bufio.NewWriter(t.text)
		t.lines = csv.NewWriter(t.buffered)
		for _, c := range t.columns {
			t.cells = append(t.cells, c.name)
		}
		if err := t.lines.Write(t.cells); err != nil {
			return err
		}
	}
	if slices.Contains(o.Formats, "parquet") {
		if t.packed, err = os.Create(filepath.Join(o.Dir, name+".parquet")); err != nil {
			return err
		}
		t.parquet = parquet.NewGenericWriter[T](t.packed, parquet.Compression(&parquet.Snappy), parquet.MaxRowsPerRowGroup(rowGroupMax),
			parquet.CreatedBy("lockstep", strconv.Itoa(Version), "export"))
	}
	return nil
}

// count is how many rows were written.
func (t *table[T]) count() int64 {
	if t == nil {
		return 0
	}
	return t.rows
}

// write adds a row.
func (t *table[T]) write(row *T) error {
	if t == nil {
		return nil
	}
	t.rows++
	if t.lines != nil {
		if err := t.lines.Write(t.line(row)); err != nil {
			return err
		}
	}
	if t.parquet == nil {
		return nil
	}
	if t.page = append(t.page, *row); len(t.page) < pageMax {
		return nil
	}
	return t.flush()
}

func (t *table[T]) flush() error {
	_, err := t.parquet.Write(t.page)
	t.page = t.page[:0]
	return err
}

// line is a row as text.
func (t *table[T]) line(row *T) []string {
	v := reflect.ValueOf(row).Elem()
	for i := range t.cells {
		t.cells[i] = text(v.Field(i), t.columns[i].places)
	}
	return t.cells
}

func text(v reflect.Value, places int) string {
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() {
			return ""
		}
		return text(v.Elem(), places)
	case reflect.String:
		return v.String()
	case reflect.Int64:
		return point(v.Int(), places)
	}
	return strconv.FormatUint(v.Uint(), 10)
}

// point writes an integer with so many places behind the point.
func point(v int64, places int) string {
	digits := strconv.FormatInt(max(v, -v), 10)
	if places > 0 {
		digits = strings.Repeat("0", max(0, places+1-len(digits))) + digits
		digits = digits[:len(digits)-places] + "." + digits[len(digits)-places:]
	}
	if v < 0 {
		return "-" + digits
	}
	return digits
}

// close writes what is left.
func (t *table[T]) close() (err error) {
	if t == nil {
		return nil
	}
	if t.parquet != nil {
		err = errors.Join(t.flush(), t.parquet.Close(), t.packed.Close())
		t.parquet = nil
	}
	if t.lines != nil {
		t.lines.Flush()
		err = errors.Join(err, t.lines.Error(), t.buffered.Flush(), t.text.Close())
		t.lines = nil
	}
	return err
}
