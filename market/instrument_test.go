package market_test

import (
	"reflect"
	"testing"
	"unsafe"

	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/market"
	"github.com/lockstep-exchange/lockstep/msg"
	"pgregory.net/rapid"
)

var listing = msg.Listing{Symbol: [24]byte{'P'}, TickLot: 100, UnitLots: 1000, Start: 50_000, Type: msg.Perpetual, Group: 3}

func listed(t rapid.TB) *market.Instrument {
	t.Helper()
	in := &market.Instrument{}
	if r := in.List(listing); r != 0 {
		t.Fatalf("List: %s", r.Name())
	}
	return in
}

// TestListSetsDefaults holds what an instrument is before anybody has set a rule.
func TestListSetsDefaults(t *testing.T) { // MARGIN section 15
	in := listed(t)
	if in.Phase != msg.Closed || in.Mark != 0 || in.MarketRange != 10*fixed.Percent || in.Band != 0 || in.STP != msg.STPNone {
		t.Errorf("%+v", in)
	}
	if in.Brackets != 1 || in.Table[0].Initial != 10*fixed.Percent || in.Table[0].Maintenance != 5*fixed.Percent {
		t.Errorf("brackets %d %+v, want one of 10%% and 5%%", in.Brackets, in.Table[0])
	}
}

// TestRefusedLeavesNoTrace goes over the bounds of every setter, one step inside and one outside; what is refused changes
// not a byte.
func TestRefusedLeavesNoTrace(t *testing.T) { // I-26, M-06, M-45
	one, percent := int64(fixed.One), fixed.Percent
	rule := func(r msg.Rule, v int64) func(*market.Instrument) msg.Reject {
		return func(in *market.Instrument) msg.Reject { return in.SetRule(msg.Setting{Rule: r, Value: v}) }
	}
	fees := func(maker, taker fixed.Rate) func(*market.Instrument) msg.Reject {
		return func(in *market.Instrument) msg.Reject { return in.SetFees(msg.Fees{Maker: maker, Taker: taker}) }
	}
	tier := func(ts ...msg.Tier) func(*market.Instrument) msg.Reject {
		return func(in *market.Instrument) (r msg.Reject) {
			for _, s := range ts {
				r = in.SetTier(s)
			}
			return r
		}
	}
	for _, c := range []struct {
		name string
		do   func(*market.Instrument) msg.Reject
		want msg.Reject
	}{
		{"listed twice", func(in *market.Instrument) msg.Reject { return in.List(listing) }, msg.RejectInvalidParameter},

		{"band 0", rule(msg.Band, 0), 0},
		{"band below one", rule(msg.Band, one-1), 0},
		{"band of one", rule(msg.Band, one), msg.RejectInvalidParameter},
		{"range 0", rule(msg.MarketRange, 0), msg.RejectInvalidParameter},
		{"range of one", rule(msg.MarketRange, one), msg.RejectInvalidParameter},
		{"range below one", rule(msg.MarketRange, one-1), 0},
		{"slope below the other", rule(msg.SlopeMaintenance, 1), msg.RejectInvalidParameter},
		{"slope of one", rule(msg.SlopeInitial, one), 0},
		{"slope above one", rule(msg.SlopeInitial, one+1), msg.RejectInvalidParameter},
		{"below 0", rule(msg.MaxOrderQty, -1), msg.RejectInvalidParameter},
		{"none", rule(0, 1), msg.RejectInvalidParameter},
		{"the venue's", rule(msg.MessageRate, 1), msg.RejectInvalidParameter},

		{"fees 0", fees(0, 0), 0},
		{"taker paid", fees(0, -1), msg.RejectInvalidParameter},
		{"rebate as high as the fee", fees(-5, 5), 0},
		{"rebate above the fee", fees(-6, 5), msg.RejectInvalidParameter},
		{"taker of one", fees(0, fixed.One), 0},
		{"taker above one", fees(0, fixed.One+1), msg.RejectInvalidParameter},
		{"maker above one", fees(fixed.One+1, fixed.One), msg.RejectInvalidParameter},

		{"initial below maintenance", tier(msg.Tier{Initial: percent, Maintenance: percent + 1}), msg.RejectInvalidParameter},
		{"initial equal to maintenance", tier(msg.Tier{Initial: percent, Maintenance: percent}), 0},
		{"initial above one", tier(msg.Tier{Initial: fixed.One + 1, Maintenance: percent}), msg.RejectInvalidParameter},
		{"maintenance below 0", tier(msg.Tier{Initial: percent, Maintenance: -1}), msg.RejectInvalidParameter},
		{"bound below 0", tier(msg.Tier{UpTo: -1, Initial: percent, Maintenance: percent}), msg.RejectInvalidParameter},
		{"second before the first", tier(msg.Tier{Index: 1, Initial: percent, Maintenance: percent}), msg.RejectInvalidParameter},
		{"index beyond", tier(msg.Tier{Index: market.MaxBrackets, Initial: percent, Maintenance: percent}), msg.RejectInvalidParameter},

		{"call auction", func(in *market.Instrument) msg.Reject { return in.SetPhase(1) }, 0},
		{"phase beyond", func(in *market.Instrument) msg.Reject { return in.SetPhase(msg.Halted + 1) }, msg.RejectInvalidParameter},
		{"halted", func(in *market.Instrument) msg.Reject { return in.SetPhase(msg.Halted) }, 0},
	} {
		in := listed(t)
		before := *in
		got := c.do(in)
		if got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got.Name(), c.want.Name())
		}
		if got != 0 && *in != before {
			t.Errorf("%s: refused, and yet %+v", c.name, in)
		}
	}
}

