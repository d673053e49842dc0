"""What another system signs: who holds the key of an exercise's feed, and when it was sent."""

import hmac
from datetime import datetime, timedelta

from core.security import same_secret

SKEW = timedelta(minutes=5)


def signature(key: str, timestamp: str, body: bytes) -> str:
    """Return HMAC-SHA-256 in hex over the timestamp, a full stop and the body, byte for byte."""
    return hmac.digest(key.encode(), timestamp.encode() + b"." + body, "sha256").hex()


def is_signed(key: str, timestamp: str, body: bytes, given: str) -> bool:
    """Tell whether a signature is right; compared in constant time."""
    return same_secret(signature(key, timestamp, body), given.removeprefix("sha256=").lower())


def is_timely(timestamp: str, now: datetime) -> bool:
    """Tell whether a timestamp, seconds since 1970 in UTC, is at most `SKEW` from now."""
    if not (timestamp.isascii() and timestamp.isdecimal() and len(timestamp) <= 12):  # noqa: PLR2004  # no float is exact beyond
        return False
    return abs(now.timestamp() - int(timestamp)) <= SKEW.total_seconds()
