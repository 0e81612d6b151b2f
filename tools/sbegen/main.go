// Sbegen writes the codecs of wire/gen and the tables of docs/WIRE.md from the schemas of wire/schema. It is run by go
// generate, in wire.
//
//	wire/schema/*.xml --read--> Schema --write--> wire/gen/*.go              a type for each message
//	                                        |---> wire/gen/messages_test.go  the list of them, for tests
//	                                        |---> tools/wireshark            a dissector
//	                                        '---> docs/WIRE.md               the blocks between its markers
//
// A construct that it does not know is refused with file and line, so that no message is ever laid out by guess.
package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/lockstep-exchange/lockstep/wire/schema"
)

// Where the files lie, from the root of the module.
const (
	codecs   = "wire/gen"
	analyzer = "tools/wireshark/lockstep.lua"
	book     = "docs/WIRE.md"
)

func main() {
	if err := run(".."); err != nil {
		fmt.Fprintln(os.Stderr, "sbegen:", err)
		os.Exit(1)
	}
}

// run writes every file under root.
func run(root string) error {
	page, err := os.ReadFile(filepath.Join(root, book))
	if err != nil {
		return err
	}
	files, err := generate(schema.All(), page)
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
func generate(schemas []*schema.Schema, page []byte) (map[string][]byte, error) {
	files := map[string][]byte{}
	told := map[string]string{} // enums and sets that an earlier schema has: name to text
	for _, s := range schemas {
		code, err := codec(s, told)
		if err != nil {
			return nil, err
		}
		files[codecs+"/"+strings.TrimSuffix(s.File, ".xml")+".go"] = code
	}
	var err error
	if files[codecs+"/shape.go"], err = shapes(schemas); err != nil {
		return nil, err
	}
	if files[codecs+"/messages_test.go"], err = registry(schemas); err != nil {
		return nil, err
	}
	files[analyzer] = lua(schemas)
	files[book], err = tables(schemas, page)
	return files, err
}

// tables fills the blocks of the page: for each schema a pair of markers with its file name.
func tables(schemas []*schema.Schema, page []byte) ([]byte, error) {
	for _, s := range schemas {
		begin := []byte("<!-- " + s.File + ": written by go generate ./wire -->\n")
		end := []byte("<!-- end of " + s.File + " -->\n")
		head, rest, found := bytes.Cut(page, begin)
		if !found {
			return nil, fmt.Errorf("%s: there is no line %q", book, bytes.TrimSpace(begin))
		}
		_, tail, found := bytes.Cut(rest, end)
		if !found {
			return nil, fmt.Errorf("%s: there is no line %q", book, bytes.TrimSpace(end))
		}
		page = bytes.Join([][]byte{head, begin, messageTables(s), end, tail}, nil)
	}
	return page, nil
}
