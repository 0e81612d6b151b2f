package gateway

import "github.com/lockstep-exchange/lockstep/fixed"

// How fast a session may speak (W-46, W-47). Each class of messages draws from a bucket of its own, so that orders never starve cancels. A
// bucket that is empty refuses (first tier); who goes on at more than twice the rate for three seconds is shown out (second tier).
// Buckets run on ingress time.

// Rate is messages a second in the long run, and how many at once.
type Rate struct{ Second, Burst int64 }

// Rates are those of a session; zero fields take their defaults.
type Rates struct {
	Orders  Rate // new orders and replaces: 5,000 a second, 1,000 at once
	Cancels Rate // cancels and mass cancels: four times as many
	Quotes  Rate // mass quotes: 500, 100
	Entries Rate // their entries: 8,000, 1,600
	Queries Rate // order status and what-if: 50, 50
	Control Rate // what else there is, but for blocking entry, which nothing holds up: 50, 50
}

// complete fills in the defaults.
func (r *Rates) complete() {
	or := func(rate *Rate, second, burst int64) {
		if rate.Second == 0 {
			rate.Second = second
		}
		if rate.Burst == 0 {
			rate.Burst = burst
		}
	}
	or(&r.Orders, 5_000, 1_000)
	or(&r.Cancels, 4*r.Orders.Second, 4*r.Orders.Burst)
	or(&r.Quotes, 500, 100)
	or(&r.Entries, 8_000, 1_600)
	or(&r.Queries, 50, 50)
	or(&r.Control, 50, 50)
}

// bucket is one of a session's. tokens is when the next message would come if its sender kept to the rate.
type bucket struct {
	tokens  fixed.Nanos
	window  fixed.Nanos // when the second began that is counted
	count   int64       // messages in it, refused ones too
	strikes int         // seconds in a row that had more than twice the rate
}

// strikesMax is how many seconds of more than twice the rate end a connection.
const strikesMax = 3

// take takes n tokens. wait above 0 is the time until they are there: then none is taken. flood says that the sender does not heed.
func (b *bucket) take(now fixed.Nanos, n int64, r Rate) (wait fixed.Nanos, flood bool) {
	if now-b.window >= fixed.Second {
		if b.count > 2*r.Second && now-b.window < 2*fixed.Second {
			b.strikes++
		} else {
			b.strikes = 0
		}
		b.window, b.count = now, 0
	}
	b.count += n
	gap := max(fixed.Second/fixed.Nanos(r.Second), 1)
	next := max(b.tokens, now)
	if ahead := next - now - fixed.Nanos(r.Burst-n)*gap; ahead > 0 {
		return ahead, b.strikes >= strikesMax
	}
	b.tokens = next + fixed.Nanos(n)*gap
	return 0, b.strikes >= strikesMax
}
