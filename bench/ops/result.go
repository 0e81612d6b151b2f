package ops

import "fmt"

// The result of a replay: how many trades, how many lots, and a checksum over
// every trade in order, all computed from what the engine under test reports.
//
//	x = taker*A ^ maker*B ^ price*C ^ qty*D        modulo 2^64, ids of the stream
//	h = (h ^ x) * P                                h starts at Empty

// Sum is the checksum of a list of trades.
type Sum uint64

// Empty is the checksum of no trade.
const Empty Sum = 0xcbf29ce484222325

// Add returns the checksum after one more trade. The ids are those of the
// stream, price is in ticks, qty in lots.
func (h Sum) Add(taker, maker uint64, price int64, qty uint64) Sum {
	x := taker*0x9E3779B97F4A7C15 ^ maker*0xC2B2AE3D27D4EB4F ^ uint64(price)*0x165667B19E3779F9 ^ qty*0xD6E8FEB86659FD93
	return (h ^ Sum(x)) * 0x100000001b3
}

// String returns 16 lower-case hexadecimal digits.
func (h Sum) String() string { return fmt.Sprintf("%016x", uint64(h)) }

// Result is what an engine reports of a stream. A replay starts from NoTrades.
type Result struct {
	Trades uint64
	Volume uint64 // lots
	Sum    Sum
}

// NoTrades is the result before the first trade.
func NoTrades() Result { return Result{Sum: Empty} }

// Trade counts one trade. It is the sink of every driver, so that its cost is
// the same for all of them.
func (r *Result) Trade(taker, maker uint64, price int64, qty uint64) {
	r.Trades++
	r.Volume += qty
	r.Sum = r.Sum.Add(taker, maker, price, qty)
}

// String returns the three figures in the words of the reports.
func (r Result) String() string {
	return fmt.Sprintf("trades=%d volume=%d checksum=%v", r.Trades, r.Volume, r.Sum)
}

// Check returns nil when got is what the stream asks for, or when the stream is
// blind; else an error that names both.
func (s *Stream) Check(got Result) error {
	if s.Blind() || got == s.Want {
		return nil
	}
	return fmt.Errorf("result differs: %v, the stream says %v", got, s.Want)
}
