"""A rehearsal from the first image to the last removed container."""

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import timedelta

from api.bootstrap import Services
from api.rehearsal.clock import RehearsalClock
from api.rehearsal.failing import see_failing
from api.rehearsal.idle_pass import IdlePass, judge_injects
from api.rehearsal.meter import Meter
from api.rehearsal.notes import Notes, Say
from api.rehearsal.services import ServiceTrial
from api.rehearsal.site import OpenEngine, rehearsal_site
from api.rehearsal.solved_pass import SolvedPass
from api.rehearsal.stage import Stage
from api.rehearsal.work import HandQueue, Hands
from core.clock import Clock
from core.errors import Fault, PoligonError
from core.scenario.load import LoadedScenario
from core.scenario.site_policy import PolicyRefusedError
from core.settings import Settings
from orchestrator.claims import NotYetError
from orchestrator.domain.exercise import Exercise, Problem
from orchestrator.domain.exercise import Stage as At
from orchestrator.domain.phases import Phase
from orchestrator.domain.rehearsal import ImageSize, Rehearsal
from orchestrator.images import checker_namer, image_namer
from orchestrator.service import TeamSpec

_PLAYER, _IDLER = 1, 2
_MOST_OUTPUT = 300
_DOCTOR = "`poligon doctor` tells what this site lacks"
_TEAMS = (TeamSpec(name="Team 1"), TeamSpec(name="Team 2"))
# Where it is the site that fails, and not what the scenario says.
_OF_THE_SITE = frozenset({At.ENGINE, At.ADDRESSES, At.NETWORKS, At.ISOLATION})


class SiteBrokenError(PoligonError):
    """A rehearsal could not be made, and the scenario is not to blame."""

    code = "rehearsal.site_broken"
    fault = Fault.UPSTREAM


class Rehearsing:
    """Rehearses scenarios beside a site, which gets to know nothing of it but the result.

    `patience` is how long what the solution did may take to show, in real time.
    """

    def __init__(
        self,
        site: Settings,
        *,
        clock: Clock,
        open_engine: OpenEngine,
        say: Say,
        patience: timedelta = timedelta(seconds=20),
        look_every: timedelta = timedelta(seconds=2),
    ) -> None:
        self._site = site
        self._clock = clock
        self._open_engine = open_engine
        self._say = say
        self._patience = patience
        self._look_every = look_every

    def rehearse(self, loaded: LoadedScenario, *, keep: bool = False) -> Rehearsal:
        """Rehearse a scenario and return how it went; nothing of it is left, unless `keep`.

        What is wrong with the scenario is in the result. What is wrong with the site is raised:
        SiteBrokenError, EngineUnavailableError and the like, RehearsalUnderWayError; and
        PolicyRefusedError.
        """
        at = self._clock.now()
        notes = Notes(say=self._say)
        site = rehearsal_site(
            self._site, clock=self._clock, open_engine=self._open_engine, keep=keep
        )
        with notes.step("in all"), ExitStack() as stack:
            services, clock, queue = stack.enter_context(site)
            try:
                self._play(loaded, notes, services, clock, queue)
            except PolicyRefusedError:
                raise  # that says nothing of the scenario
            except PoligonError as error:
                if error.fault in {Fault.UPSTREAM, Fault.BUG}:
                    raise
                notes.wrong(str(error))
            with notes.step("removal"):
                stack.close()
        return notes.rehearsal(loaded, at)

    def _play(
        self,
        loaded: LoadedScenario,
        notes: Notes,
        services: Services,
        clock: RehearsalClock,
        queue: HandQueue,
    ) -> None:
        exercise = services.exercises.launch(loaded, teams=_TEAMS, by=None)
        hands = Hands(services, queue)
        with Meter(services.engine, exercise.id, every=self._look_every) as meter:
            try:
                if built(services, exercise, hands, loaded, notes):
                    started = services.exercises.start(exercise.id)
                    stage = Stage(services, clock, hands, started)
                    self._perform(stage, loaded, notes)
            finally:
                meter.look()
                notes.use = meter.use()

    def _perform(self, stage: Stage, loaded: LoadedScenario, notes: Notes) -> None:
        timekeeping, exercise = stage.services.timekeeping, stage.exercise
        player, idler = (stage.team(number).slug for number in (_PLAYER, _IDLER))
        solved = SolvedPass(stage, _PLAYER, notes, patience=self._patience)
        # Each team has the time for itself: what is jumped for one has not passed for the other.
        timekeeping.pause_team(exercise.id, idler)
        stage.refresh()
        with notes.step("before the solution"):
            solved.before()
        trial = ServiceTrial(stage, loaded, notes, mender=_PLAYER, other=_IDLER)
        if stage.scenario.services:
            trial.before()
        with notes.step("solution"):
            solved.play()
        if stage.scenario.services:
            trial.after()
        timekeeping.pause_team(exercise.id, player)
        timekeeping.resume_team(exercise.id, idler)
        stage.refresh()
        with notes.step("idle team"):
            IdlePass(stage, _IDLER, notes).play()
            judge_injects(stage, notes)
        with notes.step("checks failing"):
            see_failing(stage, stage.team(_IDLER), loaded, notes)
            if stage.scenario.services:
                trial.see_down()


def built(
    services: Services, exercise: Exercise, hands: Hands, loaded: LoadedScenario, notes: Notes
) -> bool:
    """Have every world stand; tell whether they are ready, and note why not."""
    try:
        with notes.step("images"):
            hands.work_one()
        with notes.step("worlds"):
            hands.work()
    except NotYetError as error:  # nobody tries it again here
        raise SiteBrokenError(
            f"the worlds of the rehearsal do not stand: {error.message}", hint=_DOCTOR
        ) from error
    now = services.exercises.get(exercise.id)
    for team in now.teams:
        if team.problem is not None:
            _tell(team.problem, notes)
    if notes.findings:
        return False
    if now.phase is not Phase.READY:
        raise SiteBrokenError(f"the worlds are {now.phase}, and nothing says why")
    notes.images = tuple(_image_sizes(services, loaded))
    return True


def _image_sizes(services: Services, loaded: LoadedScenario) -> Iterator[ImageSize]:
    installation, size = services.settings.installation, services.engine.image_size
    name, checker_name = image_namer(installation, loaded), checker_namer(installation, loaded)
    hosts = {name(host_id, host): host_id for host_id, host in loaded.scenario.hosts.items()}
    checkers: dict[str, str] = {}
    for service_id, service in loaded.scenario.services.items():
        checkers.setdefault(checker_name(service), service_id)
    for image, host_id in hosts.items():
        yield ImageSize(host=host_id, image=image, bytes=size(image))
    for image, service_id in checkers.items():
        yield ImageSize(host="", service=service_id, image=image, bytes=size(image))


def _tell(problem: Problem, notes: Notes) -> None:
    output = " ".join(problem.output.split())[-_MOST_OUTPUT:]
    text = f"{problem.message}: {output}" if output else problem.message
    if problem.stage in _OF_THE_SITE:
        raise SiteBrokenError(
            f"a world of the rehearsal does not stand ({problem.stage}): {problem.message}",
            hint=problem.output or _DOCTOR,
        )
    notes.wrong(f"a world does not stand ({problem.stage}): {text}")
