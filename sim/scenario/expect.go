package scenario

import (
	"maps"
	"math/big"
	"slices"
	"strings"

	"github.com/lockstep-exchange/lockstep/clearing"
	"github.com/lockstep-exchange/lockstep/engine"
	"github.com/lockstep-exchange/lockstep/msg"
)

// The statement expect: a thing, and any of its fields with what they must be. Fields that are not named are not looked at.

// form is how the value of a field is written.
type form uint8

const (
	aNumber form = iota
	aPercent
	aWord
	aList // QTY@PRICE,...
	anInstant
)

// look is a field of a thing: how it is written, and what it is. K is what the thing shows.
type look[K any] struct {
	form form
	get  func(w *world, k K) quantity
}

// wanted is a field that a statement names.
type wanted struct {
	field string
	want  quantity
}

// things are what can be expected.
var things = map[string]func(*args) func(*world){
	"ok": expectOK, "rejected": expectRejected, "order": expectOrder, "account": expectAccount, "position": expectPosition,
	"bucket": expectBucket, "book": expectBook, "market": expectMarket, "fund": expectFund, "venue": expectVenue,
	"event": expectEvent, "what-if": expectWhatIf, "stress": expectStress,
}

// readExpect reads expect.
func readExpect(a *args) func(*world) {
	names := slices.Sorted(maps.Keys(things))
	if len(a.pairs) == 0 || !a.pairs[0].bare {
		a.fault(a.column, "expect needs a thing, expected one of %s", either(names))
		return nil
	}
	thing := &a.pairs[0]
	thing.taken = true
	read := things[thing.key]
	if read == nil {
		hint := meant(thing.key, names)
		if hint == "" {
			hint = ", expected one of " + either(names)
		}
		a.fault(thing.column, "there is nothing called %s to expect%s", quote(thing.key), hint)
		return nil
	}
	a.verb = "expect " + thing.key
	check := read(a)
	if !a.faulty && pending[a.verb] {
		a.lacksVerb()
	}
	a.script.Expectations++
	return check
}

// tolerance reads tol, which widens every number of the line.
func (a *args) tolerance() *big.Rat {
	r := a.number("tol", "NUMBER", false)
	if r != nil && r.Sign() < 0 {
		a.fault(a.given("tol").at, "tol is %s, expected a number from 0 on", quote(a.given("tol").value))
	}
	return r
}

// want reads the value that a field must have, in its form.
func (a *args) want(p *pair, f form) quantity {
	if p.value == "none" {
		return none
	}
	switch f {
	case aWord, aList:
		return word(p.value)
	case aPercent:
		r, ok := suffixed(p.value, rateSuffixes, true)
		if !ok {
			a.fault(p.at, "%s is %s, expected a rate, as in 5%%, 2.5bp or 0.05", p.key, quote(p.value))
		}
		return quantity{number: r, rate: true}
	case anInstant:
		return number(units(int64(a.time(p.at, p.key, p.value)), one))
	}
	r, ok := decimal(p.value)
	if !ok {
		a.fault(p.at, "%s is %s, expected a number, as in 50000 or -0.25", p.key, quote(p.value))
	}
	return number(r)
}

// fields reads the fields of a thing that a statement names; one at least must be, unless something else was.
func fields[K any](a *args, looks map[string]look[K], otherwise bool) (named []wanted) {
	for i := range a.pairs {
		p := &a.pairs[i]
		f, there := looks[p.key]
		if !there || p.taken || p.bare {
			continue
		}
		if p = a.find(p.key); p == nil {
			continue
		}
		if f.get == nil {
			a.lacks(p.key)
			continue
		}
		named = append(named, wanted{p.key, a.want(p, f.form)})
	}
	for _, name := range slices.Sorted(maps.Keys(looks)) {
		a.find(name)
	}
	if len(named) == 0 && !otherwise && !a.faulty {
		if a.end(); !a.faulty {
			a.fault(a.column, "%s looks at no field, expected one of %s", a.verb, either(slices.Sorted(maps.Keys(looks))))
		}
	}
	return named
}

