package scenario

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Find lists the scenarios that a path stands for: the file itself, or of a folder all files below it that end with Ending,
// by name. The error is a Faults.
func Find(path string) (files []string, err error) {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return nil, unreadable(path, err)
	case !info.IsDir():
		return []string{path}, nil
	}
	err = filepath.WalkDir(path, func(file string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() && strings.HasSuffix(file, Ending) {
			files = append(files, file)
		}
		return err
	})
	switch {
	case err != nil:
		return nil, unreadable(path, err)
	case len(files) == 0:
		return nil, Faults{{File: path, Text: "holds no scenario, expected files that end with " + Ending}}
	}
	return files, nil
}

// Load reads and checks a file. The error is a Faults.
func Load(file string, mode Mode) (*Script, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, unreadable(file, err)
	}
	return Parse(file, text, mode)
}

// unreadable is the fault of a path that cannot be read.
func unreadable(path string, err error) error {
	if inner := new(fs.PathError); errors.As(err, &inner) {
		err = inner.Err
	}
	return Faults{{File: path, Text: err.Error() + ", expected a scenario file or a folder of them"}}
}
