"""What a market maker's desk says to a venue that runs: desk.py HOST PORT KEY SEED VENUE. It prints ok, or fails."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lockstep import Client, Schemas, Session  # noqa: E402
from lockstep.key import Key  # noqa: E402


def quoted(c: Client) -> None:
    """A quote is answered entry by entry, and its orders are the next one's to replace."""
    entry = {"bidPx": 500_000, "bidQty": 3, "askPx": 700_000, "askQty": 4, "instrumentId": 1, "entryId": 7}
    answer = c.answer(c.send("MassQuote", accountId=1, mmpGroup=0, entries=[entry]))
    assert answer.name == "MassQuoteAck", answer.name
    first = answer.entries[0]
    assert first["bidOrderId"] and first["askOrderId"] and not first["bidCode"], first
    answer = c.answer(c.send("MassQuote", accountId=1, mmpGroup=0, entries=[{**entry, "bidQty": 0, "askPx": 710_000}]))
    second = answer.entries[0]
    assert not second["bidOrderId"] and second["askOrderId"] not in (0, first["askOrderId"]), second


def protected(c: Client) -> None:
    """A group of quotes has limits, and one that has none is not to be quoted in."""
    answer = c.answer(c.send("MmpConfig", accountId=1, mmpGroup=4, qtyLimit=10**12, deltaLimit=0, windowNs=10**9, freezeNs=0))
    assert answer.name == "ControlAck", answer.name
    entry = {"bidPx": 500_000, "bidQty": 1, "askPx": 900_000, "askQty": 1, "instrumentId": 1, "entryId": 1}
    for group, code in ((4, 0), (5, 414)):
        answer = c.answer(c.send("MassQuote", accountId=1, mmpGroup=group, entries=[entry]))
        assert answer.entries[0]["bidCode"] == code, answer.entries


def asked(c: Client) -> None:
    """What an order would do, and how all orders stand."""
    answer = c.answer(c.send("WhatIfMargin", accountId=1, instrumentId=1, side="Buy", marginMode="Account", price=500_000, qty=2, leverage=0))
    assert answer.name == "WhatIfResult" and not answer["code"] and answer["maxQty"] >= 2 and answer["orderInit"] > 0, answer
    answer = c.answer(c.send("OrderStatusRequest", accountId=1, orderId=0, clOrdId=0, flags="allOpenOrders"))
    assert answer.name == "OrderStatus", answer.name


def main(host: str, port: str, key: str, seed: str, venue: str) -> None:
    session = Session(Schemas.load(), Key(int(key), bytes.fromhex(seed)), bytes.fromhex(venue))
    with Client(session, host, int(port)) as c:
        c.until("recovered")
        quoted(c)
        protected(c)
        asked(c)
    print("ok")


if __name__ == "__main__":
    main(*sys.argv[1:])
