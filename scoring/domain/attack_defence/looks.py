"""What a round's errands to a service say of it together.

The order is FAUST's (ctf-gameserver, `checkerlib`): leave the new flag, use the service, ask for
the new flag, then for those of earlier rounds that still live. What fails first decides.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from scoring.domain.verdicts import Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """An errand, done; `is_earlier` when it asked for a flag of an earlier round."""

    verdict: Verdict
    is_earlier: bool = False

    @property
    def is_last(self) -> bool:
        """Whether no other errand can say more: a flag of earlier that is gone is not the end."""
        if self.is_earlier and self.verdict is Verdict.MUMBLE:
            return False
        return self.verdict not in {Verdict.UP, Verdict.RECOVERING}


def look_verdict(steps: Sequence[Step], *, lacks_flags: bool = False) -> Verdict:
    """Return what a round says of a service, from its errands in order.

    `lacks_flags` is whether a flag that lives could never be left in it because it did not work
    then: like one that is gone, it makes the service `recovering` and no more. An errand that we
    could not do spoils the round, unless the service had failed before.
    """
    for step in steps:
        if step.is_last:
            return step.verdict
    whole = all(step.verdict is Verdict.UP for step in steps)
    return Verdict.UP if whole and not lacks_flags else Verdict.RECOVERING
