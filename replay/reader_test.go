package replay

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
)

// shared is the data beside the repository; what is not there is not tested.
func shared(t testing.TB, parts ...string) string {
	t.Helper()
	name := filepath.Join(append([]string{"..", "..", "shared", "data"}, parts...)...)
	if testing.Short() {
		t.Skip("full recordings are not read in short mode")
	}
	if _, err := os.Stat(name); err != nil {
		t.Skipf("no %s", name)
	}
	return name
}

// readAll reads to the end and returns how many times read succeeded.
func readAll(t *testing.T, read func() error) (n int) {
	t.Helper()
	for {
		err := read()
		if errors.Is(err, io.EOF) {
			return n
		}
		if err != nil {
			t.Fatal(err)
		}
		n++
	}
}

func TestReadsSharedLobster(t *testing.T) {
	for _, c := range []struct {
		folder, name string
		want         [8]int
	}{
		{"lobster-aapl-1h", "AAPL_2012-06-21_message_50_rows0-30000.csv.gz", [8]int{0, 14_343, 193, 12_890, 1_632, 943}},
		{"lobster-amzn-l1-day", "AMZN_2012-06-21_34200000_57600000_message_1.csv.gz", [8]int{0, 27_845, 16, 18_235, 8_974, 2_445}},
	} {
		src, err := Open(shared(t, c.folder, c.name))
		if err != nil {
			t.Fatal(err)
		}
		var (
			r    = LobsterReader{src, Step{1, 2}}
			m    LobsterMessage
			kind [8]int
		)
		readAll(t, func() error {
			err := r.Read(&m)
			if err == nil {
				kind[m.Type]++
			}
			return err
		})
		src.Close()
		if kind != c.want {
			t.Errorf("%s: types %v, want %v", c.name, kind, c.want)
		}
	}
}

func TestReadsSharedLobsterBook(t *testing.T) {
	src, err := Open(shared(t, "lobster-aapl-1h", "AAPL_2012-06-21_orderbook_50_rows0-671.csv.gz"))
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	r := LobsterBookReader{Source: src, Step: Step{1, 2}}
	var row LobsterRow
	if n := readAll(t, func() error { return r.Read(&row) }); n != 672 || len(row.Asks) != 50 || len(row.Bids) != 50 {
		t.Fatalf("%d rows, the last of %d and %d levels", n, len(row.Asks), len(row.Bids))
	}
}
