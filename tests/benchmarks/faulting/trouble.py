"""Carrying out a schedule of faults while an exercise is played."""

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from core.waiting import pause
from tests.benchmarks.faulting import backing
from tests.benchmarks.faulting.backing import Backing
from tests.benchmarks.faulting.engines import Engine, PrivateEngine
from tests.benchmarks.faulting.schedule import Fault, Kind, Step
from tests.benchmarks.faulting.site import Site
from tests.benchmarks.faulting.small_disk import SmallDisk
from tests.benchmarks.faulting.wall_clock import WallClock
from tests.fakes.detour import Detour


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """Everything that can be broken. `disk` holds the home; `None` where it cannot be filled."""

    site: Site
    backing: Backing
    engine: Engine
    detour: Detour
    clock: WallClock
    disk: SmallDisk | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Struck:
    """A fault that was carried out, and when it was over (monotonic seconds)."""

    fault: Fault
    over: float


class Trouble:
    """The faults of one seed. `enter` tells it where the exercise is."""

    def __init__(self, stage: Stage, faults: Sequence[Fault]) -> None:
        self.struck: list[Struck] = []
        self._stage = stage
        self._faults = tuple(faults)
        self._threads: list[threading.Thread] = []
        self._errors: list[Exception] = []
        self._engine_turn = threading.Lock()
        self._acts: dict[Kind, Callable[[Fault], None]] = {
            Kind.KILL_WORKER: self._kill_worker,
            Kind.KILL_API: lambda _: stage.site.kill("serve"),
            Kind.KILL_GATEWAY: lambda _: stage.site.kill("gateway"),
            Kind.KILL_ALL: lambda _: stage.site.kill(*stage.site.processes),
            Kind.SHIFT_CLOCK: lambda fault: stage.clock.shift(fault.shift),
            Kind.FILL_HOME: self._fill_home,
            Kind.CUT_ENGINE: self._cut_engine,
            Kind.KILL_ENGINE: self._kill_engine,
            Kind.RESET_ENGINE: self._kill_engine,
            Kind.FILL_ENGINE: self._fill_engine,
            **{kind: _lasting(act) for kind, act in stage.backing.acts.items()},
        }

    def enter(self, step: Step) -> None:
        """Let the faults of a step begin to run."""
        for fault in self._faults:
            if fault.step is step:
                thread = threading.Thread(target=self._strike, args=(fault,), daemon=True)
                thread.start()
                self._threads.append(thread)

    def await_all(self) -> None:
        """Return when every fault that was let loose is over; raises what went wrong with one."""
        self.let_end()
        if self._errors:
            raise self._errors[0]

    def let_end(self) -> None:
        """Return when every fault that was let loose is over, and all is there again."""
        for thread in self._threads:
            thread.join()

    def _strike(self, fault: Fault) -> None:
        pause(fault.after)
        try:
            self._acts[fault.kind](fault)
        except Exception as error:  # noqa: BLE001  # told by await_all: nobody sees a thread's end
            self._errors.append(error)
        self.struck.append(Struck(fault=fault, over=time.monotonic()))

    def _kill_worker(self, fault: Fault) -> None:
        workers = self._stage.site.workers
        self._stage.site.kill(workers[fault.lot % len(workers)])

    def _fill_home(self, fault: Fault) -> None:
        assert self._stage.disk is not None, "this home has no disk of its own"
        self._fill(self._stage.disk, fault.lasts)

    def _fill(self, disk: SmallDisk, seconds: float) -> None:
        try:
            disk.fill()
            pause(seconds)
        finally:
            disk.free()

    def _cut_engine(self, fault: Fault) -> None:
        with self._engine_turn:
            self._stage.detour.cut()
            pause(fault.lasts)
            self._stage.detour.mend()

    def _kill_engine(self, fault: Fault) -> None:
        engine = self._private()
        with self._engine_turn:
            if fault.kind is Kind.RESET_ENGINE:
                engine.kill_with_containers()
            else:
                engine.kill()
            pause(fault.lasts)
            engine.start()

    def _fill_engine(self, fault: Fault) -> None:
        with self._engine_turn:  # an engine does not start on a full disk
            self._fill(self._private().disk, fault.lasts)

    def _private(self) -> PrivateEngine:
        engine = self._stage.engine
        assert isinstance(engine, PrivateEngine), "only an engine of our own may be broken"
        return engine


def possible_kinds(stage: Stage) -> frozenset[Kind]:
    """Return what can be done on this stage."""
    left_out = set(backing.KINDS - stage.backing.acts.keys())
    if stage.disk is None:
        left_out.add(Kind.FILL_HOME)
    if not isinstance(stage.engine, PrivateEngine):
        left_out |= {Kind.KILL_ENGINE, Kind.RESET_ENGINE, Kind.FILL_ENGINE}
    return frozenset(Kind) - left_out


def _lasting(act: Callable[[float], None]) -> Callable[[Fault], None]:
    return lambda fault: act(fault.lasts)
