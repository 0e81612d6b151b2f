"""Trades on a venue and says, one line of JSON a request, what became of it. Go tests run it and compare.

    live.py HOST PORT KEY SEED VENUE SHARD ACCOUNT INSTRUMENT PRICE QTY COUNT
"""

import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lockstep import Client, Event, Schemas, Session  # noqa: E402
from lockstep.key import Key  # noqa: E402


def main(host: str, port: str, key: str, seed: str, venue: str, *numbers: str) -> None:
    shard, account, instrument, price, qty, count = map(int, numbers)
    session = Session(Schemas.load(), Key(int(key), bytes.fromhex(seed)), bytes.fromhex(venue), shard=shard, takeover=True, cancel="Never")
    known: dict[int, str] = {}
    open_orders: list[int] = []

    def hear(e: Event) -> None:
        if e.kind == "refused":
            print("refused:", e.reason, file=sys.stderr)
        if e.request is not None:
            if e.request.ref in known:
                raise SystemExit(f"request {e.request.ref} is told twice")
            known[e.request.ref] = "not applied" if e.kind == "not_applied" else outcome(e)
        if e.kind == "report" and e.message is not None and e.message.name == "OrderAccepted":
            open_orders.append(e.message["orderId"])

    sent = []
    with Client(session, host, int(port)) as c:
        ready = False
        while len(sent) < count or session.pending:
            if c.socket is None or session.state == "closing":
                ready = False
                try:
                    c.connect()
                except OSError:
                    continue
            try:
                if ready and len(sent) < count and len(session.pending) < 8:
                    n = len(sent)
                    if n % 3 == 2 and open_orders:
                        request = c.send("Cancel", orderId=open_orders.pop(), instrumentId=instrument)
                    else:
                        request = c.send("NewOrder", instrumentId=instrument, accountId=account, side="Buy" if n % 2 else "Sell", ordType="Limit", price=price, qty=qty)
                    sent.append(request)
                    if len(session.pending) < 4:
                        continue
                for e in c.events(0.05):
                    ready = ready or e.kind == "recovered"
                    hear(e)
                ready = ready and session.state == "bound" and not session.recovering
            except OSError:
                c.drop()
    for request in sent:
        print(json.dumps({"ref": request.ref, "name": request.name, "outcome": known.get(request.ref, "unknown")}))


def outcome(e: Event) -> str:
    assert e.message is not None
    if e.message.name == "Reject":
        return f"rejected {e.message['code']}"
    return {"OrderAccepted": "accepted", "OrderCanceled": "canceled"}.get(e.message.name, e.message.name)


if __name__ == "__main__":
    main(*sys.argv[1:])
