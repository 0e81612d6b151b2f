package lockstep_test

// The judge of the fence: what a line of the core may say. deps_test.go holds imports; this file reads the same sources
// with their types and holds of docs/ARCHITECTURE.md.
//
// Words: a unit is one package of the core, type-checked under one configuration (a processor and build tags); a mention is any
// use of a function or package variable by name, called or not; the path is all that the doors of the core mention, and
// what that mentions, and so on.
//
//	source files --(configuration)--> units --> types of every expression --> A-6 A-7 A-8 A-9 A-13
//	                                    |-----> statements, built-ins, banned names --> A-8 to
//	                                    |-----> uses of package variables --> A-10      divisions --> A-12
//	                                    '-----> mentions --> the path --> A-13: no error, no capturing closure
//
// Types are asked, not spellings: an alias, an inferred variable or a renamed import changes nothing. Two things are out of
// reach and belong to other tests: whether a comparison given to a stable sort is sensible, and whether something that
// may be kept on the stack is kept there (the tests that count allocations).

import (
	"fmt"
	"go/ast"
	"go/build"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"maps"
	"os"
	"path"
	"slices"
	"strings"
	"testing"
)

// configuration is one way to build. Every file of the core has to be part of at least one, else nobody has judged it.
type configuration struct {
	arch string
	tags []string
}

var configurations = []configuration{
	{"amd64", nil},
	{"amd64", []string{"invariants", "race"}},
	{"arm64", nil},
	{"riscv64", nil}, // stands for every processor without assembly of its own
}

// doors are where commands enter: what they reach is the path of a command. Of ring it is all but the constructors.
var doors = []string{"engine.Engine.Apply", "engine.Loop.Poll", "engine.Loop.Pump"}

// banned are functions and variables of allowed imports that are not for the core.
var banned = map[string]string{
	"encoding/binary.Append":       "A-9: it works by reflection",
	"encoding/binary.Decode":       "A-9: it works by reflection",
	"encoding/binary.Encode":       "A-9: it works by reflection",
	"encoding/binary.Read":         "A-9: it works by reflection",
	"encoding/binary.Size":         "A-9: it works by reflection",
	"encoding/binary.Write":        "A-9: it works by reflection",
	"encoding/binary.NativeEndian": "A-9: it differs between machines",
	"errors.As":                    "A-9: it works by reflection",
	"errors.AsType":                "A-9: it works by reflection",
	"iter.Pull":                    "A-8: it starts a goroutine",
	"iter.Pull2":                   "A-8: it starts a goroutine",
	"slices.SortFunc":              "A-11: it leaves the order of equals open; use SortStableFunc",
}

const (
	treeModule = "github.com/tidwall/btree"
	unitsPath  = module + "/fixed"
)

// unit is a package of the core under one configuration.
type unit struct {
	folder string
	files  []*ast.File
	pkg    *types.Package
	info   *types.Info
}

// core type-checks the units of one configuration; it is the importer that they see.
type core struct {
	house   *house
	config  configuration
	fset    *token.FileSet
	files   map[string][]source // by folder
	outside types.Importer
	units   map[string]*unit // by folder
	read    map[string]bool  // paths of the files that some unit held
	faults  map[string]bool

	parents  map[ast.Node]ast.Node
	uses     map[types.Object][]mention // of functions and variables
	followed map[types.Object]bool      // by misuse, so that it ends
}

// mention is one use of a name.
type mention struct {
	unit  *unit
	ident *ast.Ident
}

func newCore(h *house, config configuration, files map[string][]source, outside types.Importer, fset *token.FileSet) *core {
	return &core{house: h, config: config, fset: fset, files: files, outside: outside,
		units: map[string]*unit{}, read: map[string]bool{}, faults: map[string]bool{},
		parents: map[ast.Node]ast.Node{}, uses: map[types.Object][]mention{}, followed: map[types.Object]bool{}}
}

func (c *core) fault(pos token.Pos, rule, format string, args ...any) {
	c.faults[fmt.Sprintf("%s: %s: %s", c.fset.Position(pos), rule, fmt.Sprintf(format, args...))] = true
}

// Import hands a unit the packages it imports: the core's own are checked here, so that there is one object for each name.
func (c *core) Import(imported string) (*types.Package, error) {
	folder, own := strings.CutPrefix(imported, module+"/")
	if !own {
		return c.outside.Import(imported)
	}
	u, err := c.check(folder)
	if err != nil {
		return nil, err
	}
	return u.pkg, nil
}

