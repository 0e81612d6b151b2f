package lockstep_test

// The judge of the floors. docs/ARCHITECTURE.md holds two blocks that people and this file both read:
//
//	floors    one line a floor, the lowest first; "=== fence ===" parts the core from all that touches the world;
//	          "x/*" names every folder below x that no line names in full
//	imports   what a package of the core may import beyond lower floors; "*" stands for all of them
//
// Words: a folder is a path below the root, with slashes; its floor is the number of its line; a fault is one breach,
// written as file:line, the rule, and what was expected instead.
//
// The judge walks the tree and parses every Go file itself. It asks no tool for a list, so that the result of an earlier
// run is never taken for this tree.

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"
)

const (
	module = "github.com/lockstep-exchange/lockstep"
	page   = "docs/ARCHITECTURE.md"
	fence  = "=== fence ==="
)

// testOnly are the modules that no program may carry: only _test.go files import them.
var testOnly = []string{"pgregory.net/rapid", "github.com/google/go-cmp", "github.com/rogpeppe/go-internal", "go.uber.org/goleak"}

// house is what the page says: who stands on which floor, and what the core may import.
type house struct {
	floors  map[string]int      // folder, or folder/*, to the number of its line
	fence   int                 // floors below this number are the core
	imports map[string][]string // core folder, or *, to import paths
}

// block returns the lines of the page's fenced block of that name.
func block(text, name string) ([]string, error) {
	_, rest, found := strings.Cut(text, "\n```"+name+"\n")
	if !found {
		return nil, fmt.Errorf("%s: no block ```%s", page, name)
	}
	body, _, found := strings.Cut(rest, "\n```\n")
	if !found {
		return nil, fmt.Errorf("%s: block ```%s has no end", page, name)
	}
	return strings.Split(body, "\n"), nil
}

// readHouse reads both blocks. A block that is torn, names a folder twice, or lets a folder above the fence import is an
// error, so that no line of it can be dead.
func readHouse(text string) (*house, error) {
	h := &house{floors: map[string]int{}, fence: -1, imports: map[string][]string{}}
	floors, err := block(text, "floors")
	if err != nil {
		return nil, err
	}
	for n, line := range floors {
		if line == fence {
			h.fence = n
			continue
		}
		for _, name := range strings.Fields(line) {
			if _, twice := h.floors[name]; twice {
				return nil, fmt.Errorf("%s: the floors name %s twice", page, name)
			}
			h.floors[name] = n
		}
	}
	if h.fence < 0 {
		return nil, fmt.Errorf("%s: the floors have no line %q", page, fence)
	}
	lines, err := block(text, "imports")
	if err != nil {
		return nil, err
	}
	for _, line := range lines {
		words := strings.Fields(line)
		if len(words) < 2 {
			return nil, fmt.Errorf("%s: imports: line %q, expected a folder and what it may import", page, line)
		}
		if n, named := h.floors[words[0]]; words[0] != "*" && (!named || n > h.fence) {
			return nil, fmt.Errorf("%s: imports: %s stands on no floor below the fence", page, words[0])
		}
		if h.imports[words[0]] != nil {
			return nil, fmt.Errorf("%s: imports: %s twice", page, words[0])
		}
		h.imports[words[0]] = words[1:]
	}
	return h, nil
}

// floor is the number of the folder's line.
func (h *house) floor(folder string) (n int, named bool) {
	if n, named = h.floors[folder]; named {
		return n, true
	}
	for up := path.Dir(folder); up != "."; up = path.Dir(up) {
		if n, named = h.floors[up+"/*"]; named {
			return n, true
		}
	}
	return 0, false
}

// core reports whether the folder lies below the fence.
func (h *house) core(folder string) bool {
	n, named := h.floor(folder)
	return named && n < h.fence
}

// mayImport reports whether the block of imports lets a folder of the core import a path.
func (h *house) mayImport(folder, imported string) bool {
	return slices.Contains(h.imports["*"], imported) || slices.Contains(h.imports[folder], imported)
}

// source is one file of the tree that matters here.
type source struct {
	folder, name string
	text         []byte
}

func (s source) path() string { return path.Join(s.folder, s.name) }
func (s source) test() bool   { return strings.HasSuffix(s.name, "_test.go") }

