"""How long lint of every shipped scenario takes: less than 1 s, as `poligon scenario lint` does it.

Each turn is a process of its own that has imported what it needs and linted nothing before, as a
command has. The floor beside it reads the same YAML files with plain PyYAML, one after another.

Usage: ./dev bench linting [--rounds 5] [--json FILE]
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path
from statistics import median

_ROOT = Path(__file__).parents[2]
_WITHIN_S = 1.0
_LINT = """\
import sys, time
from pathlib import Path
from core.scenario.lint import lint_all
folders = sorted(file.parent for file in Path("scenarios").glob("*/scenario.yaml"))
began = time.perf_counter()
errors = [p for found in lint_all(folders) for p in found if p.severity == "error"]
print(time.perf_counter() - began, len(folders), len(errors))
"""
_FLOOR = """\
import time
from pathlib import Path
import yaml
files = [file.read_text() for file in sorted(Path("scenarios").glob("**/*.yaml"))]
began = time.perf_counter()
for file in files:
    try:
        yaml.load(file, yaml.SafeLoader)
    except yaml.YAMLError:  # a question mark within { }: YAML 1.2 has it, PyYAML not
        pass
print(time.perf_counter() - began)
"""


def _told(script: str) -> list[float]:
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=_ROOT, capture_output=True, text=True, check=True
    )
    return [float(word) for word in done.stdout.split()]


def main() -> None:
    """Measure both in turn, and print them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", type=Path)
    chosen = parser.parse_args()
    turns = [(_told(_LINT), _told(_FLOOR)) for _ in range(chosen.rounds)]
    lints, floors = [lint[0] for lint, _ in turns], [floor[0] for _, floor in turns]
    scenarios, errors = turns[0][0][1:]
    assert not errors, "a shipped scenario has errors"
    verdict = "met" if median(lints) < _WITHIN_S else "MISSED"
    print(f"{scenarios:g} scenarios, {chosen.rounds} rounds, median (min-max)")
    print(
        f"  lint         {median(lints):.2f} s ({min(lints):.2f}-{max(lints):.2f})"
        f"   wanted < {_WITHIN_S:g}: {verdict}"
    )
    print(
        f"  plain PyYAML {median(floors):.2f} s ({min(floors):.2f}-{max(floors):.2f}),"
        f" ratio {median(lints) / median(floors):.2f}"
    )
    if chosen.json:
        chosen.json.write_text(json.dumps({"lint": lints, "plain": floors}, indent=1))


if __name__ == "__main__":
    main()
