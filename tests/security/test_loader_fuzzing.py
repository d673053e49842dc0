"""A bounded sample of `./dev bench fuzzing`: the loader stands what a fuzzer makes up."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.timeout(300)


def test_some_seconds_of_fuzzing_break_nothing() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.benchmarks.fuzzing", "--seconds", "10"],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=False,
    )
    # How slow and how large an input may be is for the benchmark, on a machine of its own.
    assert "breaks the loader" not in done.stderr, done.stderr
    told = re.match(r"(\d+) inputs in 10 s, (\d+) edges", done.stdout)
    assert told is not None, done.stdout + done.stderr
    assert int(told[1]) > 50
    assert int(told[2]) > 1000, "the loader's own code is measured"