// sources reads the Go and assembly files of the tree. A folder with a go.mod of its own is another module.
func sources(tree fs.FS) (found []source, err error) {
	err = fs.WalkDir(tree, ".", func(p string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() {
			_, nested := fs.Stat(tree, path.Join(p, "go.mod"))
			if p != "." && (nested == nil || entry.Name() == ".git") {
				return fs.SkipDir
			}
			return nil
		}
		if ext := path.Ext(p); ext != ".go" && ext != ".s" {
			return nil
		}
		text, err := fs.ReadFile(tree, p)
		found = append(found, source{path.Dir(p), entry.Name(), text})
		return err
	})
	return found, err
}

// judge returns every breach of among the files, in their order.
func (h *house) judge(files []source) (faults []string) {
	for _, file := range files {
		_, named := h.floor(file.folder)
		switch {
		case file.folder == ".":
		case !named:
			faults = append(faults, fmt.Sprintf("%s:1: A-1: no line of the floors names the folder %s", file.path(), file.folder))
			continue
		case path.Ext(file.name) == ".s":
			if h.core(file.folder) && file.folder != "ring" {
				faults = append(faults, fmt.Sprintf("%s:1: A-2: assembly below the fence, expected in ring only", file.path()))
			}
			continue
		}
		faults = append(faults, h.judgeImports(file)...)
	}
	return faults
}

// judgeImports holds one Go file to the floors and, below the fence, to the positive list. Tests may import what they like
// of other modules, but of this one only lower floors, unless they stand in a package of their own (package x_test).
func (h *house) judgeImports(file source) (faults []string) {
	fset := token.NewFileSet()
	parsed, err := parser.ParseFile(fset, file.path(), file.text, parser.ImportsOnly)
	if err != nil {
		return []string{err.Error()}
	}
	if file.test() && strings.HasSuffix(parsed.Name.Name, "_test") {
		return nil
	}
	own, named := h.floor(file.folder)
	for _, spec := range parsed.Imports {
		imported, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			return append(faults, err.Error())
		}
		fault := func(rule, format string, args ...any) {
			faults = append(faults, fmt.Sprintf("%s:%d: %s: %s", file.path(), fset.Position(spec.Pos()).Line, rule, fmt.Sprintf(format, args...)))
		}
		if target, inside := strings.CutPrefix(imported, module+"/"); inside {
			if n, known := h.floor(target); !known {
				fault("A-1", "%s stands on no floor", target)
			} else if named && n >= own {
				fault("A-1", "%s imports %s, expected lower floors only", file.folder, target)
			}
			continue
		}
		if file.test() {
			continue
		}
		if h.core(file.folder) && !h.mayImport(file.folder, imported) {
			fault("A-2", "%s may not import %s: it is not on the list", file.folder, imported)
		}
		if slices.ContainsFunc(testOnly, func(m string) bool { return imported == m || strings.HasPrefix(imported, m+"/") }) {
			fault("A-2", "%s is for tests, expected in _test.go files only", imported)
		}
		if imported == "unsafe" && file.path() != systemCalls {
			faults = append(faults, judgeUnsafe(file, spec)...)
		}
	}
	return faults
}

// systemCalls is the one file that gives addresses of buffers to the kernel: calls that never wait, past the runtime's scheduler.
const systemCalls = "node/gateway/socket_linux.go"

// judgeUnsafe holds a file, on whichever floor, to the three names of unsafe that only measure.
func judgeUnsafe(file source, spec *ast.ImportSpec) (faults []string) {
	fset := token.NewFileSet()
	parsed, err := parser.ParseFile(fset, file.path(), file.text, parser.SkipObjectResolution)
	if err != nil {
		return []string{err.Error()}
	}
	local := "unsafe"
	if spec.Name != nil {
		local = spec.Name.Name
	}
	if local == "." {
		return []string{fmt.Sprintf("%s:1: A-2: unsafe imported without a name", file.path())}
	}
	ast.Inspect(parsed, func(n ast.Node) bool {
		if s, ok := n.(*ast.SelectorExpr); ok {
			if x, ok := s.X.(*ast.Ident); ok && x.Name == local && !slices.Contains([]string{"Sizeof", "Offsetof", "Alignof"}, s.Sel.Name) {
				faults = append(faults, fmt.Sprintf("%s:%d: A-2: unsafe.%s, expected Sizeof, Offsetof or Alignof only",
					file.path(), fset.Position(s.Pos()).Line, s.Sel.Name))
			}
		}
		return true
	})
	return faults
}

