"""What an answer asks of the database, in statements, on both: what a class has to wait for."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, event

from tests.fakes.scoring_stage import Stage


@pytest.fixture
def stage(database_url: str, tmp_path: Path) -> Iterator[Stage]:
    stage = Stage.raised(database_url, tmp_path)
    stage.answer("who", "nobody")  # what is derived once is
    yield stage
    stage.prove()
    stage.database.close()


def statements(act: Callable[[], object]) -> list[str]:
    """Return what the database is asked while something is done."""
    asked: list[str] = []

    def note(*told: object) -> None:
        asked.append(str(told[2]))

    event.listen(Engine, "before_cursor_execute", note)
    try:
        act()
    finally:
        event.remove(Engine, "before_cursor_execute", note)
    return asked


@pytest.mark.parametrize(("value", "most"), [("wrong", 11), ("right", 18)], ids=["wrong", "right"])
def test_an_answer_takes_few_statements(stage: Stage, value: str, most: int) -> None:
    exercise, team, member = stage.exercise, stage.team(), stage.member()
    sent = stage.value("mark") if value == "right" else "ST{not this one}"
    asked = statements(
        lambda: stage.scoring.answer(
            exercise, team, member, task="mark", value=sent, client_key="one"
        ),
    )
    assert len(asked) <= most, "\n\n".join(asked)


def test_an_answer_that_is_sent_again_is_only_looked_for(stage: Stage) -> None:
    exercise, team, member = stage.exercise, stage.team(), stage.member()

    def send() -> None:
        stage.scoring.answer(exercise, team, member, task="who", value="nobody", client_key="one")

    send()
    asked = statements(send)
    assert len(asked) <= 5, "\n\n".join(asked)
    assert not [statement for statement in asked if "INSERT" in statement]
