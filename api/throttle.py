"""Slowing down whoever guesses passwords, without locking a class out.

Counted are wrong passwords: per account first, per address second and generously, because a room of
forty shares one. In memory and per process: a restart forgets, which costs an attacker nothing
worth having against passwords of 60 bits.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from api.errors import TooManyLoginsError
from api.sliding_window import Full, SlidingWindow
from core.clock import Clock
from core.users.model import LoginRefusedError

_WINDOW = timedelta(minutes=5)
_PER_ACCOUNT = 10
_PER_ADDRESS = 400


class LoginThrottle:
    """Counts wrong passwords in the last five minutes."""

    def __init__(self, clock: Clock) -> None:
        self._wrong = SlidingWindow(clock, _WINDOW)

    @contextmanager
    def attempt(self, *, account: str, address: str) -> Iterator[None]:
        """Run one attempt in the block; a LoginRefusedError that leaves it is counted.

        Raises TooManyLoginsError instead of running it when there were too many.
        """
        limits = {f"account {account}": _PER_ACCOUNT, f"address {address}": _PER_ADDRESS}
        # Counted beforehand and taken back afterwards: attempts at the same time count, too.
        at = self._wrong.take(limits)
        if isinstance(at, Full):
            raise TooManyLoginsError(
                f"there were too many wrong passwords for this {at.key.split()[0]}",
                seconds=at.seconds,
            )
        try:
            yield
        except LoginRefusedError:
            raise
        except BaseException:
            self._wrong.give_back(limits, at)
            raise
        self._wrong.give_back(limits, at)
