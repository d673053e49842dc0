"""Passwords for `/etc/shadow`: SHA-512-crypt, `$6$`.

After the public specification "Unix crypt using SHA-256 and SHA-512" by Ulrich Drepper, version
0.6; its test vectors are our unit tests. Python 3.13 has no `crypt` module any more.
"""

import hashlib
import secrets
from functools import lru_cache

_ALPHABET = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_ROUNDS = 5000  # the specification's default, and so not written into the hash
_MIN_ROUNDS, _MAX_ROUNDS = 1000, 999_999_999
_SALT_LENGTH = 16
_SIZE = 64  # bytes of a SHA-512 digest


@lru_cache(maxsize=1024)
def shadow_hash(password: str) -> str:
    """Return a hash for `/etc/shadow` with a random salt.

    Remembered by password, because a team's password goes to each of its hosts and 5000 rounds
    cost milliseconds.
    """
    salt = "".join(secrets.choice(_ALPHABET) for _ in range(_SALT_LENGTH))
    return sha512_crypt(password, salt)


def sha512_crypt(password: str, salt: str, rounds: int | None = None) -> str:
    """Return `$6$[rounds=N$]salt$hash`; the salt is cut to 16, rounds are kept in their bounds."""
    key, salted = password.encode(), salt.encode()[:_SALT_LENGTH]
    count = _ROUNDS if rounds is None else max(_MIN_ROUNDS, min(_MAX_ROUNDS, rounds))
    digest = _mixed(key, salted)
    p_bytes = _stretched(hashlib.sha512(key * len(key)).digest(), len(key))
    s_bytes = _stretched(hashlib.sha512(salted * (16 + digest[0])).digest(), len(salted))
    for turn in range(count):
        odd = turn & 1
        data = p_bytes if odd else digest
        if turn % 3:
            data += s_bytes
        if turn % 7:
            data += p_bytes
        data += digest if odd else p_bytes
        digest = hashlib.sha512(data).digest()
    stated = "" if rounds is None else f"rounds={count}$"
    return f"$6${stated}{salted.decode()}${_encoded(digest)}"


def _mixed(key: bytes, salt: bytes) -> bytes:
    """Return the digest A of the specification's steps 1 to 12."""
    alternate = hashlib.sha512(key + salt + key).digest()
    mix = hashlib.sha512(key + salt + _stretched(alternate, len(key)))
    length = len(key)
    while length:
        mix.update(alternate if length & 1 else key)
        length >>= 1
    return mix.digest()


def _stretched(digest: bytes, length: int) -> bytes:
    return (digest * (length // _SIZE + 1))[:length]


def _encoded(digest: bytes) -> str:
    """Return 86 characters: groups of three bytes 21 apart, each turned by one (step 22)."""
    text = ""
    for group in range(21):
        order = ((0, 21, 42), (21, 42, 0), (42, 0, 21))[group % 3]
        first, second, third = (digest[group + offset] for offset in order)
        text += _four((first << 16) | (second << 8) | third, 4)
    return text + _four(digest[63], 2)


def _four(value: int, characters: int) -> str:
    return "".join(_ALPHABET[(value >> 6 * place) & 63] for place in range(characters))
