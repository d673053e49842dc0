"""What instructors and trainees ask of exercises. Each method is one transaction."""

import re
import secrets
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache

import structlog
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from core.clock import Clock
from core.db import Database, Transaction
from core.errors import Fault, PoligonError
from core.ids import ExerciseId, TeamId, UserId, new_id
from core.jobs import Job
from core.scenario.access import widest_role
from core.scenario.load import LoadedScenario
from core.scenario.render import Renderer, TeamFacts
from core.scenario.schema import Scenario
from core.scenario.site_policy import NOTHING_PERMITTED, SitePolicy
from core.security import new_password
from core.users.model import Role, User
from core.users.service import Users
from orchestrator.build_repository import BuildRepository
from orchestrator.casting import require_role
from orchestrator.domain.clock import ClockEvent, Stop, Tick
from orchestrator.domain.estimate import estimated
from orchestrator.domain.exercise import Exercise, Team
from orchestrator.domain.phases import (
    MOVES,
    PERMITS,
    STANDING,
    Act,
    IllegalMoveError,
    Phase,
    WorldPhase,
    require,
    require_move,
)
from orchestrator.domain.repair import RESET
from orchestrator.journal import SYSTEM, By, Journal
from orchestrator.library import Library
from orchestrator.repair_repository import RepairRepository
from orchestrator.repository import ExerciseRepository
from orchestrator.shortages import Shortages
from orchestrator.tables import ExerciseRow, MemberRow, TeamRow
from orchestrator.team_facts import DerivedFacts, Held, Places, Source, places_of

log = structlog.get_logger()

PREPARE = "orchestrator.prepare"
RAISE_WORLD = "orchestrator.raise_world"
REMOVE_WORLD = "orchestrator.remove_world"
RECONCILE = "orchestrator.reconcile"
REPAIR_WORLD = "orchestrator.repair_world"
TEST_WORLD = "orchestrator.test_world"
# How long a job may be on its way before a sweep sends another.
JOB_PATIENCE = timedelta(seconds=20)

_RETRIED = (WorldPhase.FAILED, WorldPhase.DEGRADED)
_LONGEST_SLUG = 24  # with what makes it distinct it is a login of 32 at most
_MAX_TEAMS = 1000
_MAX_NAME = 100
# Control, direction and private signs, halves of signs, and what Unicode has not assigned.
_UNREADABLE = frozenset({"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"})
_TAG_LENGTH = 3
_TAG_ATTEMPTS = 8
_PLAYED_KEPT = 16


class ExerciseUnknownError(PoligonError):
    """There is no such exercise, or none that the caller may see."""

    code = "exercise.unknown"
    fault = Fault.MISSING

    def __init__(self, name: str) -> None:
        super().__init__(
            f"there is no exercise {name!r}", hint="`poligon exercise list` shows them"
        )


class TeamsInvalidError(PoligonError):
    """The teams that were asked for cannot be."""

    code = "exercise.teams_invalid"
    fault = Fault.INPUT


@dataclass(frozen=True, slots=True, kw_only=True)
class TeamSpec:
    """A team to be made. Without members, one trainee account is made for it.

    `roles` says who of them plays which of the scenario's roles; everybody else has the widest.
    A `reference` team is there to be attacked, and not ranked.
    """

    name: str
    members: tuple[str, ...] = ()
    roles: Mapping[str, str] = field(default_factory=dict)
    reference: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """A trainee's name and how they get in at first, to be handed out once.

    Accounts that the launch made have a password; a member of their own account who has neither
    password nor key has a one-time code.
    """

    team: str
    user: str
    password: str = ""
    code: str = ""


