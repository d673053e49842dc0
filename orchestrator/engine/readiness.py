"""Readiness of hosts: one that was just started tells by itself, any other one is asked.

Asking means a command inside the host, which costs the engine a fifth of a start. So the first
process of a host begins by asking itself, in the background, and notes each probe that passes as
one byte more of a file; the engine tells its size for next to nothing. Whoever finds a host running
asks: what it noted at its start says nothing about now.
"""

import shlex
import threading
from collections.abc import Sequence
from datetime import timedelta

from requests import codes

from core.waiting import WaitedTooLongError, until
from orchestrator.domain.world import HostPlan, ReadyProbe
from orchestrator.engine.commands import LISTENS, HostCommands
from orchestrator.engine.connection import EngineConnection, api_url
from orchestrator.engine.containers import inspect_container
from orchestrator.engine.image_contents import size_of
from orchestrator.ports import HostGoneError, HostNotReadyError, RunResult

_NOTED = "/run/cyberpoligon/ready"
_ROOT_USERS = frozenset({"", "0", "root", "0:0", "root:root"})
_ASK_TIMEOUT = timedelta(seconds=10)
_FIRST_LOOK = timedelta(milliseconds=40)


def starter(plan: HostPlan, command: Sequence[str], *, user: str) -> list[str] | None:
    """Return a command that asks the plan's probes and becomes `command`.

    `None` when there is nothing to ask, or when the image's user is not root: probes are root's.
    The image needs a POSIX shell.
    """
    if not plan.probes or user not in _ROOT_USERS:
        return None
    questions = "\n".join(_question(probe) for probe in plan.probes)
    script = f"""\
mkdir -p {_NOTED.rpartition("/")[0]}
: >{_NOTED}
{LISTENS}
( ( cd / || exit
{questions}
) </dev/null >/dev/null 2>&1 & )
exec "$@"
"""
    # Twice in parentheses: the questions become an orphan, which init takes in. A child of the
    # image's own process would stay as a zombie where that process expects none.
    return ["sh", "-c", script, "sh", *command]


def _question(probe: ReadyProbe) -> str:
    asked = f"listens {probe.tcp:04X}" if probe.tcp is not None else shlex.join(probe.run)
    return f"until {asked}; do sleep {probe.every.total_seconds():g}; done; printf . >>{_NOTED}"


class Readiness:
    """Waits for hosts of one engine to be ready."""

    def __init__(self, connection: EngineConnection, commands: HostCommands) -> None:
        self._connection = connection
        self._commands = commands
        self._telling: set[str] = set()
        self._lock = threading.Lock()

    def will_tell(self, container: str) -> None:
        """Note that this container was just started, with a starter."""
        with self._lock:
            self._telling.add(container)

    def wait(self, container: str, plan: HostPlan) -> None:
        """Return when every probe has passed; raises HostNotReadyError, HostGoneError."""
        with self._lock:
            telling = container in self._telling
            self._telling.discard(container)
        for number, probe in enumerate(plan.probes, start=1):
            if not (telling and self._told(container, plan.host, number, probe)):
                # A host that said nothing in its time is asked once more, for its words.
                self._ask(container, plan.host, probe, again=not telling)

    def _told(self, container: str, host: str, number: int, probe: ReadyProbe) -> bool:
        def passed() -> bool:
            if self._noted(container) >= number:
                return True
            self._require_running(container, host)
            return False

        try:
            until(
                passed,
                what=f"probe {number} to pass",
                within=probe.within,
                every=probe.every,
                first=_FIRST_LOOK,
            )
        except WaitedTooLongError:
            return False
        return True

    def _noted(self, container: str) -> int:
        """Return how many probes the host says have passed; none when it says nothing."""
        with self._connection.call() as api:
            url = api_url(api, f"/containers/{container}/archive")
            response = api.head(url, params={"path": _NOTED}, timeout=api.timeout)
        return size_of(response) if response.status_code == codes.ok else 0

    def _require_running(self, container: str, host: str) -> None:
        """Raise HostGoneError when nobody is left to tell."""
        found = inspect_container(self._connection, container)
        if found is None or not found["State"]["Running"]:
            raise HostGoneError(f"host {host} does not run", hint="Raise its world again")

    def _ask(self, container: str, host: str, probe: ReadyProbe, *, again: bool) -> None:
        last = RunResult(exit_code=1, output="")

        def passes() -> bool:
            nonlocal last
            last = self._answer(container, probe)
            return last.ok

        within = probe.within if again else timedelta()
        try:
            until(passes, what=f"{host} to be ready", within=within, every=probe.every)
        except WaitedTooLongError as error:
            said = last.output or f"exit code {last.exit_code}"
            raise HostNotReadyError(host=host, probe=probe, output=said) from error

    def _answer(self, container: str, probe: ReadyProbe) -> RunResult:
        if probe.tcp is None:
            return self._commands.run(container, probe.run, timeout=_ASK_TIMEOUT, account="root")
        accepts = self._commands.accepts_tcp(container, probe.tcp)
        return RunResult(exit_code=0 if accepts else 1, output=f"port {probe.tcp} does not accept")
