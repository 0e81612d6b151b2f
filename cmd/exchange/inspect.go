package main

import (
	"errors"
	"math"

	"github.com/lockstep-exchange/lockstep/msg"
	"github.com/lockstep-exchange/lockstep/node/journal"
)

// inspectCommand is exchange inspect: what is in a journal, in full.
type inspectCommand struct {
	Dir    string `arg:"" help:"The folder of the journal. It is only read, also while an exchange writes it."`
	Seq    uint64 `help:"Only this command." placeholder:"N"`
	From   uint64 `help:"Commands from this one on." placeholder:"N"`
	To     uint64 `help:"Commands up to this one." placeholder:"N"`
	Frames bool   `help:"Every frame."`
}

func (i *inspectCommand) examples() []string {
	return []string{"exchange inspect data", "exchange inspect data --seq 4711", "exchange inspect data --from 100 --to 120 --json",
		"exchange inspect data --frames"}
}

// heldSegment is a segment of the list.
type heldSegment struct {
	File      string `json:"file"`
	First     uint64 `json:"first"` // seq
	Last      uint64 `json:"last"`  // seq; First-1 where it holds no command
	Frames    int    `json:"frames"`
	Epoch     uint64 `json:"epoch"`
	Size      int64  `json:"size"`
	Used      int64  `json:"used"`
	Alignment int    `json:"alignment"`
	Previous  string `json:"previous"`
}

// heldFrame is a frame of the list.
type heldFrame struct {
	File   string `json:"file"`
	Offset int64  `json:"offset"`
	Frame  uint64 `json:"frame"`
	Kind   string `json:"kind"`
	Epoch  uint64 `json:"epoch"`
	First  uint64 `json:"first"`
	Count  int    `json:"count"`
	Hash   string `json:"hash"`
}

// heldCommand is a command, and the frame that holds it.
type heldCommand struct {
	Seq        uint64     `json:"seq"`
	Time       int64      `json:"time"`
	Kind       string     `json:"kind"`
	Session    uint16     `json:"session"`
	Ref        uint64     `json:"ref"`
	Account    uint32     `json:"account"`
	Instrument uint32     `json:"instrument"`
	Order      uint64     `json:"order"`
	Side       uint8      `json:"side"`
	Price      int64      `json:"price"`
	Qty        int64      `json:"qty"`
	Flags      uint16     `json:"flags"`
	TIF        uint8      `json:"tif"`
	STP        uint8      `json:"stp"`
	Rare       *[8]uint64 `json:"rare,omitempty"`
	Text       string     `json:"text"`
	File       string     `json:"file"`
	Offset     int64      `json:"offset"`
	Frame      uint64     `json:"frame"`
	Epoch      uint64     `json:"epoch"`
}

