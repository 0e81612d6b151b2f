package scenario

// pending is what the reader knows and the engine of this build refuses: verbs, and behind a verb (or expect and its thing) keys,
// values and fields. Whoever uses one is told that it is not supported. A rule that comes into force takes its words out.
var pending = func(words ...string) map[string]bool {
	s := make(map[string]bool, len(words))
	for _, w := range words {
		s[w] = true
	}
	return s
}(
	"phase to=call-auction",
)
