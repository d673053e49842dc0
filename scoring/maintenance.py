"""Declared maintenance: stretches of time whose rounds of checks count for nobody."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from core.clock import Clock
from core.db import Database
from core.ids import TeamId, UserId, new_id
from orchestrator.domain.exercise import Exercise, Team
from orchestrator.domain.phases import Act, require
from orchestrator.journal import By, Journal
from scoring.errors import CheckUnknownError, MaintenanceInvalidError
from scoring.maintenance_repository import windows_for, windows_of
from scoring.ports import Exercises
from scoring.tables import MaintenanceRow

_LONGEST = timedelta(days=7)
_FARTHEST = timedelta(days=366)
_MOST_REASON = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Declared:
    """What is to be maintenance: from `start`, or now, for `length`.

    Without a team for all teams, without a check for all checks.
    """

    length: timedelta
    reason: str
    start: datetime | None = None
    team: Team | None = None
    check: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """A maintenance window: [`start`, `end`) in wall time; `team` is a slug."""

    id: str
    team: str | None
    check: str | None
    start: datetime
    end: datetime
    reason: str
    declared_by: UserId | None
    declared_at: datetime


class Maintenance:
    """Windows of exercises. Only the present and the future can be declared."""

    def __init__(self, database: Database, clock: Clock, exercises: Exercises) -> None:
        self._database = database
        self._clock = clock
        self._exercises = exercises
        self._journal = Journal(database, clock)

    def declare(self, exercise: Exercise, declared: Declared, *, by: UserId | None) -> Window:
        """Declare a window, write it into the event log with its reason, and return it.

        Rounds of which the deciding look begins in it count on neither side. Raises NotNowError,
        MaintenanceInvalidError, CheckUnknownError.
        """
        require(exercise.phase, Act.MAINTAIN)
        known, check = self._exercises.scenario(exercise).scenario.checks, declared.check
        if check is not None and check not in known:
            raise check_unknown(check, known)
        now = self._clock.now()
        start = declared.start or now
        _require_usable(declared, start, now)
        row = MaintenanceRow(
            id=new_id(),
            exercise_id=exercise.id,
            team_id=declared.team.id if declared.team is not None else None,
            check=check,
            from_at=start,
            to_at=start + declared.length,
            reason=declared.reason.strip(),
            user_id=by,
            declared_at=now,
        )
        with self._database.transaction() as transaction:
            transaction.session.add(row)
            self._journal.note(
                transaction,
                exercise,
                "check.maintenance",
                f"{check or 'all checks'} from {start:%H:%M:%S} to {row.to_at:%H:%M:%S} UTC",
                team=TeamId(row.team_id) if row.team_id is not None else None,
                subject=check or "",
                by=By(user=by, reason=row.reason),
            )
        return _window(exercise, row)

    def all(self, exercise: Exercise) -> tuple[Window, ...]:
        """Return every window of an exercise, by when it begins."""
        with self._database.reading() as session:
            rows = windows_of(session, exercise.id)
        return tuple(_window(exercise, row) for row in rows)

    def ahead(self, exercise: Exercise, team: Team) -> tuple[Window, ...]:
        """Return the windows of a team that are on or to come, by when they begin."""
        with self._database.reading() as session:
            rows = windows_for(session, exercise.id, team.id, now=self._clock.now())
        return tuple(_window(exercise, row) for row in rows)


def check_unknown(check: str, known: Collection[str]) -> CheckUnknownError:
    """Return the error of a check that the scenario does not have; `known` are those it has."""
    names = ", ".join(known) or "none"
    return CheckUnknownError(f"there is no check {check[:50]!r}", hint=f"The checks are {names}")


def _require_usable(declared: Declared, start: datetime, now: datetime) -> None:
    if start < now:
        raise MaintenanceInvalidError(
            f"{start:%Y-%m-%d %H:%M:%S} UTC is past",
            hint="Rounds that are over are not changed by this; it is for now and for later",
        )
    if start - now > _FARTHEST:
        raise MaintenanceInvalidError("that is more than a year ahead", hint="Check the date")
    if not timedelta() < declared.length <= _LONGEST:
        raise MaintenanceInvalidError(
            "maintenance lasts longer than nothing and 7 days at most", hint="Write it like 10m"
        )
    if not declared.reason.strip() or len(declared.reason) > _MOST_REASON:
        raise MaintenanceInvalidError(
            "maintenance has a reason of 500 characters at most", hint="Say why, for everybody"
        )


def _window(exercise: Exercise, row: MaintenanceRow) -> Window:
    slugs: dict[str, str] = {team.id: team.slug for team in exercise.teams}
    return Window(
        id=row.id,
        team=slugs[row.team_id] if row.team_id is not None else None,
        check=row.check,
        start=row.from_at,
        end=row.to_at,
        reason=row.reason,
        declared_by=UserId(row.user_id) if row.user_id is not None else None,
        declared_at=row.declared_at,
    )
