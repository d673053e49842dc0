"""What a correction would change: its entries for each team, derived in memory."""

import hashlib
import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC

from sqlalchemy.orm import Session

from core.ids import TeamId
from orchestrator.domain.exercise import Exercise, Team
from scoring.domain.amending import Amendments
from scoring.domain.deriving import take
from scoring.domain.first_solves import When, first_solves
from scoring.domain.ledger import Entry, Fact
from scoring.domain.memory import MemoryBooks
from scoring.domain.replay import replay
from scoring.domain.rules import Rules
from scoring.domain.standings import Total, standings
from scoring.facts import all_facts
from scoring.repository import ScoreRepository
from scoring.rulebook import rules_of

_NOT_BOOKED = sys.maxsize


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskDiff:
    """A task of a team before and after, in thousandths, and whether it is done."""

    task: str
    before: int
    after: int
    was_done: bool
    is_done: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class TeamDiff:
    """A team before and after. `tasks` are those that change; a rank is `None` out of ranking."""

    team: str
    name: str
    before: int
    after: int
    rank_before: int | None
    rank_after: int | None
    tasks: tuple[TaskDiff, ...]
    reversals: int
    new_entries: int

    @property
    def changes(self) -> bool:
        """Whether anything of the team itself changes."""
        return bool(self.tasks or self.reversals or self.new_entries) or (
            self.rank_before != self.rank_after
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstMoved:
    """A task whose first solve goes from one team to another; `None` for nobody."""

    task: str
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """What a correction would change. `digest` stands for the entries that it would book."""

    digest: str
    teams: tuple[TeamDiff, ...]
    firsts: tuple[FirstMoved, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Side:
    """Teams before or after."""

    totals: Mapping[str, Total]
    solves: Mapping[tuple[TeamId, str], When]
    excluded: frozenset[TeamId]

    def ranks(self, teams: Sequence[Team]) -> Mapping[str, int]:
        ranked = [team.id for team in teams if team.id not in self.excluded]
        return {s.team: s.rank for s in standings(ranked, self.totals)}

    def firsts(self) -> Mapping[str, TeamId]:
        return first_solves(self.solves, without=self.excluded)


def previewed(
    session: Session, exercise: Exercise, facts: Mapping[TeamId, Sequence[Fact]]
) -> Preview:
    """Return what corrections would change, by the facts of each team that they are about."""
    rules = rules_of(session, exercise.id)
    first_entries = ScoreRepository(session).solve_entries([team.id for team in exercise.teams])
    before = {team.id: _books(session, team.id, rules) for team in exercise.teams}
    was = _side(exercise, before, first_entries)
    known = {team: len(books.entries) for team, books in before.items()}
    solved = {team: dict(books.solved) for team, books in before.items()}
    for team, mine in facts.items():
        for fact in mine:
            take(fact, before[team], rules)
    becomes = _side(exercise, before, first_entries)
    new = {team: list(before[team].entries.values())[known[team] :] for team in sorted(facts)}
    ranks = was.ranks(exercise.teams), becomes.ranks(exercise.teams)
    return Preview(
        digest=digest_of(new),
        teams=tuple(
            TeamDiff(
                team=team.slug,
                name=team.name,
                before=was.totals[team.id].milli_points,
                after=becomes.totals[team.id].milli_points,
                rank_before=ranks[0].get(team.id),
                rank_after=ranks[1].get(team.id),
                tasks=_tasks(team.id, was, becomes, solved[team.id], before[team.id].solved),
                reversals=sum(e.reverses is not None for e in new.get(team.id, ())),
                new_entries=sum(e.reverses is None for e in new.get(team.id, ())),
            )
            for team in exercise.teams
        ),
        firsts=_firsts(exercise, was, becomes),
    )


def digest_of(entries: Mapping[TeamId, Iterable[Entry]]) -> str:
    """Return the SHA-256, in hex, of entries by team, whenever they are booked."""
    lines = [
        [
            team,
            [(e.key, e.task, e.kind, e.milli_points, e.reverses, _at(e)) for e in entries[team]],
        ]
        for team in sorted(entries)
    ]
    text = json.dumps(lines, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def _at(entry: Entry) -> str | None:
    """Return when an entry takes effect, unless that is with the correction itself."""
    if entry.at is None:
        return None
    return entry.at.astimezone(UTC).isoformat(timespec="microseconds")


def _books(session: Session, team: TeamId, rules: Rules) -> MemoryBooks:
    books, _ = replay(team, all_facts(session, team), rules)
    return books


def _side(
    exercise: Exercise,
    books: Mapping[TeamId, MemoryBooks],
    first_entries: Mapping[tuple[str, str], int],
) -> _Side:
    amendments = {team: Amendments.of(mine.corrections()) for team, mine in books.items()}
    return _Side(
        totals={team: Total.of(list(mine.entries.values())) for team, mine in books.items()},
        solves={
            (team, task): (fact.at, first_entries.get((team, task), _NOT_BOOKED))
            for team, mine in books.items()
            for task, fact in mine.solved.items()
            if task not in amendments[team].voided
        },
        excluded=frozenset(
            team.id for team in exercise.teams if team.reference or amendments[team.id].is_excluded
        ),
    )


def _tasks(
    team: TeamId, was: _Side, becomes: _Side, solved: Mapping[str, Fact], solves: Mapping[str, Fact]
) -> tuple[TaskDiff, ...]:
    before, after = was.totals[team].tasks, becomes.totals[team].tasks
    names = dict.fromkeys((*before, *after, *solved, *solves))
    diffs = (
        TaskDiff(
            task=name,
            before=before.get(name, 0),
            after=after.get(name, 0),
            was_done=name in solved,
            is_done=name in solves,
        )
        for name in names
    )
    return tuple(d for d in diffs if (d.before, d.was_done) != (d.after, d.is_done))


def _firsts(exercise: Exercise, was: _Side, becomes: _Side) -> tuple[FirstMoved, ...]:
    slugs = {team.id: team.slug for team in exercise.teams}
    before, after = was.firsts(), becomes.firsts()
    return tuple(
        FirstMoved(
            task=task,
            before=slugs[before[task]] if task in before else None,
            after=slugs[after[task]] if task in after else None,
        )
        for task in dict.fromkeys((*before, *after))
        if before.get(task) != after.get(task)
    )