// check type-checks a folder under the configuration, once.
func (c *core) check(folder string) (*unit, error) {
	if u := c.units[folder]; u != nil {
		return u, nil
	}
	context := build.Default
	context.GOARCH, context.BuildTags, context.CgoEnabled = c.config.arch, c.config.tags, false
	u := &unit{folder: folder, info: &types.Info{Types: map[ast.Expr]types.TypeAndValue{}, Defs: map[*ast.Ident]types.Object{},
		Uses: map[*ast.Ident]types.Object{}, Selections: map[*ast.SelectorExpr]*types.Selection{}}}
	for _, file := range c.files[folder] {
		context.OpenFile = func(string) (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(string(file.text))), nil }
		if match, err := context.MatchFile(folder, file.name); err != nil {
			return nil, err
		} else if !match {
			continue
		}
		parsed, err := parser.ParseFile(c.fset, file.path(), file.text, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		c.read[file.path()] = true
		u.files = append(u.files, parsed)
	}
	var err error
	checker := types.Config{Importer: c, Sizes: types.SizesFor("gc", c.config.arch)}
	if u.pkg, err = checker.Check(module+"/"+folder, c.fset, u.files, u.info); err != nil {
		return nil, err
	}
	c.units[folder] = u
	for _, file := range u.files {
		ast.PreorderStack(file, nil, func(n ast.Node, stack []ast.Node) bool {
			if len(stack) > 0 {
				c.parents[n] = stack[len(stack)-1]
			}
			if ident, ok := n.(*ast.Ident); ok {
				switch o := u.info.Uses[ident].(type) {
				case *types.Var:
					c.uses[o.Origin()] = append(c.uses[o.Origin()], mention{u, ident})
				case *types.Func:
					c.uses[o.Origin()] = append(c.uses[o.Origin()], mention{u, ident})
				}
			}
			return true
		})
	}
	return u, nil
}

// judgeCore returns every breach of among the non-test files of the core, sorted.
func judgeCore(h *house, files []source, outside types.Importer, fset *token.FileSet) (faults []string, err error) {
	folders := map[string][]source{}
	for _, file := range files {
		if h.core(file.folder) && !file.test() && path.Ext(file.name) == ".go" {
			folders[file.folder] = append(folders[file.folder], file)
		}
	}
	read, found := map[string]bool{}, map[string]bool{}
	for _, config := range configurations {
		c := newCore(h, config, folders, outside, fset)
		c.read, c.faults = read, found
		for folder := range folders {
			if _, err := c.check(folder); err != nil {
				return nil, fmt.Errorf("%s %v: %w", config.arch, config.tags, err)
			}
		}
		for _, u := range c.inOrder() {
			for _, file := range u.files {
				c.judgeFile(u, file)
			}
		}
		c.judgePath()
	}
	for _, inFolder := range folders {
		for _, file := range inFolder {
			if !read[file.path()] {
				found[file.path()+":1:1: A-6: no configuration of fence_test.go builds this file, so nobody has judged it"] = true
			}
		}
	}
	for fault := range found {
		faults = append(faults, fault)
	}
	slices.Sort(faults)
	return faults, nil
}

// inOrder are the units by the names of their folders, so that every run finds the same ways to a fault.
func (c *core) inOrder() (units []*unit) {
	for _, folder := range slices.Sorted(maps.Keys(c.units)) {
		units = append(units, c.units[folder])
	}
	return units
}

// judgeFile holds one file to every rule that needs no knowledge of the path.
func (c *core) judgeFile(u *unit, file *ast.File) {
	for _, group := range file.Comments {
		for _, comment := range group.List {
			if strings.HasPrefix(comment.Text, "//go:linkname") {
				c.fault(comment.Pos(), "A-9", "linkname reaches around the list of imports")
			}
		}
	}
	ast.PreorderStack(file, nil, func(n ast.Node, stack []ast.Node) bool {
		c.judgeStatement(u, n)
		if expr, ok := n.(ast.Expr); ok {
			c.judgeTypes(u, expr, stack)
		}
		if ident, ok := n.(*ast.Ident); ok {
			c.judgeName(u, ident)
		}
		return true
	})
}

