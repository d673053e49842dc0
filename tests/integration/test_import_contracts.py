"""Every import contract can fail: each is broken on purpose, in a copy of the code."""

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("core", "orchestrator", "scoring", "api", "migrations")

# Contract → where a line is added, and the line that it must not survive.
BREAKS = {
    "api may use everything": ("core/clock.py", "import orchestrator.ports"),
    "Rules do no I/O": ("orchestrator/domain/clock.py", "import sqlalchemy"),
    "Only orchestrator.engine speaks Docker": ("orchestrator/worlds.py", "import docker"),
    "Only orchestrator.gateway speaks SSH": ("api/access.py", "import asyncssh"),
    "WebSocket frames are": ("api/terminals.py", "import websockets"),
    "Redis is one of the ways": ("orchestrator/access.py", "import redis"),
    "Only a learning record store": ("scoring/lrs/delivering.py", "import httpx"),
    "Paramiko is the client": ("orchestrator/access.py", "import paramiko"),
    "Use cases know ports": ("orchestrator/service.py", "import orchestrator.engine.runtime"),
    "A terminal session knows": ("orchestrator/terminal/session.py", "import fastapi"),
    "What holds the engine's socket": ("orchestrator/broker/doors.py", "import docker"),
    "Commands load no web framework": ("api/cli/recordings.py", "import api.v1.recordings"),
    "No cycles between siblings": ("orchestrator/repository.py", "import orchestrator.service"),
}


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("copy")
    for package in PACKAGES:
        shutil.copytree(ROOT / package, folder / package)
    shutil.copy(ROOT / "pyproject.toml", folder)
    return folder


def verdicts(folder: Path) -> dict[str, bool]:
    """Return contract → whether it is kept."""
    done = subprocess.run(
        [Path(sys.executable).parent / "lint-imports", "--no-cache"],
        cwd=folder,
        env={"PATH": "/usr/bin:/bin", "COLUMNS": "300"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    lines = re.findall(
        r"^(.+) (KEPT|BROKEN)(?: \(\d+ ignored imports?\))?$", done.stdout, re.MULTILINE
    )
    found = {name: verdict == "KEPT" for name, verdict in lines}
    assert found, done.stdout + done.stderr
    return found


def test_every_contract_is_broken_by_one_of_these() -> None:
    tool = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]
    names = [contract["name"] for contract in tool["importlinter"]["contracts"]]
    assert len(names) == len(BREAKS)
    for name in names:
        assert [start for start in BREAKS if name.startswith(start)], name


def test_all_contracts_hold_as_the_code_is(copy: Path) -> None:
    held = verdicts(copy)
    assert len(held) == len(BREAKS)
    assert all(held.values())


@pytest.mark.parametrize("contract", BREAKS)
def test_a_contract_is_seen_to_fail(copy: Path, contract: str) -> None:
    place, line = BREAKS[contract]
    file = copy / place
    original = file.read_text()
    file.write_text(f"{original}\n{line}\n")
    try:
        broken = [name for name, kept in verdicts(copy).items() if not kept]
    finally:
        file.write_text(original)
    assert any(name.startswith(contract) for name in broken), broken
