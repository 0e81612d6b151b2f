package export

import (
	"encoding/csv"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/parquet-go/parquet-go"

	"github.com/lockstep-exchange/lockstep/engine"
	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/market"
	"github.com/lockstep-exchange/lockstep/msg"
)

// day is a small trading day with a row of every kind.
func day() []msg.Command {
	spec := market.Spec{ID: 1, Symbol: "BTC-USD-PERP", Type: msg.Perpetual, TickLot: 100, UnitLots: 1000, Start: 50_000, Maker: -fixed.BasisPoint,
		Taker: 5 * fixed.BasisPoint, Initial: 10 * fixed.Percent, Maintenance: 5 * fixed.Percent}
	list := append(spec.Append(nil), msg.SetPhase(1, msg.Continuous), msg.SetMark(1, 50_000),
		msg.Deposit(1, 1_000*fixed.Coin), msg.Deposit(2, 1_000*fixed.Coin), msg.Limit(1, 1, msg.Sell, 50_000, 5), msg.Limit(2, 1, msg.Buy, 50_010, 3),
		msg.Limit(2, 1, msg.Buy, 1, 3), msg.Limit(7, 1, msg.Buy, 1, 3), msg.Cancel(1, 1, 1<<32|1), msg.Withdraw(2, 10*fixed.Coin),
		msg.Transfer(1, 2, 7*fixed.Coin), msg.Cancel(1, 1, 1), msg.Tick())
	for i := range list {
		list[i].Seq, list[i].Time = msg.Seq(i+1), fixed.Nanos(i)
	}
	return list
}

