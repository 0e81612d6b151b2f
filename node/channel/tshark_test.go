package channel_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/wire"
)

// pcap is a capture of datagrams to port 9100, as it stands in a file: Ethernet, IPv4, UDP.
func pcap(datagrams [][]byte) []byte {
	le, be := binary.LittleEndian, binary.BigEndian
	b := le.AppendUint32(nil, 0xA1B2C3D4)
	b = le.AppendUint16(le.AppendUint16(b, 2), 4)
	b = le.AppendUint32(le.AppendUint32(append(b, make([]byte, 8)...), 65535), 1)
	for i, d := range datagrams {
		size := 14 + 20 + 8 + len(d)
		b = le.AppendUint32(le.AppendUint32(b, uint32(i)), 0)
		b = le.AppendUint32(le.AppendUint32(b, uint32(size)), uint32(size))
		b = append(b, 1, 0, 0x5E, 1, 1, 1, 2, 0, 0, 0, 0, 1, 8, 0)
		b = be.AppendUint16(append(b, 0x45, 0), uint16(size-14))
		b = append(b, 0, 0, 0x40, 0, 1, 17, 0, 0, 10, 0, 0, 1, 239, 1, 1, 1)
		b = be.AppendUint16(be.AppendUint16(b, 9100), 9100)
		b = append(be.AppendUint16(b, uint16(8+len(d))), 0, 0)
		b = append(b, d...)
	}
	return b
}

// recorded is a run as a capture holds it: datagrams, heartbeats between them, and the end of the session.
func recorded(t *testing.T) (datagrams [][]byte) {
	dice := rand.New(rand.NewPCG(9, 9))
	p := newPublisher(t, config)
	commands := day(t, 9, 3_000)
	now := fixed.Nanos(0)
	for len(commands) > 0 {
		n := min(len(commands), 1+dice.IntN(100))
		datagrams = append(datagrams, publish(p, commands[:n], dice)...)
		commands = commands[n:]
		now += fixed.Second
		if b := p.Heartbeat(nil, now); len(b) > 0 {
			datagrams = append(datagrams, b)
		}
	}
	return append(datagrams, p.AppendEnd(nil))
}

// the MoldUDP64 dissector of Wireshark finds in every datagram the session, the number and the count that we put there, the length and the
// number of each record, and nothing to complain about.
func TestAgainstWireshark(t *testing.T) {
	tshark, err := exec.LookPath("tshark")
	if err != nil {
		t.Skip("tshark is not installed; with it, its MoldUDP64 dissector reads what is published here")
	}
	datagrams := recorded(t)
	file := filepath.Join(t.TempDir(), "feed.pcap")
	if err := os.WriteFile(file, pcap(datagrams), 0o600); err != nil {
		t.Fatal(err)
	}
	command := exec.Command(tshark, "-r", file, "-d", "udp.port==9100,moldudp64", "-T", "fields", "-E", "separator=|",
		"-e", "moldudp64.session", "-e", "moldudp64.sequence", "-e", "moldudp64.count", "-e", "moldudp64.msglen", "-e", "moldudp64.msgseq", "-e", "_ws.expert.message")
	var said bytes.Buffer
	command.Stderr = &said
	out, err := command.Output()
	if err != nil {
		t.Fatalf("tshark: %v\n%s", err, &said)
	}
	lines := strings.Split(strings.TrimSuffix(string(out), "\n"), "\n")
	if len(lines) != len(datagrams) {
		t.Fatalf("tshark finds %d datagrams, want %d", len(lines), len(datagrams))
	}
	records, heartbeats := 0, 0
	for i, b := range datagrams {
		d, fault := wire.OpenDatagram(b, wire.MaxDatagram)
		if fault.Kind != 0 {
			t.Fatal(fault)
		}
		count := d.Count
		if d.End {
			count = wire.EndOfSession
		}
		if count == 0 {
			heartbeats++
		}
		var lengths, numbers []string
		for number := d.Sequence; ; number++ {
			r := d.Record()
			if r == nil {
				break
			}
			records++
			lengths, numbers = append(lengths, fmt.Sprint(len(r))), append(numbers, fmt.Sprint(number))
		}
		want := fmt.Sprintf("%s|%d|%d|%s|%s|", d.Session[:], d.Sequence, count, strings.Join(lengths, ","), strings.Join(numbers, ","))
		if d.End { // whose count without records it takes for that of a request, and says so
			lines[i] = strings.TrimSuffix(lines[i], "Number of Requested Messages")
		}
		if lines[i] != want {
			t.Fatalf("datagram %d\n got %s\nwant %s", i, lines[i], want)
		}
	}
	if records < 2_000 || heartbeats < 10 {
		t.Errorf("only %d records and %d heartbeats", records, heartbeats)
	}
	t.Logf("%d datagrams, %d records, %d heartbeats and the end agree", len(datagrams), records, heartbeats)
}
