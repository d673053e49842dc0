"""What tells staff how a terminal is doing: when something was typed and shown, and how much."""

from datetime import datetime, timedelta

from core.clock import Clock


class Pulse:
    """Counts what passes through one session."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.bytes_typed = 0
        self.bytes_shown = 0
        self.last_typed = clock.now()
        self.last_shown = self.last_typed
        self._unanswered_since: datetime | None = None

    def typed(self, count: int) -> None:
        """Count input."""
        self.last_typed = self._clock.now()
        self.bytes_typed += count
        self._unanswered_since = self._unanswered_since or self.last_typed

    def shown(self, count: int) -> None:
        """Count output."""
        self.last_shown = self._clock.now()
        self.bytes_shown += count
        self._unanswered_since = None

    def idle(self) -> timedelta:
        """Return how long nothing was typed."""
        return self._clock.now() - self.last_typed

    def unanswered(self) -> timedelta:
        """Return how long the first of what was typed since the last output waits for an answer.

        Zero when nothing waits. It shows who hangs; also who started a long silent command.
        """
        since = self._unanswered_since
        return self._clock.now() - since if since else timedelta()
