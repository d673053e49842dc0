"""Passwords, tokens and derived secrets."""

import hashlib
import hmac
import secrets

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError

# OWASP's smallest Argon2id profile (19 MiB, 2 passes, 1 lane): a room of forty logs in at once on
# two cores, and a class's passwords are made while the instructor waits.
_HASHER = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
_TOKEN_PREFIX = "plg_"  # noqa: S105  # a prefix that secret scanners can look for, not a secret
# Letters and digits that are not mistaken for one another on a printed sheet.
_READABLE = "abcdefghjkmnpqrstuvwxyz23456789"


def hash_password(password: str) -> str:
    """Return an Argon2id hash in PHC form, with its salt and parameters."""
    return _HASHER.hash(password)


# Verified against when the user is unknown, so that both cases take the same time. Written down, as
# every process would make it anew when it starts; nobody knows of what it is.
_NOBODY = (
    "$argon2id$v=19$m=19456,t=2,p=1"
    "$85rDyiJOz+bQ55hZhdvs2w$KxFgf7zAWufpWDSz27Mq3FzTCrP3Jo9M0RS34vD4FQU"
)


def verify_password(password: str, hashed: str | None) -> bool:
    """Tell whether `password` was hashed to `hashed`; `None` is never right and takes as long."""
    try:
        _HASHER.verify(hashed or _NOBODY, password)
    except (VerifyMismatchError, InvalidHashError):
        return False
    return hashed is not None


def new_password(groups: int = 3) -> str:
    """Return a password for a printed sheet: `groups` times four readable characters (20 bits)."""
    return "-".join("".join(secrets.choice(_READABLE) for _ in range(4)) for _ in range(groups))


def new_token() -> str:
    """Return a bearer token of 256 random bits; only its `token_digest` is ever stored."""
    return _TOKEN_PREFIX + secrets.token_urlsafe(32)


def token_digest(token: str) -> str:
    """Return the SHA-256 of a token, in hex: enough for a secret of 256 bits, and quick."""
    return hashlib.sha256(token.encode()).hexdigest()


def derive(key: bytes, *parts: str) -> bytes:
    """Return HMAC-SHA-256 (32 bytes) over `parts`, each preceded by its length.

    The lengths keep ("ab", "c") and ("a", "bc") apart.
    """
    message = b"".join([len(p).to_bytes(4, "big") + p for p in map(str.encode, parts)])
    return hmac.digest(key, message, "sha256")


def same_secret(a: str, b: str) -> bool:
    """Compare two secrets in constant time."""
    return hmac.compare_digest(a.encode(errors="surrogatepass"), b.encode(errors="surrogatepass"))
