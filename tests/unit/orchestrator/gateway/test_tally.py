"""A flood is told once, and then how large it was."""

import asyncio
from datetime import timedelta

from orchestrator.gateway.tally import Tally

_SOON = timedelta(milliseconds=50)


def test_the_first_is_told_at_once_and_the_rest_later_with_their_number() -> None:
    async def story() -> list[tuple[str, int]]:
        told: list[tuple[str, int]] = []
        tally: Tally[str] = Tally(lambda event, count: told.append((event, count)), every=_SOON)
        for number in range(500):
            tally.add("ana", f"try {number}")
        tally.add("ben", "a try")
        assert told == [("try 0", 1), ("a try", 1)]
        await asyncio.sleep(4 * _SOON.total_seconds())
        assert len(told) == 3, "who stopped is not told again"
        tally.add("ana", "back")
        return told

    told = asyncio.run(asyncio.wait_for(story(), timeout=10))
    assert told[2:] == [("try 499", 499), ("back", 1)]


def test_so_many_names_at_a_time_are_told_and_no_more() -> None:
    async def story() -> list[int]:
        told: list[int] = []
        tally: Tally[int] = Tally(lambda event, _: told.append(event), every=timedelta(hours=1))
        for number in range(1500):
            tally.add(number, number)
        return told

    assert asyncio.run(story()) == list(range(1000))
