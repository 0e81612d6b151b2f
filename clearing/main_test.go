package clearing

import (
	"flag"
	"os"
	"testing"
)

// A property is tried on more than the usual hundred cases; -rapid.checks on the command line overrides it.
func TestMain(m *testing.M) {
	if err := flag.Set("rapid.checks", "1000"); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}
