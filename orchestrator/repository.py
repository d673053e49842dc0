"""The orchestrator's SQL: rows in, domain values out. Nothing here commits."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from ipaddress import IPv4Network
from typing import Any

from sqlalchemy import (
    ColumnElement,
    CursorResult,
    Row,
    Select,
    Update,
    bindparam,
    delete,
    func,
    insert,
    literal,
    select,
    true,
    union_all,
    update,
)
from sqlalchemy.orm import Session

from core.db import table_of
from core.ids import ExerciseId, TeamId, UserId
from core.users.tables import UserRow
from orchestrator.domain.clock import ClockEvent, Stop, Tick
from orchestrator.domain.exercise import Exercise, Member, Problem, Stage, Team
from orchestrator.domain.isolation import Finding, Isolation, Question, Verdict
from orchestrator.domain.phases import Phase, WorldPhase
from orchestrator.tables import (
    ClockEventRow,
    ExerciseRow,
    FormerSubnetRow,
    IsolationRow,
    MemberRow,
    ScenarioPackRow,
    SubnetRow,
    TeamRow,
)

_LONGEST_CLAIM = timedelta(minutes=1)

# Built once: these are asked with every answer.
_EXERCISES, _TEAMS, _EVENTS = table_of(ExerciseRow), table_of(TeamRow), table_of(ClockEventRow)
_CLOCK = (
    select(_EVENTS.c.tick, _EVENTS.c.at, _EVENTS.c.team_id, _EVENTS.c.by_seconds)
    .where(_EVENTS.c.exercise_id == bindparam("exercise"))
    .order_by(_EVENTS.c.position)
)
_SECRET = select(_EXERCISES.c.secret).where(_EXERCISES.c.id == bindparam("exercise"))
_PLACES = union_all(
    *(
        select(table.c.team_id, table.c.network, table.c.subnet, literal(held).label("held")).where(
            table.c.team_id.in_(bindparam("teams", expanding=True))
            | (table.c.exercise_id == bindparam("exercise")),
            table.c.network.is_not(None),
        )
        for held, table in enumerate((table_of(FormerSubnetRow), table_of(SubnetRow)))
    )
).order_by("held")


class ExerciseRepository:
    """Exercises and all that belongs to them, within one session."""

    def __init__(self, session: Session) -> None:
        self._session = session

    # Reading

    def find(self, name_or_id: str) -> Exercise | None:
        """Return the exercise of that name or id."""
        row = self._session.scalar(
            select(ExerciseRow).where(
                (ExerciseRow.name == name_or_id) | (ExerciseRow.id == name_or_id)
            )
        )
        return self._exercises([row])[0] if row is not None else None

    def phase(self, exercise: ExerciseId) -> Phase | None:
        """Return the phase of an exercise."""
        found = self._session.scalar(select(ExerciseRow.phase).where(ExerciseRow.id == exercise))
        return Phase(found) if found is not None else None

    def clock(self, exercise: ExerciseId) -> tuple[ClockEvent, ...]:
        """Return what happened to the clocks of an exercise and of its teams, in order."""
        rows = self._session.execute(_CLOCK, {"exercise": exercise})
        return tuple(map(_clock_event, rows))

    def recent(self, *, limit: int, before: Exercise | None) -> tuple[Exercise, ...]:
        """Return the newest exercises, newest first; of those launched before one, when given."""
        order = (ExerciseRow.created_at.desc(), ExerciseRow.id)
        older = (
            (ExerciseRow.created_at < before.created_at)
            | ((ExerciseRow.created_at == before.created_at) & (ExerciseRow.id > before.id))
            if before is not None
            else true()
        )
        return self._exercises(
            self._session.scalars(
                select(ExerciseRow).where(older).order_by(*order).limit(limit)
            ).all(),
            # A list of ids would be another statement for each number of them, and every connection
            # keeps the last 128 that it prepared.
            among=select(ExerciseRow.id).where(older).order_by(*order).limit(limit),
        )

    def in_phase(self, *phases: Phase) -> tuple[Exercise, ...]:
        """Return the exercises in one of `phases`, oldest first."""
        return self._exercises(
            self._session.scalars(
                select(ExerciseRow)
                .where(ExerciseRow.phase.in_(phases))
                .order_by(ExerciseRow.created_at, ExerciseRow.id)
            ).all()
        )

    def of_member(self, user: UserId) -> tuple[Exercise, ...]:
        """Return the exercises that somebody is a member of, newest first."""
        return self._exercises(
            self._session.scalars(
                select(ExerciseRow)
                .join(MemberRow, MemberRow.exercise_id == ExerciseRow.id)
                .where(MemberRow.user_id == user)
                .order_by(ExerciseRow.created_at.desc(), ExerciseRow.id)
            ).all()
        )

    def with_worlds_left(self, *phases: Phase) -> tuple[Exercise, ...]:
        """Return the exercises in one of `phases` of which something is not removed yet."""
        worlds = select(TeamRow.exercise_id).where(TeamRow.world != WorldPhase.REMOVED)
        shared = select(SubnetRow.exercise_id).where(SubnetRow.exercise_id.is_not(None))
        return self._exercises(
            self._session.scalars(
                select(ExerciseRow).where(
                    ExerciseRow.phase.in_(phases),
                    ExerciseRow.id.in_(worlds) | ExerciseRow.id.in_(shared),
                )
            ).all()
        )

    def pack(self, digest: str) -> bytes | None:
        """Return a stored scenario."""
        return self._session.scalar(
            select(ScenarioPackRow.archive).where(ScenarioPackRow.digest == digest)
        )

    def secret(self, exercise: ExerciseId) -> bytes:
        """Return the key that an exercise's values are derived with."""
        return bytes(self._session.execute(_SECRET, {"exercise": exercise}).scalar_one())

    def is_prepared(self, exercise: ExerciseId) -> bool:
        """Tell whether images and addresses are there for the worlds."""
        return (
            self._session.scalar(select(ExerciseRow.prepared_at).where(ExerciseRow.id == exercise))
            is not None
        )

    def subnets(self, team: TeamId) -> dict[str, IPv4Network]:
        """Return network → subnet of a world."""
        rows = self._session.scalars(select(SubnetRow).where(SubnetRow.team_id == team))
        return {row.network: IPv4Network(row.subnet) for row in rows if row.network is not None}

    def shared_subnets(self, exercise: ExerciseId) -> dict[str, IPv4Network]:
        """Return network → subnet of what all worlds of an exercise share."""
        rows = self._session.scalars(select(SubnetRow).where(SubnetRow.exercise_id == exercise))
        return {row.network: IPv4Network(row.subnet) for row in rows if row.network is not None}

    def places(
        self, exercise: ExerciseId, teams: Sequence[TeamId]
    ) -> Mapping[TeamId, tuple[tuple[str, str], ...]]:
        """Return each network and the subnet that worlds, or what all share, have there or had.

        By network; one that was released as far as no other was held for the network since.
        """
        found: dict[TeamId, dict[str, str]] = {team: {} for team in teams}
        asked = {"exercise": exercise, "teams": teams}
        for team, network, subnet, _ in self._session.execute(_PLACES, asked):
            # What is held comes last, and counts.
            for place in found.values() if team is None else (found[team],):
                place[network] = subnet
        return {team: tuple(sorted(place.items())) for team, place in found.items()}

    def held_subnets(self) -> tuple[IPv4Network, ...]:
        """Return every subnet that a world holds or that turned out to be taken."""
        return tuple(IPv4Network(s) for s in self._session.scalars(select(SubnetRow.subnet)))

    # Writing

    def add_pack(self, *, digest: str, scenario_id: str, archive: bytes, at: datetime) -> None:
        """Store a scenario, unless it is there."""
        if self._session.get(ScenarioPackRow, digest) is None:
            self._session.add(
                ScenarioPackRow(
                    digest=digest, scenario_id=scenario_id, archive=archive, stored_at=at
                )
            )
            self._session.flush()

    def add(self, row: ExerciseRow, teams: Sequence[TeamRow], members: Sequence[MemberRow]) -> None:
        """Store a new exercise with its teams."""
        for rows in ([row], teams, members):
            self._session.add_all(rows)
            self._session.flush()

    def move(self, exercise: ExerciseId, *, before: Phase, after: Phase) -> bool:
        """Change the phase if it is still `before`; tell whether it was."""
        return self._changed(
            update(ExerciseRow)
            .where(ExerciseRow.id == exercise, ExerciseRow.phase == before)
            .values(phase=after)
        )

    def hold(self, exercise: ExerciseId) -> None:
        """Wait until no other transaction holds the exercise; then none does until this ends."""
        self._session.execute(
            select(ExerciseRow.id).where(ExerciseRow.id == exercise).with_for_update()
        )

    def tick(self, exercise: ExerciseId, event: ClockEvent) -> None:
        """Add to the exercise's clock; two that come at once are put one after the other."""
        self.hold(exercise)
        events = ClockEventRow.exercise_id == exercise
        position = self._session.scalar(
            select(func.count()).select_from(ClockEventRow).where(events)
        )
        self._session.add(
            ClockEventRow(
                exercise_id=exercise,
                position=position,
                tick=event.tick,
                at=event.at,
                team_id=event.team,
                by_seconds=int(event.by.total_seconds()),
            )
        )
        self._session.flush()

    def stop(self, team: TeamId, *, before: Stop | None, after: Stop | None) -> bool:
        """Change why a team's clock stands if that is still `before`; tell whether it was."""
        return self._changed(
            update(TeamRow)
            .where(TeamRow.id == team, TeamRow.stopped.is_not_distinct_from(before))
            .values(stopped=after)
        )

    def set_role(self, exercise: ExerciseId, user: UserId, *, role: str) -> None:
        """Give a member another role."""
        self._session.execute(
            update(MemberRow)
            .where(MemberRow.exercise_id == exercise, MemberRow.user_id == user)
            .values(role=role)
        )

    def set_kept(self, exercise: ExerciseId, at: datetime) -> None:
        """Note that an exercise's worlds are still needed."""
        self._session.execute(
            update(ExerciseRow).where(ExerciseRow.id == exercise).values(kept_at=at)
        )

    def set_prepared(self, exercise: ExerciseId, at: datetime | None) -> None:
        """Note that images and addresses are there, or (None) that they must be looked at again."""
        self._session.execute(
            update(ExerciseRow).where(ExerciseRow.id == exercise).values(prepared_at=at)
        )

    def move_world(
        self,
        team: TeamId,
        *,
        before: Sequence[WorldPhase],
        after: WorldPhase,
        at: datetime,
        problem: Problem | None = None,
    ) -> bool:
        """Change a world's phase if it is one of `before`; tell whether it was."""
        return self._changed(
            update(TeamRow)
            .where(TeamRow.id == team, TeamRow.world.in_(before))
            .values(
                world=after,
                world_since=at,
                problem=_stored(problem, at) if problem is not None else None,
            )
        )

    def set_problem(self, team: TeamId, problem: Problem, *, at: datetime) -> None:
        """Say what a world waits for, its phase unchanged; told again, it keeps its time."""
        before = self._session.scalar(select(TeamRow.problem).where(TeamRow.id == team)) or {}
        told = _stored(problem, at)
        if all(before.get(key) == told[key] for key in ("stage", "host", "message")):
            told["since"] = before.get("since") or told["since"]
        self._session.execute(update(TeamRow).where(TeamRow.id == team).values(problem=told))

    def set_isolation(self, team: TeamId, found: Isolation) -> None:
        """Keep what a world's self-test found; the last one counts."""
        self._session.merge(
            IsolationRow(
                team_id=team,
                at=found.at,
                host=found.host,
                findings=[asdict(finding) for finding in found.findings],
            )
        )

    def hold_subnets(self, team: TeamId, subnets: Mapping[str, IPv4Network]) -> None:
        """Give subnets to a world; the primary key keeps two worlds apart."""
        self._session.add_all(
            SubnetRow(subnet=str(subnet), team_id=team, network=network)
            for network, subnet in subnets.items()
        )
        self._session.flush()

    def hold_shared_subnets(self, exercise: ExerciseId, subnets: Mapping[str, IPv4Network]) -> None:
        """Give subnets to an exercise, for all its worlds together."""
        self._session.add_all(
            SubnetRow(subnet=str(subnet), exercise_id=exercise, network=network)
            for network, subnet in subnets.items()
        )
        self._session.flush()

    def release_shared_subnets(self, exercise: ExerciseId) -> None:
        """Take back what the worlds of an exercise shared, and remember it."""
        self._release(SubnetRow.exercise_id == exercise)

    def condemn_shared_subnet(self, exercise: ExerciseId, subnet: IPv4Network) -> None:
        """Take a shared subnet away, if it is this one, and give it to nobody."""
        self._session.execute(
            update(SubnetRow)
            .where(SubnetRow.exercise_id == exercise, SubnetRow.subnet == str(subnet))
            .values(exercise_id=None, network=None)
        )

    def release_subnets(self, team: TeamId) -> None:
        """Take a world's subnets back, and remember them."""
        self._release(SubnetRow.team_id == team)

    def _release(self, whose: ColumnElement[bool]) -> None:
        columns = ("subnet", "team_id", "exercise_id", "network")
        held = select(*(getattr(SubnetRow, name) for name in columns)).where(whose)
        self._session.execute(insert(FormerSubnetRow).from_select(columns, held))
        self._session.execute(delete(SubnetRow).where(whose))

    def condemn_subnets(self, team: TeamId) -> None:
        """Take a world's subnets away and give them to nobody: one turned out to be taken."""
        self._session.execute(
            update(SubnetRow).where(SubnetRow.team_id == team).values(team_id=None, network=None)
        )

    # Claims: who works on what, until when

    def claim(
        self,
        thing: type[ExerciseRow | TeamRow],
        key: str,
        *,
        worker: str | None,
        now: datetime,
        until: datetime,
    ) -> bool:
        """Claim an exercise or a world if it is free; tell whether it was.

        A worker may take one whose claim has expired or that nobody holds. The sweep claims for
        nobody (`None`) and only what has expired: that keeps it from sending a job again and again
        while the first one waits in the queue. One that lasts longer than any is given is from
        before the wall clock was set back: a dead worker's would otherwise hold for that long.
        """
        free = _has_expired(thing, now)
        if worker is not None:
            free = free | thing.claimed_by.is_(None)
        return self._changed(
            update(thing)
            .where(thing.id == key, free)
            .values(claimed_by=worker, claimed_until=until)
        )

    def expired(self, teams: Iterable[TeamId], *, now: datetime) -> frozenset[TeamId]:
        """Return the teams whose worlds the sweep may claim, of these."""
        found = self._session.scalars(
            select(TeamRow.id).where(TeamRow.id.in_(list(teams)), _has_expired(TeamRow, now))
        )
        return frozenset(map(TeamId, found))

    def renew(
        self, thing: type[ExerciseRow | TeamRow], key: str, *, worker: str, until: datetime
    ) -> None:
        """Hold a claim for longer, if it is still this worker's."""
        self._session.execute(
            update(thing)
            .where(thing.id == key, thing.claimed_by == worker)
            .values(claimed_until=until)
        )

    def release(
        self, thing: type[ExerciseRow | TeamRow], key: str, *, worker: str, until: datetime
    ) -> None:
        """Let go of this worker's claim; the sweep leaves the thing alone before `until`."""
        self._session.execute(
            update(thing)
            .where(thing.id == key, thing.claimed_by == worker)
            .values(claimed_by=None, claimed_until=until)
        )

    def _changed(self, statement: Update) -> bool:
        result = self._session.execute(statement)
        assert isinstance(result, CursorResult)
        return result.rowcount == 1

    # Rows to values, a few queries however many exercises

    def _exercises(
        self, rows: Sequence[ExerciseRow], *, among: Select[Any] | None = None
    ) -> tuple[Exercise, ...]:
        """Return the rows' exercises; `among` selects their ids, when there may be very many."""
        ids = [row.id for row in rows] if among is None else among
        teams = self._teams(ids)
        ticks: defaultdict[str, list[ClockEvent]] = defaultdict(list)
        for event in self._session.scalars(
            select(ClockEventRow)
            .where(ClockEventRow.exercise_id.in_(ids))
            .order_by(ClockEventRow.exercise_id, ClockEventRow.position)
        ):
            ticks[event.exercise_id].append(_clock_event(event))
        return tuple(_exercise(row, teams[row.id], ticks[row.id]) for row in rows)

    def _teams(self, exercises: Sequence[str] | Select[Any]) -> defaultdict[str, list[Team]]:
        members: dict[str, list[Member]] = {}
        for row, name in self._session.execute(
            select(MemberRow, UserRow.name)
            .join(UserRow, UserRow.id == MemberRow.user_id)
            .where(MemberRow.exercise_id.in_(exercises))
            .order_by(UserRow.name)
        ):
            members.setdefault(row.team_id, []).append(
                Member(user=UserId(row.user_id), name=name, role=row.role, guest=row.guest)
            )
        teams: defaultdict[str, list[Team]] = defaultdict(list)
        for team, tested in self._session.execute(
            select(TeamRow, IsolationRow)
            .outerjoin(IsolationRow, IsolationRow.team_id == TeamRow.id)
            .where(TeamRow.exercise_id.in_(exercises))
            .order_by(TeamRow.number)
        ):
            teams[team.exercise_id].append(_team(team, members.get(team.id, []), tested))
        return teams


