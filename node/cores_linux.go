package node

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// cores says which thread may run where.
//
//	may     0 1 2 3 4 5 6 7     what the process was given
//	hot               6 7       each the core of one hot thread, and of nothing else
//	house   0 1 2 3 4 5         everybody else
type cores struct {
	may unix.CPUSet
	hot map[int]int // core -> thread, 0 until it has pinned itself
}

// reserve takes a core for a hot thread, the highest where want is 0, and moves all other threads off it. It gives -1 and
// the reason when there is none, or when the system does not let threads be moved.
func (c *cores) reserve(want int) (core int, why string) {
	if c.hot == nil {
		if err := unix.SchedGetaffinity(os.Getpid(), &c.may); err != nil {
			return -1, fmt.Sprintf("sched_getaffinity: %v", err)
		}
		c.hot = map[int]int{}
	}
	house := c.house()
	if house.Count() < 2 {
		return -1, fmt.Sprintf("%d core is left, which the rest of the process needs", house.Count())
	}
	if want != 0 && !house.IsSet(want) {
		return -1, fmt.Sprintf("core %d is taken or not this process's to use", want)
	}

	if core = want; core == 0 {
		core = highest(&house)
	}
	c.hot[core] = 0
	if err := c.move(); err != nil {
		delete(c.hot, core)
		_ = c.move() // back where they were, as far as the system lets us
		return -1, err.Error()
	}
	return core, ""
}

// house is the cores of everybody else.
func (c *cores) house() unix.CPUSet {
	house := c.may
	for core := range c.hot {
		house.Clear(core)
	}
	return house
}

// highest is the last core of a set that is not empty.
func highest(set *unix.CPUSet) (core int) {
	for i, left := 0, set.Count(); left > 0; i++ {
		if set.IsSet(i) {
			core = i
			left--
		}
	}
	return core
}

// movesMax bounds the passes of move: a thread that is created meanwhile may have inherited the old cores.
const movesMax = 16

// move puts every thread that is not hot on the house's cores, until a pass finds no thread that is not there yet.
func (c *cores) move() error {
	house := c.house()
	hot := map[int]bool{}
	for _, thread := range c.hot {
		hot[thread] = true
	}
	for range movesMax {
		threads, err := os.ReadDir("/proc/self/task")
		if err != nil {
			return fmt.Errorf("threads cannot be listed: %w", err)
		}
		moved := false
		for _, entry := range threads {
			thread, err := strconv.Atoi(entry.Name())
			if err != nil || hot[thread] {
				continue
			}
			var is unix.CPUSet
			if unix.SchedGetaffinity(thread, &is) == nil && is == house {
				continue
			}
			moved = true
			if err := unix.SchedSetaffinity(thread, &house); err != nil && !errors.Is(err, unix.ESRCH) {
				return fmt.Errorf("sched_setaffinity: %w", err)
			}
		}
		if !moved {
			return nil
		}
	}
	return errors.New("threads come faster than they can be moved")
}

// pin ties the calling thread to its core and says why where it cannot.
func (c *cores) pin(core int) (why string) {
	var one unix.CPUSet
	one.Set(core)
	if err := unix.SchedSetaffinity(0, &one); err != nil {
		return fmt.Sprintf("sched_setaffinity: %v", err)
	}
	c.hot[core] = unix.Gettid()
	return ""
}

// giveBack returns a core to the house.
func (c *cores) giveBack(core int) {
	delete(c.hot, core)
	_ = c.move() // a thread that cannot be moved stays where it is
}

// memory is the bytes that this process may use: the machine's, or its control group's where that is less. 0: unknown.
func memory() int64 {
	var info unix.Sysinfo_t
	if unix.Sysinfo(&info) != nil {
		return 0
	}
	bytes := int64(info.Totalram) * int64(info.Unit)
	if group, err := os.ReadFile("/sys/fs/cgroup/memory.max"); err == nil {
		if limit, err := strconv.ParseInt(strings.TrimSpace(string(group)), 10, 64); err == nil {
			bytes = min(bytes, limit)
		}
	}
	return bytes
}
