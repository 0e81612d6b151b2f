// Package disk is a disk for simulations and tests: it forgets what was not synced, tears what was being written, runs full and
// fails, as it is told. It satisfies journal.FS.
//
//	process    names ──> file   what is written is read back at once, synced or not
//	             │         │    sectors of 512 bytes, some of them dirty
//	           SyncDir   Sync, Datasync
//	             v         v
//	platter    names ──> file   what a power loss leaves for certain
//
// Words: a kill ends the process and leaves the cache; a power loss ends the cache too, and of what was not synced it keeps,
// sector by sector, what chance says; of what was not synced in a folder it keeps the first few changes. Both release the locks
// and make open files useless. Invariant: a file without dirty sectors is the same in the cache and on the platter.
package disk

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"

	"github.com/lockstep-exchange/lockstep/node/journal"
)

const sectorSize = 512

// Disk is a file system in memory. Several goroutines may use it. Its folders need not be made.
type Disk struct {
	mu      sync.Mutex
	names   map[string]*inode // as the process sees them
	platter map[string]*inode // as they are found after a power loss
	changes []change          // from platter to names, in order
	locks   map[string]*lock
	life    int // goes up with every end of the process
	room    int64
	used    int64
	sticky  bool // the cache cannot be dropped
}

// change is one change of a folder that was not synced: to is given inode, and from goes.
type change struct {
	dir, from, to string
	inode         *inode // nil: from is removed
}

// inode is a file.
type inode struct {
	cache, platter []byte
	dirty          map[int64]bool // by sector
}

// New makes an empty disk of room bytes.
func New(room int64) *Disk {
	return &Disk{names: map[string]*inode{}, platter: map[string]*inode{}, locks: map[string]*lock{}, room: room}
}

// SetRoom makes the disk larger or smaller; what is on it stays.
func (d *Disk) SetRoom(room int64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.room = room
}

// SetSticky says whether the cache stays where DropCache is asked for: not every platform lets one.
func (d *Disk) SetSticky(sticky bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.sticky = sticky
}

// Kill ends the process: files that it had open fail from now on, its locks are free, and what it wrote stays.
func (d *Disk) Kill() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.life++
	clear(d.locks)
}

// PowerLoss ends the process and the cache.
func (d *Disk) PowerLoss(chance *rand.Rand) {
	d.Kill()
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, name := range sorted(d.names) { // in order, so that equal chance leaves an equal disk
		d.names[name].tear(chance)
	}
	for _, c := range d.changes {
		if chance.IntN(2) == 0 {
			break
		}
		c.do(d.platter)
	}
	d.changes = nil
	for _, f := range d.platter {
		f.cache = slices.Clone(f.platter)
		clear(f.dirty)
	}
	d.names = map[string]*inode{}
	d.used = 0
	for name, f := range d.platter {
		d.names[name] = f
		d.used += int64(len(f.cache))
	}
}

// tear lets each dirty sector reach the platter or not.
func (f *inode) tear(chance *rand.Rand) {
	sectors := make([]int64, 0, len(f.dirty))
	for s := range f.dirty {
		sectors = append(sectors, s)
	}
	slices.Sort(sectors)
	for _, s := range sectors {
		if chance.IntN(2) == 0 {
			f.store(s)
		}
	}
}

// store brings a sector to the platter.
func (f *inode) store(sector int64) {
	end := min((sector+1)*sectorSize, int64(len(f.cache)))
	if more := end - int64(len(f.platter)); more > 0 {
		f.platter = append(f.platter, make([]byte, more)...)
	}
	copy(f.platter[sector*sectorSize:end], f.cache[sector*sectorSize:end])
}

// Edit changes a file behind everyone's back, in the cache and on the platter: damage. It panics where there is no such file.
func (d *Disk) Edit(name string, change func([]byte)) {
	d.mu.Lock()
	defer d.mu.Unlock()
	f := d.names[filepath.Clean(name)]
	if f == nil {
		panic("disk: there is no " + name)
	}
	change(f.cache)
	if len(f.platter) == len(f.cache) && len(f.dirty) == 0 {
		change(f.platter)
	}
}

// Put makes a file, durably.
func (d *Disk) Put(name string, b []byte) {
	d.mu.Lock()
	defer d.mu.Unlock()
	f := &inode{cache: slices.Clone(b), platter: slices.Clone(b), dirty: map[int64]bool{}}
	d.names[filepath.Clean(name)], d.platter[filepath.Clean(name)] = f, f
	d.used += int64(len(b))
}

