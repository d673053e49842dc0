"""The vocabulary of states, and how values are spelled."""

from datetime import UTC, datetime, timedelta

import pytest

from api.v1.points import spelled
from api.web.rendering import LOOKS, clock, moment, sentence
from orchestrator.domain.injects import Expectation, FiringState
from orchestrator.domain.isolation import Verdict as Isolated
from orchestrator.domain.phases import Phase, WorldPhase
from scoring.domain.verdicts import Verdict
from scoring.views import TaskState

KINDS = (Phase, WorldPhase, TaskState, Verdict, Isolated, FiringState, Expectation)
WORDS = sorted({str(word) for kind in KINDS for word in kind})


@pytest.mark.parametrize("word", WORDS)
def test_every_state_has_a_shape_and_a_colour(word: str) -> None:
    assert word in LOOKS


def test_states_that_differ_in_colour_differ_in_shape_too() -> None:
    tones: dict[str, set[str]] = {}
    for look in LOOKS.values():
        tones.setdefault(look.shape, set()).add(look.tone)
    assert not [shape for shape, used in tones.items() if {"ok", "bad"} <= used]


@pytest.mark.parametrize(
    ("milli", "text"), [(0, "0"), (20_000, "20"), (12_500, "12.5"), (333, "0.333"), (-5_000, "-5")]
)
def test_points_are_spelled_without_a_fraction_that_is_not_there(milli: int, text: str) -> None:
    assert spelled(milli) == text


def test_times_are_spelled_for_people() -> None:
    assert clock(timedelta(hours=1, minutes=2, seconds=3.9)) == "1:02:03"
    assert moment(datetime(2026, 11, 3, 4, 5, tzinfo=UTC)) == "03.11.2026 04:05 UTC"


@pytest.mark.parametrize(
    ("text", "shown"), [("", ""), ("it ended", "It ended."), ("Ask!", "Ask!"), ("x:", "X:")]
)
def test_a_message_becomes_a_sentence(text: str, shown: str) -> None:
    assert sentence(text) == shown
