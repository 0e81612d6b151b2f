package main

import (
	"bufio"
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/lockstep-exchange/lockstep/engine"
	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/msg"
	"github.com/lockstep-exchange/lockstep/node/journal"
)

// What a process does that is killed, stopped, and started again: the demo as the load, its acks as what the world has been told, and
// its journal as what is left.
//
//	exchange demo --data DIR --acks - ──acks──> told: seq -> digest of the events
//	   ^ SIGKILL at some ack, or some moment of the start
//	DIR ──> replay ──> held: seq -> digest of the events        told ⊆ held: nothing lost, nothing changed
//
// That nothing is done twice says the demo's own check: the journal holds each command of the script once and in order.

var (
	kills    = flag.Int("chaos.kills", 0, "how often a process is killed; 0: 20, or 4 with -short")
	attacked = flag.String("chaos.binary", "", "the exchange binary to be attacked; default: the one under test")
	chaos    = flag.Uint64("chaos.seed", 1, "when processes are killed")
)

// process is an exchange that is not running yet.
func process(args ...string) *exec.Cmd {
	if *attacked != "" {
		return exec.Command(*attacked, args...)
	}
	cmd := exec.Command(os.Args[0], args...)
	cmd.Env = append(os.Environ(), childVariable+"=1")
	return cmd
}

// life is one process, from its start to its end.
type life struct {
	cmd    *exec.Cmd
	out    *bufio.Reader
	errors bytes.Buffer
	dir    string
}

// load is a demo of so much of the recording, as fast as it goes, with a journal in dir.
func load(dir, duration string) []string {
	return []string{"demo", "--data", dir, "--acks", "-", "--quiet", "--duration", duration, "--accounts", "300", "--max"}
}

func begin(t *testing.T, dir string, args []string) *life {
	t.Helper()
	l := &life{cmd: process(args...), dir: dir}
	out, err := l.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	l.out, l.cmd.Stderr = bufio.NewReader(out), &l.errors
	if err := l.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return l
}

// ack is the next line that was written whole; false when there are none any more.
func (l *life) ack(t *testing.T) (seq msg.Seq, digest string, ok bool) {
	t.Helper()
	line, err := l.out.ReadString('\n')
	if err != nil {
		return 0, "", false // what has no end was not told
	}
	if n, _ := fmt.Sscanf(line, "%d %s\n", &seq, &digest); n != 2 || len(digest) != 16 {
		if _, err := io.Copy(io.Discard, l.out); err != nil { // the report begins
			t.Fatal(err)
		}
		return 0, "", false
	}
	return seq, digest, true
}

// wait is the exit code, -1 of a process that was killed.
func (l *life) wait(t *testing.T) int {
	t.Helper()
	err := l.cmd.Wait()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return l.cmd.ProcessState.ExitCode()
}

// told is what a folder's processes have acknowledged, in order.
type told struct {
	last    msg.Seq
	digests map[msg.Seq]string
}

// hear reads acks until there are limit more, and notes them; fewer come when the process ends.
func (o *told) hear(t *testing.T, l *life, limit int) (heard int) {
	t.Helper()
	for heard < limit {
		seq, digest, ok := l.ack(t)
		if !ok {
			break
		}
		if seq <= o.last {
			t.Fatalf("%s: command %d is acknowledged after %d", l.dir, seq, o.last)
		}
		o.last, o.digests[seq] = seq, digest
		heard++
	}
	return heard
}

// holds compares what was told with what a journal brings about.
func (o *told) holds(t *testing.T, dir string) {
	t.Helper()
	r, err := journal.NewReader(journal.Disk{}, dir)
	if err != nil {
		t.Fatal(err)
	}
	eng, err := engine.New(r.Genesis().Limits)
	if err != nil {
		t.Fatal(err)
	}
	left := len(o.digests)
	var events []msg.Event
	for r.Next() {
		for i := range r.Commands() {
			c := &r.Commands()[i]
			events = eng.Apply(c, events[:0])
			digest, ok := o.digests[c.Seq]
			if !ok {
				continue
			}
			left--
			var d fixed.Digest
			for k := range events {
				events[k].Hash(&d)
			}
			if got := fmt.Sprintf("%016x", d.Sum()); got != digest {
				t.Fatalf("%s: command %d was acknowledged with events %s, and is now %s", dir, c.Seq, digest, got)
			}
		}
	}
	if err := errors.Join(r.Err(), r.Close()); err != nil {
		t.Fatal(err)
	}
	if left != 0 {
		t.Fatalf("%s: %d of %d acknowledged commands are lost; the journal ends with %d", dir, left, len(o.digests), r.Tail().Seq)
	}
}

