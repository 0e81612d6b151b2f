package msg

//go:generate go run ../tools/rejectgen

// Reject says why a command had no effect. It is an ordinal in order of precedence: of two that fit, the smaller is the
// answer. 0 is none. The ordinals may shift between builds as codes are added; the wire and the screen speak in codes
// and names, which never do. Their table is rejects.toml.
type Reject uint8

// rejectWords is one row of the table.
type rejectWords struct {
	name, upper string
	text, hint  string
	code        uint16
	layer       uint8
}

func (r Reject) words() *rejectWords {
	if int(r) >= len(rejectTable) {
		return &rejectTable[0]
	}
	return &rejectTable[r]
}

// Code is the number on the wire: 1xx format, 2xx gateway, 3xx risk, 4xx engine, 500 internal; 0 for none.
func (r Reject) Code() uint16 { return r.words().code }

// Name is the name without prefix, as in InsufficientMargin; empty for none.
func (r Reject) Name() string { return r.words().name }

// Upper is the name as JSON writes it, as in INSUFFICIENT_MARGIN; empty for none.
func (r Reject) Upper() string { return r.words().upper }

// Text is one sentence that says what is wrong; empty for none.
func (r Reject) Text() string { return r.words().text }

// Hint is one sentence that says what would make it pass; empty for none.
func (r Reject) Hint() string { return r.words().hint }

// Layer says who refuses, the innermost where several may: 1 session, 2 gateway, 3 risk gate, 4 engine, 5 a fault of the
// engine; 0 for none.
func (r Reject) Layer() uint8 { return r.words().layer }

// reasonWords is one row of the table of reasons.
type reasonWords struct{ name, upper, text string }

func (r Reason) words() *reasonWords {
	if int(r) >= len(reasonTable) {
		return &reasonTable[0]
	}
	return &reasonTable[r]
}

// Name is the name of the reason, as in MassCancel; empty for none.
func (r Reason) Name() string { return r.words().name }

// Upper is the name as JSON writes it, as in MASS_CANCEL; empty for none.
func (r Reason) Upper() string { return r.words().upper }

// Text is one sentence that says why the order was canceled; empty for none.
func (r Reason) Text() string { return r.words().text }
