package engine

import (
	"reflect"
	"testing"
	"unsafe"

	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/msg"
)

// busy is a desk with something of everything: positions, orders that rest and expire, a rebate that waits, quotas in use,
// sessions, the kill switch, and a mass cancel under way.
func busy(t *testing.T) *desk {
	t.Helper()
	return busier(t, 2, func(*desk) {})
}

// busier is busy with more instruments, and more that happens before the mass cancel.
func busier(t *testing.T, instruments uint32, more func(d *desk)) *desk {
	t.Helper()
	d := crowded(t, Limits{Instruments: instruments, Accounts: 9, Orders: 2000, Events: 256})
	d.at = 3 * fixed.Hour
	d.ok(msg.SetFees(1, msg.Fees{Maker: -fixed.BasisPoint, Taker: fixed.Percent}), msg.SetRule(0, msg.MessageBurst, 5000), msg.SetRule(0, msg.MessageRate, 1),
		msg.OpenSession(1, 1), msg.SetEntry(7, 0, msg.Entry{Scope: msg.ScopeAccount, Action: msg.ReduceEntry}))
	sell := msg.Limit(1, 1, msg.Sell, 100, 20)
	sell.Session, sell.Ref = 1, 5
	d.ok(sell, msg.Limit(2, 1, msg.Buy, 100, 15), msg.Limit(2, 2, msg.Buy, 90, 3), msg.Limit(1, 1, msg.Sell, 102, 2), msg.Cancel(1, 1, d.order(msg.Limit(1, 1, msg.Sell, 103, 2))),
		with(msg.Limit(2, 1, msg.Sell, 105, 4), msg.FlagReduceOnly, msg.GTC),
		with(msg.Place(1, 1, msg.Buy, 80, 3, msg.OrderExt{Expire: d.at + fixed.Day}), 0, msg.GTD))
	d.ok(isolated(msg.Limit(1, 2, msg.Sell, 120, 3)))
	for range 300 {
		d.ok(msg.Limit(3, 2, msg.Buy, 50, 1))
	}
	more(d)
	ask := msg.CancelAll(3, 2, msg.Buy)
	ask.Ref = 9
	d.do(ask)
	if d.jobs.count != 1 {
		t.Fatal("the mass cancel is over already")
	}
	return d
}

