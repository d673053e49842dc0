"""Scoring's SQL: rows in, values out. Nothing here commits."""

from collections.abc import Collection, Mapping, Sequence
from datetime import timedelta

from sqlalchemy import BindParameter, bindparam, delete, func, select
from sqlalchemy.orm import Session

from core.db import table_of
from core.ids import ExerciseId, TeamId
from orchestrator.domain.clock import Stop
from orchestrator.domain.exercise import phase_for
from orchestrator.domain.phases import Phase
from orchestrator.tables import ExerciseRow, TeamRow
from scoring.domain.attempts import AnswerVerdict
from scoring.domain.availability import Rounds
from scoring.domain.holds import CheckRun, CheckState
from scoring.domain.ledger import EntryKind, Fact
from scoring.domain.verdicts import Verdict
from scoring.inserts import add_once, insert_into, put, wrote
from scoring.later import Later
from scoring.tables import (
    CheckDispatchRow,
    CheckRunRow,
    CheckStateRow,
    FeedItemRow,
    HintTakenRow,
    ScoreEntryRow,
    SignalRow,
    SolveRow,
    SubmissionRow,
)

_MILLISECOND = timedelta(milliseconds=1)

# Built once: these are asked with every answer and every look.
_TEAMS, _EXERCISES = table_of(TeamRow).c, table_of(ExerciseRow).c
_SENT, _SOLVES = table_of(SubmissionRow).c, table_of(SolveRow).c
_ENTRIES = table_of(ScoreEntryRow).c
_TEAM: BindParameter[str] = bindparam("team")
_TASK: BindParameter[str] = bindparam("task")
_TEAM_IDS: BindParameter[Sequence[str]] = bindparam("teams", expanding=True)
_TAKE_TEAMS = (
    select(_TEAMS.id, _TEAMS.stopped)
    .where(_TEAMS.id.in_(_TEAM_IDS))
    .order_by(_TEAMS.id)
    .with_for_update(key_share=True)
)
_HOLD_PHASE = (
    select(_EXERCISES.phase)
    .where(_EXERCISES.id == bindparam("exercise"))
    .with_for_update(read=True)
)
_SOLVED = select(_SOLVES.task).where(_SOLVES.team_id == _TEAM, _SOLVES.task == _TASK)
_BOOKED = select(_ENTRIES.id).where(_ENTRIES.idem_key == bindparam("key"))
_SUM = select(func.coalesce(func.sum(_ENTRIES.milli_points), 0)).where(
    _ENTRIES.team_id == _TEAM, _ENTRIES.task == _TASK
)
_SUM_OF_KIND = _SUM.where(_ENTRIES.kind == bindparam("kind"))
_SUM_OF_COST = _SUM_OF_KIND.where(_ENTRIES.cause_id == bindparam("cause"))


