"""The centre's own authority for people's SSH keys: its key, and certificates of it."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import asyncssh

from core.errors import Fault, PoligonError
from orchestrator.gateway.host_key import load_or_create


class CaMissingError(PoligonError):
    """The centre has no key to sign with."""

    code = "ca.missing"
    fault = Fault.MISSING


class CaUnusableError(PoligonError):
    """The public half of the centre's key cannot be read."""

    code = "ca.unusable"
    fault = Fault.UPSTREAM


class KeyNotSignableError(PoligonError):
    """What should be signed is not one public key."""

    code = "ca.key_invalid"
    fault = Fault.INPUT


def public_half(ca: Path) -> Path:
    """Return the file of the public half, which is all that gateways read."""
    return ca.with_suffix(".pub")


def create(ca: Path) -> str:
    """Make the centre's key, unless it is there, and return its fingerprint.

    Raises HostKeyUnusableError.
    """
    key = load_or_create(ca)
    public_half(ca).write_bytes(key.export_public_key())
    return key.get_fingerprint()


def trusted(ca: Path) -> asyncssh.SSHKey | None:
    """Return the key whose certificates let in; `None` where there is none.

    Raises CaUnusableError.
    """
    if not public_half(ca).exists():
        return None
    try:
        return asyncssh.read_public_key(public_half(ca))
    except (OSError, asyncssh.KeyImportError) as error:
        raise CaUnusableError(
            f"{public_half(ca)} cannot be read as a public key",
            hint="`poligon ca init` writes it again",
        ) from error


def sign(
    ca: Path,
    public_key: str,
    *,
    name: str,
    principals: Sequence[str],
    begins: datetime,
    until: datetime,
) -> str:
    """Return the line of a user certificate; `name` is its key id, too.

    Raises CaMissingError, KeyNotSignableError, HostKeyUnusableError.
    """
    if not ca.exists():
        raise CaMissingError("the centre has no key to sign with", hint="Run `poligon ca init`")
    try:
        key = asyncssh.import_public_key(public_key)
    except asyncssh.KeyImportError as error:
        raise KeyNotSignableError(
            "this is not an OpenSSH public key", hint="Give the .pub file of a key"
        ) from error
    certificate = load_or_create(ca).generate_user_certificate(
        key,
        name,
        principals=principals,
        valid_after=begins,
        valid_before=until,
        permit_x11_forwarding=False,
        permit_agent_forwarding=False,
    )
    return certificate.export_certificate("openssh").decode()
