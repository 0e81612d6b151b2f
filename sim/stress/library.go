package stress

import (
	"embed"
	"path"
	"strings"
)

// The books and shocks that are built in. They are files like any other: what a user writes may begin as a copy of one.

//go:embed library
var library embed.FS

const ending = ".toml"

// builtin is the text of a built-in file: a book or a scenario, by name.
func builtin(kind, name string) (text []byte, ok bool) {
	if strings.ContainsAny(name, `/\.`) {
		return nil, false
	}
	text, err := library.ReadFile(path.Join("library", kind, name+ending))
	return text, err == nil
}

// names are those of the built-in files of a kind, in order.
func names(kind string) (all []string) {
	entries, err := library.ReadDir(path.Join("library", kind))
	if err != nil {
		panic("stress: the library is not part of the binary")
	}
	for _, e := range entries {
		all = append(all, strings.TrimSuffix(e.Name(), ending))
	}
	return all
}

// Entry is what the library has.
type Entry struct {
	Kind  string `json:"kind"` // book or scenario
	Name  string `json:"name"`
	Title string `json:"title"`
	Needs string `json:"needs"` // the recording that it reads; empty: none
	Text  string `json:"text"`  // the file
}

// Library is all that is built in. The error is one of its texts, and a defect.
func Library() (all []Entry, err error) {
	for _, name := range names("books") {
		b, err := LoadBook(name)
		if err != nil {
			return nil, err
		}
		text, _ := builtin("books", name)
		all = append(all, Entry{Kind: "book", Name: name, Title: b.Title, Text: string(text)})
	}
	for _, name := range names("scenarios") {
		s, err := LoadShock(name)
		if err != nil {
			return nil, err
		}
		text, _ := builtin("scenarios", name)
		e := Entry{Kind: "scenario", Name: name, Title: s.Title, Text: string(text)}
		for _, p := range s.paths {
			if p.needs != "" {
				e.Needs = p.needs
			}
		}
		all = append(all, e)
	}
	return all, nil
}
