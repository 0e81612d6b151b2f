package gateway

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// speech makes of bytes what a client says in one go after it has logged on: messages that are right, messages that are not, and no messages
// at all.
func (w *world) speech(data []byte) []byte {
	w.batch = []byte{}
	number, last := 1, 0
	for len(data) >= 2 {
		op, arg := data[0], int(data[1])
		data = data[2:]
		start := len(w.batch)
		switch op % 16 {
		case 0, 1, 2, 3:
			w.do(strings.Fields(fmt.Sprintf("order %d", number)))
			number++
		case 4:
			w.do(strings.Fields(fmt.Sprintf("order %d side=%d type=%d flags=%d qty=%d", number, arg&3, arg>>2&7, arg>>5<<2, arg>>7)))
			number++
		case 5:
			w.do(strings.Fields(fmt.Sprintf("cancel %d", number)))
			number++
		case 6:
			w.do(strings.Fields(fmt.Sprintf("block %d", number)))
			number++
		case 7:
			number += arg % 4
			w.do(strings.Fields(fmt.Sprintf("sequence %d", number)))
		case 8:
			w.do(strings.Fields(fmt.Sprintf("retransmit %d %d", arg>>4, arg&15)))
			w.do(strings.Fields(fmt.Sprintf("sequence %d", number)))
		case 9:
			w.do(strings.Fields(fmt.Sprintf("session-message %d %d", arg&31, arg>>5*8)))
		case 10:
			w.do(strings.Fields(fmt.Sprintf("finished-sending %d", number-1+arg%3)))
		case 11: // the last message again, with a byte of it changed
			if last < start {
				w.batch = append(w.batch, w.batch[last:start]...)
				w.batch[start+arg%(start-last)] ^= 1 << (op >> 4 % 8)
				number++
			}
		case 12: // cut short
			if last < start {
				w.batch = w.batch[:start-arg%(start-last)]
			}
		case 13:
			w.do(strings.Fields(fmt.Sprintf("bytes n=%d of=%d", arg%40+1, op>>4)))
		case 14:
			w.do(strings.Fields([...]string{"heartbeat", "terminate", "finished-receiving", "establish", "negotiate id=XYZ"}[arg%5]))
		case 15:
			w.do(strings.Fields(fmt.Sprintf("order %d", arg)))
		}
		if len(w.batch) > start {
			last = start
		}
	}
	said := w.batch
	w.batch = nil
	return said
}

// W-72: whatever comes, and however it is cut, nothing breaks, the same comes out, and each number that was consumed has been answered once.
func FuzzSession(f *testing.F) {
	f.Add([]byte{0, 0, 0, 0, 5, 0, 7, 2, 8, 0x13, 0, 0})
	f.Add([]byte{0, 0, 4, 255, 4, 90, 11, 30, 0x3b, 12, 14, 1})
	f.Add([]byte{0, 0, 10, 0, 14, 2, 14, 1})
	f.Add(slices.Repeat([]byte{0, 0}, 40))
	f.Add(slices.Repeat([]byte{4, 0}, 40))
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > 200 {
			t.Skip()
		}
		var first *world
		for _, chunk := range []int{0, 1, 3, 64} {
			w := newWorld(t)
			w.run(in)
			said := w.speech(data)
			w.lines, w.chunk = nil, chunk
			w.at.send(said)
			w.wait(20_000_000)
			if first == nil {
				first = w
				row := w.roster.rows[1].Load()
				if s := w.core.sessions[1]; s.client != row.client || row.answered.Load()+1 != s.client || row.tail.next != s.server {
					t.Errorf("client %d, answered %d, next %d: the core has %d and %d", row.client, row.answered.Load(), row.tail.next, s.client, s.server)
				}
				continue
			}
			if !slices.Equal(w.lines, first.lines) {
				t.Errorf("in pieces of %d bytes:\n%s\n\nat once:\n%s", chunk, strings.Join(w.lines, "\n"), strings.Join(first.lines, "\n"))
			}
			for i := range min(len(w.core.log), len(first.core.log)) {
				if w.core.log[i] != first.core.log[i] {
					t.Fatalf("in pieces of %d bytes command %d is %v, at once %v", chunk, i, w.core.log[i], first.core.log[i])
				}
			}
			if len(w.core.log) != len(first.core.log) {
				t.Errorf("in pieces of %d bytes %d commands, at once %d", chunk, len(w.core.log), len(first.core.log))
			}
		}
	})
}
