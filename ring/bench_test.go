package ring

import (
	"cmp"
	"runtime"
	"slices"
	"strconv"
	"testing"
	"time"
)

// Two threads, pinned to two cores where that is allowed. Variants take turns in short rounds inside one run, and the
// figures are medians over rounds, so that what else the machine does hits all of them alike; "quiet" is the fastest tenth.
// Ratios are of medians, to the first variant.

// variant is one way to do the same: run does n operations and says how long they took.
type variant struct {
	name string
	run  func(n int) time.Duration
}

// compare runs the variants round after round and reports medians in ns an operation.
func compare(b *testing.B, operations int, variants ...variant) {
	times := make([][]float64, len(variants))
	for b.Loop() {
		for i, v := range variants {
			times[i] = append(times[i], float64(v.run(operations).Nanoseconds())/float64(operations))
		}
	}
	b.ReportMetric(0, "ns/op") // the sum over all variants says nothing
	var base float64
	for i, v := range variants {
		slices.SortFunc(times[i], cmp.Compare[float64])
		median := times[i][len(times[i])/2]
		if i == 0 {
			base = median
		}
		b.ReportMetric(median, v.name+"-ns")
		b.ReportMetric(times[i][len(times[i])/10], v.name+"-quiet-ns")
		b.ReportMetric(median/base, v.name+"-ratio")
	}
}

// duet is this thread on one core and another on the next one.
type duet struct{ far chan func() }

// newDuet pins both threads. It skips where two threads cannot spin at once.
func newDuet(b *testing.B) *duet {
	if runtime.GOMAXPROCS(0) < 2 || runtime.NumCPU() < 2 {
		b.Skip("two threads that spin need two cores")
	}
	d := &duet{make(chan func())}
	pin(0)
	go func() {
		pin(1) // the thread ends with the goroutine
		for far := range d.far {
			far()
			d.far <- nil
		}
	}()
	b.Cleanup(func() { close(d.far) })
	return d
}

// time runs near here and far there and times near.
func (d *duet) time(near, far func()) time.Duration {
	d.far <- far
	start := time.Now()
	near()
	elapsed := time.Since(start)
	<-d.far
	return elapsed
}

// sum is what consumers add up, so that every record is read and not only counted.
var sum uint64

// await spins until a record is there.
func await(l *Lane[body]) *body {
	for {
		if r := l.Next(); r != nil {
			return r
		}
		Pause()
	}
}

func awaitCursor(l *cursorLane[body]) *body {
	for {
		if r := l.Next(); r != nil {
			return r
		}
		Pause()
	}
}

// BenchmarkRoundTrip is one record there and one back, closed loop: the R of every latency goal is its word variant.
func BenchmarkRoundTrip(b *testing.B) {
	d := newDuet(b)
	there, back := lane(b, 64), lane(b, 64)
	cursorThere, cursorBack := newCursorLane[body](64), newCursorLane[body](64)
	compare(b, 200,
		variant{"word", func(n int) time.Duration {
			return d.time(func() {
				for i := range n {
					there.Claim().Number = uint64(i)
					there.Publish()
					if r := await(back); r.Number != uint64(i) {
						b.Errorf("want record %d, got %d", i, r.Number)
					}
					back.Release()
				}
			}, func() {
				for range n {
					r := await(there)
					back.Claim().Number = r.Number
					there.Release()
					back.Publish()
				}
			})
		}},
		variant{"cursor", func(n int) time.Duration {
			return d.time(func() {
				for i := range n {
					cursorThere.Claim().Number = uint64(i)
					cursorThere.Publish()
					if r := awaitCursor(cursorBack); r.Number != uint64(i) {
						b.Errorf("want record %d, got %d", i, r.Number)
					}
					cursorBack.Release()
				}
			}, func() {
				for range n {
					r := awaitCursor(cursorThere)
					cursorBack.Claim().Number = r.Number
					cursorThere.Release()
					cursorBack.Publish()
				}
			})
		}})
}

// drain takes n records.
func drain(l *Lane[body], n int) func() {
	return func() {
		for got := 0; got < n; l.Release() {
			for range 32 {
				r := l.Next()
				if r == nil {
					Pause()
					break
				}
				sum += r.Number
				got++
			}
		}
	}
}

