"""The file probe against files of this machine: its script is run as it is in a host."""

import grp
import hashlib
import os
import pwd
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.ports import RunResult
from scoring.checks.files import command_of, verdict_of
from scoring.checks.probes import FileProbe
from scoring.domain.verdicts import Verdict

CONTENT = "first line\nsecond 'line' $(x) -e\n"
SHA256 = hashlib.sha256(CONTENT.encode()).hexdigest()
OWNER = f"{pwd.getpwuid(os.getuid()).pw_name}:{grp.getgrgid(os.getgid()).gr_name}"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "it's a log"
    file.write_text(CONTENT)
    return file


def seen(probe: FileProbe) -> Verdict:
    ran = subprocess.run(
        command_of(probe), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False
    )
    return verdict_of(probe, RunResult(exit_code=ran.returncode, output=ran.stdout.decode()))


@pytest.mark.parametrize(
    ("wanted", "verdict"),
    [
        ({}, Verdict.UP),
        ({"min_size": len(CONTENT), "max_size": len(CONTENT)}, Verdict.UP),
        ({"min_size": len(CONTENT) + 1}, Verdict.MUMBLE),
        ({"max_size": len(CONTENT) - 1}, Verdict.MUMBLE),
        ({"contains": "'line' $(x)"}, Verdict.UP),
        ({"contains": "-e"}, Verdict.UP),
        ({"contains": "line$"}, Verdict.MUMBLE),
        ({"sha256": SHA256}, Verdict.UP),
        ({"sha256": "0" * 64}, Verdict.MUMBLE),
        ({"owner": OWNER}, Verdict.UP),
        ({"owner": f"{os.getuid()}:{os.getgid()}"}, Verdict.UP),
        ({"owner": "nobody:else"}, Verdict.MUMBLE),
        ({"sha256": SHA256, "contains": "third"}, Verdict.MUMBLE),
        ({"sha256": SHA256, "contains": "second", "owner": OWNER, "min_size": 1}, Verdict.UP),
        ({"absent": True}, Verdict.DOWN),
    ],
)
def test_a_file_passes_when_it_is_as_wanted(
    file: Path, wanted: dict[str, str], verdict: Verdict
) -> None:
    assert seen(replace(FileProbe(path=str(file)), **wanted)) is verdict  # type: ignore[arg-type]


def test_what_is_not_there_is_down_or_as_wanted(tmp_path: Path) -> None:
    assert seen(FileProbe(path=str(tmp_path / "gone"))) is Verdict.DOWN
    assert seen(FileProbe(path=str(tmp_path / "gone"), absent=True)) is Verdict.UP


def test_a_link_is_no_file_and_is_there(file: Path, tmp_path: Path) -> None:
    for name, target in (("link", file), ("dangling", tmp_path / "gone")):
        (tmp_path / name).symlink_to(target)
        assert seen(FileProbe(path=str(tmp_path / name), sha256=SHA256)) is Verdict.MUMBLE
        assert seen(FileProbe(path=str(tmp_path / name), absent=True)) is Verdict.DOWN
    assert seen(FileProbe(path=str(tmp_path))) is Verdict.MUMBLE


@given(st.text(), st.integers(0, 255))
def test_whatever_a_hosts_programs_print_is_a_verdict(output: str, exit_code: int) -> None:
    probe = FileProbe(path="/x", min_size=1, sha256=SHA256, contains="x", owner="a:b")
    for printed in (output, f"file\n{output}", f"file\n5 a:b 0:0\n{output}"):
        ran = RunResult(exit_code=exit_code, output=printed)
        assert verdict_of(probe, ran) in {Verdict.UP, Verdict.MUMBLE, Verdict.DOWN}
