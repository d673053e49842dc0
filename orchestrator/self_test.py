"""The self-test: a world is asked from inside whether it is apart, before it is called ready."""

import secrets
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from enum import StrEnum
from itertools import islice

import structlog

from core.clock import Clock
from core.db import Database
from core.errors import Fault, PoligonError
from core.ids import ExerciseId
from core.waiting import WaitedTooLongError, until
from orchestrator.domain.exercise import Exercise, Team
from orchestrator.domain.isolation import (
    Finding,
    Isolation,
    Look,
    Neighbour,
    Probe,
    Question,
    Sentinel,
    Verdict,
    View,
    untested,
    untold,
)
from orchestrator.domain.isolation_judge import judge, together
from orchestrator.domain.isolation_probes import probers_of, probes_of
from orchestrator.domain.phases import TO_BUILD, Act, WorldPhase
from orchestrator.domain.world import HostKey, HostPlan, WorldPlan
from orchestrator.ports import EngineUnavailableError, HostGoneError, RangeEngine
from orchestrator.repository import ExerciseRepository
from orchestrator.service import Exercises

log = structlog.get_logger()

# A busy engine may keep the prober from its controls; that is no verdict yet.
_ATTEMPTS = 3
_REPORTS_WITHIN = timedelta(seconds=10)
_MOST_NEIGHBOURS = 4
_ONE_IN = 10


class Thoroughness(StrEnum):
    """How many worlds a site tests (`POLIGON_SELF_TEST`)."""

    EVERY = "every"
    SAMPLE = "sample"  # the first of every ten teams
    OFF = "off"


class NotIsolatedError(PoligonError):
    """A world's self-test found a way out of it, or could not find out; the hint has each."""

    code = "world.not_isolated"
    fault = Fault.UPSTREAM

    def __init__(self, isolation: Isolation) -> None:
        found = [f for f in isolation.findings if f.verdict is isolation.verdict]
        known = isolation.verdict is Verdict.FAILS
        super().__init__(
            found[0].says
            if known
            else f"whether the world is isolated could not be told: {found[0].says}",
            hint="\n".join(f"{f.question}: {f.says}" for f in found),
        )


