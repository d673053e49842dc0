"""Evidence of a team: read from the records of commands, checks and injects."""

from collections.abc import Iterator
from datetime import timedelta

from core.db import Database
from core.patterns import fits
from core.scenario.schema_evidence import Evidence, Happening, TypedCommand
from orchestrator.domain.exercise import Exercise, Team
from orchestrator.domain.injects import FiringState
from orchestrator.injects.repository import InjectRepository
from scoring.checks.probes import Finding
from scoring.domain.evidence import Frame, Happened, first_in
from scoring.domain.verdicts import Verdict
from scoring.ports import CommandLog
from scoring.repository import ScoreRepository
from scoring.team_scenario import TeamScenario

_MOST_SHOWN = 200


class EvidenceReader:
    """Reads whether evidence is there. The database is the witness, and no world is asked."""

    def __init__(self, database: Database, commands: CommandLog) -> None:
        self._database = database
        self._commands = commands

    def read(
        self, exercise: Exercise, team: Team, scenario: TeamScenario, evidence: Evidence
    ) -> Finding:
        """Return `up` when what is asked for happened as it is asked for, `down` otherwise."""
        here = _Records(self._database, self._commands, exercise, team, scenario)
        begin: timedelta | None = timedelta()
        if evidence.after is not None:
            begin = here.first(evidence.after)
        end = here.first(evidence.before) if evidence.before is not None else None
        frame = Frame(begin=begin, within=evidence.within, end=end)
        found = first_in(frame, here.all(evidence.command, evidence.check))
        if found is None:
            return Finding(verdict=Verdict.DOWN, output="it has not happened as it should")
        return Finding(verdict=Verdict.UP, output=f"{_clock(found.at)} {found.what}")


class _Records:
    """What is known of a team, as things that happened."""

    def __init__(
        self,
        database: Database,
        commands: CommandLog,
        exercise: Exercise,
        team: Team,
        scenario: TeamScenario,
    ) -> None:
        self._database = database
        self._commands = commands
        self._exercise = exercise
        self._team = team
        self._scenario = scenario

    def all(self, command: TypedCommand | None, check: str | None) -> Iterator[Happened]:
        if command is not None:
            yield from self._typed(command)
        if check is not None:
            yield from self._passed(check)

    def first(self, happening: Happening) -> timedelta | None:
        """Return when it first happened; `None` when it has not."""
        if happening.inject is not None:
            return self._went_out(happening.inject)
        happened = self.all(happening.command, happening.check)
        return min((one.at for one in happened), default=None)

    def _typed(self, command: TypedCommand) -> Iterator[Happened]:
        pattern = self._scenario.renderer.pattern(command.matches)
        for typed in self._commands.typed(self._team.id, command.host):
            line = typed.line.strip()
            if fits(pattern, line):
                at = self._exercise.elapsed(typed.at, self._team.id)
                yield Happened(at=at, what=f"on {command.host}: {line[:_MOST_SHOWN]}")

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
