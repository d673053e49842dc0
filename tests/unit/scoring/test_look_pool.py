"""Places for looks: what hangs holds its own and nobody else's."""

import threading
from collections.abc import Iterator

import pytest

from core.errors import PoligonError
from scoring.look_pool import LookPool

SOON = 30


@pytest.fixture
def pool() -> Iterator[LookPool]:
    pool = LookPool(2)
    yield pool
    pool.close()


def test_a_look_that_hangs_does_not_hold_the_others_up(pool: LookPool) -> None:
    # A peer gives all results of a round up once one of its checks is stuck for long.
    hangs, done = threading.Event(), [threading.Event() for _ in range(8)]
    pool.start(lambda: hangs.wait(SOON))
    for event in done:
        pool.start(event.set)
    assert all(event.wait(SOON) for event in done)
    assert not hangs.is_set()
    hangs.set()


def test_a_look_that_goes_wrong_gives_its_place_back(pool: LookPool) -> None:
    def fails() -> None:
        raise PoligonError("the database went away")

    def breaks() -> None:
        raise ZeroDivisionError

    done = threading.Event()
    for look in (fails, breaks, fails, breaks, done.set):
        pool.start(look)
    assert done.wait(SOON)


def test_there_are_no_more_looks_at_once_than_places(pool: LookPool) -> None:
    go, all_begun = threading.Event(), threading.Semaphore(0)

    def look() -> None:
        all_begun.release()
        go.wait(SOON)

    for _ in range(2):
        pool.start(look)
    third = threading.Thread(target=pool.start, args=(look,))
    third.start()
    assert all(all_begun.acquire(timeout=SOON) for _ in range(2))
    assert not all_begun.acquire(timeout=0.05)
    go.set()
    assert all_begun.acquire(timeout=SOON)
    third.join(SOON)