// judgeStatement holds what is seen without types: A-6 literals, A-8, A-10 init, A-13 defer, and the divisions of A-12.
func (c *core) judgeStatement(u *unit, n ast.Node) {
	switch n := n.(type) {
	case *ast.BasicLit:
		if n.Kind == token.FLOAT || n.Kind == token.IMAG {
			c.fault(n.Pos(), "A-6", "floating-point literal %s", n.Value)
		}
	case *ast.GoStmt:
		c.fault(n.Pos(), "A-8", "goroutine")
	case *ast.SelectStmt:
		c.fault(n.Pos(), "A-8", "select")
	case *ast.DeferStmt:
		c.fault(n.Pos(), "A-13", "defer")
	case *ast.FuncDecl:
		if n.Recv == nil && n.Name.Name == "init" {
			c.fault(n.Pos(), "A-10", "init function")
		}
	case *ast.BinaryExpr:
		if n.Op == token.QUO || n.Op == token.REM {
			c.judgeDivision(u, n.OpPos, n.Op, n.X, n.Y)
		}
	case *ast.AssignStmt:
		if n.Tok == token.QUO_ASSIGN || n.Tok == token.REM_ASSIGN {
			c.judgeDivision(u, n.TokPos, n.Tok, n.Lhs[0], n.Rhs[0])
		}
	}
}

// judgeDivision holds A-12: neither operand may be one of the four units, nor computed from one by conversions, signs,
// sums and products; a type parameter may turn out to be a unit.
func (c *core) judgeDivision(u *unit, pos token.Pos, op token.Token, operands ...ast.Expr) {
	if u.pkg.Path() == unitsPath {
		return
	}
	for _, operand := range operands {
		if unit := u.unitOf(operand); unit != "" {
			c.fault(pos, "A-12", "bare %s on %s, expected a division of fixed with its rounding in the name", op, unit)
			return
		}
	}
}

// unitOf names the unit that an expression carries, "" for none.
func (u *unit) unitOf(expr ast.Expr) string {
	switch t := types.Unalias(u.info.Types[expr].Type).(type) {
	case *types.Named:
		if o := t.Obj(); o.Pkg() != nil && o.Pkg().Path() == unitsPath && slices.Contains([]string{"Ticks", "Lots", "Money", "Rate"}, o.Name()) {
			return o.Name()
		}
	case *types.TypeParam:
		return "a type parameter"
	}
	switch e := expr.(type) {
	case *ast.ParenExpr:
		return u.unitOf(e.X)
	case *ast.UnaryExpr:
		return u.unitOf(e.X)
	case *ast.BinaryExpr:
		return u.unitOf(e.X) + u.unitOf(e.Y)
	case *ast.CallExpr:
		if u.info.Types[e.Fun].IsType() && len(e.Args) == 1 {
			return u.unitOf(e.Args[0])
		}
	}
	return ""
}

// judgeTypes holds the type of one expression, or of the variable that an identifier declares. Constraints of type parameters are
// no interfaces in this sense: no value has them.
func (c *core) judgeTypes(u *unit, expr ast.Expr, stack []ast.Node) {
	tv, typed := u.info.Types[expr]
	if tv.IsBuiltin() {
		return
	}
	if ident, ok := expr.(*ast.Ident); ok && !typed {
		if v, ok := u.info.Defs[ident].(*types.Var); ok {
			tv.Type = v.Type()
		}
	}
	if tv.Type == nil {
		return
	}
	parts(tv.Type, func(t types.Type) {
		switch under := t.Underlying().(type) {
		case *types.Basic:
			switch {
			case under.Info()&(types.IsFloat|types.IsComplex) != 0:
				c.fault(expr.Pos(), "A-6", "%s has to do with %s", types.ExprString(expr), t)
			case under.Kind() == types.UnsafePointer:
				c.fault(expr.Pos(), "A-9", "%s is an address as a value: %s", types.ExprString(expr), t)
			}
		case *types.Map:
			c.fault(expr.Pos(), "A-7", "%s has to do with a map: %s", types.ExprString(expr), t)
		case *types.Chan:
			c.fault(expr.Pos(), "A-8", "%s has to do with a channel: %s", types.ExprString(expr), t)
		case *types.Interface:
			if under.IsMethodSet() && !isError(t) && !isOffbook(t) && !inConstraint(u, stack) && !declaresOffbook(u, stack) {
				c.fault(expr.Pos(), "A-13", "%s has to do with an interface: %s", types.ExprString(expr), t)
			}
		}
	})
}