// TestKilledAgainAndAgain kills exchanges under load and starts them again. Nothing that was acknowledged is lost or changed, nothing is
// done twice, and every start succeeds without help.
func TestKilledAgainAndAgain(t *testing.T) { // G-05; D-01, D-29, D-30, D-76
	count := *kills
	if count == 0 {
		if count = 20; testing.Short() {
			count = 4
		}
	}
	t.Logf("-chaos.seed=%d", *chaos)
	chance := rand.New(rand.NewPCG(*chaos, 0))
	acked, done, folders, silent := 0, 0, 0, 0
	for done < count {
		dir, heard := filepath.Join(t.TempDir(), fmt.Sprint(folders)), &told{digests: map[msg.Seq]string{}}
		folders++
		for finished := false; !finished; {
			args := load(dir, "60s")
			if done == count {
				chance, finished = nil, true // the last life ends by itself
			}
			l := begin(t, dir, args)
			if chance != nil {
				if chance.IntN(4) == 0 { // somewhere in the start: a kill by the clock, since nothing is told then
					time.AfterFunc(time.Duration(chance.IntN(400))*time.Millisecond, func() { _ = l.cmd.Process.Kill() })
				} else {
					heard.hear(t, l, 1+chance.IntN(20_000))
					_ = l.cmd.Process.Kill() // it may have finished
				}
			}
			n := heard.hear(t, l, 1<<30)
			switch code := l.wait(t); {
			case code == -1:
				if done++; n == 0 {
					silent++
				}
			case code == exitDone:
				finished = true
			default:
				t.Fatalf("a process in %s ended by itself with %d: %s", dir, code, l.errors.String())
			}
		}
		heard.holds(t, dir)
		acked += len(heard.digests)
	}
	t.Logf("%d kills in %d folders, %d of them before anything was told: %d commands acknowledged, 0 lost, 0 changed, 0 doubled",
		done, folders, silent, acked)
}

// TestStoppedAndContinued stops a process for as long as another one needs to be refused, and lets it go on: it has lost nothing.
func TestStoppedAndContinued(t *testing.T) { // D-03, D-76
	dir, heard := filepath.Join(t.TempDir(), "data"), &told{digests: map[msg.Seq]string{}}
	l := begin(t, dir, load(dir, "60s"))
	for range 3 {
		heard.hear(t, l, 1_000)
		if err := l.cmd.Process.Signal(syscall.SIGSTOP); err != nil {
			t.Fatal(err)
		}
		other := begin(t, dir, load(dir, "60s"))
		if code := other.wait(t); code != exitUnfit || !strings.Contains(other.errors.String(), "a running process holds the lock") {
			t.Fatalf("a second process ended with %d: %s", code, other.errors.String())
		}
		if err := l.cmd.Process.Signal(syscall.SIGCONT); err != nil {
			t.Fatal(err)
		}
	}
	heard.hear(t, l, 1<<30)
	if code := l.wait(t); code != exitDone {
		t.Fatalf("ended with %d: %s", code, l.errors.String())
	}
	heard.holds(t, dir)
}

// injected is a child of strace, of which a system call fails on each thread at its n-th time.
func injected(t *testing.T, call, errno string, when int, args []string) *exec.Cmd {
	t.Helper()
	cmd := process(args...)
	cmd.Args = append([]string{"strace", "-f", "-qq", "-o", os.DevNull, "-e", "trace=" + call,
		"-e", fmt.Sprintf("inject=%s:error=%s:when=%d", call, errno, when), cmd.Path}, cmd.Args[1:]...)
	path, err := exec.LookPath("strace")
	if err != nil {
		t.Skip("skipped: there is no strace here, which makes system calls fail")
	}
	cmd.Path = path
	return cmd
}

