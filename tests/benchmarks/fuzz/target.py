"""What the fuzzer calls: the loader, with each input as a scenario's file. A process of its own.

Usage: python -m tests.benchmarks.fuzz.target FOLDER LIBFUZZER_ARG…
"""

import sys
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["core", "yaml"]):
    from core.scenario.lint import lint


def main() -> None:
    """Fuzz until libFuzzer's limits end it, or until something is raised."""
    folder = Path(sys.argv[1])
    file = folder / "scenario.yaml"

    def one(raw: bytes) -> None:
        file.write_bytes(raw)
        for problem in lint(folder):
            assert problem.message, "a problem without a sentence"
            assert problem.line >= 1, "a problem without its line"

    atheris.Setup([sys.argv[0], *sys.argv[2:]], one)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
