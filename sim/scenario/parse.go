package scenario

import (
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/lockstep-exchange/lockstep/engine"
	"github.com/lockstep-exchange/lockstep/msg"
)

// reader is a text on its way to a Script: what has been declared above the line that is being read.
type reader struct {
	file   string
	mode   Mode
	script *Script
	faults Faults

	owners     map[string]msg.OwnerID
	labels     []string               // of orders
	ordered    map[string]*instrument // in which the last order of a label is
	settlement string
	tiered     bool // fee-tiers stands above
	commanded  bool // a command stands above: expect ok and expect rejected have something to look at
	asked      bool // a what-if stands above
	tried      bool // and a stress
	orders     int  // how many may come to rest, at most
}

// verbs are the statements. Each reads its pairs and returns what it does; its result is not used when there were faults.
var verbs = map[string]func(*args) func(*world){
	"venue": readVenue, "underlying": readUnderlying, "correlation": readCorrelation, "instrument": readInstrument,
	"asset": readAsset, "owner": readOwner, "account": readAccount, "bucket": readBucket, "set": readSet,

	"deposit": readDeposit, "withdraw": readWithdraw, "transfer": readTransfer, "leverage": readLeverage,
	"isolate": readIsolate, "cross": readCross, "margin": readMargin, "place": readPlace, "amend": readAmend,
	"cancel": readCancel, "cancel-all": readCancelAll, "quote": readQuote, "index": readIndex, "oracle": readOracle,
	"mark": readMark, "vol": readVol, "funding": readFunding, "phase": readPhase, "bid": readBid, "advance": readAdvance,

	"what-if": readWhatIf, "stress": readStress, "expect": readExpect, "forget": readForget,
}

// Parse reads and checks a whole text. name stands in faults; mode overrides how orders and accounts are margined. The error
// is a Faults.
func Parse(name string, text []byte, mode Mode) (*Script, error) {
	r := &reader{file: name, mode: mode, owners: map[string]msg.OwnerID{}, ordered: map[string]*instrument{}, settlement: "USDC",
		script: &Script{Name: name, mode: mode, remembered: map[msg.EventKind]bool{}}}
	switch mode {
	case AsWritten, Cross, Isolated:
	case Portfolio:
		return nil, Faults{{File: name, Text: "not supported: mode=portfolio"}}
	default:
		return nil, Faults{{File: name, Text: "the mode is " + quote(string(mode)) + ", expected cross, isolated or portfolio"}}
	}
	if !utf8.Valid(text) {
		return nil, Faults{{File: name, Text: "is not UTF-8 text"}}
	}
	n := 0
	for line := range strings.Lines(strings.TrimPrefix(string(text), "\ufeff")) {
		n++
		r.statement(n, strings.TrimRight(line, "\r\n"))
	}
	if len(r.faults) > 0 {
		return nil, r.faults
	}
	r.script.limits = r.limits()
	return r.script, nil
}

// statement reads one line.
func (r *reader) statement(n int, line string) {
	words := tokens(line)
	if len(words) == 0 {
		return
	}
	verb := words[0]
	a := &args{reader: r, line: n, column: verb.column, verb: verb.text, missing: map[string]int{}}
	for _, w := range words[1:] {
		p := w.split()
		if p.key == "" {
			a.fault(w.column, "%s begins with =, expected KEY=VALUE", quote(w.text))
			p.taken = true
		}
		a.pairs = append(a.pairs, p)
	}
	read := verbs[verb.text]
	if read == nil {
		all := slices.Sorted(maps.Keys(verbs))
		hint := meant(verb.text, all)
		if hint == "" {
			hint = ", expected one of " + either(all)
		}
		a.fault(verb.column, "there is no statement %s%s", quote(verb.text), hint)
		return
	}
	do := read(a)
	if a.misspelled(); !a.faulty {
		a.end()
	}
	if !a.faulty && pending[verb.text] {
		a.lacks(verb.text)
	}
	if a.faulty || do == nil {
		return
	}
	r.script.steps = append(r.script.steps, step{line: n, text: shown(line), do: do})
}

// shown is a line as a trace shows it: without its comment.
func shown(line string) string {
	words := tokens(line)
	texts := make([]string, len(words))
	for i := range words {
		texts[i] = words[i].text
	}
	return strings.Join(texts, " ")
}

// limits are the tables that a scenario needs: what it names, and room for what comes of it.
func (r *reader) limits() engine.Limits {
	s := r.script
	accounts := uint32(len(s.accounts) + len(r.owners))
	instruments := uint32(len(s.instruments))
	return engine.Limits{
		Instruments: max(instruments, 1), Underlyings: max(uint32(len(s.underlyings)), 1), Accounts: max(accounts, 16),
		Positions: max(uint32(min(uint64(accounts)*uint64(instruments+1), 1<<20)), 64),
		Orders:    uint32(r.orders) + 1024, OwnerAccounts: max(accounts, 64),
	}
}
