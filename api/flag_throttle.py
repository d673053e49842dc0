"""A limit on how many flags a team hands in: the database is everybody's.

In memory and per process: a restart forgets, which wins a guesser nothing against flags of 95 bits.
"""

from datetime import timedelta

from api.errors import TooManyFlagsError
from api.sliding_window import Full, SlidingWindow
from core.clock import Clock
from core.ids import TeamId

_WINDOW = timedelta(minutes=1)
PER_WINDOW = 2000


class FlagThrottle:
    """Counts the flags that each team handed in within the last minute."""

    def __init__(self, clock: Clock) -> None:
        self._handed = SlidingWindow(clock, _WINDOW)

    def take(self, team: TeamId, count: int) -> None:
        """Count some flags of a team; raises TooManyFlagsError instead when they are too many."""
        taken = self._handed.take({team: PER_WINDOW}, count=count)
        if isinstance(taken, Full):
            raise TooManyFlagsError(
                f"a team hands in {PER_WINDOW} flags a minute at most", seconds=taken.seconds
            )
