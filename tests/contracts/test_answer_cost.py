"""What an answer asks of the database, in statements, on both: what a class has to wait for."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes.scoring_stage import Stage
from tests.fakes.statements import noted_statements


@pytest.fixture
def stage(database_url: str, tmp_path: Path) -> Iterator[Stage]:
    stage = Stage.raised(database_url, tmp_path)
    stage.answer("who", "nobody")  # what is derived once is
    yield stage
    stage.prove()
    stage.database.close()


@pytest.mark.parametrize(("value", "most"), [("wrong", 9), ("right", 14)], ids=["wrong", "right"])
def test_an_answer_takes_few_statements(stage: Stage, value: str, most: int) -> None:
    exercise, team, member = stage.exercise, stage.team(), stage.member()
    sent = stage.value("mark") if value == "right" else "ST{not this one}"
    with noted_statements() as asked:
        stage.scoring.answer(exercise, team, member, task="mark", value=sent, client_key="one")
    assert len(asked) <= most, "\n\n".join(asked)


def test_an_answer_that_is_sent_again_is_only_looked_for(stage: Stage) -> None:
    exercise, team, member = stage.exercise, stage.team(), stage.member()

    def send() -> None:
        stage.scoring.answer(exercise, team, member, task="who", value="nobody", client_key="one")

    send()
    with noted_statements() as asked:
        send()
    assert len(asked) <= 5, "\n\n".join(asked)
    assert not [statement for statement in asked if "INSERT" in statement]
