import gzip
import io
import os
import tarfile
from pathlib import Path

import pytest

from core.scenario.folder import FileRefusedError
from core.scenario.load import ScenarioInvalidError, load
from core.scenario.pack import ArchiveRefusedError, pack, unpack
from tests.unit.core.scenario.texts import SMALLEST


def fill(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "scenario.yaml").write_text(SMALLEST)
    (folder / "solution").mkdir()
    (folder / "solution" / "play.sh").write_text("#!/bin/sh\n")
    (folder / "solution" / "play.sh").chmod(0o755)
    (folder / "data").write_bytes(bytes(range(256)))
    return folder


def an_archive(*members: tuple[tarfile.TarInfo, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for info, content in members:
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


def a_member(name: str, kind: bytes = tarfile.REGTYPE, link: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type = kind
    info.linkname = link
    return info


def test_a_pack_unpacks_to_the_same_scenario(tmp_path: Path) -> None:
    loaded = load(fill(tmp_path / "small"))
    again = unpack(pack(loaded), tmp_path / "elsewhere" / "small")
    assert again.digest == loaded.digest
    assert again.scenario == loaded.scenario
    assert again.read("data") == bytes(range(256))
    assert os.access(again.folder / "solution" / "play.sh", os.X_OK)


def test_the_same_content_is_the_same_bytes_whenever_and_wherever(tmp_path: Path) -> None:
    one, two = fill(tmp_path / "a" / "small"), fill(tmp_path / "b" / "small")
    os.utime(two / "data", (1, 1))
    (two / "data").chmod(0o600)
    assert pack(load(one)) == pack(load(two))
    assert load(one).digest == load(two).digest


@pytest.mark.parametrize("change", ["content", "name", "executable", "added"])
def test_any_change_is_another_digest(tmp_path: Path, change: str) -> None:
    folder = fill(tmp_path / "small")
    before = load(folder).digest
    match change:
        case "content":
            (folder / "data").write_bytes(b"x")
        case "name":
            (folder / "data").rename(folder / "date")
        case "executable":
            (folder / "data").chmod(0o755)
        case _:
            (folder / "more").touch()
    assert load(folder).digest != before


def test_a_link_inside_the_folder_is_packed_as_what_it_leads_to(tmp_path: Path) -> None:
    folder = fill(tmp_path / "small")
    (folder / "link").symlink_to("data")
    again = unpack(pack(load(folder)), tmp_path / "other" / "small")
    assert not (again.folder / "link").is_symlink()
    assert again.read("link") == again.read("data")
    assert again.digest == load(folder).digest


@pytest.mark.parametrize("target", ["/etc/passwd", "../secret", "solution", "link"])
def test_a_link_that_leads_elsewhere_makes_the_scenario_invalid(
    tmp_path: Path, target: str
) -> None:
    (tmp_path / "secret").write_text("secret")
    folder = fill(tmp_path / "small")
    (folder / "link").symlink_to(target)
    with pytest.raises(ScenarioInvalidError, match="link"):
        load(folder)


@pytest.mark.parametrize(
    "path", ["../secret", "/etc/passwd", "solution/../../secret", "out", "a\0"]
)
def test_reading_stays_in_the_folder(tmp_path: Path, path: str) -> None:
    (tmp_path / "secret").write_text("secret")
    loaded = load(fill(tmp_path / "small"))
    (loaded.folder / "out").symlink_to("../secret")
    with pytest.raises(FileRefusedError):
        loaded.read(path)


HOSTILE = {
    "absolute": an_archive((a_member("/etc/cron.d/x"), b"")),
    "upwards": an_archive((a_member("../x"), b"")),
    "upwards inside": an_archive((a_member("a/../../x"), b"")),
    "symbolic link": an_archive((a_member("x", tarfile.SYMTYPE, "/etc/passwd"), b"")),
    "hard link": an_archive((a_member("x", tarfile.LNKTYPE, "/etc/passwd"), b"")),
    "device": an_archive((a_member("x", tarfile.CHRTYPE), b"")),
    "fifo": an_archive((a_member("x", tarfile.FIFOTYPE), b"")),
    "folder": an_archive((a_member("x", tarfile.DIRTYPE), b"")),
    "twice": an_archive((a_member("x"), b"1"), (a_member("./x"), b"2")),
    "file and folder": an_archive((a_member("x"), b"1"), (a_member("x/y"), b"2")),
    "long name": an_archive((a_member("x" * 300), b"1")),
    "no name": an_archive((a_member("."), b"1")),
    "not gzip": b"PK\x03\x04",
    "not tar": gzip.compress(b"hello" * 1000),
    "cut off": an_archive((a_member("x"), os.urandom(5000)))[:-2000],
    "bomb": gzip.compress(bytes(75 << 20), compresslevel=1),
    "too many files": an_archive(*((a_member(f"f{i}"), b"") for i in range(5001))),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_a_hostile_archive_is_refused_before_anything_is_written(tmp_path: Path, case: str) -> None:
    with pytest.raises(ArchiveRefusedError):
        unpack(HOSTILE[case], tmp_path / "in")
    assert not (tmp_path / "in").exists()
    assert list(tmp_path.iterdir()) == []


def test_an_archive_goes_into_an_empty_folder_only(tmp_path: Path) -> None:
    archive = pack(load(fill(tmp_path / "small")))
    with pytest.raises(ArchiveRefusedError, match="not empty"):
        unpack(archive, tmp_path / "small")


def test_an_archive_without_a_scenario_is_an_invalid_scenario(tmp_path: Path) -> None:
    with pytest.raises(ScenarioInvalidError):
        unpack(an_archive((a_member("x"), b"1")), tmp_path / "in")
