//go:build !linux

package node

// cores says which thread may run where; on this system, every one everywhere.
type cores struct{}

func (*cores) reserve(int) (core int, why string) {
	return -1, "threads cannot be pinned on this system"
}

func (*cores) pin(int) (why string) { return "threads cannot be pinned on this system" }

func (*cores) giveBack(int) {}

// memory is unknown here: the collector is turned off only with a Fuse.
func memory() int64 { return 0 }
