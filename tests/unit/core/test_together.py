"""What waits for others is done together: in its order, only with its like, at nobody's cost."""

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import CancelledError

import pytest

from core.errors import Fault, PoligonError
from core.together import Together

SOON = 10


class MissingError(PoligonError):
    code = "test.missing"
    fault = Fault.UPSTREAM


class WrongError(PoligonError):
    code = "test.wrong"
    fault = Fault.INPUT


class Desk:
    """Work that notes what was done together, and stands until it is let go on."""

    def __init__(self) -> None:
        self.done: list[list[str]] = []
        self.at_work = threading.Event()
        self.go_on = threading.Event()
        self.act: Callable[[str], str | PoligonError] = str.upper

    def __call__(self, items: Sequence[str]) -> Sequence[str | PoligonError]:
        self.done.append(list(items))
        self.at_work.set()
        assert self.go_on.wait(SOON)
        return [self.act(item) for item in items]


@pytest.fixture
def desk() -> Iterator[Desk]:
    desk = Desk()
    yield desk
    desk.go_on.set()


@pytest.fixture
def together(desk: Desk) -> Together[str, str]:
    return Together(desk, alike=lambda item: item[0], most=3, name="desk")


def busy(desk: Desk, together: Together[str, str]) -> None:
    together.ask("first")
    assert desk.at_work.wait(SOON)


def test_what_comes_meanwhile_is_done_together_in_its_order(
    desk: Desk, together: Together[str, str]
) -> None:
    busy(desk, together)
    asked = [together.ask(item) for item in ("a1", "a2", "a3")]
    desk.go_on.set()
    assert [one.result(SOON) for one in asked] == ["A1", "A2", "A3"]
    assert desk.done == [["first"], ["a1", "a2", "a3"]]


def test_only_so_many_are_done_at_once_and_only_with_their_like(
    desk: Desk, together: Together[str, str]
) -> None:
    busy(desk, together)
    asked = [together.ask(item) for item in ("a1", "b1", "a2", "a3", "b2", "a4")]
    desk.go_on.set()
    assert [one.result(SOON) for one in asked] == ["A1", "B1", "A2", "A3", "B2", "A4"]
    assert desk.done == [["first"], ["a1", "a2", "a3"], ["b1", "b2"], ["a4"]]


def test_one_that_is_refused_costs_the_others_nothing(
    desk: Desk, together: Together[str, str]
) -> None:
    desk.act = lambda item: WrongError("no") if item == "a2" else item
    busy(desk, together)
    asked = [together.ask(item) for item in ("a1", "a2", "a3")]
    desk.go_on.set()
    assert (asked[0].result(SOON), asked[2].result(SOON)) == ("a1", "a3")
    with pytest.raises(WrongError):
        asked[1].result(SOON)
    assert desk.done == [["first"], ["a1", "a2", "a3"]]


@pytest.mark.parametrize("error", [ZeroDivisionError(), WrongError("no")])
def test_what_breaks_the_work_is_done_alone_and_alone_pays(
    desk: Desk, together: Together[str, str], error: Exception
) -> None:
    def act(item: str) -> str:
        if item == "a2":
            raise error
        return item

    desk.act = act
    busy(desk, together)
    asked = [together.ask(item) for item in ("a1", "a2", "a3")]
    desk.go_on.set()
    assert (asked[0].result(SOON), asked[2].result(SOON)) == ("a1", "a3")
    with pytest.raises(type(error)):
        asked[1].result(SOON)
    assert desk.done == [["first"], ["a1", "a2", "a3"], ["a1"], ["a2"], ["a3"]]


def test_what_all_need_and_is_missing_is_told_to_all_and_not_tried_again(
    desk: Desk, together: Together[str, str]
) -> None:
    def act(item: str) -> str:
        if item != "first":
            raise MissingError("it is away")
        return item

    desk.act = act
    busy(desk, together)
    asked = [together.ask(item) for item in ("a1", "a2")]
    desk.go_on.set()
    for one in asked:
        with pytest.raises(MissingError):
            one.result(SOON)
    assert desk.done == [["first"], ["a1", "a2"]]


def test_what_is_cancelled_in_time_is_not_done(desk: Desk, together: Together[str, str]) -> None:
    busy(desk, together)
    asked = [together.ask(item) for item in ("a1", "a2")]
    assert asked[0].cancel()
    desk.go_on.set()
    assert asked[1].result(SOON) == "A2"
    assert desk.done == [["first"], ["a2"]]
    with pytest.raises(CancelledError):
        asked[0].result(SOON)
