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

_SHORTEST = 1.0  # seconds: over less, what one command needs would count as so many processors


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
        self._cpu: dict[str, float] = defaultdict(float)
        self._seen: dict[HostKey, timedelta] = {}
        self._rate: dict[str, float] = defaultdict(float)
        self._rated: dict[str, float] = defaultdict(float)
        self._rated_at = 0.0

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
            return tuple(
                TeamUse(
                    team=team,
                    peak_memory=self._memory[team],
                    cpu_seconds=round(self._cpu[team], 2),
                    peak_cpus=round(self._rate[team], 2),
                )
                for team in sorted(self._memory)
            )

    def _take(self, used: Mapping[HostKey, Usage], now: float) -> None:
        memory: dict[str, int] = defaultdict(int)
        for key, usage in used.items():
            team = key.world.team
            memory[team] += usage.memory
            before = self._seen.get(key, timedelta())
            # A host that started again counts from nothing.
            more = usage.cpu - before if usage.cpu >= before else usage.cpu
            self._cpu[team] += more.total_seconds()
            self._seen[key] = usage.cpu
        for team, held in memory.items():
            self._memory[team] = max(self._memory[team], held)
        took = now - self._rated_at
        if took >= _SHORTEST:
            for team, seconds in self._cpu.items():
                if self._rated_at:
                    rate = (seconds - self._rated[team]) / took
                    self._rate[team] = max(self._rate[team], rate)
                self._rated[team] = seconds
            self._rated_at = now

    def _run(self) -> None:
        while not self._stopped.is_set():
            self.look()
            pause(self._every.total_seconds(), interrupted_by=self._stopped)
