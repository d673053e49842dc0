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


def test_of_blocks_that_overlap_the_first_counts_until_the_last_ends() -> None:
    with settled_memory():
        before = gc.get_freeze_count()
        kept = [[number] for number in range(1000)]
        with settled_memory():
            assert gc.get_freeze_count() == before
        assert gc.get_freeze_count() == before
    assert (gc.get_freeze_count(), len(kept)) == (0, 1000)