// TestListBounds goes over the bounds of a listing.
func TestListBounds(t *testing.T) { // I-26
	for _, c := range []struct {
		name   string
		change func(*msg.Listing)
		want   msg.Reject
	}{
		{"as it is", func(*msg.Listing) {}, 0},
		{"type none", func(l *msg.Listing) { l.Type = 0 }, msg.RejectInvalidParameter},
		{"type beyond", func(l *msg.Listing) { l.Type = msg.Perpetual + 1 }, msg.RejectInvalidParameter},
		{"tick-lot 0", func(l *msg.Listing) { l.TickLot = 0 }, msg.RejectInvalidParameter},
		{"tick-lot 1", func(l *msg.Listing) { l.TickLot = 1 }, 0},
		{"start -1", func(l *msg.Listing) { l.Start = -1 }, msg.RejectInvalidParameter},
		{"unit lots -1", func(l *msg.Listing) { l.UnitLots = -1 }, msg.RejectInvalidParameter},
		{"group 31", func(l *msg.Listing) { l.Group = 31 }, 0},
		{"group 32", func(l *msg.Listing) { l.Group = 32 }, msg.RejectInvalidParameter},
		{"last mode", func(l *msg.Listing) { l.STP = msg.STPNone }, 0},
		{"mode beyond", func(l *msg.Listing) { l.STP = msg.STPNone + 1 }, msg.RejectInvalidParameter},
	} {
		in, l := market.Instrument{}, listing
		c.change(&l)
		if got := in.List(l); got != c.want || got != 0 && in != (market.Instrument{}) {
			t.Errorf("%s: %q and %+v, want %q", c.name, got.Name(), in, c.want.Name())
		}
	}
}

