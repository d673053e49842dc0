"""People who may log in."""

import base64
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from core.db import Base, Database
from core.users.keys import parse_public_key
from core.users.model import (
    KeyInvalidError,
    LoginRefusedError,
    Role,
    UserExistsError,
    UserNameInvalidError,
    UserUnknownError,
)
from core.users.service import Users
from core.users.tokens import TOKEN_LIFETIME
from tests.fakes.clock import FakeClock
from tests.fakes.queue import RecordingQueue


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def users(tmp_path: Path, clock: FakeClock) -> Iterator[Users]:
    database = Database(f"sqlite:///{tmp_path / 'test.db'}", queue=RecordingQueue())
    names = ("users", "ssh_keys", "tokens", "one_time_codes")
    tables = [Base.metadata.tables[name] for name in names]
    Base.metadata.create_all(database.engine, tables=tables)
    yield Users(database, clock)
    database.close()


def test_somebody_logs_in_with_their_password(users: Users) -> None:
    ana = users.add("ana", role=Role.TRAINEE, password="harbour-7")
    user, token = users.log_in("ana", "harbour-7")
    assert user == ana
    assert users.of_token(token) == ana


@pytest.mark.parametrize(("name", "password"), [("ana", "harbour-8"), ("eva", "harbour-7")])
def test_a_refused_login_does_not_say_which_half_was_wrong(
    users: Users, name: str, password: str
) -> None:
    users.add("ana", role=Role.TRAINEE, password="harbour-7")
    with pytest.raises(LoginRefusedError) as refused:
        users.log_in(name, password)
    assert refused.value.message == "name and password do not fit"


def test_a_token_ends_with_its_time(users: Users, clock: FakeClock) -> None:
    token = users.issue_token(users.add("ana", role=Role.TRAINEE))
    clock.advance(TOKEN_LIFETIME - timedelta(seconds=1))
    assert users.of_token(token) is not None
    clock.advance(timedelta(seconds=1))
    assert users.of_token(token) is None


def test_a_new_password_ends_every_session(users: Users) -> None:
    users.add("ana", role=Role.TRAINEE, password="harbour-7")
    _, token = users.log_in("ana", "harbour-7")
    users.set_password("ana", "harbour-8")
    assert users.of_token(token) is None
    assert not users.password_fits("ana", "harbour-7")
    assert users.password_fits("ana", "harbour-8")


def test_a_withdrawn_token_is_nobodys(users: Users) -> None:
    token = users.issue_token(users.add("ana", role=Role.TRAINEE))
    users.withdraw_token(token)
    assert users.of_token(token) is None


def test_a_name_is_given_once(users: Users) -> None:
    users.add("ana", role=Role.TRAINEE)
    with pytest.raises(UserExistsError):
        users.add("ana", role=Role.STAFF)
    assert users.named("ana").role is Role.TRAINEE


@pytest.mark.parametrize(
    "name", ["", "Ana", "a" * 33, "ana.desk", "1ana", "ana\n", "../ana", "анa"]
)
def test_a_name_that_is_no_ssh_login_is_refused(users: Users, name: str) -> None:
    with pytest.raises(UserNameInvalidError):
        users.add(name, role=Role.TRAINEE)


def test_an_unknown_user_is_said_to_be_unknown(users: Users) -> None:
    with pytest.raises(UserUnknownError):
        users.named("eva")


def key_line(kind: str = "ssh-ed25519", secret: bytes = b"k" * 32) -> str:
    parts = (kind.encode(), secret)
    blob = b"".join(len(part).to_bytes(4, "big") + part for part in parts)
    return f"{kind} {base64.b64encode(blob).decode()} ana@laptop"


def test_a_key_lets_in_its_owner_only(users: Users) -> None:
    users.add("ana", role=Role.TRAINEE)
    users.add("eva", role=Role.TRAINEE)
    fingerprint = users.add_key("ana", key_line())
    assert fingerprint.startswith("SHA256:")
    assert users.key_fits("ana", key_line())
    assert not users.key_fits("eva", key_line())
    assert not users.key_fits("ana", key_line(secret=b"q" * 32))


def test_a_key_added_twice_is_there_once(users: Users) -> None:
    users.add("ana", role=Role.TRAINEE)
    assert users.add_key("ana", key_line()) == users.add_key("ana", key_line())


@pytest.mark.parametrize(
    "line",
    [
        "",
        "ssh-ed25519",
        "ssh-ed25519 not-base-64!",
        "ssh-rsa " + key_line().split()[1],
        "-----BEGIN OPENSSH PRIVATE KEY-----",
        'command="sh" ' + key_line(),
    ],
)
def test_what_is_no_public_key_is_refused(line: str) -> None:
    with pytest.raises(KeyInvalidError):
        parse_public_key(line)
