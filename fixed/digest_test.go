package fixed_test

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/lockstep-exchange/lockstep/fixed"
)

func digest(words ...uint64) uint64 {
	var d fixed.Digest
	for _, w := range words {
		d.Word(w)
	}
	return d.Sum()
}

// Hashes stand in journals, so the function may not change: these are its values. // A-17
func TestDigestGolden(t *testing.T) {
	for _, c := range []struct {
		words []uint64
		want  uint64
	}{
		{nil, 0x0},
		{[]uint64{0}, 0x5842C076F74581F5},
		{[]uint64{0, 0}, 0x02D351714DA1F5E4},
		{[]uint64{1}, 0xEB44D21D0F063372},
		{[]uint64{1, 2, 3}, 0x896DBDE409E2ACB2},
		{[]uint64{1<<64 - 1, 1 << 63, 0x0123456789ABCDEF}, 0x7F93EF463407DA1C},
	} {
		if got := digest(c.words...); got != c.want {
			t.Errorf("digest of %#x is %#x, want %#x", c.words, got, c.want)
		}
	}
}

// So may this one not.
func TestFourGolden(t *testing.T) {
	for _, c := range []struct{ a, b, c, e, want uint64 }{
		{0, 0, 0, 0, 0xC8C555E7541AF620},
		{1, 2, 3, 4, 0x38C8C840168AEE84},
		{1<<64 - 1, 1 << 63, 0x0123456789ABCDEF, 1, 0x3521DE653945F270},
	} {
		if got := fixed.Four(c.a, c.b, c.c, c.e); got != c.want {
			t.Errorf("four of %#x %#x %#x %#x is %#x, want %#x", c.a, c.b, c.c, c.e, got, c.want)
		}
	}
}

// One bit of one of the four, or two of them exchanged: another word; and all lists of four small numbers differ.
func TestFourSeesEveryChange(t *testing.T) {
	four := func(w [4]uint64) uint64 { return fixed.Four(w[0], w[1], w[2], w[3]) }
	rapid.Check(t, func(t *rapid.T) {
		var w [4]uint64
		for i := range w {
			w[i] = rapid.OneOf(rapid.Uint64(), rapid.Uint64Max(3)).Draw(t, "word")
		}
		i, j, bit := rapid.IntRange(0, 3).Draw(t, "i"), rapid.IntRange(0, 3).Draw(t, "j"), rapid.IntRange(0, 63).Draw(t, "bit")
		other := w
		if other[i] ^= 1 << bit; four(other) == four(w) {
			t.Fatalf("bit %d of word %d of %#x is not seen", bit, i, w)
		}
		other = w
		if other[i], other[j] = w[j], w[i]; w[i] != w[j] && four(other) == four(w) {
			t.Fatalf("exchange of words %d and %d of %#x is not seen", i, j, w)
		}
	})
	seen := map[uint64][4]uint64{}
	for n := range uint64(20 * 20 * 20 * 20) {
		w := [4]uint64{n % 20, n / 20 % 20, n / 400 % 20, n / 8000}
		if other, ok := seen[four(w)]; ok {
			t.Fatalf("%v and %v give the same", w, other)
		}
		seen[four(w)] = w
	}
}

func TestDigestPairIsOneWord(t *testing.T) {
	var d fixed.Digest
	d.Pair(0x01234567, 0x89ABCDEF)
	if got, want := d.Sum(), digest(0x0123456789ABCDEF); got != want {
		t.Errorf("Pair gives %#x, Word %#x", got, want)
	}
}

// Words count by value, by place and by number, zeros too: short lists of small numbers, where an addition or a bare
// exclusive or would collide, all differ.
func TestDigestTellsWordsApart(t *testing.T) {
	seen := map[uint64][]uint64{}
	var walk func(words []uint64)
	walk = func(words []uint64) {
		sum := digest(words...)
		if other, ok := seen[sum]; ok {
			t.Fatalf("%#x and %#x have the digest %#x", words, other, sum)
		}
		seen[sum] = append([]uint64(nil), words...)
		if len(words) == 6 {
			return
		}
		for _, w := range []uint64{0, 1, 2, 1 << 32, 1 << 63, 1<<64 - 1} {
			walk(append(words, w))
		}
	}
	walk(nil)
}

// Zeros are words: as many as there are, no two counts alike.
func TestDigestCountsZeros(t *testing.T) {
	var d fixed.Digest
	seen := map[uint64]bool{}
	for n := range 100_000 {
		if seen[d.Sum()] {
			t.Fatalf("%d zeros have the digest of fewer", n)
		}
		seen[d.Sum()] = true
		d.Word(0)
	}
}

// One bit anywhere, two words exchanged, or one left out: another digest.
func TestDigestSeesEveryChange(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		words := rapid.SliceOfN(rapid.Uint64(), 2, 40).Draw(t, "words")
		sum := digest(words...)
		i := rapid.IntRange(0, len(words)-1).Draw(t, "i")
		j := rapid.IntRange(0, len(words)-1).Draw(t, "j")

		bit := uint64(1) << rapid.IntRange(0, 63).Draw(t, "bit")
		changed := append([]uint64(nil), words...)
		changed[i] ^= bit
		if digest(changed...) == sum {
			t.Fatalf("bit %#x of word %d is not seen", bit, i)
		}
		changed[i] ^= bit
		if changed[i], changed[j] = changed[j], changed[i]; words[i] != words[j] && digest(changed...) == sum {
			t.Fatalf("exchange of words %d and %d is not seen", i, j)
		}
		if digest(append(append([]uint64(nil), words[:i]...), words[i+1:]...)...) == sum {
			t.Fatalf("loss of word %d is not seen", i)
		}
	})
}

// Half the bits turn when one bit of the input does, wherever it is.
func TestDigestAvalanche(t *testing.T) {
	const trials = 64 * 64
	var turned [64]int
	next := uint64(1)
	for range trials / 64 {
		next = next*6364136223846793005 + 1442695040888963407
		sum := digest(next, 5, 6)
		for bit := range 64 {
			diff := sum ^ digest(next^1<<bit, 5, 6)
			for out := range 64 {
				turned[out] += int(diff >> out & 1)
			}
		}
	}
	for out, n := range turned {
		if n < trials*45/100 || n > trials*55/100 {
			t.Errorf("bit %d of the digest turns in %d of %d trials, want about half", out, n, trials)
		}
	}
}

func TestDigestAllocatesNothing(t *testing.T) {
	var d fixed.Digest
	if n := testing.AllocsPerRun(100, func() { d.Word(1); d.Pair(1, 2); _ = d.Sum() }); n != 0 {
		t.Errorf("Digest allocates %v times", n)
	}
}