def _has_expired(thing: type[ExerciseRow | TeamRow], now: datetime) -> ColumnElement[bool]:
    return (thing.claimed_until <= now) | (thing.claimed_until > now + _LONGEST_CLAIM)


def _exercise(row: ExerciseRow, teams: list[Team], clock: list[ClockEvent]) -> Exercise:
    return Exercise(
        id=ExerciseId(row.id),
        name=row.name,
        phase=Phase(row.phase),
        scenario_id=row.scenario_id,
        scenario_version=row.scenario_version,
        scenario_title=row.scenario_title,
        scenario_digest=row.scenario_digest,
        duration=timedelta(seconds=row.duration_seconds),
        created_at=row.created_at,
        story_start=row.story_start,
        clock=tuple(clock),
        teams=tuple(teams),
        kept_at=row.kept_at,
    )


def _clock_event(row: ClockEventRow | Row[*tuple[Any, ...]]) -> ClockEvent:
    return ClockEvent(
        tick=Tick(row.tick),
        at=row.at,
        team=TeamId(row.team_id) if row.team_id is not None else None,
        by=timedelta(seconds=row.by_seconds),
    )


def _team(row: TeamRow, members: list[Member], tested: IsolationRow | None) -> Team:
    return Team(
        id=TeamId(row.id),
        slug=row.slug,
        name=row.name,
        number=row.number,
        members=tuple(members),
        world=WorldPhase(row.world),
        world_since=row.world_since,
        problem=_problem(row.problem) if row.problem is not None else None,
        stopped=Stop(row.stopped) if row.stopped is not None else None,
        isolation=_isolation(tested) if tested is not None else None,
        reference=row.reference,
    )


def _stored(problem: Problem, at: datetime) -> dict[str, Any]:
    """Return a problem for its column; one that does not say since when is there since `at`."""
    return asdict(problem) | {"since": (problem.since or at).isoformat()}


def _problem(stored: dict[str, Any]) -> Problem:
    since = stored.get("since")  # worlds of earlier versions do not have it
    return Problem(
        **{
            **stored,
            "stage": Stage(stored["stage"]),
            "since": datetime.fromisoformat(since) if since else None,
        }
    )


def _isolation(row: IsolationRow) -> Isolation:
    return Isolation(
        at=row.at,
        host=row.host,
        findings=tuple(
            Finding(
                question=Question(found["question"]),
                verdict=Verdict(found["verdict"]),
                says=found["says"],
            )
            for found in row.findings
        ),
    )
