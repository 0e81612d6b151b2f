package replay

import (
	"bufio"
	"bytes"
	"compress/bzip2"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
)

// InputError says what is wrong with a recording and where. Line counts from 1; 0 means the file as a whole.
type InputError struct {
	File       string
	Line       int
	What, Want string // what was found, and what was expected in its place
}

// Error is file:line: what, expected what.
func (e *InputError) Error() string {
	where := e.File
	if e.Line > 0 {
		where = fmt.Sprintf("%s:%d", e.File, e.Line)
	}
	if e.Want == "" {
		return where + ": " + e.What
	}
	return where + ": " + e.What + ", expected " + e.Want
}

// ExitCode is that of input which cannot be read or parsed.
func (e *InputError) ExitCode() int { return 2 }

// flaw is an InputError before it has a place.
type flaw struct{ what, want string }

func (f flaw) Error() string { return f.what + ", expected " + f.want }

// longestLine bounds a line in bytes; a depth snapshot takes 64 KiB.
const longestLine = 16 << 20

// Source is a recording as lines: one or more files, one after the other, plain, gzip or bzip2 by their content, never
// whole in memory. It is not safe for use by several goroutines.
type Source struct {
	names []string // of the files not yet open
	name  string   // of the open one
	file  *os.File // nil where the caller brought a reader
	lines *bufio.Reader
	long  []byte // a line longer than the buffer of lines
	line  int    // of the last line returned
	pack  string // how the open file is packed, for errors

	read, total int64 // bytes as they lie in the files
}

// Open opens the files of a recording. The error is an *InputError.
func Open(files ...string) (*Source, error) {
	s := &Source{names: files}
	for _, name := range files {
		info, err := os.Stat(name)
		switch {
		case err != nil:
			return nil, &InputError{File: name, What: reasonOf(err), Want: "a file that can be read"}
		case info.IsDir():
			return nil, &InputError{File: name, What: "is a directory", Want: "a file"}
		}
		s.total += info.Size()
	}
	if err := s.openNext(); err != nil {
		return nil, err
	}
	return s, nil
}

// NewSource reads a recording from r; name stands for it in errors. The error is an *InputError.
func NewSource(r io.Reader, name string) (*Source, error) {
	s := &Source{name: name}
	if err := s.unpack(r); err != nil {
		return nil, err
	}
	return s, nil
}

// Close closes what is open.
func (s *Source) Close() error {
	if s.file == nil {
		return nil
	}
	return s.file.Close()
}

// Done says how far the reading is, in bytes of the files as they lie; total is 0 where nobody knows.
func (s *Source) Done() (read, total int64) { return s.read, s.total }

// Next returns the next line without its end, valid until the next call, and io.EOF after the last. Every other error is
// an *InputError.
func (s *Source) Next() ([]byte, error) {
	for {
		line, err := s.readLine()
		switch {
		case len(line) > 0 && (err == nil || err == io.EOF):
			s.line++
			line = bytes.TrimSuffix(line, []byte{'\n'})
			return bytes.TrimSuffix(line, []byte{'\r'}), nil
		case err != io.EOF:
			return nil, err
		case len(s.names) == 0:
			return nil, io.EOF
		}
		if err := s.openNext(); err != nil {
			return nil, err
		}
	}
}

// At gives err the place of the last line.
func (s *Source) At(err error) error {
	var f flaw
	if errors.As(err, &f) {
		return &InputError{File: s.name, Line: s.line, What: f.what, Want: f.want}
	}
	return err
}

// where is the last line for people.
func (s *Source) where() string { return fmt.Sprintf("%s:%d", s.name, s.line) }

// readLine returns a line with its end. At the end of the file the error is io.EOF, with the line if it has no end.
func (s *Source) readLine() ([]byte, error) {
	part, err := s.lines.ReadSlice('\n')
	if err == nil {
		return part, nil
	}
	s.long = s.long[:0]
	for err == bufio.ErrBufferFull && len(s.long) < longestLine {
		s.long = append(s.long, part...)
		part, err = s.lines.ReadSlice('\n')
	}
	if len(s.long)+len(part) > longestLine {
		return nil, s.spoiled(fmt.Sprintf("a line of more than %d bytes", longestLine), "lines of text")
	}
	if len(s.long) > 0 {
		s.long = append(s.long, part...)
		part = s.long
	}
	switch {
	case err == nil || err == io.EOF:
		return part, err
	case errors.Is(err, io.ErrUnexpectedEOF):
		return nil, s.spoiled("the "+s.pack+" stream is torn off", "its end")
	}
	return nil, s.spoiled("the "+s.pack+" stream is damaged: "+reasonOf(err), "one that unpacks")
}

// spoiled is a flaw in the line that follows the last.
func (s *Source) spoiled(what, want string) error {
	return &InputError{File: s.name, Line: s.line + 1, What: what, Want: want}
}

// openNext goes on with the next file.
func (s *Source) openNext() error {
	s.Close()
	name := s.names[0]
	file, err := os.Open(name)
	if err != nil {
		return &InputError{File: name, What: reasonOf(err), Want: "a file that can be read"}
	}
	s.names, s.name, s.file, s.line = s.names[1:], name, file, 0
	return s.unpack(file)
}

// unpack looks at the first bytes of r and reads it as what they say it is.
func (s *Source) unpack(r io.Reader) error {
	packed := bufio.NewReaderSize(&counted{r, &s.read}, 1<<16)
	head, err := packed.Peek(4)
	if err != nil && err != io.EOF {
		return &InputError{File: s.name, What: reasonOf(err), Want: "a file that can be read"}
	}
	var plain io.Reader = packed
	switch {
	case len(head) == 0:
		return &InputError{File: s.name, What: "is empty", Want: "a recording"}
	case bytes.HasPrefix(head, []byte{0x1f, 0x8b}):
		s.pack = "gzip"
		if plain, err = gzip.NewReader(packed); err != nil {
			return s.spoiled("the gzip header is damaged or torn off", "a gzip file")
		}
	case bytes.HasPrefix(head, []byte("BZh")):
		s.pack, plain = "bzip2", bzip2.NewReader(packed)
	case bytes.HasPrefix(head, []byte{0x28, 0xb5, 0x2f, 0xfd}):
		return &InputError{File: s.name, What: "is packed with zstd", Want: "a plain, gzip or bzip2 file"}
	default:
		s.pack = "byte"
	}
	s.lines = bufio.NewReaderSize(plain, 1<<16)
	return nil
}

// reasonOf is an error without the path that the message names anyway.
func reasonOf(err error) string {
	var path *fs.PathError
	if errors.As(err, &path) {
		return path.Err.Error()
	}
	return err.Error()
}

// counted counts the bytes that are read through it.
type counted struct {
	from io.Reader
	read *int64
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.from.Read(p)
	*c.read += int64(n)
	return n, err
}
