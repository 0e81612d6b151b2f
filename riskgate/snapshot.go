package riskgate

import "github.com/lockstep-exchange/lockstep/fixed"

// Code codes the table of sessions.
func (s Sessions) Code(c *fixed.Codec) { fixed.Rows(c, "sessions", s, Session{}, (*Session).code) }

func (s *Session) code(c *fixed.Codec) {
	fixed.Word(c, &s.Last)
	fixed.Half(c, &s.Owner)
	fixed.Half(c, &s.Key)
	fixed.Half(c, &s.Account)
	fixed.Byte(c, &s.May)
}

// Code codes the table of keys.
func (k Keys) Code(c *fixed.Codec) { fixed.Rows(c, "keys", k, Key{}, (*Key).code) }

func (k *Key) code(c *fixed.Codec) {
	fixed.Word(c, &k.Last)
	fixed.Word(c, &k.Stamp)
	fixed.Half(c, &k.Owner)
	fixed.Half(c, &k.Account)
	fixed.Byte(c, &k.Role)
	fixed.Byte(c, &k.Scheme)
	c.Bytes(k.Public[:])
}