class Exercises:
    """Exercises from launch to end. Worlds follow in the workers (`orchestrator.worlds`)."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        users: Users,
        library: Library,
        policy: SitePolicy = NOTHING_PERMITTED,
    ) -> None:
        self._database = database
        self._clock = clock
        self._users = users
        self._library = library
        self._policy = policy
        self._played: dict[str, Exercise] = {}
        self._facts = DerivedFacts(library)
        self._secret = lru_cache(maxsize=_PLAYED_KEPT)(self._read_secret)
        self.journal = Journal(database, clock)
        self.shortages = Shortages(database, clock, self.journal)

    # Reading

    def get(self, name_or_id: str) -> Exercise:
        """Return an exercise; raises ExerciseUnknownError."""
        with self._database.reading() as session:
            exercise = ExerciseRepository(session).find(name_or_id)
        if exercise is None:
            raise ExerciseUnknownError(name_or_id)
        return exercise

    def phase(self, exercise: ExerciseId) -> Phase:
        """Return the phase of an exercise, and read nothing else; raises ExerciseUnknownError."""
        with self._database.reading() as session:
            phase = ExerciseRepository(session).phase(exercise)
        if phase is None:
            raise ExerciseUnknownError(exercise)
        return phase

    def visible_to(self, user: User, name_or_id: str) -> Exercise:
        """Return an exercise that `user` may see; anything else is unknown, not forbidden."""
        exercise = self.get(name_or_id)
        if user.sees_results or exercise.team_of(user.id) is not None:
            return exercise
        raise ExerciseUnknownError(name_or_id)

    def played_by(self, user: User, name_or_id: str) -> Exercise:
        """Return an exercise that `user` is a member of, as it was when this process first saw it.

        Its members, teams and scenario are what they were; phase and clock may have moved on. With
        many teams it takes ten times as long to read all of it, and whoever answers waits for no
        more. Raises ExerciseUnknownError.
        """
        known = self._played.get(name_or_id)
        if known is None:
            known = self.visible_to(user, name_or_id)
            if len(self._played) >= _PLAYED_KEPT:
                self._played.clear()
            self._played[name_or_id] = known
        if known.team_of(user.id) is None:
            raise ExerciseUnknownError(name_or_id)
        return known

    def played_at_hand(self, user: User, name_or_id: str) -> Exercise | None:
        """Return what `played_by` returns, if nothing has to be read for it."""
        known = self._played.get(name_or_id)
        return known if known is not None and known.team_of(user.id) is not None else None

    def recent(self, *, limit: int = 100, before: str = "") -> tuple[Exercise, ...]:
        """Return the newest exercises, newest first; those older than the one called `before`.

        Raises ExerciseUnknownError.
        """
        last = self.get(before) if before else None
        with self._database.reading() as session:
            return ExerciseRepository(session).recent(limit=limit, before=last)

    def of_member(self, user: UserId) -> tuple[Exercise, ...]:
        """Return the exercises that somebody is a member of, newest first."""
        with self._database.reading() as session:
            return ExerciseRepository(session).of_member(user)

    def permitting(self, act: Act) -> tuple[Exercise, ...]:
        """Return the exercises whose phase permits `act`, oldest first."""
        phases = [phase for phase in Phase if act in PERMITS[phase]]
        with self._database.reading() as session:
            return ExerciseRepository(session).in_phase(*phases)

    def with_worlds_left(self) -> tuple[Exercise, ...]:
        """Return the exercises of which a world is not removed yet, whatever their phase."""
        with self._database.reading() as session:
            return ExerciseRepository(session).with_worlds_left(*Phase)

    def scenario(self, exercise: Exercise) -> LoadedScenario:
        """Return the scenario as it was at launch."""
        return self._library.scenario(exercise.scenario_digest)

    def hosts(self, exercise: Exercise) -> int:
        """Return how many hosts all teams have together."""
        return len(self.scenario(exercise).scenario.hosts) * len(exercise.teams)

    def ready_in(self, exercise: Exercise) -> timedelta | None:
        """Return how long the building will go on, as far as earlier launches tell.

        `None` when they do not, or when it is not being built.
        """
        if exercise.phase is not Phase.PROVISIONING:
            return None
        with self._database.reading() as session:
            past = BuildRepository(session).recent(exercise.scenario_digest)
        whole = estimated(
            past, scenario_digest=exercise.scenario_digest, hosts=self.hosts(exercise)
        )
        gone = self._clock.now() - exercise.created_at
        return None if whole is None else max(whole - gone, timedelta())

    def places(self, exercise: Exercise, team: Team) -> Places:
        """Return where a team's hosts are, or were; nowhere before its networks have addresses."""
        held = self._held(exercise, [team.id])[team.id]
        return places_of(self.scenario(exercise).scenario, held, team=team.number)

    def facts(self, exercise: Exercise, team: Team) -> TeamFacts:
        """Return what templates may say of a team: its values, addresses and names."""
        return self.facts_of(exercise, [team])[team.id]

    def facts_of(self, exercise: Exercise, teams: Sequence[Team]) -> Mapping[TeamId, TeamFacts]:
        """Return what templates may say of each of some teams."""
        held = self._held(exercise, [team.id for team in teams])
        secret, slugs = self._secret(exercise.id), tuple(team.slug for team in exercise.teams)
        return {
            team.id: self._facts.of(
                Source(
                    digest=exercise.scenario_digest,
                    secret=secret,
                    start=exercise.story_start,
                    slug=team.slug,
                    name=team.name,
                    number=team.number,
                    teams=slugs,
                    held=held[team.id],
                )
            )
            for team in teams
        }

    def _held(self, exercise: Exercise, teams: Sequence[TeamId]) -> Mapping[TeamId, Held]:
        with self._database.reading() as session:
            return ExerciseRepository(session).places(exercise.id, teams)

    def _read_secret(self, exercise: ExerciseId) -> bytes:
        with self._database.reading() as session:
            return ExerciseRepository(session).secret(exercise)

    def renderer(self, exercise: Exercise, team: Team) -> Renderer:
        """Return the templates of an exercise, filled in for a team."""
        return Renderer(self.scenario(exercise), self.facts(exercise, team))

    def note(
        self,
        exercise: Exercise,
        act: str,
        text: str,
        *,
        team: TeamId,
        subject: str = "",
        by: By = SYSTEM,
    ) -> None:
        """Write into the log of an exercise what changed nothing in it."""
        with self._database.transaction() as transaction:
            self.journal.note(transaction, exercise, act, text, team=team, subject=subject, by=by)

    # Launching

    def launch(
        self, scenario: LoadedScenario, *, teams: Sequence[TeamSpec], by: User | None
    ) -> Exercise:
        """Begin to build a world for each team; return the exercise, provisioning.

        Raises PolicyRefusedError, TeamsInvalidError, RoleUnknownError, UserUnknownError,
        EngineFullError.
        """
        self._policy.require(scenario.scenario, teams=len(teams))
        self.shortages.require_room()
        slugs = _slugs(teams)
        _require_attackable(scenario.scenario, teams)
        for spec in teams:
            for role in spec.roles.values():
                require_role(scenario.scenario, role)
        members = {n: self._users.named(n).id for spec in teams for n in spec.members}
        self._library.keep(scenario)
        specs = tuple(zip(teams, slugs, strict=True))
        exercise = self._launched(scenario, by, specs, members, attempts=_TAG_ATTEMPTS)
        with self._database.transaction() as transaction:
            self.journal.note(
                transaction,
                exercise,
                "exercise.launched",
                f"launched for {len(teams)} teams",
                by=By(user=by.id if by is not None else None),
            )
        log.info("exercise.launched", exercise=exercise.name, teams=len(teams))
        return exercise

    def _launched(
        self,
        scenario: LoadedScenario,
        by: User | None,
        teams: Sequence[tuple[TeamSpec, str]],
        users: Mapping[str, UserId],
        *,
        attempts: int,
    ) -> Exercise:
        row = self._row(scenario, by, self._clock.now())
        try:
            self._add(row, scenario, teams, users)
        except IntegrityError:
            # The short tag is somebody else's already: an exercise's, or in a trainee's name.
            if attempts == 1:
                raise
            return self._launched(scenario, by, teams, users, attempts=attempts - 1)
        return self.get(row.id)

    def _add(
        self,
        row: ExerciseRow,
        scenario: LoadedScenario,
        teams: Sequence[tuple[TeamSpec, str]],
        users: Mapping[str, UserId],
    ) -> None:
        tag = row.name.rpartition("-")[2]
        # Of whom nothing is said may do what anybody may.
        widest = widest_role(scenario.scenario)
        with self._database.transaction() as transaction:
            team_rows, member_rows = [], []
            for number, (spec, slug) in enumerate(teams, start=1):
                team = _team_row(row, spec, slug, number)
                team_rows.append(team)
                places = [(users[n], spec.roles.get(n, widest), False) for n in spec.members]
                if not places:
                    guest = self._guest(transaction, f"{slug}-{tag}", spec)
                    places = [(guest, widest, True)]
                member_rows += [
                    MemberRow(
                        team_id=team.id, user_id=user, exercise_id=row.id, role=role, guest=is_guest
                    )
                    for user, role, is_guest in places
                ]
            ExerciseRepository(transaction.session).add(row, team_rows, member_rows)
            transaction.after_commit(Job(PREPARE, (row.id,)))

    def _row(self, scenario: LoadedScenario, by: User | None, now: datetime) -> ExerciseRow:
        head = scenario.scenario.scenario
        return ExerciseRow(
            id=new_id(),
            name=f"{head.id}-{new_id(_TAG_LENGTH)}",
            phase=Phase.PROVISIONING,
            scenario_id=head.id,
            scenario_version=head.version,
            scenario_title=head.title,
            scenario_digest=scenario.digest,
            duration_seconds=int(head.duration.total_seconds()),
            secret=secrets.token_bytes(32),
            created_by=by.id if by is not None else None,
            created_at=now,
            # Evidence is dated before this moment; a whole minute reads better in a story.
            story_start=now.replace(second=0, microsecond=0),
            claimed_until=now + JOB_PATIENCE,
        )

    def _guest(self, transaction: Transaction, login: str, spec: TeamSpec) -> UserId:
        return self._users.enrol(transaction, login, role=Role.TRAINEE, display_name=spec.name).id

    def issue_logins(self, exercise: ExerciseId) -> tuple[Login, ...]:
        """Give new passwords to the accounts that the launch made; they are not kept in clear.

        Trainees of teams who have no way in yet, neither password nor key, get a one-time code.
        """
        places = [(t.slug, member) for t in self.get(exercise).teams for member in t.members]
        locked_out = self._users.without_way_in([m.name for _, m in places if not m.guest])
        logins = []
        for team, member in places:
            if member.guest:
                password = new_password()
                self._users.set_password(member.name, password)
                logins.append(Login(team=team, user=member.name, password=password))
            elif member.name in locked_out:
                code, _ = self._users.codes.issue(member.name)
                logins.append(Login(team=team, user=member.name, code=code))
        return tuple(logins)

    # Running

    def start(self, exercise: ExerciseId, *, by: By = SYSTEM) -> Exercise:
        """Let the clock run and trainees in; raises IllegalMoveError.

        A team whose world does not stand yet waits: its clock starts when it does.
        """
        return self._move(
            exercise,
            Phase.RUNNING,
            act="exercise.started",
            by=by,
            tick=Tick.START,
            only_from={Phase.READY, Phase.DEGRADED},
            then=self._let_wait,
        )

    def pause(self, exercise: ExerciseId, *, by: By = SYSTEM) -> Exercise:
        """Stop the clock: no answers, no checks, no terminals; raises IllegalMoveError."""
        return self._move(exercise, Phase.PAUSED, act="exercise.paused", by=by, tick=Tick.PAUSE)

    def resume(self, exercise: ExerciseId, *, by: By = SYSTEM) -> Exercise:
        """Let the clock run on; raises IllegalMoveError."""
        return self._move(
            exercise,
            Phase.RUNNING,
            act="exercise.resumed",
            by=by,
            tick=Tick.RESUME,
            only_from={Phase.PAUSED},
        )

    def end(self, exercise: ExerciseId, *, by: By = SYSTEM) -> Exercise:
        """Stop the clock for good; worlds stay for the debriefing; raises IllegalMoveError."""
        return self._move(exercise, Phase.ENDED, act="exercise.ended", by=by, tick=Tick.END)

    def destroy(self, exercise: ExerciseId, *, by: By = SYSTEM) -> Exercise:
        """Have the worlds removed: an ended exercise closes, one not begun is cancelled.

        A running one is refused with IllegalMoveError. Destroying twice is no error.
        """
        current = self.get(exercise)
        if current.phase in {Phase.CLOSED, Phase.CANCELLED}:
            return current
        after = Phase.CLOSED if current.phase is Phase.ENDED else Phase.CANCELLED
        act = f"exercise.{after}"
        return self._move(exercise, after, act=act, by=by, then=self._remove_worlds)

    def keep(self, exercise: ExerciseId, *, by: By = SYSTEM) -> Exercise:
        """Say that the worlds are still needed: they expire later. Raises NotNowError."""
        with self._database.transaction() as transaction:
            repository = ExerciseRepository(transaction.session)
            current = self._found(repository, exercise)
            require(current.phase, Act.STAND)
            repository.set_kept(exercise, self._clock.now())
            self.journal.note(transaction, current, "exercise.kept", "", by=by)
        log.info("exercise.kept", exercise=current.name)
        return self.get(exercise)

    def retry(self, exercise: ExerciseId, *, by: By = SYSTEM) -> Exercise:
        """Build again what failed or is degraded, and only that; nothing to do is no error.

        Raises IllegalMoveError when worlds should not stand any more.
        """
        with self._database.transaction() as transaction:
            repository = ExerciseRepository(transaction.session)
            current = self._found(repository, exercise)
            if Act.STAND not in PERMITS[current.phase]:
                raise IllegalMoveError(current=current.phase, wanted=Phase.PROVISIONING)
            again = [team for team in current.teams if team.world in _RETRIED]
            if again:
                self._plan_again(repository, transaction.session, current, again)
                for team in again:
                    text = f"the world of {team.slug} is built again"
                    self.journal.note(
                        transaction, current, "world.retried", text, team=team.id, by=by
                    )
                transaction.after_commit(Job(PREPARE, (exercise,)))
        return self.get(exercise)

    def _plan_again(
        self,
        repository: ExerciseRepository,
        session: Session,
        exercise: Exercise,
        teams: Sequence[Team],
    ) -> None:
        now = self._clock.now()
        for team in teams:
            repository.move_world(team.id, before=_RETRIED, after=WorldPhase.PLANNED, at=now)
            RepairRepository(session).add_tried(team.id, cause=RESET, at=now)
        self.build_again(repository, exercise)

    def build_again(self, repository: ExerciseRepository, exercise: Exercise) -> None:
        """Have images and addresses looked at again for worlds that were planned again."""
        repository.set_prepared(exercise.id, None)
        # While it runs it goes on for the others; before, it is being built again.
        if Phase.PROVISIONING in MOVES[exercise.phase]:
            repository.move(exercise.id, before=exercise.phase, after=Phase.PROVISIONING)

    def _move(
        self,
        exercise: ExerciseId,
        after: Phase,
        *,
        act: str,
        by: By,
        tick: Tick | None = None,
        only_from: set[Phase] | None = None,
        then: Callable[[Transaction, Exercise], None] | None = None,
    ) -> Exercise:
        with self._database.transaction() as transaction:
            repository = ExerciseRepository(transaction.session)
            current = self._found(repository, exercise)
            require_move(current.phase, after)
            fits = only_from is None or current.phase in only_from
            if not fits or not repository.move(exercise, before=current.phase, after=after):
                raise IllegalMoveError(current=current.phase, wanted=after)
            if tick is not None:
                repository.tick(exercise, ClockEvent(tick=tick, at=self._clock.now()))
            if then is not None:
                then(transaction, current)
            self.journal.note(transaction, current, act, f"was {current.phase}", by=by)
        log.info("exercise.moved", exercise=current.name, before=current.phase, after=after)
        return self.get(exercise)

    def _let_wait(self, transaction: Transaction, exercise: Exercise) -> None:
        repository = ExerciseRepository(transaction.session)
        for team in exercise.teams:
            if team.world not in STANDING and repository.stop(
                team.id, before=None, after=Stop.WAITING
            ):
                stop = ClockEvent(tick=Tick.PAUSE, at=self._clock.now(), team=team.id)
                repository.tick(exercise.id, stop)

    def _remove_worlds(self, transaction: Transaction, exercise: Exercise) -> None:
        for team in exercise.teams:
            transaction.after_commit(Job(REMOVE_WORLD, (exercise.id, team.id)))

    def _found(self, repository: ExerciseRepository, exercise: ExerciseId) -> Exercise:
        found = repository.find(exercise)
        if found is None:
            raise ExerciseUnknownError(exercise)
        return found


