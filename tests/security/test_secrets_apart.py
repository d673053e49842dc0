"""A shell in a team's host: its own flag is there, and nothing to get another team's with.

A flag is an HMAC by the exercise's key over team and name. So the search is for the key, too, and
what asks the service for anything does not answer from in there (`test_reach`).
"""

import base64
from collections.abc import Mapping

import pytest

from orchestrator.repository import ExerciseRepository
from tests.security.attacked_range import BLUE, RED, SOON, Range

pytestmark = [pytest.mark.engine, pytest.mark.enable_socket]

# As root: every file of the host, and what every process of it was given.
SEARCH = """
grep -rlaP "$1" / --exclude-dir=proc --exclude-dir=sys 2>/dev/null
for given in /proc/[0-9]*/environ /proc/[0-9]*/cmdline; do
  case $given in /proc/$$/*) continue ;; esac
  tr '\\0' '\\n' <"$given" | grep -qaP "$1" && echo "$given"
done 2>/dev/null
true
"""


def secret(attacked: Range) -> bytes:
    with attacked.services.database.reading() as session:
        return ExerciseRepository(session).secret(attacked.exercise)


def mark(attacked: Range, team: str) -> str:
    exercise = attacked.services.exercises.get(attacked.exercise)
    found = exercise.team(team)
    assert found is not None
    return str(attacked.services.exercises.facts(exercise, found).values["mark"])


def pattern(sought: bytes) -> str:
    """Return an expression of exactly these bytes, which does not contain them."""
    return "".join(f"\\x{byte:02x}" for byte in sought)


def found(attacked: Range, sought: bytes) -> list[str]:
    command = ("env", "LC_ALL=C", "sh", "-c", SEARCH, "sh", pattern(sought))
    ran = attacked.engine.run(attacked.host("box"), command, timeout=SOON)
    assert ran.ok, ran.output
    return ran.output.split()


def test_a_shell_finds_its_own_flag(attacked: Range) -> None:
    assert "/root/mark" in found(attacked, mark(attacked, RED).encode())


@pytest.mark.parametrize("what", ["flag", "key", "key in hex", "key in base 64"])
def test_a_shell_finds_nothing_to_get_another_teams_flag_with(attacked: Range, what: str) -> None:
    key = secret(attacked)
    sought: Mapping[str, bytes] = {
        "flag": mark(attacked, BLUE).encode(),
        "key": key,
        "key in hex": key.hex().encode(),
        "key in base 64": base64.b64encode(key).rstrip(b"="),
    }
    assert mark(attacked, BLUE) != mark(attacked, RED)
    assert found(attacked, sought[what]) == []