// Get is a copy of a file as a process would read it, nil where there is none.
func (d *Disk) Get(name string) []byte {
	d.mu.Lock()
	defer d.mu.Unlock()
	if f := d.names[filepath.Clean(name)]; f != nil {
		return slices.Clone(f.cache)
	}
	return nil
}

// Clone is a disk with the same files and locks of its own; nobody has anything open there.
func (d *Disk) Clone() *Disk {
	d.mu.Lock()
	defer d.mu.Unlock()
	c := New(d.room)
	c.used, c.sticky = d.used, d.sticky
	copies := map[*inode]*inode{}
	twin := func(f *inode) *inode {
		if f == nil {
			return nil
		}
		if copies[f] == nil {
			t := &inode{slices.Clone(f.cache), slices.Clone(f.platter), map[int64]bool{}}
			for s := range f.dirty {
				t.dirty[s] = true
			}
			copies[f] = t
		}
		return copies[f]
	}
	for name, f := range d.names {
		c.names[name] = twin(f)
	}
	for name, f := range d.platter {
		c.platter[name] = twin(f)
	}
	for _, change := range d.changes {
		change.inode = twin(change.inode)
		c.changes = append(c.changes, change)
	}
	return c
}

func sorted(names map[string]*inode) []string {
	list := make([]string, 0, len(names))
	for name := range names {
		list = append(list, name)
	}
	slices.Sort(list)
	return list
}

func (c change) do(names map[string]*inode) {
	if c.from != "" {
		delete(names, c.from)
	}
	if c.inode != nil {
		names[c.to] = c.inode
	}
}

func (d *Disk) change(c change) {
	c.do(d.names)
	d.changes = append(d.changes, c)
}

// Open opens a file, and makes it where flag says so.
func (d *Disk) Open(name string, flag int) (journal.File, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	name = filepath.Clean(name)
	f := d.names[name]
	switch {
	case f == nil && flag&os.O_CREATE == 0:
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	case f != nil && flag&os.O_EXCL != 0:
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrExist}
	case f == nil:
		f = &inode{dirty: map[int64]bool{}}
		d.change(change{dir: filepath.Dir(name), to: name, inode: f})
	}
	return &file{disk: d, inode: f, name: name, life: d.life, write: flag&os.O_RDWR != 0}, nil
}

// Rename puts a file in the place of another.
func (d *Disk) Rename(from, to string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	from, to = filepath.Clean(from), filepath.Clean(to)
	f := d.names[from]
	if f == nil {
		return &fs.PathError{Op: "rename", Path: from, Err: fs.ErrNotExist}
	}
	if old := d.names[to]; old != nil {
		d.used -= int64(len(old.cache))
	}
	d.change(change{dir: filepath.Dir(to), from: from, to: to, inode: f})
	return nil
}

// Remove takes a file out of its folder. Its room is free at once.
func (d *Disk) Remove(name string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	name = filepath.Clean(name)
	f := d.names[name]
	if f == nil {
		return &fs.PathError{Op: "remove", Path: name, Err: fs.ErrNotExist}
	}
	d.used -= int64(len(f.cache))
	d.change(change{dir: filepath.Dir(name), from: name})
	return nil
}

// List gives the files of a folder.
func (d *Disk) List(dir string) (list []journal.Entry, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	dir = filepath.Clean(dir) + string(filepath.Separator)
	for _, name := range sorted(d.names) {
		if rest, in := strings.CutPrefix(name, dir); in && !strings.ContainsRune(rest, filepath.Separator) {
			list = append(list, journal.Entry{Name: rest, Size: int64(len(d.names[name].cache))})
		}
	}
	return list, nil
}

// SyncDir brings the changes of a folder to the platter.
func (d *Disk) SyncDir(dir string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	dir = filepath.Clean(dir)
	d.changes = slices.DeleteFunc(d.changes, func(c change) bool {
		if c.dir == dir {
			c.do(d.platter)
		}
		return c.dir == dir
	})
	return nil
}

// Free is the room that is left.
func (d *Disk) Free(string) (uint64, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return uint64(max(d.room-d.used, 0)), nil
}

// lock is a locked file.
type lock struct {
	disk *Disk
	name string
}

