"""What a gateway that was taken over tries at the broker, to become root of the machine."""

import json
import socket
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

import docker
import pytest
from docker.errors import APIError

from orchestrator.broker.server import Limits
from orchestrator.engine.exec_stream import NO_DETACHING
from orchestrator.engine.labels import Kind
from orchestrator.engine.names import container_name, router_name, sentinel_name
from tests.fakes.broker_stage import a_broker
from tests.fakes.gateway_stage import (
    ACCOUNT,
    Box,
    a_box,
    an_installation,
    eventually,
    key_of,
    labels_of,
)

pytestmark = [pytest.mark.engine, pytest.mark.enable_socket]

OWNER = an_installation()
STRANGER = an_installation()
IMAGE = "debian:bookworm-slim"
TEXT = b"a line that comes back\n"
BODY: dict[str, Any] = {
    "AttachStdin": True,
    "AttachStdout": True,
    "AttachStderr": True,
    "Tty": False,
    "User": ACCOUNT,
    "WorkingDir": "/",
    "Env": ["LANG=C.UTF-8"],
    "Cmd": ["cat"],
    "DetachKeys": NO_DETACHING,
}
REACH = {"PatienceSeconds": 3}
START = {"Detach": False, "Tty": False}
UPGRADE = {"Connection": "Upgrade", "Upgrade": "tcp"}


@pytest.fixture(scope="module")
def box(docker_client: docker.DockerClient) -> Iterator[Box]:
    with a_box(OWNER, "desk") as made:
        yield made


