"""Keyboard-interactive conversations."""

import asyncio

import pytest

from core.users.model import CodeRefusedError, KeyInvalidError, PasswordTooShortError
from orchestrator.gateway.enrolment import Challenge, Enrolment, Secret

CODE, PASSWORD, KEY = "h7kd-92mf-xq4r", "long enough it is", "ssh-ed25519 AAAA me"


class Book:
    """Takes what is enrolled; a code works once."""

    def __init__(self) -> None:
        self.codes = {CODE}
        self.keys: list[str] = []
        self.passwords: list[str] = []

    async def judge(self, secret: str) -> Secret:
        if secret == PASSWORD:
            return Secret.PASSWORD
        return Secret.CODE if secret in self.codes else Secret.WRONG

    async def key(self, code: str, public_key: str) -> None:
        if not public_key.startswith("ssh-"):
            raise KeyInvalidError("this is not a key")
        self._use(code)
        self.keys.append(public_key)

    async def password(self, code: str, password: str) -> None:
        if len(password) < 10:
            raise PasswordTooShortError("too short")
        self._use(code)
        self.passwords.append(password)

    def _use(self, code: str) -> None:
        if code not in self.codes:
            raise CodeRefusedError("this code was used")
        self.codes.remove(code)


@pytest.fixture
def book() -> Book:
    return Book()


def talk(book: Book, *answers: list[str]) -> Challenge:
    """Return what the last answer leads to."""
    conversation = Enrolment(judge=book.judge, enrol=book)

    async def story() -> Challenge:
        challenge = conversation.begin()
        for answer in answers:
            assert not isinstance(challenge, bool), "it ended early"
            challenge = await conversation.answer(answer)
        return challenge

    return asyncio.run(story())


def told(challenge: Challenge) -> str:
    assert not isinstance(challenge, bool)
    return challenge[1]


def asked(challenge: Challenge) -> list[tuple[str, bool]]:
    assert not isinstance(challenge, bool)
    return list(challenge[3])


def test_everybody_is_asked_for_a_password_or_a_code_that_is_not_shown(book: Book) -> None:
    assert asked(talk(book)) == [("Password or one-time code: ", False)]


def test_a_password_lets_in(book: Book) -> None:
    assert talk(book, [PASSWORD]) is True


def test_a_code_and_a_key_let_in_and_the_key_is_kept(book: Book) -> None:
    assert talk(book, [CODE], [f" {KEY} "]) is True
    assert book.keys == [KEY]


def test_a_code_and_enter_ask_for_a_password_twice(book: Book) -> None:
    prompts = asked(talk(book, [CODE], [""]))
    assert [shown for _, shown in prompts] == [False, False]
    assert "at least 10 characters" in prompts[0][0]
    assert talk(book, [CODE], [""], [PASSWORD, PASSWORD]) is True
    assert book.passwords == [PASSWORD]


def test_a_wrong_one_is_told_in_one_sentence_and_ends_the_try(book: Book) -> None:
    wrong = talk(book, ["guess"])
    assert told(wrong).startswith("This password or code does not fit")
    assert asked(wrong) == []
    assert talk(book, ["guess"], []) is False
    assert talk(book, ["guess"], [CODE]) is False


def test_a_code_alone_does_not_let_in(book: Book) -> None:
    assert talk(book, [CODE]) is not True
    assert book.codes == {CODE}


@pytest.mark.parametrize(
    ("answers", "sentence"),
    [
        ([["no key"]], "this is not a key"),
        ([[""], [PASSWORD, "another"]], "The two are not the same."),
        ([[""], [PASSWORD]], "The two are not the same."),
        ([[""], ["short", "short"]], "too short"),
    ],
)
def test_what_cannot_be_enrolled_is_told_and_asked_again(
    book: Book, answers: list[list[str]], sentence: str
) -> None:
    again = talk(book, [CODE], *answers)
    assert told(again) == sentence
    assert asked(again)
    assert book.codes == {CODE}


def test_a_code_that_somebody_else_used_meanwhile_ends_the_try(book: Book) -> None:
    async def story() -> Challenge:
        conversation = Enrolment(judge=book.judge, enrol=book)
        conversation.begin()
        await conversation.answer([CODE])
        book.codes.clear()
        late = await conversation.answer([KEY])
        assert told(late) == "this code was used"
        return await conversation.answer([])

    assert asyncio.run(story()) is False
    assert book.keys == []


def test_answers_at_once_are_one_try(book: Book) -> None:
    judged: list[str] = []

    async def slowly(secret: str) -> Secret:
        judged.append(secret)
        await asyncio.sleep(0)
        return await book.judge(secret)

    async def story() -> list[Challenge]:
        conversation = Enrolment(judge=slowly, enrol=book)
        conversation.begin()
        guesses = [conversation.answer([guess]) for guess in ("guess", PASSWORD, CODE)]
        return await asyncio.gather(*guesses)

    first, *others = asyncio.run(story())
    assert judged == ["guess"]
    assert told(first).startswith("This password or code does not fit")
    assert others == [False, False]


@pytest.mark.parametrize("responses", [[], [PASSWORD, PASSWORD]])
def test_a_client_that_answers_something_else_than_was_asked_is_not_let_in(
    book: Book, responses: list[str]
) -> None:
    assert talk(book, responses) is not True
