"""An installation of its own: API, worker and gateway, each started again whenever it dies."""

import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

from core.settings import Settings
from core.waiting import pause, until
from tests.benchmarks.faulting.processes import pids_with
from tests.benchmarks.faulting.scenario import write_scenario
from tests.ports import free_port

ROOT = Path(__file__).parents[3]
PROCESSES = ("serve", "worker", "gateway")

_PROGRAM = "tests.benchmarks.faulting.wall_clock"  # `poligon`, with a clock that can be set
_AGAIN_S = 0.3
_LONGEST_LINE = 400
_START = timedelta(seconds=150)  # three interpreters, on a machine that does other things
_GOODBYE = timedelta(seconds=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """A home with a database of the right shape and an instructor in it, to be copied."""

    database: Path
    instructor: str
    password: str


class Site:
    """The processes of one installation, in `home`."""

    def __init__(self, home: Path, engine: Path, extra: Mapping[str, str]) -> None:
        self.home = home
        self.installation = f"f{uuid4().hex[:10]}"
        self.http_port, self.ssh_port = free_port(), free_port()
        self.environment = {
            **os.environ,
            **extra,
            "PYTHONPATH": str(ROOT),
            "POLIGON_HOME": str(home),
            "POLIGON_INSTALLATION": self.installation,
            "POLIGON_DOCKER_HOST": f"unix://{engine}",
            "POLIGON_ADDRESS_POOL": '["10.219.0.0/16"]',
            "POLIGON_SCENARIOS": str(home / "catalogue"),
            "POLIGON_HTTP_PORT": str(self.http_port),
            "POLIGON_SSH_PORT": str(self.ssh_port),
            "POLIGON_LOG_JSON": "true",
        }
        self._logs = home.parent / f"{home.name}.logs"
        self._logs.mkdir(parents=True)
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._stopping = threading.Event()
        self._supervisors = [
            threading.Thread(target=self._supervise, args=(name,), daemon=True)
            for name in PROCESSES
        ]

    @property
    def base_url(self) -> str:
        """Where the interface is."""
        return f"http://127.0.0.1:{self.http_port}"

    @property
    def database(self) -> Path:
        """The database's file."""
        return self.home / "poligon.db"

    @property
    def queue(self) -> Path:
        """The folder of the embedded queue."""
        return self.home / "queue"

    def settings(self, engine: Path) -> Settings:
        """Return the settings of somebody who looks at the site from outside, past any detour."""
        return Settings.model_validate(
            {
                "home": self.home,
                "installation": self.installation,
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
            lambda: len(self._running) == len(PROCESSES),
            what="the processes to start",
            within=_GOODBYE,
        )
        with ExitStack() as undo:
            undo.callback(self._logs_away)
            undo.callback(self._stop)
            # Its first sign of life: a fault should strike what is at work, not what starts.
            until(
                (self.home / "worker.seen").exists,
                what="the worker's first sweep",
                within=_START,
            )
            yield

    def _supervise(self, name: str) -> None:
        while not self._stopping.is_set():
            with (self._logs / f"{name}.log").open("ab") as log:
                process = subprocess.Popen(
                    [sys.executable, "-m", _PROGRAM, name],
                    cwd=ROOT,
                    env=self.environment,
                    stdout=log,
                    stderr=log,
                )
            self._running[name] = process
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

    def _logs_away(self) -> None:
        shutil.rmtree(self._logs)


def prepare(site: Site, template: Template) -> None:
    """Put a scenario and a copy of the template's database into the site's home."""
    write_scenario(site.home / "catalogue")
    shutil.copyfile(template.database, site.database)
