"""A client's hold on a session, as an adapter gets it."""

from orchestrator.terminal.ending import End
from orchestrator.terminal.session import Session
from orchestrator.terminal.stream import TerminalSize
from orchestrator.terminal.visit import Visit


class Attachment:
    """Tells a session what one client does, until that client is gone.

    Afterwards it does nothing: the session may be another client's by then, and what the first
    one's transport says late must not reach it.
    """

    def __init__(self, session: Session) -> None:
        self.session = session
        self._is_there = True

    @property
    def visit(self) -> Visit:
        """What the session was opened for."""
        return self.session.visit

    def received(self, data: bytes) -> None:
        """Take input from the client; it is paused when the process does not keep up."""
        if self._is_there:
            self.session.typed(data)

    def received_eof(self) -> None:
        """Take the end of the client's input."""
        if self._is_there:
            self.session.typed_eof()

    def resized(self, size: TerminalSize) -> None:
        """Give the process's terminal the size of the client's."""
        if self._is_there:
            self.session.resized(size)

    def client_full(self) -> None:
        """Read no more output until `client_drained`: the client does not keep up."""
        if self._is_there:
            self.session.hold()

    def client_drained(self) -> None:
        """Read output again."""
        if self._is_there:
            self.session.release()

    def hang_up(self) -> None:
        """Leave: the client is gone. A login shell on a terminal is kept for a while."""
        if self._is_there:
            self._is_there = False
            self.session.detach()

    def kill(self, *, signal: int) -> None:
        """End everything as the client asked; its exit code is what a shell gives for `signal`."""
        if self._is_there:
            self.session.end(End(code=128 + signal))
