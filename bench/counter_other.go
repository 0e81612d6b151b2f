//go:build !amd64

package bench

import "time"

var counterStart = time.Now()

// counter is the monotonic clock, in nanoseconds since the process began.
func counter() uint64 { return uint64(time.Since(counterStart)) }

const hasCounter = false
