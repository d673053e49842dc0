"""What is known of a check after each round: whether it passes, since when, how often it did."""

from dataclasses import dataclass, field
from datetime import timedelta

from scoring.domain.availability import Rounds
from scoring.domain.verdicts import Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckRun:
    """One look: in which round, at what exercise time, and what was seen."""

    round: int
    at: timedelta
    verdict: Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckState:
    """A check of a team after its runs. Times are exercise time: a pause neither helps nor harms.

    `passing_since` is the first of the passes that nothing but our own faults has interrupted, and
    `passed_at` the last of them; both are `None` while the check does not pass.
    """

    round: int = -1
    verdict: Verdict | None = None
    passing_since: timedelta | None = None
    passed_at: timedelta | None = None
    rounds: Rounds = field(default_factory=Rounds)

    def after(self, run: CheckRun) -> "CheckState":
        """Return the state with one run more; one that is late or comes again changes nothing."""
        if run.round <= self.round:
            return self
        since, passed_at = self.passing_since, self.passed_at
        if run.verdict.passes:
            since, passed_at = (run.at if since is None else since), run.at
        elif run.verdict.scored:
            since = passed_at = None
        return CheckState(
            round=run.round,
            verdict=run.verdict,
            passing_since=since,
            passed_at=passed_at,
            rounds=self.rounds.after(run.verdict),
        )

    @property
    def held(self) -> timedelta | None:
        """How long the check was seen to pass without a break; `None` while it does not."""
        if self.passing_since is None or self.passed_at is None:
            return None
        return self.passed_at - self.passing_since

    def has_held(self, hold: timedelta) -> bool:
        """Tell whether the check passes and has done so for `hold`."""
        return self.held is not None and self.held >= hold