class ScoreRepository:
    """Facts and entries, within one session."""

    def __init__(self, session: Session) -> None:
        self._session = session

    # Facts: a unique key decides, never a look beforehand

    def take_turn(self, exercise: ExerciseId, team: TeamId) -> Phase:
        """Wait until no other transaction adds facts of this team; return the exercise's phase.

        What follows from a fact depends on those before it (attempts used, share so far), so a
        team's facts come one after another; and the phase, which is the team's own if its clock was
        stopped alone, stays until they are committed, so that nothing is added to an exercise that
        has ended. SQLite has one writer at a time anyway.
        """
        phase, stopped = self.take_turn_of(exercise, [team])
        return phase_for(phase, stopped[team])

    def take_turn_of(
        self, exercise: ExerciseId, teams: Sequence[TeamId]
    ) -> tuple[Phase, Mapping[TeamId, Stop | None]]:
        """Take the turns of some teams as `take_turn` does, all of them before their exercise.

        Returns the exercise's phase, and why the clock of each team stands if it does.
        """
        rows = self._session.execute(_TAKE_TEAMS, {"teams": sorted(teams)}).all()
        phase = Phase(self._session.execute(_HOLD_PHASE, {"exercise": exercise}).scalar_one())
        return phase, {row.id: Stop(row.stopped) if row.stopped else None for row in rows}

    def take_turns(self, exercise: ExerciseId) -> Phase:
        """Wait until no other transaction adds facts of any team; return the exercise's phase.

        As `take_turn`, all teams before their exercise: crosswise, two transactions would wait for
        each other for ever.
        """
        teams = select(TeamRow.id).where(TeamRow.exercise_id == exercise).order_by(TeamRow.id)
        self._session.execute(teams.with_for_update(key_share=True)).all()
        return Phase(self._session.execute(_HOLD_PHASE, {"exercise": exercise}).scalar_one())

    def add_hint(self, row: HintTakenRow) -> bool:
        """Add a hint that a team takes; return whether it had not before."""
        return add_once(self._session, row, "team_id", "task", "hint")

    def add_run(self, row: CheckRunRow) -> bool:
        """Add a look of a check; return whether it was the first of its round."""
        return add_once(self._session, row, "team_id", "check", "round")

    def drop_solves(self, team: TeamId, *, but: Collection[str]) -> None:
        """Keep only of these tasks that a team has done them."""
        row = SolveRow
        self._session.execute(delete(row).where(row.team_id == team, row.task.not_in(list(but))))

    def add_feed_item(self, row: FeedItemRow) -> bool:
        """Add an event of another system; return whether it was not taken before."""
        return add_once(self._session, row, "exercise_id", "event")

    def add_signal(self, row: SignalRow) -> None:
        """Add something for a person to look at."""
        self._session.add(row)

    def claim_round(self, team: TeamId, check: str, number: int) -> bool:
        """Take on the dispatch of a round; return whether nobody had, nor of a later one."""
        statement = insert_into(self._session, CheckDispatchRow).values(
            team_id=team, check=check, round=number
        )
        return wrote(
            self._session,
            statement.on_conflict_do_update(
                index_elements=["team_id", "check"],
                set_={"round": number},
                where=CheckDispatchRow.round < number,
            ),
        )

    # The ledger

    def is_booked(self, key: str) -> bool:
        """Tell whether the ledger has the entry of an effect."""
        return self._session.scalar(_BOOKED, {"key": key}) is not None

    def sum_of(self, team: TeamId, task: str) -> int:
        """Return what a task has given a team so far."""
        return int(self._session.execute(_SUM, {"team": team, "task": task}).scalar_one())

    def paid(self, team: TeamId, task: str, cause_id: str) -> int:
        """Return what a task of a team has paid so far for one event."""
        asked = {"team": team, "task": task, "kind": EntryKind.COST, "cause": cause_id}
        return -int(self._session.execute(_SUM_OF_COST, asked).scalar_one())

    def given_in_part(self, team: TeamId, task: str) -> int:
        """Return what checks of a task have given alone."""
        asked = {"team": team, "task": task, "kind": EntryKind.PARTIAL}
        return int(self._session.execute(_SUM_OF_KIND, asked).scalar_one())

    # Reading facts

    def is_solved(self, team: TeamId, task: str) -> bool:
        """Tell whether a team has done a task."""
        return self._session.scalar(_SOLVED, {"team": team, "task": task}) is not None

    def attempts(self, teams: Sequence[TeamId]) -> Mapping[tuple[str, str], int]:
        """Return (team, task) → answers judged."""
        row = SubmissionRow
        return {
            (team, task): used or 0
            for team, task, used in self._session.execute(
                select(row.team_id, row.task, func.max(row.attempt))
                .where(row.team_id.in_(teams))
                .group_by(row.team_id, row.task)
            )
        }

    def wrong_answers(self, teams: Sequence[TeamId]) -> Mapping[tuple[str, str], int]:
        """Return (team, user) → wrong answers, another team's secrets among them."""
        row = SubmissionRow
        wrong = (AnswerVerdict.WRONG, AnswerVerdict.FOREIGN)
        return {
            (team, user): count
            for team, user, count in self._session.execute(
                select(row.team_id, row.user_id, func.count())
                .where(row.team_id.in_(teams), row.verdict.in_(wrong))
                .group_by(row.team_id, row.user_id)
            )
        }

    def hints(self, teams: Sequence[TeamId]) -> Mapping[tuple[str, str], list[HintTakenRow]]:
        """Return (team, task) → hints taken, in the order of the scenario."""
        row = HintTakenRow
        rows = self._session.scalars(
            select(row).where(row.team_id.in_(teams)).order_by(row.team_id, row.task, row.hint)
        )
        found: dict[tuple[str, str], list[HintTakenRow]] = {}
        for taken in rows:
            found.setdefault((taken.team_id, taken.task), []).append(taken)
        return found

    def solves(self, teams: Sequence[TeamId]) -> Mapping[tuple[str, str], SolveRow]:
        """Return (team, task) → solve."""
        rows = self._session.scalars(select(SolveRow).where(SolveRow.team_id.in_(teams)))
        return {(row.team_id, row.task): row for row in rows}

    def solve_entries(self, teams: Sequence[TeamId]) -> Mapping[tuple[str, str], int]:
        """Return (team, task) → the id of the first entry of its solve."""
        entry = ScoreEntryRow
        rows = self._session.execute(
            select(entry.team_id, entry.task, func.min(entry.id))
            .where(entry.team_id.in_(teams), entry.kind == EntryKind.SOLVE)
            .group_by(entry.team_id, entry.task)
        )
        return {(team, task): number for team, task, number in rows}

    def signals(self, exercise: ExerciseId) -> list[tuple[SignalRow, SubmissionRow]]:
        """Return signals with what was sent, oldest first."""
        rows = self._session.execute(
            select(SignalRow, SubmissionRow)
            .join(SubmissionRow, SubmissionRow.id == SignalRow.submission_id)
            .where(SignalRow.exercise_id == exercise)
            .order_by(SignalRow.noticed_at, SignalRow.id)
        )
        return [(signal, submission) for signal, submission in rows]

    def rounds_sent(self, teams: Sequence[TeamId]) -> Mapping[tuple[str, str], int]:
        """Return (team, check) → the last round that was dispatched."""
        rows = self._session.scalars(
            select(CheckDispatchRow).where(CheckDispatchRow.team_id.in_(teams))
        )
        return {(row.team_id, row.check): row.round for row in rows}

    def passes(self, team: TeamId, check: str) -> tuple[timedelta, ...]:
        """Return when a check was seen to pass, on the team's clock, in the order of rounds."""
        row = CheckRunRow
        mine = (row.team_id == team, row.check == check, row.verdict == Verdict.UP)
        query = select(row.exercise_ms).where(*mine, row.window_id.is_(None)).order_by(row.round)
        return tuple(at * _MILLISECOND for at in self._session.scalars(query))

    # The state of checks, folded from their runs

    def check_states(self, teams: Sequence[TeamId]) -> Mapping[tuple[str, str], CheckState]:
        """Return (team, check) → state; a check that never ran is not there."""
        rows = self._session.scalars(select(CheckStateRow).where(CheckStateRow.team_id.in_(teams)))
        return {(row.team_id, row.check): _state(row) for row in rows}

    def keep_check_state(self, team: TeamId, check: str, state: CheckState) -> None:
        """Keep the state after a run."""
        assert state.verdict is not None  # a state that is kept has at least one run
        self._session.merge(
            CheckStateRow(
                team_id=team,
                check=check,
                round=state.round,
                verdict=state.verdict,
                passing_since_ms=_milliseconds(state.passing_since),
                passed_at_ms=_milliseconds(state.passed_at),
                scored=state.rounds.scored,
                passed=state.rounds.passed,
                recovering=state.rounds.recovering,
                missed=state.missed,
                failures=state.failures,
            )
        )


