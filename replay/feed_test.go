package replay

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/lockstep-exchange/lockstep/testdata"
)

func replayBinance(t *testing.T, text string) *Result {
	t.Helper()
	got, err := Binance{Files: []string{write(t, "r", text)}, Tick: Step{1, 1}, Lot: Step{1, 3}}.Replay(context.Background(), nil)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func TestBinanceBundledRecordingIsExact(t *testing.T) {
	got := replayBinance(t, string(testdata.Binance))
	if *got.Feed != (Feed{3_992, 4, 0, 3_433, 7_732}) || got.Messages != 15_162 || got.Compared != 3_992 || got.Missed() != 0 {
		t.Errorf("%+v %+v", *got, *got.Feed)
	}
}

// One wrong quantity in a ticker is one difference; a lost depth event is a gap and spoils what follows.
func TestBinanceDamagedRecordings(t *testing.T) {
	all, err := lines(NewSource(bytes.NewReader(testdata.Binance), BundledName))
	if err != nil {
		t.Fatal(err)
	}
	all = all[:4_000]
	tickers, depths := 0, 0
	wrong, lost := append([]string(nil), all...), []string(nil)
	for n, line := range all {
		if strings.Contains(line, "@bookTicker") {
			if tickers++; tickers == 300 {
				wrong[n] = strings.Replace(line, `"B":"`, `"B":"9`, 1)
			}
		}
		if strings.Contains(line, "@depth") {
			if depths++; depths == 300 {
				continue
			}
		}
		lost = append(lost, line)
	}
	if got := replayBinance(t, strings.Join(wrong, "\n")); got.Differ < 1 || got.Differ > 5 || got.Gaps != 0 || !strings.Contains(got.First, "by the ticker of update") {
		t.Errorf("a wrong ticker: %+v %+v", *got, *got.Feed)
	}
	if got := replayBinance(t, strings.Join(lost, "\n")); got.Gaps != 1 {
		t.Errorf("a lost depth event: %+v %+v", *got, *got.Feed)
	}
}

// binanceDay is a recording of depth events and tickers, from bid and ask levels as JSON.
func binanceDay(lines ...string) string {
	text := ""
	for i, line := range lines {
		text += fmt.Sprintf("%d %s\n", i+1, line)
	}
	return text
}

func TestBinanceRules(t *testing.T) {
	depth := func(first, last, previous int, bids, asks string) string {
		return fmt.Sprintf(`{"stream":"x@depth@0ms","data":{"U":%d,"u":%d,"pu":%d,"b":[%s],"a":[%s]}}`, first, last, previous, bids, asks)
	}
	ticker := func(update int, bid, ask string) string {
		b, a := strings.Split(bid, "@"), strings.Split(ask, "@")
		return fmt.Sprintf(`{"stream":"x@bookTicker","data":{"u":%d,"b":"%s","B":"%s","a":"%s","A":"%s"}}`, update, b[1], b[0], a[1], a[0])
	}
	const snapshot = `{"lastUpdateId":10,"bids":[["100.0","1"],["99.0","2"]],"asks":[["101.0","3"],["102.0","4"]]}`
	for _, c := range []struct {
		name             string
		lines            []string
		feed             Feed
		compared, differ int64
	}{
		{"older events are dropped", []string{depth(1, 5, 0, `["100.0","9"]`, ""), snapshot, depth(6, 12, 5, "", ""), ticker(12, "1@100.0", "3@101.0")},
			Feed{1, 1, 0, 1, 0}, 1, 0},
		{"events before the snapshot wait for it", []string{depth(8, 12, 7, `["100.0","5"]`, ""), ticker(12, "5@100.0", "3@101.0"), snapshot},
			Feed{1, 0, 0, 1, 0}, 1, 0},
		{"a gap is counted", []string{snapshot, depth(8, 12, 7, "", ""), depth(20, 21, 19, "", ""), ticker(12, "1@100.0", "3@101.0")},
			Feed{2, 0, 1, 1, 0}, 2, 0},
		{"the newest ticker that is not newer answers", []string{snapshot, ticker(13, "7@100.0", "3@101.0"), depth(8, 12, 7, "", ""), ticker(11, "1@100.0", "3@101.0"), ticker(9, "4@100.0", "3@101.0")},
			Feed{1, 0, 0, 3, 0}, 1, 0},
		{"an event older than all tickers is not compared", []string{snapshot, depth(8, 12, 7, "", ""), ticker(13, "1@100.0", "3@101.0")},
			Feed{1, 0, 0, 1, 0}, 0, 0},
		{"the market moves up through the other side", []string{snapshot, depth(8, 12, 7, `["101.0","6"],["100.0","0"]`, `["101.0","0"],["101.5","8"]`), ticker(12, "6@101.0", "8@101.5")},
			Feed{1, 0, 0, 1, 0}, 1, 0},
		{"a level goes that was not there", []string{snapshot, depth(8, 12, 7, `["50.0","0"]`, ""), ticker(12, "1@100.0", "3@101.0")},
			Feed{1, 0, 0, 1, 0}, 1, 0},
		{"a difference is counted", []string{snapshot, depth(8, 12, 7, `["100.0","2"]`, ""), ticker(12, "1@100.0", "3@101.0")},
			Feed{1, 0, 0, 1, 0}, 1, 1},
		{"trades are counted", []string{snapshot, depth(8, 12, 7, "", ""), `{"stream":"x@trade","data":{"t":1,"p":"100.0","q":"1","m":true}}`, `{"stream":"x@other","data":{}}`},
			Feed{1, 0, 0, 0, 1}, 0, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := replayBinance(t, binanceDay(c.lines...))
			if *got.Feed != c.feed || got.Compared != c.compared || got.Differ != c.differ || got.Refused != 0 {
				t.Errorf("%+v %+v, expected %+v, %d compared, %d differ", *got, *got.Feed, c.feed, c.compared, c.differ)
			}
		})
	}
}

// A book that stands crossed is none that the engine would have: the level is refused, and that is said.
func TestBinanceCrossedBookIsRefused(t *testing.T) {
	got := replayBinance(t, binanceDay(`{"lastUpdateId":10,"bids":[["100.0","1"]],"asks":[["99.0","3"]]}`))
	if got.Refused != 1 || got.Missed() != 1 || !strings.Contains(got.First, "WouldCross") {
		t.Errorf("%+v", *got)
	}
}
