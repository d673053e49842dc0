"""An outbox with statements of nobody in particular, and somebody who delivers them."""

from sqlalchemy import select

from core.clock import Clock
from core.db import Database
from core.ids import ExerciseId, new_id
from orchestrator.tables import ExerciseRow, ScenarioPackRow
from scoring.exports.as_xapi import Statement, statement_id, voided, written
from scoring.lrs.delivering import Delivering
from scoring.lrs.lrs import Lrs
from scoring.lrs.repository import OutboxRepository
from scoring.lrs.state import State
from scoring.lrs.tables import StatementRow

ADDRESS = "the lrs"
HOME = "https://range.example"


class Post:
    """An outbox with an exercise in it, and somebody who delivers to an LRS."""

    def __init__(self, database: Database, clock: Clock, lrs: Lrs) -> None:
        self.database, self.clock = database, clock
        self.delivering = Delivering(database, clock, lrs, address=ADDRESS, roll=lambda: 1)
        self.exercise = _an_exercise(database, clock)

    def book(self, *names: str) -> list[str]:
        """Put a statement of each name into the outbox; return their ids."""
        rows = [self._row(name) for name in names]
        with self.database.transaction() as transaction:
            OutboxRepository(transaction.session).add(rows)
        return [str(row["id"]) for row in rows]

    def take_back(self, id_: str, name: str) -> str:
        """Book what takes a statement back; return its id."""
        row = self._row(name, revision=2, voids=id_)
        with self.database.transaction() as transaction:
            repository = OutboxRepository(transaction.session)
            told = repository.true_ones(self.exercise)
            assert repository.take_back(told[name])
            repository.add([row])
        return str(row["id"])

    def _row(self, name: str, *, revision: int = 1, voids: str = "") -> dict[str, object]:
        body = voided(voids, HOME, at=self.clock.now()) if voids else said(name)
        one = Statement(subject=name, body=body)
        id_ = statement_id(self.exercise, name, revision=revision, digest=one.digest)
        return {
            "id": id_,
            "exercise_id": self.exercise,
            "subject": name,
            "revision": revision,
            "digest": one.digest,
            "body": written({"id": id_, **one.body}),
            "is_true": not voids,
            "voids": voids or None,
            "state": State.WAITING,
            "problem": "",
            "booked_at": self.clock.now(),
        }

    def states(self) -> dict[State, int]:
        """Return how many statements are where, of those where any are."""
        with self.database.reading() as session:
            counts = OutboxRepository(session).counts()
        return {state: count for state, count in counts.items() if count}

    def bodies(self) -> list[str]:
        """Return what was booked, in its order."""
        with self.database.reading() as session:
            rows = session.scalars(select(StatementRow.body).order_by(StatementRow.number))
            return list(rows)

    def due_in(self) -> float:
        """Return in how many seconds the LRS is asked again."""
        with self.database.reading() as session:
            row = OutboxRepository(session).lrs(ADDRESS)
        assert row is not None
        return (row.due - self.clock.now()).total_seconds()


def said(name: str) -> dict[str, object]:
    """Return what is said of somebody or something by a name."""
    return {
        "actor": {"objectType": "Agent", "account": {"homePage": HOME, "name": name}},
        "verb": {"id": "http://adlnet.gov/expapi/verbs/passed"},
        "object": {"objectType": "Activity", "id": f"{HOME}/things/{name}"},
        "result": {"success": True, "score": {"scaled": 0.5}},
    }


def _an_exercise(database: Database, clock: Clock) -> ExerciseId:
    at = clock.now()
    exercise = ExerciseId(new_id())
    pack = ScenarioPackRow(digest=exercise, scenario_id="stage", archive=b"", stored_at=at)
    row = ExerciseRow(
        id=exercise,
        name=exercise,
        phase="ended",
        scenario_id="stage",
        scenario_version="1.0.0",
        scenario_title="Stage",
        scenario_digest=exercise,
        duration_seconds=3600,
        secret=b"s" * 32,
        created_at=at,
        story_start=at,
        claimed_until=at,
    )
    for each in (pack, row):
        with database.transaction() as transaction:
            transaction.session.add(each)
    return exercise
