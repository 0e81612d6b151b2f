package serve

import (
	"crypto/ed25519"
	"encoding/hex"
	"fmt"
	"math/big"
	"os"
	"path/filepath"

	"github.com/lockstep-exchange/lockstep/engine"
	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/msg"
	"github.com/lockstep-exchange/lockstep/sim/scenario"
	"github.com/lockstep-exchange/lockstep/sim/strict"
	"github.com/lockstep-exchange/lockstep/wire"
	"github.com/lockstep-exchange/lockstep/wire/gen"
)

// venue is what venue.toml says: the commands with which a journal begins, and the engine that they are for.
type venue struct {
	currency string
	limits   engine.Limits
	seed     []msg.Command

	dir      string
	secrets  map[msg.KeyID][]byte
	names    map[string]bool
	accounts map[msg.AccountID]msg.OwnerID
	keys     map[msg.KeyID]bool
}

// loadVenue reads a venue; secrets gets those of its keys. The error is a scenario.Faults.
func loadVenue(file string, secrets map[msg.KeyID][]byte) (*venue, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, strict.Unreadable(file, "a venue, as in venue.toml", err)
	}
	t, err := strict.Parse(file, text)
	if err != nil {
		return nil, err
	}
	v := &venue{dir: filepath.Dir(file), secrets: secrets, names: map[string]bool{}, accounts: map[msg.AccountID]msg.OwnerID{}, keys: map[msg.KeyID]bool{}}
	v.read(t)
	return v, t.File.Err()
}

func (v *venue) read(t *strict.Table) {
	if v.currency, _ = t.Text("currency", `"USD"`, false); v.currency == "" {
		v.currency = "USD"
	}
	if l := t.One("limits"); l != nil {
		for _, of := range []struct {
			key  string
			to   *uint32
			high int64
		}{{"instruments", &v.limits.Instruments, 1<<16 - 1}, {"accounts", &v.limits.Accounts, 1 << 30}, {"positions", &v.limits.Positions, 1 << 30},
			{"orders", &v.limits.Orders, 1 << 30}, {"sessions", &v.limits.Sessions, 1 << 16}} {
			*of.to = uint32(l.Whole(of.key, false, 1, of.high, 0))
		}
		l.Close()
	}
	if r := t.One("rules"); r != nil {
		for _, s := range r.Settings(nil) {
			v.seed = append(v.seed, msg.SetRule(0, s.Rule, s.Value))
		}
		r.Close()
	}
	markets := t.Many("market")
	for i, m := range markets {
		v.market(m, msg.InstrumentID(i+1))
	}
	if len(markets) == 0 {
		t.Missing("market", "at least one [[market]]")
	}
	for _, a := range t.Many("account") {
		v.account(a)
	}
	keys := t.Many("key")
	for _, k := range keys {
		v.key(k)
	}
	if len(keys) == 0 {
		t.Missing("key", "at least one [[key]]: nobody could log in")
	}
	t.Close()
	v.try(t)
}

// market reads [[market]]: its number is its place in the file.
func (v *venue) market(t *strict.Table, id msg.InstrumentID) {
	name, _ := t.Name("name", `"BTC-USD-PERP"`)
	if name != "" && v.names[name] {
		t.File.Fault(t.Offset, "%sthe name %q is taken, expected one of its own", t.Prefix(), name)
	}
	v.names[name] = true
	l := msg.Listing{Type: msg.Perpetual}
	if t.Choice("type", "perpetual", "spot") == "spot" {
		l.Type = msg.Spot
	}
	copy(l.Symbol[:], name)
	tick, _ := t.Step("tick", true)
	lot, _ := t.Step("lot", true)
	tiers := t.Tiers()
	var fees msg.Fees
	fees.Maker, _ = t.Rate("maker", false)
	fees.Taker, _ = t.Rate("taker", false)
	price, at := t.Text("price", `"50000"`, true)
	if tick == nil || lot == nil {
		return // what is a parameter is not known
	}
	rules := t.Settings(lot)
	t.Close()
	if !v.steps(t, &l, tick, lot, price, at) {
		return
	}
	v.seed = append(v.seed, msg.List(id, l))
	for _, tier := range tiers {
		v.seed = append(v.seed, msg.SetTier(id, tier))
	}
	if fees != (msg.Fees{}) {
		v.seed = append(v.seed, msg.SetFees(id, fees))
	}
	for _, s := range rules {
		v.seed = append(v.seed, msg.SetRule(id, s.Rule, s.Value))
	}
	v.seed = append(v.seed, msg.SetPhase(id, msg.Continuous), msg.SetMark(id, l.Start))
}