// Run prints what is asked for. Where the journal is damaged, what lies before the damage is printed.
func (i *inspectCommand) Run(con *console) (err error) {
	switch commands := i.From != 0 || i.To != 0; {
	case i.Seq != 0 && commands || i.Frames && (commands || i.Seq != 0):
		return badUsage("--seq, --from and --to, --frames: expected one of the three")
	case i.To != 0 && i.To < i.From:
		return badUsage("--to is %d, expected %d or more", i.To, i.From)
	}
	r, err := openJournal(i.Dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	switch {
	case i.Seq != 0:
		return i.commands(con, r, i.Seq, i.Seq)
	case i.From != 0 || i.To != 0:
		to := i.To
		if to == 0 {
			to = math.MaxUint64
		}
		return i.commands(con, r, max(i.From, 1), to)
	case i.Frames:
		return i.frames(con, r)
	}
	return i.segments(con, r)
}

// commands prints the commands from one seq to another.
func (i *inspectCommand) commands(con *console, r *journal.Reader, from, to uint64) error {
	if err := r.Seek(msg.Seq(from)); err != nil {
		return err
	}
	if first := uint64(r.Place().Seq) + 1; r.Partial() && to < first {
		return badUsage("there is no command %d: the journal begins with %d, the segments before it have been freed", from, first)
	}
	found := false
	for r.Next() {
		if err := con.ctx.Err(); err != nil {
			return err
		}
		for k := range r.Commands() {
			c := &r.Commands()[k]
			if uint64(c.Seq) > to {
				return nil
			}
			found = true
			if err := printCommand(con, c, r.Place()); err != nil {
				return err
			}
			if uint64(c.Seq) == to {
				return nil
			}
		}
	}
	if r.Err() == nil && !found {
		return badUsage("there is no command %d: the journal ends with %d", from, r.Tail().Seq)
	}
	return r.Err()
}

func printCommand(con *console, c *msg.Command, p journal.Place) error {
	if !con.json {
		con.printf("%s\n", c.String())
		return nil
	}
	h := heldCommand{Seq: uint64(c.Seq), Time: int64(c.Time), Kind: c.Kind.String(), Session: uint16(c.Session), Ref: uint64(c.Ref),
		Account: uint32(c.Account), Instrument: uint32(c.Instr), Order: uint64(c.Order), Side: uint8(c.Side), Price: int64(c.Price),
		Qty: int64(c.Qty), Flags: uint16(c.Flags), TIF: uint8(c.TIF), STP: uint8(c.STP), Text: c.String(), File: p.File, Offset: p.Last,
		Frame: p.Frame, Epoch: p.Epoch}
	if c.Lines() > 1 {
		h.Rare = (*[8]uint64)(&c.Rare)
	}
	return con.printJSON(&h)
}

// frames prints every frame.
func (i *inspectCommand) frames(con *console, r *journal.Reader) error {
	for r.Next() {
		if err := con.ctx.Err(); err != nil {
			return err
		}
		p, count := r.Place(), len(r.Commands())
		f := heldFrame{p.File, p.Last, p.Frame, p.Kind.String(), p.Epoch, uint64(p.Seq) + 1 - uint64(count), count, p.Head.String()}
		if con.json {
			if err := con.printJSON(&f); err != nil {
				return err
			}
			continue
		}
		con.printf("%s %8d  frame %d epoch %d  %s", f.File, f.Offset, f.Frame, f.Epoch, f.Kind)
		if count > 0 {
			con.printf("  #%d..#%d", f.First, p.Seq)
		}
		con.printf("  %s\n", f.Hash[:16])
	}
	return r.Err()
}

// segments prints every segment.
func (i *inspectCommand) segments(con *console, r *journal.Reader) error {
	if !con.json {
		g := r.Genesis()
		con.printf("journal of cluster %d, shard %d, %s; %d segments; last start: epoch %d\n", g.Cluster, g.Shard, g.Currency, r.Segments(), r.Started())
		con.printf("limits %+v\n", g.Limits)
	}
	var s heldSegment
	for r.Next() {
		if err := con.ctx.Err(); err != nil {
			return err
		}
		if p := r.Place(); p.File != s.File {
			if err := printSegment(con, &s); err != nil {
				return err
			}
			h := r.Segment()
			s = heldSegment{File: p.File, First: uint64(h.First), Epoch: h.Epoch, Size: h.Size, Alignment: h.Alignment, Previous: h.Previous.String()}
		}
		s.Frames++
		s.Last, s.Used = uint64(r.Place().Seq), r.Place().Offset
	}
	if err := printSegment(con, &s); err != nil {
		return err
	}
	if r.Err() != nil {
		return r.Err()
	}
	good, wrong := r.Snapshots()
	for i := range good {
		if err := printSnapshot(con, &good[i]); err != nil {
			return err
		}
	}
	if len(wrong) > 0 {
		return errors.Join(wrong...)
	}
	if tail := r.Tail(); !con.json {
		con.printf("ends behind #%d, %s, offset %d, head %s", tail.Seq, tail.File, tail.Offset, tail.Head)
		if tail.Torn > 0 {
			con.printf(", with a torn tail of %d bytes", tail.Torn)
		}
		con.printf("\n")
	}
	return nil
}

func printSnapshot(con *console, s *journal.Snapshot) error {
	h := heldSnapshotOf(s)
	if con.json {
		return con.printJSON(&h)
	}
	con.printf("%s  #%d  frame %d  state %s  %d bytes  written by %s\n", h.File, h.Seq, h.Frame, h.State, h.Bytes, h.Binary)
	return nil
}

// printSegment prints one, unless it is none yet.
func printSegment(con *console, s *heldSegment) error {
	switch {
	case s.File == "":
		return nil
	case con.json:
		return con.printJSON(s)
	}
	con.printf("%s  #%d..#%d  %d frames  epoch %d  %d of %d bytes\n", s.File, s.First, s.Last, s.Frames, s.Epoch, s.Used, s.Size)
	return nil
}
