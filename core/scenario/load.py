"""From a folder to a Scenario, or to every reason why not, each with its line."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import lru_cache
from operator import attrgetter
from pathlib import Path
from types import MappingProxyType

from pydantic import ValidationError

from core.errors import Fault, PoligonError
from core.scenario.advice import advice
from core.scenario.dry_run import template_findings, text_findings
from core.scenario.fields import Id
from core.scenario.folder import SCENARIO_FILE, FileRefusedError, Folder, digest_of
from core.scenario.inject_references import inject_findings
from core.scenario.positions import Finding, Mark, Place, Severity
from core.scenario.references import Checked, reference_findings
from core.scenario.rubric_references import rubric_findings
from core.scenario.schema import Role, Scenario
from core.scenario.schema_errors import findings_of
from core.scenario.site_policy import (
    NOTHING_PERMITTED,
    SitePolicy,
    policy_findings,
    quota_warnings,
)
from core.scenario.translations import translations_of
from core.scenario.value_references import value_findings
from core.scenario.values import TooFewValuesError
from core.scenario.yaml_reader import Document, read

_MAX_PROBLEMS = 200
_MAX_MESSAGE = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """Something wrong or doubtful in a scenario's files; line and column count from 1."""

    file: str
    line: int
    column: int
    severity: Severity
    message: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}: {self.severity}: {self.message}"


class ScenarioInvalidError(PoligonError):
    """A scenario has errors; `problems` holds all of them, and the warnings that were found."""

    code = "scenario.invalid"
    fault = Fault.INPUT

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        errors = [p for p in problems if p.severity is Severity.ERROR]
        more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
        super().__init__(f"{errors[0]}{more}", hint="poligon scenario lint shows all of them")
        self.problems = problems


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedScenario:
    """A scenario without errors, its folder, and the digest of everything in it."""

    scenario: Scenario
    folder: Path
    digest: str
    warnings: tuple[Problem, ...]
    translations: Mapping[str, Scenario] = field(default_factory=dict)
    """By language; what is not translated stays in the first one."""

    def in_language(self, language: str) -> Scenario:
        """Return the scenario with its texts in a language, as far as they are translated."""
        return self.translations.get(language, self.scenario)

    def read(self, relative: str) -> bytes:
        """Return a file of the folder. Raises FileRefusedError for what is not there or outside."""
        return _folder(self.folder).read(relative)

    def size(self, relative: str) -> int:
        """Return how many bytes such a file has. Raises FileRefusedError."""
        return _folder(self.folder).size(relative)


@lru_cache(maxsize=64)
def _folder(root: Path) -> Folder:
    # Its links are followed once: a launch of many teams reads the same few files of it.
    return Folder(root)


def load(path: Path, policy: SitePolicy | None = NOTHING_PERMITTED) -> LoadedScenario:
    """Load a scenario from its folder or its `scenario.yaml`.

    What only the site decides is asked of its policy; of none where that was done before.
    Raises ScenarioInvalidError with all problems at once; their paths begin as `path` does.
    """
    root = path.parent if path.name == SCENARIO_FILE else path
    document, folder = _read(root), Folder(root)
    checked, findings = _examined(document, folder, policy)
    translations: Mapping[str, Scenario] = {}
    if checked is not None and not any(f.severity is Severity.ERROR for f in findings):
        translations, more = _translated(checked, document.data)
        findings += more
    digest = ""
    try:
        digest = digest_of(folder.entries()) if root.is_dir() else ""
    except (FileRefusedError, OSError) as exc:
        findings.append(Finding(message=str(exc)))
    problems = problems_of(findings, document, root / SCENARIO_FILE)
    if checked is None or any(p.severity is Severity.ERROR for p in problems):
        raise ScenarioInvalidError(problems)
    return LoadedScenario(
        scenario=checked.scenario,
        folder=root,
        digest=digest,
        warnings=problems,
        translations=translations,
    )


def _read(root: Path) -> Document:
    try:
        return read(Folder(root).read(SCENARIO_FILE))
    except (FileRefusedError, OSError):
        return Document(findings=[Finding(message=f"there is no {SCENARIO_FILE} here")])


class _Draft(Scenario):
    """What is left of a scenario with errors, enough to look at how its parts name each other."""

    roles: Mapping[Id, Role] = {}


# Stands in for a head with errors: nothing comes after its end.
_HEAD = {"id": "x", "version": "0.0.0", "title": "x", "kind": "tabletop", "duration": "9999d"}
_IN_TEMPLATES = ("hosts", "networks", "values")
_LISTS = frozenset({("access",), ("flows",)})
_SECTIONS = frozenset(
    {
        "access",
        "checks",
        "competencies",
        "hosts",
        "injects",
        "networks",
        "objectives",
        "roles",
        "rubrics",
        "services",
        "tasks",
        "values",
    }
)