// TestTiersComeAsOneTable holds that a table takes effect with its last bracket, that a bracket out of turn is refused
// without harm to those that wait, and that a table may be begun anew.
func TestTiersComeAsOneTable(t *testing.T) { // M-06
	in := listed(t)
	first := msg.Tier{UpTo: 1000, Initial: 2 * fixed.Percent, Maintenance: fixed.Percent}
	last := msg.Tier{Index: 1, Initial: 4 * fixed.Percent, Maintenance: 2 * fixed.Percent}
	inForce := func() fixed.Rate { return in.Table[0].Initial }
	steps := []struct {
		tier    msg.Tier
		want    msg.Reject
		inForce fixed.Rate
	}{
		{first, 0, 10 * fixed.Percent},
		{msg.Tier{Index: 2, Initial: fixed.One, Maintenance: fixed.One}, msg.RejectInvalidParameter, 10 * fixed.Percent},
		{msg.Tier{Index: 1, Initial: fixed.Percent, Maintenance: fixed.Percent}, msg.RejectInvalidParameter, 10 * fixed.Percent},         // initial falls
		{msg.Tier{Index: 1, Initial: 2 * fixed.Percent, Maintenance: fixed.Percent - 1}, msg.RejectInvalidParameter, 10 * fixed.Percent}, // maintenance falls
		{msg.Tier{Index: 1, UpTo: 1000, Initial: fixed.One, Maintenance: fixed.Percent}, msg.RejectInvalidParameter, 10 * fixed.Percent}, // no room in it
		{msg.Tier{Index: 1, UpTo: 1001, Initial: 3 * fixed.Percent, Maintenance: fixed.Percent}, 0, 10 * fixed.Percent},                  // staged
		{first, 0, 10 * fixed.Percent}, // and begun anew
		{last, 0, 2 * fixed.Percent},   // in force
		{msg.Tier{Index: 1, Initial: fixed.One, Maintenance: fixed.Percent}, msg.RejectInvalidParameter, 2 * fixed.Percent},                     // nothing is staged
		{msg.Tier{Index: 0, Initial: 7 * fixed.Percent, Maintenance: fixed.Percent}, 0, 7 * fixed.Percent},                                      // one bracket again
		{msg.Tier{Index: 1, UpTo: 5000, Initial: 9 * fixed.Percent, Maintenance: fixed.Percent}, msg.RejectInvalidParameter, 7 * fixed.Percent}, // out of turn
	}
	for i, s := range steps {
		if got := in.SetTier(s.tier); got != s.want || inForce() != s.inForce {
			t.Fatalf("step %d: %q with %s in force, want %q and %s", i, got.Name(), inForce(), s.want.Name(), s.inForce)
		}
	}
	if in.Brackets != 1 || in.Table[1] != (market.Bracket{}) {
		t.Errorf("%d brackets, the second %+v, want one", in.Brackets, in.Table[1])
	}
}

// TestBracketCount holds that a table has at most MaxBrackets brackets.
func TestBracketCount(t *testing.T) {
	in := listed(t)
	for i := range market.MaxBrackets - 1 {
		if r := in.SetTier(msg.Tier{Index: uint8(i), UpTo: fixed.Money(i + 1), Initial: fixed.Percent}); r != 0 {
			t.Fatalf("bracket %d: %s", i, r.Name())
		}
	}
	const top = market.MaxBrackets - 1
	if r := in.SetTier(msg.Tier{Index: top, UpTo: top + 1, Initial: fixed.Percent}); r != msg.RejectInvalidParameter {
		t.Errorf("a last bracket with a bound: %q", r.Name())
	}
	if r := in.SetTier(msg.Tier{Index: top, Initial: fixed.Percent}); r != 0 || in.Brackets != market.MaxBrackets {
		t.Errorf("the last bracket: %q, %d in force", r.Name(), in.Brackets)
	}
}

// TestBandEdges holds the worked examples of the price band and of market order protection, at a tick of 0.1.
func TestBandEdges(t *testing.T) { // M-73, M-18, T-9
	in := listed(t)
	in.SetMark(1000)
	if in.Low != fixed.MinInt64 || in.High != fixed.MaxInt64 {
		t.Errorf("no band: %d..%d", in.Low, in.High)
	}
	if buy, sell := in.Protection(msg.Buy, 0), in.Protection(msg.Sell, 0); buy != 1100 || sell != 900 {
		t.Errorf("protection at 100 within 10%%: %d and %d, want 1100 and 900", buy, sell)
	}
	in.SetRule(msg.Setting{Rule: msg.Band, Value: int64(3 * fixed.Percent)})
	if in.Low != 970 || in.High != 1030 {
		t.Errorf("band of 3%% around 100.0: %d..%d, want 970..1030", in.Low, in.High)
	}
	in.SetMark(1001) // 1031.03 and 970.97
	if in.Low != 971 || in.High != 1031 {
		t.Errorf("band of 3%% around 100.1: %d..%d, want 971..1031", in.Low, in.High)
	}
	for _, c := range []struct {
		side          msg.Side
		protect, want fixed.Ticks
	}{
		{msg.Buy, 0, 1031}, {msg.Buy, 1032, 1031}, {msg.Buy, 1031, 1031}, {msg.Buy, 1030, 1030}, {msg.Buy, 1, 1},
		{msg.Sell, 0, 971}, {msg.Sell, 970, 971}, {msg.Sell, 971, 971}, {msg.Sell, 972, 972},
	} {
		if got := in.Protection(c.side, c.protect); got != c.want {
			t.Errorf("protection of side %d by %d: %d, want %d", c.side, c.protect, got, c.want)
		}
	}
	in.SetRule(msg.Setting{Rule: msg.Band, Value: 0})
	in.SetRule(msg.Setting{Rule: msg.MarketRange, Value: int64(fixed.One - 1)})
	in.SetMark(1)
	if got := in.Protection(msg.Sell, 0); got != 1 {
		t.Errorf("protection of a sell at mark 1: %d, want 1", got)
	}
}

