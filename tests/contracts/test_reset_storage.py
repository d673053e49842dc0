"""A team's resets are counted by the database, on both of them, however many ask at once."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from core.errors import PoligonError
from core.users.service import Users
from orchestrator.repair_repository import RepairRepository
from orchestrator.resets import ResetNotNowError, Resets, ResetsUsedUpError
from scoring.scorekeeping import Scorekeeping
from tests.fakes.scoring_stage import SCENARIO, Stage

LIMIT = 3


@pytest.fixture
def stage(database_url: str, tmp_path: Path) -> Iterator[Stage]:
    rule = f"  office:\n    reset: {{by: [responder], limit: {LIMIT}}}\n"
    scenario = SCENARIO.replace("  office:\n    image", f"{rule}    image")
    raised = Stage.raised(database_url, tmp_path, scenario=scenario)
    yield raised
    raised.database.close()


def test_many_of_a_team_who_ask_at_once_do_not_get_past_the_limit(stage: Stage) -> None:
    scorekeeping = Scorekeeping(stage.clock)
    resets = Resets(stage.database, stage.clock, stage.exercises, scorekeeping)
    users = Users(stage.database, stage.clock)
    member = users.named(stage.team().members[0].name)

    def ask(_: int) -> PoligonError | None:
        try:
            resets.reset(stage.exercise, stage.team(), host="office", by=member)
        except (ResetNotNowError, ResetsUsedUpError) as error:
            return error
        return None

    for _ in range(2 * LIMIT):
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(ask, range(4)))
        with stage.database.transaction() as transaction:
            repairs = RepairRepository(transaction.session)
            under_way = repairs.under_way([stage.team().id])
            repairs.done(under_way, at=stage.clock.now())
    with stage.database.reading() as session:
        own = RepairRepository(session).own_resets(stage.team().id)
    assert {host: len(resets) for host, resets in own.items()} == {"office": LIMIT}
    assert isinstance(ask(0), ResetsUsedUpError)