// Lock makes the file and locks it.
func (d *Disk) Lock(name string) (io.Closer, error) {
	f, err := d.Open(name, os.O_RDWR|os.O_CREATE)
	if err != nil {
		return nil, err
	}
	if err := f.Close(); err != nil {
		return nil, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	name = filepath.Clean(name)
	if d.locks[name] != nil {
		return nil, journal.ErrLocked
	}
	d.locks[name] = &lock{d, name}
	return d.locks[name], nil
}

func (l *lock) Close() error {
	l.disk.mu.Lock()
	defer l.disk.mu.Unlock()
	if l.disk.locks[l.name] == l {
		delete(l.disk.locks, l.name)
	}
	return nil
}

// file is an open file.
type file struct {
	disk   *Disk
	inode  *inode
	name   string
	life   int
	write  bool
	closed bool
}

var errDead = errors.New("the process that opened it has ended")

// use takes the disk, unless the file is of no use any more.
func (f *file) use(op string) error {
	f.disk.mu.Lock()
	var err error
	switch {
	case f.life != f.disk.life:
		err = errDead
	case f.closed:
		err = fs.ErrClosed
	default:
		return nil
	}
	f.disk.mu.Unlock()
	return &fs.PathError{Op: op, Path: f.name, Err: err}
}

func (f *file) ReadAt(b []byte, off int64) (int, error) {
	if err := f.use("read"); err != nil {
		return 0, err
	}
	defer f.disk.mu.Unlock()
	if off < 0 {
		return 0, &fs.PathError{Op: "read", Path: f.name, Err: fs.ErrInvalid}
	}
	n := 0
	if off < int64(len(f.inode.cache)) {
		n = copy(b, f.inode.cache[off:])
	}
	if n < len(b) {
		return n, io.EOF
	}
	return n, nil
}

func (f *file) WriteAt(b []byte, off int64) (int, error) {
	if err := f.use("write"); err != nil {
		return 0, err
	}
	defer f.disk.mu.Unlock()
	return f.put(b, off)
}

// put writes b, as much as there is room for.
func (f *file) put(b []byte, off int64) (n int, err error) {
	if !f.write || off < 0 {
		return 0, &fs.PathError{Op: "write", Path: f.name, Err: fs.ErrInvalid}
	}
	if more := off + int64(len(b)) - int64(len(f.inode.cache)); more > 0 {
		if free := max(f.disk.room-f.disk.used, 0); more > free {
			b, err = b[:max(int64(len(b))-(more-free), 0)], fmt.Errorf("write %s: %w", f.name, syscall.ENOSPC)
			more = max(off+int64(len(b))-int64(len(f.inode.cache)), 0)
			if len(b) == 0 {
				return 0, err
			}
		}
		f.inode.cache = append(f.inode.cache, make([]byte, more)...)
		f.disk.used += more
	}
	copy(f.inode.cache[off:], b)
	for s := off / sectorSize; s*sectorSize < off+int64(len(b)); s++ {
		f.inode.dirty[s] = true
	}
	return len(b), err
}

// Zero is a write of zeros.
func (f *file) Zero(off, n int64) error {
	_, err := f.WriteAt(make([]byte, n), off)
	return err
}

// Datasync brings the file to the platter.
func (f *file) Datasync() error { return f.Sync() }

func (f *file) Sync() error {
	if err := f.use("sync"); err != nil {
		return err
	}
	defer f.disk.mu.Unlock()
	for s := range f.inode.dirty {
		f.inode.store(s)
	}
	clear(f.inode.dirty)
	return nil
}

// forget is what a sync does that fails: what was to be synced is readable, counts as clean, and is not stored.
func (f *file) forget() {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	clear(f.inode.dirty)
}

// DropCache brings back what is stored where nothing is dirty, if the cache can be dropped.
func (f *file) DropCache(off, n int64) error {
	if err := f.use("drop the cache of"); err != nil {
		return err
	}
	defer f.disk.mu.Unlock()
	if f.disk.sticky {
		return nil
	}
	for s := off / sectorSize; s*sectorSize < min(off+n, int64(len(f.inode.cache))); s++ {
		if f.inode.dirty[s] {
			continue
		}
		piece := f.inode.cache[s*sectorSize : min((s+1)*sectorSize, int64(len(f.inode.cache)))]
		k := 0
		if s*sectorSize < int64(len(f.inode.platter)) {
			k = copy(piece, f.inode.platter[s*sectorSize:])
		}
		clear(piece[k:])
	}
	return nil
}

func (f *file) Size() (int64, error) {
	if err := f.use("measure"); err != nil {
		return 0, err
	}
	defer f.disk.mu.Unlock()
	return int64(len(f.inode.cache)), nil
}

// Close ends the use of the file. Nothing is synced by it.
func (f *file) Close() error {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	if f.closed {
		return &fs.PathError{Op: "close", Path: f.name, Err: fs.ErrClosed}
	}
	f.closed = true
	return nil
}
