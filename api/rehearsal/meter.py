"""What the hosts of a rehearsal use, looked at again and again."""

import threading
import time
from collections import defaultdict
from collections.abc import Mapping
from datetime import timedelta
from types import TracebackType
from typing import Self

from core.errors import PoligonError
from core.ids import ExerciseId
from core.waiting import pause
from orchestrator.domain.rehearsal import TeamUse
from orchestrator.domain.world import HostKey
from orchestrator.ports import RangeEngine, Usage


class Meter:
    """Keeps the peaks of each team while it is entered; looks `every` so often, in a thread."""

    def __init__(self, engine: RangeEngine, exercise: ExerciseId, *, every: timedelta) -> None:
        self._engine = engine
        self._exercise = exercise
        self._every = every
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="meter", daemon=True)
        self._lock = threading.Lock()
        self._memory: dict[str, int] = defaultdict(int)
        self._cpu: dict[HostKey, timedelta] = {}
        self._rate: dict[str, float] = defaultdict(float)
        self._seen_at = 0.0

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self._stopped.set()
        self._thread.join()

    def look(self) -> None:
        """Look now; an engine that does not answer is asked again later."""
        try:
            used = self._engine.usage(self._exercise)
        except PoligonError:
            return
        with self._lock:
            self._take(used, time.monotonic())

    def use(self) -> tuple[TeamUse, ...]:
        """Return what each team used so far."""
        with self._lock:
            seconds: dict[str, float] = defaultdict(float)
            for key, cpu in self._cpu.items():
                seconds[key.world.team] += cpu.total_seconds()
            return tuple(
                TeamUse(
                    team=team,
                    peak_memory=self._memory[team],
                    cpu_seconds=round(seconds[team], 2),
                    peak_cpus=round(self._rate[team], 2),
                )
                for team in sorted(self._memory)
            )

    def _take(self, used: Mapping[HostKey, Usage], now: float) -> None:
        memory: dict[str, int] = defaultdict(int)
        busy: dict[str, float] = defaultdict(float)
        for key, usage in used.items():
            team = key.world.team
            memory[team] += usage.memory
            before = self._cpu.get(key, timedelta())
            # A host that started again counts from nothing.
            more = usage.cpu - before if usage.cpu >= before else usage.cpu
            busy[team] += more.total_seconds()
            self._cpu[key] = before + more
        for team, held in memory.items():
            self._memory[team] = max(self._memory[team], held)
            if self._seen_at:
                rate = busy[team] / max(now - self._seen_at, 0.001)
                self._rate[team] = max(self._rate[team], rate)
        self._seen_at = now

    def _run(self) -> None:
        while not self._stopped.is_set():
            self.look()
            pause(self._every.total_seconds(), interrupted_by=self._stopped)
