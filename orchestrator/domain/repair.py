"""What to do about the hosts of one team that do not do what they should. Pure."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from core.ids import TeamId
from orchestrator.domain.backoff import MOST_TRIES, next_try
from orchestrator.domain.exercise import Problem, Stage
from orchestrator.domain.health import Ailing, Ailment

RESET = "reset"
"""The cause of a repair that somebody asked for: the host is made anew."""
BUILD = "build"
"""The cause of one more try to build a whole world."""
WORLD = ""
"""Stands where a host would, for the world as a whole."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Repair:
    """A host that is to be raised again; done once it was tried, however that ended.

    `cause` is an ailment, or RESET.
    """

    id: str
    team: TeamId
    host: str
    cause: str
    at: datetime
    done_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A team's standing world as it is: what ails, what is under way, what was tried when."""

    exercise: str
    team: str
    degraded: bool
    problem: Problem | None
    ailing: Sequence[Ailing] = ()
    under_way: Collection[str] = ()
    tries: Mapping[str, Sequence[datetime]] = field(default_factory=dict)
    restarted: Collection[str] = ()
    """Hosts that the scenario has started again when their own process ends."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What to do: raise hosts again, show a problem, or ask whether the world is ready by now."""

    repairs: tuple[Ailing, ...] = ()
    problem: Problem | None = None
    look_again: bool = False


def decide(case: Case, now: datetime) -> Decision:
    """Return what follows from the state of a world.

    What is our fault is raised again by itself. What came from inside is shown, and started again
    only where the scenario says so. `problem` is set only when it is to change, and while a repair
    is under way what is shown stays.
    """
    ailing = [a for a in case.ailing if a.key.host not in case.under_way]
    due = tuple(a for a in ailing if _is_repaired(a, case) and _is_due(a, case, now))
    if case.under_way:
        return Decision(repairs=due)
    shown = problem_of(case, now)
    if shown is None:
        return Decision(look_again=case.degraded)
    return Decision(repairs=due, problem=None if _is_shown(shown, case) else shown)


def problem_of(case: Case, now: datetime) -> Problem | None:
    """Return what is to be shown of a world; `None` when no host ails.

    One with a way out stays so: only another self-test can tell that it is closed. A world that
    never became ready stays one until all of it is, then our fault comes first: while any of these
    is shown, no failing check is booked as the team's.
    """
    if case.degraded and case.problem is not None and case.problem.stage is Stage.ISOLATION:
        return case.problem
    if not case.ailing:
        return None
    if case.degraded and case.problem is not None and case.problem.stage is Stage.READINESS:
        return case.problem
    return _shown(min(case.ailing, key=lambda a: a.from_inside), case, now)


def _is_shown(problem: Problem, case: Case) -> bool:
    shown = case.problem if case.degraded else None
    return shown is not None and replace(shown, since=problem.since) == problem


def _is_repaired(ailing: Ailing, case: Case) -> bool:
    return not ailing.from_inside or ailing.key.host in case.restarted


def _is_due(ailing: Ailing, case: Case, now: datetime) -> bool:
    at = next_try(case.tries.get(ailing.key.host, ()), now)
    # After an outage nobody waits: once others run, a host that still stands still would look as if
    # it had ended by itself.
    return at is not None and (at <= now or ailing.ailment is Ailment.OUTAGE)


def _shown(ailing: Ailing, case: Case, now: datetime) -> Problem:
    host = ailing.key.host
    message, command = str(ailing), f"poligon exercise status {case.exercise}"
    if not _is_repaired(ailing, case):
        command = _reset(case, host)
    elif next_try(case.tries.get(host, ()), now) is None:
        message += f"; it was raised again {MOST_TRIES} times and did not last"
        command = _reset(case, host)
    else:
        message += "; it is being raised again"
    return Problem(
        stage=Stage.RUNNING if ailing.from_inside else Stage.REPAIR,
        message=message,
        host=host,
        next_command=command,
        since=ailing.since,
    )


def _reset(case: Case, host: str) -> str:
    return f"poligon exercise reset {case.exercise} --team {case.team} --host {host}"
