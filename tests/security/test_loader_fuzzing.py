"""A bounded sample of `./dev bench fuzzing`: the loader stands what a fuzzer makes up."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.timeout(300)
ENOUGH = 50


def fuzzed(seconds: int) -> tuple[int, int]:
    """Return how many inputs a run tried, and how many edges of the code they reached."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.benchmarks.fuzzing", "--seconds", str(seconds)],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=False,
    )
    # How slow and how large an input may be is for the benchmark, on a machine of its own.
    assert "breaks the loader" not in done.stderr, done.stderr
    told = re.match(r"(\d+) inputs in \d+ s, (\d+) edges", done.stdout)
    assert told is not None, done.stdout + done.stderr
    return int(told[1]), int(told[2])


def test_some_seconds_of_fuzzing_break_nothing() -> None:
    inputs, edges = fuzzed(10)
    if inputs <= ENOUGH:  # the machine was busy with something else
        inputs, edges = fuzzed(60)
    assert inputs > ENOUGH
    assert edges > 1000, "the loader's own code is measured"
