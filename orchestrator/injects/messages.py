"""Messages that injects send to teams, and what the teams reply."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cache

from core.db import Database
from core.ids import TeamId, UserId
from core.scenario.access import lineage
from core.scenario.load import LoadedScenario
from core.scenario.render import Renderer
from core.scenario.schema import Scenario
from core.scenario.template import TemplateFailedError
from core.text import is_storable
from orchestrator.domain.exercise import Exercise, Team
from orchestrator.domain.injects import Expectation
from orchestrator.domain.phases import Act
from orchestrator.injects.errors import (
    MessageUnknownError,
    ReplyInvalidError,
    ReplyKeyReusedError,
)
from orchestrator.injects.message_files import FileContent, FileView, file_content, file_views
from orchestrator.injects.message_repository import MessageRepository
from orchestrator.injects.records import Letter, Reply, StoredMessage
from orchestrator.injects.turns import Turn, Turns
from orchestrator.journal import By
from orchestrator.service import Exercises
from orchestrator.tables import InjectReplyRow

MAX_REPLY = 4000
MAX_CLIENT_KEY = 100
_EVERYBODY = "all"
_MILLISECOND = timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageView:
    """A message to a team. `deadline` is the team's clock; `None` when no reply is expected.

    `addressee` is what people call the role that it is for, empty for everybody.
    """

    id: int
    team: str
    firing: str
    inject: str
    sender: str
    to: str
    addressee: str
    text: str
    files: tuple[FileView, ...]
    at: datetime
    elapsed: timedelta
    deadline: timedelta | None
    expectation: Expectation | None
    replies: tuple[Reply, ...]


class Messages:
    """Messages of an exercise."""

    def __init__(self, database: Database, turns: Turns, exercises: Exercises) -> None:
        self._database = database
        self._turns = turns
        self._exercises = exercises

    def of_teams(
        self, exercise: Exercise, team: str = "", *, language: str = ""
    ) -> tuple[MessageView, ...]:
        """Return what the teams, or one, were told, newest first; `` for the first language."""
        teams = [t for t in exercise.teams if team in {"", t.slug}]
        with self._database.reading() as session:
            found = MessageRepository(session).of_teams([t.id for t in teams])
        whose = {t.id: t for t in exercise.teams}
        # Values are derived once for a team, and only when something is translated for it.
        renderer = cache(lambda team: self._exercises.renderer(exercise, whose[team]))
        loaded = self._exercises.scenario(exercise)
        return tuple(
            _view(
                loaded,
                whose[message.team].slug,
                message,
                _in_language(loaded, message, language, renderer),
                language,
            )
            for message in found
        )

    def of_member(
        self, exercise: Exercise, team: Team, user: UserId, *, language: str = ""
    ) -> tuple[MessageView, ...]:
        """Return what somebody of a team was told, newest first."""
        scenario = self._exercises.scenario(exercise).scenario
        role = next(member.role for member in team.members if member.user == user)
        mine = {_EVERYBODY, *lineage(scenario, role)}
        views = self.of_teams(exercise, team.slug, language=language)
        return tuple(view for view in views if view.to in mine)

    def file(self, exercise: Exercise, message: int, number: int) -> FileContent:
        """See `Injects.message_file`."""
        return self._file(exercise, self.of_teams(exercise), message, number)

    def file_of_member(
        self, exercise: Exercise, team: Team, user: UserId, message: int, number: int
    ) -> FileContent:
        """See `Injects.message_file_to`."""
        return self._file(exercise, self.of_member(exercise, team, user), message, number)

    def _file(
        self, exercise: Exercise, readable: Iterable[MessageView], message: int, number: int
    ) -> FileContent:
        found = next((m for m in readable if m.id == message), None)
        team = exercise.team(found.team) if found is not None else None
        if found is None or team is None:
            raise MessageUnknownError(
                f"there is no message {message} for you", hint="Reload the page"
            )
        return file_content(self._exercises, exercise, team, found.inject, number)

    def reply(
        self,
        exercise: Exercise,
        team: Team,
        user: UserId,
        message: int,
        *,
        text: str,
        client_key: str,
    ) -> None:
        """See `Injects.reply`."""
        exercise.require(Act.ANSWER, team)
        _require_readable(text, client_key)
        found = next((m for m in self.of_member(exercise, team, user) if m.id == message), None)
        if found is None or found.deadline is None:
            raise MessageUnknownError(
                f"there is no message {message} that your team could reply to",
                hint="Reload the page",
            )
        with self._turns.take(exercise.id, team.id) as turn:
            turn.exercise.require(Act.ANSWER, turn.team)
            self._take(turn, user, found, text, client_key)

    def _take(
        self, turn: Turn, user: UserId, message: MessageView, text: str, client_key: str
    ) -> None:
        firing = message.firing
        earlier = turn.messages.reply(turn.team.id, client_key)
        if earlier is not None:
            _require_same(earlier, firing, text)
            return
        turn.messages.add_reply(
            InjectReplyRow(
                team_id=turn.team.id,
                firing_id=firing,
                user_id=user,
                client_key=client_key,
                text=text,
                at=turn.now,
                exercise_ms=turn.elapsed // _MILLISECOND,
            )
        )
        self._exercises.journal.note(
            turn.transaction,
            turn.exercise,
            "reply.received",
            text,
            team=turn.team.id,
            subject=message.inject,
            by=By(user=user),
        )


def _view(
    loaded: LoadedScenario, team: str, message: StoredMessage, letter: Letter, language: str
) -> MessageView:
    inject = loaded.scenario.injects[message.inject]
    expect = inject.expect
    wanted = expect is not None and expect.reply is not None
    return MessageView(
        id=message.id,
        team=team,
        firing=message.firing,
        inject=message.inject,
        sender=letter.sender,
        to=letter.to,
        addressee=_title(loaded.in_language(language), letter.to),
        text=letter.text,
        files=file_views(loaded, inject.message.files if inject.message is not None else ()),
        at=message.at,
        elapsed=message.elapsed,
        deadline=message.fired + expect.within if expect is not None and wanted else None,
        expectation=message.expectation if wanted else None,
        replies=message.replies,
    )


def _title(scenario: Scenario, role: str) -> str:
    return "" if role == _EVERYBODY else scenario.roles[role].title or role


def _in_language(
    loaded: LoadedScenario,
    message: StoredMessage,
    language: str,
    renderer: Callable[[TeamId], Renderer],
) -> Letter:
    """Return the letter as it would have been sent in that language, or as it was sent."""
    spec = loaded.in_language(language).injects[message.inject].message
    if spec is None or spec == loaded.scenario.injects[message.inject].message:
        return message.letter
    render = renderer(message.team)
    try:
        return replace(
            message.letter,
            sender=render.text(spec.from_) if spec.from_ else message.letter.sender,
            text=render.text(spec.text),
        )
    except TemplateFailedError:
        return message.letter  # a translation has no say in whether it can be read


def _require_same(earlier: InjectReplyRow, firing: str, text: str) -> None:
    if (earlier.firing_id, earlier.text) != (firing, text):
        raise ReplyKeyReusedError(
            "this key came with another reply before",
            hint="Send a new key with each reply; nothing was changed",
        )


def _require_readable(text: str, client_key: str) -> None:
    if not text.strip() or len(text) > MAX_REPLY:
        raise ReplyInvalidError(
            f"a reply has 1 to {MAX_REPLY} characters, this one {len(text.strip())}",
            hint="Nothing was sent",
        )
    if not is_storable(text):
        raise ReplyInvalidError(
            "a reply is text; this one holds something else", hint="Type it instead of pasting"
        )
    if not 0 < len(client_key) <= MAX_CLIENT_KEY or not client_key.isprintable():
        raise ReplyInvalidError(
            f"the key of a reply has 1 to {MAX_CLIENT_KEY} printable characters",
            hint="Send a new UUID with each reply",
        )
