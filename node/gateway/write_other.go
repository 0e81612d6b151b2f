//go:build !unix

package gateway

// writesRaw says that sockets can be written to without waiting.
const writesRaw = false

func writeTo(fd uintptr, b []byte) (n int, again bool) { return 0, false }
