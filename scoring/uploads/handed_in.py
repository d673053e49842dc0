"""What somebody hands in, and whether it can be: its name and key, and their role."""

from dataclasses import dataclass

from core.ids import UserId
from core.scenario.access import lineage
from core.scenario.schema import Scenario
from core.scenario.schema_tasks import Submit
from orchestrator.domain.exercise import Exercise, Team
from scoring.domain.files import why_refused
from scoring.uploads.errors import (
    DeliveryKeyReusedError,
    FileRefusedError,
    NotYoursToDeliverError,
)
from scoring.uploads.store import Incoming
from scoring.uploads.views import Delivery

MAX_CLIENT_KEY = 100
_LONGEST_NAME = 255


@dataclass(frozen=True, slots=True, kw_only=True)
class HandedIn:
    """A file that somebody hands in for a task; `name` is what they call it."""

    exercise: Exercise
    team: Team
    user: UserId
    task: str
    name: str
    client_key: str


def shown_name(name: str) -> str:
    """Return a file's name as it is kept for people: its end, without what is not printable."""
    return "".join(c if c.isprintable() else "_" for c in name)[-_LONGEST_NAME:]


def require_usable(handed: HandedIn, submit: Submit) -> None:
    """Raise FileRefusedError when the name or the key cannot be, before a byte of it comes."""
    why = why_refused(submit, handed.name, size=1)
    if why:
        raise FileRefusedError(f"the file {why}", hint="Nothing was handed in")
    if not 0 < len(handed.client_key) <= MAX_CLIENT_KEY or not handed.client_key.isprintable():
        raise FileRefusedError(
            f"the key of a file has 1 to {MAX_CLIENT_KEY} printable characters",
            hint="Send a new UUID with each file",
        )


def require_role(scenario: Scenario, team: Team, user: UserId, submit: Submit) -> None:
    """Raise NotYoursToDeliverError unless somebody's role, or one it extends, hands this in."""
    role = next((member.role for member in team.members if member.user == user), "")
    if submit.by and not {*submit.by} & {*lineage(scenario, role)}:
        titles = [scenario.roles[one].title or one for one in submit.by]
        raise NotYoursToDeliverError(
            f"it is for {' or '.join(titles)} to hand this in", hint="Give it to them"
        )


def told_before(before: Delivery, handed: HandedIn, incoming: Incoming) -> Delivery:
    """Return what came under the same key; raises DeliveryKeyReusedError if it is another file."""
    if (before.task, before.sha256) != (handed.task, incoming.sha256):
        raise DeliveryKeyReusedError(
            "this key came with another file before",
            hint="Send a new key with each file; nothing was changed",
        )
    return before