def keep_solve(writes: Later, exercise: ExerciseId, team: TeamId, task: str, fact: Fact) -> None:
    """Keep that a team has done a task, and by what."""
    put(
        writes,
        SolveRow,
        {
            "team_id": team,
            "task": task,
            "exercise_id": exercise,
            "user_id": fact.user,
            "cause_type": fact.cause,
            "cause_id": fact.id,
            "solved_at": fact.at,
        },
    )


def milliseconds(time: timedelta) -> int:
    """Return a stretch of exercise time as it is stored."""
    return time // _MILLISECOND


def run_of(row: CheckRunRow) -> CheckRun:
    """Return what is scored of a round."""
    return CheckRun(
        round=row.round,
        at=row.exercise_ms * _MILLISECOND,
        verdict=Verdict(row.verdict),
        excused=row.window_id is not None,
    )


def _milliseconds(time: timedelta | None) -> int | None:
    return None if time is None else milliseconds(time)


def _time(stored: int | None) -> timedelta | None:
    return None if stored is None else stored * _MILLISECOND


def _state(row: CheckStateRow) -> CheckState:
    return CheckState(
        round=row.round,
        verdict=Verdict(row.verdict),
        passing_since=_time(row.passing_since_ms),
        passed_at=_time(row.passed_at_ms),
        rounds=Rounds(scored=row.scored, passed=row.passed, recovering=row.recovering),
        missed=row.missed,
        failures=row.failures,
    )