// TestHashSeesTheState flips a bit in each field of each kind of record, and asks for another hash. What is left out is
// derived from the rest, or says only where things lie.
func TestHashSeesTheState(t *testing.T) {
	d := busier(t, 2, func(d *desk) {
		k := keyOf(1, msg.RoleTrader, 1)
		k.Account = 1
		d.ok(msg.SetKey(k))
		d.logon(11, 1, msg.OrderEntry, nil).takes(msg.Limit(1, 1, msg.Buy, 80, 1))
	})
	row := d.house.Find(1, 1)
	order := d.First(1, msg.Sell).Handle()
	held := d.First(2, msg.Sell).Handle()
	records := []struct {
		name   string
		at     unsafe.Pointer
		typ    reflect.Type
		except map[string]string // fields, and why
	}{
		{"account", unsafe.Pointer(d.house.Account(1)), reflect.TypeOf(*d.house.Account(1)), map[string]string{
			"Positions": "a row, which is where the first position lies", "Held": "counted in the list", "Pending": "whether a rebate waits",
			"Initial": "what its positions require", "Maintenance": "the same", "Loose": "how far the two are behind", "May": "derived from groups and kill switches"}},
		{"statement", unsafe.Pointer(d.house.Statement(1)), reflect.TypeOf(*d.house.Statement(1)), nil},
		{"owner", unsafe.Pointer(d.house.Owner(1)), reflect.TypeOf(*d.house.Owner(1)), nil},
		{"position", unsafe.Pointer(d.house.Position(row)), reflect.TypeOf(*d.house.Position(row)), map[string]string{
			"Account": "in whose list it is", "Room": "of a loose position", "Next": "a row", "Asks": "derived from leverage and mode"}},
		{"ledger", unsafe.Pointer(d.house.Ledger(row)), reflect.TypeOf(*d.house.Ledger(row)), map[string]string{
			"Initial": "follows from the exposure", "Maintenance": "from the lots", "Prev": "the Next of positions the other way round", "First": "rows, those of the first orders in priority"}},
		{"claim", unsafe.Pointer(d.house.Claim(order)), reflect.TypeOf(*d.house.Claim(order)), map[string]string{
			"Prev": "Next the other way round", "Next": "the walk", "Position": "a row, that of the order's account and instrument"}},
		{"hold", unsafe.Pointer(d.house.Hold(held)), reflect.TypeOf(*d.house.Hold(held)), map[string]string{
			"Limit": "the order's", "Lots": "the order's", "Next": "the order of priority", "Prev": "Next the other way round"}},
		{"session", unsafe.Pointer(&d.gate.Sessions[1]), reflect.TypeOf(d.gate.Sessions[1]), nil},
		{"client's session", unsafe.Pointer(&d.gate.Sessions[11]), reflect.TypeOf(d.gate.Sessions[11]), nil},
		{"key", unsafe.Pointer(&d.gate.Keys[1]), reflect.TypeOf(d.gate.Keys[1]), nil},
		{"client", unsafe.Pointer(&d.clients.rows[11]), reflect.TypeOf(d.clients.rows[11]), map[string]string{"copies": "a list of those of an owner"}},
		{"order", unsafe.Pointer(d.store.Order(order)), reflect.TypeOf(*d.store.Order(order)), map[string]string{
			"Prev": "Next the other way round", "Level": "a row", "Next": "a handle, seen where the queue is walked"}},
		{"ticket", unsafe.Pointer(d.store.Ticket(order)), reflect.TypeOf(*d.store.Ticket(order)), nil},
		{"job", unsafe.Pointer(d.jobs.at(0)), reflect.TypeOf(*d.jobs.at(0)), nil},
		{"venue", unsafe.Pointer(&d.venue), reflect.TypeOf(d.venue), nil},
		{"venue's balances", unsafe.Pointer(&d.house.Venue), reflect.TypeOf(d.house.Venue), nil},
		{"limits", unsafe.Pointer(&d.limits), reflect.TypeOf(d.limits), nil},
	}
	want := d.Hash()
	for _, r := range records {
		flip(t, d, r.name, r.at, r.typ, r.except, want)
	}
	for _, c := range []struct {
		name string
		b    unsafe.Pointer
	}{{"seq", unsafe.Pointer(&d.seq)}, {"now", unsafe.Pointer(&d.now)}, {"trades", unsafe.Pointer(&d.trades)}} {
		if !sees(d, (*byte)(c.b), want) {
			t.Errorf("the hash does not see %s", c.name)
		}
	}
	if d.Hash() != want {
		t.Fatal("the bits were not put back")
	}
}

// flip goes over the fields of a record, those of the records in it too.
func flip(t *testing.T, d *desk, name string, at unsafe.Pointer, typ reflect.Type, except map[string]string, want uint64) {
	t.Helper()
	for i := range typ.NumField() {
		f := typ.Field(i)
		if f.Name == "_" || except[f.Name] != "" {
			continue
		}
		place := unsafe.Add(at, f.Offset)
		if f.Type.Kind() == reflect.Struct {
			flip(t, d, name+"'s "+f.Name, place, f.Type, except, want)
			continue
		}
		last := f.Type.Size() - 1
		if f.Type.Kind() == reflect.Bool {
			last = 0
		}
		for _, step := range []uintptr{0, last} {
			if !sees(d, (*byte)(unsafe.Add(place, step)), want) {
				t.Errorf("the hash does not see byte %d of the %s's %s", step, name, f.Name)
			}
		}
	}
}

// sees reports whether a flipped bit changes the hash; a walk that the bit leads astray has seen it.
func sees(d *desk, b *byte, want uint64) (seen bool) {
	*b ^= 1
	defer func() {
		*b ^= 1
		seen = recover() != nil || seen
	}()
	return d.Hash() != want
}
