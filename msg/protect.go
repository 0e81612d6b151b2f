package msg

import "github.com/lockstep-exchange/lockstep/fixed"

// Market-maker protection: what the quotes of a group may trade within a window before all of them are taken out.

// Protection is the limits of a group of an account's quotes. Quantities are in billionths of a unit, of whatever instrument.
type Protection struct {
	Group  uint16      // from 1 on
	Qty    int64       // traded on either side, at which it trips; 0: no limit
	Delta  int64       // bought less sold, or the other way round; 0: no limit
	Window fixed.Nanos // in which they are counted; 0: the group is not protected any more, and not to be quoted in
	Freeze fixed.Nanos // for how long no quotes come in after it has tripped; 0: until it is set again
}

// SetProtection states the limits of a group, and begins to count anew.
func SetProtection(account AccountID, p Protection) Command {
	return Command{Request: Request{Kind: KindSetProtection, Account: account,
		Rare: Rare{uint64(p.Group), uint64(p.Qty), uint64(p.Delta), uint64(p.Window), uint64(p.Freeze)}}}
}

// Protection is that of a KindSetProtection.
func (r *Request) Protection() Protection {
	w := &r.Rare
	return Protection{uint16(w[0]), int64(w[1]), int64(w[2]), fixed.Nanos(w[3]), fixed.Nanos(w[4])}
}

// Trip is what a ProtectionTripped adds. Its Instr is the instrument whose trade was one too many, its Session that of the quote.
type Trip struct {
	Traded int64       // within the window, in billionths of a unit
	Until  fixed.Nanos // when quotes may come again; 0: not before the limits are set again
	Group  uint16
}

// SetTrip writes t as line 2.
func (e *Event) SetTrip(t Trip) { e.Rare = Rare{uint64(t.Traded), uint64(t.Until), uint64(t.Group)} }

// Trip is that of a ProtectionTripped.
func (e *Event) Trip() Trip { return Trip{int64(e.Rare[0]), fixed.Nanos(e.Rare[1]), uint16(e.Rare[2])} }

// append writes the limits.
func (p Protection) append(dst []byte) []byte {
	dst = appendUint(dst, " mmp=", p.Group)
	dst = appendInt(dst, " qty=", p.Qty)
	dst = appendInt(dst, " delta=", p.Delta)
	dst = appendInt(dst, " window=", p.Window)
	return appendInt(dst, " freeze=", p.Freeze)
}

// append writes the trip.
func (t Trip) append(dst []byte) []byte {
	dst = appendUint(dst, " mmp=", t.Group)
	dst = appendInt(dst, " traded=", t.Traded)
	return appendInt(dst, " until=", t.Until)
}
