"""The product: its API and its worker as processes of their own, on the embedded default."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx

from core.waiting import until
from tests.benchmarks.ways.bare import EngineApi

_ROOT = Path(__file__).parents[3]
# Seldom, because a look costs processor time (a page looks every 4 s); the product tells moments.
_LOOK_EVERY = timedelta(seconds=1)
_START = timedelta(seconds=60)
_RAISE = timedelta(minutes=5)
_STOP_S = 40
_CATCH_UP_S = 3

HOSTS = 4
"""A team's, two on each of two networks."""

READY = ("true",)
"""What each host is asked until it is ready."""

SCENARIO = """\
language: 1
scenario: {id: bench, version: 1.0.0, title: Four hosts, kind: incident-response, duration: 1h}
roles: {player: {side: blue, title: Player}}
networks: {office: {size: /28}, yard: {size: /28}}
hosts:
  one:   &host {image: "debian:bookworm-slim", networks: {office: {}}, ready: [{run: ["true"]}]}
  two:   *host
  three: &other {image: "debian:bookworm-slim", networks: {yard: {}}, ready: [{run: ["true"]}]}
  four:  *other
tasks: {done: {ask: Is it done?, answer: "yes", points: 1}}
"""


class Product:
    """An installation of its own in `home`, used over HTTP as an instructor does."""

    def __init__(self, home: Path, *, installation: str, port: int) -> None:
        self.owner = f"cyberpoligon={installation}"
        self._home = home
        self._http = httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30)
        self._environment = os.environ | {
            "POLIGON_HOME": str(home),
            "POLIGON_INSTALLATION": installation,
            # Nobody else's: the other ways take the same addresses while the product holds none.
            "POLIGON_ADDRESS_POOL": '["10.211.0.0/16"]',
            "POLIGON_SCENARIOS": str(home / "scenarios"),
            "POLIGON_HTTP_PORT": str(port),
        }
        folder = home / "scenarios" / "bench"
        folder.mkdir(parents=True)
        (folder / "scenario.yaml").write_text(SCENARIO)
        self._processes: list[subprocess.Popen[bytes]] = []

    @contextmanager
    def running(self) -> Iterator[None]:
        """Have the API and a worker run until the block ends, then leave nothing of them."""
        with ExitStack() as undo:
            self._poligon("db", "upgrade")
            undo.callback(self._poligon, "down")
            undo.callback(self._stop)
            undo.callback(self._http.close)
            for name in ("serve", "worker"):
                self._processes.append(self._start(name))
            until(self._answers, what="the API's first answer", within=_START)
            self._log_in()
            yield

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """Take no processor time until the block ends: what is measured then is not ours.

        Afterwards they have a moment for the sweeps and events that they missed.
        """
        for process in self._processes:
            process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            for process in self._processes:
                process.send_signal(signal.SIGCONT)
            time.sleep(_CATCH_UP_S)

    def pids(self) -> tuple[int, ...]:
        """Return the API's process and the worker's."""
        return tuple(process.pid for process in self._processes)

    def launch(self, teams: int) -> tuple[str, float]:
        """Launch for `teams` teams; return the exercise, and the seconds until it was ready."""
        began = time.time()
        exercise = self._call("POST", "/exercises", {"scenario": "bench", "teams": teams})["name"]
        try:
            return exercise, self._last_world(exercise, phase="ready") - began
        except BaseException:
            self.destroy(exercise)
            raise

    def destroy(self, exercise: str) -> float:
        """Remove the exercise's worlds; return the seconds until the last one was gone."""
        began = time.time()
        self._call("POST", f"/exercises/{exercise}/destroy")
        return self._last_world(exercise, phase="removed") - began

    def reset(self, exercise: str, *, team: str, host: str) -> float:
        """Have a host made anew; return the seconds until its world was ready again."""
        began = time.time()
        self._call("POST", f"/exercises/{exercise}/teams/{team}/reset", {"host": host})
        found: list[Any] = []

        def is_ready() -> bool:
            teams = self._call("GET", f"/exercises/{exercise}")["teams"]
            found[:] = [one for one in teams if one["slug"] == team]
            return bool(found[0]["world"] == "ready")

        until(is_ready, what=f"{host} to be made anew", within=_RAISE, every=_LOOK_EVERY)
        return datetime.fromisoformat(found[0]["world_since"]).timestamp() - began

    def left_over(self, api: EngineApi) -> int:
        """Return how many containers and networks of this installation stand."""
        return sum(len(api.listed(kind, self.owner)) for kind in ("containers", "networks"))

    def _last_world(self, exercise: str, *, phase: str) -> float:
        """Wait until every world is in the phase; return when the last one came there."""
        teams: list[Any] = []

        def reached() -> bool:
            shown = self._call("GET", f"/exercises/{exercise}")
            teams[:] = shown["teams"]
            problems = [team["problem"] for team in teams if team["problem"]]
            assert not problems, json.dumps(problems, indent=1)
            # Until the exercise is ready, too, the listener of its self-test stands.
            return shown["phase"] != "provisioning" and all(t["world"] == phase for t in teams)

        until(reached, what=f"{exercise} {phase}", within=_RAISE, every=_LOOK_EVERY)
        return max(datetime.fromisoformat(team["world_since"]).timestamp() for team in teams)

    def _call(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:  # noqa: ANN401  # JSON
        answer = self._http.request(method, f"/api/v1{path}", json=body)
        assert answer.is_success, f"{method} {path}: {answer.text}"
        return answer.json()

    def _log_in(self) -> None:
        made = json.loads(self._poligon("user", "add", "bench", "--role", "instructor", "--json"))
        credentials = {"name": made["name"], "password": made["password"]}
        token = self._call("POST", "/login", credentials)["token"]
        self._http.headers["Authorization"] = f"Bearer {token}"

    def _answers(self) -> bool:
        assert all(p.poll() is None for p in self._processes), "a process ended; see its log"
        try:
            return self._http.get("/readyz").is_success
        except httpx.TransportError:
            return False

    def _start(self, name: str) -> subprocess.Popen[bytes]:
        with (self._home / f"{name}.log").open("wb") as log:
            return subprocess.Popen(
                [sys.executable, "-m", "api.cli.main", name],
                cwd=_ROOT,
                env=self._environment,
                stdout=log,
                stderr=log,
            )

    def _stop(self) -> None:
        for process in self._processes:
            process.terminate()
        for process in self._processes:
            try:
                process.wait(_STOP_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def _poligon(self, *arguments: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "api.cli.main", *arguments],
            cwd=_ROOT,
            env=self._environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=_RAISE.total_seconds(),
        )
        assert done.returncode == 0, f"poligon {' '.join(arguments)}: {done.stderr}"
        return done.stdout
