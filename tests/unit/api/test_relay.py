"""Frames between a page and a gateway, and how the page is told of the end."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any, cast

import pytest
from fastapi import WebSocket
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosedError

from api.errors import NotLoggedInError
from api.live import relay as relaying
from api.live.relay import Check, Close, looking, relay, typing
from orchestrator.gateway.inner_words import LARGEST_FRAME

Upwards = Callable[[WebSocket, ClientConnection], Coroutine[Any, Any, None]]
RESIZE = {"tell": "resize", "size": {"columns": 120, "rows": 40}}


class Page:
    """A page that sends what the test says; the end of it is a page that went."""

    def __init__(self, *sent: dict[str, Any], stays: bool = True) -> None:
        self._sent = list(sent)
        self._stays = stays
        self.shown: list[bytes | str] = []
        self.closed: list[int] = []

    async def receive(self) -> dict[str, Any]:
        if self._sent:
            return {"type": "websocket.receive", **self._sent.pop(0)}
        if self._stays:
            await asyncio.Event().wait()
        return {"type": "websocket.disconnect"}

    async def send_text(self, text: str) -> None:
        self.shown.append(text)

    async def send_bytes(self, data: bytes) -> None:
        self.shown.append(data)

    async def close(self, code: int, _reason: str) -> None:
        self.closed.append(code)


class Gateway:
    """A gateway that says what the test says and then ends, breaks or stays."""

    def __init__(self, *said: bytes | str, then: str = "stays") -> None:
        self._said = said
        self._then = then
        self.heard: list[bytes | str] = []

    async def __aiter__(self) -> AsyncIterator[bytes | str]:
        for message in self._said:
            yield message
        if self._then == "breaks":
            raise ConnectionClosedError(None, None)
        if self._then == "stays":
            await asyncio.Event().wait()

    async def send(self, message: bytes | str) -> None:
        self.heard.append(message)


async def anybody() -> None:
    """Let everybody stay."""


def carried(
    page: Page, gateway: Gateway, *, upwards: Upwards = typing, still_may: Check = anybody
) -> None:
    asyncio.run(
        asyncio.wait_for(
            relay(
                cast("WebSocket", page),
                cast("ClientConnection", gateway),
                upwards=upwards,
                still_may=still_may,
            ),
            timeout=5,
        )
    )


def test_what_is_typed_and_the_size_go_up_in_pieces_that_a_gateway_takes() -> None:
    pasted = b"p" * (LARGEST_FRAME + 1)
    gateway = Gateway()
    carried(
        Page({"bytes": b"id\r"}, {"text": json.dumps(RESIZE)}, {"bytes": pasted}, stays=False),
        gateway,
    )
    assert gateway.heard[0] == b"id\r"
    assert json.loads(gateway.heard[1]) == RESIZE
    assert [len(piece) for piece in gateway.heard[2:]] == [LARGEST_FRAME, 1]


def test_of_a_page_that_looks_nothing_goes_up() -> None:
    gateway = Gateway()
    page = Page({"bytes": b"rm -rf /\r"}, {"text": json.dumps(RESIZE)}, stays=False)
    carried(page, gateway, upwards=looking)
    assert gateway.heard == []


@pytest.mark.parametrize(("then", "code"), [("ends", Close.DONE), ("breaks", Close.GOING_AWAY)])
def test_an_end_that_was_said_is_final_and_one_that_was_not_is_worth_another_try(
    then: str, code: Close
) -> None:
    page = Page()
    carried(page, Gateway(b"bye", '{"tell": "ended", "code": 0}', then=then))
    assert page.shown == [b"bye", '{"tell": "ended", "code": 0}']
    assert page.closed[0] == code


def test_who_may_stay_no_longer_is_told_so_while_connected(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[int] = []

    async def until_the_second_look() -> None:
        asked.append(1)
        if len(asked) == 2:
            raise NotLoggedInError

    monkeypatch.setattr(relaying, "_LOOK_EVERY_SECONDS", 0.01)
    page = Page()
    carried(page, Gateway(), still_may=until_the_second_look)
    [told] = page.shown
    assert json.loads(told)["code"] == "login.required"
    assert page.closed[0] == Close.REFUSED


@pytest.mark.parametrize(
    "text", ["garbage", "[]", json.dumps({"ask": "end", "session": "s", "by": "x"})]
)
def test_a_page_that_sends_what_no_terminal_sends_is_shown_out(text: str) -> None:
    page, gateway = Page({"text": text}), Gateway()
    carried(page, gateway)
    assert gateway.heard == []
    assert page.closed[0] == Close.NOT_UNDERSTOOD
