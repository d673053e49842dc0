"""Who may open a WebSocket: somebody who is logged in, from a page of ours."""

import asyncio
from http import HTTPStatus
from urllib.parse import urlsplit

from fastapi import WebSocket
from fastapi.responses import PlainTextResponse

from api.auth import COOKIE
from api.bootstrap import Services
from api.errors import NotLoggedInError
from core.users.model import User


def services_for(page: WebSocket) -> Services:
    """Return the services of this process."""
    services: Services = page.app.state.services
    return services


async def comes_from_our_page(page: WebSocket) -> bool:
    """Tell whether a page of ours opens it; answer one of another site, or of none.

    Every browser sends Origin with a WebSocket, and no page can set it; the cookie alone would let
    any page that a trainee visits type into their terminal.
    """
    origin = page.headers.get("origin", "")
    if origin and urlsplit(origin).netloc == page.headers.get("host"):
        return True
    refusal = "terminals open from pages of this site only\n"
    await page.send_denial_response(PlainTextResponse(refusal, HTTPStatus.FORBIDDEN))
    return False


async def caller_of(page: WebSocket) -> User:
    """Return who is logged in in the page's browser; raises NotLoggedInError."""
    token = page.cookies.get(COOKIE, "")
    user = await asyncio.to_thread(services_for(page).users.of_token, token) if token else None
    if user is None:
        raise NotLoggedInError
    return user
