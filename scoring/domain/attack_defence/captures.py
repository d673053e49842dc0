"""What becomes of a flag that a team hands in.

The order of the questions, and what they ask, are those of the submission protocol that
attack-defence contests agreed upon (FAUST's ctf-gameserver, `docs/submission.md`).
"""

from dataclasses import dataclass
from enum import StrEnum

from core.ids import TeamId
from scoring.domain.attack_defence.rounds import is_alive


class CaptureCode(StrEnum):
    """What a team is told about a flag that it handed in."""

    ACCEPTED = "accepted"
    DUPLICATE = "duplicate"  # the team has handed it in before
    OWN = "own"
    OLD = "old"  # it may not be taken any more
    REFERENCE = "reference"  # a flag of the reference team, which is there to practise on
    INVALID = "invalid"
    NOT_RUNNING = "not_running"


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuedFlag:
    """A flag that was given out: `team` is whose service keeps it, since `round`."""

    id: str
    team: TeamId
    service: str
    round: int


def judge_capture(
    flag: IssuedFlag | None,
    *,
    by: TeamId,
    now: int,
    lives: int,
    reference: frozenset[TeamId] = frozenset(),
    is_taken: bool = False,
) -> CaptureCode:
    """Return what a team is told that hands in `flag` in round `now`.

    `None` is a text that is nobody's flag; `is_taken` is whether the team handed it in before.
    """
    if flag is None:
        return CaptureCode.INVALID
    if not is_alive(flag.round, now, lives):
        return CaptureCode.OLD
    if flag.team == by:
        return CaptureCode.OWN
    if flag.team in reference:
        return CaptureCode.REFERENCE
    return CaptureCode.DUPLICATE if is_taken else CaptureCode.ACCEPTED
