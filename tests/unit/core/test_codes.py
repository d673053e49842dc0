"""One-time codes."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from core.db import Base, Database
from core.users.codes import CODE_LIFETIME
from core.users.model import CodeRefusedError, KeyInvalidError, PasswordTooShortError, Role
from core.users.service import Users
from core.users.tables import CodeRow
from tests.fakes.clock import FakeClock
from tests.fakes.queue import RecordingQueue

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIPdVJf0mWx+8GyNYMDcpRGvJxnqb0FJHmGMhfWJtKtCW me@laptop"


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = Database(f"sqlite:///{tmp_path / 'test.db'}", queue=RecordingQueue())
    names = ("users", "ssh_keys", "tokens", "one_time_codes")
    Base.metadata.create_all(database.engine, tables=[Base.metadata.tables[name] for name in names])
    yield database
    database.close()


@pytest.fixture
def users(database: Database, clock: FakeClock) -> Users:
    users = Users(database, clock)
    users.add("ana", role=Role.TRAINEE)
    users.add("ben", role=Role.TRAINEE)
    return users


def test_a_code_enrols_a_key_once(users: Users) -> None:
    code, _ = users.codes.issue("ana")
    assert users.codes.fits("ana", code)
    users.codes.enrol_key("ana", code, KEY)
    assert users.key_fits("ana", KEY)
    assert not users.codes.fits("ana", code)
    with pytest.raises(CodeRefusedError):
        users.codes.enrol_password("ana", code, "long enough it is")
    assert not users.password_fits("ana", "long enough it is")


def test_a_code_enrols_a_password(users: Users) -> None:
    code, _ = users.codes.issue("ana")
    users.codes.enrol_password("ana", code, "long enough it is")
    assert users.password_fits("ana", "long enough it is")


def test_a_code_may_be_typed_in_capitals_and_with_blanks_around(users: Users) -> None:
    code, _ = users.codes.issue("ana")
    assert users.codes.fits("ana", f" {code.upper()} ")


def test_a_code_is_its_owners_alone(users: Users) -> None:
    code, _ = users.codes.issue("ana")
    assert not users.codes.fits("ben", code)
    with pytest.raises(CodeRefusedError):
        users.codes.enrol_key("ben", code, KEY)
    assert not users.key_fits("ben", KEY)


def test_a_code_ends_with_its_time(users: Users, clock: FakeClock) -> None:
    code, expires = users.codes.issue("ana")
    assert expires == clock.now() + CODE_LIFETIME
    clock.advance(CODE_LIFETIME - timedelta(seconds=1))
    assert users.codes.fits("ana", code)
    assert not users.codes.has_expired("ana", code)
    clock.advance(timedelta(seconds=1))
    assert not users.codes.fits("ana", code)
    assert users.codes.has_expired("ana", code)
    assert not users.codes.has_expired("ana", "aaaa-bbbb-cccc")
    with pytest.raises(CodeRefusedError):
        users.codes.enrol_key("ana", code, KEY)
    assert not users.key_fits("ana", KEY)


def test_a_new_code_withdraws_the_one_before(users: Users) -> None:
    first, _ = users.codes.issue("ana")
    second, _ = users.codes.issue("ana", lasts=timedelta(hours=1))
    assert not users.codes.fits("ana", first)
    assert users.codes.fits("ana", second)


def test_what_cannot_be_enrolled_leaves_the_code_good(users: Users) -> None:
    code, _ = users.codes.issue("ana")
    with pytest.raises(KeyInvalidError):
        users.codes.enrol_key("ana", code, "no key")
    with pytest.raises(PasswordTooShortError, match="at least 10 characters"):
        users.codes.enrol_password("ana", code, "too short")
    assert users.codes.fits("ana", code)


def test_the_code_itself_is_not_kept(users: Users, database: Database) -> None:
    code, _ = users.codes.issue("ana")
    with database.reading() as session:
        row = session.scalars(select(CodeRow)).one()
        assert code not in (row.digest, row.user_id)
        assert len(row.digest) == 64


def test_a_key_tells_whose_it_is_unless_it_is_several_peoples(users: Users) -> None:
    assert users.owner_of_key(KEY) is None
    users.add_key("ana", KEY)
    owner = users.owner_of_key(KEY)
    assert owner is not None
    assert owner.name == "ana"
    users.add_key("ben", KEY)
    assert users.owner_of_key(KEY) is None


def test_only_trainees_with_neither_password_nor_key_have_no_way_in(users: Users) -> None:
    users.add("ada", role=Role.ADMIN)
    users.add("cem", role=Role.TRAINEE, password="harbour-7")
    users.add_key("ben", KEY)
    assert users.without_way_in(["ada", "ana", "ben", "cem", "nobody"]) == {"ana"}
