package journal

import "fmt"

// What can be wrong, by what it means for a start (D-02). Each names the exit code of the command line.

// Corrupt says that what is on the disk is not what was written: damage that no crash explains (D-25). Nothing was changed.
type Corrupt struct {
	File            string // its name in the folder of the journal
	Offset          int64  // in the file, in bytes
	Expected, Found string
}

func (c *Corrupt) Error() string {
	return fmt.Sprintf("corrupt journal: %s, offset %d: expected %s, found %s", c.File, c.Offset, c.Expected, c.Found)
}

// ExitCode is the exit code corrupt-journal.
func (c *Corrupt) ExitCode() int { return 6 }

// ExitName is its name.
func (c *Corrupt) ExitName() string { return "corrupt-journal" }

// Unknown says that a journal was written in a form that this binary does not know (D-55).
type Unknown struct {
	File   string
	Offset int64
	What   string // what has the version
	Found  uint64
	Known  string
}

func (u *Unknown) Error() string {
	return fmt.Sprintf("unknown schema: %s, offset %d: %s %d, expected %s: a newer binary wrote it", u.File, u.Offset, u.What, u.Found, u.Known)
}

// ExitCode is the exit code unknown-schema.
func (u *Unknown) ExitCode() int { return 6 }

// ExitName is its name.
func (u *Unknown) ExitName() string { return "unknown-schema" }

// StorageError says that the disk refused something. It is final: what was asked for may be done, not done, or half done, and
// asking again would not tell (D-28).
type StorageError struct {
	Op, File string
	Err      error
}

func (s *StorageError) Error() string {
	return fmt.Sprintf("storage failed: %s %s: %v", s.Op, s.File, s.Err)
}
func (s *StorageError) Unwrap() error { return s.Err }

// ExitCode is the exit code storage-error.
func (s *StorageError) ExitCode() int { return 8 }

// ExitName is its name.
func (s *StorageError) ExitName() string { return "storage-error" }

// Running says that another process has the journal (D-29).
type Running struct{ Dir string }

func (r *Running) Error() string {
	return fmt.Sprintf("%s: a running process holds the lock of this folder, expected nobody", r.Dir)
}

// ExitCode is the exit code already-running.
func (r *Running) ExitCode() int { return 9 }

// ExitName is its name.
func (r *Running) ExitName() string { return "already-running" }

// Misfit says that the journal is another one than was asked for, or that the configuration makes no sense.
type Misfit struct{ Message string }

func (m *Misfit) Error() string { return m.Message }

// ExitCode is that of a wrong configuration.
func (m *Misfit) ExitCode() int { return 2 }

func misfit(format string, args ...any) error {
	return &Misfit{"journal: " + fmt.Sprintf(format, args...)}
}

// failed is a StorageError, or nil where err is.
func failed(op, file string, err error) error {
	if err == nil {
		return nil
	}
	return &StorageError{op, file, err}
}
