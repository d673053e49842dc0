"""Who may see a board: the links to public ones."""

from dataclasses import dataclass

from core.clock import Clock
from core.db import Database
from core.ids import ExerciseId, new_id
from orchestrator.domain.exercise import Exercise
from orchestrator.journal import SYSTEM, By, Journal
from scoring.boards.repository import BoardRepository
from scoring.errors import BoardUnknownError

_TOKEN_LENGTH = 26  # 130 bits: nobody finds it by trying


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicLink:
    """Under which token anybody sees a board, and whether it hides the names of teams."""

    token: str
    anonymous: bool


class PublicBoards:
    """What staff decide about boards. Each act is in the exercise's log."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._journal = Journal(database, clock)

    def link(self, exercise: Exercise) -> PublicLink | None:
        """Return the link to the public board, if there is one."""
        with self._database.reading() as session:
            row = BoardRepository(session).public_board(exercise.id)
        return None if row is None else PublicLink(token=row.token, anonymous=row.anonymous)

    def open(self, exercise: Exercise, *, anonymous: bool, by: By = SYSTEM) -> PublicLink:
        """Make a board public, or change how it calls teams, under the same link."""
        with self._database.transaction() as transaction:
            repository = BoardRepository(transaction.session)
            repository.open_public_board(
                exercise.id, token=new_id(_TOKEN_LENGTH), anonymous=anonymous, at=self._clock.now()
            )
            row = repository.public_board(exercise.id)
            assert row is not None  # it was just written
            text = "without the names of teams" if anonymous else "with the names of teams"
            self._journal.note(transaction, exercise, "board.public", text, by=by)
        return PublicLink(token=row.token, anonymous=row.anonymous)

    def close(self, exercise: Exercise, *, by: By = SYSTEM) -> None:
        """Withdraw the link: it never works again."""
        with self._database.transaction() as transaction:
            repository = BoardRepository(transaction.session)
            if repository.public_board(exercise.id) is not None:
                repository.close_public_board(exercise.id)
                self._journal.note(transaction, exercise, "board.withdrawn", "", by=by)

    def exercise_of(self, token: str) -> ExerciseId:
        """Return whose board a link shows; raises BoardUnknownError."""
        with self._database.reading() as session:
            found = BoardRepository(session).exercise_of(token)
        if found is None:
            raise BoardUnknownError(
                "there is no board under this link", hint="Ask whoever runs the exercise for it"
            )
        return found
