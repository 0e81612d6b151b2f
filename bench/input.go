package bench

import (
	"fmt"

	"github.com/lockstep-exchange/lockstep/bench/ops"
)

// Input says which stream a figure is of: a file, or a published profile that is
// generated here.
type Input struct {
	File        string // OPS1 or consensus text, plain or bzip2; empty: Profile
	Profile     string
	Timed       uint64 // operations of a generated stream
	Seed        uint64 // of a generated stream
	Instruments int    // over which it is spread
}

// InputError says what is wrong with what was asked for.
type InputError struct{ Reason string }

func (e *InputError) Error() string { return e.Reason }

// ExitCode is that of unusable input.
func (e *InputError) ExitCode() int { return 2 }

func unusable(format string, a ...any) error { return &InputError{fmt.Sprintf(format, a...)} }

// Stream reads or generates the stream.
func (in Input) Stream() (s *ops.Stream, name string, err error) {
	if in.File != "" {
		s, err = ops.Open(in.File)
		return s, in.File, err
	}
	p, err := ops.Named(in.Profile)
	if err == nil {
		s, err = ops.Generate(p, in.Timed, in.Seed)
	}
	if err != nil {
		return nil, "", unusable("%v", err)
	}
	return s, in.Profile, nil
}

// Plan makes the stream ready.
func (in Input) Plan() (*Plan, error) {
	if in.Instruments < 1 || in.Instruments > 1<<16-1 {
		return nil, unusable("instruments are %d, expected 1 to %d", in.Instruments, 1<<16-1)
	}
	s, name, err := in.Stream()
	if err != nil {
		return nil, err
	}
	if len(s.Timed()) == 0 {
		return nil, unusable("%s: no operations under the clock, expected at least one", name)
	}
	return NewPlan(name, s, in.Instruments), nil
}

// Book returns the book of that name on p: book, map or ladder.
func Book(name string, p *Plan) (Entry, error) {
	switch name {
	case "book":
		return Bare(p), nil
	case "map":
		return Map(p), nil
	case "ladder":
		if p.Instruments > 1 {
			return Entry{}, unusable("the reference ladder is of one instrument, not of %d", p.Instruments)
		}
		return Ladder(p), nil
	}
	return Entry{}, unusable("no book %q, expected book, map or ladder", name)
}
