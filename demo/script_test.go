package demo

import (
	"errors"
	"reflect"
	"testing"

	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/msg"
	"github.com/lockstep-exchange/lockstep/replay"
)

// TestScriptIsAFunction: equal recordings and options give equal commands, and time never runs back in them.
func TestScriptIsAFunction(t *testing.T) {
	a, b := scriptOf(t, 300, 1), scriptOf(t, 300, 1)
	if !reflect.DeepEqual(a, b) {
		t.Error("two scripts of one recording differ")
	}
	for i := range a.requests[1:] {
		if a.requests[i+1].Time < a.requests[i].Time {
			t.Fatalf("request %d is due before the one in front of it", i+1)
		}
	}
	if c := scriptOf(t, 300, 2); reflect.DeepEqual(a.requests, c.requests) {
		t.Error("another seed gives the same script")
	}
}

// lots is a level of a recorded message.
func lots(price fixed.Ticks, qty fixed.Lots) replay.Level {
	return replay.Level{Price: price, Qty: qty}
}

// smallDay is a recording to be read with the eyes: the ask at 101 is bought, then the market moves through 101.
func smallDay() *day {
	const start = 1_000 * fixed.Second
	return &day{
		events: []replay.BinanceEvent{
			{Kind: replay.BinanceSnapshot, Time: start, Last: 1,
				Bids: []replay.Level{lots(100, 5), lots(99, 7)}, Asks: []replay.Level{lots(101, 4), lots(102, 6)}},
			{Kind: replay.BinanceTrade, Time: start + 10*fixed.Millisecond, Price: 101, Qty: 3, Taker: msg.Buy},
			{Kind: replay.BinanceDepth, Time: start + 20*fixed.Millisecond, Last: 2, // it has not heard of the trade
				Bids: []replay.Level{lots(100, 6)}},
			{Kind: replay.BinanceDepth, Time: start + 250*fixed.Millisecond, Last: 4,
				Bids: []replay.Level{lots(101, 2), lots(100, 0)}, Asks: []replay.Level{lots(101, 0)}},
		},
		tickers: []quote{
			{update: 1, bid: lots(100, 5), ask: lots(101, 4)},
			{update: 2, bid: lots(100, 6), ask: lots(101, 4)},
			{update: 3, bid: lots(101, 2), ask: lots(102, 6)},
		},
	}
}

func TestSmallDay(t *testing.T) {
	s, err := write(smallDay(), 1, 1)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, r := range s.requests[s.opening:] {
		switch r.Kind {
		case msg.KindReport:
			got = append(got, "report")
		case msg.KindLimit:
			if r.TIF == msg.IOC {
				got = append(got, "trade")
			} else {
				got = append(got, "place")
			}
		case msg.KindAmend:
			got = append(got, "amend")
		case msg.KindCancel:
			got = append(got, "cancel")
		}
	}
	// Two prices grow: the bid that is told of, and the ask that the trade took from. Then reports at 100 ms and 200 ms. Then
	// the bid at 100 goes, all orders of it, and the ask at 101, before there is a bid at 101.
	grew := 0
	for _, word := range got[1:3] {
		if word == "place" || word == "amend" {
			grew++
		}
	}
	if len(got) < 8 || got[0] != "trade" || grew != 2 || got[3] != "report" || got[4] != "report" || got[len(got)-1] != "place" {
		t.Errorf("commands %v", got)
	}
	for _, word := range got[5 : len(got)-1] {
		if word != "cancel" {
			t.Errorf("commands %v: expected that all is canceled before the market moves", got)
		}
	}
	p := playOf(t, s, Options{Max: true, Accounts: 1, Seed: 1})
	if p.Flow.Traded != "0.003" || p.Flow.Trades == 0 {
		t.Errorf("traded %s in %d trades, expected 0.003", p.Flow.Traded, p.Flow.Trades)
	}
	if len(s.quotes) != 3 {
		t.Errorf("%d quotes, expected 3", len(s.quotes))
	}
}

// TestExpectTakesTheTickerBefore: a depth message is answered by the ticker of the largest update that is not above its own.
func TestExpectTakesTheTickerBefore(t *testing.T) {
	s := &script{quotes: []quote{{update: 4}, {update: 5}, {update: 7}, {update: 9}}}
	s.expect([]quote{{update: 5, bid: lots(5, 1)}, {update: 8, bid: lots(8, 1)}})
	var got []fixed.Ticks
	for _, q := range s.quotes {
		got = append(got, q.bid.Price)
	}
	if !reflect.DeepEqual(got, []fixed.Ticks{5, 5, 8}) {
		t.Errorf("answers %v, expected 5 5 8: nothing answers update 4", got)
	}
}

func TestScriptNeedsSomethingToHappen(t *testing.T) {
	d := smallDay()
	d.events = d.events[:1]
	var usage *UsageError
	if _, err := write(d, 1, 1); !errors.As(err, &usage) {
		t.Errorf("error %v, expected a *UsageError", err)
	}
}

// TestTextOfNumbers holds how numbers are written.
func TestTextOfNumbers(t *testing.T) {
	for _, c := range []struct{ got, want string }{
		{group(0), "0"}, {group(999), "999"}, {group(1000), "1,000"}, {group(-1234567), "-1,234,567"},
		{commas("1234.5678"), "1,234.5678"}, {btc(-1), "-0.001"}, {btc(1234567), "1234.567"},
		{cents("-1234.567891"), "-1234.56"}, {signed("-1234.56"), "-1,234.56"}, {signed("0.10"), "+0.10"},
		{usdt(617002), "61700.2"},
	} {
		if c.got != c.want {
			t.Errorf("%q, expected %q", c.got, c.want)
		}
	}
}
