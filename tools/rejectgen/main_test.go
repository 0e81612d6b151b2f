package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const root = "../.."

// The files in the tree are what the table says now. // X-11, N-2
func TestFilesAreUpToDate(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(root, source))
	if err != nil {
		t.Fatal(err)
	}
	files, err := generate(text)
	if err != nil {
		t.Fatal(err)
	}
	if len(files) != 2 {
		t.Fatalf("%d files are generated, want 2", len(files))
	}
	for name, want := range files {
		got, err := os.ReadFile(filepath.Join(root, name))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), string(got)); diff != "" {
			t.Errorf("%s is stale, run go generate ./msg (-want +got):\n%s", name, diff)
		}
	}
}

// run writes both files next to the table it reads.
func TestRunWritesBothFiles(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"msg", "docs"} {
		if err := os.Mkdir(filepath.Join(dir, name), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := run(dir); err == nil {
		t.Error("run without a table gives no error")
	}
	if err := os.WriteFile(filepath.Join(dir, source), []byte(good), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := run(dir); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{goFile: "RejectBadThing // 100: It is bad.", bookFile: "| 100 | `BAD_THING` | format | 2 | It is bad. |"} {
		text, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(strings.Join(strings.Fields(string(text)), " "), want) {
			t.Errorf("%s lacks %q:\n%s", name, want, text)
		}
	}
}

const good = `
[[reject]]
code = 100
name = "BadThing"
check = "format"
layer = 2
text = "It is bad."
hint = "Make it good."

[[reason]]
code = 1
name = "User"
text = "Its owner canceled it."
`

// A table that breaks a rule is refused, and the error says where and what.
func TestTablesThatBreakARule(t *testing.T) {
	if _, err := read([]byte(good)); err != nil {
		t.Fatalf("the table without a fault is refused: %v", err)
	}
	second := func(code, name, check string) string {
		r := strings.Replace(good[:strings.Index(good, "[[reason]]")], "100", code, 1)
		return good + strings.NewReplacer("BadThing", name, `"format"`, `"`+check+`"`).Replace(r)
	}
	if _, err := read([]byte(second("101", "WorseThing", "format"))); err != nil {
		t.Fatalf("a second reject is refused: %v", err)
	}
	for _, c := range []struct{ name, text, want string }{
		{"empty", "", "0 rejects and 0 reasons"},
		{"no text", "[[reject]", "msg/rejects.toml:1:"},
		{"unknown key", good + "words = 1\n", `msg/rejects.toml:14:1: key "reason.words"`},
		{"wrong type", strings.Replace(good, "layer = 2", `layer = "two"`, 1), "msg/rejects.toml:6:"},
		{"code below the classes", strings.Replace(good, "100", "99", 1), "reject 99 BadThing: want a code"},
		{"code above the classes", strings.Replace(good, "100", "501", 1), "reject 501 BadThing: want a code"},
		{"reserved code", strings.Replace(good, "100", "305", 1), "reject 305 BadThing: the code is reserved"},
		{"name with a space", strings.Replace(good, "BadThing", "Bad thing", 1), "CamelCase"},
		{"no layer", strings.Replace(good, "layer = 2\n", "", 1), "layer is 0: want 1 to 5"},
		{"no check", strings.Replace(good, `check = "format"`+"\n", "", 1), "check is missing"},
		{"no hint", strings.Replace(good, `hint = "Make it good."`+"\n", "", 1), `hint is ""`},
		{"no full stop", strings.Replace(good, "It is bad.", "It is bad", 1), `text is "It is bad"`},
		{"two sentences", strings.Replace(good, "It is bad.", "It is. Bad.", 1), "want one sentence"},
		{"bar", strings.Replace(good, "It is bad.", "It is | bad.", 1), "want one sentence"},
		{"code twice", second("100", "WorseThing", "format"), "reject 100 WorseThing: code or name is used twice"},
		{"name twice", second("101", "BadThing", "format"), "reject 101 BadThing: code or name is used twice"},
		{"check in two places", second("101", "WorseThing", "band") + second("102", "WorstThing", "format")[len(good):],
			`reject 102 WorstThing: check "format" stands in two places`},
		{"gap in the reasons", strings.Replace(good, "code = 1\n", "code = 2\n", 1), "reason 2 User: want code 1"},
		{"reason without text", strings.Replace(good, "Its owner canceled it.", "", 1), `reason 1 User: text is ""`},
		{"reason without name", strings.Replace(good, `"User"`, `"by user"`, 1), "reason 1 by user: want a name"},
		{"no reasons", good[:strings.Index(good, "[[reason]]")], "1 rejects and 0 reasons"},
	} {
		_, err := read([]byte(c.text))
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.HasPrefix(err.Error(), source) {
			t.Errorf("%s: the error is %v, want one that starts with %s and says %q", c.name, err, source, c.want)
		}
	}
}

func TestUpper(t *testing.T) {
	for name, want := range map[string]string{"InsufficientMargin": "INSUFFICIENT_MARGIN", "Busy": "BUSY",
		"DuplicateClientID": "DUPLICATE_CLIENT_ID", "NoMark": "NO_MARK"} {
		if got := upper(name); got != want {
			t.Errorf("upper(%s) = %s, want %s", name, got, want)
		}
	}
}
