"""A round is due at once, and then so often."""

from datetime import timedelta

from core.rounds import Rounds
from tests.fakes.clock import FakeClock


def test_a_round_is_due_at_once_and_again_when_its_time_has_passed() -> None:
    clock = FakeClock()
    rounds = Rounds(clock, every=timedelta(minutes=1))
    assert [rounds.is_due(), rounds.is_due()] == [True, False]
    clock.advance(timedelta(seconds=59))
    assert not rounds.is_due()
    clock.advance(timedelta(seconds=1))
    assert [rounds.is_due(), rounds.is_due()] == [True, False]
