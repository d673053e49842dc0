"""What becomes of public files: the table of docs/how-to/bring-in-content.md, made anew.

Every compose file, CTF challenge and containerlab topology below each folder, a clone of a
repository, is imported on its own. Told are the drafts, the refusals by the key that stands in the
way, the warnings of lint, and the longest time; whatever else goes wrong ends the run.

Usage: ./dev bench importing FOLDER… [--list]
"""

import argparse
import re
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from core.scenario.importing.errors import ImportRefusedError
from core.scenario.importing.importer import import_file

_KINDS = {
    "compose": re.compile(r"(docker-)?compose.*\.ya?ml"),
    "challenges": re.compile(r"challenge\.ya?ml"),
    "topologies": re.compile(r".*\.clab\.ya?ml"),
}
_KEY = re.compile(r"^(?:[\w-]+\.)*([a-z_-]+)(?:\.\d+|\[\d+\])*: ")


@dataclass
class _Row:
    drafts: int = 0
    refused: int = 0
    warned: int = 0
    slowest_s: float = 0
    because: Counter[str] = field(default_factory=Counter)


def _files(folder: Path, name: re.Pattern[str]) -> Iterator[Path]:
    return (
        file
        for file in sorted(folder.rglob("*.y*ml"))
        if name.fullmatch(file.name) and file.is_file()
    )


def _bring_in(file: Path, row: _Row) -> list[str]:
    """Import a file, count what came of it, and return why it was refused."""
    began = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        try:
            row.warned += len(import_file(file, Path(folder) / "draft").warnings)
            row.drafts += 1
            reasons = []
        except ImportRefusedError as error:
            row.refused += 1
            reasons = [problem.message for problem in error.problems]
    row.slowest_s = max(row.slowest_s, time.perf_counter() - began)
    keys = {found[1] if (found := _KEY.match(reason)) else reason for reason in reasons}
    row.because.update(keys)
    return reasons


def main() -> None:
    """Import all there is, and print a row of the table for each folder and kind."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--list", action="store_true", help="Every refusal, too.")
    chosen = parser.parse_args()
    for folder in chosen.folders:
        for kind, name in _KINDS.items():
            row = _Row()
            for file in _files(folder, name):
                for reason in _bring_in(file, row):
                    if chosen.list:
                        print(f"  {file.relative_to(folder)}: {reason}")
            if row.drafts or row.refused:
                because = ", ".join(f"{key} {count}" for key, count in row.because.most_common())
                files = f"{row.drafts + row.refused} {kind}"
                print(f"| {folder.name} | {files} | {row.drafts} | {row.refused} | {because} |")
                print(f"  {row.warned} warnings, at most {row.slowest_s:.2f} s a file")


if __name__ == "__main__":
    main()
