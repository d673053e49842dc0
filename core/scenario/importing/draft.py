"""A scenario in the making: its data, its files, what a person must decide, what was left out."""

from dataclasses import dataclass, field
from enum import StrEnum
from itertools import islice
from typing import Any

from core.scenario.folder import MAX_FILES, MAX_FOLDER_BYTES
from core.scenario.importing.source import Found, Source, SourceFile
from core.scenario.positions import Place

# The rest is for scenario.yaml and Dockerfiles.
_MOST_BYTES = MAX_FOLDER_BYTES - (2 << 20)
_MOST_FILES = MAX_FILES - 200


class Outcome(StrEnum):
    """What became of a key."""

    CARRIED = "carried"
    CHANGED = "changed"
    DROPPED = "dropped"


@dataclass(frozen=True, slots=True)
class Note:
    """What became of a key of the file, and why it is not simply there."""

    place: Place
    outcome: Outcome
    message: str = ""

    @property
    def where(self) -> str:
        """The key as people write it: `services.web.ports`."""
        return dotted(self.place)

    def __str__(self) -> str:
        return f"{self.outcome} {self.where}" + (f": {self.message}" if self.message else "")


@dataclass(frozen=True, slots=True)
class Refusal:
    """A key without which it would not be the same, and why it cannot be carried over."""

    place: Place
    message: str


def dotted(place: Place) -> str:
    """Return a place as people write it."""
    return ".".join(str(step) for step in place)


@dataclass(slots=True)
class Draft:
    """What an importer makes; `todos` are by the place in `data` that they stand above."""

    source: Source
    data: dict[str, Any] = field(default_factory=dict)
    files: dict[str, SourceFile] = field(default_factory=dict)
    todos: dict[Place, list[str]] = field(default_factory=dict)
    notes: list[Note] = field(default_factory=list)
    refusals: dict[Refusal, None] = field(default_factory=dict)
    _bytes: int = 0

    def carried(self, place: Place, message: str = "") -> None:
        """Note that a key is in the draft."""
        self.notes.append(Note(place, Outcome.CARRIED, message))

    def changed(self, place: Place, message: str) -> None:
        """Note that a key is in the draft in another way."""
        self.notes.append(Note(place, Outcome.CHANGED, message))

    def dropped(self, place: Place, message: str) -> None:
        """Note that a key is not in the draft."""
        self.notes.append(Note(place, Outcome.DROPPED, message))

    def refuse(self, place: Place, message: str) -> None:
        """Note that without this key it would not be the same."""
        self.refusals[Refusal(place, message)] = None

    def todo(self, place: Place, message: str) -> None:
        """Leave a remark in the draft for whoever completes it."""
        self.todos.setdefault(place, []).append(message)

    def write(self, path: str, text: str) -> None:
        """Add a file, or replace it."""
        self.files[path] = SourceFile(content=text.encode(), executable=False)

    def copy(self, place: Place, path: str, to: str) -> bool:
        """Add a file of the source; `place` is the key that names it. False when it was refused."""
        if not to.isprintable() or "\\" in to:
            self.dropped(place, f"{path!r} is left out: its name is not one for a scenario's file")
            return False
        try:
            size = self.source.size(path)
            if self._bytes + size > _MOST_BYTES:
                return self._too_much(place)
            if len(self.files) >= _MOST_FILES:
                return self._too_much(place)
            self.files[to] = self.source.read(path)
        except OSError as error:
            self.refuse(place, f"{path} cannot be read: {error.strerror}")
            return False
        self._bytes += size
        return True

    def copy_folder(self, place: Place, folder: str, to: str) -> None:
        """Add a folder of the source; links are left out, and noted."""
        try:
            listed = list(islice(self.source.below(folder), MAX_FILES + 1))
        except OSError as error:
            self.refuse(place, f"{folder} cannot be read: {error.strerror}")
            return
        for name, found in listed:
            if found is not Found.FILE:
                what = "a symbolic link" if found is Found.LINK else "no file, or too deep"
                self.dropped(place, f"{name} is left out: it is {what}")
            elif not self.copy(place, f"{folder}/{name}", f"{to}/{name}") and self._full(place):
                return

    def _full(self, place: Place) -> bool:
        return any(refusal.place == place for refusal in self.refusals)

    def _too_much(self, place: Place) -> bool:
        most = f"{_MOST_BYTES >> 20} MiB and {_MOST_FILES} files"
        self.refuse(place, f"its files are more than a draft takes: {most}")
        return False
