package clearing

import (
	"flag"
	"os"
	"testing"
)

// A property is tried on more than the usual hundred cases, and leaves no file behind when it fails: what it prints is
// enough. Flags on the command line override both.
func TestMain(m *testing.M) {
	for name, value := range map[string]string{"rapid.checks": "1000", "rapid.nofailfile": "true"} {
		if err := flag.Set(name, value); err != nil {
			panic(err)
		}
	}
	os.Exit(m.Run())
}
