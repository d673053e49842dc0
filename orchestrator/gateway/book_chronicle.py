"""What a gateway tells, written into the book of sessions."""

from dataclasses import replace
from datetime import timedelta

from core.clock import Clock
from orchestrator.gateway.chronicle import Chronicle
from orchestrator.gateway.forwarding import Forwarded, log_forward
from orchestrator.gateway.tally import Tally
from orchestrator.terminal.book import (
    Began,
    Ended,
    FileMoved,
    ForwardClosed,
    Kind,
    LoginsFailed,
    SessionBook,
    Turned,
    TurnedAway,
)
from orchestrator.terminal.files.transfers import Transfer
from orchestrator.terminal.printable import printable
from orchestrator.terminal.recorder import CastWriter
from orchestrator.terminal.recording import Recording
from orchestrator.terminal.visit import Visit

_LONGEST_PATH = 4096  # PATH_MAX
_TOLD_AGAIN = timedelta(minutes=10)


class BookChronicle(Recording, Chronicle):
    """Writes down sessions, their files, and what each connection forwarded as one session more."""

    def __init__(self, book: SessionBook, writer: CastWriter, clock: Clock) -> None:
        super().__init__(book, writer, clock)
        self._forwarding: set[str] = set()
        self._turned = Tally(self._tell_turned, every=_TOLD_AGAIN)

    def moved(self, visit: Visit, transfer: Transfer) -> None:
        """Write down that a file was put or taken."""
        self._book.note(
            FileMoved(
                session=visit.id,
                at=self._clock.now(),
                direction=transfer.direction,
                path=printable(transfer.path, most=_LONGEST_PATH),
                size=transfer.size,
                sha256=transfer.sha256,
                whole=transfer.whole,
            )
        )

    def guessed(self, name: str, source: str, count: int) -> None:
        """Write down that so many wrong passwords or codes came for a name."""
        at = self._clock.now()
        self._book.note(LoginsFailed(name=name, source=source, count=count, at=at))

    def turned_away(self, name: str, why: Turned, *, source: str, said: str = "") -> None:
        """Write down that somebody was turned away: at once, then every ten minutes how often."""
        at = self._clock.now()
        turned = TurnedAway(name=name, why=why, source=source, said=said, count=1, at=at)
        self._turned.add((name, why), turned)

    def _tell_turned(self, turned: TurnedAway, count: int) -> None:
        self._book.note(replace(turned, count=count))

    def forwarded(self, over: Forwarded) -> None:
        """Write a forward down, and before the first of a connection their session."""
        log_forward(over)
        goal = over.goal
        if goal.connection not in self._forwarding:
            self._forwarding.add(goal.connection)
            self._book.note(
                Began(
                    session=goal.connection,
                    login=goal.login,
                    host=goal.entry.host,
                    account=goal.entry.account,
                    kind=Kind.FORWARD,
                    at=over.began,
                    unrecorded="it has no terminal",
                )
            )
        self._book.note(
            ForwardClosed(
                session=goal.connection,
                began=over.began,
                at=over.ended,
                target=goal.address,
                port=goal.port,
                to_target=over.to_target,
                from_target=over.from_target,
            )
        )

    def left(self, connection: str) -> None:
        """Write down the end of a connection that forwarded, after that of its last forward."""
        if connection in self._forwarding:
            self._forwarding.remove(connection)
            self._book.note(Ended(session=connection, at=self._clock.now(), code=0))
