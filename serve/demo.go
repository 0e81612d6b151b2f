package serve

import (
	"context"
	"crypto/ed25519"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"time"

	"github.com/lockstep-exchange/lockstep/client"
	"github.com/lockstep-exchange/lockstep/engine"
	"github.com/lockstep-exchange/lockstep/fixed"
	"github.com/lockstep-exchange/lockstep/market"
	"github.com/lockstep-exchange/lockstep/msg"
	"github.com/lockstep-exchange/lockstep/node/gateway"
	"github.com/lockstep-exchange/lockstep/wire/gen"
)

// A venue to try things on: one market, a few firms with development keys, and a maker who quotes, so that there is somebody to trade with. It
// listens on this machine only.

// Guest is a key of the demonstration.
type Guest struct {
	Key     int    `json:"key"`
	Role    string `json:"role"`
	Owner   int    `json:"owner"`
	Account int    `json:"account"` // 0: all of the owner
	Private string `json:"private"` // hexadecimal: the seed of the private key
	Public  string `json:"public"`
}

// Of the demonstration: the keys of two firms and of the maker, and the number of the venue's key.
const (
	makerKey = 5
	venueKey = 16
)

var guests = []struct {
	key   msg.KeyID
	role  msg.Role
	owner msg.OwnerID
}{{1, msg.RoleTrader, 1}, {2, msg.RoleTrader, 2}, {3, msg.RoleDropCopy, 1}, {4, msg.RoleRiskManager, 1}, {makerKey, msg.RoleTrader, 3}}

// Guests are the keys that a visitor may use.
func Guests() (list []Guest) {
	for _, g := range guests {
		if g.key == makerKey {
			continue
		}
		private := DevelopmentKey(int(g.key))
		name := ""
		for _, r := range roles {
			if r.role == g.role {
				name = r.name
			}
		}
		list = append(list, Guest{int(g.key), name, int(g.owner), int(g.owner), fmt.Sprintf("%x", private.Seed()), fmt.Sprintf("%x", private.Public())})
	}
	return list
}

// VenuePublic is the public key of the demonstration's venue, in hexadecimal digits.
func VenuePublic() string { return fmt.Sprintf("%x", DevelopmentKey(venueKey).Public()) }

// Demonstration is the venue to try things on. address is one of this machine; dir is the folder of its journal.
func Demonstration(dir, address string) (*Config, error) {
	a, err := netip.ParseAddrPort(address)
	if err != nil || !a.Addr().IsLoopback() {
		return nil, fmt.Errorf("serve: %q is no address of this machine alone, expected one as in 127.0.0.1:7001: everybody has the keys", address)
	}
	keys, err := gateway.NewKeys(venueKey, DevelopmentKey(venueKey), nil)
	if err != nil {
		return nil, err
	}
	spec := market.Spec{ID: 1, Symbol: "BTC-USD-PERP", Type: msg.Perpetual, TickLot: 100, UnitLots: 1000, Start: 600_000, STP: msg.STPCancelNewest,
		Initial: 5 * fixed.Percent, Maintenance: 5 * fixed.Percent / 2, Maker: fixed.Percent / 100, Taker: fixed.Percent / 20}
	seed := append(spec.Append(nil), msg.SetPhase(1, msg.Continuous), msg.SetMark(1, spec.Start))
	for owner := msg.OwnerID(1); owner <= 3; owner++ {
		seed = append(seed, msg.OpenAccount(msg.AccountID(owner), owner, msg.AllGroups), msg.Deposit(msg.AccountID(owner), 1_000_000*fixed.Coin))
	}
	for _, g := range guests {
		seed = append(seed, msg.SetKey(msg.KeyChange{Key: g.key, Role: g.role, Owner: g.owner, Scheme: uint8(gen.SignatureSchemeEd25519),
			Public: [32]byte(DevelopmentKey(int(g.key)).Public().(ed25519.PublicKey))}))
	}
	return &Config{Data: dir, Orders: address, Float: true, Tick: 10 * time.Millisecond, Lanes: 16, Lane: 128, Segment: 16 << 20, keys: keys,
		venue: &venue{currency: "USD", limits: engine.Limits{Accounts: 64, Sessions: 128}, seed: seed}}, nil
}

// Quote has the maker quote at a venue of the demonstration until ctx ends: an order a side ten times a second around a price that wanders, and
// at most twenty that rest.
func Quote(ctx context.Context, address string, seed uint64) error {
	const pace, resting = 100 * time.Millisecond, 20
	dialing, enough := context.WithTimeout(ctx, 10*time.Second)
	defer enough()
	c, err := client.Dial(dialing, client.Link{Network: "tcp", Address: address}, client.Config{Key: client.Key{ID: makerKey, Private: DevelopmentKey(makerKey)},
		Venue: DevelopmentKey(venueKey).Public().(ed25519.PublicKey), Takeover: true})
	if err != nil {
		return err
	}
	defer c.Close()
	random := rand.New(rand.NewPCG(seed, 0))
	var quotes []msg.Ref
	middle := int64(600_000)
	next := time.Now()
	for !c.Over() && ctx.Err() == nil {
		c.Wait(time.Until(next))
		if time.Now().Before(next) || !c.Bound() || c.Recovering() {
			continue
		}
		next = time.Now().Add(pace)
		middle += random.Int64N(21) - 10
		for side, away := range map[gen.Side]int64{gen.SideBuy: -5 - random.Int64N(50), gen.SideSell: 5 + random.Int64N(50)} {
			ref, err := c.Place(&client.NewOrder{Account: 3, Instrument: 1, Side: side, Price: middle + away, Qty: 1 + random.Int64N(50)}, c.Now())
			if err == nil {
				quotes = append(quotes, ref)
			}
		}
		for len(quotes) > resting {
			_, _ = c.Cancel(quotes[0], c.Now()) // it has traded, or goes with the next
			quotes = quotes[1:]
		}
		c.Flush()
	}
	return c.Err()
}
