"""What must hold after a seed, whatever struck: asked of the database and of the engine.

Scores are made again from the facts by the product's pure rules; entries, board and what people
were told must all be the same.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Select, select

from core.db import Base, Database
from core.ids import TeamId
from orchestrator.tables import (
    ClockEventRow,
    ExerciseRow,
    InjectFiringRow,
    MessageRow,
    SubnetRow,
    TeamRow,
)
from scoring.domain.attempts import AnswerVerdict
from scoring.domain.holds import CheckRun, CheckState
from scoring.domain.ledger import MILLI, Cause, Fact, availability_moved, solved
from scoring.domain.verdicts import Verdict
from scoring.tables import CheckRunRow, ScoreEntryRow, SubmissionRow
from tests.benchmarks.faulting.play import Story
from tests.benchmarks.faulting.scenario import FLAG, GREETING, HELD, KEPT, MARK, QUESTION, TEAMS
from tests.benchmarks.faulting.watch import EngineWatch
from tests.fakes.queue import RecordingQueue

_POINTS: Mapping[str, int] = {QUESTION: 5, FLAG: 10, KEPT: 20, HELD: 3}
# What a killed process left of its own work is no part of an exercise. A worker's helper ends by
# itself within half a minute, and a removal takes those along that are older than a minute; the
# last steps of an image that an engine built, which get the labels one after another, wait for the
# janitor. A seed is over sooner.
REMNANTS = frozenset({"helper", "image", ""})
_TICKS_OF_ALL = (
    select(ClockEventRow.tick)
    .where(ClockEventRow.team_id.is_(None))
    .order_by(ClockEventRow.position)
)
_TICKS = ["start", "pause", "resume", "end"]

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """The rows that a seed left."""

    exercises: Sequence[Row]
    teams: Sequence[Row]
    subnets: Sequence[Row]
    ticks: Sequence[str]
    submissions: Sequence[Row]
    check_runs: Sequence[Row]
    entries: Sequence[Row]
    messages: Sequence[Row]
    firings: Sequence[Row]


def read_facts(database_url: str) -> Facts:
    """Read the database when no process of the product runs any more."""
    opened = Database(database_url, queue=RecordingQueue())
    try:
        with opened.reading() as session:

            def rows(question: Select[Any]) -> list[Row]:
                return [dict(row) for row in session.execute(question).mappings()]

            return Facts(
                exercises=rows(_all(ExerciseRow)),
                teams=rows(_all(TeamRow)),
                subnets=rows(_all(SubnetRow).where(SubnetRow.team_id.is_not(None))),
                ticks=[row["tick"] for row in rows(_TICKS_OF_ALL)],
                submissions=rows(_all(SubmissionRow)),
                check_runs=rows(_all(CheckRunRow).order_by(CheckRunRow.team_id, CheckRunRow.round)),
                entries=rows(_all(ScoreEntryRow)),
                messages=rows(_all(MessageRow)),
                firings=rows(_all(InjectFiringRow)),
            )
    finally:
        opened.close()


def _all(table: type[Base]) -> Select[Any]:
    """Ask for the columns, not for objects."""
    return select(*table.__table__.columns)


def judge(facts: Facts, story: Story, watch: EngineWatch, left: Sequence[str]) -> list[str]:
    """Return a sentence for everything that does not hold."""
    return [
        *_state(facts),
        *_engine(watch, left),
        *_answers(facts, story),
        *_scores(facts, story),
        *_injects(facts, story),
    ]


def _state(facts: Facts) -> list[str]:
    wrong: list[str] = []
    if [row["phase"] for row in facts.exercises] != ["closed"]:
        wrong.append(f"exercises: {[(r['name'], r['phase']) for r in facts.exercises]}")
    if [row["world"] for row in facts.teams] != ["removed"] * TEAMS:
        wrong.append(f"worlds: {[(r['slug'], r['world'], r['problem']) for r in facts.teams]}")
    if facts.subnets:
        wrong.append(f"addresses still held: {[row['subnet'] for row in facts.subnets]}")
    if list(facts.ticks) != _TICKS:
        wrong.append(f"the clock was moved otherwise than asked: {facts.ticks}")
    return wrong


def _engine(watch: EngineWatch, left: Sequence[str]) -> list[str]:
    wrong = [f"stood twice at one time: {line}" for line in sorted(watch.doubled)]
    wrong += [f"left on the engine: {line}" for line in left if line not in REMNANTS]
    if not watch.looks or not watch.most:
        wrong.append("the watch saw nothing, so it proves nothing")
    return wrong


def _answers(facts: Facts, story: Story) -> list[str]:
    """Every acknowledged answer stands once, as it was told; and no other stands."""
    slugs = {row["id"]: row["slug"] for row in facts.teams}
    told = Counter((a.team, a.task, a.value, a.key, a.verdict) for a in story.answers)
    stands = Counter(
        (
            slugs[row["team_id"]],
            row["task"],
            row["value"],
            row["client_key"],
            str(AnswerVerdict(row["verdict"]).told),
        )
        for row in facts.submissions
    )
    return [
        *(f"acknowledged, and not written down: {a}" for a in (told - stands).elements()),
        *(f"written down, and never acknowledged: {a}" for a in (stands - told).elements()),
    ]


def _scores(facts: Facts, story: Story) -> list[str]:
    replayed = {line for team in facts.teams for line in _replayed(TeamId(team["id"]), facts)}
    booked = [(row["idem_key"], row["milli_points"]) for row in facts.entries]
    wrong = [f"booked otherwise than the facts say: {e}" for e in set(booked) ^ replayed]
    if len(set(booked)) != len(booked):
        wrong.append("an entry was booked twice")
    harmless = {Verdict.UP, Verdict.INFRA_ERROR, Verdict.MISSING}
    blamed = [r for r in facts.check_runs if r["verdict"] not in harmless]
    wrong += [f"a team is blamed for our fault: {r['verdict']}: {r['output']}" for r in blamed]
    shown = {row["team"]: round(row["points"] * MILLI) for row in story.board["rows"]}
    for team in facts.teams:
        total = sum(r["milli_points"] for r in facts.entries if r["team_id"] == team["id"])
        if shown.get(team["slug"]) != total:
            wrong.append(f"the board shows {shown.get(team['slug'])}, the ledger {total}")
    return wrong


def _injects(facts: Facts, story: Story) -> list[str]:
    """Every inject went out once for each team; of a command that died with its worker we know."""
    wrong: list[str] = []
    for team in facts.teams:
        fired = {r["inject"]: r["state"] for r in facts.firings if r["team_id"] == team["id"]}
        told = sum(row["team_id"] == team["id"] for row in facts.messages)
        if told != 1 or fired.get(GREETING) != "fired":
            wrong.append(f"{team['slug']} was greeted {told} times: {fired}")
        ran = story.marks.get(team["slug"])
        if ran != 1 and not (ran == 0 and fired.get(MARK) == "failed"):
            wrong.append(f"the command ran {ran} times in {team['slug']}: {fired}")
    if len(facts.firings) != len(facts.teams) * 2:
        wrong.append(f"injects went out more than once: {len(facts.firings)} firings")
    return wrong


def _replayed(team: TeamId, facts: Facts) -> set[tuple[str, int]]:
    """Return key and points of every entry that follows from a team's facts."""
    entries = {}
    for row in facts.submissions:
        if row["team_id"] == team and row["verdict"] == AnswerVerdict.CORRECT:
            fact = _fact(Cause.SUBMISSION, row["id"], row["received_at"])
            entry = solved(team, row["task"], milli_points=_POINTS[row["task"]] * MILLI, fact=fact)
            entries[entry.key] = entry.milli_points
    state = CheckState()
    for row in facts.check_runs:
        if row["team_id"] != team:
            continue
        run = _run(row)
        before, state = state, state.after(run.round, run.at, run.outcome)
        fact = _fact(Cause.CHECK_RUN, row["id"], row["started_at"])
        for entry in availability_moved(
            team, KEPT, points=_POINTS[KEPT], before=before.rounds, after=state.rounds, fact=fact
        ):
            entries[entry.key] = entry.milli_points
        if state.has_held(timedelta()):
            entry = solved(team, HELD, milli_points=_POINTS[HELD] * MILLI, fact=fact)
            entries[entry.key] = entry.milli_points
    return set(entries.items())


def _run(row: Row) -> CheckRun:
    return CheckRun(
        round=row["round"],
        at=timedelta(milliseconds=row["exercise_ms"]),
        verdict=Verdict(row["verdict"]),
        excused=row["window_id"] is not None,
    )


def _fact(cause: Cause, key: str, at: datetime) -> Fact:
    return Fact(cause=cause, id=key, at=at)
