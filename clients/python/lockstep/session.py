"""A session of FIXP 1.1 as its client: bytes and time go in, bytes and events come out. No socket, no thread, no clock.

Requests are numbered; the venue answers each by one first response, or after a loss by NotApplied, so every request ends known. What was
missed is asked for again, by number, and nothing is shown out of order.
"""

from __future__ import annotations

import os
import struct
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any, Callable, Iterator

from .key import Key, proven
from .schema import Message, Schemas, WireError

FRAME = struct.Struct(">IH")  # length of the frame, encoding
ENCODING = 0xEB50
NONE = (1 << 64) - 1
BATCH = 64  # messages that may be asked for at once

FIRST_RESPONSES = {
    "OrderAccepted": (("NewOrder", "NewOrderExt"), "clOrdId"),
    "OrderReplaced": (("Replace",), "clOrdId"),
    "OrderCanceled": (("Cancel",), "requestClOrdId"),
    "MassCancelReport": (("MassCancel",), "requestId"),
    "MassQuoteAck": (("MassQuote",), "quoteId"),
    "OrderStatus": (("OrderStatusRequest",), "requestId"),
    "WhatIfResult": (("WhatIfMargin",), "requestId"),
    "ControlAck": (("MassCancel", "EntryControl", "DeadMan", "MmpConfig", "PositionControl"), "requestId"),
}


@dataclass(frozen=True)
class Request:
    """A request that was sent: its number, its client id, and what it was."""

    number: int
    ref: int
    name: str


@dataclass
class Event:
    """One thing the session has learned. kind is report, not_applied, bound, recovered, terminated or refused."""

    kind: str
    message: Message | None = None
    number: int = 0
    request: Request | None = None
    reason: str = ""


