"""Making a host or a whole world anew: who may, how often, and what is left to the workers.

Scores stay, but for what the scenario says a team's own reset costs. The host comes back with its
files, accounts and readiness as at the start, at the same address; its peers run on.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import structlog
from sqlalchemy.exc import IntegrityError

from core.clock import Clock
from core.db import Database, Transaction
from core.errors import Fault, PoligonError
from core.ids import ExerciseId
from core.jobs import Job
from core.scenario.access import lineage
from core.scenario.schema import Host, ResetCost, Scenario
from core.users.model import User
from orchestrator.charges import Charge, ChargedFor, Treasurer
from orchestrator.domain.exercise import Exercise, Problem, Stage, Team
from orchestrator.domain.phases import Act, WorldPhase, require
from orchestrator.domain.repair import RESET
from orchestrator.journal import By
from orchestrator.repair_repository import RepairRepository
from orchestrator.repository import ExerciseRepository
from orchestrator.service import PREPARE, REPAIR_WORLD, Exercises

log = structlog.get_logger()

_STANDING = (WorldPhase.READY, WorldPhase.DEGRADED)
_ANY_BUILT = (*_STANDING, WorldPhase.FAILED)
_ATTEMPTS = 3  # to count while others of the team count, too


class ResetNotAllowedError(PoligonError):
    """The scenario does not let this person have that made anew."""

    code = "reset.not_allowed"
    fault = Fault.DENIED


class ResetsUsedUpError(PoligonError):
    """A team has had a host made anew as often as it may."""

    code = "reset.used_up"
    fault = Fault.CONFLICT


class ResetNotNowError(PoligonError):
    """The world is not in a state from which this could be made anew."""

    code = "reset.not_now"
    fault = Fault.CONFLICT


class HostUnknownError(PoligonError):
    """The scenario has no such host, or none that the caller may see."""

    code = "host.unknown"
    fault = Fault.MISSING


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A host that a member of a team may have made anew; `left` is None without a limit.

    `cost` is what each time takes from a task of the team.
    """

    host: str
    title: str
    left: int | None
    cost: ResetCost | None


