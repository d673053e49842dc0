"""What an inject does in a team's world: to links, to a host, in a host.

Links and hosts are set to a state, so doing it again does no harm. A command leaves a marker in its
host before it begins: a worker that takes over from one that died finds it, and does not run the
command again.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from core.errors import PoligonError
from core.scenario.schema_injects import Inject
from orchestrator.domain.exercise import Exercise, Team
from orchestrator.domain.inject_deeds import place_of, state_of
from orchestrator.domain.injects import FiringState
from orchestrator.domain.links import AS_PLANNED
from orchestrator.domain.world import HostKey, WorldKey, WorldPlan
from orchestrator.injects.links import LinksInForce
from orchestrator.injects.records import Record
from orchestrator.ports import EngineUnavailableError, HostGoneError, RangeEngine, RunResult
from orchestrator.service import Exercises

MARKERS = "/run/cyberpoligon"
# The command's group is the session of this shell, so that whoever takes over can end it.
_ONCE = """\
marker=$1
export POLIGON_INJECT="$2" POLIGON_OCCURRENCE="$3"
shift 3
mkdir -p -m 700 "${marker%/*}" || exit 125
if mkdir "$marker" 2>/dev/null; then
  echo "$$" >"$marker/process"
  "$@"
  code=$?
  echo "$code" >"$marker/exit"
  exit "$code"
fi
[ -r "$marker/exit" ] && exit "$(cat "$marker/exit")"
[ -r "$marker/process" ] && kill -9 -"$(cat "$marker/process")" 2>/dev/null
echo "it was begun before, and nobody saw its end: look at the host, then fire it again or skip it"
exit 125
"""
_TIMED_OUT = 124
_KEPT = 64 * 1024  # of a command's output, by the engine's port
_MOST_SHOWN = 1500


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How it went, in a sentence."""

    state: FiringState
    text: str


class Deeds:
    """Does on the engine what injects say. `plan` says what should stand for a team."""

    def __init__(
        self,
        exercises: Exercises,
        engine: RangeEngine,
        plan: Callable[[Exercise, Team], WorldPlan],
        links: LinksInForce,
    ) -> None:
        self._exercises = exercises
        self._engine = engine
        self._plan = plan
        self._links = links

    def carry_out(self, exercise: Exercise, team: Team, record: Record) -> Outcome:
        """Do what a firing says; what fails is an outcome. Raises EngineUnavailableError."""
        inject = self._exercises.scenario(exercise).scenario.injects[record.firing.inject]
        world = WorldKey(exercise=exercise.id, team=team.slug)
        try:
            if inject.link is not None:
                self._engine.shape(world, place_of(inject.link), state_of(inject.link))
            if inject.do is not None:
                self._switch(exercise, team, inject)
            if inject.run is not None:
                return self._run(exercise, team, record, inject)
        except EngineUnavailableError:
            raise
        except PoligonError as error:
            return Outcome(state=FiringState.FAILED, text=str(error))
        return Outcome(state=FiringState.FIRED, text="it was done")

    def undo(self, exercise: Exercise, team: Team, inject: Inject) -> None:
        """Restore the link that an inject changed; a host that is gone has none to restore.

        Raises EngineUnavailableError.
        """
        assert inject.link is not None
        world = WorldKey(exercise=exercise.id, team=team.slug)
        try:
            self._engine.shape(world, place_of(inject.link), AS_PLANNED)
        except HostGoneError:
            return  # it begins with its links as planned

    def _switch(self, exercise: Exercise, team: Team, inject: Inject) -> None:
        plan = self._plan(exercise, team)
        host = next(host for host in plan.hosts if host.host == inject.host)
        if inject.do == "stop":
            self._engine.stop_host(HostKey(world=plan.key, host=host.host))
        else:
            self._engine.raise_host(plan.key, host)
            self._links.put_back(exercise, team)

    def _run(self, exercise: Exercise, team: Team, record: Record, inject: Inject) -> Outcome:
        assert inject.run is not None
        assert inject.host is not None
        host = HostKey(world=WorldKey(exercise=exercise.id, team=team.slug), host=inject.host)
        renderer = self._exercises.renderer(exercise, team)
        command = once(record, [renderer.text(word) for word in inject.run])
        return _told(self._engine.run(host, command, timeout=inject.timeout), inject.timeout)


def once(record: Record, command: Sequence[str]) -> tuple[str, ...]:
    """Return a command that runs in a host at most once for this attempt of a firing.

    Run again, it exits as it did the first time; while that is not known, it is ended and exits
    with 125.
    """
    marker = f"{MARKERS}/inject-{record.id}-{record.attempt}"
    firing = record.firing
    return ("sh", "-c", _ONCE, "sh", marker, firing.inject, str(firing.occurrence), *command)


def _told(result: RunResult, timeout: timedelta) -> Outcome:
    cut = " It said more than 64 KiB; the rest was not kept." if _is_cut(result) else ""
    if result.ok:
        return Outcome(state=FiringState.FIRED, text=f"it ended well.{cut}")
    how = (
        f"it did not end within {timeout.total_seconds():g} s and was ended."
        if result.exit_code == _TIMED_OUT
        else f"it ended with {result.exit_code}."
    )
    said = result.output.strip()[-_MOST_SHOWN:]
    return Outcome(state=FiringState.FAILED, text=f"{how}{cut} {said}".strip())


def _is_cut(result: RunResult) -> bool:
    return len(result.output.encode()) >= _KEPT
