"""One timeline of an exercise: what happened, to whom, on both clocks, and what proves it."""

import heapq
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum


class Happening(StrEnum):
    """What kind of thing a moment is; of things at the same time, the earlier here came first."""

    ACT = "act"  # a person's or the system's act, from the event log
    INJECT = "inject"
    MESSAGE = "message"
    REPLY = "reply"
    RESPONSE = "response"  # an expected response was met or missed
    SESSION = "session"  # somebody came onto a machine
    COMMAND = "command"
    FILE = "file"
    RESET = "reset"
    HINT = "hint"
    CHECK = "check"  # what a check sees is other than before
    ANSWER = "answer"
    SOLVE = "solve"
    POINTS = "points"


_ORDER = {kind: place for place, kind in enumerate(Happening)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """The fact that points follow from: its kind, its id, its place among those of its team."""

    cause: str
    id: str
    position: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """A place in a recording: the session, and seconds from the beginning of its recording."""

    session: str
    host: str
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """Something that happened. `elapsed` is the team's clock, or the exercise's without a team.

    `team` is a slug, empty for the whole exercise; `who` a login name, empty for the system.
    `proof` is the fact that it is, or that points follow from; `milli_points` and `entry`, its id
    in the ledger, are of POINTS.
    """

    at: datetime
    elapsed: timedelta
    kind: Happening
    team: str = ""
    who: str = ""
    subject: str = ""
    text: str = ""
    milli_points: int = 0
    entry: int | None = None
    proof: Proof | None = None
    scenes: tuple[Scene, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """A session of which a recording can be had, from when to when."""

    session: str
    team: str
    user: str
    host: str
    began: datetime
    ended: datetime


def merged(*sources: Iterable[Moment]) -> tuple[Moment, ...]:
    """Return sources, each of which is in the order of time, as one in the order of time."""
    return tuple(heapq.merge(*sources, key=lambda m: (m.at, _ORDER[m.kind])))


def of_team(moments: Iterable[Moment], team: str) -> tuple[Moment, ...]:
    """Return what concerned a team: its own, and what happened to the whole exercise."""
    return tuple(m for m in moments if m.team in {"", team})


def with_scenes(moments: Iterable[Moment], recordings: Sequence[Recorded]) -> tuple[Moment, ...]:
    """Return moments with the places in recordings that show them: sessions that ran then.

    Of whoever did it, where that is known and they were recorded; else of the whole team.
    """
    of_teams: dict[str, list[Recorded]] = {}
    for recorded in recordings:
        of_teams.setdefault(recorded.team, []).append(recorded)
    return tuple(_with_scenes(moment, of_teams.get(moment.team, ())) for moment in moments)


_SEEN = frozenset(
    {Happening.COMMAND, Happening.FILE, Happening.CHECK, Happening.ANSWER, Happening.SOLVE}
    | {Happening.POINTS, Happening.RESET, Happening.HINT}
)


def _with_scenes(moment: Moment, recordings: Sequence[Recorded]) -> Moment:
    if moment.kind not in _SEEN or not moment.team or moment.scenes:
        return moment
    running = [r for r in recordings if r.began <= moment.at <= r.ended]
    own = [r for r in running if r.user == moment.who]
    return replace(
        moment,
        scenes=tuple(
            Scene(session=r.session, host=r.host, seconds=(moment.at - r.began).total_seconds())
            for r in own or running
        ),
    )
