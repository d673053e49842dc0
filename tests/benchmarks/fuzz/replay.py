"""Lints every file of a folder as a scenario, as the program does: no fuzzer in the process.

Prints, as JSON, for each the processor seconds, and how far the process grew at most in all.

Usage: python -m tests.benchmarks.fuzz.replay INPUTS
"""

import json
import resource
import sys
import tempfile
import time
from pathlib import Path

from core.scenario.lint import lint
from tests.unit.core.scenario.texts import WITH_HOSTS


def main() -> None:
    """Lint all of them, one after another."""
    seconds: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as home:
        folder = Path(home) / "small"
        folder.mkdir()
        (folder / "scenario.yaml").write_text(WITH_HOSTS)
        lint(folder)  # what is imported and compiled once is no input's
        before = _size_mib()
        for file in sorted(Path(sys.argv[1]).iterdir()):
            (folder / "scenario.yaml").write_bytes(file.read_bytes())
            began = time.process_time()
            lint(folder)
            seconds[file.name] = time.process_time() - began
        json.dump({"seconds": seconds, "grown_mib": _size_mib() - before}, sys.stdout)


def _size_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
