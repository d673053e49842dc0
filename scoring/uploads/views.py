"""What people see of files that were handed in."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from core.ids import TeamId, UserId
from scoring.uploads.scanning import Scan


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """A file of a team; the highest `revision` of its task counts. `elapsed` is the team's clock.

    `name` is what its owner called it, `kept_name` what it is called when it is handed out.
    """

    id: str
    team: TeamId
    task: str
    revision: int
    user: UserId
    name: str
    kept_name: str
    media_type: str
    size: int
    sha256: str
    scan: Scan
    at: datetime
    elapsed: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """What a team may hand in for a task, and what it has, the latest revision first.

    `because` says why whoever asks may not now, and is empty when they may. `due` is the team's
    clock; `grace` is how long after the end files are taken, `None` for not at all.
    """

    task: str
    files: tuple[str, ...]
    max_bytes: int
    roles: tuple[str, ...]
    because: str
    due: timedelta | None
    grace: timedelta | None
    revisions: tuple[Delivery, ...]
