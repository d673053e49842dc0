"""Whatever is corrected and whenever an LRS fails, in the end it holds what the download has."""

import json
import random
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from scoring.corrections.views import Correction
from scoring.domain.amendments import Adjust, Revoke
from scoring.exports.as_xapi import as_xapi
from scoring.lrs.delivering import Delivering
from scoring.lrs.http_lrs import HttpLrs
from scoring.lrs.outbox import Destination, Outbox
from scoring.lrs.state import State
from tests.fakes.correction_desk import Desk
from tests.fakes.lrs import KEY, SECRET, FakeLrs, Wrong
from tests.fakes.scoring_stage import Stage

HOME = "https://range.example"
FAILURES = (Wrong(), Wrong(stores=True), Wrong(status=503), Wrong(status=401))
STEPS = 30


@pytest.fixture
def stage(database_url: str, tmp_path: Path) -> Iterator[Stage]:
    stage = Stage.raised(database_url, tmp_path)
    yield stage
    stage.database.close()


class History:
    """An exercise that was played, what is corrected afterwards, and who tells of it."""

    def __init__(self, stage: Stage, lrs: FakeLrs, http: HttpLrs, seed: int) -> None:
        self.stage, self.lrs, self.dice = stage, lrs, random.Random(seed)
        self.outbox = Outbox(
            stage.database,
            stage.clock,
            stage.exercises,
            Destination(address=lrs.url, home_page=HOME),
        )
        self.delivering = Delivering(
            stage.database, stage.clock, http, address=lrs.url, roll=lambda: 1
        )
        self.desk = Desk(stage)
        self.standing: list[Correction] = []

    def step(self) -> None:
        """Do something, by chance."""
        act = self.dice.choice([self.adjust, self.revoke, self.book, self.deliver])
        self.stage.clock.advance(timedelta(minutes=self.dice.randint(0, 3)))
        act()

    def adjust(self) -> None:
        points = Decimal(self.dice.choice([-12, -3, 3]))
        team, task = self.dice.choice(["team-1", "team-2"]), self.dice.choice(["who", "when"])
        self.standing.append(self.desk.correct(Adjust(team=team, task=task, points=points)))

    def revoke(self) -> None:
        if self.standing:
            gone = self.standing.pop(self.dice.randrange(len(self.standing)))
            self.desk.correct(Revoke(correction=gone.id))

    def book(self) -> None:
        self.outbox.book()

    def deliver(self) -> None:
        self.delivering.sweep()

    def end(self) -> None:
        """Tell all there is to tell, however often it takes."""
        self.outbox.book()
        for _ in range(200):
            self.stage.clock.advance(timedelta(hours=2))
            self.delivering.sweep()
            if not self.outbox.status().counts[State.WAITING]:
                return
        pytest.fail(f"they never all went: {self.outbox.status()}")

    def downloaded(self) -> list[dict[str, Any]]:
        text = as_xapi(self.stage.scoring.record(self.stage.exercise), HOME)
        return by_what_they_say(json.loads(text))


def by_what_they_say(statements: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return statements without their ids, in an order that depends on nothing else."""
    bare = [{k: v for k, v in one.items() if k != "id"} for one in statements]
    return sorted(bare, key=lambda one: json.dumps(one, sort_keys=True))


@pytest.mark.parametrize("seed", range(3))
def test_any_history_ends_in_what_the_download_has(stage: Stage, lrs: FakeLrs, seed: int) -> None:
    stage.pass_time(60)
    stage.answer("who", stage.value("intruder"))
    stage.exercises.end(stage.exercise.id)
    with HttpLrs(lrs.url, key=KEY, secret=SECRET) as http:
        history = History(stage, lrs, http, seed)
        luck = random.Random(seed)
        lrs.wrong = lambda _: luck.choice(FAILURES) if luck.random() < 0.3 else None
        for _ in range(STEPS):
            history.step()
        history.end()
    assert by_what_they_say(list(lrs.standing.values())) == history.downloaded()
    assert len(set(lrs.stored)) == len(lrs.stored)
    assert len(lrs.voided) > 0
