package main

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"encoding/hex"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	diff "github.com/google/go-cmp/cmp"

	"github.com/lockstep-exchange/lockstep/wire/schema"
)

// Wireshark reads by the dissector what the golden file of each message says: from the segments of a stream, which end anywhere, and
// market data from datagrams too.
func TestAgainstWireshark(t *testing.T) {
	tshark, err := exec.LookPath("tshark")
	if err != nil {
		t.Skip("tshark is not installed; with it, the dissector reads a message of each kind")
	}
	frames, texts := golden(t)
	var stream []byte
	var datagrams [][]byte
	var told []string // of market data
	for i, f := range frames {
		stream = append(stream, f...)
		if binary.LittleEndian.Uint16(f[10:]) == schema.MarketDataID {
			datagrams, told = append(datagrams, datagram(i, f[6:])), append(told, texts[i])
		}
	}
	for _, c := range []struct {
		name    string
		packets [][]byte
		as      []string
		want    []string
	}{
		{"frames", segments(stream, 1000), []string{"-d", "tcp.port==7001,lockstep"}, texts},
		{"records", datagrams, []string{"-d", "udp.port==9100,moldudp64", "-d", "moldudp64.payload,lockstep.record"}, told},
	} {
		t.Run(c.name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "packets.pcap")
			if err := os.WriteFile(file, pcap(c.packets), 0o600); err != nil {
				t.Fatal(err)
			}
			command := exec.Command(tshark, append([]string{"-r", file, "-T", "pdml", "-X", "lua_script:" + filepath.Join("..", "..", analyzer)}, c.as...)...)
			var said bytes.Buffer
			command.Stderr = &said
			out, err := command.Output()
			if err != nil || strings.Contains(said.String(), "rror") {
				t.Fatalf("tshark: %v\n%s", err, &said)
			}
			got, err := messagesOf(out)
			if err != nil {
				t.Fatal(err)
			}
			if d := diff.Diff(c.want, got); d != "" {
				t.Errorf("what Wireshark reads (-want +got):\n%s", d)
			}
			t.Logf("%d messages agree", len(got))
		})
	}
}

// golden is a frame of each message, and what it says.
func golden(t *testing.T) (frames [][]byte, texts []string) {
	files, err := filepath.Glob("../../wire/testdata/*.hex")
	if err != nil || len(files) < 50 {
		t.Fatalf("%d golden messages, %v", len(files), err)
	}
	for _, name := range files {
		content, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		first, rest, _ := strings.Cut(string(content), "\n")
		var frame []byte
		for line := range strings.Lines(rest) {
			digits, _, _ := strings.Cut(line, "#")
			b, err := hex.DecodeString(strings.TrimSpace(digits))
			if err != nil {
				t.Fatal(err)
			}
			frame = append(frame, b...)
		}
		frames, texts = append(frames, frame), append(texts, strings.TrimPrefix(first, "# "))
	}
	return frames, texts
}

// datagram is an IPv4 packet of MoldUDP64 to port 9100, with one record.
func datagram(number int, record []byte) []byte {
	be := binary.BigEndian
	b := ipv4(17, 8+20+2+len(record))
	b = be.AppendUint16(be.AppendUint16(b, 9100), 9100)
	b = append(be.AppendUint16(b, uint16(8+20+2+len(record))), 0, 0)
	b = append(b, "SESSION001"...)
	b = be.AppendUint16(be.AppendUint64(b, uint64(1+number)), 1)
	return append(be.AppendUint16(b, uint16(len(record))), record...)
}

// segments are IPv4 packets of a stream to port 7001, with so many bytes each.
func segments(stream []byte, size int) (packets [][]byte) {
	be := binary.BigEndian
	for at := 0; at < len(stream); at += size {
		part := stream[at:min(at+size, len(stream))]
		b := ipv4(6, 20+len(part))
		b = be.AppendUint16(be.AppendUint16(b, 40000), 7001)
		b = be.AppendUint32(be.AppendUint32(b, uint32(1+at)), 1)
		b = append(b, 0x50, 0x18, 0xFF, 0xFF, 0, 0, 0, 0)
		packets = append(packets, append(b, part...))
	}
	return packets
}

// ipv4 is the head of a packet of a protocol, with so many bytes behind it.
func ipv4(protocol byte, size int) []byte {
	b := binary.BigEndian.AppendUint16([]byte{0x45, 0}, uint16(20+size))
	return append(b, 0, 0, 0x40, 0, 64, protocol, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2)
}

// pcap is a capture of packets, as it stands in a file.
func pcap(packets [][]byte) []byte {
	le := binary.LittleEndian
	b := le.AppendUint32(nil, 0xA1B2C3D4)
	b = le.AppendUint16(le.AppendUint16(b, 2), 4)
	b = le.AppendUint32(le.AppendUint32(append(b, make([]byte, 8)...), 65535), 101) // packets begin with the IP header
	for i, p := range packets {
		b = le.AppendUint32(le.AppendUint32(b, uint32(i)), 0)
		b = append(le.AppendUint32(le.AppendUint32(b, uint32(len(p))), uint32(len(p))), p...)
	}
	return b
}

// messagesOf is the text of each message that a PDML page tells of, as a golden file has it.
func messagesOf(page []byte) (texts []string, err error) {
	d := xml.NewDecoder(bytes.NewReader(page))
	var text strings.Builder
	depth, entries, entry := 0, 0, false // below the message, how many entries of its group there were, and whether one has begun
	for {
		token, err := d.Token()
		switch {
		case errors.Is(err, io.EOF):
			return texts, nil
		case err != nil:
			return nil, err
		}
		switch e := token.(type) {
		case xml.StartElement:
			a := map[string]string{}
			for _, x := range e.Attr {
				a[x.Name.Local] = x.Value
			}
			name, inside := strings.CutPrefix(a["name"], "lockstep")
			switch {
			case depth == 0 && inside:
				text.WriteString(a["showname"])
				depth, entries = 1, 0
			case depth == 0:
			case name == "" || !inside:
				group, _, _ := strings.Cut(a["showname"]+a["show"], " ")
				if depth++; entries == 0 {
					fmt.Fprintf(&text, " %s=[", group)
				}
				entries, entry = entries+1, true
				text.WriteByte('{')
			default:
				if depth++; name != ".message" {
					text.WriteString(valueOf(a))
				}
			}
		case xml.EndElement:
			if depth == 0 {
				continue
			}
			if depth--; depth == 1 && entry {
				text.WriteString(" }")
				entry = false
			}
			if depth == 0 {
				if entries > 0 {
					text.WriteByte(']')
				}
				texts = append(texts, text.String())
				text.Reset()
			}
		}
	}
}

var (
	number = regexp.MustCompile(`^-?[0-9]+$`)
	noted  = regexp.MustCompile(`^(.*) \((.*)\)$`)
)

// valueOf is a field as a golden file has it: shown as "label: value", an enum with its number behind it, a set with its names.
func valueOf(a map[string]string) string {
	label, shown, _ := strings.Cut(a["showname"], ": ")
	note := noted.FindStringSubmatch(shown)
	switch {
	case number.MatchString(shown):
	case note != nil && note[2] == "none":
		shown = "none"
	case note != nil && strings.HasPrefix(note[1], "0x"):
		shown = cmp.Or(note[2], "-")
	case note != nil:
		shown = note[1]
	case strings.Contains(a["show"], ":"):
		shown = a["value"]
	default:
		shown = fmt.Sprintf("%q", shown)
	}
	return fmt.Sprintf(" %s=%s", label, shown)
}
