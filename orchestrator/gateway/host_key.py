"""The gateway's own key, by which people know that they reached the right range."""

import os
import secrets
from pathlib import Path

import asyncssh

from core.errors import Fault, PoligonError

_OTHERS = 0o077


class HostKeyUnusableError(PoligonError):
    """The gateway's key cannot be made, read or kept secret."""

    code = "gateway.host_key_unusable"
    fault = Fault.UPSTREAM


def load_or_create(path: Path) -> asyncssh.SSHKey:
    """Return the key in `path`, an Ed25519 key made on first use that only its owner may read.

    Raises HostKeyUnusableError.
    """
    try:
        if not path.exists():
            _create(path)
        if path.stat().st_mode & _OTHERS:
            raise HostKeyUnusableError(
                f"the gateway's key {path} can be read by others",
                hint=f"chmod 600 {path}, or remove it to have another one made",
            )
        return asyncssh.read_private_key(path)
    except OSError as error:
        raise HostKeyUnusableError(
            f"the gateway's key {path} cannot be used: {error.strerror}",
            hint="Let this user read and write its folder",
        ) from error
    except asyncssh.KeyImportError as error:
        raise HostKeyUnusableError(
            f"{path} is not a private key: {error}",
            hint="Restore it from a backup; a new one makes every client warn of an attack",
        ) from error


def _create(path: Path) -> None:
    """Put a whole key in place at once; of two gateways that start together one wins."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    made = asyncssh.generate_private_key("ssh-ed25519", comment="cyberpoligon")
    try:
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(made.export_private_key())
            file.flush()
            os.fsync(file.fileno())
        path.hardlink_to(draft)
    except FileExistsError:
        return
    finally:
        draft.unlink(missing_ok=True)
