"""Rounds that a defective checker spoilt: what it saw in them counts for nobody."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Self

from scoring.domain.attack_defence.game import Place
from scoring.domain.attack_defence.rounds import is_alive
from scoring.domain.verdicts import Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Spoilt:
    """Services with the rounds that were spoilt, and later ones in which their flags still live."""

    unseen: frozenset[tuple[str, int]] = frozenset()
    lacking: frozenset[tuple[str, int]] = frozenset()

    @classmethod
    def of(cls, rounds: Mapping[str, Collection[int]], lives: Mapping[str, int]) -> Self:
        """Return what is spoilt by service → rounds, and service → rounds that a flag lives."""
        unseen = frozenset((service, n) for service, spoilt in rounds.items() for n in spoilt)
        lacking = frozenset(
            (service, later)
            for service, number in unseen
            for later in range(number + 1, number + lives[service])
            if is_alive(number, later, lives[service])
        )
        return cls(unseen=unseen, lacking=lacking)

    def counted(self, number: int, looks: Mapping[Place, Verdict]) -> dict[Place, Verdict]:
        """Return what was seen in a round as it counts.

        While a flag of a spoilt round lives nobody can tell why a service lacks a flag: then
        `recovering` is our fault, too.
        """
        return {
            place: Verdict.INFRA_ERROR if self._is_ours(place[1], number, verdict) else verdict
            for place, verdict in looks.items()
        }

    def _is_ours(self, service: str, number: int, verdict: Verdict) -> bool:
        if (service, number) in self.unseen:
            return True
        return verdict is Verdict.RECOVERING and (service, number) in self.lacking