// compare looks at the named fields of a thing.
func compare[K any](w *world, what string, looks map[string]look[K], named []wanted, tol *big.Rat, k K) {
	for _, n := range named {
		if got := looks[n.field].get(w, k); !got.meets(n.want, tol) {
			w.fail(what, n.field, n.want.String(), got.String())
		}
	}
}

// expectOK reads expect ok: the last command was not refused.
func expectOK(a *args) func(*world) {
	a.afterCommand()
	return func(w *world) {
		if w.answer.refused != 0 {
			w.fail("ok", "", "ok", w.answer.String())
		}
	}
}

// expectRejected reads expect rejected: the last command was refused, for a reason where one is stated.
func expectRejected(a *args) func(*world) {
	a.afterCommand()
	p := a.find("reason")
	a.rejectName("reason", rejects)
	return func(w *world) {
		switch {
		case w.answer.refused == 0 && p == nil:
			w.fail("rejected", "", "rejected", w.answer.String())
		case p != nil && w.answer.refused.Name() != p.value:
			got := w.answer.refused.Name()
			if got == "" {
				got = w.answer.String()
			}
			w.fail("rejected", "reason", p.value, got)
		}
	}
}

// afterCommand notes an expectation about a command above which none stands.
func (a *args) afterCommand() {
	if !a.commanded {
		a.fault(a.column, "%s looks at the last command, expected one above it", a.verb)
	}
}

// rejects and reasons are the names of all reasons why a command is refused, and why an order is canceled.
var (
	rejects = names(func(i int) string { return msg.Reject(i).Name() })
	reasons = names(func(i int) string { return msg.Reason(i).Name() })
)

// names are those that are not empty.
func names(at func(int) string) (all []string) {
	for i := range 256 {
		if name := at(i); name != "" {
			all = append(all, name)
		}
	}
	return all
}

var orderLooks = map[string]look[*order]{
	"status": {aWord, func(_ *world, o *order) quantity { return word(o.status()) }},
	"filled": {aNumber, func(_ *world, o *order) quantity { return o.in.qty(o.filled) }},
	"leaves": {aNumber, func(_ *world, o *order) quantity { return o.in.qty(o.leaves) }},
	"avg":    {aNumber, func(_ *world, o *order) quantity { return o.average() }},
	"reason": {aWord, func(_ *world, o *order) quantity { return orNone(o.reason) }},
	"price":  {aNumber, func(_ *world, o *order) quantity { return o.in.price(o.price) }},
}

// orNone is a word, or none for an empty one.
func orNone(text string) quantity {
	if text == "" {
		return none
	}
	return word(text)
}

var statuses = []string{"resting", "partial", "filled", "canceled", "rejected", "expired", "waiting"}

// oneOf notes a word that a field never has.
func (a *args) oneOf(key string, words []string) {
	if p := a.given(key); p != nil && p.value != "none" && !slices.Contains(words, p.value) {
		a.fault(p.at, "%s is %s, expected %s%s", key, quote(p.value), either(words), meant(p.value, words))
	}
}

// expectOrder reads expect order.
func expectOrder(a *args) func(*world) {
	label, tol := a.label("id"), a.tolerance()
	a.oneOf("status", statuses)
	a.rejectName("reason", append(slices.Clone(rejects), reasons...))
	named := fields(a, orderLooks, false)
	return func(w *world) { compare(w, "order", orderLooks, named, tol, w.labels[label]) }
}

