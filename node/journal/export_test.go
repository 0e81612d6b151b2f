package journal

import "github.com/lockstep-exchange/lockstep/engine"

// Publish writes a snapshot of an engine into a folder, as a Shadow does.
func Publish(files FS, dir string, e *engine.Engine) (Snapshot, error) {
	l := shelf{files: files, dir: dir, genesis: Genesis{Shard: 1}}
	s := Snapshot{Place: Place{Seq: e.Seq(), Time: e.Now(), File: fileName(1, 0, segmentEnd), Kind: End, Last: sectorSize, Offset: 2 * sectorSize}, Chronicle: Chronicle{seq: e.Seq()}, State: e.Hash()}
	return s, l.publish(&s, func(put func([]byte) bool) bool {
		e.Snapshot(put)
		return true
	})
}

// Load restores what Publish wrote.
func Load(files FS, dir string, s Snapshot, use func(take func() []byte) error) error {
	l := shelf{files: files, dir: dir, genesis: Genesis{Shard: 1}}
	_, err := l.read(s.File, func(_ *Snapshot, take func() []byte) error { return use(take) })
	return err
}

// Check verifies what Publish wrote.
func Check(files FS, dir string, s Snapshot) error {
	l := shelf{files: files, dir: dir, genesis: Genesis{Shard: 1}}
	_, err := l.verify(s.File)
	return err
}