// parts calls visit with t and every type that its spelling holds; a defined type counts by its underlying kind and its type
// arguments, for its fields are judged where it is declared.
func parts(t types.Type, visit func(types.Type)) {
	switch t := types.Unalias(t).(type) {
	case *types.TypeParam:
	case *types.Named:
		visit(t)
		for arg := range t.TypeArgs().Types() {
			parts(arg, visit)
		}
	case *types.Pointer:
		parts(t.Elem(), visit)
	case *types.Slice:
		parts(t.Elem(), visit)
	case *types.Array:
		parts(t.Elem(), visit)
	case *types.Tuple:
		for v := range t.Variables() {
			parts(v.Type(), visit)
		}
	case *types.Signature:
		parts(t.Params(), visit)
		parts(t.Results(), visit)
	case *types.Struct:
		for field := range t.Fields() {
			parts(field.Type(), visit)
		}
	default:
		visit(t)
	}
}

func isError(t types.Type) bool { return types.Identical(t, types.Universe.Lookup("error").Type()) }

func isOffbook(t types.Type) bool {
	named, ok := t.(*types.Named)
	return ok && named.Obj().Name() == "Offbook" && named.Obj().Pkg().Path() == module+"/book"
}

// declaresOffbook reports whether the innermost type declaration around a node is that of book.Offbook.
func declaresOffbook(u *unit, stack []ast.Node) bool {
	return slices.ContainsFunc(stack, func(n ast.Node) bool {
		spec, ok := n.(*ast.TypeSpec)
		return ok && u.folder == "book" && spec.Name.Name == "Offbook"
	})
}

// inConstraint reports whether a node is part of a list of type parameters or of an interface that only can be a constraint.
func inConstraint(u *unit, stack []ast.Node) bool {
	for i, n := range stack {
		switch n := n.(type) {
		case *ast.FuncType:
			if i+1 < len(stack) && n.TypeParams != nil && stack[i+1] == n.TypeParams {
				return true
			}
		case *ast.TypeSpec:
			if i+1 < len(stack) && n.TypeParams != nil && stack[i+1] == n.TypeParams {
				return true
			}
		case *ast.InterfaceType:
			if t, ok := u.info.Types[n].Type.(*types.Interface); ok && !t.IsMethodSet() {
				return true
			}
		}
	}
	return false
}

// judgeName holds the uses of built-ins, of banned and half-banned imports, and of package variables.
func (c *core) judgeName(u *unit, ident *ast.Ident) {
	switch o := u.info.Uses[ident].(type) {
	case *types.Builtin:
		switch o.Name() {
		case "recover":
			c.fault(ident.Pos(), "A-10", "recover")
		case "cap":
			c.fault(ident.Pos(), "A-11", "cap()")
		case "print", "println":
			c.fault(ident.Pos(), "A-9", "%s writes to the world", o.Name())
		case "Add", "Slice", "SliceData", "String", "StringData":
			c.fault(ident.Pos(), "A-9", "unsafe.%s, expected Sizeof, Offsetof or Alignof only", o.Name())
		}
	case *types.Func:
		c.judgeForeign(ident, o)
	case *types.TypeName:
		c.judgeForeign(ident, o)
	case *types.Var:
		c.judgeForeign(ident, o)
		if o.Pkg() != nil && o.Parent() == o.Pkg().Scope() {
			clear(c.followed)
			if use := c.misuse(u, ident); use != "" {
				c.fault(ident.Pos(), "A-10", "%s of the package variable %s", use, o.Name())
			}
		}
	}
}

// judgeForeign holds the names of other modules: those on the list of the banned, and of the tree all but Map, what makes one, and its iterator.
func (c *core) judgeForeign(ident *ast.Ident, o types.Object) {
	if o.Pkg() == nil {
		return
	}
	if why := banned[o.Pkg().Path()+"."+o.Name()]; why != "" {
		rule, why, _ := strings.Cut(why, ": ")
		c.fault(ident.Pos(), rule, "%s.%s: %s", o.Pkg().Name(), o.Name(), why)
	}
	if o.Pkg().Path() != treeModule {
		return
	}
	of, name := o.Name(), o.Name()
	if f, ok := o.(*types.Func); ok && f.Signature().Recv() != nil {
		recv := f.Signature().Recv().Type()
		if p, ok := recv.(*types.Pointer); ok {
			recv = p.Elem()
		}
		of = recv.(*types.Named).Obj().Name()
	}
	if (of == "Map" || of == "MapIter" || of == "NewMap") && name != "Copy" && name != "IsoCopy" {
		return
	}
	c.fault(ident.Pos(), "A-8", "btree's %s: of the tree expected Map, NewMap and MapIter only (the others lock), and no copies", name)
}

