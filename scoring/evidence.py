"""Evidence of a team: read from the records of commands, files, checks and injects."""

from collections.abc import Iterator
from datetime import timedelta

from core.db import Database
from core.patterns import fits
from core.scenario.fields import require_sha256
from core.scenario.schema_evidence import Evidence, Happening, MovedFile, TypedCommand
from orchestrator.domain.exercise import Exercise, Team
from orchestrator.domain.injects import FiringState
from orchestrator.injects.repository import InjectRepository
from orchestrator.terminal.book import WAYS, Direction
from scoring.checks.probes import Finding
from scoring.domain.evidence import Frame, Happened, first_in
from scoring.domain.verdicts import Verdict
from scoring.ports import ActivityLog
from scoring.repository import ScoreRepository
from scoring.team_scenario import TeamScenario

_MOST_SHOWN = 200
_SAID = {Direction.TO_HOST: "into", Direction.FROM_HOST: "out of"}


class EvidenceReader:
    """Reads whether evidence is there. The database is the witness, and no world is asked."""

    def __init__(self, database: Database, activity: ActivityLog) -> None:
        self._database = database
        self._activity = activity

    def read(
        self, exercise: Exercise, team: Team, scenario: TeamScenario, evidence: Evidence
    ) -> Finding:
        """Return `up` when what is asked for happened as it is asked for, `down` otherwise."""
        here = _Records(self._database, self._activity, exercise, team, scenario)
        begin: timedelta | None = timedelta()
        if evidence.after is not None:
            begin = here.first(evidence.after)
        end = here.first(evidence.before) if evidence.before is not None else None
        frame = Frame(begin=begin, within=evidence.within, end=end)
        found = first_in(frame, here.all(evidence))
        if found is None:
            return Finding(verdict=Verdict.DOWN, output="it has not happened as it should")
        return Finding(verdict=Verdict.UP, output=f"{_clock(found.at)} {found.what}")


class _Records:
    """What is known of a team, as things that happened."""

    def __init__(
        self,
        database: Database,
        activity: ActivityLog,
        exercise: Exercise,
        team: Team,
        scenario: TeamScenario,
    ) -> None:
        self._database = database
        self._activity = activity
        self._exercise = exercise
        self._team = team
        self._scenario = scenario

    def all(self, asked: Evidence | Happening) -> Iterator[Happened]:
        if asked.command is not None:
            yield from self._typed(asked.command)
        if asked.file is not None:
            yield from self._moved(asked.file)
        if asked.check is not None:
            yield from self._passed(asked.check)

    def first(self, happening: Happening) -> timedelta | None:
        """Return when it first happened; `None` when it has not."""
        if happening.inject is not None:
            return self._went_out(happening.inject)
        return min((one.at for one in self.all(happening)), default=None)

    def _typed(self, command: TypedCommand) -> Iterator[Happened]:
        pattern = self._scenario.renderer.pattern(command.matches)
        for typed in self._activity.typed(self._team.id, command.host):
            line = typed.line.strip()
            if fits(pattern, line):
                at = self._exercise.elapsed(typed.at, self._team.id)
                yield Happened(at=at, what=f"on {command.host}: {line[:_MOST_SHOWN]}")

    def _moved(self, file: MovedFile) -> Iterator[Happened]:
        renderer = self._scenario.renderer
        pattern = renderer.pattern(file.matches)
        digest = renderer.read(file.sha256, require_sha256) if file.sha256 else None
        way = WAYS[file.moved] if file.moved else None
        for moved in self._activity.moved(self._team.id, file.host):
            fitting = way in {None, moved.direction} and digest in {None, moved.sha256}
            if fitting and fits(pattern, moved.path):
                at = self._exercise.elapsed(moved.at, self._team.id)
                said = f"{_SAID[moved.direction]} {file.host}"
                yield Happened(at=at, what=f"{said}: {moved.path[:_MOST_SHOWN]}")

    def _passed(self, check: str) -> Iterator[Happened]:
        with self._database.reading() as session:
            times = ScoreRepository(session).passes(self._team.id, check)
        for at in times:
            yield Happened(at=at, what=f"{check} passed")

    def _went_out(self, inject: str) -> timedelta | None:
        with self._database.reading() as session:
            records = InjectRepository(session).records([self._team.id])[self._team.id]
        firings = (record.firing for record in records if record.firing.inject == inject)
        times = [f.at for f in firings if f.state is FiringState.FIRED and f.at is not None]
        return min(times, default=None)


def _clock(at: timedelta) -> str:
    return str(at - timedelta(microseconds=at.microseconds))
