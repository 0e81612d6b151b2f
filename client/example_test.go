package client_test

import (
	"context"
	"fmt"
	"net"
	"time"

	"github.com/lockstep-exchange/lockstep/client"
	"github.com/lockstep-exchange/lockstep/wire"
	"github.com/lockstep-exchange/lockstep/wire/gen"
)

// exampleVenue is a link to a venue of the tests, which trades one lot of every order with an odd quantity, and what a client of
// it has to know.
func exampleVenue() (client.Link, client.Config) {
	h := &host{v: newVenue(nil)}
	return client.Link{Open: func(context.Context) (net.Conn, error) {
		near, far := net.Pipe()
		go h.serve(far)
		return near, nil
	}}, config(1)
}

// Log in, place an order, see it trade, and take out the rest.
func ExampleClient() {
	link, config := exampleVenue() // Link{Network: "tcp", Address: "venue:7001"}, Config{Key: ..., Venue: ...}
	c, err := client.Dial(context.Background(), link, config)
	if err != nil {
		panic(err)
	}
	defer c.Close()
	for !c.Over() {
		e := c.Wait(time.Second)
		if e == nil {
			continue
		}
		switch {
		case e.Kind == client.Recovered: // nothing from before is in doubt: trade
			order := client.NewOrder{Account: 3, Instrument: 2, Side: gen.SideBuy, Price: 100, Qty: 5}
			if _, err := c.Place(&order, c.Now()); err != nil {
				panic(err)
			}
		case e.Kind != client.Report:
			fmt.Println(e.Kind)
		case e.Template == gen.TemplateTrade:
			trade := gen.AsTrade(e.Block)
			fmt.Println("traded", trade.LastQty(), "at", trade.LastPx(), "open", e.Order.Leaves)
			if _, err := c.Cancel(e.Order.Ref, c.Now()); err != nil {
				panic(err)
			}
		default:
			fmt.Println(e.Order.State, "open", e.Order.Leaves, "traded", e.Order.Filled)
			if e.Order.State.Over() {
				return
			}
		}
	}
	// Output:
	// Bound
	// Working open 5 traded 0
	// traded 1 at 100 open 4
	// Canceled open 0 traded 1
}

// A session without a connection of its own: whoever carries its bytes drives it. Here nobody answers, and in its own time it
// gives up.
func ExampleSession() {
	_, config := exampleVenue()
	s, err := client.NewSession(config)
	if err != nil {
		panic(err)
	}
	s.Connected(0)
	frame := s.Output()
	m, _ := wire.Open(frame)
	fmt.Println("sends template", m.Template, "of schema", m.Schema)
	s.Wrote(len(frame))
	s.Tick(s.Deadline())
	fmt.Println(s.Closing(), s.Err())
	// Output:
	// sends template 1 of schema 2748
	// true client: the venue does not answer the logon
}

// A book from two records of the feed.
func ExampleBook() {
	b := client.NewBook(2, 1, 1_000)
	for number, o := range []client.BookOrder{{ID: 7, Price: 100, Qty: 4, Side: gen.SideBuy}, {ID: 8, Price: 100, Qty: 2, Side: gen.SideBuy}} {
		m := record(nil, gen.TemplateOrderAdd, 38, func(block []byte) { putAdd(block, o, 2) })
		if err := b.Apply(uint64(number+1), m); err != nil {
			panic(err)
		}
	}
	for level := range b.Depth(gen.SideBuy) {
		fmt.Println(level.Qty, "at", level.Price)
		for o := range b.Queue(level) {
			fmt.Println(" order", o.ID, "of", o.Qty)
		}
	}
	fmt.Println("ready", b.Ready(), "next", b.Next())
	// Output:
	// 6 at 100
	//  order 0:7 of 4
	//  order 0:8 of 2
	// ready true next 3
}
