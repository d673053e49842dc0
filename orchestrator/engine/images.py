"""Images: which there are, what they run, and how a scenario's own are built."""

import io
import stat
import tarfile
import threading
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from docker.errors import APIError, ImageNotFound
from docker.utils.build import exclude_paths

from orchestrator.domain.world import ImageBuild
from orchestrator.engine.connection import EngineConnection
from orchestrator.engine.errors import said
from orchestrator.engine.labels import Labels
from orchestrator.engine.turns import Turns
from orchestrator.ports import (
    EngineUnavailableError,
    ForeignImageError,
    ImageBuildFailedError,
    UnknownImageError,
)

# Builds have places of their own: one takes minutes and a core, and worlds must not wait for it.
_BUILDS_AT_ONCE = 2
_TAIL_LINES = 15
_SILENCE_SECONDS = 1800  # a step may compile for long without a word
_BARE_SHELLS = frozenset({"sh", "bash", "dash", "ash", "zsh"})


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageFacts:
    """What the engine says of an image: its user, its process unless that ends, its bytes."""

    image_id: str
    user: str
    command: tuple[str, ...]
    size: int


class Images:
    """The images of one engine."""

    def __init__(self, connection: EngineConnection, labels: Labels) -> None:
        self._connection = connection
        self._labels = labels
        self._turns = Turns(_BUILDS_AT_ONCE)
        self._locks: dict[str, threading.Lock] = {}
        self._locking = threading.Lock()
        self._architecture: str | None = None

    def facts(self, reference: str) -> ImageFacts:
        """Return what is known of the image; raises UnknownImageError, ForeignImageError."""
        found = self._inspect(reference)
        if found is None:
            raise UnknownImageError(
                f"the engine has no image {reference}; nothing is pulled at exercise time",
                hint=f"Fetch it first (docker pull {reference}), or name one that it has",
            )
        self._require_native(reference, found.get("Architecture"))
        config = found.get("Config") or {}
        return ImageFacts(
            image_id=found["Id"],
            user=config.get("User") or "",
            command=_lasting_process(config),
            size=found["Size"],
        )

    def build(self, build: ImageBuild) -> None:
        """Have the reference on the engine; raises ImageBuildFailedError."""
        with self._locking:
            lock = self._locks.setdefault(build.reference, threading.Lock())
        with lock:  # the second of two equal builds finds the first one's image
            if self._inspect(build.reference) is None:
                self._build(build)

    def _require_native(self, reference: str, architecture: str | None) -> None:
        if architecture is None:
            return
        if self._architecture is None:
            with self._connection.call() as api:
                self._architecture = str(api.version()["Arch"])
        if architecture != self._architecture:
            raise ForeignImageError(
                f"the image {reference} is for {architecture}, and the engine's host is"
                f" {self._architecture}",
                hint=f"Fetch or build it for linux/{self._architecture}",
            )

    def _inspect(self, reference: str) -> Mapping[str, Any] | None:
        with self._connection.call() as api:
            try:
                found: Mapping[str, Any] = api.inspect_image(reference)  # type: ignore[no-untyped-call]  # the stubs leave it bare
            except ImageNotFound:
                return None
            return found

    def _build(self, build: ImageBuild) -> None:
        context = context_archive(build)
        log = _BuildLog(build)
        with self._turns.place(), self._connection.long_call() as api:
            try:
                for message in api.build(
                    fileobj=context,
                    custom_context=True,
                    tag=build.reference,
                    rm=True,
                    forcerm=True,
                    labels=self._labels.image(),
                    timeout=_SILENCE_SECONDS,
                    decode=True,
                ):
                    log.add(message)
            except APIError as error:
                raise log.failure(said(error)) from error
        if self._inspect(build.reference) is None:
            raise EngineUnavailableError(
                f"the engine stopped building {build.reference} without a result",
                hint="Look whether it still runs, and try again",
            )


class _BuildLog:
    """The last lines of a build, and the step that it is in."""

    def __init__(self, build: ImageBuild) -> None:
        self._build = build
        self._step = "the Dockerfile"
        self._tail: deque[str] = deque(maxlen=_TAIL_LINES)

    def add(self, message: Mapping[str, Any]) -> None:
        """Take one message of the engine; raises ImageBuildFailedError when it is an error."""
        for line in str(message.get("stream", "")).splitlines():
            if line.startswith("Step "):
                self._step = line
            if line.strip():
                self._tail.append(line)
        if "error" in message:
            raise self.failure(str(message["error"]))

    def failure(self, reason: str) -> ImageBuildFailedError:
        """Return the error that tells an author what to mend."""
        return ImageBuildFailedError(
            f"the image of {self._build} does not build: {self._step}: {reason}",
            hint="\n".join(
                (f"Mend {self._build.context / 'Dockerfile'}. The build ended with:", *self._tail)
            ),
        )


def context_archive(build: ImageBuild) -> io.BytesIO:
    """Return the context as a tar that depends on names, contents and execute bits alone.

    So a fresh checkout hits the engine's build cache. `.dockerignore` is honoured.
    """
    root = build.context
    if not (root / "Dockerfile").is_file():
        raise ImageBuildFailedError(
            f"the image of {build} has no Dockerfile in {root}",
            hint="Add one, or correct its folder in the scenario",
        )
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for name in sorted(exclude_paths(root, _ignored(root))):
            _add(tar, root, name)
    buffer.seek(0)
    return buffer


def _ignored(root: Path) -> list[str]:
    file = root / ".dockerignore"
    lines = file.read_text(encoding="utf-8").splitlines() if file.is_file() else []
    return [line.strip() for line in lines if line.strip() and not line.startswith("#")]


def _add(tar: tarfile.TarFile, root: Path, name: str) -> None:
    path = root / name
    status = path.lstat()
    header = tarfile.TarInfo(str(PurePosixPath(name)))
    header.mode = 0o755 if stat.S_ISDIR(status.st_mode) or status.st_mode & stat.S_IXUSR else 0o644
    if stat.S_ISLNK(status.st_mode):
        header.type, header.linkname = tarfile.SYMTYPE, str(path.readlink())
        tar.addfile(header)
    elif stat.S_ISDIR(status.st_mode):
        header.type = tarfile.DIRTYPE
        tar.addfile(header)
    elif stat.S_ISREG(status.st_mode):
        content = path.read_bytes()
        header.size = len(content)
        tar.addfile(header, io.BytesIO(content))


def _lasting_process(config: Mapping[str, Any]) -> tuple[str, ...]:
    """Return what the image starts; nothing for a bare shell, which ends without a terminal."""
    entrypoint, command = (tuple(config.get(part) or ()) for part in ("Entrypoint", "Cmd"))
    bare = not entrypoint and len(command) == 1 and PurePosixPath(command[0]).name in _BARE_SHELLS
    return () if bare else (*entrypoint, *command)
