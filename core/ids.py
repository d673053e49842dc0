"""Identifiers: one type per thing, all made here."""

import secrets
from typing import NewType

ExerciseId = NewType("ExerciseId", str)
TeamId = NewType("TeamId", str)
UserId = NewType("UserId", str)

# Crockford's base 32 in lower case: no i, l, o, u, so an id survives being read aloud.
_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"


def new_id(length: int = 12) -> str:
    """Return `length` random characters of base 32 (5 bits each; 12 are 60 bits)."""
    # Every one as likely as any other: 256 is a multiple of 32.
    return "".join([_ALPHABET[byte % 32] for byte in secrets.token_bytes(length)])
