"""Carrying out a schedule of faults while an exercise is played."""

import json
import shutil
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from core.waiting import pause
from tests.benchmarks.faulting.engines import Engine, PrivateEngine
from tests.benchmarks.faulting.schedule import Fault, Kind, Step
from tests.benchmarks.faulting.site import PROCESSES, Site
from tests.benchmarks.faulting.small_disk import SmallDisk
from tests.benchmarks.faulting.wall_clock import WallClock
from tests.fakes.detour import Detour

_QUICK_S = 0.005
_LOCK_PATIENCE_S = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """Everything that can be broken. `disk` holds the home; `None` where it cannot be filled."""

    site: Site
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
            Kind.KILL_WORKER: lambda _: stage.site.kill("worker"),
            Kind.KILL_API: lambda _: stage.site.kill("serve"),
            Kind.KILL_GATEWAY: lambda _: stage.site.kill("gateway"),
            Kind.KILL_ALL: lambda _: stage.site.kill(*PROCESSES),
            Kind.LOSE_MESSAGES: self._lose_messages,
            Kind.DOUBLE_MESSAGES: self._double_messages,
            Kind.LOCK_DATABASE: self._lock_database,
            Kind.SHIFT_CLOCK: lambda fault: stage.clock.shift(fault.shift),
            Kind.FILL_HOME: self._fill_home,
            Kind.CUT_ENGINE: self._cut_engine,
            Kind.KILL_ENGINE: self._kill_engine,
            Kind.RESET_ENGINE: self._kill_engine,
            Kind.FILL_ENGINE: self._fill_engine,
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
        for thread in self._threads:
            thread.join()
        if self._errors:
            raise self._errors[0]

    def _strike(self, fault: Fault) -> None:
        pause(fault.after)
        try:
            self._acts[fault.kind](fault)
        except Exception as error:  # noqa: BLE001  # told by await_all: nobody sees a thread's end
            self._errors.append(error)
        self.struck.append(Struck(fault=fault, over=time.monotonic()))

    def _lose_messages(self, fault: Fault) -> None:
        for message in _messages(self._stage.site.queue, fault.lasts):
            message.unlink(missing_ok=True)

    def _double_messages(self, fault: Fault) -> None:
        doubled: set[str] = set()
        for message in _messages(self._stage.site.queue, fault.lasts):
            if message.name not in doubled:
                twin = _twin(message)
                doubled |= {message.name, twin.name if twin is not None else message.name}

    def _lock_database(self, fault: Fault) -> None:
        file = f"file:{self._stage.site.database}?mode=rw"
        lock = sqlite3.connect(file, uri=True, timeout=_LOCK_PATIENCE_S, isolation_level=None)
        try:
            lock.execute("BEGIN EXCLUSIVE")
            pause(fault.lasts)
        finally:
            lock.close()

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
    left_out: set[Kind] = set()
    if stage.disk is None:
        left_out.add(Kind.FILL_HOME)
    if not isinstance(stage.engine, PrivateEngine):
        left_out |= {Kind.KILL_ENGINE, Kind.RESET_ENGINE, Kind.FILL_ENGINE}
    return frozenset(Kind) - left_out


def _messages(folder: Path, seconds: float) -> Iterator[Path]:
    """Yield the messages that lie in a queue's folder, again and again for a while."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        yield from folder.glob("*.msg")
        pause(_QUICK_S)


def _twin(message: Path) -> Path | None:
    """Leave the same message a second time; `None` when it is being written or was taken."""
    with suppress(OSError, ValueError):
        content = message.read_text()
        json.loads(content)
        number, _, rest = message.name.partition("_")
        twin = message.with_name(f"{number}_{uuid4()}.{rest.partition('.')[2]}")
        hidden = twin.with_suffix(".part")
        hidden.write_text(content)
        shutil.move(hidden, twin)
        return twin
    return None
