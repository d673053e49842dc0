"""Whose turn it is at the engine."""

import threading
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from datetime import timedelta

import pytest

from core.waiting import until
from orchestrator.engine.turns import Ranks, Turns

SOON = timedelta(seconds=5)


class Queue:
    """Threads that ask for the place that the test holds, one after another."""

    def __init__(self, turns: Turns, ranks: Ranks, pool: ThreadPoolExecutor) -> None:
        self._turns = turns
        self._ranks = ranks
        self._pool = pool
        self._futures: list[Future[None]] = []
        self.served: list[str] = []

    def ask(self, name: str) -> None:
        def hold() -> None:
            with self._building(name), self._turns.place():
                self.served.append(name)

        self._futures.append(self._pool.submit(hold))
        waiting = len(self._futures)
        until(lambda: len(self._turns._waiting) == waiting, what=f"{name} to wait", within=SOON)

    def _building(self, name: str) -> AbstractContextManager[None]:
        world = world_of(name)
        return self._ranks.building(world) if world else nullcontext()

    def done(self) -> list[str]:
        for future in self._futures:
            future.result(SOON.total_seconds())
        return self.served


def world_of(name: str) -> str:
    """Return the world that ``host WORLD`` is of; what has another name builds none."""
    return name.removeprefix("host ") if name.startswith("host ") else ""


def served(*names: str) -> list[str]:
    """Return in which order these are served that came in this one."""
    turns, ranks = Turns(1), Ranks()
    for world in sorted(filter(None, map(world_of, names))):
        with ranks.building(world):
            pass
    with ThreadPoolExecutor(max_workers=len(names)) as pool:
        queue = Queue(turns, ranks, pool)
        with turns.place():
            for name in names:
                queue.ask(name)
        return queue.done()


def test_the_world_that_was_begun_first_is_finished_first() -> None:
    assert served("host 2", "host 1", "host 1") == ["host 1", "host 1", "host 2"]


def test_what_builds_nothing_goes_before() -> None:
    assert served("host 1", "host 2", "check") == ["check", "host 1", "host 2"]


def test_nobody_is_passed_over_for_ever() -> None:
    assert served("host 1", "one", "two", "three", "four", "five")[:4] == [
        "one",
        "two",
        "three",
        "host 1",
    ]


def test_no_more_than_the_places_are_held_at_once() -> None:
    turns, lock, now, most = Turns(3), threading.Lock(), 0, 0

    def hold(_: int) -> None:
        nonlocal now, most
        with turns.place():
            with lock:
                now += 1
                most = max(most, now)
            threading.Event().wait(0.002)
            with lock:
                now -= 1

    with ThreadPoolExecutor(max_workers=12) as pool:
        list(pool.map(hold, range(60)))
    assert most == 3
    assert turns._free == 3


def test_whoever_is_interrupted_while_waiting_takes_no_place_along(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    turns = Turns(1)
    with turns.place():
        monkeypatch.setattr(threading.Event, "wait", _interrupted)
        with pytest.raises(KeyboardInterrupt), turns.place():
            pass
        monkeypatch.undo()
    assert turns._free == 1
    assert not turns._waiting


def test_a_place_that_was_handed_to_whoever_is_interrupted_is_handed_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    turns = Turns(1)
    turns._take()

    def called_and_interrupted(event: threading.Event) -> bool:
        turns._leave()
        assert event.is_set()
        raise KeyboardInterrupt

    monkeypatch.setattr(threading.Event, "wait", called_and_interrupted)
    with pytest.raises(KeyboardInterrupt), turns.place():
        pass
    assert turns._free == 1


def _interrupted(_: threading.Event) -> bool:
    raise KeyboardInterrupt
