"""One seed from an empty home to nothing left: played, broken, judged."""

import time
import traceback
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from api.bootstrap import open_services
from tests.benchmarks.faulting.backing import Template
from tests.benchmarks.faulting.engines import Engine
from tests.benchmarks.faulting.judge import REMNANTS, judge, read_facts
from tests.benchmarks.faulting.play import Play, Story
from tests.benchmarks.faulting.schedule import Fault, Kind, schedule
from tests.benchmarks.faulting.site import Site
from tests.benchmarks.faulting.small_disk import may_mount, small_disk
from tests.benchmarks.faulting.trouble import Stage, Struck, Trouble, possible_kinds
from tests.benchmarks.faulting.wall_clock import WallClock
from tests.benchmarks.faulting.watch import EngineWatch
from tests.fakes.detour import detour

_HOME_MB = 96
_LOG_LINES = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How a seed went. `converged` has seconds from each fault's end to the end of its step.

    `retries` is how often the instructor asked again for what had honestly failed, `remnants` how
    many throw-away containers of killed processes waited for the next removal or the janitor.
    """

    seed: int
    faults: tuple[Fault, ...]
    struck: tuple[Kind, ...]
    converged: tuple[float, ...]
    seconds: float
    retries: int
    remnants: int
    wrong: tuple[str, ...]
    logs: Mapping[str, str]


def run_seed(
    seed: int, folder: Path, engine: Engine, template: Template, *, workers: int = 1
) -> Outcome:
    """Play one exercise under the seed's faults, in `folder`, and judge what is left."""
    began = time.monotonic()
    story, struck, faults = Story(), list[Struck](), tuple[Fault, ...]()
    logs, remnants = dict[str, str](), 0
    with _stage(folder, engine, template, workers) as stage:
        faults = schedule(seed, possible_kinds(stage))
        trouble = Trouble(stage, faults)
        watch = EngineWatch(engine.socket, stage.site.installation)
        try:
            with watch.watching(), stage.site.running():
                story = _played(stage, trouble, template, folder)
            left = watch.standing()
            remnants = sum(thing in REMNANTS for thing in left)
            wrong = judge(read_facts(stage.backing.database_url), story, watch, left)
        except Exception as error:  # noqa: BLE001  # the next seed is still to be played
            wrong = [*_where(error), f"{type(error).__name__}: {error}"]
            logs = {name: stage.site.log(name, lines=_LOG_LINES) for name in stage.site.processes}
        struck = trouble.struck
        wrong += remove_everything(stage.site, engine)
    return Outcome(
        seed=seed,
        faults=faults,
        struck=tuple(s.fault.kind for s in struck),
        converged=_converged(struck, story),
        seconds=time.monotonic() - began,
        retries=story.retries,
        remnants=remnants,
        wrong=tuple(wrong),
        logs=logs,
    )


@contextmanager
def _stage(folder: Path, engine: Engine, template: Template, workers: int) -> Iterator[Stage]:
    with ExitStack() as undo:
        disk = None
        home = folder / "home"
        if may_mount():
            disk = undo.enter_context(small_disk(home, megabytes=_HOME_MB))
        way = undo.enter_context(detour(folder / "detour.sock", engine.socket))
        clock = WallClock(folder / "clock")
        backing = undo.enter_context(template.lend(home))
        site = Site(home, way.place, backing, clock.environment(), workers=workers)
        undo.callback(remove_everything, site, engine)  # also when somebody interrupts the seed
        yield Stage(site=site, backing=backing, engine=engine, detour=way, clock=clock, disk=disk)


def _played(stage: Stage, trouble: Trouble, template: Template, folder: Path) -> Story:
    """Play to the end; the faults that come late are waited for before the removal is judged."""
    play = Play(stage.site.base_url, template.instructor, folder, trouble.enter)
    try:
        play.play()
        play.destroy()
        trouble.await_all()
    finally:
        trouble.let_end()
        play.close()
    return play.story


def remove_everything(site: Site, engine: Engine) -> list[str]:
    """Remove what the installation built, as `poligon down` does; tell what cannot be removed."""
    services = open_services(site.settings(engine.socket))
    try:
        services.engine.remove_everything()
        return [f"cannot be removed: {line}" for line in services.engine.remaining()]
    finally:
        services.close()


def _where(error: Exception) -> list[str]:
    """Return the lines of ours that an error came through."""
    frames = traceback.extract_tb(error.__traceback__)
    return [f"{f.name}, line {f.lineno}: {f.line}" for f in frames if "faulting" in f.filename]


def _converged(struck: Sequence[Struck], story: Story) -> tuple[float, ...]:
    return tuple(
        round(max(0.0, story.reached[one.fault.step] - one.over), 2)
        for one in struck
        if one.fault.step in story.reached
    )
