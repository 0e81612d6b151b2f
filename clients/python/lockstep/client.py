"""A session on a TCP connection, which is made anew when it is lost."""

from __future__ import annotations

import socket
import time
from typing import Any, Iterator

from .schema import Message
from .session import Event, Request, Session


def now() -> int:
    """Nanoseconds since 1970."""
    return time.time_ns()


class Client:
    """Sends requests and gives events; one thread uses it."""

    def __init__(self, session: Session, host: str, port: int) -> None:
        self.session, self.host, self.port = session, host, port
        self.socket: socket.socket | None = None
        self.sent_at = 0.0

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()

    def connect(self, timeout: float = 5.0) -> None:
        """Connects and begins to log in; events tell how that goes."""
        self.drop()
        self.socket = socket.create_connection((self.host, self.port), timeout)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.session.connected(now())
        self.flush()

    def drop(self) -> None:
        """Lets the connection go, as a cable does that is pulled."""
        if self.socket is not None:
            self.socket.close()
            self.socket = None
        self.session.disconnected()

    def close(self) -> None:
        """Says goodbye; the session can be bound again."""
        if self.socket is not None:
            try:
                self.session.terminate()
                self.flush()
            except OSError:
                pass
        self.drop()

    def flush(self) -> None:
        if self.session.out and self.socket is not None:
            b = bytes(self.session.out)
            self.session.out.clear()
            self.socket.sendall(b)
            self.sent_at = time.monotonic()

    def send(self, name: str, **values: Any) -> Request:
        """Sends a message of order entry, say send("Cancel", orderId=5, instrumentId=1)."""
        self.session.now = max(self.session.now, now())
        request = self.session.send(name, **values)
        self.flush()
        return request

    def events(self, timeout: float = 1.0) -> Iterator[Event]:
        """The events of the next bytes that come within a time; none where the connection is lost, which Client.socket then is not."""
        if self.socket is None:
            return
        self.socket.settimeout(min(timeout, self.session.keepalive_ms / 1000))
        try:
            b = self.socket.recv(1 << 16)
        except TimeoutError:
            if time.monotonic() - self.sent_at >= self.session.keepalive_ms / 1000:
                self.session.heartbeat(now())
                self.flush()
            return
        except OSError:
            b = b""
        if not b:
            self.drop()
            return
        yield from self.session.received(b, now())
        if self.socket is not None:
            self.flush()

    def until(self, wanted: str, timeout: float = 5.0) -> list[Event]:
        """Takes events until one of a kind has come; connects where there is no connection."""
        seen: list[Event] = []
        end = time.monotonic() + timeout
        while time.monotonic() < end:
            if self.socket is None or self.session.state == "closing":
                if seen and seen[-1].kind == "refused":
                    raise ConnectionRefusedError(seen[-1].reason)
                self.connect()
            for e in self.events(0.2):
                seen.append(e)
                if e.kind == wanted:
                    end = 0
        if end:
            raise TimeoutError(f"no event {wanted} in {timeout} s, but {[e.kind for e in seen]}")
        return seen

    def answer(self, request: Request, timeout: float = 5.0) -> Message | None:
        """The first response to a request; None where it was not applied. Other events of that time are dropped."""
        end = time.monotonic() + timeout
        while time.monotonic() < end:
            if self.socket is None:
                self.connect()
            for e in self.events(0.2):
                if e.request == request:
                    return e.message if e.kind == "report" else None
        raise TimeoutError(f"no answer to {request} in {timeout} s")
