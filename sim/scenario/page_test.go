package scenario

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const page = "SCENARIOS.md"

func readPage(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", page))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestPageScenario runs the scenario that the page shows, and holds the failure that it shows.
func TestPageScenario(t *testing.T) { // T-9
	text := readPage(t)
	_, text, found := strings.Cut(text, "```scenario\n")
	text, rest, ended := strings.Cut(text, "```\n")
	if !found || !ended {
		t.Fatal("the page shows no scenario")
	}
	_, shown, _ := strings.Cut(rest, "```text\n")
	shown, _, _ = strings.Cut(shown, "\n")
	for _, c := range []struct{ text, want string }{{text, ""}, {strings.Replace(text, "upnl=1475", "upnl=1500", 1), shown}} {
		s, err := Parse("barley.scenario", []byte(c.text), AsWritten)
		if err != nil {
			t.Fatal(err)
		}
		r, err := s.Run(context.Background(), nil)
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		for i := range r.Failed {
			got += string(r.Failed[i].Append(nil, r.File))
		}
		if got != c.want || r.Expectations == 0 {
			t.Errorf("failed: %q, want %q", got, c.want)
		}
	}
}

// TestPageNamesEverything holds that the page names every verb, thing, parameter and field.
func TestPageNamesEverything(t *testing.T) {
	text := readPage(t)
	words := strings.FieldsFunc(text, func(c rune) bool { return strings.ContainsRune(" \n,;:.()|`*[]=", c) })
	var all []string
	for verb := range verbs {
		all = append(all, verb)
	}
	for thing := range things {
		all = append(all, thing)
	}
	for _, list := range [][]parameter{venueParameters, instrumentParameters} {
		for _, p := range list {
			all = append(all, p.name)
		}
	}
	all = append(all, fieldNames(orderLooks)...)
	all = append(all, fieldNames(accountLooks)...)
	all = append(all, fieldNames(positionLooks)...)
	all = append(all, fieldNames(bookLooks)...)
	all = append(all, fieldNames(marketLooks)...)
	all = append(all, fieldNames(fundLooks)...)
	all = append(all, fieldNames(venueLooks)...)
	all = append(all, fieldNames(whatIfLooks)...)
	for _, w := range all {
		if !slices.Contains(words, w) {
			t.Errorf("docs/%s does not name %s", page, w)
		}
	}
}

func fieldNames[K any](looks map[string]look[K]) (all []string) {
	for name := range looks {
		all = append(all, name)
	}
	return all
}
