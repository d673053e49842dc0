"""An installation of its own: its processes, each started again whenever it dies."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

from core.settings import Settings
from core.waiting import pause, until
from tests.benchmarks.faulting.backing import Backing
from tests.benchmarks.faulting.processes import pids_with
from tests.benchmarks.faulting.scenario import write_scenario
from tests.ports import free_port

ROOT = Path(__file__).parents[3]

_PROGRAM = "tests.benchmarks.faulting.wall_clock"  # `poligon`, with a clock that can be set
_AGAIN_S = 0.3
_LONGEST_LINE = 400
_WORKS = "worker.started"  # an event of the worker's log
_FIRST_LINES = 100
_START = timedelta(seconds=150)  # several interpreters, on a machine that does other things
_GOODBYE = timedelta(seconds=30)


class Site:
    """The processes of one installation, in `home`, where its catalogue is, too."""

    def __init__(
        self,
        home: Path,
        engine: Path,
        backing: Backing,
        extra: Mapping[str, str],
        *,
        workers: int = 1,
    ) -> None:
        self.home = home
        self.workers = ("worker", *(f"worker-{number}" for number in range(2, workers + 1)))
        self.processes = ("serve", *self.workers, "broker", "gateway")
        self.installation = f"f{uuid4().hex[:10]}"
        self.http_port, self.ssh_port = free_port(), free_port()
        self.environment = {
            **os.environ,
            **extra,
            "PYTHONPATH": str(ROOT),
            "POLIGON_HOME": str(home),
            "POLIGON_INSTALLATION": self.installation,
            "POLIGON_DATABASE_URL": backing.database_url,
            "POLIGON_BROKER_URL": backing.broker_url,
            "POLIGON_DOCKER_HOST": f"unix://{engine}",
            "POLIGON_ADDRESS_POOL": '["10.219.0.0/16"]',
            "POLIGON_SCENARIOS": str(home / "catalogue"),
            "POLIGON_HTTP_PORT": str(self.http_port),
            "POLIGON_SSH_PORT": str(self.ssh_port),
            "POLIGON_LOG_JSON": "true",
        }
        self._backing = backing
        self._logs = home.parent / f"{home.name}.logs"
        self._logs.mkdir(parents=True)
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._stopping = threading.Event()
        self._supervisors = [
            threading.Thread(target=self._supervise, args=(name,), daemon=True)
            for name in self.processes
        ]
        write_scenario(home / "catalogue")

    @property
    def base_url(self) -> str:
        """Where the interface is."""
        return f"http://127.0.0.1:{self.http_port}"

    def settings(self, engine: Path) -> Settings:
        """Return the settings of somebody who looks at the site from outside, past any detour."""
        return Settings.model_validate(
            {
                "home": self.home,
                "installation": self.installation,
                "database_url": self._backing.database_url,
                "broker_url": self._backing.broker_url,
                "docker_host": f"unix://{engine}",
            }
        )

    def pid(self, name: str) -> int:
        """Return the process that runs now under that name."""
        return self._running[name].pid

    def kill(self, *names: str) -> None:
        """Kill processes as `kill -9` does, all before any is back."""
        for name in names:
            if name in self._running:
                self._running[name].kill()

    def log(self, name: str, *, lines: int) -> str:
        """Return the end of a process's log, over all of its lives."""
        file = self._logs / f"{name}.log"
        text = file.read_text(errors="replace") if file.exists() else ""
        return "\n".join(line[:_LONGEST_LINE] for line in text.splitlines()[-lines:])

    @contextmanager
    def running(self) -> Iterator[None]:
        """Have the processes run, and run again, until the block ends; then none of them is left.

        Asserts that a friendly end is enough, and that nothing else was left running either.
        """
        for supervisor in self._supervisors:
            supervisor.start()
        until(
            lambda: len(self._running) == len(self.processes),
            what="the processes to start",
            within=_GOODBYE,
        )
        with ExitStack() as undo:
            undo.callback(self._stop)
            # A fault should strike what is at work, not what starts.
            until(self._workers_work, what="every worker's first sweep", within=_START)
            yield

    def _workers_work(self) -> bool:
        return all(_WORKS in self.log(name, lines=_FIRST_LINES) for name in self.workers)

    def _supervise(self, name: str) -> None:
        while not self._stopping.is_set():
            with (self._logs / f"{name}.log").open("ab") as log:
                process = subprocess.Popen(
                    [sys.executable, "-m", _PROGRAM, name.partition("-")[0]],
                    cwd=ROOT,
                    env=self.environment,
                    stdout=log,
                    stderr=log,
                )
            self._running[name] = process
            if self._stopping.is_set():  # since it was started: nobody else ends it
                process.terminate()
            process.wait()
            pause(_AGAIN_S, interrupted_by=self._stopping)

    def _stop(self) -> None:
        self._stopping.set()
        for process in self._running.values():
            process.send_signal(signal.SIGTERM)
        for supervisor in self._supervisors:
            supervisor.join(_GOODBYE.total_seconds())
        left = pids_with(f"POLIGON_INSTALLATION={self.installation}")
        for pid in left:
            os.kill(pid, signal.SIGKILL)
        assert not left, f"processes were left after a friendly end: {left}"
