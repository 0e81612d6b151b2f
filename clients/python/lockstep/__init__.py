"""Lockstep: a client of the exchange, driven by the XML description of its messages."""

from .client import Client
from .schema import Message, Schemas, WireError
from .session import Event, Request, Session

__all__ = ["Client", "Event", "Message", "Request", "Schemas", "Session", "WireError"]
