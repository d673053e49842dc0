"""The clock of a rehearsal: the wall's, put forward by as much as it was jumped."""

from datetime import datetime, timedelta

from core.clock import Clock


class RehearsalClock:
    """A clock that runs on and can be jumped."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._ahead = timedelta()

    def now(self) -> datetime:
        """Return the time of the rehearsal, aware, in UTC."""
        return self._clock.now() + self._ahead

    def jump(self, by: timedelta) -> None:
        """Put it forward."""
        self._ahead += by
