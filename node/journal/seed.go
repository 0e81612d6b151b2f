package journal

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"strconv"

	"github.com/lockstep-exchange/lockstep/msg"
)

// The seed is the commands with which a venue begins. When all of it has been sequenced, what it was is kept in a file of one line,
//
//	seed 12 sha256 9d4c...e1 crc32c 5b0c1d2e
//
// so that a start with another one is refused also where the first segments have been freed, or a snapshot stands for them. The hash is
// that of the commands as the journal draws them, with their numbers and without times.

const seedFile = "SEED"

func seedLine(seed []msg.Command) []byte {
	sum, b := sha256.New(), make([]byte, msg.CommandSize)
	for i := range seed {
		r := seed[i].Request
		r.Time = 0
		sum.Write(b[:putLines(b, msg.Seq(i+1), &r)])
	}
	return sealed("seed " + strconv.Itoa(len(seed)) + " sha256 " + fmt.Sprintf("%x", sum.Sum(nil)))
}

// CheckSeed refuses another seed than the folder was begun with: with a *Misfit, or a *StorageError where the disk does not say. Where
// nothing is kept of it, or no seed is given, there is nothing to refuse.
func CheckSeed(files FS, dir string, seed []msg.Command) error {
	b, err := slurp(files, dir, seedFile)
	switch {
	case errors.Is(err, fs.ErrNotExist) || err == nil && len(seed) == 0:
		return nil
	case err != nil:
		return err
	case string(b) != string(seedLine(seed)):
		return misfit("%s was begun with another seed: its %s says %q, expected %q", dir, seedFile, b, seedLine(seed))
	}
	return nil
}

// KeepSeed keeps what the seed was, all of which is durable. Nobody but the owner of the Writer may call it, before Step.
func (w *Writer) KeepSeed(seed []msg.Command) error {
	if len(seed) == 0 {
		return nil
	}
	if _, err := slurp(w.config.FS, w.config.Dir, seedFile); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return replace(w.config.FS, w.config.Dir, seedFile, seedLine(seed))
}
