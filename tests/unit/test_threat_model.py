"""The threat model promises what is tested, and every module of attacks has its promise."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
MODEL = (ROOT / "docs/explanation/security.md").read_text()
PROMISED = re.findall(r"`(test_\w+\.py)::(test_\w+)`", MODEL)


def attacks_in(module: str) -> set[str]:
    tree = ast.parse((ROOT / "tests/security" / module).read_text())
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


def test_every_promise_names_a_test_that_there_is() -> None:
    assert len(PROMISED) > 30
    assert [(m, test) for m, test in PROMISED if test not in attacks_in(m)] == []


def test_every_promise_names_a_test() -> None:
    promised = MODEL.partition("## What is promised")[2].partition("## What is not promised")[0]
    rows = [line for line in promised.splitlines() if line.startswith("| ")]
    promises = [row for row in rows if not row.startswith(("| promise", "| ---"))]
    assert len(promises) > 20
    assert [row for row in promises if not re.search(r"`test_\w+\.py::", row)] == []


def test_every_module_of_attacks_has_a_promise() -> None:
    modules = {path.name for path in (ROOT / "tests/security").glob("test_*.py")}
    assert modules == {module for module, _ in PROMISED}
