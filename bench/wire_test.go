package bench

import (
	"encoding/binary"
	"errors"
	"runtime"
	"testing"

	"github.com/lockstep-exchange/lockstep/node/gateway"
	"github.com/lockstep-exchange/lockstep/wire"
	"github.com/lockstep-exchange/lockstep/wire/gen"
)

// TestTripsOverTheWire holds that each way brings every report, and times each order once.
func TestTripsOverTheWire(t *testing.T) {
	ways := []WireWay{{gateway.Net, "tcp", false}}
	if runtime.GOOS == "linux" {
		ways = append(ways, WireWay{gateway.Fused, "tcp", true}, WireWay{gateway.Spin, "tcp", true}, WireWay{gateway.Fused, "unixpacket", true})
	}
	const n = 300
	for _, way := range ways {
		h := quiet(t, 1)
		p, err := h.Trips(way, n)
		if err != nil {
			t.Fatalf("%v: %v", way, err)
		}
		if got := p.Total.TotalCount(); got != n || p.Ns <= 0 {
			t.Errorf("%v: %d trips of %v ns", way, got, p.Ns)
		}
		if !way.Spins {
			continue
		}
		if p, err = h.OpenTrips(way, 20e3, n); err != nil || p.Total.TotalCount() != n {
			t.Fatalf("%v, open: %v", way, err)
		}
		for _, together := range []int{1, 16} {
			if p, err = h.StreamOrders(way, together, n); err != nil || p.Ns <= 0 {
				t.Fatalf("%v, %d together: %v", way, together, err)
			}
		}
	}
	if p, err := quiet(t, 1).Sink(16, n); runtime.GOOS == "linux" && (err != nil || p.Ns <= 0) {
		t.Errorf("the sink: %v", err)
	}
}

// TestWireBites holds that a report that is none ends the run.
func TestWireBites(t *testing.T) {
	other, _ := wire.AppendFrame(nil, gen.Header{Block: uint16(len(gen.Reject{})), Template: gen.TemplateReject, Schema: gen.SchemaOrderEntry, Version: 1})
	var differs *DiffersError
	r := &trader{}
	if err := r.came(copy(r.room[:], other)); !errors.As(err, &differs) {
		t.Errorf("a Reject: %v", err)
	}
	good, _ := wire.AppendFrame(nil, gen.Header{Block: uint16(len(gen.OrderAccepted{})), Template: gen.TemplateOrderAccepted, Schema: gen.SchemaOrderEntry, Version: 1})
	r = &trader{}
	for cut := range len(good) {
		r.room[r.have] = good[cut]
		if err := r.came(1); err != nil || r.seen != (cut+1)/len(good) {
			t.Fatalf("after %d of %d bytes: %d reports, %v", cut+1, binary.BigEndian.Uint32(good), r.seen, err)
		}
	}
}
