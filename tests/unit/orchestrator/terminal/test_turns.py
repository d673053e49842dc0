"""Turns at the engine."""

import asyncio

import pytest

from orchestrator.terminal import turns as module
from orchestrator.terminal.turns import Turns


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tell at once, instead of after a second."""
    monkeypatch.setattr(module, "_FIRST_WORD_SECONDS", 0.0)
    monkeypatch.setattr(module, "_NEXT_WORD_SECONDS", 0.0)


def test_who_waits_is_told_how_many_are_ahead_and_goes_in_order() -> None:
    told: dict[str, list[int]] = {"second": [], "third": []}
    order: list[str] = []

    async def one(turns: Turns, name: str) -> None:
        async with turns.taken(told[name].append if name in told else None):
            order.append(name)

    async def story() -> None:
        turns = Turns(0)
        tasks = []
        for name in ("first", "second", "third"):
            tasks.append(asyncio.ensure_future(one(turns, name)))
            await asyncio.sleep(0)
        assert turns.waiting == 3
        await asyncio.sleep(0.01)
        assert told["second"][0] == 1
        assert told["third"][0] == 2
        turns.release()
        await asyncio.gather(*tasks)
        assert turns.waiting == 0

    asyncio.run(story())
    assert order == ["first", "second", "third"]
    assert told["third"][-1] < 2


def test_who_goes_at_once_is_told_nothing() -> None:
    told: list[int] = []

    async def story() -> None:
        turns = Turns(1)
        async with turns.taken(told.append):
            await asyncio.sleep(0.01)

    asyncio.run(story())
    assert told == []


def test_who_gives_up_leaves_the_row() -> None:
    async def story() -> None:
        turns = Turns(0)

        async def wait() -> None:
            async with turns.taken():
                pass

        waiting = asyncio.ensure_future(wait())
        await asyncio.sleep(0)
        assert turns.waiting == 1
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        assert turns.waiting == 0

    asyncio.run(story())
