"""The table of idempotency keys, on every database."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from api.errors import SameKeyOtherRequestError, SameKeyUnderWayError
from api.idempotency import Answer, RememberedWrites, Write
from core.db import Database
from core.users.model import Role, User
from core.users.service import Users
from tests.fakes.clock import FakeClock

DONE = Answer(status=201, body='{"name":"x"}')


@pytest.fixture
def user(database: Database, clock: FakeClock) -> User:
    return Users(database, clock).add("ana", role=Role.INSTRUCTOR)


@pytest.fixture
def writes(database: Database, clock: FakeClock) -> RememberedWrites:
    return RememberedWrites(database, clock)


def test_the_answer_comes_back_to_the_same_request(writes: RememberedWrites, user: User) -> None:
    write = Write(user=user, key="k", digest="d")
    assert writes.begin(write) is None
    writes.finish(write, DONE)
    assert writes.begin(write) == DONE


def test_another_request_under_the_same_key_is_refused(
    writes: RememberedWrites, user: User
) -> None:
    writes.begin(Write(user=user, key="k", digest="d"))
    with pytest.raises(SameKeyOtherRequestError):
        writes.begin(Write(user=user, key="k", digest="other"))


def test_a_request_under_way_is_told_to_wait_and_a_forgotten_one_is_free(
    writes: RememberedWrites, user: User
) -> None:
    write = Write(user=user, key="k", digest="d")
    writes.begin(write)
    with pytest.raises(SameKeyUnderWayError) as refused:
        writes.begin(write)
    assert refused.value.seconds > 0
    writes.forget(write)
    assert writes.begin(write) is None


def test_a_process_that_died_half_way_blocks_its_key_for_a_minute(
    writes: RememberedWrites, user: User, clock: FakeClock
) -> None:
    write = Write(user=user, key="k", digest="d")
    writes.begin(write)
    clock.advance(timedelta(seconds=61))
    assert writes.begin(write) is None
    with pytest.raises(SameKeyUnderWayError):
        writes.begin(write)


def test_a_clock_that_was_set_back_blocks_no_key(
    writes: RememberedWrites, user: User, clock: FakeClock
) -> None:
    write = Write(user=user, key="k", digest="d")
    writes.begin(write)  # and its process dies
    clock.advance(timedelta(hours=-1))
    assert writes.begin(write) is None


def test_a_day_later_a_key_is_new_again(
    writes: RememberedWrites, user: User, clock: FakeClock
) -> None:
    write = Write(user=user, key="k", digest="d")
    writes.begin(write)
    writes.finish(write, DONE)
    clock.advance(timedelta(hours=25))
    assert writes.begin(write) is None


def test_of_many_at_once_one_is_carried_out(writes: RememberedWrites, user: User) -> None:
    write = Write(user=user, key="k", digest="d")

    def began(_: int) -> bool:
        try:
            return writes.begin(write) is None
        except SameKeyUnderWayError:
            return False

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(began, range(8))) == 1