var accountLooks = map[string]look[clearing.Summary]{
	"cash":         {aNumber, func(_ *world, s clearing.Summary) quantity { return money(s.Cash) }},
	"equity":       {aNumber, func(_ *world, s clearing.Summary) quantity { return money(s.Equity) }},
	"initial":      {aNumber, func(_ *world, s clearing.Summary) quantity { return money(s.Initial) }},
	"maintenance":  {aNumber, func(_ *world, s clearing.Summary) quantity { return money(s.Maintenance) }},
	"free":         {aNumber, func(_ *world, s clearing.Summary) quantity { return money(s.Free) }},
	"withdrawable": {aNumber, func(_ *world, s clearing.Summary) quantity { return money(s.Withdrawable) }},
	"fees":         {aNumber, func(_ *world, s clearing.Summary) quantity { return money(s.Fees) }},
	"realised":     {aNumber, func(_ *world, s clearing.Summary) quantity { return money(s.Realized) }},
	"funding":      {aNumber, func(_ *world, s clearing.Summary) quantity { return money(s.Funding) }},
	"state":        {aWord, func(_ *world, s clearing.Summary) quantity { return word(s.State.String()) }},
	"reduce-only":  {aWord, func(_ *world, s clearing.Summary) quantity { return truth(s.ReduceOnly) }},
}

// expectAccount reads expect account: its cross pool, with fees, funding and what was realized of its isolated positions too.
func expectAccount(a *args) func(*world) {
	who, tol := a.account("account", true), a.tolerance()
	a.oneOf("state", rungs)
	a.oneOf("reduce-only", []string{"true", "false"})
	named := fields(a, accountLooks, false)
	return func(w *world) {
		s, _ := w.eng.Account(who.id)
		compare(w, "account", accountLooks, named, tol, s)
	}
}

var rungs = []string{"ok", "call1", "call2", "liquidating", "auction", "takeover", "adl"}

// leg is a position and what it is in.
type leg struct {
	clearing.Holding
	account msg.AccountID
	in      *instrument
}

func (l leg) prices(w *world) clearing.Prices {
	p, _ := w.eng.Prices(l.account, l.in.id)
	return p
}

// modeOf is how a position is margined; there is none of a position that is not there.
func modeOf(h clearing.Holding) string {
	if h.Mode == 0 {
		return ""
	}
	return h.Mode.String()
}

var positionLooks = map[string]look[leg]{
	"qty":         {aNumber, func(_ *world, l leg) quantity { return l.in.qty(l.Qty) }},
	"entry":       {aNumber, func(_ *world, l leg) quantity { return l.in.average(l.Cost, l.Qty) }},
	"upnl":        {aNumber, func(_ *world, l leg) quantity { return money(l.Profit) }},
	"initial":     {aNumber, func(_ *world, l leg) quantity { return money(l.Initial) }},
	"maintenance": {aNumber, func(_ *world, l leg) quantity { return money(l.Maintenance) }},
	"margin":      {aNumber, func(_ *world, l leg) quantity { return money(l.Margin) }},
	"liq":         {aNumber, func(w *world, l leg) quantity { return l.in.known(l.prices(w).Liquidation) }},
	"bankruptcy":  {aNumber, func(w *world, l leg) quantity { return l.in.known(l.prices(w).Bankruptcy) }},
	"fillable":    {aNumber, func(w *world, l leg) quantity { return l.in.known(l.prices(w).Fillable) }},
	"state":       {aWord, func(_ *world, l leg) quantity { return word(l.State.String()) }},
	"mode":        {aWord, func(_ *world, l leg) quantity { return orNone(modeOf(l.Holding)) }},
}

// expectPosition reads expect position. A position of no lots is none.
func expectPosition(a *args) func(*world) {
	who, in, tol := a.account("account", true), a.instrument("instrument", true), a.tolerance()
	a.oneOf("mode", []string{"cross", "isolated"})
	a.oneOf("state", rungs)
	flat := a.flag("none")
	named := fields(a, positionLooks, flat)
	return func(w *world) {
		l := leg{account: who.id, in: in}
		l.Holding, _ = w.eng.Position(who.id, in.id)
		if flat && l.Qty != 0 {
			w.fail("position", "", "none", in.qty(l.Qty).String())
		}
		compare(w, "position", positionLooks, named, tol, l)
	}
}