func exported(t *testing.T, o Options) *Manifest {
	t.Helper()
	eng, err := engine.New(engine.Limits{Instruments: 2, Accounts: 16, Orders: 64, Levels: 64, Events: 256})
	if err != nil {
		t.Fatal(err)
	}
	e, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	list := day()
	for i := range list {
		if err := e.Fold(&list[i], eng.Apply(&list[i], nil), eng); err != nil {
			t.Fatal(err)
		}
	}
	m, err := e.Close("head")
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// cells are the lines of a CSV file.
func cells(t *testing.T, dir, name string) [][]string {
	t.Helper()
	f, err := os.Open(filepath.Join(dir, name+".csv"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	lines, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return lines
}

// same compares a Parquet file with the CSV of the same rows.
func same[T any](t *testing.T, dir, name string) {
	t.Helper()
	rows, err := parquet.ReadFile[T](filepath.Join(dir, name+".parquet"))
	if err != nil {
		t.Fatal(err)
	}
	lines := cells(t, dir, name)
	if len(rows) == 0 || len(rows) != len(lines)-1 {
		t.Fatalf("%s: %d rows in Parquet, %d in CSV", name, len(rows), len(lines)-1)
	}
	columns := columnsOf[T]()
	for i, c := range columns {
		if lines[0][i] != c.name {
			t.Errorf("%s: column %d is %s, expected %s", name, i, lines[0][i], c.name)
		}
	}
	table := &table[T]{columns: columns, cells: make([]string, len(columns))}
	for i := range rows {
		if got := table.line(&rows[i]); !slices.Equal(got, lines[i+1]) {
			t.Errorf("%s: row %d is %v in Parquet, %v in CSV", name, i, got, lines[i+1])
		}
	}
}

// The four tables of a small day, in both forms, the same twice over.
func TestTables(t *testing.T) {
	dir, again := t.TempDir(), t.TempDir()
	m := exported(t, Options{Tables: Names, Formats: Formats, Dir: dir})
	if n := exported(t, Options{Tables: Names, Formats: Formats, Dir: again}); !slices.Equal(m.Files, n.Files) || len(m.Files) != 8 {
		t.Errorf("two exports of one journal differ:\n%+v\n%+v", m.Files, n.Files)
	}
	var kept Manifest
	if b, err := os.ReadFile(filepath.Join(dir, "manifest.json")); err != nil || json.Unmarshal(b, &kept) != nil || kept.Journal != "head" || kept.To != uint64(len(day())) {
		t.Errorf("%+v, %v", kept, err)
	}
	same[OrderRow](t, dir, "orders")
	same[FillRow](t, dir, "fills")
	same[MarginRow](t, dir, "margin")
	same[LedgerRow](t, dir, "ledger")

	var status []string
	for _, line := range cells(t, dir, "orders")[1:] {
		status = append(status, line[17])
	}
	if want := "accepted accepted partially_filled filled accepted rejected rejected canceled"; strings.Join(status, " ") != want {
		t.Errorf("the orders are %v, expected %s", status, want)
	}
	taker := cells(t, dir, "fills")[2]
	if want := "9,8,1,2,BTC-USD-PERP,2,0,buy,taker,5000.000000,50000,0.003000000,3,7500,0,3,3"; strings.Join(taker, ",") != want {
		t.Errorf("the taker's fill is\n%s, expected\n%s", strings.Join(taker, ","), want)
	}
	sums := map[string]int64{}
	for _, line := range cells(t, dir, "ledger")[1:] {
		amount, err := strconv.ParseInt(line[5], 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		sums[line[3]] += amount
	}
	if sums["Deposited"] != 2_000e6 || sums["Withdrawn"] != -10e6 || sums["Transferred"] != 0 || sums["Fee"] != -7500+1500 {
		t.Errorf("the ledger sums up to %v", sums)
	}
}

// A range has its rows and no others, with what earlier commands said.
func TestRange(t *testing.T) {
	dir := t.TempDir()
	list := day()
	at := slices.IndexFunc(list, func(c msg.Command) bool { return c.Kind == msg.KindLimit && c.Account == 2 })
	m := exported(t, Options{Tables: []string{"fills", "orders"}, Formats: []string{"csv"}, From: list[at].Seq, To: list[at].Seq, Dir: dir})
	if len(m.Files) != 2 || m.From != uint64(at+1) || m.To != uint64(at+1) {
		t.Errorf("%+v", m)
	}
	if lines := cells(t, dir, "fills"); len(lines) != 3 || lines[1][4] != "BTC-USD-PERP" || lines[1][5] == "0" {
		t.Errorf("fills %v", lines)
	}
	if lines := cells(t, dir, "orders"); len(lines) != 4 || lines[2][7] != "Limit" {
		t.Errorf("orders %v", lines)
	}
}

func TestOptions(t *testing.T) {
	good := Options{Tables: Names, Formats: Formats, Dir: t.TempDir()}
	for name, spoil := range map[string]func(*Options){
		"no table": func(o *Options) { o.Tables = nil }, "unknown table": func(o *Options) { o.Tables = []string{"order"} },
		"twice": func(o *Options) { o.Tables = []string{"fills", "fills"} }, "unknown format": func(o *Options) { o.Formats = []string{"xls"} },
		"backwards": func(o *Options) { o.From, o.To = 3, 2 },
	} {
		o := good
		spoil(&o)
		var usage *UsageError
		if _, err := New(o); !errors.As(err, &usage) || usage.ExitCode() != 2 {
			t.Errorf("%s: %v", name, err)
		}
	}
	good.Dir = filepath.Join(good.Dir, "nowhere")
	if _, err := New(good); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a folder that is not there: %v", err)
	}
}

// Decimals have their point where the tag says.
func TestPoint(t *testing.T) {
	for want, v := range map[string]struct {
		v      int64
		places int
	}{"0.000001": {1, 6}, "-12.500000": {-12_500_000, 6}, "7": {7, 0}, "0.000000000": {0, 9}, "-3": {-3, 0}} {
		if got := point(v.v, v.places); got != want {
			t.Errorf("%v is %s, expected %s", v, got, want)
		}
	}
}

// docs/EXPORTS.md has every column, in its order, and no other.
func TestColumnsAreDocumented(t *testing.T) {
	page, err := os.ReadFile(filepath.Join("..", "docs", "EXPORTS.md"))
	if err != nil {
		t.Fatal(err)
	}
	row := regexp.MustCompile("(?m)^\\| `([a-z_]+)` \\|")
	for name, columns := range map[string][]column{"orders": columnsOf[OrderRow](), "fills": columnsOf[FillRow](), "margin": columnsOf[MarginRow](),
		"ledger": columnsOf[LedgerRow]()} {
		_, part, _ := strings.Cut(string(page), "\n## "+name+"\n")
		part, _, _ = strings.Cut(part, "\n## ")
		var told, want []string
		for _, m := range row.FindAllStringSubmatch(part, -1) {
			told = append(told, m[1])
		}
		for _, c := range columns {
			want = append(want, c.name)
		}
		if !slices.Equal(told, want) {
			t.Errorf("%s: the page tells of %v, the rows have %v", name, told, want)
		}
	}
}
