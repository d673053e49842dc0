"""Several processes as one, with real processes and real signals."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from api.cli.listening import listen
from core.waiting import until
from tests.fakes.api_site import SCENARIO
from tests.ports import free_port

# A child that says when it lives, and either stays or ends at once.
CHILD = """
import os, pathlib, signal, sys, threading
from api.cli.supervisor import end_with_parent
folder, name, stays = pathlib.Path(sys.argv[1]), sys.argv[2], sys.argv[3] == "stays"
end_with_parent(int(sys.argv[5]))
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
with (folder / name).open("a") as file:
    file.write(f"{os.getpid()}\\n")
if stays:
    threading.Event().wait()
"""
PARENT = """
import sys
from api.cli.supervisor import supervise
child, folder = sys.argv[1:3]
sys.exit(supervise({
    name: [sys.executable, child, folder, name, stays]
    for name, stays in (pair.split("=") for pair in sys.argv[3:])
}))
"""
# Each ends at its leisure, but for the first.
SLOW = """
import os, pathlib, signal, sys, threading
folder, name = pathlib.Path(sys.argv[1]), sys.argv[2]
ending = threading.Event()
signal.signal(signal.SIGTERM, lambda *_: ending.set())
(folder / f"{name}.up").touch()
ending.wait()
if name != "first":
    threading.Event().wait(0.5)
with (folder / "ended").open("a") as file:
    file.write(f"{name}\\n")
