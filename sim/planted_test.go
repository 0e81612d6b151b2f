package sim

import (
	"bytes"
	"encoding/json"
	"flag"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// Planted bugs (D-69): patches that break a promise, each with those checkers that have to notice and the seeds in which they have to.
// They are applied to copies of the tree, so what ships has no trace of them. Each has to apply always; which of them have to be found
// in a run is asked for, since each costs a build:
//
//	go test ./sim -run Planted -v -sim.planted all
//	go test ./sim -run Planted -v -sim.planted B-04,B-17
//	go test ./sim -run Planted -v -sim.planted 3 -sim.turn 17     three of them, others with each turn
var (
	planted = flag.String("sim.planted", "", "which planted bugs have to be found: all, their names, or how many; none without it")
	turn    = flag.Int("sim.turn", 0, "the turn of those that are found when some of them are")
)

// patch is a planted bug.
type patch struct {
	name     string
	file     string
	what     string
	checkers []string
	seeds    int
}

// patches are all of them.
func patches(t *testing.T) (all []patch) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("testdata", "planted", "*.patch"))
	if err != nil || len(files) < 20 {
		t.Fatalf("%d patches, %v", len(files), err)
	}
	head := regexp.MustCompile(`^(B-\d\d): (.+)\ncheckers: (.+)\nseeds: (\d+)\n\ndiff `)
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		m := head.FindSubmatch(text)
		if m == nil {
			t.Fatalf("%s: expected a head of name, checkers and seeds", file)
		}
		seeds, _ := strconv.Atoi(string(m[4])) // digits
		all = append(all, patch{string(m[1]), file, string(m[2]), strings.Split(string(m[3]), "|"), seeds})
	}
	return all
}

// git runs git apply in a folder.
func git(t *testing.T, dir, file string, args ...string) error {
	t.Helper()
	program, err := exec.LookPath("git")
	if err != nil {
		t.Skip("no git, which applies the patches")
	}
	path, err := filepath.Abs(file)
	if err != nil {
		t.Fatal(err)
	}
	command := exec.Command(program, append(append([]string{"apply"}, args...), path)...)
	command.Dir = dir
	out, err := command.CombinedOutput()
	if err != nil {
		t.Logf("%s", out)
	}
	return err
}

// TestPlantedApply holds the patches to the tree as it is: one that does not apply any more plants nothing.
func TestPlantedApply(t *testing.T) { // D-69
	for _, p := range patches(t) {
		if err := git(t, "..", p.file, "--check"); err != nil {
			t.Errorf("%s does not apply: %v", p.file, err)
		}
	}
}

// TestPlantedFound plants bugs and waits for the simulator to find them, by a checker that is meant for it.
func TestPlantedFound(t *testing.T) { // D-69, G-17
	all := chosen(t, patches(t))
	if len(all) == 0 {
		t.Skip("no bug was asked for: -sim.planted")
	}
	for _, p := range all {
		t.Run(p.name, func(t *testing.T) {
			dir := t.TempDir()
			copyTree(t, "..", dir)
			if err := git(t, dir, p.file); err != nil {
				t.Fatal(err)
			}
			build := exec.Command("go", "build", "-o", "planted", "./cmd/exchange")
			build.Dir = dir
			if out, err := build.CombinedOutput(); err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			p.find(t, filepath.Join(dir, "planted"))
		})
	}
}

// chosen are the bugs that were asked for.
func chosen(t *testing.T, all []patch) []patch {
	t.Helper()
	count, err := strconv.Atoi(*planted)
	switch {
	case *planted == "":
		return nil
	case *planted == "all":
		return all
	case err == nil:
		var some []patch
		for i := range min(count, len(all)) {
			some = append(some, all[(*turn*count+i)%len(all)])
		}
		return some
	}
	names := strings.Split(*planted, ",")
	some := slices.DeleteFunc(all, func(p patch) bool { return !slices.Contains(names, p.name) })
	if len(some) != len(names) {
		t.Fatalf("-sim.planted names %v, found %d of them", names, len(some))
	}
	return some
}

// copyTree copies what is built.
func copyTree(t *testing.T, from, to string) {
	t.Helper()
	err := filepath.WalkDir(from, func(path string, d fs.DirEntry, err error) error {
		rel, rest := filepath.Rel(from, path)
		if err != nil || rest != nil {
			return err
		}
		if d.IsDir() {
			if rel == ".git" {
				return fs.SkipDir
			}
			return os.MkdirAll(filepath.Join(to, rel), 0o755)
		}
		if !d.Type().IsRegular() {
			return nil
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(to, rel), b, 0o644)
	})
	if err != nil {
		t.Fatal(err)
	}
}

// find runs the planted binary until it finds something, and says what, and how fast.
func (p *patch) find(t *testing.T, binary string) {
	t.Helper()
	var out, errs bytes.Buffer
	command := exec.Command(binary, "sim", "--json", "--once", "--seeds", strconv.Itoa(p.seeds), "--commands", "20000", "--seed", "1")
	command.Stdout, command.Stderr = &out, &errs
	err := command.Run()
	var sum Summary
	if bad := json.Unmarshal(out.Bytes(), &sum); bad != nil {
		t.Fatalf("%v, %v: %s", err, bad, errs.Bytes())
	}
	if len(sum.Findings) == 0 {
		t.Fatalf("%s: not found in %d seeds, %d commands, %.1f s", p.what, sum.Seeds, sum.Commands, sum.Seconds)
	}
	f := sum.Findings[0]
	if !slices.Contains(p.checkers, f.Checker) {
		t.Errorf("%s: found by %q, expected one of %q: %s", p.what, f.Checker, p.checkers, f)
	}
	t.Logf("%s: found by %q in seed %d, after %d seeds, %d commands, %.1f s: %.300s", p.what, f.Checker, f.Seed, sum.Seeds, sum.Commands,
		sum.Seconds, f.Message)
}
