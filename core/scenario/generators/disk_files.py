"""What stands on a small disk, whatever its file system."""

from dataclasses import dataclass
from datetime import datetime


class DiskFullError(ValueError):
    """The files do not fit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DiskFile:
    """A file in the root folder, or one that was `deleted` from it; times have even seconds."""

    name: str
    content: bytes
    at: datetime
    deleted: bool = False
