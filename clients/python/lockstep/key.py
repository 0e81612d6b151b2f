"""Who logs in, and what is signed (docs/WIRE.md). The only module that needs something beyond the standard library: Ed25519 comes from
the package `cryptography`."""

from __future__ import annotations

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

CLIENT_LINE = b"LOCKSTEP-FIXP-1\0"
VENUE_LINE = b"LOCKSTEP-VENUE-1\0"
_PROOF = slice(8 + 40, 8 + 40 + 64)  # of the signature, behind the header of the credentials


def unsigned(credentials: bytes) -> bytes:
    """Credentials with no signature in them: what is signed."""
    b = bytearray(credentials)
    b[_PROOF] = bytes(64)
    return bytes(b)


class Key:
    """A key's id at the venue, and its private half: 32 bytes, the seed."""

    def __init__(self, id: int, seed: bytes) -> None:
        self.id = id
        self._private = Ed25519PrivateKey.from_private_bytes(seed)

    def sign(self, root: bytes, credentials: bytes) -> bytes:
        """Credentials with the signature put in; root is header and block of the message that carries them."""
        b = bytearray(credentials)
        b[_PROOF] = self._private.sign(CLIENT_LINE + root + unsigned(credentials))
        return bytes(b)


def proven(venue: bytes, root: bytes, nonce: bytes, challenge: bytes) -> bool:
    """Whether the venue's challenge is signed by the key of 32 bytes that it is known by."""
    try:
        Ed25519PublicKey.from_public_bytes(venue).verify(challenge[_PROOF], VENUE_LINE + root + nonce + unsigned(challenge))
    except InvalidSignature:
        return False
    return True