// TestCanMark holds the bounds of a mark: above 0, and such that the largest position can be valued.
func TestCanMark(t *testing.T) {
	in := listed(t)
	for _, c := range []struct {
		mark  fixed.Ticks
		lots  fixed.Lots
		bound fixed.Money
		want  msg.Reject
	}{
		{0, 0, 1 << 50, msg.RejectInvalidParameter}, {-5, 0, 1 << 50, msg.RejectInvalidParameter},
		{1, 0, 100, 0}, {1, 0, 99, msg.RejectOverflow}, {10, 7, 7000, 0}, {10, 7, 6999, msg.RejectOverflow},
		{1 << 62, 1, fixed.MaxInt64, msg.RejectOverflow},
	} {
		if got := in.CanMark(c.mark, c.lots, c.bound); got != c.want {
			t.Errorf("CanMark(%d, %d, %d): %q, want %q", c.mark, c.lots, c.bound, got.Name(), c.want.Name())
		}
	}
}

// TestVenueRules goes over the bounds of the venue's parameters.
func TestVenueRules(t *testing.T) {
	for _, c := range []struct {
		rule  msg.Rule
		value int64
		want  msg.Reject
	}{
		{msg.MessageRate, 0, 0}, {msg.MessageRate, -1, msg.RejectInvalidParameter}, {msg.MessageRate, int64(fixed.Second), 0},
		{msg.MessageRate, int64(fixed.Second) + 1, msg.RejectInvalidParameter},
		{msg.MessageBurst, 0, msg.RejectInvalidParameter}, {msg.MessageBurst, 1, 0}, {msg.MessageBurst, 1_000_000, 0},
		{msg.MessageBurst, 1_000_001, msg.RejectInvalidParameter},
		{msg.ProfitHaircut, int64(fixed.One), 0}, {msg.ProfitHaircut, int64(fixed.One) + 1, msg.RejectInvalidParameter},
		{msg.WithdrawMargin, int64(fixed.One), 0}, {msg.WithdrawMargin, int64(fixed.One) + 1, msg.RejectInvalidParameter},
		{msg.Band, 1, msg.RejectInvalidParameter}, {0, 1, msg.RejectInvalidParameter},
		{msg.WithdrawMargin, -1, msg.RejectInvalidParameter},
		{msg.OracleStale, 0, 0}, {msg.OracleStale, int64(market.LongestPeriod), 0},
		{msg.OracleStale, int64(market.LongestPeriod) + 1, msg.RejectInvalidParameter}, {msg.OracleStale, -1, msg.RejectInvalidParameter},
		{msg.OracleHalt, 0, 0}, {msg.OracleHalt, int64(market.LongestPeriod), 0},
		{msg.OracleHalt, int64(market.LongestPeriod) + 1, msg.RejectInvalidParameter},
		{msg.OracleOutlier, 0, 0}, {msg.OracleOutlier, int64(fixed.One), 0}, {msg.OracleOutlier, int64(fixed.One) + 1, msg.RejectInvalidParameter},
		{msg.OracleConfidence, int64(fixed.One), 0}, {msg.OracleConfidence, int64(fixed.One) + 1, msg.RejectInvalidParameter},
		{msg.MarkStep, int64(fixed.Millisecond), 0}, {msg.MarkStep, int64(fixed.Millisecond) - 1, msg.RejectInvalidParameter},
		{msg.MarkStep, int64(market.LongestPeriod), 0}, {msg.MarkStep, int64(market.LongestPeriod) + 1, msg.RejectInvalidParameter},
	} {
		v := market.NewVenue()
		before := v
		if got := v.SetRule(msg.Setting{Rule: c.rule, Value: c.value}); got != c.want || got != 0 && v != before {
			t.Errorf("rule %d = %d: %q and %+v, want %q", c.rule, c.value, got.Name(), v, c.want.Name())
		}
	}
}

