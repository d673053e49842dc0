"""A test that a document names is there."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_every_test_that_a_document_names_is_there() -> None:
    files = [*(ROOT / "tests").rglob("test_*.py")]
    known = {file.stem for file in files}
    for file in files:
        tree = ast.parse(file.read_text())
        known |= {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
    named = {
        (document.name, name)
        for document in (ROOT / "docs").rglob("*.md")
        for name in re.findall(r"\btest_\w+", document.read_text())
    }
    assert len(named) > 100
    assert sorted((document, name) for document, name in named if name not in known) == []
