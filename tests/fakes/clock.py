"""A clock that stands where a test put it."""

from datetime import UTC, datetime, timedelta


class FakeClock:
    """Starts at noon of 23 November 2026 UTC and moves only by `advance`."""

    def __init__(self, now: datetime = datetime(2026, 11, 23, 12, tzinfo=UTC)) -> None:
        self._now = now

    def now(self) -> datetime:
        return self._now

    def advance(self, by: timedelta) -> None:
        self._now += by
