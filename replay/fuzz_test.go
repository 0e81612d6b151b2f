package replay

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/big"
	"strings"
	"testing"
)

// Every parser takes any bytes: it never panics, what it refuses it refuses with a flaw that says what was expected, and
// what it takes it takes the same again when it is written out.

// flawed fails unless err is nil or a flaw in words.
func flawed(t *testing.T, err error) bool {
	t.Helper()
	if err == nil {
		return false
	}
	var f flaw
	if !errors.As(err, &f) || f.what == "" || f.want == "" {
		t.Fatalf("%v (%T), expected a flaw with what and want", err, err)
	}
	return true
}

func FuzzConsensus(f *testing.F) {
	for _, seed := range []string{"N,1,0,88,814347,33721", "C,814347", "M,5,6,7", "N,2,0,1,1,1", "C,", "M,1,0,1", "X,1", "", "N,0,1,99999999999999999999,1,1"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, line []byte) {
		var m, again ConsensusMessage
		if flawed(t, parseConsensus(line, &m)) {
			return
		}
		text := ""
		switch m.Kind {
		case ConsensusNew:
			ioc := 0
			if m.IOC {
				ioc = 1
			}
			text = fmt.Sprintf("N,%d,%d,%d,%d,%d", m.Side-1, ioc, m.Qty, m.Order, m.Price)
		case ConsensusCancel:
			text = fmt.Sprintf("C,%d", m.Order)
		case ConsensusModify:
			text = fmt.Sprintf("M,%d,%d,%d", m.Order, m.Qty, m.Price)
		}
		if err := parseConsensus([]byte(text), &again); err != nil || again != m {
			t.Fatalf("%q gives %+v, written out as %q it gives %+v, %v", line, m, text, again, err)
		}
	})
}

func FuzzLobster(f *testing.F) {
	for _, seed := range []string{"34200.004241176,1,16113575,18,5853300,1", "34200,5,0,10,5853350,-1", "1,7,0,0,-1,-1", "1.5,4,1,1,1,1", "1,1,1,1,100,0", "-1,1,1,1,100,1", "1,1,1,1,150,1", ",,,,,", "1e5,1,1,1,100,1"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, line []byte) {
		var m, again LobsterMessage
		if flawed(t, parseLobster(line, Step{1, 2}, &m)) {
			return
		}
		direction := 1
		if m.Side == 2 {
			direction = -1
		}
		text := fmt.Sprintf("%d.%09d,%d,%d,%d,%d,%d", m.Time/1e9, m.Time%1e9, m.Type, m.Order, m.Size, m.Price*100, direction)
		if err := parseLobster([]byte(text), Step{1, 2}, &again); err != nil || again != m {
			t.Fatalf("%q gives %+v, written out as %q it gives %+v, %v", line, m, text, again, err)
		}
	})
}

func FuzzLobsterRow(f *testing.F) {
	for _, seed := range []string{"5859400,200,5853300,18", "9999999999,0,-9999999999,0", "9999999999,0,5853300,18", "1,2,3", "5859450,200,5853300,18", "100,0,100,1"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, line []byte) {
		var row LobsterRow
		fields := make([][]byte, 4)
		if flawed(t, parseLobsterRow(line, Step{1, 2}, fields, &row)) {
			return
		}
		for _, l := range []Level{row.Asks[0], row.Bids[0]} {
			if l.Qty < 0 || (l.Qty == 0) != (l.Price == 0) {
				t.Fatalf("%q gives %+v", line, l)
			}
		}
	})
}

func FuzzMBO(f *testing.F) {
	const header = "ts_event,action,side,order_id,price_1e9,size,flags,sequence,ts_recv"
	for _, seed := range []string{"1,A,B,7,250000000,3,128,1,2", "1,R,N,0,,0,0,1,2", "1,F,N,7,250000000,3,0,1,2", "1,T,A,0,x,3,0,1,2", "1,A,N,7,250000000,3,0,1,2", "1,A,B,7,1,3,0,1,2", "1,C,B,7,,3,256,1,2", "1,AA,B,7,0,3,0,1,2", "x,A,B,7,250000000,3,0,1,2"} {
		f.Add([]byte(header), []byte(seed))
	}
	f.Add([]byte("action,side,order_id,price_1e9,size,flags"), []byte("A,A,9,-250000000,1,32"))
	f.Add([]byte("action,action,side,order_id,price_1e9,size,flags"), []byte(""))
	f.Fuzz(func(t *testing.T, header, line []byte) {
		layout, err := parseMBOHeader(header)
		if flawed(t, err) {
			return
		}
		var m MBORecord
		if flawed(t, parseMBO(line, &layout, make([][]byte, layout.width), Step{25, 2}, &m)) {
			return
		}
		switch m.Action {
		case MBOAdd, MBOModify:
			if m.Side == 0 || m.Order == 0 || m.Size == 0 {
				t.Fatalf("%q gives %+v", line, m)
			}
		case MBOCancel, MBOFill:
			if m.Order == 0 || m.Size == 0 {
				t.Fatalf("%q gives %+v", line, m)
			}
		case MBOClear, MBONone, MBOTrade:
		default:
			t.Fatalf("%q gives the action %q", line, m.Action)
		}
	})
}

