"""Files that go with messages: read from the pinned scenario whenever somebody asks for one."""

from collections.abc import Sequence
from dataclasses import dataclass

from core.scenario.generated import message_file
from core.scenario.load import LoadedScenario
from core.scenario.schema_injects import MessageFile
from orchestrator.domain.exercise import Exercise, Team
from orchestrator.injects.errors import MessageFileUnknownError
from orchestrator.service import Exercises


@dataclass(frozen=True, slots=True, kw_only=True)
class FileView:
    """A file of a message; `size` in bytes, `None` when the file is written for each team."""

    name: str
    size: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FileContent:
    """What a team gets when it opens a file of a message."""

    name: str
    content: bytes


def file_views(loaded: LoadedScenario, files: Sequence[MessageFile]) -> tuple[FileView, ...]:
    """Return files as they are listed beside their message."""
    return tuple(
        FileView(
            name=file.shown_name,
            size=loaded.size(file.from_) if file.from_ is not None else None,
        )
        for file in files
    )


def file_content(
    exercises: Exercises, exercise: Exercise, team: Team, inject: str, number: int
) -> FileContent:
    """Return a file of an inject's message for a team; files are counted from 1.

    Raises MessageFileUnknownError.
    """
    loaded = exercises.scenario(exercise)
    message = loaded.scenario.injects[inject].message
    files = message.files if message is not None else ()
    if not 1 <= number <= len(files):
        raise MessageFileUnknownError(
            f"the message has no file {number}", hint="The list of messages has their files"
        )
    file = files[number - 1]
    if file.from_ is not None:
        return FileContent(name=file.shown_name, content=loaded.read(file.from_))
    content = message_file(file, inject=inject, renderer=exercises.renderer(exercise, team))
    return FileContent(name=file.shown_name, content=content)
