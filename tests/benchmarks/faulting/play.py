"""An exercise from launch to removal, as people play it while things break around them."""

import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

from api.journey.people import Shell
from core.errors import PoligonError
from core.waiting import until
from tests.benchmarks.faulting.backing import Login
from tests.benchmarks.faulting.client import Client, now
from tests.benchmarks.faulting.scenario import (
    FLAG,
    HELD,
    KEPT,
    MARK,
    MARKS,
    NAME,
    NOTE,
    QUESTION,
    TEAMS,
)
from tests.benchmarks.faulting.schedule import Step

CONVERGES = timedelta(seconds=75)
_LOOK_EVERY = timedelta(milliseconds=250)
_BROKEN = frozenset({"failed", "degraded"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Acknowledged:
    """An answer that the interface said it took, and what it told."""

    team: str
    task: str
    value: str
    key: str
    verdict: str


@dataclass(kw_only=True)
class Story:
    """What was told to the people, and when each step came to its end (monotonic seconds)."""

    exercise: str = ""
    answers: list[Acknowledged] = field(default_factory=list)
    reached: dict[Step, float] = field(default_factory=dict)
    retries: int = 0
    board: Any = None
    marks: dict[str, int] = field(default_factory=dict)
    """Team → how often the inject's command was seen to have run, before the end."""


class Play:
    """One exercise. `enter` is told of each step before it begins; `folder` is for SSH's files."""

    def __init__(
        self,
        base_url: str,
        login: Login,
        folder: Path,
        enter: Callable[[Step], None],
    ) -> None:
        self.story = Story()
        self._base_url = base_url
        self._folder = folder
        self._enter = enter
        self._instructor = Client(base_url, login.name, login.password)
        self._before = {seen["name"] for seen in self._instructor.get("/exercises")}
        self._players: dict[str, tuple[Client, Shell]] = {}

    def play(self) -> None:
        """Play all steps but the removal."""
        self._step(Step.LAUNCH, self._launch)
        self._step(Step.START, self._start)
        self._step(Step.PLAY, self._answer_and_look)
        self._step(Step.PAUSE, lambda: self._move("pause", "paused"))
        self._step(Step.RESUME, lambda: self._move("resume", "running"))
        self._step(Step.END, lambda: self._move("end", "ended"))
        self.story.board = self._instructor.get(f"/exercises/{self.story.exercise}/board")

    def destroy(self) -> None:
        """Have the worlds removed, and wait until they are."""
        self._step(Step.DESTROY, self._destroy)

    def close(self) -> None:
        """Give the connections back."""
        for client in (self._instructor, *(client for client, _ in self._players.values())):
            client.close()

    def _step(self, step: Step, act: Callable[[], None]) -> None:
        self._enter(step)
        act()
        self.story.reached[step] = now()

    def _launch(self) -> None:
        def launched() -> Any:  # noqa: ANN401  # JSON
            found = self._instructor.get("/exercises")
            return next((seen for seen in found if seen["name"] not in self._before), None)

        body = {"scenario": NAME, "teams": TEAMS}
        made = self._instructor.post("/exercises", body, is_done=launched)
        self.story.exercise = made["name"]
        self._await_worlds("ready", exercise=lambda seen: seen["phase"] == "ready")

    def _start(self) -> None:
        self._move("start", "running")
        for login in self._instructor.post(f"/exercises/{self.story.exercise}/logins"):
            client = Client(self._base_url, login["user"], login["password"])
            self._players[login["team"]] = (client, self._shell(client, login))

    def _answer_and_look(self) -> None:
        """Each team answers wrong, right and twice, fetches its flag by SSH, and keeps its note."""
        for team, (client, shell) in self._players.items():
            for value in ("split", "bar", "bar"):
                self._send(team, client, QUESTION, value)
            flag = self._read(shell, f"cat {NOTE}")
            self._send(team, client, FLAG, flag)
        for client, _ in self._players.values():
            self._await_task(client, KEPT, lambda task: task["share"] is not None)
            self._await_task(client, HELD, lambda task: task["state"] == "done")
        self._await_injects()
        for team, (_, shell) in self._players.items():
            self.story.marks[team] = int(self._read(shell, f"cat {MARKS} 2>/dev/null | wc -l"))

    def _await_injects(self) -> None:
        """Wait until the command of every team went out, or is said to have failed."""
        seen: list[Any] = []

        def are_settled() -> bool:
            injects = self._instructor.get(f"/exercises/{self.story.exercise}/injects")
            seen[:] = next(one["teams"] for one in injects if one["inject"] == MARK)
            return all(team["state"] in {"fired", "failed"} for team in seen)

        until(
            are_settled,
            what="the inject to go out",
            within=CONVERGES,
            every=_LOOK_EVERY,
            last_seen=lambda: str(seen),
        )

    def _send(self, team: str, client: Client, task: str, value: str) -> None:
        key = str(uuid4())
        path = f"/exercises/{self.story.exercise}/answers"
        told = client.post_keyed(path, {"task": task, "value": value}, key=key)
        self.story.answers.append(
            Acknowledged(team=team, task=task, value=value, key=key, verdict=told["verdict"])
        )

    def _read(self, shell: Shell, command: str) -> str:
        read: list[str] = []

        def is_read() -> bool:
            try:
                done = shell.run(command, may_fail=True)
            except (subprocess.TimeoutExpired, PoligonError):
                return False
            read[:] = [done.stdout.decode().strip()]
            return done.returncode == 0 and bool(read[0])

        until(is_read, what=f"`{command}` by SSH", within=CONVERGES, every=_LOOK_EVERY)
        return read[0]

    def _await_task(self, client: Client, name: str, holds: Callable[[Any], bool]) -> None:
        seen: list[Any] = []

        def is_so() -> bool:
            tasks = client.get(f"/exercises/{self.story.exercise}/tasks")
            seen[:] = [task for task in tasks if task["task"] == name]
            return holds(seen[0])

        until(
            is_so,
            what=f"the checks of {name}",
            within=CONVERGES,
            every=_LOOK_EVERY,
            last_seen=lambda: str(seen),
        )

    def _move(self, move: str, phase: str) -> None:
        self._instructor.move(self.story.exercise, move, into={phase})

    def _destroy(self) -> None:
        self._instructor.move(self.story.exercise, "destroy", into={"closed"})
        self._await_worlds(
            "removed", exercise=lambda seen: all(t["world"] == "removed" for t in seen["teams"])
        )

    def _await_worlds(self, what: str, *, exercise: Callable[[Any], bool]) -> None:
        """Wait, and ask again for what honestly failed, as the problem's next command says."""
        seen: list[Any] = []

        def is_so() -> bool:
            seen[:] = [self._instructor.get(f"/exercises/{self.story.exercise}")]
            if "retry" in seen[0]["moves"] and seen[0]["phase"] in _BROKEN:
                self.story.retries += 1
                self._instructor.post(f"/exercises/{self.story.exercise}/retry")
            return exercise(seen[0])

        until(
            is_so,
            what=f"the worlds to be {what}",
            within=CONVERGES,
            every=_LOOK_EVERY,
            last_seen=lambda: str(seen),
        )

    def _shell(self, client: Client, login: Any) -> Shell:  # noqa: ANN401  # JSON
        ways: list[Any] = []

        def is_told() -> bool:
            ways[:] = [client.get(f"/exercises/{self.story.exercise}/access")]
            return bool(ways[0]["known_hosts"])

        until(is_told, what="the gateway's key", within=CONVERGES, every=_LOOK_EVERY)
        folder = self._folder / login["team"]
        folder.mkdir()
        (folder / "known_hosts").write_text(ways[0]["known_hosts"] + "\n")
        return Shell(
            login=login["user"],
            host=ways[0]["host"],
            port=ways[0]["port"],
            known_hosts=folder / "known_hosts",
            password=login["password"],
        )
