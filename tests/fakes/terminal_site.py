"""A site with pages, a gateway beside it, and one real host: the desk of team-1."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from api.gateways import door_folder
from orchestrator.access import Access
from orchestrator.domain.exercise import Exercise
from orchestrator.domain.world import WorldKey
from orchestrator.engine.exec_stream import DockerTerminals
from orchestrator.gateway.book_chronicle import BookChronicle
from orchestrator.gateway.server import Gateway
from orchestrator.terminal.notebook import Notebook
from orchestrator.terminal.recorder import CastWriter
from tests.fakes.api_site import ApiSite, api_site
from tests.fakes.broker_stage import a_broker, a_loop
from tests.fakes.gateway_stage import Box, a_box
from tests.fakes.served import Door


@dataclass(frozen=True, slots=True, kw_only=True)
class TerminalSite:
    """What a browser needs: a site, its exercise, the host in it, and the way there by SSH."""

    site: ApiSite
    exercise: Exercise
    desk: Box
    gateway: Gateway

    @property
    def trainee(self) -> str:
        """The login of team-1."""
        return self.exercise.teams[0].members[0].name

    def acts(self, session: str) -> list[tuple[str, str, str]]:
        """Return what staff did to a terminal, by whom and why."""
        journal = self.site.services.exercises.journal
        entries = journal.of(self.exercise.id)
        return [(e.act, e.actor, e.reason) for e in entries if e.subject == session]


@contextmanager
def terminal_site(
    folder: Path, *, installation: str, doors: tuple[Door, ...] = ()
) -> Iterator[TerminalSite]:
    """Lend a site whose exercise runs; it can be had at `doors`, too."""
    with (
        api_site(folder, doors=doors) as site,
        a_broker(folder, installation=installation) as broker,
        a_loop() as loop,
    ):
        exercise = site.launch()
        world = WorldKey(exercise=exercise.id, team="team-1")
        book = Notebook(site.services.sessions.write)
        writer = CastWriter(site.services.sessions.folder, book, site.services.clock)

        async def started() -> Gateway:
            gateway = Gateway(
                doorkeeper=Access(site.services.users, site.services.exercises),
                terminals=DockerTerminals(broker, installation=installation),
                host_key=folder / "host_key",
                address="127.0.0.1",
                port=0,
                chronicle=BookChronicle(book, writer, site.services.clock),
                doors=door_folder(site.services.settings),
                look_every=timedelta(milliseconds=200),
            )
            await gateway.start()
            return gateway

        with a_box(installation, "desk", world=world, account="ana") as desk:
            gateway = asyncio.run_coroutine_threadsafe(started(), loop).result(timeout=60)
            try:
                yield TerminalSite(site=site, exercise=exercise, desk=desk, gateway=gateway)
            finally:
                asyncio.run_coroutine_threadsafe(gateway.close(), loop).result(timeout=60)
                writer.close()
                book.close()
