package replay

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/msg"
)

// BinanceKind is what a line of a Binance recording carries.
type BinanceKind uint8

// The kinds of line.
const (
	BinanceOther    BinanceKind = iota // a stream that is not read
	BinanceSnapshot                    // the levels of both sides at update id Last
	BinanceDepth                       // the levels that changed from update First to Last: new absolute quantities
	BinanceTicker                      // the best bid and ask at update id Last
	BinanceTrade                       // a trade
)

// BinanceEvent is one line of a recording of Binance's web-socket streams and its REST depth snapshot. What the kind does
// not carry is zero. The slices are valid until the next Read into the same event.
type BinanceEvent struct {
	Kind        BinanceKind
	Perpetual   bool        // a futures stream: Previous links the depth events
	Time        fixed.Nanos // when the line was received
	First, Last uint64      // update ids; a snapshot and a ticker have Last alone
	Previous    uint64      // depth of futures: Last of the depth event before
	Bids, Asks  []Level     // of a ticker the best alone
	Trade       uint64      // trade id
	Price       fixed.Ticks // of a trade
	Qty         fixed.Lots
	Taker       msg.Side // the aggressor's side
}

// BinanceReader reads a recording as nkaz001/hftbacktest's collector writes it: each line is the local time in
// nanoseconds, a space, and the message. Prices must lie on Tick and quantities on Lot.
type BinanceReader struct {
	*Source
	Tick, Lot Step
}

// OpenBinance reads a recording from r, plain, gzip or bzip2; name stands for it in errors, which are *InputError.
func OpenBinance(r io.Reader, name string, tick, lot Step) (*BinanceReader, error) {
	src, err := NewSource(r, name)
	if err != nil {
		return nil, err
	}
	return &BinanceReader{Source: src, Tick: tick, Lot: lot}, nil
}

// Read fills ev with the next event. The error is io.EOF at the end, else an *InputError.
func (r *BinanceReader) Read(ev *BinanceEvent) error {
	line, err := r.Next()
	if err != nil {
		return err
	}
	if err := r.parse(line, ev); err != nil {
		return r.At(err)
	}
	return nil
}

// parse reads a line: time, space, message.
func (r *BinanceReader) parse(line []byte, ev *BinanceEvent) error {
	*ev = BinanceEvent{Bids: ev.Bids[:0], Asks: ev.Asks[:0]}
	stamp, body, found := bytes.Cut(line, []byte{' '})
	if !found {
		return flaw{"no space in " + quote(line), "the time in nanoseconds, a space and a JSON object"}
	}
	time, err := integer(stamp, "time", 1, fixed.MaxInt64)
	if err != nil {
		return err
	}
	ev.Time = fixed.Nanos(time)

	var m struct {
		Stream       string
		Data         json.RawMessage
		LastUpdateID uint64 `json:"lastUpdateId"`
		Bids, Asks   [][2]string
	}
	if err := object(body, &m); err != nil {
		return err
	}
	_, stream, _ := strings.Cut(m.Stream, "@")
	switch {
	case m.Stream == "" && m.LastUpdateID > 0:
		ev.Kind, ev.Last = BinanceSnapshot, m.LastUpdateID
		return r.sides(m.Bids, m.Asks, ev)
	case m.Stream == "":
		return flaw{"a message of no stream", "stream and data, or a snapshot with lastUpdateId"}
	case stream == "depth" || strings.HasPrefix(stream, "depth@"):
		return r.depth(m.Data, ev)
	case stream == "bookTicker":
		return r.ticker(m.Data, ev)
	case stream == "trade":
		return r.trade(m.Data, ev)
	}
	return nil
}

// object decodes one JSON object.
func object(text []byte, into any) error {
	if err := json.Unmarshal(text, into); err != nil {
		return flaw{"the JSON does not decode: " + err.Error(), "an object as the exchange sends it"}
	}
	return nil
}

func (r *BinanceReader) depth(data []byte, ev *BinanceEvent) error {
	var d struct {
		First    uint64      `json:"U"`
		Last     uint64      `json:"u"`
		Previous *uint64     `json:"pu"`
		Bids     [][2]string `json:"b"`
		Asks     [][2]string `json:"a"`
	}
	if err := object(data, &d); err != nil {
		return err
	}
	if d.First == 0 || d.Last < d.First {
		return flaw{fmt.Sprintf("depth from update %d to %d", d.First, d.Last), "U and u in order"}
	}
	ev.Kind, ev.First, ev.Last = BinanceDepth, d.First, d.Last
	if ev.Perpetual = d.Previous != nil; ev.Perpetual {
		ev.Previous = *d.Previous
	}
	return r.sides(d.Bids, d.Asks, ev)
}

func (r *BinanceReader) ticker(data []byte, ev *BinanceEvent) error {
	var d struct { // b and B are told apart by their case only, so both are named
		Last   uint64 `json:"u"`
		Bid    string `json:"b"`
		BidQty string `json:"B"`
		Ask    string `json:"a"`
		AskQty string `json:"A"`
	}
	if err := object(data, &d); err != nil {
		return err
	}
	if d.Last == 0 {
		return flaw{"a ticker of update 0", "u above 0"}
	}
	ev.Kind, ev.Last = BinanceTicker, d.Last
	return r.sides([][2]string{{d.Bid, d.BidQty}}, [][2]string{{d.Ask, d.AskQty}}, ev)
}

func (r *BinanceReader) trade(data []byte, ev *BinanceEvent) error {
	var d struct { // T and M are named so that they are not taken for t and m
		Trade  uint64          `json:"t"`
		At     json.RawMessage `json:"T"`
		Price  string          `json:"p"`
		Qty    string          `json:"q"`
		Maker  bool            `json:"m"`
		Ignore json.RawMessage `json:"M"`
	}
	if err := object(data, &d); err != nil {
		return err
	}
	level, err := r.level([2]string{d.Price, d.Qty}, 1)
	if err != nil {
		return err
	}
	if d.Trade == 0 {
		return flaw{"a trade of id 0", "t above 0"}
	}
	ev.Kind, ev.Trade, ev.Price, ev.Qty, ev.Taker = BinanceTrade, d.Trade, level.Price, level.Qty, msg.Buy
	if d.Maker { // the buyer was the maker
		ev.Taker = msg.Sell
	}
	return nil
}

// sides reads the levels of both sides.
func (r *BinanceReader) sides(bids, asks [][2]string, ev *BinanceEvent) error {
	for _, text := range bids {
		level, err := r.level(text, 0)
		if err != nil {
			return err
		}
		ev.Bids = append(ev.Bids, level)
	}
	for _, text := range asks {
		level, err := r.level(text, 0)
		if err != nil {
			return err
		}
		ev.Asks = append(ev.Asks, level)
	}
	return nil
}

// level reads a price and a quantity of at least least lots.
func (r *BinanceReader) level(text [2]string, least int64) (Level, error) {
	price, err := r.Tick.count([]byte(text[0]), "price", 1, bound)
	if err != nil {
		return Level{}, err
	}
	qty, err := r.Lot.count([]byte(text[1]), "quantity", least, bound)
	return Level{fixed.Ticks(price), fixed.Lots(qty)}, err
}
