"""Keyboard-interactive logins: a password, or a one-time code that enrols a key or a password."""

from collections.abc import Awaitable, Callable, Sequence
from enum import Enum, auto
from typing import Protocol

from core.errors import PoligonError
from core.users.codes import SHORTEST_PASSWORD
from core.users.model import CodeRefusedError

Challenge = bool | tuple[str, str, str, Sequence[tuple[str, bool]]]
_WRONG = "This password or code does not fit; a code works once, and for a limited time."
_EXPIRED = "This one-time code has expired; ask your instructor for another."
_KEY = "Paste your public key (one line), or press Enter to set a password: "
_LANGUAGE = ""


class Secret(Enum):
    """What somebody typed."""

    WRONG = auto()
    PASSWORD = auto()
    CODE = auto()
    EXPIRED = auto()  # a code that was right once


class Enrol(Protocol):
    """Uses a code for a key or a password; raises a PoligonError with a sentence."""

    async def key(self, code: str, public_key: str) -> None:
        """Use it for a key."""
        ...

    async def password(self, code: str, password: str) -> None:
        """Use it for a password."""
        ...


class Enrolment:
    """One conversation. Each answer leads to a challenge, or to the end of it: in, or not.

    A key that the client offered before is not taken over: it never proved to have it, and an
    offered key is public, so anybody could have a stranger's enrolled as their own.
    """

    def __init__(self, *, judge: Callable[[str], Awaitable[Secret]], enrol: Enrol) -> None:
        self._judge = judge
        self._enrol = enrol
        self._code = ""
        self._next: Callable[[Sequence[str]], Awaitable[Challenge]] = self._secret

    def begin(self) -> Challenge:
        """Return the first challenge; it is the same for everybody, known or not."""
        return _ask("", ("Password or one-time code: ", False))

    async def answer(self, responses: Sequence[str]) -> Challenge:
        """Return what follows an answer: True lets in, False ends the try.

        What a client says while an answer is still judged was not asked, and counts as wrong.
        """
        step, self._next = self._next, _no
        return await step(responses)

    async def _secret(self, responses: Sequence[str]) -> Challenge:
        judged = await self._judge(responses[0]) if len(responses) == 1 else Secret.WRONG
        if judged is Secret.PASSWORD:
            return True
        if judged is Secret.CODE:
            self._code = responses[0]
            return self._ask_key("Your code is right.")
        if judged is Secret.EXPIRED:
            return _ask(_EXPIRED)
        # Without a question: clients show the sentence, and the try ends with their empty answer.
        return _ask(_WRONG)

    def _ask_key(self, told: str) -> Challenge:
        self._next = self._key
        return _ask(told, (_KEY, True))

    def _ask_password(self, told: str) -> Challenge:
        self._next = self._password
        asked = f"New password (at least {SHORTEST_PASSWORD} characters): "
        return _ask(told, (asked, False), ("The same again: ", False))

    async def _key(self, responses: Sequence[str]) -> Challenge:
        line = responses[0].strip() if responses else ""
        if not line:
            return self._ask_password("")
        return await self._done(self._enrol.key(self._code, line), again=self._ask_key)

    async def _password(self, responses: Sequence[str]) -> Challenge:
        if len(responses) != 2 or responses[0] != responses[1]:  # noqa: PLR2004  # both of them
            return self._ask_password("The two are not the same.")
        enrolled = self._enrol.password(self._code, responses[0])
        return await self._done(enrolled, again=self._ask_password)

    async def _done(
        self, enrolled: Awaitable[None], *, again: Callable[[str], Challenge]
    ) -> Challenge:
        try:
            await enrolled
        except CodeRefusedError as error:  # used by somebody else meanwhile, or too old now
            return _ask(str(error))
        except PoligonError as error:
            return again(str(error))
        return True


async def _no(_responses: Sequence[str]) -> Challenge:
    return False


def _ask(told: str, *prompts: tuple[str, bool]) -> Challenge:
    return ("", told, _LANGUAGE, prompts)
