"""Taking flags that a team hands in: many at once, each with its own answer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from core.clock import Clock
from core.db import Database
from core.ids import UserId, new_id
from core.scenario.schema import Scenario
from orchestrator.domain.exercise import Exercise, Team
from orchestrator.domain.phases import PERMITS, Act
from scoring.attack_defence.errors import FlagsInvalidError, NoServicesError, ReferenceTeamError
from scoring.attack_defence.repository import AttackDefenceRepository, Round
from scoring.attack_defence.rounds import digest_of
from scoring.attack_defence.tables import CaptureRow
from scoring.domain.attack_defence.captures import CaptureCode, IssuedFlag, judge_capture
from scoring.domain.attack_defence.rounds import round_at
from scoring.ports import Exercises
from scoring.repository import ScoreRepository

MAX_FLAGS = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class FlagAnswer:
    """What a team is told about a flag; `service` is whose it is, when it is anybody's."""

    flag: str
    code: CaptureCode
    service: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Hand:
    """Flags as they were handed in, and when."""

    exercise: Exercise
    team: Team
    user: UserId
    flags: tuple[str, ...]
    at: datetime


class Capturing:
    """Flags that teams hand in."""

    def __init__(self, database: Database, clock: Clock, exercises: Exercises) -> None:
        self._database = database
        self._clock = clock
        self._exercises = exercises

    def capture(
        self, exercise: Exercise, team: Team, user: UserId, flags: Sequence[str]
    ) -> tuple[FlagAnswer, ...]:
        """Judge and keep flags; see `AttackDefence.capture`."""
        scenario = self._exercises.scenario(exercise).scenario
        _require_game(scenario, team)
        texts = tuple(text for flag in flags if (text := flag.strip()))
        if not 0 < len(texts) <= MAX_FLAGS:
            raise FlagsInvalidError(
                f"1 to {MAX_FLAGS} flags are taken at once, these are {len(texts)}",
                hint="Hand them in by parts",
            )
        hand = _Hand(exercise=exercise, team=team, user=user, flags=texts, at=self._clock.now())
        with self._database.transaction() as transaction:
            phase = ScoreRepository(transaction.session).take_turn(exercise.id, team.id)
            repository = AttackDefenceRepository(transaction.session)
            on = repository.open_round(exercise.id)
            if Act.ANSWER not in PERMITS[phase] or on is None:
                return tuple(FlagAnswer(flag=t, code=CaptureCode.NOT_RUNNING) for t in texts)
            return self._take(repository, scenario, hand, on)

    def _take(
        self, repository: AttackDefenceRepository, scenario: Scenario, hand: _Hand, on: Round
    ) -> tuple[FlagAnswer, ...]:
        assert scenario.rounds is not None  # services have rounds: the scenario was checked
        issued = self._issued(repository, hand)
        taken = repository.captured(hand.team.id, issued.values())
        number = round_at(hand.exercise.elapsed(hand.at), scenario.rounds.every)
        reference = frozenset(team.id for team in hand.exercise.teams if team.reference)
        answers, captures = [], []
        for text in hand.flags:
            flag = issued.get(text)
            code = judge_capture(
                flag,
                by=hand.team.id,
                now=number,
                lives=scenario.services[flag.service].flag.lives if flag else 0,
                reference=reference,
                is_taken=flag is not None and flag.id in taken,
            )
            if flag is not None and code is CaptureCode.ACCEPTED:
                captures.append(_row(hand, flag, on))
                taken.add(flag.id)
            service = flag.service if flag is not None else ""
            answers.append(FlagAnswer(flag=text, code=code, service=service))
        repository.add_captures(captures)
        return tuple(answers)

    def _issued(self, repository: AttackDefenceRepository, hand: _Hand) -> Mapping[str, IssuedFlag]:
        digests = {text: digest_of(text) for text in hand.flags}
        found = repository.issued(hand.exercise.id, digests.values())
        return {text: found[digest] for text, digest in digests.items() if digest in found}


def _require_game(scenario: Scenario, team: Team) -> None:
    if not scenario.services:
        raise NoServicesError(
            "this exercise has no services, so there are no flags to take",
            hint="Answer its tasks instead",
        )
    if team.reference:
        raise ReferenceTeamError(
            "the reference team is there to be attacked", hint="Log in as another team"
        )


def _row(hand: _Hand, flag: IssuedFlag, on: Round) -> CaptureRow:
    return CaptureRow(
        id=new_id(),
        exercise_id=hand.exercise.id,
        issue_id=flag.id,
        team_id=hand.team.id,
        user_id=hand.user,
        round=on.number,
        captured_at=hand.at,
    )