// TestSystemCallsFail lets system calls of the binary fail: it stops without another ack and says why; the next start is whole.
func TestSystemCallsFail(t *testing.T) { // G-04, D-28, D-76
	if out, err := injected(t, "fdatasync", "EIO", 1, []string{"version"}).CombinedOutput(); err != nil {
		t.Skipf("skipped: strace may not trace here: %v: %s", err, out)
	}
	faults := 9
	if testing.Short() {
		faults = 2
	}
	for _, fault := range []struct {
		call, errno string
		when        int
	}{{"fdatasync", "EIO", 9}, {"pwrite64", "ENOSPC", 40}, {"fdatasync", "EIO", 1}, {"fdatasync", "EIO", 2}, {"pwrite64", "EIO", 1},
		{"pwrite64", "EIO", 30}, {"renameat", "EIO", 1}, {"renameat", "EIO", 2}, {"fsync", "EIO", 3}}[:faults] {
		t.Run(fmt.Sprintf("%s=%s,when=%d", fault.call, fault.errno, fault.when), func(t *testing.T) {
			dir, heard := filepath.Join(t.TempDir(), "data"), &told{digests: map[msg.Seq]string{}}
			l := &life{cmd: injected(t, fault.call, fault.errno, fault.when, load(dir, "20s")), dir: dir}
			out, err := l.cmd.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			l.out, l.cmd.Stderr = bufio.NewReader(out), &l.errors
			if err := l.cmd.Start(); err != nil {
				t.Fatal(err)
			}
			heard.hear(t, l, 1<<30)
			if code := l.wait(t); code != exitStorage || !strings.Contains(l.errors.String(), "storage failed: ") {
				t.Fatalf("ended with %d after %d acks: %s", code, len(heard.digests), l.errors.String())
			}
			again := begin(t, dir, load(dir, "20s"))
			heard.hear(t, again, 1<<30)
			if code := again.wait(t); code != exitDone {
				t.Fatalf("the next start ended with %d: %s", code, again.errors.String())
			}
			heard.holds(t, dir)
		})
	}
}

// insideVariable names the folder of a test that runs in a mount namespace of its own.
const insideVariable = "EXCHANGE_TMPFS"

// TestFullDisk lets the binary fill a small file system: it says that there is little room, then none, and acknowledges nothing more; when
// there is room it goes on by itself, and everything that was acknowledged is there.
func TestFullDisk(t *testing.T) { // G-07, D-51, D-52, D-53, D-76
	if dir := os.Getenv(insideVariable); dir != "" {
		fullDisk(t, dir)
		return
	}
	if testing.Short() {
		t.Skip("it takes some seconds")
	}
	if out, err := exec.Command("unshare", "-rm", "mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", t.TempDir()).CombinedOutput(); err != nil {
		t.Skipf("skipped: a file system of one's own may not be mounted here: %v: %s", err, out)
	}
	cmd := exec.Command("unshare", "-rm", os.Args[0], "-test.run=^TestFullDisk$", "-test.v", "-chaos.binary="+*attacked)
	cmd.Env = append(os.Environ(), insideVariable+"="+t.TempDir())
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	t.Logf("%s", out)
}

func fullDisk(t *testing.T, dir string) {
	const mega = 1 << 20
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=212m"); err != nil {
		t.Fatal(err)
	}
	ballast := filepath.Join(dir, "ballast") // leaves room for one segment and no spare
	if err := os.WriteFile(ballast, make([]byte, 206*mega), 0o600); err != nil {
		t.Fatal(err)
	}
	data := filepath.Join(dir, "data")
	heard, l := &told{digests: map[msg.Seq]string{}}, &life{cmd: process("demo", "--data", data, "--acks", "-", "--rate", "40", "--accounts", "300"), dir: data}
	out, err := l.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	said, err := l.cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	l.out = bufio.NewReader(out)
	if err := l.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	rooms, reading := []string(nil), sync.WaitGroup{}
	reading.Go(func() {
		for lines := bufio.NewScanner(said); lines.Scan(); {
			room, found := strings.CutPrefix(lines.Text(), "the room for the journal is ")
			if !found {
				continue
			}
			if rooms = append(rooms, room); room == "hard" {
				if err := os.Remove(ballast); err != nil && !errors.Is(err, os.ErrNotExist) {
					t.Error(err)
				}
			}
		}
	})
	heard.hear(t, l, 1<<30)
	reading.Wait()
	if code := l.wait(t); code != exitDone && code != exitUnmet { // what was refused meanwhile is not as it was recorded
		t.Errorf("ended with %d", code)
	}
	if len(rooms) < 3 || rooms[0] != "soft" || rooms[1] != "hard" || rooms[2] == "hard" {
		t.Errorf("the room was %q, expected soft, hard, and more again", rooms)
	}
	heard.holds(t, data)
	t.Logf("the room was %q, %d commands acknowledged, 0 lost", rooms, len(heard.digests))
}
