package ring

import "testing"

// TestPrefetchChangesNothing holds that a word is the same after it was asked for, and that nobody has to know whether there is one.
func TestPrefetchChangesNothing(t *testing.T) {
	word := int64(7)
	Prefetch(&word)
	Prefetch(nil)
	if word != 7 {
		t.Errorf("the word is %d, expected 7", word)
	}
	if n := testing.AllocsPerRun(100, func() { Prefetch(&word) }); n != 0 {
		t.Errorf("%v allocations, expected 0", n)
	}
}