// expectBucket reads expect bucket.
func expectBucket(a *args) func(*world) {
	a.account("account", true)
	a.need("bucket", "BUCKET")
	a.instrument("instrument", false)
	for _, key := range []string{"qty", "pnl", "notional", "tol"} {
		a.number(key, "NUMBER", false)
	}
	a.lacksVerb()
	return nil
}

var bookLooks = map[string]look[*instrument]{
	"bids": {aList, func(w *world, in *instrument) quantity { return w.levels(in, msg.Buy) }},
	"asks": {aList, func(w *world, in *instrument) quantity { return w.levels(in, msg.Sell) }},
	"orders": {aNumber, func(w *world, in *instrument) quantity {
		m, _ := w.eng.Market(in.id)
		return whole(m.Orders)
	}},
}

// levels is a side of a book as QTY@PRICE,..., the best first.
func (w *world) levels(in *instrument, side msg.Side) quantity {
	var texts []string
	for _, l := range w.eng.Depth(in.id, side, nil, int(w.script.limits.Orders)) {
		texts = append(texts, in.qty(l.Qty).String()+"@"+in.price(l.Price).String())
	}
	return orNone(strings.Join(texts, ","))
}

// expectBook reads expect book: whole sides, and how many orders.
func expectBook(a *args) func(*world) {
	in, tol := a.instrument("instrument", true), a.tolerance()
	named := fields(a, bookLooks, false)
	for i := range named {
		p := a.given(named[i].field)
		if in == nil || p == nil || named[i].field == "orders" || p.value == "none" {
			continue
		}
		var texts []string
		for level := range strings.SplitSeq(p.value, ",") {
			qty, price, found := strings.Cut(level, "@")
			if !found {
				a.fault(p.at, "%s has %s, expected QTY@PRICE,..., as in 2@50000,1@49999, or none", p.key, quote(level))
				break
			}
			texts = append(texts, in.qty(a.lots(p, qty, in)).String()+"@"+in.price(a.ticks(p, price, in)).String())
		}
		named[i].want = word(strings.Join(texts, ","))
	}
	return func(w *world) { compare(w, "book", bookLooks, named, tol, in) }
}

// market is an instrument and what can be seen of it.
type market struct {
	engine.Market
	in *instrument
}

var marketLooks = map[string]look[*market]{
	"mark":         {aNumber, func(_ *world, m *market) quantity { return m.in.known(m.Mark) }},
	"phase":        {aWord, func(_ *world, m *market) quantity { return word(m.Phase.String()) }},
	"oi":           {aNumber, func(_ *world, m *market) quantity { return m.in.qty(m.Interest) }},
	"index":        {aNumber, func(_ *world, m *market) quantity { return m.in.known(m.Index) }},
	"last":         {aNumber, func(_ *world, m *market) quantity { return m.in.known(m.Last) }},
	"funding-rate": {aPercent, func(_ *world, m *market) quantity { return rate(m.Funding) }},
	"oracle":       {aWord, func(_ *world, m *market) quantity { return health(m.Oracle) }},
	"stress":       {aNumber, nil},
}

// expectMarket reads expect market.
func expectMarket(a *args) func(*world) {
	in, tol := a.instrument("instrument", true), a.tolerance()
	a.oneOf("phase", slices.Sorted(maps.Keys(phases)))
	a.oneOf("oracle", []string{"good", "degraded", "frozen", "halted"})
	named := fields(a, marketLooks, false)
	return func(w *world) {
		m := market{in: in}
		m.Market, _ = w.eng.Market(in.id)
		compare(w, "market", marketLooks, named, tol, &m)
	}
}

var fundLooks = map[string]look[clearing.Venue]{"balance": {aNumber, func(_ *world, v clearing.Venue) quantity { return money(v.Fund) }}}

// expectFund reads expect fund.
func expectFund(a *args) func(*world) {
	tol := a.tolerance()
	named := fields(a, fundLooks, false)
	return func(w *world) { compare(w, "fund", fundLooks, named, tol, w.eng.VenueAccounts()) }
}