def _examined(
    document: Document, folder: Folder, policy: SitePolicy | None
) -> tuple[Checked | None, list[Finding]]:
    if not document.readable:
        return None, document.findings
    try:
        scenario = Scenario.model_validate(document.data)
    except ValidationError as exc:
        wrong = findings_of(exc, document.data)
        rest = _among_the_rest(document, wrong, folder, policy)
        return None, [*document.findings, *wrong, *rest]
    declared = _declared(document.data)
    checked = Checked(scenario=scenario, declared=declared, folder=folder)
    findings = [*document.findings, *_across(checked, document.data)]
    if policy is not None:
        findings += policy_findings(scenario, policy)
    if not findings:
        findings += advice(scenario, folder, document.data, checked.renderer)
        findings += quota_warnings(scenario, policy or NOTHING_PERMITTED)
    return checked, findings


def _translated(checked: Checked, data: object) -> tuple[Mapping[str, Scenario], list[Finding]]:
    """Return the scenario in its other languages, and what is wrong with these."""
    languages = checked.scenario.scenario.languages
    translations, findings = translations_of(data, languages, checked.folder)
    found: dict[str, Scenario] = {}
    for translation in translations:
        wrong: Iterable[Finding]
        try:
            found[translation.language] = Scenario.model_validate(translation.data)
        except ValidationError as exc:
            wrong = findings_of(exc, translation.data)
        else:
            wrong = text_findings(checked.renderer, translation.translated.items())
        findings += [f for f in map(translation.finding, wrong) if f is not None]
    return MappingProxyType(found), findings


def _across(checked: Checked, data: object) -> Iterator[Finding]:
    yield from reference_findings(checked)
    yield from inject_findings(checked)
    yield from rubric_findings(checked)
    wrong_values = tuple(value_findings(checked))
    yield from wrong_values
    # Without one of these a template would be told that a name is missing that is only wrong.
    here = _declared(data)
    if wrong_values or any(checked.declared[s] != here[s] for s in _IN_TEMPLATES):
        return
    try:
        renderer = checked.renderer
    except TooFewValuesError as exc:
        yield Finding(message=exc.message, place=("values", exc.name))
    else:
        yield from template_findings(checked.scenario, checked.folder, data, renderer)


def _among_the_rest(
    document: Document, wrong: list[Finding], folder: Folder, policy: SitePolicy | None
) -> Iterator[Finding]:
    """Yield errors across sections in a scenario that has errors of schema, these cut out."""
    if len(wrong) >= _MAX_PROBLEMS or not isinstance(document.data, dict):
        return
    rest: object = document.data
    for finding in wrong:
        rest = _cut(rest, _entry(finding))
    assert isinstance(rest, dict)
    has_head = not any(f.place[:1] == ("scenario",) for f in wrong) and "scenario" in rest
    head = {"language": 1} | ({} if has_head else {"scenario": _HEAD})
    with suppress(ValidationError):
        draft = _Draft.model_validate(rest | head)
        declared = _declared(document.data)
        yield from _across(Checked(scenario=draft, declared=declared, folder=folder), rest)
        if policy is not None and has_head:  # a line names the scenario
            yield from policy_findings(draft, policy)


def _entry(finding: Finding) -> Place:
    """Return what to cut: an unknown key alone, or the host, task, … that an error is in."""
    section = finding.place[:1]
    if finding.at_key or section in _LISTS:
        return finding.place if finding.at_key else section
    return finding.place[:2] if section[:1] and section[0] in _SECTIONS else section


def _cut(node: object, place: Place) -> object:
    match node, place:
        case dict(), (step, *rest):
            kept = {k: _cut(v, tuple(rest)) if k == step else v for k, v in node.items()}
            return kept if rest else {k: v for k, v in node.items() if k != step}
        case tuple(), (step, *rest) if rest:
            return tuple(_cut(v, tuple(rest)) if i == step else v for i, v in enumerate(node))
        case _:
            return node


def _declared(data: object) -> Mapping[str, frozenset[str]]:
    sections = data if isinstance(data, dict) else {}
    found = {s: sections.get(s) for s in (*_SECTIONS, "rounds")}
    return {
        s: frozenset(map(str, node)) if isinstance(node, dict | tuple) else frozenset()
        for s, node in found.items()
    }


def problems_of(findings: Iterable[Finding], document: Document, file: Path) -> tuple[Problem, ...]:
    """Return what was found in a file, or beside it, each with its place, sorted; at most 200."""
    problems = {_problem(finding, document, file) for finding in findings}
    order = attrgetter("file", "line", "column", "severity", "message")
    return tuple(sorted(problems, key=order)[:_MAX_PROBLEMS])


def _problem(finding: Finding, document: Document, file: Path) -> Problem:
    find = document.positions.of_key if finding.at_key else document.positions.of_value
    mark: Mark = finding.mark or find(finding.place)
    text = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in finding.message)
    return Problem(
        file=str(file.parent / finding.file if finding.file else file),
        line=mark.line,
        column=mark.column,
        severity=finding.severity,
        message=text[:_MAX_MESSAGE],
    )
