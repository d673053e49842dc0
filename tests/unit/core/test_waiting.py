"""Waiting has a deadline and a helpful end."""

from datetime import timedelta

import pytest

from core.waiting import WaitedTooLongError, until

SOON = timedelta(milliseconds=5)


def test_what_is_true_already_is_not_waited_for() -> None:
    until(lambda: True, what="nothing", within=timedelta())


def test_it_is_asked_until_it_is_true() -> None:
    answers = iter([False, False, True])
    until(lambda: next(answers), what="the third", within=timedelta(seconds=5), every=SOON)
    assert list(answers) == []


def test_the_end_says_what_how_long_and_what_was_seen() -> None:
    with pytest.raises(WaitedTooLongError) as late:
        until(lambda: False, what="a ship", within=SOON, every=SOON, last_seen=lambda: "only sea")
    assert str(late.value) == "a ship did not happen within 0.005 s; last seen: only sea"