class SelfTest:
    """Tests worlds and writes down what was found."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        exercises: Exercises,
        engine: RangeEngine,
        *,
        thoroughness: Thoroughness,
    ) -> None:
        self._database = database
        self._clock = clock
        self._exercises = exercises
        self._engine = engine
        self._thoroughness = thoroughness

    def make_ready(self, exercise: ExerciseId) -> None:
        """Begin to watch the engine's host, beside the first networks; no world waits for that."""
        if self._thoroughness is Thoroughness.OFF:
            return
        try:
            self._engine.post_sentinel(exercise)
        except PoligonError as error:  # the first world that is tested posts it, or says why not
            log.warning("sentinel.not_posted", exercise=exercise, error=error.message)
        if not any(team.world in TO_BUILD for team in self._exercises.get(exercise).teams):
            self.end(exercise)  # they were faster, and whoever was last found nothing to end

    def end(self, exercise: ExerciseId) -> None:
        """Watch no longer; nothing of the self-test stays on the engine."""
        if self._thoroughness is Thoroughness.OFF:
            return
        try:
            self._engine.dismiss_sentinel(exercise)
        except (EngineUnavailableError, WaitedTooLongError) as error:  # it ends by itself
            log.warning("sentinel.not_dismissed", exercise=exercise, error=error.message)

    def beside(
        self, exercise: Exercise, team: Team, plan: WorldPlan, act: Callable[[], None]
    ) -> None:
        """Do `act` and test meanwhile; raises what `act` raises, then NotIsolatedError."""
        with ThreadPoolExecutor(max_workers=1) as pool:
            test = pool.submit(self.run, exercise, team, plan)
            act()
        test.result()

    def run(self, exercise: Exercise, team: Team, plan: WorldPlan, *, last: bool = False) -> None:
        """Test a world and keep what was found; raises NotIsolatedError.

        When it is the `last` time, another team's host has to be there to be asked for.
        """
        isolation = self._tested(exercise, team, plan, last=last)
        with self._database.transaction() as transaction:
            ExerciseRepository(transaction.session).set_isolation(team.id, isolation)
        log.info("world.tested", isolation=isolation.verdict, host=isolation.host)
        if isolation.verdict in {Verdict.FAILS, Verdict.UNTOLD}:
            raise NotIsolatedError(isolation)

    def due(self, exercise: Exercise) -> tuple[Team, ...]:
        """Return the teams that were tested when no other team stood, and now one does."""
        ready = [team for team in exercise.teams if team.world is WorldPhase.READY]
        if len(ready) < 2 or not self._are_apart(exercise):  # noqa: PLR2004  # a pair
            return ()
        return tuple(t for t in ready if t.isolation and t.isolation.alone and t.isolation.host)

    def _are_apart(self, exercise: Exercise) -> bool:
        """Tell whether teams have a host on a network of their own, which nobody else may reach."""
        scenario = self._exercises.scenario(exercise).scenario
        placed = {name for host in scenario.hosts.values() for name in host.networks}
        return any(not scenario.networks[name].shared for name in placed)

    def _tested(self, exercise: Exercise, team: Team, plan: WorldPlan, *, last: bool) -> Isolation:
        probers = probers_of(plan)
        reason = self._reason_against(team, probers)
        if reason:
            return Isolation(at=self._clock.now(), host="", findings=untested(reason))
        findings: tuple[Finding, ...] = ()
        for _ in range(_ATTEMPTS):
            findings = self._asked(exercise, team, plan, probers, last=last)
            if all(finding.verdict is not Verdict.UNTOLD for finding in findings):
                break
        hosts = ", ".join(prober.host for prober in probers)
        return Isolation(at=self._clock.now(), host=hosts, findings=findings)

    def _reason_against(self, team: Team, probers: Sequence[HostPlan]) -> str:
        if self._thoroughness is Thoroughness.OFF:
            return "switched off (POLIGON_SELF_TEST=off)"
        if self._thoroughness is Thoroughness.SAMPLE and team.number % _ONE_IN != 1:
            return f"of every {_ONE_IN} teams the first is tested (POLIGON_SELF_TEST=sample)"
        return "" if probers else "no host is on a network"

    def _asked(
        self,
        exercise: Exercise,
        team: Team,
        plan: WorldPlan,
        probers: Sequence[HostPlan],
        *,
        last: bool,
    ) -> tuple[Finding, ...]:
        sentinel = self._sentinel(exercise.id)
        if sentinel is None:
            return untold("the listener on the engine's host did not report")
        neighbours = tuple(islice(self._neighbours(exercise, team), _MOST_NEIGHBOURS))
        stranger = f"{secrets.token_hex(8)}.test"
        probes = {
            plan.key.host(prober.host): probes_of(
                plan, prober, sentinel=sentinel, neighbours=neighbours, stranger=stranger
            )
            for prober in probers
        }
        looks = [_look(key, asked) for key, asked in probes.items()]
        try:
            views = self._engine.look_around(looks, silence=sentinel.silence)
        except HostGoneError as error:
            return untold(error.message)
        return together(
            {
                key.host: judge(
                    asked,
                    views.get(key, View(answers={})),
                    sentinel=sentinel,
                    expects_neighbours=last,
                )
                for key, asked in probes.items()
            }
        )

    def _sentinel(self, exercise: ExerciseId) -> Sentinel | None:
        seen = self._engine.sentinel(exercise)
        if seen is not None and seen.answers_at:
            return seen
        self._engine.post_sentinel(exercise)

        def reports() -> bool:
            nonlocal seen
            seen = self._engine.sentinel(exercise)
            return seen is not None and bool(seen.answers_at)

        try:
            until(reports, what="the listener to report", within=_REPORTS_WITHIN)
        except WaitedTooLongError:
            return None
        return seen

    def _neighbours(self, exercise: Exercise, team: Team) -> Iterable[Neighbour]:
        """Yield a running host of each other team: of the same exercise first, then of others."""
        for place in self._places(exercise):
            running = {(key.world.team, key.host) for key in self._engine.running(place.id)}
            networks = self._exercises.scenario(place).scenario.networks
            for other in place.teams:
                if other.id == team.id or not any(slug == other.slug for slug, _ in running):
                    continue
                for host, at in self._exercises.places(place, other).addresses.items():
                    elsewhere = place.id != exercise.id  # whose teams share nothing with this one's
                    own = [at[n] for n in at if elsewhere or not networks[n].shared]
                    if own and (other.slug, host) in running:
                        yield Neighbour(name=f"{host} of {other.slug}", address=own[0])
                        break

    def _places(self, exercise: Exercise) -> Iterator[Exercise]:
        """Yield the exercises whose worlds stand, this one first; others are read if asked for."""
        yield exercise
        for other in self._exercises.permitting(Act.STAND):
            if other.id != exercise.id:
                yield other


def _look(host: HostKey, probes: Sequence[Probe]) -> Look:
    return Look(
        host=host,
        near=tuple(probe.target for probe in probes if probe.question is Question.PEERS),
        far=tuple(probe.target for probe in probes if probe.question is not Question.PEERS),
    )
