"""`file-tree`: somebody's home, with files of many days in it."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import PurePosixPath
from typing import Annotated

from pydantic import AfterValidator, Field

from core.scenario.generators.papers import paper
from core.scenario.generators.parameters import (
    LongText,
    OfficeParameters,
    Parameters,
    Span,
    When,
)
from core.scenario.generators.scene import GenerationFailedError, Generator, Made, Scene
from core.scenario.generators.story_time import working_times

_FOLDERS = ("Documents", "Documents/Archive", "Documents/Meetings", "Downloads", "Desktop")
_LONGEST_PATH = 200


def _inside(text: str) -> str:
    path = PurePosixPath(text)
    inside = not path.is_absolute() and ".." not in path.parts and path.parts
    if not inside or str(path) != text or not text.isprintable() or len(text) > _LONGEST_PATH:
        raise ValueError(f"{text!r} must be a path inside the folder, like Documents/plan.txt")
    return text


class PlantedFile(Parameters):
    """A file of the story."""

    path: Annotated[str, AfterValidator(_inside)]
    text: LongText = ""
    at: When | None = None


class FileTree(OfficeParameters):
    """Parameters of `file-tree`."""

    at: When = Field(description="when the last of it was written")
    files: int = Field(default=40, ge=0, le=500, description="how many ordinary files")
    planted: tuple[PlantedFile, ...] = Field(
        default=(),
        max_length=200,
        description="files of the story; `at` of one is else that of all",
    )
    since: Span = Field(
        default=timedelta(days=50), description="how long before `at` the first was written"
    )


def make(given: FileTree, scene: Scene) -> Iterator[Made]:
    """Yield the folders, each as of the newest file in it, and the files."""
    since, until = scene.window(given.at, before=given.since, after=timedelta())
    found = {made.path: made for made in _ordinary(given, scene, since, until)}
    for index, file in enumerate(given.planted):
        at = file.at or given.at
        if file.path in found and any(file.path == p.path for p in given.planted[:index]):
            place = ("planted", index, "path")
            raise GenerationFailedError(f"{file.path} is planted twice", place=place)
        found[file.path] = Made(path=file.path, content=file.text.encode(), mtime=at)
    yield from _folders(found, until)
    yield from (found[path] for path in sorted(found))


def _ordinary(given: FileTree, scene: Scene, since: datetime, until: datetime) -> Iterator[Made]:
    dice = scene.dice
    days = max((until - since).days, 1)
    times = list(working_times(dice, since, until, a_day=given.files // days + 2)) or [until]
    for _ in range(given.files):
        at = dice.pick(times)
        document = paper(dice, scene.office, at)
        path = f"{dice.pick(_FOLDERS)}/{document.name}"
        yield Made(path=path, content=document.text.encode(), mtime=at)


def _folders(found: dict[str, Made], until: datetime) -> Iterator[Made]:
    newest: dict[str, datetime] = {"": until}
    for path, made in found.items():
        for folder in PurePosixPath(path).parents:
            name = "" if str(folder) == "." else str(folder)
            newest[name] = max(newest.get(name, made.mtime), made.mtime)
    for name in sorted(newest):
        if name in found:
            raise GenerationFailedError(f"{name} is a file and a folder", place=("planted",))
        yield Made(path=name, mtime=newest[name], folder=True)


GENERATOR = Generator(
    summary="a home full of dated files; `to` is a folder and ends with /",
    example='{to: /home/keeper/, generate: file-tree, owner: "keeper:keeper",'
    ' with: {at: "{{ exercise.start }}", files: 60,'
    ' planted: [{path: Desktop/todo.txt, text: "{{ values.flag_note }}"}]}}',
    parameters=FileTree,
    make=make,
    fills_folder=True,
)
