package sim

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/lockstep-exchange/lockstep/engine"
	"github.com/lockstep-exchange/lockstep/msg"
	"github.com/lockstep-exchange/lockstep/node/journal"
	"github.com/lockstep-exchange/lockstep/sim/disk"
)

// Silent damage: a bit that flips, a sector that is lost or stale, a write that went elsewhere. It is done to a copy of the disk, as
// a power loss would leave it, so that the seed goes on. A start on the copy must refuse, with the file and the offset, or come to
// all that was released; but for damage to the very last frame before anything confirms it, which nobody can tell from a tear
// (D-21).

// copiesDamaged is how many copies are damaged at a time, each in its own way.
const copiesDamaged = 3

// damage damages copies and starts there. It reports whether there was anything to damage.
func (w *world) damage() bool {
	for range copiesDamaged {
		if !w.damageOne() {
			return false
		}
	}
	return true
}

func (w *world) damageOne() bool {
	copied := w.disk.Clone()
	confirmed, tail, heads := w.confirmed(copied)
	name, what := w.harm(copied, tail)
	if name == "" || w.finding != nil {
		return false
	}
	changed, seq := msg.Seq(0), msg.Seq(0)
	n, found, err := w.open(copied, func(c *msg.Command, events []msg.Event) {
		w.replays++
		seq = c.Seq
		if c.Seq <= w.watch.seq && changed == 0 && digestOf(events) != w.watch.digests[c.Seq-1] {
			changed = c.Seq
		}
	})
	if err == nil {
		w.note(passedSnapshot, len(found.Passed) > 0)
		if head := heads[found.Frame]; head != found.Head {
			w.find("damage", "%s: %s: a start succeeds, and frame %d is %s, expected %q", name, what, found.Frame, found.Head, head)
		}
		if w.second != nil {
			seq, changed = w.compared(n.Engine())
		}
		_ = n.Stop(context.Background()) // of the copy
	}
	w.judge(err, changed, seq, confirmed, name+": "+what)
	return true
}

// compared is how far a recovery on a damaged copy came; changed is that command where its state is not the one that was released.
func (w *world) compared(eng *engine.Engine) (seq, changed msg.Seq) {
	w.second.follow(w.shard.durable)
	if eng.Seq() == w.shard.durable && eng.Hash() != w.second.engine.Hash() {
		changed = eng.Seq()
	}
	return eng.Seq(), changed
}

// confirmed is the last command of a journal that a later frame confirms, the end of it, and the hash of each frame: damage to what comes
// behind cannot be told from a tear, and whatever a start takes up it takes up as it was written.
func (w *world) confirmed(d *disk.Disk) (seq msg.Seq, end journal.Tail, heads map[uint64]string) {
	r, err := journal.NewReader(d, journalDir)
	if err != nil {
		return 0, end, nil
	}
	defer func() { _ = r.Close() }() // of a file that was only read
	heads = map[uint64]string{r.Place().Frame: r.Place().Head.String()}
	before := msg.Seq(0)
	for r.Next() {
		before, seq = seq, r.Place().Seq
		heads[r.Place().Frame] = r.Place().Head.String()
	}
	if r.Tail().Kind != journal.Batch {
		before = seq
	}
	return before, r.Tail(), heads
}

// judge says what it means how a start on the damaged copy ended.
func (w *world) judge(err error, changed, seq, confirmed msg.Seq, harm string) {
	var corrupt *journal.Corrupt
	var unknown *journal.Unknown
	var none *journal.NoSnapshot
	released := w.watch.seq
	switch {
	case errors.As(err, &corrupt) && corrupt.Expected == "what was there a moment ago": // nobody writes to a copy while it is read
		w.find("damage", "%s: a start takes up the last frame, and then does not know it again: %v", harm, err)
	case errors.As(err, &corrupt), errors.As(err, &unknown), errors.As(err, &none):
		w.reached[damageRefused]++
	case err != nil:
		w.find("damage", "%s: a start says %v, expected that the journal is corrupt", harm, err)
	case changed != 0:
		w.find("damage", "%s: a start succeeds, and command %d is another than was released", harm, changed)
	case seq >= released:
		w.reached[damageHarmless]++
	case seq >= min(confirmed, released):
		w.reached[damageAmbiguous]++
	default:
		w.find("damage", "%s: a start succeeds with %d commands of %d that were released, though a later frame confirmed %d", harm, seq,
			released, confirmed)
	}
}

// harm damages one file of the journal, mostly a segment.
func (w *world) harm(d *disk.Disk, tail journal.Tail) (name, what string) {
	list, _ := d.List(journalDir) // of a simulated disk: it cannot fail
	var names []string
	kind := pick(w.chance, ".seg", ".seg", ".seg", ".seg", ".snap", "") // "": any file
	for _, e := range list {
		if e.Size > 0 && strings.HasSuffix(e.Name, kind) {
			names = append(names, journalDir+"/"+e.Name)
		}
	}
	if len(names) == 0 {
		return "", ""
	}
	const sector, frameHeader = 512, 128
	name = names[w.chance.IntN(len(names))]
	last := w.percent(30) // what was written last, which nothing may confirm yet
	if last {
		name = journalDir + "/" + tail.File
	}
	b := d.Get(name)
	if len(b) == 0 {
		return "", ""
	}
	used := len(b)
	for used > sector && b[used-1] == 0 {
		used--
	}
	at := w.chance.IntN(used)
	if last {
		at = used - 1 - w.chance.IntN(min(used, sector))
	}
	kinds := 4
	if last && tail.Last != 0 && w.percent(50) { // its header, and mostly the checksum of that, which nothing else covers
		at, kinds = int(tail.Last)+pick(w.chance, w.chance.IntN(frameHeader), frameHeader-1-w.chance.IntN(4)), 1
	}
	from := at / sector * sector
	end := min(from+sector, len(b))
	switch w.chance.IntN(kinds) {
	case 0:
		bit := w.chance.IntN(8)
		what = fmt.Sprintf("bit %d of offset %d flips", bit, at)
		d.Edit(name, func(b []byte) { b[at] ^= 1 << bit })
	case 1:
		what = fmt.Sprintf("the sector at %d is lost", from)
		d.Edit(name, func(b []byte) { clear(b[from:end]) })
	case 2:
		other := w.chance.IntN(used) / sector * sector
		what = fmt.Sprintf("the sector at %d lies at %d", other, from)
		d.Edit(name, func(b []byte) { copy(b[from:end], b[other:min(other+sector, len(b))]) })
	default:
		to := min(from+sector*(1+w.chance.IntN(8)), len(b))
		if to >= used { // the end of the journal is gone without a trace: only a head of the chain that is kept elsewhere shows that
			to = end
		}
		what = fmt.Sprintf("the sectors from %d to %d are lost", from, to)
		d.Edit(name, func(b []byte) { clear(b[from:to]) })
	}
	return name, what
}
