package bench

// counter reads the time stamp counter of the core.
func counter() uint64

// hasCounter says that counter is cheaper than the clock of the system.
const hasCounter = true
