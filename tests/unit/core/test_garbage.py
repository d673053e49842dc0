"""The garbage collector, and what it need not go through."""

import gc

import pytest

from core.garbage import settled_memory


def test_what_was_there_before_is_left_alone_and_looked_at_again_afterwards() -> None:
    with settled_memory():
        assert gc.get_freeze_count() > 1000
    assert gc.get_freeze_count() == 0


def test_an_error_inside_ends_it_too() -> None:
    with pytest.raises(ZeroDivisionError), settled_memory():
        raise ZeroDivisionError
    assert gc.get_freeze_count() == 0