def _slugs(teams: Sequence[TeamSpec]) -> tuple[str, ...]:
    if not 1 <= len(teams) <= _MAX_TEAMS:
        raise TeamsInvalidError(
            f"{len(teams)} teams were asked for", hint=f"Ask for 1 to {_MAX_TEAMS}"
        )
    for spec in teams:
        _require_readable(spec.name)
    slugs = tuple(
        re.sub(r"[^a-z0-9]+", "-", spec.name.lower()).strip("-")[:_LONGEST_SLUG] or f"team-{number}"
        for number, spec in enumerate(teams, start=1)
    )
    slugs = tuple(
        slug if slug[0].isalpha() else f"team-{slug}"[:_LONGEST_SLUG].rstrip("-") for slug in slugs
    )
    if len(set(slugs)) != len(slugs):
        raise TeamsInvalidError(
            "two teams have the same name, or names that differ in signs only",
            hint="Give each team a name of its own",
        )
    everybody = [name for spec in teams for name in spec.members]
    if len(set(everybody)) != len(everybody):
        raise TeamsInvalidError("somebody is in two teams", hint="Put each person in one team")
    return slugs


def _require_attackable(scenario: Scenario, teams: Sequence[TeamSpec]) -> None:
    reference = sum(spec.reference for spec in teams)
    if reference and not scenario.services:
        raise TeamsInvalidError(
            "a reference team is there to be attacked, and this scenario has no services",
            hint="Launch it without one",
        )
    if reference and reference == len(teams):
        raise TeamsInvalidError(
            "nobody is left to attack the reference team", hint="Ask for another team"
        )


def _require_readable(name: str) -> None:
    unreadable = any(unicodedata.category(sign) in _UNREADABLE for sign in name)
    if not name.strip() or unreadable or len(name) > _MAX_NAME:
        raise TeamsInvalidError(
            f"{name[:_MAX_NAME]!r} is no name of a team",
            hint=f"Take 1 to {_MAX_NAME} characters that can be read, on one line",
        )


def _team_row(exercise: ExerciseRow, spec: TeamSpec, slug: str, number: int) -> TeamRow:
    return TeamRow(
        id=new_id(),
        exercise_id=exercise.id,
        slug=slug,
        name=spec.name,
        number=number,
        world=WorldPhase.PLANNED,
        world_since=exercise.created_at,
        claimed_until=exercise.created_at,
        reference=spec.reference,
    )
