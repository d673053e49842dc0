"""A scenario as one file, the same bytes for the same content."""

import gzip
import io
import tarfile
import zlib
from pathlib import Path, PurePosixPath

from core.errors import Fault, PoligonError
from core.scenario.folder import MAX_FILES, MAX_FOLDER_BYTES, Folder
from core.scenario.load import LoadedScenario, load

_BLOCK = 512
_LONGEST_NAME = 255


class ArchiveRefusedError(PoligonError):
    """An archive is not one that `pack` makes."""

    code = "scenario.archive_refused"
    fault = Fault.INPUT


def pack(loaded: LoadedScenario) -> bytes:
    """Return the folder as tar.gz: sorted, without owners and times, links as what they lead to.

    Raises FileRefusedError when the folder changed into one that cannot be packed.
    """
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for entry in Folder(loaded.folder).entries():
            info = tarfile.TarInfo(entry.path)
            info.size = len(entry.content)
            info.mode = 0o755 if entry.executable else 0o644
            archive.addfile(info, io.BytesIO(entry.content))
    return gzip.compress(buffer.getvalue(), mtime=0)


def unpack(archive: bytes, into: Path) -> LoadedScenario:
    """Write an archive's files below `into` and load the scenario there.

    No site's policy is asked: whoever packed it was let in by one.

    `into` is made when it is missing and must be empty. Raises ArchiveRefusedError for anything but
    plain files with paths inside, before anything is written, and ScenarioInvalidError.
    """
    files = _files(archive)
    into.mkdir(parents=True, exist_ok=True)
    if any(into.iterdir()):
        raise ArchiveRefusedError(f"{into} is not empty")
    for path, (content, mode) in files.items():
        target = into / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
        target.chmod(mode)
    return load(into, policy=None)


def _files(archive: bytes) -> dict[str, tuple[bytes, int]]:
    files: dict[str, tuple[bytes, int]] = {}
    try:
        with tarfile.open(fileobj=io.BytesIO(_inflated(archive)), mode="r:") as tar:
            for member in tar:
                if len(files) >= MAX_FILES:
                    raise ArchiveRefusedError(f"the archive holds more than {MAX_FILES} files")
                path = _checked(member)
                if path in files:
                    raise ArchiveRefusedError(f"{path!r} stands twice in the archive")
                content = tar.extractfile(member)
                assert content is not None
                files[path] = (content.read(), 0o755 if member.mode & 0o100 else 0o644)
    except (tarfile.TarError, EOFError, ValueError, OverflowError) as exc:
        raise ArchiveRefusedError(f"this is not a scenario archive: {exc}") from exc
    _no_file_is_a_folder(files)
    return files


def _inflated(archive: bytes) -> bytes:
    limit = MAX_FOLDER_BYTES + MAX_FILES * 4 * _BLOCK
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(archive)) as stream:
            content = stream.read(limit + 1)
    except (OSError, EOFError, zlib.error) as exc:
        raise ArchiveRefusedError("this is not a gzip file") from exc
    if len(content) > limit:
        raise ArchiveRefusedError(f"the archive holds more than {MAX_FOLDER_BYTES >> 20} MiB")
    return content


def _checked(member: tarfile.TarInfo) -> str:
    path = PurePosixPath(member.name)
    if not member.isreg() or member.issparse():
        raise ArchiveRefusedError(f"{member.name!r} is not a plain file")
    if path.is_absolute() or ".." in path.parts or not path.parts or "\0" in member.name:
        raise ArchiveRefusedError(f"{member.name!r} leads out of the archive")
    if any(len(part.encode()) > _LONGEST_NAME for part in path.parts):
        raise ArchiveRefusedError("the archive holds a name longer than a file may have")
    return path.as_posix()


def _no_file_is_a_folder(files: dict[str, tuple[bytes, int]]) -> None:
    for path in files:
        for parent in PurePosixPath(path).parents:
            if parent.as_posix() in files:
                raise ArchiveRefusedError(f"{parent.as_posix()!r} is a file and a folder")
