package journal

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"unsafe"

	"github.com/lockstep-exchange/lockstep/engine"
)

// What a journal is the journal of stands in a record of its own, in the file GENESIS, written before the first segment and
// never again. Its hash is the head of the chain, and each segment names it.
//
//	 0 magic u32 | 4 format u16 | 6 bytes of the currency u16 | 8 cluster u64 | 16 shard u64 | 24 currency, 24 bytes, zero padded
//	48 limits u32: how many | 52 the limits, u32 each, in the order of engine.Limits | zeros | 252 CRC32C of bytes 0-251

const (
	genesisFile   = "GENESIS"
	genesisMagic  = 0x4753_4b4c // "LKSG"
	genesisFormat = 1
	genesisSize   = 256
	currencyMax   = 24
)

// Genesis says what a journal is the journal of.
type Genesis struct {
	Cluster  uint64        // the venue
	Shard    uint64        // of it
	Currency string        // of settlement; up to 24 bytes
	Limits   engine.Limits // with the defaults filled in, as engine.Engine.Limits gives them
}

// limitsMax is how many limits there are. A limit that is added goes to the end of listed: an old record then lacks it, and stands
// for the default that it has had since.
const limitsMax = 11

var _ = [1]struct{}{}[unsafe.Sizeof(engine.Limits{})-limitsMax*unsafe.Sizeof(uint32(0))]

// listed are the limits in the order of the record.
func listed(l *engine.Limits) [limitsMax]*uint32 {
	return [...]*uint32{&l.Instruments, &l.Underlyings, &l.Accounts, &l.Positions, &l.Orders, &l.Levels, &l.Events, &l.Sessions,
		&l.AccountPositions, &l.OwnerAccounts, &l.Jobs}
}

// bytes is the record, with the first so many limits.
func (g *Genesis) bytes(count int) []byte {
	le := binary.LittleEndian
	b := make([]byte, genesisSize)
	le.PutUint32(b, genesisMagic)
	le.PutUint16(b[4:], genesisFormat)
	le.PutUint16(b[6:], uint16(len(g.Currency)))
	le.PutUint64(b[8:], g.Cluster)
	le.PutUint64(b[16:], g.Shard)
	copy(b[24:48], g.Currency)
	le.PutUint32(b[48:], uint32(count))
	limits := listed(&g.Limits)
	for i, v := range limits[:count] {
		le.PutUint32(b[52+4*i:], *v)
	}
	le.PutUint32(b[252:], crc(b[:252]))
	return b
}

// check says what a record cannot hold.
func (g *Genesis) check() error {
	if g.Currency == "" || len(g.Currency) > currencyMax || strings.ContainsRune(g.Currency, 0) {
		return misfit("the currency is %q, expected a name of 1 to %d bytes", g.Currency, currencyMax)
	}
	for i, v := range listed(&g.Limits) {
		if *v == 0 {
			return misfit("limit %d of the engine is 0, expected limits with their defaults filled in", i)
		}
	}
	return nil
}

// parseGenesis reads a record. Bytes behind a valid checksum that another format wrote are unknown, all others corrupt.
func parseGenesis(b []byte) (g Genesis, err error) {
	wrong := func(offset int64, expected, found string) (Genesis, error) {
		return Genesis{}, &Corrupt{genesisFile, offset, expected, found}
	}
	le := binary.LittleEndian
	switch {
	case len(b) != genesisSize:
		return wrong(int64(len(b)), fmt.Sprintf("%d bytes", genesisSize), fmt.Sprintf("%d", len(b)))
	case le.Uint32(b) != genesisMagic:
		return wrong(0, "the magic of a genesis record", fmt.Sprintf("%08x", le.Uint32(b)))
	case le.Uint32(b[252:]) != crc(b[:252]):
		return wrong(252, fmt.Sprintf("checksum %08x", crc(b[:252])), fmt.Sprintf("%08x", le.Uint32(b[252:])))
	case le.Uint16(b[4:]) != genesisFormat:
		return Genesis{}, &Unknown{genesisFile, 4, "genesis format", uint64(le.Uint16(b[4:])), fmt.Sprint(genesisFormat)}
	case le.Uint32(b[48:]) > limitsMax:
		return Genesis{}, &Unknown{genesisFile, 48, "number of limits", uint64(le.Uint32(b[48:])), fmt.Sprintf("up to %d", limitsMax)}
	case le.Uint16(b[6:]) > currencyMax:
		return wrong(6, fmt.Sprintf("a currency of up to %d bytes", currencyMax), fmt.Sprint(le.Uint16(b[6:])))
	}
	g.Cluster, g.Shard = le.Uint64(b[8:]), le.Uint64(b[16:])
	g.Currency = string(b[24 : 24+le.Uint16(b[6:])])
	count := int(le.Uint32(b[48:]))
	limits := listed(&g.Limits)
	for i, v := range limits[:count] {
		*v = le.Uint32(b[52+4*i:])
	}
	if string(g.bytes(count)) != string(b) {
		return wrong(0, "zeros where nothing is said", "something else")
	}
	return g, nil
}

// readGenesis reads the record of a folder, and the head of its chain. fs.ErrNotExist says that there is none yet.
func readGenesis(files FS, dir string) (g Genesis, origin Hash, err error) {
	b, err := slurp(files, dir, genesisFile)
	if err == nil {
		g, err = parseGenesis(b)
	}
	return g, sha256.Sum256(b), err
}

// fits reports whether the journal of g may go on as that of want. A limit that an old record lacks fits any.
func (g *Genesis) fits(want *Genesis) bool {
	held, wanted := listed(&g.Limits), listed(&want.Limits)
	for i := range held {
		if *held[i] != 0 && *held[i] != *wanted[i] {
			return false
		}
	}
	return g.Cluster == want.Cluster && g.Shard == want.Shard && g.Currency == want.Currency
}

// slurp reads a small file as a whole.
func slurp(files FS, dir, name string) ([]byte, error) {
	const sizeMax = 1 << 16
	f, err := files.Open(filepath.Join(dir, name), os.O_RDONLY)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	if err != nil {
		return nil, failed("open", name, err)
	}
	size, err := f.Size()
	if err == nil && size > sizeMax {
		_ = f.Close() // only read
		return nil, &Corrupt{name, 0, fmt.Sprintf("at most %d bytes", sizeMax), fmt.Sprint(size)}
	}
	b := make([]byte, size)
	if err == nil {
		err = readWhole(f, b, 0)
	}
	return b, failed("read", name, errors.Join(err, f.Close()))
}

// replace puts a small file in the place of another, durably and at once: written beside it, synced, renamed, and the folder
// synced. After a crash the old one is there or the new one.
func replace(files FS, dir, name string, b []byte) error {
	path := filepath.Join(dir, name)
	if err := files.Remove(path + freshEnd); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return failed("remove", name+freshEnd, err)
	}
	f, err := files.Open(path+freshEnd, os.O_RDWR|os.O_CREATE|os.O_EXCL)
	if err != nil {
		return failed("create", name+freshEnd, err)
	}
	if err = writeWhole(f, b, 0); err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return failed("write", name+freshEnd, err)
	}
	if err := files.Rename(path+freshEnd, path); err != nil {
		return failed("rename", name, err)
	}
	return failed("sync the folder of", name, files.SyncDir(dir))
}