class Resets:
    """Resets of hosts and worlds; the workers carry them out (`orchestrator.reconcile`)."""

    def __init__(
        self, database: Database, clock: Clock, exercises: Exercises, treasurer: Treasurer
    ) -> None:
        self._database = database
        self._clock = clock
        self._exercises = exercises
        self._treasurer = treasurer

    def reset(
        self, exercise: Exercise, team: Team, *, host: str | None, by: User | None
    ) -> Exercise:
        """Have a host of a team made anew, or its whole world; return the exercise then.

        `by` is None for the operator. Instructors always may; a member of the team may where the
        scenario lets their role, within its limit, while the exercise runs. Raises
        ResetNotAllowedError, ResetsUsedUpError, ResetNotNowError, HostUnknownError, NotNowError.
        """
        hosts = self._exercises.scenario(exercise).scenario.hosts
        if by is not None and not by.runs_exercises:
            self._require_allowed(exercise, team, host, by)
        require(exercise.phase, Act.STAND)
        if host is not None and host not in hosts:
            raise _unknown(host, hosts)
        self._ask(exercise, team, host, by, attempts=_ATTEMPTS)
        log.info(
            "world.reset_asked",
            exercise=exercise.name,
            team=team.slug,
            host=host or "all",
            by=by.name if by is not None else "operator",
        )
        return self._exercises.get(exercise.id)

    def offers(
        self, exercise: Exercise, team: Team, user: User, *, language: str = ""
    ) -> tuple[Offer, ...]:
        """Return what a member of the team may have made anew, used-up ones with none left.

        Titles are in a language; `` for the scenario's first.
        """
        scenario = self._exercises.scenario(exercise).in_language(language)
        role = next((m.role for m in team.members if m.user == user.id), None)
        if role is None:
            return ()
        with self._database.reading() as session:
            used = RepairRepository(session).own_resets(team.id)
        return tuple(
            Offer(
                host=name,
                title=host.title or name,
                left=_left(host, len(used.get(name, ()))),
                cost=host.reset.cost if host.reset is not None else None,
            )
            for name, host in scenario.hosts.items()
            if _lets(scenario, host, role)
        )

    def _require_allowed(self, exercise: Exercise, team: Team, host: str | None, by: User) -> None:
        offers = self.offers(exercise, team, by)
        names = ", ".join(offer.host for offer in offers) or "nothing"
        if all(offer.host != host for offer in offers):
            raise ResetNotAllowedError(
                f"your role does not have {host or 'a whole world'} made anew",
                hint=f"Open to you: {names}; ask an instructor for anything else",
            )
        exercise.require(Act.ENTER, team)

    def _ask(
        self, exercise: Exercise, team: Team, host: str | None, by: User | None, *, attempts: int
    ) -> None:
        try:
            with self._database.transaction() as transaction:
                exercise, team = _now(transaction, exercise, team)
                self._count(transaction, exercise, team, host, by)
                self._exercises.journal.note(
                    transaction,
                    exercise,
                    "world.reset",
                    f"{host or 'every machine'} of {team.slug} is made anew",
                    team=team.id,
                    subject=host or "",
                    by=By(user=by.id if by is not None else None),
                )
                if host is None:
                    self._whole_world(transaction, exercise, team)
                else:
                    self._one_host(transaction, exercise, team, host, by)
        except IntegrityError:
            # Somebody of the team had the same thought: what is left is counted again.
            if attempts == 1:
                raise
            self._ask(exercise, team, host, by, attempts=attempts - 1)

    def _count(
        self,
        transaction: Transaction,
        exercise: Exercise,
        team: Team,
        host: str | None,
        by: User | None,
    ) -> None:
        """Note the reset; a team's own get numbers, which the database keeps distinct, and cost."""
        repairs = RepairRepository(transaction.session)
        if by is None or by.runs_exercises or host is None:
            user = by.id if by is not None else None
            repairs.add_reset(team.id, host or "", number=None, by=user, at=self._clock.now())
            return
        rule = self._exercises.scenario(exercise).scenario.hosts[host]
        used = len(repairs.own_resets(team.id).get(host, ()))
        if _left(rule, used) == 0:
            raise ResetsUsedUpError(
                f"your team has had {host} made anew {used} times, which is as often as it may",
                hint="Ask an instructor",
            )
        now = self._clock.now()
        reset = repairs.add_reset(team.id, host, number=used + 1, by=by.id, at=now)
        if rule.reset is not None and rule.reset.cost is not None:
            cost = rule.reset.cost
            charge = Charge(
                cause=ChargedFor.RESET, id=reset, task=cost.task, points=cost.points, at=now
            )
            self._treasurer.charge(transaction, exercise.id, team.id, charge)

    def _one_host(
        self,
        transaction: Transaction,
        exercise: Exercise,
        team: Team,
        host: str,
        by: User | None,
    ) -> None:
        now = self._clock.now()
        repairs = RepairRepository(transaction.session)
        if any(r.host == host and r.cause == RESET for r in repairs.under_way([team.id])):
            raise ResetNotNowError(f"{host} is being made anew already", hint="Wait a moment")
        who = by.name if by is not None else "the operator"
        told = Problem(
            stage=Stage.REPAIR,
            message=f"{host} is being made anew: {who} asked for it",
            host=host,
            next_command=f"poligon exercise status {exercise.name}",
        )
        moved = ExerciseRepository(transaction.session).move_world(
            team.id,
            before=_STANDING,
            after=WorldPhase.DEGRADED,
            at=now,
            problem=team.problem if team.never_ready else told,
        )
        if not moved:
            raise ResetNotNowError(
                f"the machines of {team.name} are {team.world}",
                hint=f"`poligon exercise reset {exercise.name} --team {team.slug}` makes all anew",
            )
        repairs.add(team.id, host, cause=RESET, at=now)
        transaction.after_commit(Job(REPAIR_WORLD, (exercise.id, team.id)))

    def _whole_world(self, transaction: Transaction, exercise: Exercise, team: Team) -> None:
        now = self._clock.now()
        repository = ExerciseRepository(transaction.session)
        if not repository.move_world(team.id, before=_ANY_BUILT, after=WorldPhase.PLANNED, at=now):
            raise ResetNotNowError(
                f"the machines of {team.name} are {team.world}", hint="Wait until they stand"
            )
        repairs = RepairRepository(transaction.session)
        repairs.add_tried(team.id, cause=RESET, at=now)
        for host in self._exercises.scenario(exercise).scenario.hosts:
            repairs.add(team.id, host, cause=RESET, at=now)
        self._exercises.build_again(repository, exercise)
        transaction.after_commit(Job(PREPARE, (ExerciseId(exercise.id),)))


def _now(transaction: Transaction, exercise: Exercise, team: Team) -> tuple[Exercise, Team]:
    """Return both as they are within the transaction: the caller may have looked long ago."""
    found = ExerciseRepository(transaction.session).find(exercise.id)
    current = found.team(team.slug) if found is not None else None
    assert found is not None  # neither ever goes
    assert current is not None
    return found, current


def _lets(scenario: Scenario, host: Host, role: str) -> bool:
    allowed = host.reset is not None and not host.hidden
    return allowed and bool(set(lineage(scenario, role)) & set(host.reset.by if host.reset else ()))


def _left(host: Host, used: int) -> int | None:
    limit = host.reset.limit if host.reset is not None else None
    return None if limit is None else max(limit - used, 0)


def _unknown(host: str, hosts: Mapping[str, Host]) -> HostUnknownError:
    names = ", ".join(hosts) or "none"
    return HostUnknownError(f"the scenario has no host {host!r}", hint=f"It has: {names}")
