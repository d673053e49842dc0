"""Watching worlds being built: a line for each change, or a live table on a terminal."""

import sys
from collections import Counter
from datetime import timedelta
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from api.bootstrap import Services
from api.cli.output import Output, harmless
from api.heartbeat import worker_seen
from core.waiting import until
from orchestrator.domain.exercise import Exercise
from orchestrator.domain.phases import Phase, WorldPhase

_LOOK_EVERY = timedelta(milliseconds=300)
_BUILDING = {Phase.DRAFT, Phase.PROVISIONING}
_WORKER_PATIENCE = timedelta(seconds=5)


class Progress:
    """Tells on stderr how far each team's world is."""

    def __init__(self, output: Output) -> None:
        self._output = output
        self._console = Console(stderr=True)
        self._live = Live(console=self._console, transient=True) if self._on_terminal else None
        self._told: dict[str, WorldPhase] = {}

    @property
    def _on_terminal(self) -> bool:
        return sys.stderr.isatty() and not self._output.as_json

    def __enter__(self) -> Self:
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        if self._live is not None:
            self._live.stop()

    def show(self, exercise: Exercise, waited: timedelta, left: timedelta | None = None) -> None:
        """Show where every world is, and how long it will go on where that is known."""
        if self._live is not None:
            self._live.update(_table(exercise, waited, left))
            return
        if left is not None and not self._told:
            self._output.note(f"about {left.total_seconds():.0f} s, as earlier launches took")
        for team in exercise.teams:
            if self._told.get(team.slug) is not team.world:
                self._told[team.slug] = team.world
                self._output.note(f"{waited.total_seconds():6.1f} s  {team.slug}  {team.world}")

    def say(self, text: str) -> None:
        """Tell something that is not about one world."""
        self._output.note(text) if self._live is None else self._console.print(text)


def _table(exercise: Exercise, waited: timedelta, left: timedelta | None) -> Table:
    title = f"{exercise.name} · {waited.total_seconds():.0f} s"
    if left:
        title += f", about {left.total_seconds():.0f} s to go"
    table = Table(title=title, box=None)
    for column in ("team", "world", "problem"):
        table.add_column(column)
    for team in exercise.teams:
        problem = team.problem.message if team.problem else ""
        table.add_row(team.slug, team.world, Text(harmless(problem)))
    return table


def follow(services: Services, name: str, progress: Progress, *, timeout: int) -> Exercise:
    """Show how the worlds are built until they are; return the exercise then.

    Raises WaitedTooLongError after `timeout` seconds; Ctrl-C leaves the building to go on.
    """
    clock = services.clock
    began = clock.now()
    latest = [services.exercises.get(name)]
    warned = False

    def settled() -> bool:
        nonlocal warned
        latest[0] = services.exercises.get(name)
        waited = clock.now() - began
        progress.show(latest[0], waited, services.exercises.ready_in(latest[0]))
        if (
            not warned
            and waited > _WORKER_PATIENCE
            and not worker_seen(services.settings, clock.now())
        ):
            warned = True
            progress.say("no worker has been seen; in another terminal, type: poligon serve --all")
        return latest[0].phase not in _BUILDING

    try:
        with progress:
            until(
                settled,
                what=f"building {name}",
                within=timedelta(seconds=timeout),
                every=_LOOK_EVERY,
                last_seen=lambda: _summary(latest[0]),
            )
    except KeyboardInterrupt:
        progress.say(
            f"\nIt goes on in the background. To look: poligon exercise status {name}"
            f"\nTo hand out logins: poligon exercise logins {name}"
        )
        raise
    return latest[0]


def _summary(exercise: Exercise) -> str:
    counts = Counter(team.world for team in exercise.teams)
    return ", ".join(f"{count} {world}" for world, count in counts.items())