// steps works out what a tick of a lot is worth, and the opening price in ticks.
func (v *venue) steps(t *strict.Table, l *msg.Listing, tick, lot *big.Rat, price string, at *strict.Value) bool {
	worth := new(big.Rat).Mul(tick, lot)
	worth.Mul(worth, big.NewRat(int64(fixed.Coin), 1))
	if !worth.IsInt() || !worth.Num().IsInt64() {
		t.File.Fault(t.Offset, "%sa tick of a lot is not a whole multiple of 0.000001, the smallest unit of money", t.Prefix())
		return false
	}
	unit := new(big.Rat).Inv(lot)
	if !unit.IsInt() || !unit.Num().IsInt64() {
		t.File.Fault(t.Offset, "%slot is no whole part of a unit, expected one, as in 0.001 or 1", t.Prefix())
		return false
	}
	l.TickLot, l.UnitLots = fixed.Money(worth.Num().Int64()), fixed.Lots(unit.Num().Int64())
	if at == nil {
		return false
	}
	ticks, err := scenario.ParseMultiple(price, tick)
	if err == nil && (ticks <= 0 || ticks > 1<<40) {
		err = fmt.Errorf("is %q, expected a price above 0", price)
	}
	if err != nil {
		t.Fault("price", at, "%v", err)
		return false
	}
	l.Start = fixed.Ticks(ticks)
	return true
}

// account reads [[account]].
func (v *venue) account(t *strict.Table) {
	id := msg.AccountID(t.Whole("id", true, 1, 1<<30, 0))
	owner := msg.OwnerID(t.Whole("owner", false, 1, 1<<30, int64(id)))
	deposit, _ := t.Amount("deposit", false)
	t.Close()
	if _, twice := v.accounts[id]; twice && id != 0 {
		t.File.Fault(t.Offset, "%saccount %d stands twice", t.Prefix(), id)
	}
	v.accounts[id] = owner
	v.seed = append(v.seed, msg.OpenAccount(id, owner, msg.AllGroups))
	if deposit > 0 {
		v.seed = append(v.seed, msg.Deposit(id, deposit))
	}
}

// roles by their names.
var roles = []struct {
	name string
	role msg.Role
}{{"trader", msg.RoleTrader}, {"risk-manager", msg.RoleRiskManager}, {"drop-copy", msg.RoleDropCopy}, {"auditor", msg.RoleAuditor}, {"operator", msg.RoleOperator}}

// key reads [[key]].
func (v *venue) key(t *strict.Table) {
	k := msg.KeyChange{Key: msg.KeyID(t.Whole("id", true, 1, 1<<16-1, 0)), Scheme: uint8(gen.SignatureSchemeEd25519)}
	k.Owner = msg.OwnerID(t.Whole("owner", false, 0, 1<<30, 0))
	k.Account = msg.AccountID(t.Whole("account", false, 0, 1<<30, 0))
	words := make([]string, len(roles))
	for i, r := range roles {
		words[i] = r.name
	}
	chosen := t.Choice("role", words...)
	for _, r := range roles {
		if r.name == chosen {
			k.Role = r.role
		}
	}
	if k.Role == msg.RoleTrader && k.Owner == 0 {
		t.Missing("owner", "owner = 7: the owner whose accounts a trader acts for")
	}
	if v.keys[k.Key] && k.Key != 0 {
		t.File.Fault(t.Offset, "%skey %d stands twice", t.Prefix(), k.Key)
	}
	v.keys[k.Key] = true
	public, at := t.Text("public", `"3d4017c3..."`, false)
	secret, file := t.Text("secret", `"key2.secret"`, false)
	t.Close()
	switch {
	case at == nil && file == nil:
		t.Missing("public", `public = 64 hexadecimal digits, as exchange keys new prints them; or secret = a file, for HMAC-SHA256`)
	case at != nil && file != nil:
		t.Fault("secret", file, "stands beside public, expected one of them")
	case file != nil:
		k.Scheme = uint8(gen.SignatureSchemeHmacSha256)
		if !filepath.IsAbs(secret) {
			secret = filepath.Join(v.dir, secret)
		}
		b, err := readSecret(secret)
		if err == nil && len(b) < 32 {
			err = fmt.Errorf("%s holds %d bytes, expected at least 32", secret, len(b))
		}
		if err != nil {
			t.Fault("secret", file, "%v", err)
		}
		v.secrets[k.Key] = b
	default:
		b, err := hex.DecodeString(public)
		switch {
		case err != nil || len(b) != ed25519.PublicKeySize:
			t.Fault("public", at, "is %q, expected the 64 hexadecimal digits that exchange keys new prints", public)
		case wire.WeakKey(b):
			t.Fault("public", at, "is a key with which anybody can sign, expected the one that exchange keys new prints")
		case Development(b):
			t.Fault("public", at, "is a development key, which everybody has: make one of your own with exchange keys new")
		default:
			k.Public = [32]byte(b)
		}
	}
	v.seed = append(v.seed, msg.SetKey(k))
}

// try has an engine take the seed: what it refuses is a fault of the file.
func (v *venue) try(t *strict.Table) {
	if !t.File.Sound() {
		return
	}
	e, err := engine.New(v.limits)
	if err != nil {
		t.File.Fault(0, "[limits] %v", err)
		return
	}
	var events []msg.Event
	for i, c := range v.seed {
		c.Seq, c.Time = msg.Seq(i+1), fixed.Nanos(i)
		events = e.Apply(&c, events[:0])
		for j := range events {
			if ev := &events[j]; ev.Kind == msg.Rejected {
				t.File.Fault(0, "the engine refuses %v: %s. %s", c.String(), ev.Reject.Text(), ev.Reject.Hint())
			}
		}
	}
}
