"""Wrong passwords and codes of one name come to be told."""

import asyncio
from collections import Counter
from datetime import timedelta

from core.ids import ExerciseId
from orchestrator.domain.world import WorldKey
from orchestrator.gateway.attempts import Attempts
from orchestrator.gateway.bans import Bans
from orchestrator.gateway.enrolment import Secret
from orchestrator.gateway.limits import Guesses, Limits
from orchestrator.terminal.book import Turned
from tests.fakes.chronicle import FakeChronicle
from tests.fakes.gateway_stage import PASSWORD, OpenDoor

DESK = WorldKey(exercise=ExerciseId("k3fq"), team="team-1").host("desk")
_QUICK = timedelta()
_LIMITS = Limits(passwords_per_connection=100, first_delay=_QUICK, longest_delay=_QUICK)


def an_attempt(chronicle: FakeChronicle, **codes: str) -> Attempts:
    """Return a connection's tries; `codes` have expired."""
    return Attempts(
        source="10.0.0.7",
        turn_away=lambda _why: None,
        doorkeeper=OpenDoor(hosts={"ana": DESK}, keys={("ana", "right")}, old_codes=codes),
        limits=_LIMITS,
        guesses=Guesses(_LIMITS),
        bans=Bans(_LIMITS),
        checks=asyncio.Semaphore(1),
        refused=Counter(),
        chronicle=chronicle,
    )


def guessed(tries: list[tuple[str, str]]) -> list[tuple[str, str, int]]:
    """Return what was told of these logins and passwords."""
    chronicle = FakeChronicle()
    attempts = an_attempt(chronicle)

    async def story() -> None:
        for login, password in tries:
            found = await attempts.secret(login, password, codes=True)
            assert (found is Secret.PASSWORD) == (password == PASSWORD)

    asyncio.run(story())
    return chronicle.guesses


def test_the_fifth_wrong_one_of_a_name_is_told_and_then_ever_fewer() -> None:
    assert guessed([("ana", "wrong")] * 4) == []
    assert guessed([("ana", "wrong"), ("ana.desk", "wrong")] * 11) == [
        ("ana", "10.0.0.7", 5),
        ("ana", "10.0.0.7", 10),
        ("ana", "10.0.0.7", 20),
    ]


def test_a_right_one_begins_the_count_anew_and_what_is_no_name_is_not_told() -> None:
    assert guessed([*[("ana", "wrong")] * 4, ("ana", PASSWORD), *[("ana", "wrong")] * 4]) == []
    assert guessed([("Ana Smith\x1b[2J", "wrong")] * 6) == []


def test_keys_that_do_not_fit_are_told_when_their_client_leaves() -> None:
    async def story() -> None:
        chronicle = FakeChronicle()
        attempts = an_attempt(chronicle)
        for key in ("wrong", "older"):
            assert await attempts.key("ana.desk", key) is None
        assert chronicle.turned == [], "an agent offers all it has; the next one may fit"
        assert await attempts.key("no\x1b[2Jname", "wrong") is None
        attempts.gave_up()
        assert chronicle.turned == [("ana", Turned.KEY, "")]

    asyncio.run(story())


def test_a_code_that_has_expired_is_known_from_one_that_never_was() -> None:
    async def story() -> None:
        chronicle = FakeChronicle()
        attempts = an_attempt(chronicle, ana="old-code")
        assert await attempts.secret("ana", "no-code", codes=True) is Secret.WRONG
        assert await attempts.secret("ana", "old-code", codes=False) is Secret.WRONG
        assert chronicle.turned == []
        assert await attempts.secret("ana", "old-code", codes=True) is Secret.EXPIRED
        assert chronicle.turned == [("ana", Turned.CODE, "")]
        assert attempts.refused == {"secret": 3}, "it counts as a wrong one"

    asyncio.run(story())
