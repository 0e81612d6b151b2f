package stress

import (
	"bytes"
	"compress/gzip"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math/big"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/sim/scenario"
	"github.com/lockstep-exchange/lockstep/sim/strict"
)

// Recorded history: bars of traded prices and funding rates by the day, CSV, plain or gzip, read where they lie. They are no mark prices:
// a bar becomes a path through its four prices, and a report says so.
//
//	close >= open   open ── low ── high ── close          at 0, 1/3, 2/3 and 1 of the bar
//	close <  open   open ── high ── low ── close

// bar is one of a recording.
type bar struct {
	at                     time.Time
	open, high, low, close fixed.Money
	line                   int
}

const (
	barsExpected  = "a CSV of price bars with a header naming open, high, low and close, plain or gzip"
	ratesExpected = "a CSV of daily rates with a header naming date and funding_mean, plain or gzip"
	sizeMax       = 1 << 28 // bytes of a recording, unpacked
)

// rows are the rows of a CSV with a header, each with its line.
func rows(file, expected string) (header []string, records [][]string, lines []int, err error) {
	packed, err := os.ReadFile(file)
	if err != nil {
		return nil, nil, nil, strict.Unreadable(file, expected, err)
	}
	text := io.Reader(bytes.NewReader(packed))
	if bytes.HasPrefix(packed, []byte{0x1f, 0x8b}) {
		if text, err = gzip.NewReader(text); err != nil {
			return nil, nil, nil, wrong(file, 1, "the gzip header is damaged, expected %s", expected)
		}
	}
	r := csv.NewReader(io.LimitReader(text, sizeMax))
	r.ReuseRecord = false
	for {
		record, err := r.Read()
		torn := new(csv.ParseError)
		switch {
		case errors.Is(err, io.EOF):
			if len(records) == 0 {
				return nil, nil, nil, wrong(file, 1, "holds no rows, expected %s", expected)
			}
			return header, records, lines, nil
		case errors.As(err, &torn):
			return nil, nil, nil, wrong(file, torn.Line, "%v, expected %s", torn.Err, expected)
		case err != nil:
			return nil, nil, nil, wrong(file, 1, "%v, expected %s", err, expected)
		case header == nil:
			header = record
		default:
			line, _ := r.FieldPos(0)
			records, lines = append(records, record), append(lines, line)
		}
	}
}

// wrong is what is wrong with a line of a recording.
func wrong(file string, line int, format string, args ...any) error {
	return scenario.Faults{{File: file, Line: line, Column: 1, Text: fmt.Sprintf(format, args...)}}
}

// columns finds columns by name, in any case; an empty name is the first column.
func columns(file, expected string, header []string, wanted ...string) (at []int, err error) {
	for _, name := range wanted {
		i := slices.IndexFunc(header, func(h string) bool { return strings.EqualFold(strings.TrimSpace(h), name) })
		if name == "" {
			i = 0
		}
		if i < 0 {
			return nil, wrong(file, 1, "has no column %s, expected %s", name, expected)
		}
		at = append(at, i)
	}
	return at, nil
}

// loadBars is the path through the bars of a span, the oldest first, in parts of the first open price.
func loadBars(file string, from, to time.Time) ([]point, error) {
	header, records, lines, err := rows(file, barsExpected)
	if err != nil {
		return nil, err
	}
	at, err := columns(file, barsExpected, header, "", "open", "high", "low", "close")
	if err != nil {
		return nil, err
	}
	var bars []bar
	for i, record := range records {
		b := bar{line: lines[i]}
		if b.at, err = barTime(record[at[0]]); err != nil {
			return nil, wrong(file, b.line, "%v", err)
		}
		if b.at.Before(from) || !b.at.Before(to) {
			continue
		}
		for k, price := range []*fixed.Money{&b.open, &b.high, &b.low, &b.close} {
			if *price, err = scenario.ParseMoney(record[at[k+1]]); err != nil || *price <= 0 || *price > 1<<50 {
				return nil, wrong(file, b.line, "%s is %q, expected a price above 0", header[at[k+1]], record[at[k+1]])
			}
		}
		if b.low > min(b.open, b.close) || b.high < max(b.open, b.close) {
			return nil, wrong(file, b.line, "open and close are not between low and high, expected a bar")
		}
		bars = append(bars, b)
	}
	slices.SortFunc(bars, func(a, b bar) int { return a.at.Compare(b.at) })
	length, err := regular(file, bars, from, to)
	if err != nil {
		return nil, err
	}
	return walkBars(bars, from, length), nil
}

