"""From a file of another program to a draft of a scenario, whole or not at all."""

import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from core.scenario.folder import SCENARIO_FILE
from core.scenario.importing.draft import Draft, Note, Outcome, dotted
from core.scenario.importing.emit import comment, emit
from core.scenario.importing.errors import (
    DraftBrokenError,
    FolderTakenError,
    ImportRefusedError,
)
from core.scenario.importing.formats import FORMATS, Format, format_of
from core.scenario.importing.source import Source
from core.scenario.importing.texts import has_controls, id_of
from core.scenario.lint import lint
from core.scenario.load import Problem
from core.scenario.positions import Finding, Place, Positions, Severity
from core.scenario.yaml_reader import MAX_BYTES, MAX_NODES, Document, read

_EDITOR = "# yaml-language-server: $schema=../../docs/reference/scenario.schema.json"
_MOST_TEMPLATES = 200
_MOST_LISTED = 60
_MOST_REASONS = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """A draft that was written: what it was, where it is, what became of each key, what lint says.

    Lint's warnings name the draft's files as they are now.
    """

    form: str
    folder: Path
    notes: tuple[Note, ...]
    warnings: tuple[Problem, ...]


def import_file(file: Path, into: Path) -> Imported:
    """Make a draft of a file in the folder `into`, which is made, or must be empty.

    Raises ImportRefusedError with a reason for each key that stands in the way, FolderTakenError,
    and OSError for what cannot be read or written. Nothing is written then.
    """
    _require_free(into)
    document = read(_beginning(file), merges=True)
    form, data = _understood(file, document)
    name = id_of(into.resolve().name, otherwise="scenario")
    draft = Draft(Source(file.resolve().parent))
    form.bring_in(draft, data, name=name, shown=file.resolve().parent.name)
    _refuse(file, document, [(r.place, r.message) for r in draft.refusals])
    _refuse(file, document, _too_large(draft.data))
    draft.write(SCENARIO_FILE, _text(draft, form, file))
    warnings = _write(draft, into, name)
    return Imported(form=form.title, folder=into, notes=tuple(draft.notes), warnings=warnings)


def _beginning(file: Path) -> bytes:
    with file.open("rb") as stream:
        return stream.read(MAX_BYTES + 1)


def _require_free(into: Path) -> None:
    if into.is_symlink() or (into.exists() and not into.is_dir()):
        raise FolderTakenError(f"{into} is there, and is not a folder")
    if into.is_dir() and any(into.iterdir()):
        raise FolderTakenError(f"{into} is not empty", hint="Name a folder that is new")


def _understood(file: Path, document: Document) -> tuple[Format, Mapping[str | int, object]]:
    if document.findings:
        raise ImportRefusedError(tuple(_located(file, document, f) for f in document.findings))
    data = document.data
    _refuse(file, document, _odd_texts(data))
    form = format_of(data) if isinstance(data, dict) else None
    if form is None or not isinstance(data, dict):
        known = ", ".join(form.title for form in FORMATS)
        finding = Finding(message=f"this is none of: {known}")
        raise ImportRefusedError((_located(file, document, finding),))
    return form, data


def _refuse(file: Path, document: Document, reasons: Iterable[tuple[Place, str]]) -> None:
    """Raise ImportRefusedError if there is a reason for it."""
    findings = [
        Finding(
            message=f"{dotted(place)}: {message}" if place else message, place=place, at_key=True
        )
        for place, message in islice(reasons, _MOST_REASONS)
    ]
    if findings:
        raise ImportRefusedError(tuple(_located(file, document, found) for found in findings))


def _located(file: Path, document: Document, finding: Finding) -> Problem:
    positions: Positions = document.positions
    mark = finding.mark or positions.of_key(finding.place)
    clean = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in finding.message)
    return Problem(
        file=str(file),
        line=mark.line,
        column=mark.column,
        severity=Severity.ERROR,
        message=clean[:500],
    )


def _odd_texts(data: object) -> list[tuple[Place, str]]:
    message = "it holds a control character or half of one, which no text of a scenario may"
    return [(place, message) for place, text in _texts(data, ()) if _is_odd(text)][:20]


def _is_odd(text: str) -> bool:
    return has_controls(text) or any("\ud800" <= char <= "\udfff" for char in text)


def _texts(node: object, place: Place) -> Iterator[tuple[Place, str]]:
    match node:
        case dict():
            for key, value in node.items():
                yield place, str(key)
                yield from _texts(value, (*place, key))
        case tuple() | list():
            for index, value in enumerate(node):
                yield from _texts(value, (*place, index))
        case str():
            yield place, node
        case _:
            pass


def _too_large(data: Mapping[str, Any]) -> list[tuple[Place, str]]:
    texts = [text for _, text in _texts(data, ())]
    if _nodes(data) > MAX_NODES or sum(map(len, texts)) > MAX_BYTES // 4:
        return [((), "the draft would be larger than a scenario may be")]
    if sum(text.count("{{") for text in texts) > _MOST_TEMPLATES:
        return [((), "its texts hold {{ or {% too often to be written as text")]
    return []


def _nodes(node: object) -> int:
    match node:
        case dict():
            return 1 + sum(1 + _nodes(value) for value in node.values())
        case list():
            return 1 + sum(map(_nodes, node))
        case _:
            return 1


def _text(draft: Draft, form: Format, file: Path) -> str:
    lines = [_EDITOR]
    lines += comment(
        f"A draft, made of the {form.title} {file.name}; nothing of it was tried. "
        "Each TODO is for a person to decide; then take it away."
    )
    left_out = [note for note in draft.notes if note.outcome is not Outcome.CARRIED]
    if left_out:
        lines += ["#", "# What is not as it was:"]
    for note in left_out[:_MOST_LISTED]:
        lines += comment(f"- {note}"[:300])
    if len(left_out) > _MOST_LISTED:
        lines += comment(f"- and {len(left_out) - _MOST_LISTED} more")
    return "\n".join([*lines, emit(draft.data, draft.todos)])


def _write(draft: Draft, into: Path, name: str) -> tuple[Problem, ...]:
    """Write the draft beside its place, look at it, and put it there in one step."""
    into.parent.mkdir(parents=True, exist_ok=True)
    beside = Path(tempfile.mkdtemp(prefix=f".{name}-", dir=into.parent))
    try:
        folder = beside / name
        for path, file in draft.files.items():
            target = folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(file.content)
            target.chmod(0o755 if file.executable else 0o644)
        problems = lint(folder)
        if any(problem.severity is Severity.ERROR for problem in problems):
            errors = (p for p in problems if p.severity is Severity.ERROR)
            raise DraftBrokenError(tuple(errors))
        folder.replace(into)
    finally:
        shutil.rmtree(beside, ignore_errors=True)
    return lint(into)
