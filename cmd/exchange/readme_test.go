package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
)

var shown = regexp.MustCompile("go run \\./cmd/exchange([^\n`]*)")

// Every command of this binary that a page shows is one that it understands, flags and all.
func TestPagesShowCommands(t *testing.T) {
	count := 0
	for _, pattern := range []string{"*.md", "docs/*.md", "docs/decisions/*.md"} {
		pages, err := filepath.Glob(filepath.Join("..", "..", filepath.FromSlash(pattern)))
		if err != nil {
			t.Fatal(err)
		}
		for _, page := range pages {
			text, err := os.ReadFile(page)
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range shown.FindAllStringSubmatch(string(text), -1) {
				line, _, _ := strings.Cut(m[1], "   ") // a remark may stand behind it
				var menu commandLine
				parser := kong.Must(&menu, kong.Name("exchange"))
				if _, err := parser.Parse(strings.Fields(line)); err != nil {
					t.Errorf("%s: exchange%s: %v", filepath.Base(page), line, err)
				}
				count++
			}
		}
	}
	if count < 10 {
		t.Errorf("the pages show %d commands, expected at least 10", count)
	}
}
