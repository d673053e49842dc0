"""Where the forwards of one connection begin: asked of the doorkeeper once, while it holds."""

import asyncio
from collections.abc import Awaitable, Callable

from core.errors import PoligonError
from orchestrator.doorkeeper import Doorkeeper, Entry

Enter = Callable[[str], Awaitable[Entry | PoligonError]]


class ForwardEntry:
    """The entry of one connection's login, which `enter` gives and the doorkeeper lets stand.

    A browser opens dozens of connections; each entry of staff is a line in the exercise's log.
    """

    def __init__(self, doorkeeper: Doorkeeper, enter: Enter) -> None:
        self._why_leave = doorkeeper.why_leave
        self._enter = enter
        self._entry: Entry | None = None
        self._asking = asyncio.Lock()

    def keep(self, entry: Entry) -> None:
        """Take an entry that a session of the connection was given."""
        self._entry = self._entry or entry

    async def entry(self, login: str) -> Entry | PoligonError:
        """Return the last entry while it holds, then a new one, or why there is none."""
        async with self._asking:
            held = self._entry
            if held and not await asyncio.to_thread(self._why_leave, login, held):
                return held
            found = await self._enter(login)
            self._entry = found if isinstance(found, Entry) else None
            return found
