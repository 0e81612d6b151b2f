package node

import "golang.org/x/sys/unix"

// yieldToAll gives the calling thread the lowest priority, where that is allowed.
func yieldToAll() { _ = unix.Setpriority(unix.PRIO_PROCESS, unix.Gettid(), 19) }