// BenchmarkThroughput sends one way, published singly and in batches.
func BenchmarkThroughput(b *testing.B) {
	for _, batch := range []int{1, 8, 32} {
		b.Run("batch="+strconv.Itoa(batch), func(b *testing.B) {
			d := newDuet(b)
			word, late, each, cursor := lane(b, 1024), lane(b, 1024), lane(b, 1024), newCursorLane[body](1024)
			compare(b, 32*100,
				variant{"word", func(n int) time.Duration {
					return d.time(drain(word, n), func() {
						for i := 0; i < n; word.Publish() {
							for range batch {
								r := word.Claim()
								if r == nil {
									Pause()
									break
								}
								r.fill(1, uint64(i))
								i++
							}
						}
					})
				}},
				variant{"late", func(n int) time.Duration {
					return d.time(drain(late, n), func() {
						for i := 0; i < n; late.publishLate() {
							for range batch {
								r := late.claimBare()
								if r == nil {
									Pause()
									break
								}
								r.fill(1, uint64(i))
								i++
							}
						}
					})
				}},
				variant{"each", func(n int) time.Duration {
					return d.time(drain(each, n), func() {
						for i := 0; i < n; each.publishEach() {
							for range batch {
								r := each.claimBare()
								if r == nil {
									Pause()
									break
								}
								r.fill(1, uint64(i))
								i++
							}
						}
					})
				}},
				variant{"cursor", func(n int) time.Duration {
					return d.time(func() {
						for got := 0; got < n; cursor.Release() {
							for range 32 {
								r := cursor.Next()
								if r == nil {
									Pause()
									break
								}
								sum += r.Number
								got++
							}
						}
					}, func() {
						for i := 0; i < n; cursor.Publish() {
							for range batch {
								r := cursor.Claim()
								if r == nil {
									Pause()
									break
								}
								r.fill(1, uint64(i))
								i++
							}
						}
					})
				}})
		})
	}
}

// BenchmarkInline is the work of both sides on one thread, as in inline mode: no line moves between cores.
func BenchmarkInline(b *testing.B) {
	for _, batch := range []int{1, 32} {
		b.Run("batch="+strconv.Itoa(batch), func(b *testing.B) {
			pin(0)
			word, late, each, cursor := lane(b, 64), lane(b, 64), lane(b, 64), newCursorLane[body](64)
			timed := func(round func()) func(int) time.Duration {
				return func(n int) time.Duration {
					start := time.Now()
					for range n / batch {
						round()
					}
					return time.Since(start)
				}
			}
			compare(b, 32*30,
				variant{"word", timed(func() {
					for range batch {
						word.Claim().Number++
					}
					word.Publish()
					for range batch {
						sum += word.Next().Number
					}
					word.Release()
				})},
				variant{"late", timed(func() {
					for range batch {
						late.claimBare().Number++
					}
					late.publishLate()
					for range batch {
						sum += late.Next().Number
					}
					late.Release()
				})},
				variant{"each", timed(func() {
					for range batch {
						each.claimBare().Number++
					}
					each.publishEach()
					for range batch {
						sum += each.Next().Number
					}
					each.Release()
				})},
				variant{"cursor", timed(func() {
					for range batch {
						cursor.Claim().Number++
					}
					cursor.Publish()
					for range batch {
						sum += cursor.Next().Number
					}
					cursor.Release()
				})})
		})
	}
}

// fan is a fan-in of count lanes with bells, or polled one by one whatever their number.
func fan(b *testing.B, count int, rung bool) ([]*Lane[body], *FanIn[body]) {
	lanes := lanesOf(b, count, 64)
	f := &FanIn[body]{lanes: lanes, take: 16}
	if rung {
		f.hang()
	}
	return lanes, f
}

// BenchmarkSilence is one look at lanes that have nothing.
func BenchmarkSilence(b *testing.B) {
	for _, count := range []int{1, 4, 16, 64, 256} {
		b.Run("lanes="+strconv.Itoa(count), func(b *testing.B) {
			pin(0)
			_, polled := fan(b, count, false)
			_, rung := fan(b, count, true)
			look := func(f *FanIn[body]) func(int) time.Duration {
				return func(n int) time.Duration {
					start := time.Now()
					for range n {
						f.Next()
					}
					return time.Since(start)
				}
			}
			compare(b, 200, variant{"polled", look(polled)}, variant{"rung", look(rung)})
		})
	}
}

// BenchmarkFanInRoundTrip sends each record by another lane of a fan-in and gets the answer by a lane: what the bells
// cost the one who waits.
func BenchmarkFanInRoundTrip(b *testing.B) {
	for _, count := range []int{16, 64, 128, 256} {
		b.Run("lanes="+strconv.Itoa(count), func(b *testing.B) {
			d := newDuet(b)
			trip := func(rung bool) func(int) time.Duration {
				lanes, f := fan(b, count, rung)
				back := lane(b, 64)
				return func(n int) time.Duration {
					return d.time(func() {
						for i := range n {
							l := lanes[i*7%count]
							l.Claim().Number = uint64(i)
							l.Publish()
							if r := await(back); r.Number != uint64(i) {
								b.Errorf("want record %d, got %d", i, r.Number)
							}
							back.Release()
						}
					}, func() {
						for range n {
							r := f.Next()
							for r == nil {
								Pause()
								r = f.Next()
							}
							back.Claim().Number = r.Number
							back.Publish()
						}
						f.Release()
					})
				}
			}
			compare(b, 200, variant{"polled", trip(false)}, variant{"rung", trip(true)})
		})
	}
}