// theHouse reads the page and the files of this tree.
func theHouse(t *testing.T) (*house, []source) {
	t.Helper()
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	h, err := readHouse(string(text))
	if err != nil {
		t.Fatal(err)
	}
	files, err := sources(os.DirFS("."))
	if err != nil {
		t.Fatal(err)
	}
	return h, files
}

//
func TestFloorsAndImports(t *testing.T) {
	h, files := theHouse(t)
	for _, fault := range h.judge(files) {
		t.Error(fault)
	}
}

// planted is a page and a tree of which each test below spoils one thing.
func planted() (text string, tree fstest.MapFS) {
	text = "# House\n```floors\nfixed ring\nmsg\nbook\n=== fence ===\nnode node/journal\nbench\ntools/*\n```\n" +
		"```imports\n*     errors math/bits\nring  sync/atomic unsafe\n```\n"
	file := func(s string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(s)} }
	own := func(s string) string { return `import "` + module + "/" + s + `"` }
	return text, fstest.MapFS{
		"doc.go":                     file("package lockstep"),
		"root_test.go":               file("package lockstep_test\n" + own("bench")),
		"fixed/units.go":             file("package fixed\nimport \"math/bits\""),
		"ring/lane.go":               file("package ring\nimport (\"sync/atomic\"; \"errors\")"),
		"ring/pause.s":               file("TEXT"),
		"msg/event.go":               file("package msg\n" + own("fixed")),
		"book/book.go":               file("package book\n" + own("msg")),
		"book/book_test.go":          file("package book\nimport (\"testing\"; \"time\"; \"pgregory.net/rapid\")\n" + own("fixed")),
		"book/outside_test.go":       file("package book_test\n" + own("bench")),
		"node/journal/journal.go":    file("package journal\nimport \"os\"\n" + own("book")),
		"node/layout.go":             file("package node\nimport \"unsafe\"\nconst size = unsafe.Sizeof(0) + unsafe.Alignof(0)"),
		"tools/deep/below/main.go":   file("package main\nimport \"net/http\"\n" + own("bench")),
		"bench/peers/go.mod":         file("module peers"),
		"bench/peers/anywhere/x.go":  file("package x\nimport \"github.com/nobody/nothing\""),
		".git/hooks/something.go":    file("package hooks"),
		"docs/nothing-to-see.txt":    file("import \"time\""),
		"tools/deep/testdata/a.json": file("{}"),
	}
}

func plantedFaults(t *testing.T, text string, tree fstest.MapFS) []string {
	t.Helper()
	h, err := readHouse(text)
	if err != nil {
		t.Fatal(err)
	}
	files, err := sources(tree)
	if err != nil {
		t.Fatal(err)
	}
	return h.judge(files)
}

