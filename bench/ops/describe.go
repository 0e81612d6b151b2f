package ops

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
)

// Description is the figures by which a stream is recognized.
type Description struct {
	Stream    string `json:"stream"`
	Prefill   uint64 `json:"prefill"`
	Ops       int    `json:"ops"` // under the clock
	MaxID     uint64 `json:"max_id"`
	New       uint64 `json:"new"` // these four under the clock
	IOC       uint64 `json:"ioc"`
	Cancel    uint64 `json:"cancel"`
	Replace   uint64 `json:"replace"`
	Crossing  int    `json:"crossing_ops"` // operations under the clock that trade
	Rejects   uint64 `json:"rejects"`
	LiveEnd   int    `json:"live_end"` // orders that rest at the end
	LevelsEnd int    `json:"levels_end"`
	Trades    uint64 `json:"trades"`
	Volume    uint64 `json:"volume"`
	Checksum  string `json:"checksum"`
	SHA256    string `json:"sha256"`
	Reports   string `json:"reports,omitempty"` // SHA-256 of the report text
}

// Describe plays s on the oracle. The error is that of Verify.
func Describe(s *Stream, name string) (*Description, error) {
	b, err := s.Verify(name)
	if err != nil {
		return nil, err
	}
	n := s.Counts()
	d := &Description{Stream: name, Prefill: s.Prefill, Ops: len(s.Timed()), MaxID: s.MaxID,
		New: n[New], IOC: n[IOC], Cancel: n[Cancel], Replace: n[Replace],
		Rejects: b.Rejects, LiveEnd: b.Resting(), LevelsEnd: b.Levels(),
		Trades: b.Trades, Volume: b.Volume, Checksum: b.Sum.String()}
	for i := range s.Timed() {
		if s.Timed()[i].Trades > 0 {
			d.Crossing++
		}
	}
	return d, nil
}

// SHA256 returns the hash of the OPS1 file of s, in lower-case hexadecimal.
func (s *Stream) SHA256() (string, error) {
	h := sha256.New()
	if _, err := s.WriteTo(h); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// String returns the same as one line of text.
func (d *Description) String() string {
	line := fmt.Sprintf("%s: prefill=%d ops=%d max_id=%d new=%d ioc=%d cancel=%d replace=%d crossing_ops=%d rejects=%d live_end=%d levels_end=%d trades=%d volume=%d checksum=%s sha256=%s",
		d.Stream, d.Prefill, d.Ops, d.MaxID, d.New, d.IOC, d.Cancel, d.Replace, d.Crossing, d.Rejects, d.LiveEnd, d.LevelsEnd, d.Trades, d.Volume, d.Checksum, d.SHA256)
	if d.Reports != "" {
		line += " reports=" + d.Reports
	}
	return line
}
