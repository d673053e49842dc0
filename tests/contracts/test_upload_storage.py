"""Files of teams on both databases: each revision kept, each once, whoever sends it how often."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from scoring.replaying import Replaying
from scoring.uploads.errors import DeliveryKeyReusedError
from scoring.uploads.views import Delivery
from scoring.views import TaskState
from tests.fakes.marking_stage import MARKED, REPORT, MarkingStage


@pytest.fixture
def marking(database_url: str, tmp_path: Path) -> Iterator[MarkingStage]:
    thanks = "thanks: {when: {task: report, solved: true}, message: {text: We have your report.}}"
    scenario = MARKED.replace("injects:\n", f"injects:\n  {thanks}\n")
    made = MarkingStage.raised(database_url, tmp_path, scenario=scenario)
    made.pass_time(10)
    yield made
    stage = made.stage
    assert Replaying(stage.database, stage.exercises).replay(stage.exercise).holds
    stage.database.close()


def revisions(marking: MarkingStage) -> tuple[Delivery, ...]:
    stage = marking.stage
    offers = marking.uploads.offers(stage.exercise, stage.team(), stage.member())
    (offer,) = offers
    return offer.revisions


def test_every_revision_is_kept_and_the_last_one_comes_first(marking: MarkingStage) -> None:
    first = marking.hand_in(b"# One\n", "draft.md")
    marking.pass_time(1)
    second = marking.hand_in(b"# Two\n", "final.md")
    assert revisions(marking) == (second, first)
    assert [(d.revision, d.name, d.kept_name) for d in revisions(marking)] == [
        (2, "final.md", "report-2.md"),
        (1, "draft.md", "report-1.md"),
    ]
    assert (second.elapsed.total_seconds(), second.at) == (660, marking.stage.clock.now())
    assert [marking.uploads.content(d) for d in (first, second)] == [b"# One\n", b"# Two\n"]


def test_the_task_is_done_with_the_first_file_and_gives_nothing_yet(marking: MarkingStage) -> None:
    assert marking.stage.task("report").state is TaskState.OPEN
    marking.hand_in()
    first = marking.stage.clock.now()
    marking.pass_time(1)
    marking.hand_in(b"# Two\n")
    view = marking.stage.task("report")
    assert (view.state, view.solved_at, view.milli_points) == (TaskState.DONE, first, 0)
    marking.injects.sweep()
    told = marking.injects.messages(marking.stage.exercise, team=marking.stage.team().slug)
    assert told[0].text == "We have your report."


def test_a_file_that_is_sent_again_is_taken_once(marking: MarkingStage) -> None:
    first = marking.hand_in(key="k")
    assert marking.hand_in(key="k") == first
    with pytest.raises(DeliveryKeyReusedError):
        marking.hand_in(b"# Another\n", key="k")
    assert revisions(marking) == (first,)


def test_revisions_at_the_same_moment_get_a_number_each(marking: MarkingStage) -> None:
    with ThreadPoolExecutor(8) as pool:
        calls = [
            pool.submit(marking.hand_in, REPORT + bytes([65 + n]), key=f"{n}") for n in range(8)
        ]
        again = [pool.submit(marking.hand_in, REPORT + b"A", key="0") for _ in range(4)]
        taken = {call.result().id for call in calls}
        assert {call.result().id for call in again} == {calls[0].result().id}
    assert len(taken) == 8
    assert sorted(d.revision for d in revisions(marking)) == list(range(1, 9))
