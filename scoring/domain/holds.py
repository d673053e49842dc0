"""What is known of a check after each round: whether it passes, since when, how often it did."""

from datetime import timedelta
from typing import NamedTuple

from scoring.domain.availability import Rounds
from scoring.domain.verdicts import Verdict

_EXCUSED = "~"
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
    def scored(self) -> bool:
        """Whether it counts, for the team or against it."""
        return self.verdict.scored and not self.excused

    @property
    def outcome(self) -> str:
        """What the fact of the round says: the verdict, with `~` in front when it is excused."""
        return f"{_EXCUSED}{self.verdict}" if self.excused else self.verdict

    @classmethod
    def told(cls, round: int, at: timedelta, outcome: str) -> "CheckRun":  # noqa: A002
        """Return the run of which a fact has this outcome."""
        verdict, excused = _OUTCOMES[outcome]
        return cls(round, at, verdict, excused)


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

    def after(self, run: CheckRun) -> "CheckState":
        """Return the state with one run more; one that is late or comes again changes nothing."""
        if run.round <= self.round:
            return self
        _, _, since, passed_at, rounds, _, failures = self
        if run.scored:
            rounds = rounds.after(run.verdict)
            if run.verdict.passes:
                since = run.at if since is None else since
                passed_at, failures = max(run.at, passed_at or since), 0
            else:
                since, passed_at, failures = None, None, failures + 1
        missed = self.missed + run.round - self.round - 1 + (run.verdict is Verdict.MISSING)
        return CheckState(run.round, run.verdict, since, passed_at, rounds, missed, failures)

    @property
    def held(self) -> timedelta | None:
        """How long the check was seen to pass without a break; `None` while it does not."""
        if self.passing_since is None or self.passed_at is None:
            return None
        return self.passed_at - self.passing_since

    def has_held(self, hold: timedelta) -> bool:
        """Tell whether the check passes and has done so for `hold`."""
        return self.held is not None and self.held >= hold
