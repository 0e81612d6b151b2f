package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/lockstep-exchange/lockstep/wire"
	"github.com/lockstep-exchange/lockstep/wire/capture"
	"github.com/lockstep-exchange/lockstep/wire/gen"
	"github.com/lockstep-exchange/lockstep/wire/schema"
)

// decodeCommand is exchange decode: recorded traffic, a message a line.
type decodeCommand struct {
	File string `arg:"" help:"What was recorded; - is standard input."`
	Pcap bool   `xor:"kind" help:"It is a capture, pcap or pcapng: TCP flows of frames and datagrams of the feed."`
	Raw  bool   `xor:"kind" help:"It is frames one after another, or one datagram."`
	Hex  bool   `xor:"kind" help:"It is that in hexadecimal digits; # begins a remark, an empty line parts recordings."`
	Dir  string `enum:"both,in,out" default:"both" help:"Whose messages: in (client to venue), out (venue to client) or both."`
	Port uint16 `help:"Of a capture, only what goes from or to this port." placeholder:"N"`
}

func (d *decodeCommand) examples() []string {
	return []string{"exchange decode session.pcap", "exchange decode session.pcap --port 9001 --dir in --json",
		"exchange decode --hex wire/testdata/NewOrder.hex", "tcpdump -w - | exchange decode -"}
}

// decoded is one message as JSON.
type decoded struct {
	Offset  int64           `json:"offset"`
	Time    string          `json:"time,omitempty"`
	From    string          `json:"from,omitempty"`
	To      string          `json:"to,omitempty"`
	Number  uint64          `json:"number,omitempty"`
	Message json.RawMessage `json:"message,omitempty"`
	Note    string          `json:"note,omitempty"`
	Fault   string          `json:"fault,omitempty"`
}

// Run prints every message. What is damaged is printed with what is wrong in its place, and the exit code is 2.
func (d *decodeCommand) Run(con *console) error {
	in := io.Reader(os.Stdin)
	if d.File != "-" {
		file, err := os.Open(d.File)
		if err != nil {
			return err
		}
		defer file.Close()
		in = file
	}
	reader := bufio.NewReaderSize(in, 1<<16)
	faults, out := 0, bufio.NewWriter(con.out)
	see := func(f *capture.Found) error {
		if err := con.ctx.Err(); err != nil {
			return err
		}
		if f.Fault != nil {
			faults++
		} else if !d.wants(f) {
			return nil
		}
		if con.json {
			return json.NewEncoder(out).Encode(asJSON(f))
		}
		_, err := out.Write(asText(f))
		return err
	}
	err := d.read(reader, con, see)
	if err := errors.Join(err, out.Flush()); err != nil {
		return inputFault(d.File, err)
	}
	if faults > 0 {
		return &fault{exit: exitUsage, name: "input", message: fmt.Sprintf("%s: %d of what was recorded cannot be decoded", d.File, faults),
			hint: "the lines with fault= say where and why"}
	}
	return nil
}

// inputFault is an error of the recording itself; an interrupt stays what it is.
func inputFault(file string, err error) error {
	if c := asFault(err); c.exit != exitInternal {
		return err
	}
	return &fault{exit: exitUsage, name: "input", message: fmt.Sprintf("%s: %v", file, err)}
}

// read takes the recording as what the flags say it is, or what it looks like.
func (d *decodeCommand) read(in *bufio.Reader, con *console, see func(*capture.Found) error) error {
	limit := wire.MaxOutbound
	if d.Dir == "in" {
		limit = wire.MaxInbound
	}
	head, err := in.Peek(512)
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	switch {
	case d.Hex || !d.Raw && !d.Pcap && !capture.Is(head) && isText(head):
		return capture.ReadHex(in, limit, see)
	case d.Raw || !d.Pcap && !capture.Is(head):
		return capture.ReadRaw(in, limit, see)
	}
	skipped, err := capture.ReadCapture(in, d.Port, see)
	if skipped > 0 && !con.quiet && !con.json {
		fmt.Fprintf(con.err, "exchange: %d packets are not TCP or UDP in one piece and were skipped\n", skipped)
	}
	return err
}

// isText reports whether nothing but hexadecimal digits, blanks and remarks stands at the head of a recording.
func isText(head []byte) bool {
	for line := range bytes.Lines(head) {
		code, _, _ := bytes.Cut(line, []byte("#"))
		if len(bytes.Trim(code, "0123456789abcdefABCDEF \t\r\n")) > 0 {
			return false
		}
	}
	return len(head) > 0
}

// wants reports whether a message goes in the direction that is asked for.
func (d *decodeCommand) wants(f *capture.Found) bool {
	if d.Dir == "both" {
		return true
	}
	if f.Body == nil {
		return (d.Dir == "in") == (len(f.Note) > 7 && f.Note[:7] == "request")
	}
	direction := capture.DirectionOf(gen.ReadHeader((*[gen.HeaderSize]byte)(f.Body)))
	return direction == capture.Both || (direction == capture.In) == (d.Dir == "in")
}

// asText is a line: when, where from and to, offset or number, and the message.
func asText(f *capture.Found) (line []byte) {
	if !f.Time.IsZero() {
		line = f.Time.AppendFormat(line, "2006-01-02T15:04:05.000000000Z ")
	}
	if f.Flow != (capture.Flow{}) {
		line = append(append(line, f.Flow.String()...), ' ')
	}
	if f.Number != 0 {
		line = fmt.Appendf(line, "#%d ", f.Number)
	} else {
		line = fmt.Appendf(line, "@%d ", f.Offset)
	}
	switch {
	case f.Fault != nil:
		line = fmt.Appendf(line, "fault=%q", f.Fault.Error())
	case f.Body == nil:
		line = append(line, f.Note...)
	default:
		text, err := schema.AppendText(line, f.Body)
		if err != nil {
			text = fmt.Appendf(line, "fault=%q", err.Error())
		}
		line = text
	}
	return append(line, '\n')
}

// asJSON is the same as an object.
func asJSON(f *capture.Found) *decoded {
	d := &decoded{Offset: f.Offset, Number: f.Number, Note: f.Note}
	if !f.Time.IsZero() {
		d.Time = f.Time.Format(time.RFC3339Nano)
	}
	if f.Flow != (capture.Flow{}) {
		d.From, d.To = f.Flow.From.String(), f.Flow.To.String()
	}
	if f.Fault != nil {
		d.Fault = f.Fault.Error()
		return d
	}
	if f.Body != nil {
		text, err := schema.AppendJSON(nil, f.Body)
		if err != nil {
			d.Fault = err.Error()
			return d
		}
		d.Message = text
	}
	return d
}
