package engine

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/msg"
)

// A recording is a day of commands in a file, packed; the numbers and times of the sequence are in it. Each command is
//
//	kind u8 · mask u16 · what of Time since the last, Order, Ref, Price, Qty, Account, Instr, Session, Flags, Side, TIF, STP is
//	not 0, in that order, bit by bit · for kinds that use line 2: mask u8 · the words of Rare that are not 0
//
// with every number as a varint, zigzag; the whole is compressed.

// fields are the numbers of a command in the order of the mask.
func fields(r *msg.Request, last fixed.Nanos) [12]int64 {
	return [12]int64{int64(r.Time - last), int64(r.Order), int64(r.Ref), int64(r.Price), int64(r.Qty), int64(r.Account), int64(r.Instr),
		int64(r.Session), int64(r.Flags), int64(r.Side), int64(r.TIF), int64(r.STP)}
}

func pack(commands []msg.Command) []byte {
	var out []byte
	last := fixed.Nanos(0)
	for i := range commands {
		r := &commands[i].Request
		mask, body := uint16(0), []byte(nil)
		for k, v := range fields(r, last) {
			if v != 0 {
				mask |= 1 << k
				body = binary.AppendVarint(body, v)
			}
		}
		last = r.Time
		out = append(out, byte(r.Kind))
		out = binary.LittleEndian.AppendUint16(out, mask)
		out = append(out, body...)
		if r.Kind.Short() {
			continue
		}
		rare, words := byte(0), []byte(nil)
		for k, w := range r.Rare {
			if w != 0 {
				rare |= 1 << k
				words = binary.AppendVarint(words, int64(w))
			}
		}
		out = append(append(out, rare), words...)
	}
	var file bytes.Buffer
	z, _ := gzip.NewWriterLevel(&file, gzip.BestCompression)
	z.Write(out)
	z.Close()
	return file.Bytes()
}

func unpack(file []byte) (commands []msg.Command, err error) {
	z, err := gzip.NewReader(bytes.NewReader(file))
	if err != nil {
		return nil, err
	}
	in := bufio.NewReader(z)
	last := fixed.Nanos(0)
	for {
		kind, err := in.ReadByte()
		if errors.Is(err, io.EOF) {
			return commands, nil
		}
		if err != nil {
			return nil, err
		}
		c, err := unpackOne(in, msg.Kind(kind), last)
		if err != nil {
			return nil, fmt.Errorf("command %d: %w", len(commands), err)
		}
		last = c.Time
		c.Seq = msg.Seq(len(commands) + 1)
		commands = append(commands, c)
	}
}

func unpackOne(in *bufio.Reader, kind msg.Kind, last fixed.Nanos) (c msg.Command, err error) {
	var mask [2]byte
	if _, err = io.ReadFull(in, mask[:]); err != nil {
		return c, err
	}
	var v [12]int64
	for k := range v {
		if binary.LittleEndian.Uint16(mask[:])>>k&1 == 1 {
			if v[k], err = binary.ReadVarint(in); err != nil {
				return c, err
			}
		}
	}
	r := &c.Request
	r.Kind, r.Time, r.Order, r.Ref, r.Price, r.Qty = kind, last+fixed.Nanos(v[0]), msg.OrderID(v[1]), msg.Ref(v[2]), fixed.Ticks(v[3]), fixed.Lots(v[4])
	r.Account, r.Instr, r.Session, r.Flags = msg.AccountID(v[5]), msg.InstrumentID(v[6]), msg.SessionID(v[7]), msg.Flags(v[8])
	r.Side, r.TIF, r.STP = msg.Side(v[9]), msg.TIF(v[10]), msg.STP(v[11])
	if r.Kind.Short() {
		return c, nil
	}
	rare, err := in.ReadByte()
	for k := range r.Rare {
		if err == nil && rare>>k&1 == 1 {
			var w int64
			w, err = binary.ReadVarint(in)
			r.Rare[k] = uint64(w)
		}
	}
	return c, err
}

// recorded is the day that is recorded: all kinds of commands, many orders, and left-over work that takes several
// commands.
var recorded = day{name: "recorded", limits: Limits{Instruments: 3, Accounts: 8, Orders: 700, Levels: 200, Events: 256, Jobs: 4}, accounts: 6, lots: 60,
	money: 20_000, width: 25, calm: 94, leap: 900}

// recordedDark is another one: accounts in distress, on every rung of the ladder, and more of them than a command looks at.
var recordedDark = day{name: "dark", limits: Limits{Instruments: 3, Accounts: 16, Orders: 700, Levels: 200, Events: 512}, accounts: 14, lots: 60, money: 900,
	width: 20, calm: 96, leap: 900, crash: 38, apart: 4, broke: true, small: true}

// flood is hundreds of orders of one account, and something that ends them all at once.
func (t *trader) flood(kind int) (out []msg.Command) {
	const id, in = 1, 1
	out = append(out, msg.SetEntry(0, 0, msg.Entry{Scope: msg.ScopeVenue, Action: msg.Unblock}), msg.SetPhase(in, msg.Continuous),
		msg.OpenAccount(id, 1, msg.AllGroups), msg.Deposit(id, 100_000*fixed.Coin))
	expire := t.at + fixed.Nanos(fixed.Second)
	for k := range fixed.Ticks(300) {
		c := msg.Limit(id, in, msg.Buy, max(1, t.mids[in]-20-k%40), 1)
		if kind%3 == 1 {
			c = msg.Place(id, in, msg.Sell, t.mids[in]+20+k%40, 1, msg.OrderExt{Expire: expire})
			c.TIF = msg.GTD
		}
		out = append(out, c)
	}
	switch kind % 3 {
	case 0:
		out = append(out, msg.CancelAll(id, 0, 0))
	case 1:
		t.at = expire + 1
	case 2:
		kill := msg.Entry{Scope: msg.ScopeVenue, Action: msg.BlockAndCancel}
		open := kill
		open.Action = msg.Unblock
		out = append(out, t.undo(msg.SetEntry(0, 0, kill), msg.SetEntry(0, 0, open)))
	}
	for k := range out {
		out[k].Time = t.at
		if kind%3 == 1 {
			out[k].Time = expire - fixed.Nanos(fixed.Second)
		}
	}
	return out
}

// record draws count commands of a day.
func record(d day, count int) ([]msg.Command, error) {
	seed := xorshift(0x2545F4914F6CDD1D)
	tr := newTrader(d, &seed)
	e, err := New(d.limits)
	if err != nil {
		return nil, err
	}
	commands := tr.opening()
	var out []msg.Event
	for i := 0; i < count; i++ {
		if i == len(commands) && i%2500 < 5 && d.crash == 0 {
			commands = append(commands, tr.flood(i/2500)...)
		}
		if i == len(commands) {
			commands = append(commands, tr.next())
		}
		c := &commands[i]
		c.Seq, c.Time = msg.Seq(i+1), max(c.Time, e.Now())
		if c.Lines() == 1 {
			c.Rare = msg.Rare{}
		}
		out = e.Apply(c, out[:0])
		tr.see(c, out)
	}
	return commands[:count], nil
}

// readRecording reads the recording of a day; where there is none it records one.
func readRecording(d day, path string, count int) ([]msg.Command, error) {
	file, err := os.ReadFile(path)
	if err == nil {
		return unpack(file)
	}
	if !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	commands, err := record(d, count)
	if err != nil {
		return nil, err
	}
	return commands, os.WriteFile(path, pack(commands), 0o644)
}
