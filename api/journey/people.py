"""The people of a journey: they use HTTP and the OpenSSH client, nothing else.

A step that does not hold raises JourneyFailedError; there is no step that cannot fail.
"""

import os
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx

from core.errors import PoligonError
from core.waiting import until

Say = Callable[[str], None]

_SSH_PATIENCE = 60


class JourneyFailedError(PoligonError):
    """A step of the journey did not hold."""

    code = "journey.failed"


def expect(holds: object, what: str, seen: object = "") -> None:
    """Raise JourneyFailedError unless `holds`."""
    if not holds:
        raise JourneyFailedError(f"expected {what}", hint=f"Seen instead: {seen}" if seen else "")


class Caller:
    """Somebody who is logged in to the interface."""

    def __init__(self, base_url: str, name: str, password: str) -> None:
        self.name = name
        self.password = password
        self._http = httpx.Client(base_url=f"{base_url}/api/v1", timeout=30)
        answer = self.post("/login", {"name": name, "password": password})
        self._http.headers["Authorization"] = f"Bearer {answer['token']}"

    def get(self, path: str, **parameters: str) -> Any:  # noqa: ANN401  # whatever JSON holds
        """Return a document; raises JourneyFailedError with the problem's text."""
        return self._read(self._http.get(path, params=parameters))

    def text(self, path: str, **parameters: str) -> str:
        """Return a document that is not JSON."""
        response = self._http.get(path, params=parameters)
        expect(response.is_success, f"GET {path} to succeed", response.text)
        return response.text

    def post(
        self, path: str, body: Mapping[str, Any] | None = None, *, key: str | None = None
    ) -> Any:  # noqa: ANN401  # whatever JSON holds
        """Write; `key` makes it safe to repeat."""
        headers = {"Idempotency-Key": key} if key is not None else {}
        return self._read(self._http.post(path, json=body or {}, headers=headers))

    def send(self, path: str, body: Mapping[str, Any]) -> None:
        """Write where nothing is answered."""
        response = self._http.post(path, json=body)
        expect(response.is_success, f"POST {path} to succeed", response.text)

    def put(self, path: str, body: Mapping[str, Any]) -> Any:  # noqa: ANN401  # whatever JSON holds
        """Replace or add."""
        return self._read(self._http.put(path, json=body))

    def status_of(self, path: str) -> int:
        """Return the status of reading a document."""
        return self._http.get(path).status_code

    def close(self) -> None:
        """Give the connection back."""
        self._http.close()

    def _read(self, response: httpx.Response) -> Any:  # noqa: ANN401  # whatever JSON holds
        request = response.request
        expect(response.is_success, f"{request.method} {request.url} to succeed", response.text)
        return response.json()


@dataclass(frozen=True, slots=True, kw_only=True)
class Shell:
    """A trainee's way in with `ssh`: by key, or by password when there is none."""

    login: str
    host: str
    port: int
    known_hosts: Path
    key: Path | None = None
    password: str = ""

    def run(
        self, command: str, *, stdin: bytes = b"", may_fail: bool = False
    ) -> subprocess.CompletedProcess[bytes]:
        """Run a command on the host where the trainee lands."""
        done = subprocess.run(
            [*self._ssh(), command],
            input=stdin,
            capture_output=True,
            timeout=_SSH_PATIENCE * 5,
            check=False,
            env=self._environment(),
        )
        if not may_fail:
            seen = done.stderr.decode(errors="replace") or f"exit code {done.returncode}"
            expect(done.returncode == 0, f"`ssh {self.login} {command}` to succeed", seen)
        return done

    def _ssh(self) -> Sequence[str]:
        options = {
            "UserKnownHostsFile": self.known_hosts,
            "StrictHostKeyChecking": "yes",
            "ConnectTimeout": _SSH_PATIENCE,
            "IdentitiesOnly": "yes",
            "PreferredAuthentications": "publickey" if self.key else "password",
            "NumberOfPasswordPrompts": 1,
        }
        by_key = ["-i", str(self.key)] if self.key else []
        return [
            "ssh", "-F", "none", "-T", "-p", str(self.port), *by_key,
            *(f"-o{name}={value}" for name, value in options.items()),
            f"{self.login}@{self.host}",
        ]  # fmt: skip

    def _environment(self) -> dict[str, str]:
        environment = {k: v for k, v in os.environ.items() if k != "SSH_AUTH_SOCK"}  # noqa: TID251  # ssh needs its PATH
        if self.key is None:
            # ssh asks a program for the password when no terminal is there to ask on.
            asker = self.known_hosts.parent / "askpass"
            asker.write_text('#!/bin/sh\nprintf "%s\\n" "$POLIGON_JOURNEY_PASSWORD"\n')
            asker.chmod(0o700)
            environment |= {
                "SSH_ASKPASS": str(asker),
                "SSH_ASKPASS_REQUIRE": "force",
                "POLIGON_JOURNEY_PASSWORD": self.password,
            }
        return environment


@dataclass(frozen=True, slots=True, kw_only=True)
class Trainee:
    """Somebody of a team, logged in to the interface and able to open a shell."""

    caller: Caller
    shell: Shell
    team: str


def new_key(folder: Path, name: str) -> tuple[Path, str]:
    """Make a key pair with ssh-keygen; return the private key's file and the public line."""
    file = folder / name
    subprocess.run(
        ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", str(file)],
        check=True,
        timeout=_SSH_PATIENCE,
    )
    return file, file.with_suffix(".pub").read_text().strip()


def wait_for(
    read: Callable[[], Any], holds: Callable[[Any], bool], *, what: str, within: timedelta
) -> Any:  # noqa: ANN401  # whatever JSON holds
    """Read again and again until it holds; return what was read then."""
    seen: list[Any] = []

    def is_true() -> bool:
        seen[:] = [read()]
        return holds(seen[0])

    until(
        is_true,
        what=what,
        within=within,
        every=timedelta(milliseconds=500),
        last_seen=lambda: str(seen[:1])[:600],
    )
    return seen[0]
