"""What of a scenario's folder goes to the engine."""

import os
import tarfile
from pathlib import Path

import pytest

from orchestrator.domain.world import ImageBuild
from orchestrator.engine.images import context_archive


@pytest.fixture
def build(tmp_path: Path) -> ImageBuild:
    (tmp_path / "Dockerfile").write_text("FROM scratch\n")
    (tmp_path / "run.sh").write_text("#!/bin/sh\n")
    (tmp_path / "data").mkdir()
    (tmp_path / "data/notes").write_text("notes")
    (tmp_path / "link").symlink_to("data/notes")
    return ImageBuild(reference="x:1", context=tmp_path, host="desk")


def test_the_context_does_not_depend_on_when_and_by_whom_it_was_checked_out(
    build: ImageBuild,
) -> None:
    before = context_archive(build).getvalue()
    os.utime(build.context / "run.sh", (1, 1))
    (build.context / "data/notes").chmod(0o600)
    assert context_archive(build).getvalue() == before


def test_contents_and_execute_bits_count(build: ImageBuild) -> None:
    plain = context_archive(build).getvalue()
    (build.context / "run.sh").chmod(0o755)
    executable = context_archive(build).getvalue()
    (build.context / "data/notes").write_text("other")
    assert len({plain, executable, context_archive(build).getvalue()}) == 3


def test_what_dockerignore_names_stays_and_links_stay_links(build: ImageBuild) -> None:
    (build.context / ".dockerignore").write_text("# comment\ndata\n")
    os.mkfifo(build.context / "pipe")
    with tarfile.open(fileobj=context_archive(build)) as tar:
        assert sorted(tar.getnames()) == [".dockerignore", "Dockerfile", "link", "run.sh"]
        assert tar.getmember("link").linkname == "data/notes"