var venueLooks = map[string]look[clearing.Venue]{
	"fees":    {aNumber, func(_ *world, v clearing.Venue) quantity { return money(v.Fees) }},
	"deficit": {aNumber, func(_ *world, v clearing.Venue) quantity { return money(v.Deficit) }},
}

// expectVenue reads expect venue: its own accounts, and that no money and no lot was made or lost.
func expectVenue(a *args) func(*world) {
	tol, conserved := a.tolerance(), a.flag("conserved")
	named := fields(a, venueLooks, conserved)
	return func(w *world) {
		if lost, lots := w.eng.Imbalance(); conserved && (lost != 0 || lots != 0) {
			w.fail("venue", "conserved", "0", money(lost).String()+" of money, "+whole(lots).String()+" lots")
		}
		compare(w, "venue", venueLooks, named, tol, w.eng.VenueAccounts())
	}
}

var whatIfLooks = map[string]look[*asked]{
	"accepted":    {aWord, func(_ *world, q *asked) quantity { return truth(q.Reject == 0) }},
	"reason":      {aWord, func(_ *world, q *asked) quantity { return orNone(q.Reject.Name()) }},
	"initial":     {aNumber, func(_ *world, q *asked) quantity { return money(q.Account.Initial) }},
	"maintenance": {aNumber, func(_ *world, q *asked) quantity { return money(q.Account.Maintenance) }},
	"free":        {aNumber, func(_ *world, q *asked) quantity { return money(q.Account.Free) }},
	"equity":      {aNumber, func(_ *world, q *asked) quantity { return money(q.Account.Equity) }},
	"liq":         {aNumber, func(_ *world, q *asked) quantity { return q.in.known(q.Prices.Liquidation) }},
	"filled":      {aNumber, func(_ *world, q *asked) quantity { return q.in.qty(q.Filled) }},
	"avg":         {aNumber, func(_ *world, q *asked) quantity { return q.in.average(q.Paid, q.Filled) }},
}

// expectWhatIf reads expect what-if: the answer to the last what-if.
func expectWhatIf(a *args) func(*world) {
	if !a.asked {
		a.fault(a.column, "expect what-if looks at the last what-if, expected one above it")
	}
	tol := a.tolerance()
	a.oneOf("accepted", []string{"true", "false"})
	a.rejectName("reason", rejects)
	named := fields(a, whatIfLooks, false)
	return func(w *world) { compare(w, "what-if", whatIfLooks, named, tol, &w.asked) }
}

// rejectName notes a reason that there is not.
func (a *args) rejectName(key string, names []string) {
	if p := a.given(key); p != nil && p.value != "none" && !slices.Contains(names, p.value) {
		a.fault(p.at, "there is no reason %s%s", quote(p.value), meant(p.value, names))
	}
}

var stressLooks = map[string]look[*tried]{
	"equity":      {aNumber, func(_ *world, q *tried) quantity { return money(q.Equity) }},
	"initial":     {aNumber, func(_ *world, q *tried) quantity { return money(q.Initial) }},
	"maintenance": {aNumber, func(_ *world, q *tried) quantity { return money(q.Maintenance) }},
	"state":       {aWord, func(_ *world, q *tried) quantity { return word(q.State.String()) }},
	"shortfall":   {aNumber, func(_ *world, q *tried) quantity { return money(q.Shortfall) }},
	"liquidated":  {aNumber, func(_ *world, q *tried) quantity { return money(q.Liquidated) }},
	"fund-used":   {aNumber, func(_ *world, q *tried) quantity { return money(q.FundUsed) }},
}

// expectStress reads expect stress: the answer to the last stress.
func expectStress(a *args) func(*world) {
	if !a.tried {
		a.fault(a.column, "expect stress looks at the last stress, expected one above it")
	}
	tol := a.tolerance()
	a.oneOf("state", rungs)
	named := fields(a, stressLooks, false)
	return func(w *world) { compare(w, "stress", stressLooks, named, tol, &w.tried) }
}
