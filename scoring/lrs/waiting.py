"""How long an LRS is left alone that did not take what it was sent. Pure."""

from datetime import timedelta

FIRST_WAIT = timedelta(milliseconds=20)
LONGEST_WAIT = timedelta(minutes=5)
LONGEST_ASKED = timedelta(hours=1)
"""How long an LRS may ask to be left alone."""
_NOT_BRIEF = 12
_MOST_DOUBLED = 20


def wait_after(
    failures: int, *, brief: bool, roll: float, asked: timedelta | None = None
) -> timedelta:
    """Return how long to wait after so many failures in a row, 1 at least.

    Not at all after the first that is `brief`: most are over by then. After that it doubles, and
    `roll`, from 0 to 1, takes off up to half, so that many do not come back at once. What is not
    `brief` begins at 20 seconds. An LRS that `asked` for more gets that.
    """
    steps = min(failures if brief else failures + _NOT_BRIEF, _MOST_DOUBLED)
    wait = min(FIRST_WAIT * (1 << (steps - 2)), LONGEST_WAIT) if steps > 1 else timedelta()
    wait *= 1 - roll / 2
    return max(wait, min(asked, LONGEST_ASKED)) if asked is not None else wait
