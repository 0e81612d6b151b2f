package fixed_test

import (
	"math/big"
	"testing"

	"pgregory.net/rapid"

	"github.com/lockstep-exchange/lockstep/fixed"
)

// samePrint holds the printing of money and rates against big.Rat's.
func samePrint(t failer, v int64) {
	t.Helper()
	if got, want := fixed.Money(v).String(), exact(integer(v), integer(1e6)).FloatString(6); got != want {
		t.Fatalf("Money(%d) prints %q, want %q", v, got, want)
	}
	if got, want := fixed.Rate(v).String(), exact(integer(v), integer(1e9)).FloatString(9); got != want {
		t.Fatalf("Rate(%d) prints %q, want %q", v, got, want)
	}
}

func TestPrintByHand(t *testing.T) {
	for _, c := range []struct {
		money fixed.Money
		want  string
	}{
		{0, "0.000000"}, {1, "0.000001"}, {-1, "-0.000001"}, {-12_000_345, "-12.000345"}, {999_999, "0.999999"},
		{fixed.Coin, "1.000000"}, {fixed.MaxInt64, "9223372036854.775807"}, {fixed.MinInt64, "-9223372036854.775808"},
	} {
		if got := c.money.String(); got != c.want {
			t.Errorf("Money(%d) prints %q, want %q", int64(c.money), got, c.want)
		}
	}
	if got := (5 * fixed.BasisPoint).String(); got != "0.000500000" {
		t.Errorf("5 basis points print %q", got)
	}
	if got := string((-fixed.Percent).Append([]byte("maker="))); got != "maker=-0.010000000" {
		t.Errorf("Append gives %q", got)
	}
}

func TestPrintIsExact(t *testing.T) {
	for _, v := range edges {
		samePrint(t, v)
	}
	rapid.Check(t, func(t *rapid.T) { samePrint(t, anyInt64().Draw(t, "v")) })
}

// The units stand in the relations that their names promise.
func TestUnits(t *testing.T) {
	for _, c := range []struct {
		name      string
		got, want int64
	}{
		{"Coin", int64(fixed.Coin), 1e6}, {"One", int64(fixed.One), 1e9}, {"Percent", int64(fixed.Percent), 1e7},
		{"BasisPoint", int64(fixed.BasisPoint), 1e5}, {"Microsecond", int64(fixed.Microsecond), 1e3},
		{"Millisecond", int64(fixed.Millisecond), 1e6}, {"Second", int64(fixed.Second), 1e9},
		{"Minute", int64(fixed.Minute), 60e9}, {"Hour", int64(fixed.Hour), 3600e9}, {"Day", int64(fixed.Day), 86400e9},
	} {
		if c.got != c.want {
			t.Errorf("%s is %d, want %d", c.name, c.got, c.want)
		}
	}
	if big.NewInt(fixed.MaxInt64).BitLen() != 63 || big.NewInt(fixed.MinInt64).BitLen() != 64 {
		t.Error("MaxInt64 and MinInt64 are not the ends of the range")
	}
}

func TestAppendAllocatesNothing(t *testing.T) {
	dst := make([]byte, 0, 64)
	if n := testing.AllocsPerRun(100, func() { dst = fixed.Rate(-1).Append(fixed.Money(fixed.MinInt64).Append(dst[:0])) }); n != 0 {
		t.Errorf("Append allocates %v times", n)
	}
}

func FuzzPrint(f *testing.F) {
	for _, v := range edges {
		f.Add(v)
	}
	f.Fuzz(func(t *testing.T, v int64) { samePrint(t, v) })
}

// The mean of two is floored at every sign, and never leaves the range.
func TestMiddle(t *testing.T) {
	for _, a := range edges {
		for _, b := range edges {
			want := floor(exact(new(big.Int).Add(integer(a), integer(b)), integer(2)))
			if got := fixed.Middle(fixed.Ticks(a), fixed.Ticks(b)); int64(got) != want.Int64() {
				t.Errorf("Middle(%d, %d) = %d, want %v", a, b, got, want)
			}
		}
	}
}
