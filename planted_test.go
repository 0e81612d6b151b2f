package lockstep_test

// The judge of the fence judged: sources with faults planted in them. A line that must be caught ends in "//!" and the rules
// that it breaks; every other line must pass. So each source is its own control.

import (
	"fmt"
	"go/token"
	"go/types"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const plantedFloors = "\n```floors\nfixed ring\nmsg\nbook clearing\nengine\n=== fence ===\nnode\n```\n\n```imports\n* errors\n```\n"

// plantedCore are the sources: the rule they are about, the folder they stand in, the text.
var plantedCore = []struct{ name, folder, text string }{
	{"A-6 floats", "book", `
type price float64 //! A-6
type alias = float32 //! A-6
type pair struct{ a, b complex128 } //! A-6
const half = 0.5 //! A-6
const whole = 1e9 //! A-6
const shift = 1 << 3
func ratio(a, b int64) int64 {
	f := alias(a) //! A-6
	g := f * 2 //! A-6
	_ = g //! A-6
	v, _ := strconv.ParseFloat("1", 64) //! A-6
	_ = v //! A-6
	h := strconv.ParseFloat //! A-6
	_ = h //! A-6
	n, _ := strconv.ParseInt("1", 10, 64)
	return n + int64(2.0) + b //! A-6
}
type number interface{ ~int64 | ~float64 } //! A-6
func sum[T cmp.Ordered](a, b T) T { return a + b }
func whole64() int64 { return sum(int64(1), 2) }
func broken() int64 { return int64(sum(1.5, 2)) } //! A-6
`},
	{"A-7 maps", "book", `
type index map[int64]uint32 //! A-7
type nested struct{ a []map[string]int } //! A-7
type row struct{ index } //! A-7
func find(r *row, k int64) uint32 { return r.index[k] } //! A-7
func build() {
	m := make(index) //! A-7
	for range m { //! A-7
	}
	clear(m) //! A-7
}
func over[M ~map[K]V, K comparable, V any](m M) {} //! A-7
func fine(t *btree.Map[int64, uint32]) (uint32, bool) { return t.Get(1) }
func worse(t *btree.Map[int64, map[int]int]) { t.Len() } //! A-7
func slice(s []uint32) uint32 { return s[0] }
`},
	{"A-8 threads", "book", `
type queue struct{ ready chan int } //! A-8
func start(q *queue) {
	go slice(nil) //! A-8
	select {} //! A-8
}
func hand(q *queue) int {
	q.ready <- 1 //! A-8
	close(q.ready) //! A-8
	return <-q.ready //! A-8
}
func slice(s []uint32) {}
func coroutine(seq iter.Seq[int]) {
	next, stop := iter.Pull(seq) //! A-8
	next()
	stop()
	for range seq {
	}
}
func tree(t *btree.Map[int64, uint32]) {
	t.Set(1, 2)
	it := t.Iter()
	it.Seek(1)
	u := t.Copy() //! A-8
	v := t.IsoCopy() //! A-8
	u.Delete(int64(v.Len()))
}
`},
	{"A-8 the locking trees", "book", `
func locked(t *btree.BTreeG[int64]) { //! A-8
	t.Set(1) //! A-8
}
func set(s *btree.Set[int64]) { //! A-8
	s.Insert(1) //! A-8
}
`},
	{"A-9 the world", "book", `
func size(b []byte) uint64 {
	return binary.LittleEndian.Uint64(b) + binary.NativeEndian.Uint64(b) //! A-9
}
func reflected(b []byte, e error) int {
	if errors.Is(e, errOdd) {
		return 0
	}
	println("odd") //! A-9
	print("odd") //! A-9
	return binary.Size(int64(0)) //! A-9 A-13
}
var errOdd = errors.New("book: odd")
//go:linkname nanotime runtime.nanotime //! A-9
func nanotime() int64
type record struct{ a, b int64 }
const words = unsafe.Sizeof(record{}) / 8
const second = unsafe.Offsetof(record{}.b) + unsafe.Alignof(record{})
var _ = [1]struct{}{}[unsafe.Sizeof(record{})-16]
func room[T any]() int { return int(unsafe.Sizeof(*new(T))) }
func address(r *record) int64 {
	p := unsafe.Pointer(r) //! A-9
	return int64(uintptr(p)) //! A-9
}
func bytes(s string) *byte { return unsafe.StringData(s) } //! A-9
func same(a, b *record) bool { return a == b }
`},
	{"A-10 written variables", "msg", `
type words struct{ name string; code uint16; tags []string }
var table = [...]words{{name: "none"}, {name: "some", code: 1}}
var names = [...]string{"none", "some"}
var list = []string{"a", "b"}
var odd = errors.New("msg: odd")
var count, limit int
var total int64
var twice = count
var alias = list //! A-10
func init() { //! A-10
	count++ //! A-10
}
func write(i int) {
	limit = 3 //! A-10
	count, total = 1, 2 //! A-10
	total += 1 //! A-10
	table[i].name = "other" //! A-10
	(table)[i].code++ //! A-10
	list[0] = "c" //! A-10
	for count = range 3 { //! A-10
	}
	p := &limit //! A-10
	*p = 4
	q := &table[i] //! A-10
	q.code = 2
	s := names[:] //! A-10
	s[0] = "x"
	t := list //! A-10
	for i := range t {
		t[i] = ""
	}
	table[i].rename() //! A-10
	change(names[:]) //! A-10
	copy(list, names[:1]) //! A-10
	_ = append(list[:0], "x") //! A-10
	keep = func() { limit++ } //! A-10
}
var keep func()
func (w *words) rename() { w.name = "x" }
func change(s []string) { s[0] = "x" }
type holder struct{ s []string }
func hold() holder { return holder{list} } //! A-10
func Lend() *words { return &table[0] } //! A-10
func lend() *words { return &table[1] } //! A-10
func spoil() { lend().code = 9 }
func tags() { for _, w := range table { w.tags[0] = "" } } //! A-10

func (w *words) length() int { return len(w.name) }
func (w words) label() string { return w.name }
func word(s []string, i int) string { if i < len(s) { return s[i] }; return s[0] }
func row(i int) *words { if i == 0 { return &table[0] }; return &table[i] }
func read(i int) (string, error) {
	n := table[i].code + row(i).code
	p := &table[i]
	p = row(i + len(list) + int(n))
	for _, name := range names {
		if name == word(names[:], i) && p != nil {
			return name[1:] + table[0].name + list[1], odd
		}
	}
	for i := range list {
		_ = i
	}
	table := table[0]
	table.code = 7
	return p.name + table.label(), nil
}
func never() { defer recover() } //! A-10 A-13
`},
	{"A-11 order", "book", `
func room(s []int64) int { return len(s) + cap(s) } //! A-11
func order(s []int64) {
	slices.Sort(s)
	slices.SortFunc(s, func(a, b int64) int { return cmp.Compare(a, b) }) //! A-11
	slices.SortStableFunc(s, func(a, b int64) int { return cmp.Compare(a, b) })
}
func cap2(cap int64) int64 { return cap }
`},
	{"A-12 divisions", "clearing", `
type credit = fixed.Money
func divide(m fixed.Money, l fixed.Lots, t fixed.Ticks, r fixed.Rate, n fixed.Nanos, i int64) int64 {
	a := m / 2 //! A-12
	a += m % 3 //! A-12
	a /= 2 //! A-12
	l %= 2 //! A-12
	x := int64(t) / i //! A-12
	x += i / int64(r) //! A-12
	x += (int64(l)*i + 1) / 7 //! A-12
	x += int64(credit(i) / 2) //! A-12
	x += -int64(m) % 5 //! A-12
	x /= int64(l) //! A-12
	v, _ := fixed.MulDivFloor(int64(m), i, 10)
	return x + v + i/3 + int64(n/fixed.Second) + int64(t>>6)
}
func half[T ~int64](v T) T { return v / 2 } //! A-12
const tenth = fixed.One / 10 //! A-12
`},
	{"A-12 in fixed", "fixed", `
type Money int64
func (m Money) Half() Money { return m / 2 }
`},
	{"A-13 interfaces", "book", `
type Offbook interface{ Take(max int64) int64 }
type other interface{ Take(max int64) int64 } //! A-13
type curve struct{}
func (curve) Take(max int64) int64 { return max }
func ask(o Offbook) int64 { return o.Take(1) }
func wrong(o other) int64 { return o.Take(1) } //! A-13
func anything(v any) {} //! A-13
func give() { anything(1) } //! A-13
func given(args ...interface{ Odd() }) {} //! A-13
func check(n int) error { if n > 0 { return nil }; return errors.New("book: no") }
type word interface{ ~uint32 | ~uint64 }
func generic[T any, W word, C interface{ comparable }](t T, w W, c C) T { return t }
type lane[T any] struct{ slots []T }
func (l *lane[T]) next() *T { return &l.slots[0] }
func use() { generic(curve{}, uint32(1), 2); panic("book: broken") }
func late() { defer use() } //! A-13
func iterate(yield func(int) bool) { yield(1) }
func loop() (n int) { for i := range iterate { n += i }; return n }
`},
	{"A-13 the path", "engine", `
type Engine struct{ rows []int64; step func() }
type Loop struct{ e *Engine }
func New(n int) (*Engine, error) {
	e := &Engine{rows: make([]int64, n)}
	e.step = func() { e.rows[0]++ }
	slices.SortStableFunc(e.rows, func(a, b int64) int { return cmp.Compare(b-int64(n), a) })
	return e, hidden(n)
}
func hidden(n int) error { return nil }
func (e *Engine) Apply(n int) { gate(e, n); e.rare(n); _ = codes[n](n) }
func (l *Loop) Poll(n int) { l.e.Apply(n) }
func (l *Loop) Pump(n int) { l.Poll(n); later := l.e.other; later() } //! A-13
func gate(e *Engine, n int) {
	slices.SortStableFunc(e.rows, func(a, b int64) int { return cmp.Compare(b, a) })
	slices.SortStableFunc(e.rows, func(a, b int64) int { return cmp.Compare(b-int64(n), a) }) //! A-13
}
func (e *Engine) rare(n int) {
	if err := refuse(n); err != nil { //! A-13
		e.other()
	}
}
func (e *Engine) other() { box[int]{}.lift(1) }
func refuse(n int) error { return nil } //! A-13
type box[T any] struct{}
func (box[T]) lift(v T) { f := func() T { return v }; f() } //! A-13
var codes = [...]func(int) int{first, func(n int) int { return n }}
func first(n int) int { _, err := strconv.Atoi("1"); _ = err; return n } //! A-13
func (e *Engine) Restore(b []byte) error { return hidden(len(b)) }
`},
	{"A-13 the doors of ring", "ring", `
type Lane[T any] struct{ slots []T }
func NewLane[T any](n int) (*Lane[T], error) { return &Lane[T]{make([]T, n)}, nil }
func (l *Lane[T]) Claim() *T { return l.slot(0) }
func (l *Lane[T]) slot(i int) *T { if odd() != nil { return nil }; return &l.slots[i] } //! A-13
func odd() error { return nil } //! A-13
func unused() error { return nil }
`},
	{"a file nobody builds", "book", `
func fast() {}
`},
}

// plantedFixed lets planted sources divide units: a fixed of their own, clean.
const plantedFixed = `package fixed
type (Ticks int64; Lots int64; Money int64; Rate int64; Nanos int64)
const (One Rate = 1_000_000_000; Second Nanos = 1_000_000_000)
func MulDivFloor(a, b, d int64) (int64, bool) { return a * b / d, true }
`

var plantedImports = regexp.MustCompile(`\b(binary|btree|cmp|errors|fixed|iter|slices|strconv|unsafe)\.`)

// plant makes a file of a planted text: package clause and imports on the first line, so that lines stay countable.
func plant(folder, text string) string {
	var imports []string
	for _, used := range plantedImports.FindAllStringSubmatch(text, -1) {
		path := map[string]string{"binary": "encoding/binary", "btree": treeModule, "fixed": unitsPath}[used[1]]
		if path == "" {
			path = used[1]
		}
		if line := fmt.Sprintf("import %q", path); !slices.Contains(imports, line) {
			imports = append(imports, line)
		}
	}
	return "package " + folder + "; " + strings.Join(imports, "; ") + text
}

// breaches are line and rule of each fault, or of each mark.
func breaches(faults []string) (found []string) {
	for _, fault := range faults {
		m := regexp.MustCompile(`:(\d+):\d+: (A-\d+):`).FindStringSubmatch(fault)
		if m == nil {
			return []string{fault}
		}
		found = append(found, m[1]+" "+m[2])
	}
	slices.Sort(found)
	return slices.Compact(found)
}

func marks(text string) (marked []string) {
	for i, line := range strings.Split(text, "\n") {
		if _, rules, found := strings.Cut(line, "//! "); found {
			for _, rule := range strings.Fields(rules) {
				marked = append(marked, fmt.Sprint(i+1, " ", rule))
			}
		}
	}
	slices.Sort(marked)
	return marked
}

func judgePlanted(t *testing.T, outside types.Importer, fset *token.FileSet, folder, file, text string) []string {
	t.Helper()
	h, err := readHouse(plantedFloors)
	if err != nil {
		t.Fatal(err)
	}
	files := []source{{folder, file, []byte(text)}}
	if folder != "fixed" {
		files = append(files, source{"fixed", "units.go", []byte(plantedFixed)})
	}
	faults, err := judgeCore(h, files, outside, fset)
	if err != nil {
		t.Fatal(err)
	}
	return faults
}

func TestJudgeOfTheFenceFindsPlantedFaults(t *testing.T) {
	outside, fset := fromSource()
	for _, c := range plantedCore {
		t.Run(c.name, func(t *testing.T) {
			text := plant(c.folder, c.text)
			faults := judgePlanted(t, outside, fset, c.folder, "planted.go", text)
			found, want := breaches(faults), marks(text)
			for _, f := range found {
				if !slices.Contains(want, f) {
					t.Errorf("line and rule %s: found, but not planted", f)
				}
			}
			for _, w := range want {
				if !slices.Contains(found, w) {
					t.Errorf("line and rule %s: planted, but not found", w)
				}
			}
			if t.Failed() {
				t.Log(strings.Join(faults, "\n"))
			}
		})
	}
}

// Faults behind build tags are found, and a file behind a tag that no configuration sets is one.
func TestJudgeOfTheFenceReadsEveryConfiguration(t *testing.T) {
	outside, fset := fromSource()
	for _, c := range []struct{ file, tag, want string }{
		{"planted.go", "", "3 A-7"},
		{"planted_arm64.go", "", "3 A-7"},
		{"planted.go", "//go:build invariants\n", "4 A-7"},
		{"planted.go", "//go:build race\n", "4 A-7"},
		{"planted.go", "//go:build !amd64 && !arm64\n", "4 A-7"},
		{"planted.go", "//go:build odd\n", "1 A-6"},
		{"planted_windows.go", "", "1 A-6"},
	} {
		text := c.tag + "\npackage book\nvar m map[int]int\n"
		if found := breaches(judgePlanted(t, outside, fset, "book", c.file, text)); !slices.Contains(found, c.want) {
			t.Errorf("%s %q: found %q, expected %q among them", c.file, c.tag, found, c.want)
		}
	}
}
