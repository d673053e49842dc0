"""The engine's own rate of starting shells on terminals: exec create and start, nothing else."""

import json
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

_SOCKET = "/var/run/docker.sock"
_PROMPT = b"$ "
_TIMEOUT_S = 120


def start_all(containers: list[str], account: str, *, count: int, at_once: int) -> float:
    """Return the seconds until `count` login shells in `containers` showed their prompt."""
    held: list[socket.socket] = []

    def start(number: int) -> None:
        held.append(_shell(containers[number % len(containers)], account))

    began = time.perf_counter()
    try:
        with ThreadPoolExecutor(at_once) as pool:
            list(pool.map(start, range(count)))
        return time.perf_counter() - began
    finally:
        for wire in held:
            wire.sendall(b"exit\n")
            wire.close()


def _shell(container: str, account: str) -> socket.socket:
    body = {
        "AttachStdin": True,
        "AttachStdout": True,
        "Tty": True,
        "User": account,
        "Cmd": ["bash", "-l"],
    }
    with closing(_connected()) as wire:
        wire.sendall(_request(f"/containers/{container}/exec", body, upgrade=False))
        answer = b""
        while piece := wire.recv(65536):
            answer += piece
    made = json.loads(answer.partition(b"\r\n\r\n")[2])
    wire = _connected()
    wire.sendall(
        _request(f"/exec/{made['Id']}/start", {"Detach": False, "Tty": True}, upgrade=True)
    )
    seen = b""
    while _PROMPT not in seen:
        piece = wire.recv(65536)
        assert piece, seen
        seen += piece
    return wire


def _connected() -> socket.socket:
    wire = socket.socket(socket.AF_UNIX)
    wire.settimeout(_TIMEOUT_S)
    wire.connect(_SOCKET)
    return wire


def _request(path: str, body: dict[str, object], *, upgrade: bool) -> bytes:
    content = json.dumps(body).encode()
    version = "1.1" if upgrade else "1.0"
    extra = "Connection: Upgrade\r\nUpgrade: tcp\r\n" if upgrade else ""
    head = (
        f"POST {path} HTTP/{version}\r\nHost: engine\r\nContent-Type: application/json\r\n"
        f"{extra}Content-Length: {len(content)}\r\n\r\n"
    )
    return head.encode() + content