// misuse says how a use of memory goes beyond reading it, "" when it does not. The use is followed outward through fields,
// elements, addresses and slices. To read is to end at a value that shares no memory with the variable. A value that does
// share it may go into a local variable, an argument of a function of the core, or the result of an unexported one, and is
// followed there; anywhere else it is lost from sight, and that is misuse.
func (c *core) misuse(u *unit, use ast.Expr) string {
	expr, crossed := use, false // crossed: beyond a pointer or slice that the named variable holds
	for {
		switch p := c.parents[expr].(type) {
		case *ast.ParenExpr:
			expr = p
			continue
		case *ast.StarExpr:
			expr, crossed = p, true
			continue
		case *ast.SelectorExpr:
			selection := u.info.Selections[p]
			if p.Sel == expr || selection != nil && selection.Kind() == types.FieldVal {
				expr, crossed = p, crossed || selection != nil && selection.Indirect()
				continue
			}
			recv := selection.Obj().(*types.Func).Origin().Signature().Recv()
			if _, byPointer := recv.Type().Underlying().(*types.Pointer); byPointer || refers(recv.Type()) {
				return c.followVariable(recv)
			}
			return ""
		case *ast.IndexExpr:
			if p.X == expr {
				_, array := u.info.Types[expr].Type.Underlying().(*types.Array)
				expr, crossed = p, crossed || !array
				continue
			}
		case *ast.SliceExpr:
			if p.X == expr {
				expr = p
				continue
			}
		case *ast.UnaryExpr:
			if p.Op == token.AND {
				expr = p
				continue
			}
		case *ast.IncDecStmt:
			return u.written(use, crossed)
		case *ast.AssignStmt:
			if slices.Contains(p.Lhs, expr) {
				return u.written(use, crossed)
			}
		case *ast.RangeStmt:
			if p.X != expr {
				return u.written(use, crossed)
			}
			if element, ok := p.Value.(*ast.Ident); ok && element.Name != "_" && refers(u.info.ObjectOf(element).Type()) {
				return c.followVariable(u.info.ObjectOf(element).(*types.Var))
			}
			return ""
		case *ast.CallExpr:
			if p.Fun != expr && u.info.Types[p.Fun].IsType() {
				expr = p
				continue
			}
		}
		if !refers(u.info.Types[expr].Type) {
			return ""
		}
		return c.followReference(u, expr)
	}
}

// written says what a write means: of a local variable's own memory, nothing.
func (u *unit) written(use ast.Expr, crossed bool) string {
	if ident, ok := use.(*ast.Ident); ok && !crossed {
		if v := u.info.ObjectOf(ident).(*types.Var); v.Parent() != v.Pkg().Scope() {
			return ""
		}
	}
	return "a write"
}

// root is the name that a selector ends with, or the identifier itself.
func root(expr ast.Expr) *ast.Ident {
	if s, ok := expr.(*ast.SelectorExpr); ok {
		return s.Sel
	}
	ident, _ := expr.(*ast.Ident)
	return ident
}

// followReference goes on where a value that shares memory was put.
func (c *core) followReference(u *unit, expr ast.Expr) string {
	const lost = "a reference into the memory"
	switch p := c.parents[expr].(type) {
	case *ast.BinaryExpr:
		return "" // it is compared
	case *ast.AssignStmt:
		if i := slices.Index(p.Rhs, expr); len(p.Lhs) == len(p.Rhs) {
			if ident, ok := p.Lhs[i].(*ast.Ident); ok {
				if v, ok := u.info.ObjectOf(ident).(*types.Var); ok && v.Parent() != v.Pkg().Scope() {
					return c.followVariable(v)
				}
			}
		}
	case *ast.CallExpr:
		if name, ok := p.Fun.(*ast.Ident); ok && u.info.Types[p.Fun].IsBuiltin() && name.Name == "len" {
			return ""
		}
		callee := u.callee(p)
		i := slices.Index(p.Args, expr)
		if callee == nil || i < 0 || callee.Signature().Variadic() {
			return lost
		}
		return c.followVariable(callee.Signature().Params().At(i))
	case *ast.ReturnStmt:
		f := c.around(u, p)
		if f == nil || f.Exported() || f.Signature().Results().Len() != 1 {
			return lost
		}
		if c.followed[f] {
			return ""
		}
		c.followed[f] = true
		for _, at := range c.uses[f] {
			var name ast.Expr = at.ident
			if s, ok := c.parents[name].(*ast.SelectorExpr); ok {
				name = s
			}
			call, ok := c.parents[name].(*ast.CallExpr)
			if !ok || call.Fun != name {
				return lost
			}
			if use := c.misuse(at.unit, call); use != "" {
				return use
			}
		}
		return ""
	}
	return lost
}

