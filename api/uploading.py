"""Taking a file in while it comes, from a program or from a form; refused, it is heard out first.

A browser that is answered in the middle of what it sends shows that the connection broke, and not
the answer.
"""

from collections.abc import Callable
from contextlib import ExitStack

from fastapi import Request
from starlette.concurrency import run_in_threadpool

from api.bootstrap import Services
from api.context import uploads_throttle_of
from api.upload_form import UploadForm
from core.errors import PoligonError
from core.ids import TeamId, UserId
from core.users.model import User
from orchestrator.domain.exercise import Exercise, Team
from scoring.uploads.handed_in import HandedIn, shown_name
from scoring.uploads.store import Incoming
from scoring.uploads.views import Delivery


class Upload:
    """One file on its way to one task of a team; use it as a context, whose end tidies up."""

    def __init__(
        self, services: Services, exercise: Exercise, team: Team, caller: User, task: str
    ) -> None:
        self._uploads = services.uploads
        self._exercise = exercise
        self._team = team
        self._caller = caller
        self._task = task
        self._stack = ExitStack()
        self._handed: HandedIn | None = None

    @property
    def counted(self) -> tuple[UserId, TeamId]:
        """Whose it is: a person's and their team's."""
        return self._caller.id, self._team.id

    def begin(self, name: str, client_key: str) -> Incoming:
        """Return where the file goes, if it may come at all."""
        self._handed = HandedIn(
            exercise=self._exercise,
            team=self._team,
            user=self._caller.id,
            task=self._task,
            name=shown_name(name),
            client_key=client_key,
        )
        return self._stack.enter_context(self._uploads.receive(self._handed))

    def accept(self, incoming: Incoming) -> Delivery:
        """Keep what has come whole."""
        assert self._handed is not None  # it was begun
        return self._uploads.accept(self._handed, incoming)

    def close(self) -> None:
        """Forget what was not kept."""
        self._stack.close()


async def from_body(request: Request, upload: Upload, name: str, client_key: str) -> Delivery:
    """Take the body of a request as the file; raises TooManyUploadsError, and as `Uploads`."""

    def begin() -> tuple[Callable[[bytes], None], Callable[[], Incoming]]:
        incoming = upload.begin(name, client_key)
        return incoming.write, lambda: incoming

    return await _taken(request, upload, begin)


async def from_form(request: Request, upload: Upload) -> Delivery:
    """Take the file of a form; raises TooManyUploadsError, UploadFormError, and as `Uploads`."""

    def begin() -> tuple[Callable[[bytes], None], Callable[[], Incoming]]:
        form = UploadForm(request.headers.get("content-type", ""), upload.begin)
        return form.feed, lambda: form.incoming

    return await _taken(request, upload, begin)


async def _taken(
    request: Request,
    upload: Upload,
    begin: Callable[[], tuple[Callable[[bytes], None], Callable[[], Incoming]]],
) -> Delivery:
    stream = request.stream()
    try:
        uploads_throttle_of(request).count(*upload.counted)
        feed, incoming = await run_in_threadpool(begin)
        async for chunk in stream:
            await run_in_threadpool(feed, chunk)
        return await run_in_threadpool(lambda: upload.accept(incoming()))
    except PoligonError:
        async for _ in stream:
            pass
        raise
    finally:
        await run_in_threadpool(upload.close)