class Session:
    """One session of a key. venue is the venue's public key, or None to take any venue's word."""

    def __init__(self, tables: Schemas, key: Key, venue: bytes | None, *, kind: str = "OrderEntry", shard: int = 0, keepalive_ms: int = 1000,
                 cancel: str = "Both", window_ms: int = 0, name: str = "python", takeover: bool = False,
                 random: Callable[[int], bytes] = os.urandom) -> None:
        self.tables, self.key, self.venue, self.kind, self.shard = tables, key, venue, kind, shard
        self.keepalive_ms, self.cancel, self.window_ms, self.name, self.random = keepalive_ms, cancel, window_ms, name, random
        self.flow = "None" if kind in ("DropCopy", "Replay") else "Idempotent"
        self.id, self.named, self.taking = b"", False, takeover
        self.state = "idle"  # negotiating, establishing, bound, closing
        self.stamp = 0
        self.next = 1  # number of the next request
        self.expected = 1  # number of the next message to be shown
        self.live = 1  # number of the next message that comes live
        self.last_ref = 0
        self.pending: OrderedDict[int, Request] = OrderedDict()
        self.out = bytearray()
        self._in = bytearray()
        self._held: dict[int, bytes] = {}
        self._again = (0, 0)  # number of the next message that comes again, and how many do
        self._asking, self._answered, self.recovering = False, False, False
        self._target = self._first = 0
        self._notes: list[Event] = []
        self.now = 0

    # The connection.

    def connected(self, now: int) -> None:
        """There is a new connection: log in. now is nanoseconds since 1970."""
        self.now = now
        self.out.clear()
        self._in.clear()
        self._held.clear()
        self._asking, self._answered, self._again = False, False, (0, 0)
        if self.named:
            self._establish(self.random(32))
        else:
            self._negotiate()

    def disconnected(self) -> None:
        self.state = "idle"

    def received(self, b: bytes, now: int) -> Iterator[Event]:
        """Takes bytes of the venue and gives the events they bring."""
        self.now = max(self.now, now)
        self._in += b
        while True:
            yield from self._told()
            if len(self._in) < FRAME.size or self.state in ("idle", "closing"):
                return
            size, encoding = FRAME.unpack_from(self._in)
            if encoding != ENCODING or size < FRAME.size + 8 or size > 65535:
                raise WireError(f"a frame of {size} bytes of encoding {encoding:#x}")
            if len(self._in) < size:
                return
            frame = bytes(self._in[FRAME.size:size])
            del self._in[:size]
            yield from self._frame(frame)

    def _told(self) -> Iterator[Event]:
        while self._notes:
            yield self._notes.pop(0)
        if self.recovering and self.expected >= self._target and all(n >= self._first for n in self.pending):
            self.recovering = False
            yield Event("recovered", number=self.expected)

    def heartbeat(self, now: int) -> None:
        """To be called where nothing was sent for the keep-alive interval."""
        self.now = max(self.now, now)
        if self.state == "bound":
            if self.flow == "Idempotent":
                self._put("Sequence", NextSeqNo=self.next)
            else:
                self._put("UnsequencedHeartbeat")

    def terminate(self) -> None:
        """Ends the binding; the session can be bound again."""
        if self.state == "bound":
            self._put("Terminate", SessionId=self.id, Code="Finished")

    # Requests.

    def send(self, name: str, *, ref: int = 0, entries: list[dict[str, Any]] | None = None, **values: Any) -> Request:
        """Sends a message of order entry under the next number. Its client id is chosen where none is given."""
        if self.state != "bound":
            raise WireError("the session is not bound")
        if self.recovering and name in ("NewOrder", "NewOrderExt", "Replace", "MassQuote"):
            raise WireError("what became of earlier requests is not known yet")
        t = self.tables.names[name]
        ref = ref or max(self.last_ref + 1, self.now)
        if ref <= self.last_ref:
            raise WireError(f"client id {ref} is not above {self.last_ref}")
        named = next(n for n in ("requestId", "quoteId", "clOrdId") if n in t.block.fields)
        m = self.tables.message(name, entries=entries, **{named: ref, "seqNum": self.next & 0xFFFFFFFF, **values})
        frame = m.encode()
        request = Request(self.next, ref, name)
        self.pending[self.next] = request
        self.next, self.last_ref = self.next + 1, ref
        self._frame_out(frame)
        return request

    # Logging in.

    def _credentials(self, root: bytes, nonce: bytes) -> bytes:
        m = self.tables.message(
            "AuthCredentials", keyId=self.key.id, nonce=nonce, codWindowMs=self.window_ms, shardId=self.shard,
            oeVersion=self.tables.names["NewOrder"].version, mdVersion=self.tables.names["OrderAdd"].version, scheme="Ed25519",
            codMode=self.cancel, takeover="Yes" if self.taking else "No", kind=self.kind, clientName=self.name)
        return self.key.sign(root, m.encode())

    def _stamp(self) -> int:
        self.stamp = max(self.stamp + 1, self.now)
        return self.stamp

    def _negotiate(self) -> None:
        raw = bytearray(self.random(16))
        raw[6], raw[8] = raw[6] & 0x0F | 0x40, raw[8] & 0x3F | 0x80
        self.id, self.nonce, self.named, self.state = bytes(raw), self.random(32), True, "negotiating"
        m = self.tables.message("Negotiate", SessionId=self.id, Timestamp=self._stamp(), ClientFlow=self.flow)
        m.data = self._credentials(m.root(), self.nonce)
        self._frame_out(m.encode())

    def _establish(self, nonce: bytes) -> None:
        self.state = "establishing"
        m = self.tables.message("Establish", SessionId=self.id, Timestamp=self._stamp(), KeepaliveInterval=self.keepalive_ms, NextSeqNo=NONE)
        m.data = self._credentials(m.root(), nonce)
        self._frame_out(m.encode())
        self.taking = True

    # Frames.

    def _put(self, name: str, data: bytes = b"", **values: Any) -> None:
        self._frame_out(self.tables.message(name, data, **values).encode())

    def _frame_out(self, message: bytes) -> None:
        self.out += FRAME.pack(FRAME.size + len(message), ENCODING) + message

    def _frame(self, frame: bytes) -> Iterator[Event]:
        m = self.tables.decode(frame)
        if m.template.schema == 2748 and m.name not in ("Applied", "NotApplied"):
            yield from self._control(m, frame)
            return
        if self.state != "bound":
            raise WireError(f"{m.name} before the session is bound")
        number, left = self._again
        if left:
            self._again = number + 1, left - 1
        else:
            number, self.live = self.live, self.live + 1
        if m.get("seqNum", number) != number:
            raise WireError(f"{m.name} says that it is {m['seqNum']}, and is {number}")
        if number > self.expected:
            self._held[number] = frame
            self._ask()
            return
        if number < self.expected:
            return
        yield from self._show(m)
        while self.expected in self._held:
            yield from self._show(self.tables.decode(self._held.pop(self.expected)))
        self._ask()

    def _show(self, m: Message) -> Iterator[Event]:
        number, self.expected = self.expected, self.expected + 1
        if m.name == "NotApplied":
            for n in range(m["FromSeqNo"], m["FromSeqNo"] + m["Count"]):
                yield Event("not_applied", m, number, self.pending.pop(n, None))
        else:
            yield Event("report", m, number, self._answers(m))

    def _answers(self, m: Message) -> Request | None:
        """The request that a report is the first response to."""
        if m.name == "Reject":
            for n, r in self.pending.items():
                if n & 0xFFFFFFFF == m["refSeqNum"]:
                    return self.pending.pop(n)
            return None
        names, by = FIRST_RESPONSES.get(m.name, ((), ""))
        for n, r in self.pending.items():
            if r.name in names and r.ref == m[by]:
                return self.pending.pop(n)
        return None

    def _ask(self) -> None:
        """Asks for what is missing before what is held, or before what comes next."""
        end = min(self._held, default=self.live)
        if self._asking or end <= self.expected:
            return
        self._asking = True
        self._put("RetransmitRequest", SessionId=self.id, Timestamp=self._stamp(), FromSeqNo=self.expected, Count=min(end - self.expected, BATCH))
        if self.flow == "Idempotent":
            self._put("Sequence", NextSeqNo=self.next)

    def _control(self, m: Message, frame: bytes) -> Iterator[Event]:
        if m.name == "NegotiationResponse":
            challenge = self.tables.decode(m.data)
            if self.venue is not None and not proven(self.venue, m.root(), self.nonce, m.data):
                raise WireError("the venue's signature is not that of its key")
            if challenge["lastClOrdId"] != NONE:
                self.last_ref = max(self.last_ref, challenge["lastClOrdId"])
            self._establish(challenge["serverNonce"])
        elif m.name == "EstablishmentAck":
            self.state, self._first, self.recovering = "bound", self.next, True
            self.live = self._target = m["NextSeqNo"]
            if self.kind in ("DropCopy", "Replay") and self.expected == 1:
                self.expected = self.live
            yield Event("bound", m, self.live)
            self._ask()
            if self.flow == "Idempotent" and not self._asking:
                self._put("Sequence", NextSeqNo=self.next)
        elif m.name == "Sequence":
            self.live = max(self.live, m["NextSeqNo"])
            if self._answered:
                self._asking = self._answered = False
            self._ask()
        elif m.name == "Retransmission":
            self._again, self._answered = (m["NextSeqNo"], m["Count"]), True
        elif m.name == "RetransmitReject":
            raise WireError(f"the venue no longer has messages from {self.expected} on")
        elif m.name == "Terminate":
            if self.state == "bound":
                self._put("Terminate", SessionId=self.id, Code="Finished")
            self.state = "closing"
            yield Event("terminated", m, reason=m.data.decode(errors="replace"))
        elif m.name in ("NegotiationReject", "EstablishmentReject"):
            if m.name == "NegotiationReject" or m.text("Code") == "Unnegotiated" and self.next == 1:
                self.named = False
            self.state = "closing"
            yield Event("refused", m, reason=f"{m.text('Code')} {m.data.decode(errors='replace')}".strip())
