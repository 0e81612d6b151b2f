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
	"leverage", "isolate", "cross", "margin", "index", "oracle", "funding", "what-if",
	"instrument mark=index", "instrument mark=composite", "place isolated", "phase to=call-auction",
	"set mark",
	"expect account state",
	"expect position margin", "expect position liq", "expect position bankruptcy", "expect position fillable", "expect position mode",
	"expect market index", "expect market last", "expect market funding-rate", "expect market oracle",
	"expect what-if",

	"concentration", "mark-inputs", "mark-combine", "mark-weights",
	"oracle-stale", "oracle-outlier", "oracle-halt", "oracle-confidence", "mark-step",
	"ladder-call1", "ladder-call1-exit", "ladder-call2", "ladder-call2-exit", "ladder-call1-deadline", "ladder-target", "liq-step",
	"liq-stall", "fund-event-cap", "fund-day-cap", "fund-min", "fund-inventory", "fund-range", "adl-band", "sweep-limit", "wire-funding",
	"oi-low", "oi-high", "isolated-no-remove", "mark-stale", "mark-window", "mark-decay", "mark-ema", "mark-velocity",
	"funding-interval", "funding-base", "funding-sample", "funding-trim", "funding-impact", "funding-premium-cap", "funding-interest",
	"funding-scale", "funding-clamp-low", "funding-clamp-high", "funding-min", "funding-max",
	"liq-fraction", "liq-full", "liq-min", "liq-cap", "liq-book-share", "liq-fee", "liq-spread", "liq-adjust",
)
