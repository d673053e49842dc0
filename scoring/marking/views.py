"""What people see of marking: assessors their list and a case, teams their result and why."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction

from scoring.domain.marking import MarkingState
from scoring.uploads.views import Delivery


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkView:
    """A level that somebody gave, and why. `who` is a login name, or `assessor 1` for teams."""

    who: str
    level: int
    reason: str
    is_draft: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CriterionView:
    """A criterion with its levels, lowest first, and what was given that the reader may see.

    `mine` is the reader's own, `team` the level that the team gives itself.
    """

    criterion: str
    title: str
    weight: int
    levels: tuple[tuple[int, str], ...]
    mine: MarkView | None = None
    given: tuple[MarkView, ...] = ()
    team: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplyView:
    """What a team replied at a time of its clock; `name` is empty for who marks blind."""

    name: str
    text: str
    elapsed: timedelta
    is_late: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceView:
    """Where criteria are marked, and what the team handed in or said there.

    `place` is an inject, or empty for the task itself; `asked` is what the inject told the team.
    """

    place: str
    title: str
    asked: str
    is_settled: bool
    is_handed_in: bool
    deliveries: tuple[Delivery, ...]
    replies: tuple[ReplyView, ...]
    criteria: tuple[CriterionView, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseLine:
    """A team's task in a list: how far it has come. `mine` is whether the reader has a seat there.

    `handed_in` counts assessors who are done, of `assessors`. `milli_points` is the result that
    counts now; `None` before there is one.
    """

    exercise: str
    task: str
    title: str
    team: str
    team_name: str
    state: MarkingState
    number: int
    handed_in: int
    assessors: int
    seats: int
    mine: bool
    is_done: bool
    milli_points: int | None
    of_milli_points: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseView:
    """A team's task before who marks it.

    `may` is `mark`, `moderate` or nothing, and `because` then says why. `others` tells whether
    marks of others are in it: from when all are in. `reason` is why it is marked again.
    """

    line: CaseLine
    ask: str
    places: tuple[PlaceView, ...]
    may: str
    because: str
    others: bool
    difference: Fraction | None
    apart: Fraction | None
    moderated: bool
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TeamResult:
    """A team's task as the team sees it: its own view of itself, and the official one.

    `milli_points` is `None` before there is a result; who gave what and why is in the criteria
    once it is released.
    """

    task: str
    milli_points: int | None
    of_milli_points: int
    decided_at: datetime | None
    moderated: bool
    released: bool
    reason: str
    criteria: tuple[CriterionView, ...]
