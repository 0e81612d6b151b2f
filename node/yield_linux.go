package node

import "golang.org/x/sys/unix"

// GiveWay lowers the priority of the calling thread, where that is allowed: by 19 it runs when nobody else wants to, by 5 it gets a quarter of a
// core that it shares with another.
func GiveWay(by int) { _ = unix.Setpriority(unix.PRIO_PROCESS, unix.Gettid(), by) }
