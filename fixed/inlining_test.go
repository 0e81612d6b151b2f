package fixed_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// probe calls each leaf that the hot path relies on being inlined into its caller. // S-16
const probe = `package probe

import "github.com/lockstep-exchange/lockstep/fixed"

func Leaves(a, b int64, w, v fixed.Wide, m fixed.Money, d *fixed.Digest) (fixed.Wide, int64, fixed.Money, int, bool) {
	w = fixed.MulWide(a, b).Add(v).Sub(fixed.Widen(a)).Neg()
	n, ok := w.Int64()
	d.Pair(1, 2)
	return w, n, fixed.Abs(m), w.Sign() + w.Cmp(v), ok
}
`

func TestLeavesAreInlined(t *testing.T) {
	gotool, err := exec.LookPath("go")
	if err != nil {
		t.Skip("no go command to ask:", err)
	}
	file := filepath.Join(t.TempDir(), "probe.go")
	if err := os.WriteFile(file, []byte(probe), 0o644); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(gotool, "build", "-gcflags=-m", file).CombinedOutput()
	if err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	for _, leaf := range []string{"MulWide", "Widen", "Abs[", "Wide.Add", "Wide.Sub", "Wide.Neg", "Wide.Sign", "Wide.Cmp",
		"Wide.Int64", "(*Digest).Pair"} {
		if !strings.Contains(string(out), "inlining call to fixed."+leaf) {
			t.Errorf("%s is not inlined into its caller", strings.TrimSuffix(leaf, "["))
		}
	}
	if t.Failed() {
		t.Logf("the compiler says:\n%s", out)
	}
}
