"""What becomes of an answer: whether it is judged, and what the team is told."""

from dataclasses import dataclass
from enum import StrEnum


class AnswerVerdict(StrEnum):
    """What an answer was."""

    CORRECT = "correct"
    WRONG = "wrong"
    WRONG_FORM = "wrong_form"  # no text of this form can be right; it is not judged
    FOREIGN = "foreign"  # another team's secret; whoever sent it is told that it is wrong
    ALREADY = "already"
    NO_ATTEMPTS_LEFT = "no_attempts_left"

    @property
    def told(self) -> "AnswerVerdict":
        """What the team learns: not that it was caught with another team's secret."""
        return AnswerVerdict.WRONG if self is AnswerVerdict.FOREIGN else self


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """A verdict, and which of the team's attempts it was; `None` when none was used."""

    verdict: AnswerVerdict
    attempt: int | None
    attempts_left: int | None


def decide(
    *,
    right: bool,
    foreign: bool,
    solved: bool,
    used: int,
    allowed: int | None,
    readable: bool = True,
) -> Decision:
    """Decide on an answer of a team that has used so many attempts of those allowed.

    Attempts are the team's. After a solve and after the last attempt nothing is judged any more;
    nor is what cannot be read as what is asked for, whosever secret it is.
    """
    left = None if allowed is None else max(allowed - used, 0)
    if solved:
        return Decision(verdict=AnswerVerdict.ALREADY, attempt=None, attempts_left=left)
    if left == 0:
        return Decision(verdict=AnswerVerdict.NO_ATTEMPTS_LEFT, attempt=None, attempts_left=0)
    if not readable:
        return Decision(verdict=AnswerVerdict.WRONG_FORM, attempt=None, attempts_left=left)
    if right:
        verdict = AnswerVerdict.CORRECT
    else:
        verdict = AnswerVerdict.FOREIGN if foreign else AnswerVerdict.WRONG
    return Decision(
        verdict=verdict, attempt=used + 1, attempts_left=None if left is None else left - 1
    )
