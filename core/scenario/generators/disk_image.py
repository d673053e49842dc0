"""`disk-image`: a small disk, bit by bit, from which something was deleted."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from core.scenario.generators import ext2, fat
from core.scenario.generators.disk_files import DiskFile, DiskFullError
from core.scenario.generators.papers import paper
from core.scenario.generators.parameters import (
    LongText,
    OfficeParameters,
    Parameters,
    Span,
    When,
)
from core.scenario.generators.scene import GenerationFailedError, Generator, Made, Scene
from core.scenario.generators.story_time import AMOUNT, working_times

_LONGEST_NAME = 60
_TAKEN = "lost+found"  # by ext2 itself
_LAST_SECOND_OF_EXT2 = datetime(2038, 1, 19, 3, 14, 7, tzinfo=UTC)
_REFUSED = frozenset('/\\:*?"<>|')


def _disk_name(text: str) -> str:
    spoilt = _REFUSED & set(text) or not text.isprintable() or text.endswith((".", " "))
    if spoilt or text.casefold() == _TAKEN or not 1 <= len(text) <= _LONGEST_NAME:
        raise ValueError(f"{text!r} is not a name that a disk takes")
    return text


class File(Parameters):
    """A file on the disk."""

    name: Annotated[str, AfterValidator(_disk_name)]
    text: LongText = ""
    at: When | None = None


class DiskImage(OfficeParameters):
    """Parameters of `disk-image`."""

    at: When = Field(description="when the last thing happened to the disk")
    deleted: tuple[File, ...] = Field(
        min_length=1, max_length=20, description="what was deleted; `at` is when it was written"
    )
    files: tuple[File, ...] = Field(
        default=(), max_length=20, description="files of the story that are still there"
    )
    label: Annotated[str, Field(pattern=r"^[A-Za-z0-9 _-]{1,11}$")] = Field(
        default="STICK", description="the name of the disk"
    )
    filesystem: Literal["fat", "ext2"] = Field(
        default="fat", description="FAT16, as of a memory stick, or ext2, as of a Linux server"
    )
    since: Span = Field(
        default=timedelta(days=30), description="how long before `at` it was first used"
    )


def make(given: DiskImage, scene: Scene) -> Iterator[Made]:
    """Yield the image. Raises GenerationFailedError when the files do not fit."""
    since, until = scene.window(given.at, before=given.since, after=timedelta())
    files = [_own(given, file, deleted=True) for file in given.deleted]
    files += [_own(given, file, deleted=False) for file in given.files]
    taken = {file.name.casefold() for file in files}
    if len(taken) < len(files):
        raise GenerationFailedError("two files of the disk have the same name")
    files += [f for f in _ordinary(given, scene, since, until) if f.name.casefold() not in taken]
    files.sort(key=lambda file: file.at)
    number = scene.dice.below(1 << 32)
    if given.filesystem == "ext2" and max(until, files[-1].at) > _LAST_SECOND_OF_EXT2:
        raise GenerationFailedError("ext2 has no times after 2038-01-19", place=("filesystem",))
    try:
        if given.filesystem == "ext2":
            image = ext2.disk(files, label=given.label, number=number, at=since, deleted_at=until)
        else:
            image = fat.disk(files, label=given.label, number=number, at=since)
    except DiskFullError as exc:
        raise GenerationFailedError(str(exc)) from exc
    yield Made(content=image, mtime=until)


def _own(given: DiskImage, file: File, *, deleted: bool) -> DiskFile:
    return DiskFile(
        name=file.name,
        content=file.text.encode(),
        at=file.at or given.at,
        deleted=deleted,
    )


def _ordinary(
    given: DiskImage, scene: Scene, since: datetime, until: datetime
) -> Iterator[DiskFile]:
    dice, seen = scene.dice, set[str]()
    for at in list(working_times(dice, since, until, a_day=1))[: 4 * AMOUNT[given.noise]]:
        document = paper(dice, scene.office, at)
        if document.name not in seen:
            seen.add(document.name)
            yield DiskFile(name=document.name, content=document.text.encode(), at=at)


GENERATOR = Generator(
    summary="image of a small disk (FAT16 or ext2, 4 MiB) from which files were deleted",
    example='{to: /evidence/stick.img, generate: disk-image, with: {at: "{{ values.intrusion }}",'
    ' deleted: [{name: transfer list.csv, text: "{{ values.flag_note }}"}]}}',
    parameters=DiskImage,
    make=make,
)