// BenchmarkFanInThroughput sends every record by another lane, published singly: what the bells cost both sides.
func BenchmarkFanInThroughput(b *testing.B) {
	for _, count := range []int{16, 64, 128, 256} {
		b.Run("lanes="+strconv.Itoa(count), func(b *testing.B) {
			d := newDuet(b)
			flow := func(rung bool) func(int) time.Duration {
				lanes, f := fan(b, count, rung)
				return func(n int) time.Duration {
					return d.time(func() {
						for got := 0; got < n; {
							r := f.Next()
							if r == nil {
								Pause()
								continue
							}
							sum += r.Number
							got++
						}
						f.Release()
					}, func() {
						for i := 0; i < n; {
							l := lanes[i*7%count]
							r := l.Claim()
							if r == nil {
								Pause()
								continue
							}
							r.Number = uint64(i)
							l.Publish()
							i++
						}
					})
				}
			}
			compare(b, 2000, variant{"polled", flow(false)}, variant{"rung", flow(true)})
		})
	}
}

// report is a record of two lines, as an event is; who fills and reads it touches the first only.
type report struct {
	body
	_ [9]uint64
}

// BenchmarkOut is one record there by a lane and one back by a ring, closed loop: command to event without an engine.
func BenchmarkOut(b *testing.B) {
	d := newDuet(b)
	there, thereCursor := lane(b, 64), lane(b, 64)
	out, err := NewRing[report](1024)
	if err != nil {
		b.Fatal(err)
	}
	reader, cursor := out.Reader(true), newCursorRing[report](1024)
	compare(b, 200,
		variant{"word", func(n int) time.Duration {
			return d.time(func() {
				for i := range n {
					there.Claim().fill(1, uint64(i))
					there.Publish()
					e := reader.Next()
					for e == nil {
						Pause()
						e = reader.Next()
					}
					if !e.check(1, uint64(i)) {
						b.Errorf("want record %d, got %d", i, e.Number)
					}
					reader.Release()
				}
			}, func() {
				for range n {
					r := await(there)
					out.Claim().fill(1, r.Number)
					out.Publish()
					there.Release()
				}
			})
		}},
		variant{"cursor", func(n int) time.Duration {
			return d.time(func() {
				for i := range n {
					thereCursor.Claim().fill(1, uint64(i))
					thereCursor.Publish()
					e := cursor.Next()
					for e == nil {
						Pause()
						e = cursor.Next()
					}
					if !e.check(1, uint64(i)) {
						b.Errorf("want record %d, got %d", i, e.Number)
					}
					cursor.Release()
				}
			}, func() {
				for range n {
					r := await(thereCursor)
					cursor.Claim().fill(1, r.Number)
					cursor.Publish()
					thereCursor.Release()
				}
			})
		}})
}

// BenchmarkRing is the producer of a ring with one required reader on another core, published singly and in batches,
// without and with an optional reader that nobody reads.
func BenchmarkRing(b *testing.B) {
	for _, batch := range []int{1, 32} {
		b.Run("batch="+strconv.Itoa(batch), func(b *testing.B) {
			d := newDuet(b)
			flow := func(optional bool) func(int) time.Duration {
				r, err := NewRing[report](1024)
				if err != nil {
					b.Fatal(err)
				}
				reader := r.Reader(true)
				if optional {
					r.Reader(false)
				}
				return func(n int) time.Duration {
					return d.time(func() {
						for got := 0; got < n; reader.Release() {
							for range 32 {
								e := reader.Next()
								if e == nil {
									Pause()
									break
								}
								sum += e.Sum
								got++
							}
						}
					}, func() {
						for i := 0; i < n; r.Publish() {
							for range batch {
								e := r.Claim()
								if e == nil {
									Pause()
									break
								}
								e.fill(1, uint64(i))
								i++
							}
						}
					})
				}
			}
			cursor := newCursorRing[report](1024)
			compare(b, 32*100, variant{"word", flow(false)}, variant{"with-optional", flow(true)},
				variant{"cursor", func(n int) time.Duration {
					return d.time(func() {
						for got := 0; got < n; cursor.Release() {
							for range 32 {
								e := cursor.Next()
								if e == nil {
									Pause()
									break
								}
								sum += e.Sum
								got++
							}
						}
					}, func() {
						for i := 0; i < n; cursor.Publish() {
							for range batch {
								e := cursor.Claim()
								if e == nil {
									Pause()
									break
								}
								e.fill(1, uint64(i))
								i++
							}
						}
					})
				}})
		})
	}
}

// BenchmarkPause is the price of one look less.
func BenchmarkPause(b *testing.B) {
	for b.Loop() {
		Pause()
	}
}
