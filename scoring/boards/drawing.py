"""Drawing a board: from the standings, what was corrected, and what stands still."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from core.ids import TeamId
from core.scenario.fields import is_template
from core.scenario.schema import Scenario
from core.scenario.schema_tasks import Task
from orchestrator.domain.exercise import Exercise
from orchestrator.domain.phases import OVER
from orchestrator.repository import ExerciseRepository
from scoring.boards.repository import BoardRepository, State
from scoring.boards.standings import Have, KnownStandings
from scoring.domain.amending import Amendments
from scoring.domain.attack_defence.entries import LEDGER_NAME, LEDGER_TITLE
from scoring.domain.boards import (
    DRAWN,
    Audience,
    Board,
    BoardRow,
    BoardTask,
    Course,
    First,
    Shown,
    course_of,
    rows_of,
)
from scoring.domain.first_solves import first_solves
from scoring.domain.ledger import MILLI
from scoring.domain.pseudonyms import pseudonyms
from scoring.domain.standings import Total
from scoring.facts import corrections_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """An exercise at one moment, for an audience: `frozen` is since when a team stands still."""

    exercise: Exercise
    scenario: Scenario
    audience: Audience
    state: State
    frozen: Mapping[TeamId, datetime]

    @property
    def all_frozen(self) -> bool:
        """Whether nothing of this board moves any more before the exercise has ended."""
        return len(self.frozen) == len(self.exercise.teams)

    @property
    def is_kept(self) -> bool:
        """Whether the database keeps this board."""
        return self.all_frozen or self.state.phase in OVER

    @property
    def version(self) -> str:
        """What the board follows from; of one that stands still, only how it calls teams."""
        if self.all_frozen:
            return f"frozen {self.state.anonymous:d}"
        return self.state.version(frozen=len(self.frozen))


def drawn(session: Session, seen: Seen, known: KnownStandings) -> Board:
    """Return the board of an audience; teams that it shows nothing new of must be frozen."""
    repository = BoardRepository(session)
    have = known.read(repository, seen.exercise.id)
    if seen.frozen:
        still = repository.frozen_totals(seen.exercise.id)
        have = {**have, **{team: still[team] for team in seen.frozen}}
    teams = _shown(session, seen)
    amended = _amended(session, seen)
    excluded = {team for team, amendments in amended.items() if amendments.is_excluded}
    totals: Mapping[str, Total] = {team: total for team, (total, _) in have.items()}
    rows = rows_of(list(teams.values()), totals, excluded)
    if seen.audience is not Audience.STAFF:
        rows = tuple(row for row in rows if row.rank is not None)
    return Board(
        exercise=seen.exercise.name,
        audience=seen.audience,
        tasks=_tasks(repository, seen, teams, amended),
        rows=rows,
        timeline=_timeline(repository, seen, teams, rows, have),
        upto_entry=max((upto for _, upto in have.values()), default=0),
        frozen=seen.scenario.end.freeze if seen.frozen else None,
    )


def _shown(session: Session, seen: Seen) -> Mapping[TeamId, Shown]:
    """Return the teams of a board as it calls them; a reference team is on none."""
    teams = [team for team in seen.exercise.teams if not team.reference]
    if seen.audience is Audience.PUBLIC and seen.state.anonymous:
        secret = ExerciseRepository(session).secret(seen.exercise.id)
        names = sorted(pseudonyms([t.id for t in teams], secret).items(), key=lambda n: n[1])
        return {
            team: Shown(id=team, slug=name.lower().replace(" ", "-"), name=name)
            for team, name in names
        }
    return {team.id: Shown(id=team.id, slug=team.slug, name=team.name) for team in teams}


def _amended(session: Session, seen: Seen) -> Mapping[TeamId, Amendments]:
    """Return what corrections hold for each team: of a frozen one, those of before."""
    teams = [team.id for team in seen.exercise.teams]
    if not seen.state.corrections:
        return dict.fromkeys(teams, Amendments())
    found = corrections_of(session, teams)
    return {
        team: Amendments.of(
            fact
            for fact in found.get(team, ())
            if team not in seen.frozen or fact.at <= seen.frozen[team]
        )
        for team in teams
    }


def _tasks(
    repository: BoardRepository,
    seen: Seen,
    teams: Mapping[TeamId, Shown],
    amended: Mapping[TeamId, Amendments],
) -> tuple[BoardTask, ...]:
    tasks = seen.scenario.tasks
    without = {team for team, amends in amended.items() if amends.is_excluded or team not in teams}
    solves = repository.earliest_solves(
        seen.exercise.id, tasks, without=without, frozen=bool(seen.frozen)
    )
    firsts = {
        task: First(team=teams[team].slug, at=solves[team, task][0])
        for task, team in first_solves(solves).items()
    }
    # What a task gives is the same for every team.
    same = next(iter(amended.values()))
    columns = tuple(
        BoardTask(
            task=name,
            title=_public_title(name, task),
            milli_points=same.of_points(name, task) * MILLI,
            first=firsts.get(name),
        )
        for name, task in tasks.items()
    )
    if not seen.scenario.services:
        return columns
    # What rounds give has no maximum.
    return (*columns, BoardTask(task=LEDGER_NAME, title=LEDGER_TITLE, milli_points=0))


def _timeline(
    repository: BoardRepository,
    seen: Seen,
    teams: Mapping[TeamId, Shown],
    rows: Sequence[BoardRow],
    have: Have,
) -> tuple[Course, ...]:
    drawn = [row.team for row in rows if row.rank is not None][:DRAWN]
    ids = {shown.slug: team for team, shown in teams.items()}
    upto = {ids[slug]: have[ids[slug]][1] for slug in drawn if ids[slug] in have}
    moves: dict[TeamId, list[tuple[datetime, int]]] = {team: [] for team in upto}
    for move in repository.moves(upto):
        moves[move.team].append((move.at, move.milli_points))
    exercise = seen.exercise
    return tuple(
        course_of(slug, [(exercise.elapsed(at, team), milli) for at, milli in moves.get(team, ())])
        for slug, team in ((slug, ids[slug]) for slug in drawn)
    )


def _public_title(name: str, task: Task) -> str:
    """Return a title that is the same for every team: one with `{{ }}` is not."""
    return task.title if task.title and not is_template(task.title) else name
