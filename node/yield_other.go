//go:build !linux

package node

// YieldToAll does nothing: threads have no priority of their own here.
func YieldToAll() {}
