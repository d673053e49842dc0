from datetime import timedelta
from pathlib import PurePosixPath

import pytest

from core.scenario.generators.scene import GenerationFailedError
from tests.unit.core.scenario.generators.making import AT, make


def test_files_lie_in_folders_that_come_before_them_and_are_as_new_as_the_newest() -> None:
    made = make("file-tree", files=60)
    files = {m.path: m for m in made if not m.folder}
    folders = {m.path: m for m in made if m.folder}
    assert 30 < len(files) <= 60
    order = [m.path for m in made]
    for path, file in files.items():
        parent = str(PurePosixPath(path).parent)
        assert order.index(parent) < order.index(path)
        assert folders[parent].mtime >= file.mtime
        assert AT - timedelta(days=51) <= file.mtime <= AT
        assert f"{file.mtime:%Y-%m-%d}" in path
    assert made[0].folder
    assert made[0].path == ""


def test_what_is_planted_is_there_with_its_date() -> None:
    planted = (
        {"path": "Documents/a.txt", "text": "{{ values.note }}"},
        {"path": "new/deep/b.sh", "at": "2026-10-30T01:02:03Z"},
    )
    made = {m.path: m for m in make("file-tree", planted=planted)}
    assert made["Documents/a.txt"].content == b"HB{k3eper}"
    assert made["Documents/a.txt"].mtime == AT
    assert made["new/deep/b.sh"].mtime.isoformat() == "2026-10-30T01:02:03+00:00"
    assert made["new"].mtime == made["new/deep"].mtime == made["new/deep/b.sh"].mtime


@pytest.mark.parametrize(
    ("paths", "told"),
    [
        (("a", "a"), "planted twice"),
        (("a", "a/b"), "a is a file and a folder"),
        (("../a",), "must be a path inside the folder"),
        (("/a",), "must be a path inside the folder"),
        (("a//b",), "must be a path inside the folder"),
        (("{{ '../' }}a",), "must be a path inside the folder"),
    ],
)
def test_paths_that_cannot_be_are_refused(paths: tuple[str, ...], told: str) -> None:
    with pytest.raises(GenerationFailedError, match=told) as caught:
        make("file-tree", planted=tuple({"path": path} for path in paths))
    assert caught.value.place[0] == "planted"


def test_more_than_8_mib_are_refused() -> None:
    planted = tuple({"path": f"{number}", "text": "x" * 100_000} for number in range(90))
    with pytest.raises(GenerationFailedError, match="the limit is 8 MiB"):
        make("file-tree", planted=planted)