// TestHashCoversEveryField changes each field of an instrument and of the venue in turn, and asks for another hash. What
// is derived from other fields need not count.
func TestHashCoversEveryField(t *testing.T) {
	derived := map[string]bool{"LotValue": true, "Low": true, "High": true, "Reserve": true, "InitialLot": true, "MaintenanceLot": true, "Asks": true, "Plain": true, "Opens": true, "Spans": true, "PlainQty": true, "PerLot": true, "PerLotKept": true, "CalmLow": true, "CalmHigh": true, // of mark, band and fees
		"InitialD": true, "MaintenanceD": true} // of the bounds and rates
	in := *listed(t)
	in.SetTier(msg.Tier{UpTo: 1000, Initial: fixed.Percent}) // one bracket waits
	hash := func(h interface{ Hash(*fixed.Digest) }) uint64 {
		var d fixed.Digest
		h.Hash(&d)
		return d.Sum()
	}
	want := hash(&in)
	for i := range reflect.TypeFor[market.Instrument]().NumField() {
		f := reflect.TypeFor[market.Instrument]().Field(i)
		if derived[f.Name] || f.Name == "_" {
			continue
		}
		word := f.Type
		offset := f.Offset
		if word.Kind() == reflect.Array {
			word = word.Elem()
		}
		for word.Kind() == reflect.Struct {
			word = word.Field(0).Type
		}
		changed := in
		*(*byte)(unsafe.Add(unsafe.Pointer(&changed), offset)) ^= 1
		if hash(&changed) == want {
			t.Errorf("the hash does not see Instrument.%s", f.Name)
		}
	}
	v := market.NewVenue()
	for i := range reflect.TypeFor[market.Venue]().NumField() {
		changed := v
		f := reflect.TypeFor[market.Venue]().Field(i)
		*(*byte)(unsafe.Add(unsafe.Pointer(&changed), f.Offset)) ^= 1
		if hash(&changed) == hash(&v) {
			t.Errorf("the hash does not see Venue.%s", f.Name)
		}
	}
}

// TestPriceHashCoversEveryWord flips the lowest bit of every number in an underlying, a marker and a funding in full use, and
// asks for another hash.
func TestPriceHashCoversEveryWord(t *testing.T) {
	f := fed(t, market.MaxSources)
	for s := range uint8(market.MaxSources) {
		f.now++
		f.report(s+1, fixed.Money(10+s))
	}
	d := composite(t, 1000)
	d.book(999, 1001)
	for range 5 * market.MaxInstants { // past the end of the ring, and crowded
		d.now += 50 * fixed.Millisecond
		d.m.Trade(d.now, 1000, 1)
	}
	for d.now += 59 * fixed.Second; d.m.Trades() < market.MaxInstants; d.now++ {
		d.m.Trade(d.now, 1000, 1)
	}
	d.wait(fixed.Nanos(3 * fixed.Millisecond))
	pay := funded(t)
	for i := range market.MaxSamples {
		pay.AddSample(fixed.Rate(2 * i))
	}
	flipEach(t, &f.u)
	flipEach(t, &d.m)
	flipEach(t, pay)
}

// flipEach changes every number in a record and holds that its hash sees it.
func flipEach[T any, P interface {
	*T
	Hash(*fixed.Digest)
}](t *testing.T, record P) {
	t.Helper()
	hash := func() uint64 {
		var d fixed.Digest
		record.Hash(&d)
		return d.Sum()
	}
	want := hash()
	var walk func(reflect.Type, uintptr, string)
	walk = func(typ reflect.Type, offset uintptr, path string) {
		switch typ.Kind() {
		case reflect.Struct:
			for i := range typ.NumField() {
				f := typ.Field(i)
				walk(f.Type, offset+f.Offset, path+"."+f.Name)
			}
		case reflect.Array:
			for i := range typ.Len() {
				walk(typ.Elem(), offset+uintptr(i)*typ.Elem().Size(), path+"[]")
			}
		default:
			low := (*byte)(unsafe.Add(unsafe.Pointer(record), offset))
			*low ^= 1
			if hash() == want {
				t.Errorf("the hash does not see %T%s", *record, path)
			}
			*low ^= 1
		}
	}
	walk(reflect.TypeFor[T](), 0, "")
	if hash() != want {
		t.Errorf("%T is not as it was", *record)
	}
}

