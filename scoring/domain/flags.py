"""Flags that services keep: one for each team, service and round, derived and never stored."""

import string

from core.scenario.generators.dice import Dice
from core.scenario.schema_services import RoundFlag
from core.security import derive

_ALPHABET = string.ascii_letters + string.digits
_PURPOSE = "flag of a round"


def round_flag(spec: RoundFlag, *, key: bytes, team: str, service: str, number: int) -> str:
    """Return the flag of a round: the same for the same key of the exercise, for ever.

    `team` is its slug, as for values.
    """
    dice = Dice(derive(key, _PURPOSE, team, service, str(number)))
    return spec.format.replace("%s", dice.spelled(_ALPHABET, spec.length))
