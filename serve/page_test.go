package serve

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The files that docs/SERVE.md shows are taken as they stand there, but for keys and addresses.
func TestFilesOfThePage(t *testing.T) {
	page, err := os.ReadFile("../docs/SERVE.md")
	if err != nil {
		t.Fatal(err)
	}
	blocks := strings.Split(string(page), "```toml\n")
	if len(blocks) != 3 {
		t.Fatalf("%d blocks of TOML, expected 2", len(blocks)-1)
	}
	text := func(i int) string { b, _, _ := strings.Cut(blocks[i], "```"); return b }
	dir := t.TempDir()
	if _, err := NewKey(filepath.Join(dir, "venue.key")); err != nil {
		t.Fatal(err)
	}
	var kept []string
	for line := range strings.Lines(text(1)) {
		if !strings.HasPrefix(line, "tls ") {
			kept = append(kept, strings.Replace(line, `, orders_tls = "0.0.0.0:7002"`, "", 1))
		}
	}
	for name, text := range map[string]string{"exchange.toml": strings.Join(kept, ""), "venue.toml": text(2)} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	c, err := Load(filepath.Join(dir, "exchange.toml"))
	if err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprintf("%s %d %v %v %v %d", c.Orders, c.Core, c.Float, c.Idle, c.Ack, len(c.venue.seed)); got != "127.0.0.1:7001 1 false spin fsync 9" {
		t.Errorf("the page says %s", got)
	}
}
