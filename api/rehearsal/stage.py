"""The exercise that is rehearsed: its teams, and its time, which moves by jumps."""

from collections.abc import Mapping
from datetime import timedelta

from api.bootstrap import Services
from api.rehearsal.clock import RehearsalClock
from api.rehearsal.lines import Deed, Typed
from api.rehearsal.work import Hands
from core.ids import UserId, new_id
from core.scenario.schema import Scenario
from core.scenario.schema_injects import Inject
from core.scenario.schema_tasks import ChecksTask
from orchestrator.domain.exercise import Exercise, Team
from orchestrator.domain.world import WorldKey
from orchestrator.injects.reading import PLANNED, TeamState
from orchestrator.service import Exercises
from orchestrator.terminal.book import Began, CommandRun, Ended, FileMoved, Kind, OfSession
from scoring.checks.prober import Prober
from scoring.checks.probes import Finding
from scoring.domain.holds import CheckState
from scoring.domain.rounds import offset_of
from scoring.repository import ScoreRepository
from scoring.team_scenario import TeamScenario
from scoring.views import TaskView


class Stage:
    """An exercise for two teams: one plays the solution, the other sits idle."""

    def __init__(
        self, services: Services, clock: RehearsalClock, hands: Hands, exercise: Exercise
    ) -> None:
        self.services = services
        self._clock = clock
        self._hands = hands
        self.exercise = exercise
        """The exercise as it was when it was last refreshed."""
        self._prober = Prober(services.engine)
        self.scenario: Scenario = services.exercises.scenario(exercise).scenario
        self.checks_run = False
        """Whether checks are carried out and booked while time moves."""

    @property
    def exercises(self) -> Exercises:
        """The exercises of the rehearsal's site."""
        return self.services.exercises

    def refresh(self) -> None:
        """Read the exercise again: its clocks were touched."""
        self.exercise = self.exercises.get(self.exercise.id)

    def team(self, number: int) -> Team:
        """Return the first or the second team."""
        return self.exercise.teams[number - 1]

    def member(self, team: Team) -> UserId:
        """Return the only member of a team; their role is the widest."""
        return team.members[0].user

    def world(self, team: Team) -> WorldKey:
        """Return the key of a team's world."""
        return WorldKey(exercise=self.exercise.id, team=team.slug)

    def seen_by(self, team: Team) -> TeamScenario:
        """Return the scenario as a team meets it."""
        return TeamScenario.of(self.exercises, self.exercise, team)

    # Time

    def elapsed(self, team: Team) -> timedelta:
        """Return a team's clock."""
        return self.exercise.elapsed(self.services.clock.now(), team.id)

    def tick(self) -> None:
        """Do what is due now: injects, checks, and what follows from them."""
        self.services.injects.sweep()
        self._hands.work()
        if self.checks_run:
            self.services.scoring.sweep()
            self._hands.work()
            self.services.scoring.confirm(alone_after=timedelta())
            self.services.injects.sweep()
            self._hands.work()

    def reach(self, team: Team, at: timedelta) -> None:
        """Let time go on to `at` on a team's clock, with a stop at each inject on the way."""
        while True:
            following = self.next_inject(team)
            target = at if following is None else min(at, following)
            self._clock.jump(max(target - self.elapsed(team), timedelta()))
            self.tick()
            if target >= at:
                return

    def next_inject(self, team: Team) -> timedelta | None:
        """Return when the next inject of a team goes out that has not yet; `None` for none."""
        now = self.elapsed(team)
        times = [
            state.due
            for state in self.inject_states(team).values()
            if state.state == PLANNED and not state.times and state.due is not None
        ]
        return min((at for at in times if at > now), default=None)

    def fire(self, team: Team, inject: str) -> None:
        """Let an inject go out for a team now, and do what follows."""
        self.services.injects.fire(self.exercise.id, inject, team=team.slug)
        self._hands.work()
        self.tick()

    # What is known

    def tasks(self, team: Team) -> tuple[TaskView, ...]:
        """Return the tasks as a team sees them now."""
        return self.services.scoring.tasks(self.exercise, team)

    def inject_states(self, team: Team) -> Mapping[str, TeamState]:
        """Return where each inject of a team is."""
        views = self.services.injects.all(self.exercise)
        return {view.inject: next(s for s in view.teams if s.team == team.slug) for view in views}

    def manual(self) -> Mapping[str, Inject]:
        """Return the injects that somebody fires."""
        injects = self.scenario.injects.items()
        return {name: inject for name, inject in injects if inject.manual}

    def to_turn(self) -> Mapping[str, str]:
        """Return the checks that tasks wait for: check → the first of its tasks."""
        found: dict[str, str] = {}
        for name, task in self.scenario.tasks.items():
            for check in task.checks if isinstance(task, ChecksTask) else ():
                found.setdefault(check, name)
        return found

    def to_keep(self) -> Mapping[str, str]:
        """Return the checks that pass from the start and should go on to: check → its task."""
        seen = self.seen_by(self.team(1))
        return {
            check: name
            for name, task in self.scenario.tasks.items()
            if not isinstance(task, ChecksTask)
            for check in seen.checks_of(task)
        }

    def look(self, team: Team, check: str) -> Finding:
        """Look once, now, and write nothing down."""
        if self.is_evidence(check):
            return self.services.scoring.look(self.exercise, team, check)
        seen = self.seen_by(team)
        return self._prober.look(self.world(team), seen.look(self.scenario.checks[check]))

    def do(self, team: Team, deed: Deed) -> None:
        """Put a deed into the record of its host, as the team's member does it now."""
        now, session = self.services.clock.now(), new_id()
        began = Began(
            session=session,
            login=team.members[0].name,
            host=self.world(team).host(deed.host),
            account="root",
            kind=Kind.TERMINAL if isinstance(deed, Typed) else Kind.FILES,
            at=now,
        )
        done: OfSession
        if isinstance(deed, Typed):
            done = CommandRun(session=session, at=now, line=deed.line)
        else:
            done = FileMoved(
                session=session,
                at=now,
                direction=deed.direction,
                path=deed.path,
                size=0,
                sha256=deed.sha256,
                whole=True,
            )
        self.services.sessions.write([began, done, Ended(session=session, at=now, code=0)])

    def is_evidence(self, check: str) -> bool:
        """Tell whether a check is read from records."""
        return self.scenario.checks[check].evidence is not None

    def check_states(self, team: Team) -> Mapping[str, CheckState]:
        """Return what is booked of a team's checks."""
        with self.services.database.reading() as session:
            states = ScoreRepository(session).check_states([team.id])
        return {check: state for (_, check), state in states.items()}

    def next_round(self, team: Team, check: str, *, after: timedelta) -> timedelta:
        """Return when the first round of a check begins that begins after now and not before."""
        every = self.scenario.checks[check].every
        offset = offset_of(team.id, check, every)
        now = self.elapsed(team)
        following = offset + max(0, (now - offset) // every + 1) * every
        while following < after:
            following += every
        return following