// followVariable holds every use of a local variable, parameter or receiver that shares memory with a package variable.
func (c *core) followVariable(v *types.Var) string {
	if c.followed[v] {
		return ""
	}
	c.followed[v] = true
	if c.uses[v] == nil && !strings.HasPrefix(v.Pkg().Path(), module) {
		return "a reference into the memory" // a parameter of another module's function
	}
	for _, at := range c.uses[v] {
		if use := c.misuse(at.unit, at.ident); use != "" {
			return use
		}
	}
	return ""
}

// callee is the function that a call names, nil where it calls a value.
func (u *unit) callee(call *ast.CallExpr) *types.Func {
	fun := ast.Unparen(call.Fun)
	if index, ok := fun.(*ast.IndexExpr); ok {
		fun = index.X
	}
	ident := root(fun)
	if ident == nil {
		return nil
	}
	f, ok := u.info.Uses[ident].(*types.Func)
	if !ok {
		return nil
	}
	return f.Origin()
}

// around is the declared function whose own statement n is; nil inside a function literal.
func (c *core) around(u *unit, n ast.Node) *types.Func {
	for ; n != nil; n = c.parents[n] {
		switch n := n.(type) {
		case *ast.FuncLit:
			return nil
		case *ast.FuncDecl:
			return u.info.Defs[n.Name].(*types.Func)
		}
	}
	return nil
}

// refers reports whether copies of a value share memory that can be written through them.
func refers(t types.Type) bool {
	switch under := t.Underlying().(type) {
	case *types.Basic:
		return under.Kind() == types.UnsafePointer
	case *types.Signature:
		return false
	case *types.Array:
		return refers(under.Elem())
	case *types.Struct:
		for field := range under.Fields() {
			if refers(field.Type()) {
				return true
			}
		}
		return false
	case *types.Interface:
		return !isError(t)
	}
	return true
}

// judgePath holds the second half of A-13 on all that the doors reach.
func (c *core) judgePath() {
	type place struct {
		unit *unit
		node ast.Node
	}
	homes := map[types.Object]place{} // functions and package variables, to their declarations
	var open []types.Object
	from := map[types.Object]types.Object{}
	for _, u := range c.inOrder() {
		for _, file := range u.files {
			for _, decl := range file.Decls {
				switch decl := decl.(type) {
				case *ast.FuncDecl:
					f := u.info.Defs[decl.Name]
					homes[f] = place{u, decl}
					if isDoor(u, f.(*types.Func)) {
						open, from[f] = append(open, f), f
					}
				case *ast.GenDecl:
					for _, spec := range decl.Specs {
						if vars, ok := spec.(*ast.ValueSpec); ok && decl.Tok == token.VAR {
							for _, name := range vars.Names {
								homes[u.info.Defs[name]] = place{u, vars}
							}
						}
					}
				}
			}
		}
	}
	for len(open) > 0 {
		at := open[len(open)-1]
		open = open[:len(open)-1]
		home := homes[at]
		if home.node == nil {
			continue // of another module, or without a body
		}
		c.judgeStep(home.unit, home.node, at, from)
		ast.Inspect(home.node, func(n ast.Node) bool {
			if ident, ok := n.(*ast.Ident); ok {
				next := home.unit.info.Uses[ident]
				if f, ok := next.(*types.Func); ok {
					next = f.Origin()
				}
				if next != nil && homes[next].node != nil && from[next] == nil {
					from[next] = at
					open = append(open, next)
				}
			}
			return true
		})
	}
}

// isDoor reports whether a function is one of the doors.
func isDoor(u *unit, f *types.Func) bool {
	if u.folder == "ring" {
		return f.Exported() && !strings.HasPrefix(f.Name(), "New")
	}
	return slices.Contains(doors, doorName(u, f))
}

