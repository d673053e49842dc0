"""Slowing down whoever sends files all the time; by person and by team, never by address.

In memory and per process, as for passwords: the number of revisions is limited in any case.
"""

from datetime import timedelta

from api.errors import TooManyUploadsError
from api.sliding_window import Full, SlidingWindow
from core.clock import Clock
from core.ids import TeamId, UserId

_WINDOW = timedelta(minutes=5)
_PER_PERSON = 20
_PER_TEAM = 40


class UploadThrottle:
    """Counts the files that were sent in the last five minutes, refused ones too."""

    def __init__(self, clock: Clock) -> None:
        self._sent = SlidingWindow(clock, _WINDOW)

    def count(self, user: UserId, team: TeamId) -> None:
        """Count one more; raises TooManyUploadsError instead when there were too many."""
        taken = self._sent.take({f"person {user}": _PER_PERSON, f"team {team}": _PER_TEAM})
        if isinstance(taken, Full):
            raise TooManyUploadsError(
                f"too many files were sent by this {taken.key.split()[0]}", seconds=taken.seconds
            )
