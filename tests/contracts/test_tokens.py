"""Whose a token is, on every database: kept at hand for a moment, and never beyond a withdrawal."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from sqlalchemy import Engine, event, update

from core.db import Database
from core.users import tokens as module
from core.users.model import Role, User
from core.users.service import Users
from core.users.tables import UserRow
from core.users.tokens import TOKEN_LIFETIME, TRUSTED, Tokens
from tests.fakes.clock import FakeClock
from tests.fakes.statements import noted_statements

AN_INSTANT = timedelta(milliseconds=1)


@pytest.fixture
def tokens(database: Database, clock: FakeClock) -> Tokens:
    return Tokens(database, clock)


@pytest.fixture
def elsewhere(database: Database, clock: FakeClock) -> Users:
    """Another process of the same site."""
    return Users(database, clock)


@pytest.fixture
def ana(elsewhere: Users) -> User:
    return elsewhere.add("ana", role=Role.TRAINEE)


@contextmanager
def once_told(act: Callable[[], object]) -> Iterator[None]:
    """Have `act` happen right after the database has told for the first time whose a token is."""
    waiting = [act]

    def told(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        if waiting and statement.startswith("SELECT tokens.digest"):
            waiting.pop()()

    event.listen(Engine, "after_cursor_execute", told)
    try:
        yield
    finally:
        event.remove(Engine, "after_cursor_execute", told)
    assert not waiting


def asked_for(act: Callable[[], object]) -> int:
    """Return how often the database is asked whose tokens are while `act` happens."""
    with noted_statements() as asked:
        act()
    return sum("tokens.digest" in statement for statement in asked)


def test_what_was_told_a_moment_ago_is_at_hand(tokens: Tokens, ana: User, clock: FakeClock) -> None:
    token = tokens.issue(ana)
    assert tokens.at_hand(token) is None, "nobody has asked yet"
    assert tokens.owner(token) == ana
    clock.advance(TRUSTED / 2 - AN_INSTANT)
    assert tokens.at_hand(token) == ana
    assert asked_for(lambda: tokens.owner(token)) == 0
    clock.advance(AN_INSTANT)
    assert tokens.at_hand(token) is None
    assert asked_for(lambda: tokens.owner(token)) == 1
    assert tokens.at_hand(token) == ana


def test_nobody_waits_while_one_asks_again_unless_it_is_a_second_old(
    tokens: Tokens, ana: User, clock: FakeClock
) -> None:
    token = tokens.issue(ana)
    tokens.owner(token)
    for left in (ana, None):
        clock.advance(TRUSTED - AN_INSTANT if left else AN_INSTANT)
        with tokens._asking:
            assert tokens.at_hand(token) == left
        assert tokens.at_hand(token) is None


def test_a_token_that_is_withdrawn_here_is_nobodys_from_then_on(tokens: Tokens, ana: User) -> None:
    token, other = tokens.issue(ana), tokens.issue(ana)
    assert tokens.owner(token) == tokens.owner(other) == ana
    tokens.withdraw(token)
    assert tokens.at_hand(token) is None
    assert tokens.owner(token) is None
    assert tokens.owner(other) == ana


def test_a_new_password_or_a_code_withdraws_all_at_once(
    elsewhere: Users, database: Database, clock: FakeClock
) -> None:
    here = Users(database, clock)
    ana = here.add("ana", role=Role.TRAINEE, password="h7kd-92mf-xq4r")
    code, _ = here.codes.issue("ana")
    acts: list[Callable[[], None]] = [
        lambda: here.set_password("ana", "k2md-92mf-xq4r"),
        lambda: here.codes.enrol_password("ana", code, "k2md-92mf-xq4r"),
    ]
    for act in acts:
        token = here.issue_token(ana)
        assert here.of_token(token) == ana
        assert here.of_token_at_hand(token) == ana
        act()
        assert here.of_token_at_hand(token) is None
        assert here.of_token(token) is None


def test_a_token_that_another_process_withdrew_opens_nothing_after_a_second(
    tokens: Tokens, elsewhere: Users, ana: User, clock: FakeClock
) -> None:
    token = tokens.issue(ana)
    tokens.owner(token)
    elsewhere.withdraw_token(token)
    clock.advance(timedelta(seconds=1))
    assert tokens.at_hand(token) is None
    assert tokens.owner(token) is None


def test_a_role_that_another_process_changed_holds_after_a_second(
    tokens: Tokens, database: Database, ana: User, clock: FakeClock
) -> None:
    token = tokens.issue(ana)
    tokens.owner(token)
    with database.transaction() as transaction:
        transaction.session.execute(update(UserRow).values(role=Role.STAFF.value))
    clock.advance(timedelta(seconds=1))
    owner = tokens.owner(token)
    assert owner is not None
    assert owner.role is Role.STAFF


def test_an_answer_that_a_withdrawal_overtook_is_kept_by_nobody(tokens: Tokens, ana: User) -> None:
    token = tokens.issue(ana)
    with once_told(lambda: tokens.withdraw(token)):
        tokens.owner(token)
    assert tokens.at_hand(token) is None
    assert tokens.owner(token) is None


def test_a_withdrawal_that_fails_is_taken_for_one(tokens: Tokens, ana: User) -> None:
    token = tokens.issue(ana)
    tokens.owner(token)
    with pytest.raises(RuntimeError), tokens.withdrawing():
        raise RuntimeError("the database went away")
    assert tokens.at_hand(token) is None
    assert tokens.owner(token) == ana


def test_a_token_ends_with_its_time_also_when_it_is_at_hand(
    tokens: Tokens, ana: User, clock: FakeClock
) -> None:
    token = tokens.issue(ana)
    clock.advance(TOKEN_LIFETIME - AN_INSTANT)
    assert tokens.owner(token) == ana
    clock.advance(AN_INSTANT)
    assert tokens.at_hand(token) is None
    assert tokens.owner(token) is None


def test_a_wall_clock_that_is_set_back_makes_nothing_hold_longer(
    tokens: Tokens, ana: User, clock: FakeClock
) -> None:
    token = tokens.issue(ana)
    tokens.owner(token)
    clock.advance(-timedelta(hours=1))
    assert tokens.at_hand(token) is None


def test_one_question_is_for_all_who_came_lately(
    tokens: Tokens, ana: User, clock: FakeClock
) -> None:
    come = [tokens.issue(ana) for _ in range(5)]
    late = tokens.issue(ana)
    tokens.owner(late)
    clock.advance(timedelta(minutes=1))
    for token in come:
        tokens.owner(token)
    clock.advance(timedelta(seconds=2))
    assert asked_for(lambda: tokens.owner(come[0])) == 1
    assert [tokens.at_hand(token) for token in come] == [ana] * 5
    assert tokens.at_hand(late) is None
    assert asked_for(lambda: [tokens.owner(token) for token in come]) == 0


def test_what_is_kept_has_a_bound(
    tokens: Tokens, ana: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_MOST_KEPT", 3)
    come = [tokens.issue(ana) for _ in range(10)]
    for token in come:
        assert tokens.owner(token) == ana
        assert tokens.owner("plg_nobodys") is None
    assert len(tokens._told) <= 3
