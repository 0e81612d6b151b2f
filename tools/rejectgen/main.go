// Rejectgen writes msg/reject_gen.go and docs/REJECTS.md from msg/rejects.toml. It is run by go generate, in msg.
//
//	msg/rejects.toml --read--> table --write--> msg/reject_gen.go   constants, table, look-ups
//	                                      \---> docs/REJECTS.md     the same for readers
//
// It refuses a table that breaks a rule: a code or name used twice, a reserved code, a code outside its class, words that
// are missing. So a table that could be written is a table that may be used.
package main

import (
	"bytes"
	_ "embed"
	"errors"
	"fmt"
	"go/format"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"text/template"

	"github.com/pelletier/go-toml/v2"
)

// Where the files lie, from the root of the module.
const (
	source   = "msg/rejects.toml"
	goFile   = "msg/reject_gen.go"
	bookFile = "docs/REJECTS.md"
)

// table is rejects.toml.
type table struct {
	Reject []reject
	Reason []reason
}

type reject struct {
	Code  int
	Name  string
	Check string // the step of the order of checks at which it is given
	Layer int
	Text  string
	Hint  string
}

type reason struct {
	Code int
	Name string
	Text string
}

// Upper is the name in UPPER_SNAKE.
func (r reject) Upper() string { return upper(r.Name) }

// Upper is the name in UPPER_SNAKE.
func (r reason) Upper() string { return upper(r.Name) }

var (
	hump     = regexp.MustCompile(`([a-z])([A-Z])`)
	goName   = regexp.MustCompile(`^[A-Z][A-Za-z]+$`)
	reserved = []int{305, 308, 314}

	//go:embed reject_gen.go.tmpl
	goText string
	//go:embed REJECTS.md.tmpl
	bookText string
)

func upper(name string) string { return strings.ToUpper(hump.ReplaceAllString(name, "${1}_${2}")) }

func main() {
	if err := run(".."); err != nil {
		fmt.Fprintln(os.Stderr, "rejectgen:", err)
		os.Exit(1)
	}
}

// run reads the table under root and writes both files.
func run(root string) error {
	text, err := os.ReadFile(filepath.Join(root, source))
	if err != nil {
		return err
	}
	files, err := generate(text)
	if err != nil {
		return err
	}
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(root, name), content, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// generate returns the content of each file, by its path from the root.
func generate(text []byte) (map[string][]byte, error) {
	t, err := read(text)
	if err != nil {
		return nil, err
	}
	code, err := fill("reject_gen.go.tmpl", goText, t)
	if err != nil {
		return nil, err
	}
	if code, err = format.Source(code); err != nil {
		return nil, fmt.Errorf("%s: %w", goFile, err)
	}
	book, err := fill("REJECTS.md.tmpl", bookText, t)
	if err != nil {
		return nil, err
	}
	return map[string][]byte{goFile: code, bookFile: book}, nil
}

func fill(name, text string, t *table) ([]byte, error) {
	tmpl, err := template.New(name).Parse(text)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	if err := tmpl.Execute(&out, t); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// read parses the table and refuses what breaks a rule.
func read(text []byte) (*table, error) {
	t := new(table)
	d := toml.NewDecoder(bytes.NewReader(text)).DisallowUnknownFields()
	if err := d.Decode(t); err != nil {
		return nil, located(err)
	}
	if err := t.check(); err != nil {
		return nil, fmt.Errorf("%s: %w", source, err)
	}
	return t, nil
}

// located puts the line of a fault of the text before it.
func located(err error) error {
	var fault *toml.DecodeError
	var unknown *toml.StrictMissingError
	switch {
	case errors.As(err, &fault):
	case errors.As(err, &unknown) && len(unknown.Errors) > 0:
		fault = &unknown.Errors[0]
	default:
		return fmt.Errorf("%s: %w", source, err)
	}
	line, column := fault.Position()
	return fmt.Errorf("%s:%d:%d: key %q: %w", source, line, column, strings.Join(fault.Key(), "."), fault)
}

// check refuses what a consumer of the table could not live with.
func (t *table) check() error {
	if len(t.Reject) == 0 || len(t.Reject) > 255 || len(t.Reason) == 0 || len(t.Reason) > 255 {
		return fmt.Errorf("%d rejects and %d reasons: want 1 to 255 of each", len(t.Reject), len(t.Reason))
	}
	codes, names, checks := map[int]bool{}, map[string]bool{}, map[string]bool{}
	last := ""
	for _, r := range t.Reject {
		if err := r.check(); err != nil {
			return fmt.Errorf("reject %d %s: %w", r.Code, r.Name, err)
		}
		if codes[r.Code] || names[r.Name] {
			return fmt.Errorf("reject %d %s: code or name is used twice", r.Code, r.Name)
		}
		if r.Check != last && checks[r.Check] {
			return fmt.Errorf("reject %d %s: check %q stands in two places", r.Code, r.Name, r.Check)
		}
		codes[r.Code], names[r.Name], checks[r.Check], last = true, true, true, r.Check
	}
	names = map[string]bool{}
	for i, r := range t.Reason {
		if r.Code != i+1 {
			return fmt.Errorf("reason %d %s: want code %d, the reasons are numbered from 1 without a gap", r.Code, r.Name, i+1)
		}
		if !goName.MatchString(r.Name) || names[r.Name] {
			return fmt.Errorf("reason %d %s: want a name of its own, in CamelCase", r.Code, r.Name)
		}
		if err := sentence("text", r.Text); err != nil {
			return fmt.Errorf("reason %d %s: %w", r.Code, r.Name, err)
		}
		names[r.Name] = true
	}
	return nil
}

func (r *reject) check() error {
	if r.Code < 100 || r.Code > 500 {
		return fmt.Errorf("want a code from 100 to 500")
	}
	if slices.Contains(reserved, r.Code) {
		return fmt.Errorf("the code is reserved")
	}
	if !goName.MatchString(r.Name) {
		return fmt.Errorf("want a name in CamelCase")
	}
	if r.Layer < 1 || r.Layer > 5 {
		return fmt.Errorf("layer is %d: want 1 to 5", r.Layer)
	}
	if r.Check == "" {
		return fmt.Errorf("check is missing")
	}
	if err := sentence("text", r.Text); err != nil {
		return err
	}
	return sentence("hint", r.Hint)
}

// sentence refuses what is not one sentence on one line.
func sentence(key, s string) error {
	if s == "" || !strings.HasSuffix(s, ".") || strings.ContainsAny(s, "|\n\"`") || strings.Contains(s, ". ") {
		return fmt.Errorf("%s is %q: want one sentence that ends in a full stop", key, s)
	}
	return nil
}