// barTime reads the time of a bar.
func barTime(text string) (time.Time, error) {
	for _, layout := range []string{"2006-01-02 15:04:05", time.RFC3339} {
		if at, err := time.Parse(layout, text); err == nil { // a fraction of a second may follow either
			return at, nil
		}
	}
	return time.Time{}, fmt.Errorf("the time is %q, expected one in UTC as in 2020-03-12 10:00:00", text)
}

// regular is how long a bar is; the error names the first that is missing.
func regular(file string, bars []bar, from, to time.Time) (time.Duration, error) {
	if len(bars) < 2 {
		return 0, wrong(file, 1, "holds %d bars from %s to %s, expected at least two", len(bars), from.Format(moment), to.Format(moment))
	}
	length := bars[1].at.Sub(bars[0].at)
	for i := 1; i < len(bars); i++ {
		if d := bars[i].at.Sub(bars[i-1].at); d != length || d <= 0 {
			return 0, wrong(file, bars[i].line, "%s after the bar of %s, expected bars of equal length without a gap", d, bars[i-1].at.Format(moment))
		}
	}
	if bars[0].at.After(from) || bars[len(bars)-1].at.Add(length).Before(to) {
		return 0, wrong(file, bars[0].line, "the bars run from %s to %s, expected them to cover %s to %s", bars[0].at.Format(moment),
			bars[len(bars)-1].at.Add(length).Format(moment), from.Format(moment), to.Format(moment))
	}
	return length, nil
}

const moment = "2006-01-02 15:04"

// walkBars is the path through bars.
func walkBars(bars []bar, from time.Time, length time.Duration) (points []point) {
	first := bars[0].open
	add := func(at time.Time, price fixed.Money) {
		move, _ := fixed.MulDivFloor(int64(price), int64(fixed.One), int64(first))
		p := point{fixed.Nanos(at.Sub(from)), fixed.Rate(move) - fixed.One}
		if n := len(points); n > 0 && points[n-1].at == p.at { // the close of a bar, at the time of the next one's open
			points = points[:n-1]
		}
		points = append(points, p)
	}
	for _, b := range bars {
		near, far := b.high, b.low
		if b.close >= b.open {
			near, far = b.low, b.high
		}
		add(b.at, b.open)
		add(b.at.Add(length/3), near)
		add(b.at.Add(2*length/3), far)
		add(b.at.Add(length), b.close)
	}
	return points
}

// dayRate is the funding rate of a day, counted from 1970.
type dayRate struct {
	day  int64
	rate fixed.Rate
}

// scientific reads a rate that may have an exponent, as in 1e-04, toward zero.
func scientific(text string) (fixed.Rate, bool) {
	digits, exponent, has := strings.Cut(strings.ToLower(text), "e")
	if power, err := strconv.Atoi(exponent); has && (err != nil || power < -30 || power > 30) || len(digits) > 40 {
		return 0, false
	}
	r, ok := new(big.Rat).SetString(text)
	if !ok || strings.Contains(text, "/") {
		return 0, false
	}
	r.Mul(r, big.NewRat(int64(fixed.One), 1))
	whole := new(big.Int).Quo(r.Num(), r.Denom())
	return fixed.Rate(whole.Int64()), whole.IsInt64() && fixed.Abs(whole.Int64()) <= int64(fixed.One)
}

// loadRates reads funding rates by the day.
func loadRates(file string) (rates []dayRate, err error) {
	header, records, lines, err := rows(file, ratesExpected)
	if err != nil {
		return nil, err
	}
	at, err := columns(file, ratesExpected, header, "date", "funding_mean")
	if err != nil {
		return nil, err
	}
	for i, record := range records {
		day, err := time.Parse(time.DateOnly, record[at[0]])
		r, ok := scientific(record[at[1]])
		if err != nil || !ok {
			return nil, wrong(file, lines[i], "%q and %q, expected a date and a rate below 100%%", record[at[0]], record[at[1]])
		}
		rates = append(rates, dayRate{day.Unix() / 86_400, r})
	}
	slices.SortFunc(rates, func(a, b dayRate) int { return int(a.day - b.day) })
	return rates, nil
}
