package riskgate

import "github.com/lockstep-exchange/lockstep/fixed"

// Code codes the table of doors.
func (s Sessions) Code(c *fixed.Codec) { fixed.Rows(c, "sessions", s, Session{}, (*Session).code) }

func (s *Session) code(c *fixed.Codec) {
	fixed.Word(c, &s.Last)
	fixed.Half(c, &s.Owner)
	c.Flag(&s.Open)
}
