package scenario_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/lockstep-exchange/lockstep/sim/scenario"
)

// ground is what most faulty lines stand on.
const ground = `underlying name=BTC sources=x,y
instrument name=P kind=perpetual underlying=BTC tick=0.5 lot=0.01 mark=manual
account name=alice deposit=1000
account name=maker deposit=1000
place account=alice instrument=P side=buy qty=1 price=100 id=open
`

// TestFaults holds that each fault is found at its place and says what was expected. The line of the fault is the sixth.
func TestFaults(t *testing.T) {
	for _, c := range []struct{ line, want string }{
		{"plcae account=alice", `6:1: there is no statement "plcae"; did you mean place?`},
		{"xyz", `6:1: there is no statement "xyz", expected one of account, advance, amend,`},
		{"  deposit account=alice amuont=5", `6:25: deposit does not know the key "amuont"; did you mean amount?`},
		{"  deposit account=alice", `6:3: deposit needs amount=AMOUNT`},
		{"deposit account=alice amount=5 amuont=5", `6:32: deposit does not know the key "amuont"; did you mean amount?`},
		{"deposit account=alice amount=5 twice", `6:32: deposit does not know the word "twice"`},
		{"deposit account=alice amount=5 amount=6", `6:32: amount is stated twice, expected it once`},
		{"deposit account=alice amount", `6:23: amount has no value, expected amount=VALUE`},
		{"deposit account=alice amount= 5", `6:30: amount has no value, expected amount=VALUE without a blank after the =`},
		{"deposit account=alice =5", `6:23: "=5" begins with =, expected KEY=VALUE`},
		{"deposit account=alcie amount=5", `6:17: there is no account "alcie" above this line; did you mean alice?`},
		{"deposit account=alice amount=0.0000001", `6:30: amount is "0.0000001", expected a whole multiple of 0.000001`},
		{"deposit account=alice amount=1e3", `6:30: amount is "1e3", expected an amount, as in 1000 or 0.5`},
		{"deposit account=alice amount=-1", `6:30: amount is "-1", expected an amount above 0`},
		{"deposit account=alice amount=9223372036854.775808", `6:30: amount is "9223372036854.775808", expected a whole multiple`},
		{"account name=alice", `6:14: the account "alice" is there already`},
		{"account name=a/b", `6:14: name is "a/b", expected a name of letters, digits, -, _ and .`},
		{"account name=bob owner=fund", `6:24: there is no owner "fund" above this line, expected a statement owner name=fund`},
		{"account name=bob mode=crss", `6:23: mode is "crss", expected cross or portfolio; did you mean cross?`},
		{"account name=bob mode=portfolio", `6 not supported: mode=portfolio`},
		{"owner name=alice", `6:12: the owner "alice" is there already`},
		{"underlying name=ETH sources=a,,b", `6:29: sources has "", expected a comma list of names`},
		{"underlying name=ETH sources=a,b,a", `6:29: sources has "a" twice`},
		{"underlying name=ETH sources=a,b,c,d,e,f,g,h,i", `6:29: sources names 9, expected at most 8`},
		{"instrument name=Q kind=perpetul underlying=BTC tick=1 lot=1", `6:24: kind is "perpetul", expected perpetual, spot, future, call or put; did you mean perpetual?`},
		{"instrument name=Q kind=future underlying=BTC tick=1 lot=1 mark=manual expiry=90d", `6 not supported: kind=future`},
		{"instrument name=Q kind=spot underlying=BCT tick=1 lot=1 mark=manual", `6:40: there is no underlying "BCT" above this line; did you mean BTC?`},
		{"instrument name=Q kind=spot underlying=BTC tick=0 lot=1 mark=manual", `6:49: tick is "0", expected a step above 0`},
		{"instrument name=Q kind=spot underlying=BTC tick=0.001 lot=0.0001 mark=manual", `6:49: a tick of a lot is worth 0.0000001, expected a whole multiple of 0.000001`},
		{"instrument name=Q kind=spot underlying=BTC tick=1 lot=0.3 mark=manual", `6:55: lot is "0.3", expected a whole number of lots to one unit`},
		{"instrument name=Q kind=spot underlying=BTC tick=1 lot=1 mark=manual tiers=10%/5%", `6:75: tiers has the row "10%/5%", expected UPTO/INITIAL/MAINTENANCE,...`},
		{"instrument name=Q kind=spot underlying=BTC tick=1 lot=1 mark=manual tiers=100/10%/5%", `6:75: tiers has the row "100/10%/5%", expected UPTO/INITIAL/MAINTENANCE,... with inf as the last`},
		{"instrument name=Q kind=spot underlying=BTC tick=1 lot=1 mark=manual band=3x", `6:74: band is "3x", expected a rate, as in 5%, 2.5bp or 0.05`},
		{"instrument name=Q kind=spot underlying=BTC tick=1 lot=1 mark=manual band=0.00000001%", `6:74: band is "0.00000001%", expected a whole multiple of 0.0000001%`},
		{"instrument name=Q kind=spot underlying=BTC tick=1 lot=1 mark=manul", `6:62: mark is "manul", expected composite, index or manual; did you mean manual?`},
		{"instrument name=Q kind=spot underlying=BTC tick=1 lot=1 mark=manual pm-contingency=1%", `6 not supported: pm-contingency`},
		{"instrument name=Q kind=spot underlying=BTC tick=1 lot=1 mark=manual max-open-orders=-1", `6:85: max-open-orders is "-1", expected a whole number from 0 on`},
		{"instrument name=Q kind=spot underlying=BTC tick=1 lot=0.1 mark=manual max-position=0.25", `6:84: max-position is "0.25", which is off the lot of Q, expected a multiple of 0.1`},
		{"instrument name=P kind=spot underlying=BTC tick=1 lot=1 mark=manual", `6:17: the instrument "P" is there already`},
		{"place account=alice instrument=P side=bye qty=1 price=100", `6:39: side is "bye", expected buy or sell; did you mean buy?`},
		{"place account=alice instrument=P side=buy qty=1", `6:1: place needs price=PRICE`},
		{"place account=alice instrument=P side=buy qty=1 price=100.25", `6:55: price is "100.25", which is off the tick of P, expected a multiple of 0.5`},
		{"place account=alice instrument=P side=buy qty=1 price=0", `6:55: price is "0", expected a price from 0.5 to`},
		{"place account=alice instrument=P side=buy qty=0.005 price=100", `6:47: qty is "0.005", which is off the lot of P, expected a multiple of 0.01`},
		{"place account=alice instrument=P side=buy qty=1 price=100 type=stop trigger=90", `6 not supported: type=stop`},
		{"place account=alice instrument=P side=buy qty=1 price=100 hidden", `6 not supported: hidden`},
		{"place account=alice instrument=P side=buy qty=1 price=100 post-only=true", `6:59: post-only takes no value, expected the word post-only alone`},
		{"place account=alice instrument=P side=buy qty=1 price=100 tif=ioc post-only", `6:1: post-only is for an order that rests`},
		{"place account=alice instrument=P side=buy qty=1 price=100 tif=gtd", `6:1: tif=gtd needs expire=DURATION`},
		{"place account=alice instrument=P side=buy qty=1 price=100 tif=ioc expire=1m", `6:67: expire belongs to tif=gtd`},
		{"place account=alice instrument=P side=buy qty=1 type=market tif=gtc", `6:65: tif is "gtc", expected ioc or fok: a market order never rests`},
		{"place account=alice instrument=P side=buy qty=1 price=100 min-qty=2", `6:67: min-qty is "2", expected no more than qty`},
		{"amend id=opne price=5", `6:10: there is no order "opne" above this line; did you mean open?`},
		{"amend id=open", `6:1: amend changes nothing, expected price=PRICE, qty=QUANTITY or both`},
		{"amend id=open price=100.1", `6:21: price is "100.1", which is off the tick of P`},
		{"quote account=alice instrument=P bid=2", `6:38: bid is "2", expected QTY@PRICE, as in 2@50000`},
		{"leverage account=alice instrument=P x=2.555", `6:39: x is "2.555", expected a leverage in steps of 0.01`},
		{"margin account=alice instrument=P add=0", `6:39: add is "0", expected an amount above 0 to add, or below 0 to remove`},
		{"oracle underlying=BTC source=z price=5", `6:30: BTC has no source "z", expected x or y`},
		{"oracle underlying=BTC source=x price=5 confidence=101%", `6:51: confidence is "101%", expected a rate from 0 to 100%`},
		{"phase instrument=P to=open", `6:23: to is "open", expected closed, call-auction, continuous, reduce-only or halted`},
		{"set band=3%", `6:1: set needs venue or instrument=INSTRUMENT`},
		{"set venue", `6:1: set states no parameter, expected at least one PARAMETER=VALUE`},
		{"set venue band=3%", `6:11: set does not know the key "band"`},
		{"set instrument=P bend=3%", `6:18: set does not know the key "bend"; did you mean band?`},
		{"set venue pm-range=12%", `6 not supported: pm-range`},
		{"advance", `6:1: advance needs one duration, as in advance 8h`},
		{"advance by=8h", `6:1: advance needs one duration, as in advance 8h`},
		{"advance 8", `6:9: the duration is "8", expected a duration, as in 250ms, 10s, 5m, 8h or 30d`},
		{"advance -8h", `6:9: the duration is "-8h", expected a duration`},
		{"advance 0.0000001ms", `6:9: the duration is "0.0000001ms", expected a whole number of nanoseconds`},
		{"advance 50001d", `6:9: the duration is "50001d", expected a whole number of nanoseconds and no more than 50000d`},
		{"correlation a=x b=y rho=0.5", `6 not supported: correlation`},
		{"correlation a=x b=y", `6:1: correlation needs rho=FACTOR`},
		{"bucket account=alice name=s", `6 not supported: bucket`},
		{"vol underlying=BTC implied=60%", `6 not supported: vol`},
		{"bid account=alice liquidation=last qty=1 price=5", `6 not supported: bid`},
		{"asset name=WBTC underlying=ETH", `6:28: there is no underlying "ETH" above this line`},
		{"asset name=USDC underlying=BTC haircut=100%", `6:12: "USDC" is the settlement currency, expected another name`},
		{"deposit account=alice amount=1 asset=WBTC", `6:38: there is no asset "WBTC" above this line`},
		{"what-if account=alice instrument=P side=buy qty=1 mode=portfolio", `6 not supported: mode=portfolio`},
		{"expect what-if accepted=true", `6:1: expect what-if looks at the last what-if, expected one above it`},
		{"stress account=all shocks=BTC:-30% vol=40%", `6 not supported: vol`},
		{"stress account=all shocks=BTC:-100%", `6:27: shocks has "BTC:-100%", expected a rate above -100%`},
		{"stress account=all shocks=BTC", `6:27: shocks has "BTC", expected UNDERLYING:RATE, as in BTC:-30%`},
		{"stress account=all shocks=BTC:-30% depth=5", `6:42: depth is "5", expected / and a whole number, as in /5`},
		{"expect", `6:1: expect needs a thing, expected one of account, book, bucket,`},
		{"expect acount cash=5", `6:8: there is nothing called "acount" to expect; did you mean account?`},
		{"expect account account=alice", `6:1: expect account looks at no field, expected one of cash, equity,`},
		{"expect account account=alice csh=5", `6:30: expect account does not know the key "csh"; did you mean cash?`},
		{"expect account account=alice cash=five", `6:35: cash is "five", expected a number, as in 50000 or -0.25`},
		{"expect account account=alice cash=5 tol=-1", `6:41: tol is "-1", expected a number from 0 on`},
		{"expect account account=alice reduce-only=yes", `6:42: reduce-only is "yes", expected true or false`},
		{"expect order id=open status=filed", `6:29: status is "filed", expected resting, partial, filled, canceled, rejected, expired or waiting; did you mean filled?`},
		{"expect order id=open reason=Insufficient", `6:29: there is no reason "Insufficient"`},
		{"expect rejected reason=InsufficentMargin", `6:24: there is no reason "InsufficentMargin"; did you mean InsufficientMargin?`},
		{"expect event kind=Tradde", `6:19: there is no kind of event "Tradde"; did you mean`},
		{"expect event kind=AutoIsolated", `6 not supported: kind=AutoIsolated`},
		{"expect event kind=Traded amount=5", `6:26: expect event does not know the key "amount"`},
		{"expect event kind=Traded account=alcie", `6:34: there is no account "alcie" above this line; did you mean alice?`},
		{"expect event kind=Traded count=-1", `6:32: count is "-1", expected a whole number from 0 on`},
		{"expect book instrument=P bids=5", `6:31: bids has "5", expected QTY@PRICE,..., as in 2@50000,1@49999, or none`},
		{"expect market instrument=P stress=2", `6 not supported: stress`},
		{"expect stress state=ok", `6:1: expect stress looks at the last stress, expected one above it`},
		{"expect bucket account=alice bucket=s qty=1", `6 not supported: expect bucket`},
	} {
		t.Run(c.line, func(t *testing.T) {
			_, err := scenario.Parse("f", []byte(ground+c.line+"\n"), scenario.AsWritten)
			var faults scenario.Faults
			if !errors.As(err, &faults) || len(faults) == 0 {
				t.Fatalf("no fault, want %s", c.want)
			}
			if got := faults[0].Error(); !strings.HasPrefix(got, "f:"+c.want) {
				t.Errorf("got  %s\nwant f:%s", got, c.want)
			}
			if faults.ExitCode() != 2 {
				t.Errorf("exit code %d, want 2", faults.ExitCode())
			}
		})
	}
}