@pytest.fixture(scope="module")
def place(box: Box, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Lend the socket of a broker."""
    folder = tmp_path_factory.mktemp("broker")
    with a_broker(folder, installation=OWNER) as address:
        yield Path(address.removeprefix("unix://"))


def raw(place: Path, data: bytes) -> bytes:
    """Return all that is answered to these bytes."""
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(60)
        client.connect(str(place))
        with suppress(BrokenPipeError, ConnectionResetError):
            client.sendall(data)
        return rest(client)


def rest(client: socket.socket) -> bytes:
    answer = b""
    with suppress(ConnectionResetError):
        while piece := client.recv(65_536):
            answer += piece
    return answer


def request(
    method: str, target: str, body: object = None, headers: Mapping[str, str] | None = None
) -> bytes:
    content = (
        b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
    )
    lines = [f"{method} {target} HTTP/1.1", "Host: engine", f"Content-Length: {len(content)}"]
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + content


def told(answer: bytes) -> tuple[int, dict[str, Any]]:
    """Return the status and the fields of one answer."""
    head, _, body = answer.partition(b"\r\n\r\n")
    return int(head.split()[1]), json.loads(body or b"{}")


def ask(place: Path, method: str, target: str, body: object = None) -> tuple[int, dict[str, Any]]:
    return told(raw(place, request(method, target, body)))


def is_refused(answer: tuple[int, dict[str, Any]]) -> bool:
    status, fields = answer
    return status == 403 and set(fields) == {"message"} and bool(fields["message"])


def made_exec(place: Path, box: Box, body: object = None) -> str:
    status, fields = ask(place, "POST", f"/containers/{box.container.name}/exec", body or BODY)
    assert status == 201, fields
    return str(fields["Id"])


class ProcessRefusedError(Exception):
    """The broker started no process."""


@contextmanager
def started(place: Path, exec_id: str, *, behind: bytes = b"") -> Iterator[socket.socket]:
    """Start a process, and lend the connection to it that is handed on."""
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(60)
        client.connect(str(place))
        client.sendall(request("POST", f"/exec/{exec_id}/start", START, UPGRADE) + behind)
        answer, descriptors, _, _ = socket.recv_fds(client, 65_536, 1)
        if not answer.startswith(b"HTTP/1.1 101 "):
            raise ProcessRefusedError(answer)
        with socket.socket(fileno=descriptors[0]) as process:
            process.settimeout(60)
            yield process


def test_a_host_is_entered_and_little_is_told_of_it(place: Path, box: Box) -> None:
    made = made_exec(place, box)
    with started(place, made) as process:
        process.sendall(TEXT)
        process.shutdown(socket.SHUT_WR)
        assert rest(process).endswith(TEXT)
    look = partial(ask, place, "GET", f"/exec/{made}/json")
    # The engine notes the end of a process a moment after that of its output.
    eventually(lambda: not look()[1]["Running"], what="the end of the process")
    assert look() == (200, {"Running": False, "ExitCode": 0})
    status, told_of_host = ask(place, "GET", f"/containers/{box.container.name}/json")
    assert (status, set(told_of_host)) == (200, {"Id", "State"})
    assert set(told_of_host["State"]) == {"Running", "Pid"}


# HOST is a host's name, ID its container's id; each comes with a body that would make a process.
ASKED = (
    *("GET /info", "GET /version", "GET /_ping", "GET /events", "POST /auth"),
    *("GET /containers/json", "POST /containers/create", "POST /containers/create?name=poligon.x"),
    *("POST /containers/HOST/start", "POST /containers/HOST/stop", "POST /containers/HOST/update"),
    *("DELETE /containers/HOST", "DELETE /containers/HOST?force=1", "PUT /containers/HOST/exec"),
    *("GET /containers/HOST/archive?path=/", "PUT /containers/HOST/archive?path=/"),
    *("GET /containers/HOST/export", "POST /containers/HOST/attach?stdin=1&stream=1"),
    *("GET /containers/HOST/logs?stdout=1", "GET /containers/HOST/top", "POST /commit"),
    *("GET /images/json", "POST /images/create?fromImage=x", "POST /build", "POST /session"),
    *("POST /volumes/create", "POST /networks/create", "POST /swarm/init", "POST /plugins/pull"),
    *("POST /grpc", "CONNECT engine:80", "OPTIONS *"),
    *("POST /containers/ID/exec", "GET /containers/ID/json", "GET /containers/HOST/exec"),
    *("POST /v1.41/containers/HOST/exec", "POST /v1.24/containers/create"),
    *("POST //containers/HOST/exec", "POST /containers//HOST/exec", "POST /containers/HOST//exec"),
    *(
        "POST /containers/HOST/exec/",
        "POST /containers/HOST/exec?x=1",
        "POST /containers/HOST/exec?",
    ),
    *("POST /containers/HOST/exec#", "POST /containers/HOST/%65xec", "POST /CONTAINERS/HOST/exec"),
    *("POST /containers/HOST/../create", "POST /containers/HOST/%2e%2e/create"),
    *("POST /containers/HOST%2f..%2fcreate", "POST /containers/HOST%00/exec", "POST /./exec"),
    *("POST /containers/HOST;x/exec", "POST /containers/HOST\\exec", "POST containers/HOST/exec"),
    *("POST http://engine/containers/HOST/exec", "POST http://engine/containers/create"),
    *("GET /containers/HOST/json?size=1", "GET /exec/ID/json", "POST /exec/ID/start"),
    *("GET /exec/../containers/json", "POST /exec/ID/resize?h=1&w=1", "GET /exec//json"),
)


@pytest.mark.parametrize("asked", ASKED)
def test_nothing_else_can_be_asked_however_it_is_spelt(place: Path, box: Box, asked: str) -> None:
    method, target = asked.split()
    target = target.replace("HOST", str(box.container.name)).replace("ID", str(box.container.id))
    assert is_refused(ask(place, method, target, BODY))
    status, _ = ask(place, "GET", f"/containers/{box.container.name}/json")
    assert status == 200, "the host stands"


def test_a_question_for_a_head_has_one(place: Path) -> None:
    answer = raw(place, request("HEAD", "/_ping"))
    assert answer.startswith(b"HTTP/1.1 403 ")
    assert answer.endswith(b"\r\n\r\n")


def test_the_engines_own_client_can_do_nothing(place: Path, box: Box) -> None:
    client = docker.DockerClient(base_url=f"unix://{place}", version="1.41")
    try:
        for attempt in (
            lambda: client.containers.run(IMAGE, ["true"], privileged=True, remove=True),
            client.containers.list,
            lambda: client.containers.get(str(box.container.id)),
            lambda: client.images.pull(IMAGE),
            client.info,
        ):
            with pytest.raises(APIError, match="403"):
                attempt()
    finally:
        client.close()


OTHER = key_of("other")
NAME = container_name(OWNER, OTHER)
WITH_LABELS = labels_of(OWNER, OTHER)
NO_HOSTS: dict[str, tuple[str, dict[str, str]]] = {
    "a router": (router_name(OWNER, OTHER.world), labels_of(OWNER, OTHER, Kind.ROUTER)),
    "a sentinel": (
        sentinel_name(OWNER, OTHER.world.exercise),
        labels_of(OWNER, OTHER, Kind.SENTINEL),
    ),
    "a router with a host's name": (NAME, labels_of(OWNER, OTHER, Kind.ROUTER)),
    "a toolbox with a host's name": (NAME, labels_of(OWNER, OTHER, Kind.PROBE)),
    "what carries forwards beside a host": (NAME, labels_of(OWNER, OTHER, Kind.REACH)),
    "a helper with a host's name": (NAME, labels_of(OWNER, OTHER, Kind.HELPER)),
    "a foreign container with a host's name": (NAME, {}),
    "a stranger's with a host's name": (NAME, labels_of(STRANGER, OTHER)),
    "another host's labels": (NAME, labels_of(OWNER, key_of("else"))),
    "a stranger's host": (container_name(STRANGER, OTHER), labels_of(STRANGER, OTHER)),
    "a foreign container": (f"foreign-{OWNER}", {}),
}


def answers_of(
    place: Path, docker_client: docker.DockerClient, name: str, labels: dict[str, str]
) -> list[tuple[int, dict[str, Any]]]:
    """Return what the broker says of a container that is there meanwhile."""
    made = docker_client.containers.create(IMAGE, ["true"], name=name, labels=labels)
    try:
        return [
            ask(place, "POST", f"/containers/{name}/exec", BODY),
            ask(place, "GET", f"/containers/{name}/json"),
            told(raw(place, request("POST", f"/containers/{name}/reach", REACH, UPGRADE))),
        ]
    finally:
        made.remove(force=True)


@pytest.mark.parametrize("what", NO_HOSTS)
def test_only_hosts_are_entered(place: Path, docker_client: docker.DockerClient, what: str) -> None:
    assert all(map(is_refused, answers_of(place, docker_client, *NO_HOSTS[what])))


def test_a_host_that_does_not_run_is_no_reason_to_refuse(
    place: Path, docker_client: docker.DockerClient
) -> None:
    entered, seen, reached = answers_of(place, docker_client, NAME, WITH_LABELS)
    assert entered[0] == 409, "what the engine says of a container that does not run"
    assert seen[1]["State"] == {"Running": False, "Pid": 0}
    assert reached[0] == 409


BODIES: dict[str, dict[str, Any]] = {
    "privileged": {"Privileged": True},
    "not privileged, and said": {"Privileged": False},
    "privileged as Go reads it, too": {"privileged": True},
    "in a folder that leads out": {"WorkingDir": "/proc/self/fd/8"},
    "in no folder": {"WorkingDir": ""},
    "with another group": {"User": f"{ACCOUNT}:docker"},
    "as nobody in particular": {"User": ""},
    "as a path": {"User": "../etc"},
    "as a number that is none": {"User": "-1"},
    "with keys that end it": {"DetachKeys": "ctrl-a"},
    "without its input": {"AttachStdin": False},
    "with an answer for a question": {"Tty": "false"},
    "with no command": {"Cmd": []},
    "with a command that is a string": {"Cmd": "cat"},
    "with a command of numbers": {"Cmd": [1]},
    "with an argument that the kernel does not take": {"Cmd": ["echo", "x" * (128 * 1024 + 1)]},
    "with too many arguments": {"Cmd": ["echo"] * 4097},
    "with a zero in an argument": {"Cmd": ["echo", "a\0b"]},
    "with a variable that is none": {"Env": ["LANG"]},
    "with a variable without a name": {"Env": ["=x"]},
    "with a zero in a variable": {"Env": ["A=\0"]},
    "with too many variables": {"Env": ["A=b"] * 129},
    "with a size that is none": {"ConsoleSize": [24]},
    "with a size that is too large": {"ConsoleSize": [24, 65536]},
    "with something new": {"Mounts": []},
}


@pytest.mark.parametrize("what", BODIES)
def test_a_process_is_what_a_session_needs_and_nothing_more(
    place: Path, box: Box, what: str
) -> None:
    path = f"/containers/{box.container.name}/exec"
    assert is_refused(ask(place, "POST", path, BODY | BODIES[what]))


@pytest.mark.parametrize("body", [b"", b"[]", b"null", b"{", b"\xff", b"[" * 100_000])
def test_a_body_that_is_no_process_is_refused(place: Path, box: Box, body: bytes) -> None:
    assert is_refused(ask(place, "POST", f"/containers/{box.container.name}/exec", body))


def test_the_engine_is_told_what_was_understood_and_not_what_was_sent(
    place: Path, box: Box, docker_client: docker.DockerClient
) -> None:
    twice = b'{"User": "root:docker", ' + json.dumps(BODY).encode()[1:]
    made = docker_client.api.exec_inspect(made_exec(place, box, twice))["ProcessConfig"]
    assert (made["user"], made["privileged"]) == (ACCOUNT, False)


@pytest.mark.parametrize("body", [{"Detach": True, "Tty": False}, START | {"Privileged": True}, {}])
def test_a_process_is_started_with_a_pipe_to_it(place: Path, box: Box, body: object) -> None:
    path = f"/exec/{made_exec(place, box)}/start"
    assert is_refused(told(raw(place, request("POST", path, body, UPGRADE))))
    assert is_refused(ask(place, "POST", path, START)), "nor without an upgrade"


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"PatienceSeconds": 0},
        {"PatienceSeconds": 61},
        {"PatienceSeconds": "3; reboot"},
        REACH | {"Image": IMAGE},
        REACH | {"HostConfig": {"Privileged": True}},
    ],
)
def test_a_toolbox_beside_a_host_is_always_the_same(place: Path, box: Box, body: object) -> None:
    path = f"/containers/{box.container.name}/reach"
    assert is_refused(told(raw(place, request("POST", path, body, UPGRADE))))
    assert is_refused(ask(place, "POST", path, REACH)), "nor is there one without a pipe to it"


def test_a_process_that_others_made_is_nobodys_here(
    place: Path, box: Box, docker_client: docker.DockerClient, tmp_path: Path
) -> None:
    others = docker_client.api.exec_create(box.container.id, ["cat"], stdin=True)["Id"]
    with a_broker(tmp_path, installation=OWNER) as second:
        elsewhere = made_exec(Path(second.removeprefix("unix://")), box)
    for exec_id in (others, elsewhere):
        started = request("POST", f"/exec/{exec_id}/start", START, UPGRADE)
        assert is_refused(told(raw(place, started)))
        assert is_refused(ask(place, "POST", f"/exec/{exec_id}/resize?h=1&w=1"))
        assert is_refused(ask(place, "GET", f"/exec/{exec_id}/json"))
        assert docker_client.api.exec_inspect(exec_id)["Running"] is False
        assert docker_client.api.exec_inspect(exec_id)["ExitCode"] is None, "it never began"


FRAMINGS: dict[str, bytes] = {
    "chunks": b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
    "chunks and a length": b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "a coding nobody knows": b"Transfer-Encoding: xchunked\r\nContent-Length: 2\r\n\r\n{}",
    "two lengths": b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}x",
    "a list of lengths": b"Content-Length: 2, 3\r\n\r\n{}x",
    "less than nothing": b"Content-Length: -1\r\n\r\n{}",
    "a length with a sign": b"Content-Length: +2\r\n\r\n{}",
    "a space before the colon": b"Content-Length : 2\r\n\r\n{}",
    "a header without a name": b": 2\r\n\r\n{}",
    "a zero in a header": b"X: a\0b\r\n\r\n",
    "a giant header": b"X: " + b"x" * 100_000 + b"\r\n\r\n",
    "a thousand headers": b"X: y\r\n" * 10_000 + b"\r\n",
    "a giant body": b"Content-Length: 9999999999\r\n\r\n" + b" " * 2_000_000,
}


@pytest.mark.parametrize("what", FRAMINGS)
def test_a_request_has_one_reading(place: Path, box: Box, what: str) -> None:
    line = f"GET /containers/{box.container.name}/json HTTP/1.1\r\nHost: engine\r\n".encode()
    answer = raw(place, line + FRAMINGS[what])
    assert told(answer)[0] in {400, 403}
    assert answer.count(b"HTTP/1.1 ") == 1
    assert told(raw(place, line + b"\r\n"))[0] == 200, "which is answered without it"


def test_what_comes_behind_a_request_is_no_request(
    place: Path, box: Box, docker_client: docker.DockerClient
) -> None:
    look = request("GET", f"/containers/{box.container.name}/json")
    enter = request("POST", f"/containers/{box.container.name}/exec", BODY)
    before = execs_of(docker_client, box)
    answer = raw(place, look + enter)
    assert answer.count(b"HTTP/1.1 ") == 1
    # Those of tests before may end meanwhile.
    assert not execs_of(docker_client, box) - before
    assert told(raw(place, enter))[0] == 201
    assert len(execs_of(docker_client, box) - before) == 1


def execs_of(client: docker.DockerClient, box: Box) -> set[str]:
    return set(client.api.inspect_container(str(box.container.id))["ExecIDs"] or ())


CREATE = request("POST", "/containers/create", {"Image": IMAGE})


def test_what_comes_behind_a_hijack_goes_to_the_process(place: Path, box: Box) -> None:
    with started(place, made_exec(place, box), behind=CREATE) as process:
        process.sendall(CREATE)
        process.shutdown(socket.SHUT_WR)
        answer = rest(process)
    assert answer.count(CREATE) == 2, "cat gives it back"
    assert b"HTTP/1.1 201" not in answer


def test_a_connection_that_was_handed_on_is_good_for_nothing_after_its_process(
    place: Path, box: Box
) -> None:
    with started(place, made_exec(place, box, BODY | {"Cmd": ["true"]})) as process:
        assert rest(process) == b""
        with suppress(BrokenPipeError):
            process.sendall(request("GET", "/info"))
        assert rest(process) == b""


def test_a_process_is_still_known_while_its_connection_is_held(
    place: Path, box: Box, tmp_path: Path
) -> None:
    limits, made = Limits(kept_seconds=3), ""
    with a_broker(tmp_path, installation=OWNER, limits=limits) as address:
        second = Path(address.removeprefix("unix://"))
        with ExitStack() as held:

            def is_started() -> bool:
                """Make another one where a busy machine took too long between two requests."""
                nonlocal made
                made = made_exec(second, box, BODY | {"Cmd": ["sleep", "4"]})
                with suppress(ProcessRefusedError):
                    processes.append(held.enter_context(started(second, made)))
                return bool(processes)

            processes: list[socket.socket] = []
            eventually(is_started, what="a process that is started in time")
            assert rest(processes[0]) == b""
            assert ask(second, "GET", f"/exec/{made}/json")[0] == 200
        eventually(
            lambda: is_refused(ask(second, "GET", f"/exec/{made}/json")),
            what="that it is forgotten",
        )


def test_nothing_goes_through_to_a_process_that_cannot_be_started(place: Path, box: Box) -> None:
    started = request("POST", f"/exec/{made_exec(place, box)}/start", START, UPGRADE)
    box.container.pause()
    try:
        answer = raw(place, started + request("GET", "/info"))
    finally:
        box.container.unpause()
    assert told(answer)[0] == 409
    assert answer.count(b"HTTP/1.1 ") == 1


def test_those_that_say_nothing_are_sent_away(box: Box, tmp_path: Path) -> None:
    look = request("GET", f"/containers/{box.container.name}/json")
    limits = Limits(connections=12, request_seconds=1.0)
    with a_broker(tmp_path, installation=OWNER, limits=limits) as address, ExitStack() as held:
        place = Path(address.removeprefix("unix://"))
        silent = [held.enter_context(socket.socket(socket.AF_UNIX)) for _ in range(40)]
        for number, client in enumerate(silent):
            client.settimeout(60)
            client.connect(str(place))
            with suppress(BrokenPipeError):
                client.sendall(look[: number % len(look)])
        eventually(lambda: raw(place, look)[9:12] == b"200", what="an answer for somebody else")
        assert {rest(client) for client in silent} == {b""}, "each is cut"


def test_the_socket_is_its_owners_and_its_groups(place: Path) -> None:
    assert oct(place.stat().st_mode)[-3:] == "660"
    assert oct(place.parent.stat().st_mode)[-3:] == "750"
