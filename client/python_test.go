package client_test

import (
	"bytes"
	"crypto/ed25519"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"testing"
)

const pythonClient = "../clients/python"

// python is the interpreter, where it and what the client in Python needs are there.
func python(t *testing.T) string {
	path, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("no python3 on this machine")
	}
	if out, err := exec.Command(path, "-c", "import sys, cryptography; assert sys.version_info >= (3, 10)").CombinedOutput(); err != nil {
		t.Skipf("python3 is too old, or has no package cryptography: %s", out)
	}
	return path
}

// The client in Python reads and writes every golden message, and holds its own tests.
func TestPythonClientAlone(t *testing.T) {
	c := exec.Command(python(t), "-m", "unittest", "discover", "tests")
	c.Dir, c.Env = pythonClient, append(os.Environ(), "PYTHONDONTWRITEBYTECODE=1")
	if out, err := c.CombinedOutput(); err != nil || !bytes.Contains(out, []byte("OK")) {
		t.Errorf("%v\n%s", err, out)
	}
}

// Two clients that share no code with each other hold the same protocol: the one in Python trades on the venue of the tests, over
// connections that break, and knows of every request what it was.
func TestPythonClientOnBreakingConnections(t *testing.T) {
	path := python(t)
	dice := rand.New(rand.NewPCG(5, 5))
	h, breaks := &host{v: newVenue(t)}, 0
	h.cuts = func() int {
		if breaks++; breaks > 30 {
			return 0
		}
		return 1 + dice.IntN(6_000)
	}
	address, port, err := net.SplitHostPort(h.listen(t))
	if err != nil {
		t.Fatal(err)
	}
	public := venueKey.Public().(ed25519.PublicKey)
	c := exec.Command(path, "tests/live.py", address, port, "5", hex.EncodeToString(clientKey.Seed()), hex.EncodeToString(public), "0", "3", "2", "100", "5", "400")
	c.Dir, c.Env = pythonClient, append(os.Environ(), "PYTHONDONTWRITEBYTECODE=1")
	var faults bytes.Buffer
	c.Stderr = &faults
	out, err := c.Output()
	if err != nil {
		t.Fatalf("%v\n%s%s", err, out, &faults)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	told, missed := 0, 0
	for line := range bytes.Lines(out) {
		var request struct {
			Ref           uint64
			Name, Outcome string
		}
		if err := json.Unmarshal(line, &request); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		told++
		want := h.v.applied[request.Ref]
		if want == "" {
			missed++
			want = "not applied"
		}
		if request.Outcome != want {
			t.Errorf("%s %d is known as %q, and was %q", request.Name, request.Ref, request.Outcome, want)
		}
	}
	if told != 400 || breaks < 2 {
		t.Errorf("%d requests on %d connections", told, breaks)
	}
	t.Log(fmt.Sprint(told, " requests, of which ", missed, " were never seen, on ", breaks, " connections"))
}