func FuzzBinance(f *testing.F) {
	for _, seed := range []string{
		`1 {"stream":"btcusdt@depth@0ms","data":{"e":"depthUpdate","E":1,"T":2,"U":5,"u":7,"pu":4,"b":[["58710.20","0.014"]],"a":[["61800.30","0.000"]]}}`,
		`1 {"stream":"btcusdt@bookTicker","data":{"u":7,"s":"BTCUSDT","b":"61837.63","B":"3.78","a":"61837.64","A":"1.54"}}`,
		`1 {"stream":"btcusdt@trade","data":{"e":"trade","E":1,"T":1723161256322,"t":5,"p":"61800.30","q":"0.006","X":"MARKET","m":false,"M":true}}`,
		`1 {"lastUpdateId":5,"bids":[["1.00","1"]],"asks":[["2.00","1"]]}`,
		`1 {"stream":"x@aggTrade","data":{}}`, `1 {}`, `1 [`, `x {}`, ``, `1 {"stream":"b@depth","data":{"U":2,"u":1}}`,
		`1 {"stream":"b@trade","data":{"t":1,"p":"61800.305","q":"1"}}`, `1 {"stream":"b@bookTicker","data":null}`,
		`1 {"stream":"b@depth","data":{"U":1,"u":1,"b":[["1"]]}}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, line []byte) {
		r, ev := BinanceReader{Tick: Step{1, 2}, Lot: Step{1, 3}}, BinanceEvent{}
		if flawed(t, r.parse(line, &ev)) {
			return
		}
		for _, l := range append(ev.Bids, ev.Asks...) {
			if l.Price <= 0 || l.Qty < 0 {
				t.Fatalf("%q gives the level %+v", line, l)
			}
		}
		if ev.Kind == BinanceTrade && (ev.Qty <= 0 || ev.Price <= 0 || ev.Taker == 0 || ev.Trade == 0) || ev.Kind == BinanceDepth && ev.Last < ev.First {
			t.Fatalf("%q gives %+v", line, ev)
		}
	})
}

// FuzzDecimal compares with rational numbers of any size.
func FuzzDecimal(f *testing.F) {
	for _, seed := range []string{"10.50", "0", "-0.25", "61837.63000000", "1.", ".5", "9223372036854775807", "92233720368547758.07", "0.001", "--1", "1.2.3", "00001.50", "18446744073709551616"} {
		f.Add(seed, 2, int64(25))
	}
	f.Fuzz(func(t *testing.T, text string, places int, units int64) {
		if places < 0 || places > 9 || units < 1 || units > 1_000_000 {
			return
		}
		got, err := decimal([]byte(text), "number", places, units, -bound, bound)
		plain := text != "" && strings.Trim(text, "0123456789.-") == "" && strings.LastIndex(text, "-") < 1 && strings.Count(text, ".") < 2
		want, ok := new(big.Rat).SetString(text)
		if !plain || !ok || strings.HasSuffix(text, ".") || strings.HasPrefix(strings.TrimPrefix(text, "-"), ".") {
			if err == nil {
				t.Fatalf("%q is read as %d", text, got)
			}
			return
		}
		step := big.NewRat(units, 1)
		for range places {
			step.Quo(step, big.NewRat(10, 1))
		}
		count := new(big.Rat).Quo(want, step)
		if flawed(t, err) { // refused: off the step, out of range, or too long for 64 bits on the way
			whole, _, _ := strings.Cut(strings.TrimPrefix(text, "-"), ".")
			long := len(whole)+places > 18
			if count.IsInt() && !long && count.Num().CmpAbs(big.NewInt(bound)) <= 0 {
				t.Fatalf("%q in steps of %s is refused: %v", text, step, err)
			}
			return
		}
		if !count.IsInt() || count.Num().Cmp(big.NewInt(got)) != 0 {
			t.Fatalf("%q in steps of %s is read as %d, expected %s", text, step, got, count)
		}
	})
}

// FuzzSource reads any file to its end or to an InputError.
func FuzzSource(f *testing.F) {
	f.Add([]byte("a\nb\r\nc"))
	f.Add([]byte{0x1f, 0x8b})
	f.Add([]byte("BZh91AY&SY"))
	f.Add([]byte("\n\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		src, err := NewSource(bytes.NewReader(text), "f")
		for lines := 0; err == nil; lines++ {
			if lines > len(text)*1100+1 {
				t.Fatal("more lines than the bytes can hold")
			}
			_, err = src.Next()
		}
		var bad *InputError
		if err != io.EOF && !errors.As(err, &bad) {
			t.Fatalf("%v (%T)", err, err)
		}
	})
}
