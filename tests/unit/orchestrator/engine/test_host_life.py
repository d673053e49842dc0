"""What an engine says when a process does not start, in our words."""

import pytest

from core.errors import PoligonError
from core.ids import ExerciseId
from orchestrator.domain.world import WorldKey
from orchestrator.engine.host_life import not_started, refusal
from orchestrator.engine.unix_http import Answer
from orchestrator.ports import EngineRefusedError, HostFullError

DESK = WorldKey(exercise=ExerciseId("k3fq"), team="team-1").host("desk")
OCI = "OCI runtime exec failed: exec failed: unable to start container process: "
FULL = [
    f"{OCI}fork/exec /proc/self/exe: resource temporarily unavailable: unknown",
    f"{OCI}read init-p: connection reset by peer: unknown",
    "runtime/cgo: pthread_create failed: Resource temporarily unavailable\nSIGABRT: abort\n",
    "runtime: failed to create new OS thread (have 2 already; errno=11)\ngoroutine 1 [running]:",
]


@pytest.mark.parametrize("words", FULL)
def test_an_engine_that_cannot_fork_means_that_the_host_is_full(words: str) -> None:
    found = not_started(DESK, words.encode())
    assert isinstance(found, HostFullError)
    assert str(found) == (
        "host desk of team-1 has no free process slot. End some processes there, or ask for a reset"
    )


def test_it_means_so_in_an_answer_too() -> None:
    body = b'{"message": "cannot fork: Resource temporarily unavailable"}'
    answer = Answer(status=500, body=body)
    assert isinstance(refusal(DESK, answer, refused="refused to enter"), HostFullError)


def test_what_else_keeps_a_process_from_starting_is_a_sentence_without_the_engines_words() -> None:
    found: PoligonError | None = not_started(DESK, f"{OCI}exec: /bin/sh: no such file".encode())
    assert isinstance(found, EngineRefusedError)
    assert "OCI" not in str(found)


def test_what_a_process_says_itself_is_its_own() -> None:
    assert not_started(DESK, b"make: OCI runtime exec failed") is None
