"""Closing a round: what was seen and taken in it, and what every team's services have after it.

A fold. The same rounds in the same order give the same points, whether one is closed while the
exercise runs or all of them again, years later.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from core.ids import TeamId
from scoring.domain.attack_defence.presets import Circumstances, Preset
from scoring.domain.verdicts import Verdict

Place = tuple[TeamId, str]
"""A service of a team."""
_WORKS = frozenset({Verdict.UP, Verdict.RECOVERING})


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """Who plays, and what. `unranked` are reference teams: attacked, and otherwise not there."""

    teams: tuple[TeamId, ...]
    services: tuple[str, ...]
    unranked: frozenset[TeamId] = frozenset()

    @property
    def places(self) -> tuple[Place, ...]:
        """Every service of every team."""
        return tuple((team, service) for team in self.teams for service in self.services)

    @property
    def ranked(self) -> tuple[TeamId, ...]:
        """The teams that score."""
        return tuple(team for team in self.teams if team not in self.unranked)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """What a service of a team has after a round. Points in thousandths.

    `rounds` were played, `scored` of them seen by a checker; `earned` is what those gave.
    """

    verdict: Verdict | None = None
    rounds: int = 0
    scored: int = 0
    earned: int = 0
    attack: int = 0
    defence: int = 0
    captured: int = 0
    lost: int = 0

    @property
    def availability(self) -> int:
        """What it has for being available.

        A round that nobody could see, which is our fault, counts as the team's own average: it
        neither gives nor takes.
        """
        return self.earned * self.rounds // self.scored if self.scored else 0

    @property
    def points(self) -> int:
        """What the service has given and taken together."""
        return self.attack + self.defence + self.availability


_NOTHING = Tally()


@dataclass(frozen=True, slots=True, kw_only=True)
class TakenFlag:
    """A flag that was taken in the round that closes; `before` had it in earlier ones."""

    owner: TeamId
    service: str
    round: int
    before: tuple[TeamId, ...]
    now: tuple[TeamId, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RoundFacts:
    """What was seen in time and taken in a round; one that the end cut short is not `whole`.

    What was seen in such a round does not count: it may be that only some teams were looked at.
    """

    number: int
    looks: Mapping[Place, Verdict]
    taken: Sequence[TakenFlag] = ()
    whole: bool = True

    @property
    def verdicts(self) -> Mapping[Place, Verdict]:
        """What counts of what was seen."""
        return {p: v for p, v in self.looks.items() if v.scored} if self.whole else {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """What is left to know of earlier rounds: what counted in them, and the ranks they began at."""

    verdicts: Mapping[int, Mapping[Place, Verdict]] = field(default_factory=dict)
    ranks: Mapping[int, Mapping[TeamId, int]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Game:
    """The rules of an exercise, and who plays."""

    preset: Preset
    field: Field

    def close(
        self, tallies: Mapping[Place, Tally], facts: RoundFacts, past: Past
    ) -> dict[Place, Tally]:
        """Return what every service has after a round; `tallies` is what it had before."""
        counts = facts.verdicts
        active = self._active(counts)
        after = {place: tallies.get(place, _NOTHING) for place in self.field.places}
        if facts.whole:
            after = self._seen(after, facts, counts, active)
        verdicts = {**past.verdicts, facts.number: counts}
        for flag in facts.taken:
            self._move(after, flag, self._circumstances(flag, active, verdicts, past))
        return after

    def _seen(
        self,
        before: Mapping[Place, Tally],
        facts: RoundFacts,
        counts: Mapping[Place, Verdict],
        active: int,
    ) -> dict[Place, Tally]:
        gives = {verdict: self._given(verdict, active) for verdict in set(counts.values())}
        unranked = self.field.unranked
        after = {}
        for place, tally in before.items():
            scored = place in counts and place[0] not in unranked
            after[place] = Tally(
                verdict=facts.looks.get(place),
                rounds=tally.rounds + 1,
                scored=tally.scored + scored,
                earned=tally.earned + (gives[counts[place]] if scored else 0),
                attack=tally.attack,
                defence=tally.defence,
                captured=tally.captured,
                lost=tally.lost,
            )
        return after

    def _given(self, verdict: Verdict, active: int) -> int:
        return self.preset.availability(verdict, active=active, teams=len(self.field.ranked))

    def _active(self, verdicts: Mapping[Place, Verdict]) -> int:
        return max(1, sum(self._is_active(team, verdicts) for team in self.field.ranked))

    def _is_active(self, team: TeamId, verdicts: Mapping[Place, Verdict]) -> bool:
        """Tell whether a service of a team works, for all we know: one that was not seen may."""
        return any(
            verdicts.get((team, service), Verdict.UP) in _WORKS for service in self.field.services
        )

    def _circumstances(
        self,
        flag: TakenFlag,
        active: int,
        verdicts: Mapping[int, Mapping[Place, Verdict]],
        past: Past,
    ) -> Circumstances:
        then = verdicts.get(flag.round, {})
        seen = then.get((flag.owner, flag.service))
        ranks = past.ranks.get(flag.round, {})
        return Circumstances(
            rank=ranks.get(flag.owner, len(self.field.ranked)),
            availability=self._given(seen, self._active(then)) if seen is not None else 0,
            active=active,
        )

    def _move(self, after: dict[Place, Tally], flag: TakenFlag, at: Circumstances) -> None:
        before, captors = len(flag.before), len(flag.before) + len(flag.now)
        had, has = self.preset.attack(before, at) if before else 0, self.preset.attack(captors, at)
        for team in flag.before:
            _add(after, (team, flag.service), attack=has - had)
        for team in flag.now:
            _add(after, (team, flag.service), attack=has, captured=1)
        cost = self.preset.loss(before, at) if before else 0
        _add(
            after,
            (flag.owner, flag.service),
            defence=cost - self.preset.loss(captors, at),
            lost=int(not before),
        )


def ranks(points: Mapping[TeamId, int]) -> dict[TeamId, int]:
    """Return each team's rank as saarCTF has it: equal points share one.

    Teams with nothing, or less, all come after those that have something.
    """
    higher = Counter(points.values())
    return {
        team: 1 + sum(count for value, count in higher.items() if value > max(has, 0))
        for team, has in points.items()
    }


def points_of(tallies: Iterable[tuple[Place, Tally]]) -> dict[TeamId, int]:
    """Return what each team has of all its services."""
    points: Counter[TeamId] = Counter()
    for (team, _), tally in tallies:
        points[team] += tally.points
    return dict(points)


def _add(
    after: dict[Place, Tally],
    place: Place,
    *,
    attack: int = 0,
    defence: int = 0,
    captured: int = 0,
    lost: int = 0,
) -> None:
    tally = after[place]
    after[place] = replace(
        tally,
        attack=tally.attack + attack,
        defence=tally.defence + defence,
        captured=tally.captured + captured,
        lost=tally.lost + lost,
    )