"""
SLOW_PARENT = """
import sys
from api.cli.supervisor import supervise
child, folder = sys.argv[1:3]
names = ("first", "second", "third")
sys.exit(supervise({name: [sys.executable, child, folder, name] for name in names}))
"""
SOON = timedelta(seconds=60)


@pytest.fixture
def parents() -> Iterator[list[subprocess.Popen[bytes]]]:
    running: list[subprocess.Popen[bytes]] = []
    yield running
    for parent in running:
        if parent.poll() is None:
            parent.kill()
        parent.wait()


def started(
    folder: Path, parents: list[subprocess.Popen[bytes]], *children: str
) -> subprocess.Popen[bytes]:
    (folder / "child.py").write_text(CHILD)
    (folder / "parent.py").write_text(PARENT)
    parent = subprocess.Popen(
        [sys.executable, folder / "parent.py", folder / "child.py", folder, *children],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        stdout=subprocess.DEVNULL,
    )
    parents.append(parent)
    return parent


def pids(folder: Path, name: str) -> list[int]:
    file = folder / name
    return [int(line) for line in file.read_text().split()] if file.exists() else []


def lives(pid: int) -> bool:
    try:
        return (Path("/proc") / str(pid) / "stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def await_start(folder: Path, *names: str) -> None:
    until(lambda: all(pids(folder, n) for n in names), what="the children to start", within=SOON)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 0), (signal.SIGINT, 130)])
def test_a_signal_ends_all_of_them_in_order(
    tmp_path: Path, parents: list[subprocess.Popen[bytes]], number: signal.Signals, code: int
) -> None:
    parent = started(tmp_path, parents, "a=stays", "b=stays")
    await_start(tmp_path, "a", "b")
    parent.send_signal(number)
    assert parent.wait(timeout=SOON.total_seconds()) == code
    assert not [pid for name in "ab" for pid in pids(tmp_path, name) if lives(pid)]


def test_a_child_that_dies_is_started_again_and_the_other_left_alone(
    tmp_path: Path, parents: list[subprocess.Popen[bytes]]
) -> None:
    started(tmp_path, parents, "a=stays", "b=stays")
    await_start(tmp_path, "a", "b")
    os.kill(pids(tmp_path, "a")[0], signal.SIGKILL)
    until(lambda: len(pids(tmp_path, "a")) == 2, what="the child to come back", within=SOON)
    assert len(pids(tmp_path, "b")) == 1


def test_a_child_that_dies_at_once_is_started_ever_more_slowly(
    tmp_path: Path, parents: list[subprocess.Popen[bytes]]
) -> None:
    started(tmp_path, parents, "a=ends", "b=stays")
    await_start(tmp_path, "b")
    until(lambda: len(pids(tmp_path, "a")) >= 3, what="two restarts", within=SOON)
    assert lives(pids(tmp_path, "b")[0])


def test_killing_the_supervisor_ends_its_children(
    tmp_path: Path, parents: list[subprocess.Popen[bytes]]
) -> None:
    parent = started(tmp_path, parents, "a=stays", "b=stays")
    await_start(tmp_path, "a", "b")
    parent.kill()
    parent.wait()
    children = pids(tmp_path, "a") + pids(tmp_path, "b")
    until(lambda: not any(map(lives, children)), what="the children to end", within=SOON)


def test_the_first_is_ended_when_the_others_are(
    tmp_path: Path, parents: list[subprocess.Popen[bytes]]
) -> None:
    """A gateway ends what is left in hosts, and needs the broker for that."""
    (tmp_path / "slow.py").write_text(SLOW)
    (tmp_path / "parent.py").write_text(SLOW_PARENT)
    parent = subprocess.Popen(
        [sys.executable, tmp_path / "parent.py", tmp_path / "slow.py", tmp_path],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        stdout=subprocess.DEVNULL,
    )
    parents.append(parent)
    until(lambda: len(list(tmp_path.glob("*.up"))) == 3, what="the children to start", within=SOON)
    parent.send_signal(signal.SIGTERM)
    assert parent.wait(timeout=SOON.total_seconds()) == 0
    ended = (tmp_path / "ended").read_text().split()
    assert (sorted(ended[:2]), ended[2:]) == (["second", "third"], ["first"])


def test_a_small_answer_waits_for_no_acknowledgement() -> None:
    async def accepted() -> int:
        told: asyncio.Future[int] = asyncio.get_running_loop().create_future()

        def connected(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            connection = writer.get_extra_info("socket")
            told.set_result(connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
            writer.close()

        bound = listen("127.0.0.1", 0, "POLIGON_HTTP_PORT")
        async with await asyncio.start_server(connected, sock=bound):
            _, writer = await asyncio.open_connection(*bound.getsockname())
            writer.close()
            return await told

    assert asyncio.run(accepted()) == 1


@pytest.mark.parametrize("setting", ["POLIGON_HTTP_PORT", "POLIGON_SSH_PORT"])
def test_a_port_in_use_is_one_sentence_with_what_to_set(tmp_path: Path, setting: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        ports = {"POLIGON_HTTP_PORT": free_port(), "POLIGON_SSH_PORT": free_port()}
        ports[setting] = taken.getsockname()[1]
        ended = subprocess.run(
            [sys.executable, "-m", "api.cli.main", "serve", "--all"],
            cwd=Path(__file__).parents[2],
            env={
                **os.environ,
                "POLIGON_HOME": str(tmp_path),
                **{name: str(port) for name, port in ports.items()},
            },
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert ended.returncode == 5
    last = ended.stderr.strip().splitlines()[-2:]
    assert last[0] == f"error: port {ports[setting]} of 127.0.0.1 is in use already"
    assert setting in last[1]


def test_a_database_that_cannot_be_opened_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("a file where a folder should be")
    ended = subprocess.run(
        [sys.executable, "-m", "api.cli.main", "serve"],
        cwd=Path(__file__).parents[2],
        env={**os.environ, "POLIGON_HOME": str(tmp_path / "home")},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == 1
    assert "cannot be made" in ended.stderr
    assert "POLIGON_HOME" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_ctrl_c_leaves_a_launch_to_go_on_and_says_how_to_look(tmp_path: Path) -> None:
    (tmp_path / "house").mkdir()
    (tmp_path / "house" / "scenario.yaml").write_text(SCENARIO)
    launch = subprocess.Popen(
        [sys.executable, "-m", "api.cli.main", "exercise", "launch", tmp_path / "house"],
        cwd=Path(__file__).parents[2],
        env={**os.environ, "POLIGON_HOME": str(tmp_path / "home")},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert launch.stderr is not None
    for line in launch.stderr:
        if "planned" in line:
            break
    launch.send_signal(signal.SIGINT)
    said, told = launch.communicate(timeout=SOON.total_seconds())
    assert launch.returncode == 130
    assert "poligon exercise status house-" in told
    assert said == ""
