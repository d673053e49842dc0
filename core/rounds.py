"""Work that is due every so often, however often it is asked for."""

from datetime import datetime, timedelta

from core.clock import Clock


class Rounds:
    """Tells when a round is due; the first one is at once."""

    def __init__(self, clock: Clock, *, every: timedelta) -> None:
        self._clock = clock
        self._every = every
        self._next: datetime | None = None

    def is_due(self) -> bool:
        """Tell whether a round is to be made now; the next is due so much later."""
        now = self._clock.now()
        if self._next is not None and now < self._next:
            return False
        self._next = now + self._every
        return True
