"""OpenSSH public keys that let people in."""

import base64
import binascii
import hashlib
import re
from datetime import datetime

from sqlalchemy.orm import Session

from core.users.model import KeyInvalidError
from core.users.tables import SshKeyRow

_KEY_TYPES = re.compile(r"(ssh-|ecdsa-sha2-|sk-)[a-z0-9@.-]+")
_KEY_PARTS = 2


def parse_public_key(line: str) -> tuple[str, str]:
    """Return an OpenSSH public key without its comment, and its `SHA256:...` fingerprint.

    Raises KeyInvalidError.
    """
    parts = line.split()
    try:
        if len(parts) < _KEY_PARTS or not _KEY_TYPES.fullmatch(parts[0]):
            raise ValueError
        blob = base64.b64decode(parts[1], validate=True)
        name_length = int.from_bytes(blob[:4], "big")
        if blob[4 : 4 + name_length].decode("ascii") != parts[0]:
            raise ValueError
    except (ValueError, binascii.Error, UnicodeDecodeError) as error:
        raise KeyInvalidError(
            "this is not an OpenSSH public key", hint="Paste the one line of a .pub file"
        ) from error
    digest = base64.b64encode(hashlib.sha256(blob).digest()).decode().rstrip("=")
    return f"{parts[0]} {parts[1]}", f"SHA256:{digest}"


def keep_key(session: Session, user_id: str, public_key: str, *, at: datetime) -> str:
    """Let a user in by this key from now on; return its SHA-256. Raises KeyInvalidError."""
    key, fingerprint = parse_public_key(public_key)
    if session.get(SshKeyRow, (user_id, fingerprint)) is None:
        session.add(
            SshKeyRow(user_id=user_id, fingerprint=fingerprint, public_key=key, added_at=at)
        )
    return fingerprint