// TestFaultsOfFile holds that every line is read, whatever stands above it, and that an answer needs a question.
func TestFaultsOfFile(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"several", "advance 8\nfroget\n\nadvance x # 8h\n", "f:1:9: the duration is \"8\", expected a duration, as in 250ms, 10s, 5m, 8h or 30d\n" +
			"f:2:1: there is no statement \"froget\"; did you mean forget?\n" +
			"f:4:9: the duration is \"x\", expected a duration, as in 250ms, 10s, 5m, 8h or 30d"},
		{"columns count characters", "# é\n\towner name=é€ x", "f:2:13: name is \"é€\", expected a name of letters, digits, -, _ and ."},
		{"not UTF-8", "advance 8h \xff\n", "f: is not UTF-8 text"},
		{"no command yet", "expect ok\n", "f:1:1: expect ok looks at the last command, expected one above it"},
		{"later names", "deposit account=a amount=5\naccount name=a\n", `f:1:17: there is no account "a" above this line`},
		{"time", "advance 30000d\nadvance 30000d\n", "f:2:9: the time would be later than 50000d, the last that there is"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := scenario.Parse("f", []byte(c.text), scenario.AsWritten)
			if err == nil || err.Error() != c.want {
				t.Errorf("got  %v\nwant %s", err, c.want)
			}
		})
	}
}

// TestEmpty holds that a text without a statement is a scenario, with blanks, comments, a byte order mark and any line ends.
func TestEmpty(t *testing.T) {
	s := parse(t, "\ufeff\r\n  # nothing\r\n\t\n", scenario.AsWritten)
	if r := run(t, s); len(r.Failed) != 0 || r.Expectations != 0 || len(r.Hash) != 16 {
		t.Errorf("%+v", r)
	}
}