func TestJudgeOfFloorsFindsPlantedFaults(t *testing.T) {
	text, tree := planted()
	if faults := plantedFaults(t, text, tree); faults != nil {
		t.Fatalf("the clean tree has faults: %q", faults)
	}
	own := func(s string) string { return `import "` + module + "/" + s + `"` }
	for _, c := range []struct{ name, file, text, want string }{
		{"upward", "msg/event.go", "package msg\n\n" + own("book"), "msg/event.go:3: A-1: msg imports book"},
		{"over the fence", "book/book.go", "package book\n" + own("node"), "book/book.go:2: A-1: book imports node"},
		{"on one floor", "ring/lane.go", "package ring\n" + own("fixed"), "ring/lane.go:2: A-1: ring imports fixed"},
		{"on one floor, by the wildcard", "tools/a/a.go", "package main\n" + own("tools/b"), "tools/a/a.go:2: A-1: tools/a imports tools/b"},
		{"upward from an inner test", "book/book_test.go", "package book\n" + own("bench"), "book/book_test.go:2: A-1: book imports bench"},
		{"a folder nobody names", "shed/shed.go", "package shed", "shed/shed.go:1: A-1: no line of the floors names the folder shed"},
		{"a test in a folder nobody names", "shed/shed_test.go", "package shed", "shed/shed_test.go:1: A-1: no line"},
		{"the parent of a wildcard", "tools/main.go", "package main", "tools/main.go:1: A-1: no line"},
		{"below a plain name", "book/inner/inner.go", "package inner", "book/inner/inner.go:1: A-1: no line"},
		{"an import of no floor", "node/node.go", "package node\n" + own("shed"), "node/node.go:2: A-1: shed stands on no floor"},
		{"a clock", "book/book.go", "package book\nimport \"time\"", "book/book.go:2: A-2: book may not import time"},
		{"another's exception", "book/book.go", "package book\nimport \"sync/atomic\"", "book/book.go:2: A-2: book may not import sync/atomic"},
		{"a cousin of the list", "fixed/units.go", "package fixed\nimport \"math\"", "fixed/units.go:2: A-2: fixed may not import math"},
		{"by another name", "fixed/units.go", "package fixed\nimport errors \"fmt\"", "fixed/units.go:2: A-2: fixed may not import fmt"},
		{"behind a build tag", "fixed/odd.go", "//go:build odd\n\npackage fixed\nimport \"os\"", "fixed/odd.go:4: A-2: fixed may not import os"},
		{"C", "fixed/units.go", "package fixed\nimport \"C\"", "fixed/units.go:2: A-2: fixed may not import C"},
		{"assembly", "book/fast.s", "TEXT", "book/fast.s:1: A-2: assembly"},
		{"a test's module in a program", "bench/run.go", "package bench\nimport \"pgregory.net/rapid\"", "bench/run.go:2: A-2: pgregory.net/rapid is for tests"},
		{"a test's module, deeper", "node/n.go", "package node\nimport \"github.com/google/go-cmp/cmp\"", "node/n.go:2: A-2: github.com/google/go-cmp/cmp is for tests"},
		{"more of unsafe", "node/layout.go", "package node\nimport \"unsafe\"\n\nvar p unsafe.Pointer", "node/layout.go:4: A-2: unsafe.Pointer"},
		{"unsafe by another name", "ring/lane.go", "package ring\nimport u \"unsafe\"\nvar s = u.Slice(nil, 0)", "ring/lane.go:3: A-2: unsafe.Slice"},
		{"unsafe without a name", "ring/lane.go", "package ring\nimport . \"unsafe\"\nvar p Pointer", "ring/lane.go:1: A-2: unsafe imported without"},
		{"a torn file", "book/book.go", "pakcage book", "book/book.go:1:1: expected 'package'"},
	} {
		t.Run(c.name, func(t *testing.T) {
			text, tree := planted()
			tree[c.file] = &fstest.MapFile{Data: []byte(c.text)}
			faults := plantedFaults(t, text, tree)
			if len(faults) != 1 || !strings.HasPrefix(faults[0], c.want) {
				t.Errorf("found %q, expected one fault that begins with %q", faults, c.want)
			}
		})
	}
}

func TestPageWithABrokenBlockIsRefused(t *testing.T) {
	for _, c := range []struct{ name, old, new, want string }{
		{"no floors", "```floors", "```flors", "no block ```floors"},
		{"no imports", "```imports", "```", "no block ```imports"},
		{"no end", "unsafe\n```\n", "unsafe\n", "has no end"},
		{"no fence", fence, "fence", "no line"},
		{"a folder twice", "node node/journal", "node msg", "msg twice"},
		{"imports of nobody", "ring  sync/atomic", "rign  sync/atomic", "rign stands on no floor below the fence"},
		{"imports above the fence", "ring  sync/atomic", "node  sync/atomic", "node stands on no floor below the fence"},
		{"imports twice", "ring  sync/atomic unsafe", "ring  unsafe\nring  unsafe", "ring twice"},
		{"an empty line", "*     errors math/bits", "*", "expected a folder"},
	} {
		t.Run(c.name, func(t *testing.T) {
			text, _ := planted()
			spoiled := strings.Replace(text, c.old, c.new, 1)
			if spoiled == text {
				t.Fatalf("nothing to spoil: %q", c.old)
			}
			if _, err := readHouse(spoiled); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("err = %v, expected one that says %q", err, c.want)
			}
		})
	}
}