// TestBracketHash holds that all three words of each bracket count, those of a waiting one too.
func TestBracketHash(t *testing.T) {
	seen := map[uint64]string{}
	for _, tiers := range [][]msg.Tier{
		{{Initial: 5, Maintenance: 1}},
		{{Initial: 5, Maintenance: 2}},
		{{Initial: 6, Maintenance: 1}},
		{{UpTo: 10, Initial: 5, Maintenance: 1}, {Index: 1, Initial: 5, Maintenance: 1}},
		{{UpTo: 11, Initial: 5, Maintenance: 1}, {Index: 1, Initial: 5, Maintenance: 1}},
		{{UpTo: 10, Initial: 5, Maintenance: 1}, {Index: 1, Initial: 6, Maintenance: 1}},
		{{UpTo: 10, Initial: 5, Maintenance: 1}},
		{{UpTo: 11, Initial: 5, Maintenance: 1}},
		{{UpTo: 11, Initial: 6, Maintenance: 1}},
		{{UpTo: 11, Initial: 6, Maintenance: 2}},
	} {
		in := listed(t)
		for _, s := range tiers {
			if r := in.SetTier(s); r != 0 {
				t.Fatalf("%+v: %s", s, r.Name())
			}
		}
		var d fixed.Digest
		in.Hash(&d)
		if other, taken := seen[d.Sum()]; taken {
			t.Errorf("%+v hashes as %s", tiers, other)
		}
		seen[d.Sum()] = "a former one"
	}
}

// TestSpecWritesCommands holds that a spec becomes the commands that bring about what it says.
func TestSpecWritesCommands(t *testing.T) {
	spec := market.Spec{ID: 7, Symbol: "X-PERP", Type: msg.Perpetual, TickLot: 3, UnitLots: 9, Start: 11, STP: msg.STPCancelBoth, Group: 2,
		Underlying: 6, Mark: msg.MarkComposite,
		Tiers: []msg.Tier{{UpTo: 50, Initial: 2, Maintenance: 1}, {Initial: 4, Maintenance: 3}}, Maker: -1, Taker: 2,
		Rules: []msg.Setting{{Rule: msg.Band, Value: 5}, {Rule: msg.MaxOrderQty, Value: 6}}}
	in := &market.Instrument{}
	for _, c := range spec.Append(nil) {
		r := msg.Reject(0)
		switch c.Kind {
		case msg.KindList:
			l := c.Listing()
			if r = in.List(l); l.Underlying != 6 || l.Mark != msg.MarkComposite {
				t.Errorf("%+v", l)
			}
		case msg.KindSetTier:
			r = in.SetTier(c.Tier())
		case msg.KindSetFees:
			r = in.SetFees(c.Fees())
		case msg.KindSetRule:
			r = in.SetRule(c.Setting())
		default:
			t.Errorf("an unexpected command: %+v", c)
		}
		if r != 0 || c.Instr != 7 {
			t.Errorf("%+v: %s", c, r.Name())
		}
	}
	if in.TickLot != 3 || in.UnitLots != 9 || in.Start != 11 || in.STP != msg.STPCancelBoth || in.Group != 2 || in.Brackets != 2 ||
		in.Table[1].From != 50 || in.Table[1].Maintenance != 3 || in.Maker != -1 || in.Taker != 2 || in.Band != 5 || in.MaxQty != 6 ||
		string(in.Symbol[:6]) != "X-PERP" {
		t.Errorf("%+v", in)
	}
}

// TestNoPointers holds that an instrument can lie in a slab: nothing in it points anywhere.
func TestNoPointers(t *testing.T) { // A-19, T-7
	var walk func(reflect.Type, string)
	walk = func(typ reflect.Type, path string) {
		switch typ.Kind() {
		case reflect.Struct:
			for i := range typ.NumField() {
				walk(typ.Field(i).Type, path+"."+typ.Field(i).Name)
			}
		case reflect.Array:
			walk(typ.Elem(), path+"[]")
		case reflect.Int64, reflect.Int32, reflect.Uint64, reflect.Uint32, reflect.Uint16, reflect.Uint8, reflect.Bool:
		default:
			t.Errorf("%s is a %s", path, typ.Kind())
		}
	}
	walk(reflect.TypeFor[market.Instrument](), "Instrument")
	walk(reflect.TypeFor[market.Venue](), "Venue")
	walk(reflect.TypeFor[market.Underlying](), "Underlying")
	walk(reflect.TypeFor[market.Marker](), "Marker")
	walk(reflect.TypeFor[market.Funding](), "Funding")
}
