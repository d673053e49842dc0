"""What is said, and what is left, when an engine is away, goes away or answers nonsense."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from ipaddress import IPv4Network
from pathlib import Path

import pytest

from core.ids import ExerciseId
from orchestrator.domain.isolation import Look
from orchestrator.domain.world import HostKey, HostPlan, ImageBuild, NetworkPlan, WorldKey
from orchestrator.engine.runtime import DockerEngine
from orchestrator.ports import (
    EngineExhaustedError,
    EngineRefusedError,
    EngineTooOldError,
    EngineUnavailableError,
    ForeignImageError,
    HostGoneError,
    ImageBuildFailedError,
)

WORLD = WorldKey(exercise=ExerciseId("ex"), team="team-1")
KEY = HostKey(world=WORLD, host="desk")
PLAN = HostPlan(host="desk", image="debian:bookworm-slim", attachments=())
SOON = timedelta(seconds=5)

VERSION = ("200 OK", '{"ApiVersion": "1.41"}')


class ScriptedEngine:
    """Answers one request after the other as it was told; then it hangs up on everybody."""

    def __init__(self, path: Path, answers: list[tuple[str, str] | str]) -> None:
        self.address = f"unix://{path}"
        self._answers = answers
        self._server = socket.socket(socket.AF_UNIX)
        self._server.bind(str(path))
        self._server.listen(16)
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._server.shutdown(socket.SHUT_RDWR)
        self._thread.join(5)
        self._server.close()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._server.accept()
            except OSError:
                return
            with connection:
                self._answer(connection)

    def _answer(self, connection: socket.socket) -> None:
        _read_request(connection)
        match self._answers.pop(0) if self._answers else "":
            case (status, body):
                head = f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\n"
                tail = f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n{body}"
                connection.sendall((head + tail).encode())
            case str() as raw:
                connection.sendall(raw.encode())


def _read_request(connection: socket.socket) -> None:
    """Read all of it: who closes on a client that still speaks resets its connection."""
    with connection.makefile("rb") as said:
        head = dict(line.lower().partition(b":")[::2] for line in iter(said.readline, b"\r\n"))
        said.read(int(head.get(b"content-length", 0)))
        if b"chunked" in head.get(b"transfer-encoding", b""):
            while size := int(said.readline(), 16):
                said.read(size + len(b"\r\n"))
            said.readline()


@contextmanager
def scripted(folder: Path, *answers: tuple[str, str] | str) -> Iterator[DockerEngine]:
    engine = ScriptedEngine(folder / "engine.sock", list(answers))
    try:
        yield DockerEngine(engine.address, installation="faults")
    finally:
        engine.stop()


CALLS = {
    "info": lambda engine: engine.info(),
    "taken_subnets": lambda engine: engine.taken_subnets(),
    "require_image": lambda engine: engine.require_image("x"),
    "protect_host": lambda engine: engine.protect_host(),
    "raise_network": lambda engine: engine.raise_network(
        WORLD, NetworkPlan(network="lan", subnet=IPv4Network("10.199.0.0/24"))
    ),
    "raise_host": lambda engine: engine.raise_host(WORLD, PLAN),
    "observe": lambda engine: engine.observe(WORLD.exercise),
    "running": lambda engine: engine.running(WORLD.exercise),
    "run": lambda engine: engine.run(KEY, ("true",), timeout=SOON),
    "accepts_tcp": lambda engine: engine.accepts_tcp(KEY, 80),
    "probe": lambda engine: engine.probe(KEY, ("true",), timeout=SOON),
    "diagnose": lambda engine: engine.diagnose(),
    "post_sentinel": lambda engine: engine.post_sentinel(WORLD.exercise),
    "sentinel": lambda engine: engine.sentinel(WORLD.exercise),
    "dismiss_sentinel": lambda engine: engine.dismiss_sentinel(WORLD.exercise),
    "look_around": lambda engine: engine.look_around(
        (Look(host=KEY, near=(), far=()),), silence=timedelta()
    ),
    "standing": lambda engine: engine.standing(),
    "remove_world": lambda engine: engine.remove_world(WORLD),
    "remove_exercise": lambda engine: engine.remove_exercise(WORLD.exercise),
    "remove_everything": lambda engine: engine.remove_everything(),
}


@pytest.mark.parametrize("call", CALLS)
def test_an_engine_that_is_down_is_named_with_what_to_do(tmp_path: Path, call: str) -> None:
    address = f"unix://{tmp_path / 'nobody.sock'}"
    with pytest.raises(EngineUnavailableError, match="does not answer") as refusal:
        CALLS[call](DockerEngine(address, installation="faults"))
    assert address in refusal.value.message
    assert "systemctl start docker" in refusal.value.hint


@pytest.mark.parametrize("call", CALLS)
def test_an_engine_that_hangs_up_half_way_is_unavailable(tmp_path: Path, call: str) -> None:
    with scripted(tmp_path, VERSION) as engine, pytest.raises(EngineUnavailableError):
        CALLS[call](engine)


@pytest.mark.parametrize(
    "nonsense",
    [
        "HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n{",
        "hello?\r\n\r\n",
        "HTTP/1.1 200 OK\r\n\r\n{",
    ],
    ids=["cut short", "not HTTP", "not JSON"],
)
def test_an_engine_whose_answer_is_cut_is_unavailable(tmp_path: Path, nonsense: str) -> None:
    with scripted(tmp_path, VERSION, nonsense) as engine, pytest.raises(EngineUnavailableError):
        engine.info()


def test_an_engine_that_comes_back_is_used_again(tmp_path: Path) -> None:
    told = '{"ServerVersion": "x", "NCPU": 1, "MemTotal": 2, "Containers": 3}'
    with scripted(tmp_path, "", VERSION, ("200 OK", told)) as engine:
        with pytest.raises(EngineUnavailableError):
            engine.info()
        assert engine.info().containers == 3


def test_an_engine_that_is_too_old_is_named(tmp_path: Path) -> None:
    old = ("200 OK", '{"ApiVersion": "1.40"}')
    with (
        scripted(tmp_path, old) as engine,
        pytest.raises(EngineTooOldError, match=r"API 1\.40, and 1\.41 is the oldest") as refusal,
    ):
        engine.require_image("x")
    assert refusal.value.hint == "Install Docker Engine 20.10 or newer"


def test_an_image_of_another_architecture_is_named(tmp_path: Path) -> None:
    image = ("200 OK", '{"Id": "i", "Architecture": "arm64"}')
    told = ("200 OK", '{"ApiVersion": "1.41", "Arch": "amd64"}')
    with (
        scripted(tmp_path, VERSION, image, told) as engine,
        pytest.raises(ForeignImageError, match="x is for arm64, and the engine's host is amd64"),
    ):
        engine.require_image("x")


@pytest.mark.parametrize(
    ("said", "fix"),
    [
        ("OCI runtime create failed: fork/exec: cannot allocate memory", "add memory"),
        ("mkdir /var/lib/docker/overlay2/x: no space left on device", "docker system df"),
    ],
)
def test_a_host_of_the_engine_that_is_full_is_named(tmp_path: Path, said: str, fix: str) -> None:
    full = ("500 Internal Server Error", f'{{"message": "{said}"}}')
    with (
        scripted(tmp_path, VERSION, full) as engine,
        pytest.raises(EngineExhaustedError, match="the engine's host is full") as refusal,
    ):
        engine.observe(WORLD.exercise)
    assert fix in refusal.value.hint


def test_a_socket_that_this_user_may_not_open_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Root opens every socket, so the refusal comes from a kernel in disguise.
    def refuse(self: socket.socket, address: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    engine = DockerEngine(f"unix://{tmp_path / 'engine.sock'}", installation="faults")
    with pytest.raises(EngineUnavailableError, match="may not use") as refusal:
        engine.info()
    assert "group docker" in refusal.value.hint


def test_an_engine_that_is_not_ready_may_be_asked_again(tmp_path: Path) -> None:
    busy = ("503 Service Unavailable", '{"message": "starting"}')
    with (
        scripted(tmp_path, VERSION, busy) as engine,
        pytest.raises(EngineUnavailableError, match="starting"),
    ):
        engine.info()


def test_an_engine_that_refuses_is_quoted(tmp_path: Path) -> None:
    refusal = ("500 Internal Server Error", '{"message": "no space left on device"}')
    with (
        scripted(tmp_path, VERSION, refusal) as engine,
        pytest.raises(EngineRefusedError, match="no space left on device"),
    ):
        engine.info()


def test_an_engine_that_dies_in_a_build_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text("FROM scratch\n")
    build = ImageBuild(reference="x:1", context=tmp_path, host="desk")
    missing = ("404 Not Found", '{"message": "No such image: x:1"}')
    half = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1c\r\n{"stream":"Step 1/2 : FROM"}'
    with (
        scripted(tmp_path, VERSION, missing, half) as engine,
        pytest.raises(EngineUnavailableError),
    ):
        engine.build_image(build)


def test_a_dockerfile_that_the_engine_cannot_read_fails_the_build(tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text("FRM x\n")
    build = ImageBuild(reference="x:1", context=tmp_path, host="desk")
    missing = ("404 Not Found", '{"message": "No such image: x:1"}')
    refusal = ("400 Bad Request", '{"message": "unknown instruction: FRM"}')
    with (
        scripted(tmp_path, VERSION, missing, refusal) as engine,
        pytest.raises(ImageBuildFailedError, match="unknown instruction: FRM"),
    ):
        engine.build_image(build)


def test_a_host_that_goes_while_a_command_runs_is_gone(tmp_path: Path) -> None:
    created = ("201 Created", '{"Id": "e1"}')
    with (
        scripted(
            tmp_path,
            VERSION,
            created,
            "HTTP/1.1 200 OK\r\n\r\n",
            ("404 Not Found", '{"message": "No such exec instance"}'),
        ) as engine,
        pytest.raises(HostGoneError, match="No such exec instance"),
    ):
        engine.run(KEY, ("true",), timeout=SOON)


def test_a_container_that_went_is_not_taken_for_an_image_that_lacks_a_folder(
    tmp_path: Path,
) -> None:
    gone = ("404 Not Found", '{"message": "No such container: c1"}')
    there = ("200 OK", "")
    with scripted(tmp_path, VERSION, ("404 Not Found", ""), gone, there) as engine:
        tree = engine._hosts._contents.seen_through("c1", image_id="sha256:1")
        with pytest.raises(EngineRefusedError, match="No such container"):
            tree.exists("/srv")
        assert tree.exists("/srv")
