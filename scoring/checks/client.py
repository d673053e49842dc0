"""The process in which a client talks to a server that may be hostile.

It is started with the number of an open connection, and the probe as JSON on stdin; it prints the
finding as JSON. It has no secrets of ours, little memory and little time, and may be killed.
"""

import logging
import resource
import socket
import sys
from collections.abc import Callable
from typing import TypeVar

from pydantic import TypeAdapter

from scoring.checks.probes import Finding
from scoring.domain.verdicts import Verdict

FINDINGS = TypeAdapter(Finding)
"""How a finding is written."""

_MEMORY = 512 * 1024**2
_PROCESSOR_SECONDS = 20
_MOST_CHARACTERS = 4000
_Probe = TypeVar("_Probe")


def run(kind: type[_Probe], talk: Callable[[_Probe, socket.socket], Finding]) -> None:
    """Be that process: talk, print what was found, and end.

    Whatever a client stumbles over after this came from the server: then it is `mumble`.
    """
    _limit(resource.RLIMIT_AS, _MEMORY)
    _limit(resource.RLIMIT_CPU, _PROCESSOR_SECONDS)
    _limit(resource.RLIMIT_CORE, 0)
    logging.disable()  # what Paramiko logs of a hostile server would fill a pipe
    probe = TypeAdapter(kind).validate_json(sys.stdin.buffer.read())
    connection = socket.socket(fileno=int(sys.argv[1]))
    try:
        finding = talk(probe, connection)
    except Exception as error:  # noqa: BLE001  # the outermost loop of this process
        words = f"{type(error).__name__}: {error}"
        finding = Finding(verdict=Verdict.MUMBLE, output=words)
    sys.stdout.buffer.write(FINDINGS.dump_json(_printable(finding)))
    sys.stdout.flush()
    connection.close()


def _limit(kind: int, most: int) -> None:
    _, hard = resource.getrlimit(kind)
    allowed = most if hard == resource.RLIM_INFINITY else min(most, hard)
    resource.setrlimit(kind, (allowed, allowed))


def _printable(finding: Finding) -> Finding:
    text = finding.output[:_MOST_CHARACTERS].encode(errors="replace").decode(errors="replace")
    return Finding(verdict=finding.verdict, output=text)


def verdict_if(wanted: bool, seen: bool) -> Verdict:  # noqa: FBT001  # two of a kind
    """Return `up` when the server did what was wanted of it, `mumble` otherwise."""
    return Verdict.UP if wanted is seen else Verdict.MUMBLE
