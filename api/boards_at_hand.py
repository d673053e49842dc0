"""Boards that are at hand: handed out before anything else is done about a request.

Most of what is read while teams play is their board, by who was known a moment ago. What is not at
hand, and every refusal, is the business of the route, which is asked instead.
"""

import re

from fastapi import Request, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from api.auth import bearer_user_at_hand
from api.board_answers import PRIVATE, answered, own_audience
from api.bootstrap import Services

_BOARD = re.compile(r"/api/v1/exercises/(?P<name>[^/]+)/board")


class BoardsAtHand:
    """The layer around the application that answers for `GET /exercises/{name}/board`."""

    def __init__(self, app: ASGIApp, *, services: Services) -> None:
        self._app = app
        self._boards = services.scoring.boards

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or pass the request on."""
        answer = self._answer(scope) if scope["type"] == "http" else None
        await (answer or self._app)(scope, receive, send)

    def _answer(self, scope: Scope) -> Response | None:
        board = _BOARD.fullmatch(scope["path"])
        if board is None or scope["method"] != "GET" or scope["query_string"]:
            return None
        request = Request(scope)
        caller = bearer_user_at_hand(request)
        if caller is None:
            return None
        snapshot = self._boards.at_hand(caller, board["name"], own_audience(caller))
        return answered(request, snapshot, PRIVATE) if snapshot is not None else None