// doorName is folder.Type.Method.
func doorName(u *unit, f *types.Func) string {
	recv := f.Signature().Recv()
	if recv == nil {
		return u.folder + "." + f.Name()
	}
	t := recv.Type()
	if p, ok := t.(*types.Pointer); ok {
		t = p.Elem()
	}
	return u.folder + "." + t.(*types.Named).Obj().Name() + "." + f.Name()
}

// judgeStep holds one function of the path: no error, no closure that captures, no method as a value (which is one).
func (c *core) judgeStep(u *unit, decl ast.Node, at types.Object, from map[types.Object]types.Object) {
	var way []string
	for o := at; ; o = from[o] {
		way = append(way, o.Name())
		if from[o] == o {
			break
		}
	}
	slices.Reverse(way)
	path := strings.Join(way, " > ")
	ast.PreorderStack(decl, nil, func(n ast.Node, stack []ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncLit:
			if captured := u.captured(n); captured != "" {
				c.fault(n.Pos(), "A-13", "closure over %s on the path of a command (%s)", captured, path)
			}
		case *ast.SelectorExpr:
			selection := u.info.Selections[n]
			call, called := stack[len(stack)-1].(*ast.CallExpr)
			if selection != nil && selection.Kind() == types.MethodVal && !(called && call.Fun == n) {
				c.fault(n.Pos(), "A-13", "%s bound as a value on the path of a command (%s)", types.ExprString(n), path)
			}
		}
		if expr, ok := n.(ast.Expr); ok {
			if tv := u.info.Types[expr]; tv.Type != nil && !tv.IsBuiltin() {
				parts(tv.Type, func(t types.Type) {
					if isError(t) {
						c.fault(expr.Pos(), "A-13", "%s has to do with error on the path of a command (%s)", types.ExprString(expr), path)
					}
				})
			}
		}
		return true
	})
}

// captured names a variable of the surrounding function that a function literal uses, "" when it uses none.
func (u *unit) captured(lit *ast.FuncLit) (name string) {
	ast.Inspect(lit.Body, func(n ast.Node) bool {
		if ident, ok := n.(*ast.Ident); ok {
			if v, ok := u.info.Uses[ident].(*types.Var); ok && !v.IsField() && v.Parent() != v.Pkg().Scope() &&
				(v.Pos() < lit.Pos() || v.Pos() >= lit.End()) {
				name = v.Name()
			}
		}
		return name == ""
	})
	return name
}

// fromSource type-checks what the core imports of other modules from its sources.
func fromSource() (types.Importer, *token.FileSet) {
	fset := token.NewFileSet()
	return within{importer.ForCompiler(fset, "source", nil).(types.ImporterFrom)}, fset
}

// within resolves imports as they stand in this module.
type within struct{ types.ImporterFrom }

func (w within) Import(imported string) (*types.Package, error) {
	root, err := os.Getwd()
	if err != nil {
		return nil, err
	}
	return w.ImportFrom(imported, root, 0)
}

// A-6 A-7 A-8 A-9 A-10 A-11 A-12 A-13
func TestCoreStaysBehindTheFence(t *testing.T) {
	h, files := theHouse(t)
	outside, fset := fromSource()
	faults, err := judgeCore(h, files, outside, fset)
	if err != nil {
		t.Fatal(err)
	}
	for _, fault := range faults {
		t.Error(fault)
	}
}

// Each door stands open: a renamed one would leave the path of a command unjudged.
func TestDoorsExist(t *testing.T) {
	h, files := theHouse(t)
	outside, fset := fromSource()
	byFolder := map[string][]source{}
	for _, file := range files {
		if h.core(file.folder) && !file.test() && path.Ext(file.name) == ".go" {
			byFolder[file.folder] = append(byFolder[file.folder], file)
		}
	}
	c := newCore(h, configurations[0], byFolder, outside, fset)
	for _, door := range doors {
		folder, _, _ := strings.Cut(door, ".")
		if byFolder[folder] == nil {
			continue // a name without a folder is no fault
		}
		u, err := c.check(folder)
		if err != nil {
			t.Fatal(err)
		}
		found := false
		for _, o := range u.info.Defs {
			if f, ok := o.(*types.Func); ok && doorName(u, f) == door {
				found = true
			}
		}
		if !found {
			t.Errorf("no %s, expected the door of the core that docs/ARCHITECTURE.md describes", door)
		}
	}
}
