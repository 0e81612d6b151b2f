package journal

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strconv"
	"strings"
)

// Each start of a journal has a number of its own, the epoch (D-30). It is kept in a file of one line,
//
//	epoch 7 crc32c 5b0c1d2e
//
// which is replaced, durably, before the first frame of that epoch is written. So a frame never has an epoch that the file has
// not seen, and who reads an older one knows that he reads what somebody wrote who has been replaced.

const epochFile = "EPOCH"

func epochLine(epoch uint64) []byte {
	return sealed("epoch " + strconv.FormatUint(epoch, 10))
}

// sealed is a line with its checksum.
func sealed(words string) []byte {
	return fmt.Appendf(nil, "%s crc32c %08x\n", words, crc([]byte(words)))
}

// readEpoch gives the epoch of the last start, 0 where there was none.
func readEpoch(files FS, dir string) (uint64, error) {
	b, err := slurp(files, dir, epochFile)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	words := strings.Fields(string(b))
	if len(words) > 1 {
		if epoch, err := strconv.ParseUint(words[1], 10, 64); err == nil && epoch > 0 && string(epochLine(epoch)) == string(b) {
			return epoch, nil
		}
	}
	return 0, &Corrupt{epochFile, 0, "one line with an epoch and its checksum", strconv.Quote(string(b))}
}

// readWhole fills b from a file.
func readWhole(f File, b []byte, off int64) error {
	n, err := f.ReadAt(b, off)
	switch {
	case n == len(b):
		return nil
	case err == nil || errors.Is(err, io.EOF):
		return io.ErrUnexpectedEOF
	}
	return err
}

// writeWhole writes b into a file.
func writeWhole(f File, b []byte, off int64) error {
	n, err := f.WriteAt(b, off)
	if err == nil && n < len(b) {
		return io.ErrShortWrite
	}
	return err
}
