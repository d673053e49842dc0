"""What is known of a check after each round: whether it passes, since when, how often it did."""

from datetime import timedelta
from typing import NamedTuple

from scoring.domain.availability import Rounds
from scoring.domain.verdicts import Verdict

_EXCUSED = "~"
_MISSING = Verdict.MISSING  # bound here: see `availability`
# A table: a replay reads a million of them.
_OUTCOMES = {
    f"{mark}{verdict}": (verdict, bool(mark)) for verdict in Verdict for mark in ("", _EXCUSED)
}


class CheckRun(NamedTuple):
    """One round: its number, at what exercise time somebody looked, and what was seen.

    It is `excused` when maintenance was declared for that time.
    """

    round: int
    at: timedelta
    verdict: Verdict
    excused: bool = False

    @property
    def outcome(self) -> str:
        """What the fact of the round says: the verdict, with `~` in front when it is excused."""
        return f"{_EXCUSED}{self.verdict}" if self.excused else self.verdict


class CheckState(NamedTuple):
    """A check of a team after its runs. Times are exercise time: a pause neither helps nor harms.

    `passing_since` is the first of the passes that nothing but our own faults has interrupted, and
    `passed_at` the last of them; both are `None` while the check does not pass. `failures` are the
    scored rounds in a row that failed last, `missed` all rounds that nobody carried out.
    """

    round: int = -1
    verdict: Verdict | None = None
    passing_since: timedelta | None = None
    passed_at: timedelta | None = None
    rounds: Rounds = Rounds()
    missed: int = 0
    failures: int = 0

    def after(self, number: int, at: timedelta, outcome: str) -> "CheckState":
        """Return the state with one round more, as its fact tells of it (`CheckRun.outcome`).

        One that is late or comes again changes nothing.
        """
        verdict, excused = _OUTCOMES[outcome]
        former, _, since, passed_at, rounds, missed, failures = self
        if number <= former:
            return self
        if verdict.scored and not excused:
            rounds = rounds.after(verdict)
            if verdict.passes:
                since = at if since is None else since
                passed_at = at if passed_at is None or at > passed_at else passed_at
                failures = 0
            else:
                since, passed_at, failures = None, None, failures + 1
        missed += number - former - 1 + (verdict is _MISSING)
        after = (number, verdict, since, passed_at, rounds, missed, failures)
        return tuple.__new__(CheckState, after)

    @property
    def held(self) -> timedelta | None:
        """How long the check was seen to pass without a break; `None` while it does not."""
        if self.passing_since is None or self.passed_at is None:
            return None
        return self.passed_at - self.passing_since

    def has_held(self, hold: timedelta) -> bool:
        """Tell whether the check passes and has done so for `hold`."""
        return self.held is not None and self.held >= hold
