"""By whose rules attack, defence and availability add up. Everything in thousandths of a point.

Both rules come from gameservers that contests were played on; reference teams are counted nowhere.
Each part is rounded down to a thousandth by itself, so that it is the same on every machine.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import isqrt
from types import MappingProxyType
from typing import Protocol

from scoring.domain.attack_defence.roots import root
from scoring.domain.verdicts import Verdict

_MILLION = 1_000_000
# The credit of a round, in halves.
_HALVES: Mapping[Verdict, int] = MappingProxyType({Verdict.UP: 2, Verdict.RECOVERING: 1})


@dataclass(frozen=True, slots=True, kw_only=True)
class Circumstances:
    """What a flag's worth depends on beside who took it.

    `rank` is its owner's when it was issued, `availability` what the owner's service got in that
    round, in thousandths; `active` counts the teams of which a service works now.
    """

    rank: int
    availability: int
    active: int


class Preset(Protocol):
    """Rules. `captors` is by how many teams a flag was taken so far, one at least.

    Only one that `looks_back` asks for the `rank` and `availability` of circumstances.
    """

    @property
    def looks_back(self) -> bool:
        """Whether what happened in the round of a flag matters."""
        ...

    def attack(self, captors: int, at: Circumstances) -> int:
        """Return what a flag is worth to each of its captors."""
        ...

    def loss(self, captors: int, at: Circumstances) -> int:
        """Return what a flag costs its owner."""
        ...

    def availability(self, verdict: Verdict, *, active: int, teams: int) -> int:
        """Return what a round gives a service that was found like this."""
        ...


class Faust:
    """FAUST CTF: ctf-gameserver, `controller/scoring.py`, as of June 2026.

    attack = Σ (1 + 1 / captors), defence = -Σ captors^0.75, availability =
    (rounds up + ½ rounds recovering) · √teams.
    """

    looks_back = False

    def attack(self, captors: int, at: Circumstances) -> int:  # noqa: ARG002  # another preset asks
        """Return 1 + 1 / captors."""
        return 1000 + 1000 // captors

    def loss(self, captors: int, at: Circumstances) -> int:  # noqa: ARG002  # another preset asks
        """Return captors^0.75."""
        return root(10**12 * captors**3, 4)

    def availability(self, verdict: Verdict, *, active: int, teams: int) -> int:  # noqa: ARG002  # another preset asks
        """Return √teams, half of it while recovering."""
        return _times_root(verdict, teams)


class Saar:
    """saarCTF: saarctf-gameserver, `scoring/algorithms/saarctf.py`, as of February 2026.

    attack = Σ (1 + √(1 / captors) + √(1 / rank of the owner)), defence =
    -Σ (captors / active teams)^0.3 · availability of the flag's round, availability =
    √(active teams) a round, half of it while recovering. Its factors are 1.
    """

    looks_back = True

    def attack(self, captors: int, at: Circumstances) -> int:
        """Return 1 + √(1 / captors) + √(1 / rank)."""
        return 1000 + isqrt(_MILLION // captors) + isqrt(_MILLION // at.rank)

    def loss(self, captors: int, at: Circumstances) -> int:
        """Return (captors / active)^0.3 · availability."""
        return root(at.availability**10 * captors**3 // at.active**3, 10)

    def availability(self, verdict: Verdict, *, active: int, teams: int) -> int:  # noqa: ARG002  # another preset asks
        """Return √active, half of it while recovering."""
        return _times_root(verdict, active)


PRESETS: Mapping[str, Preset] = MappingProxyType({"faust": Faust(), "saar": Saar()})


def _times_root(verdict: Verdict, count: int) -> int:
    halves = _HALVES.get(verdict, 0)
    return isqrt(halves**2 * count * _MILLION // 4)
