"""Texts in other languages: `text/<lang>.yaml` nests the paths that scenario.yaml has.

Lists go by position. What a file leaves out stays in the scenario's first language.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from core.scenario.fields import spoken
from core.scenario.folder import FileRefusedError, Folder
from core.scenario.positions import Finding, Place, Severity, strings_of
from core.scenario.schema_errors import suggestion
from core.scenario.yaml_reader import Document, read

_FOLDER = "text"
_SUFFIX = ".yaml"
_ANY = None
# Paths of texts for people; `_ANY` is an id or a position.
_TEXTS: tuple[tuple[str | None, ...], ...] = (
    ("scenario", "title"),
    ("scenario", "summary"),
    ("competencies", _ANY, "title"),
    ("roles", _ANY, "title"),
    ("objectives", _ANY, "title"),
    ("hosts", _ANY, "title"),
    ("services", _ANY, "title"),
    ("checks", _ANY, "title"),
    ("tasks", _ANY, "title"),
    ("tasks", _ANY, "ask"),
    ("tasks", _ANY, "feed", "source"),
    ("tasks", _ANY, "hints", _ANY, "text"),
    ("rubrics", _ANY, "title"),
    ("rubrics", _ANY, "criteria", _ANY, "title"),
    ("rubrics", _ANY, "criteria", _ANY, "levels", _ANY),
    ("injects", _ANY, "title"),
    ("injects", _ANY, "script"),
    ("injects", _ANY, "message", "from"),
    ("injects", _ANY, "message", "text"),
)
_ANSWER = ("tasks", _ANY, "answer")
_NO_WORDS = frozenset(
    {"fold", "within", "file", "by"}
)  # keys of an answer whose strings nobody reads


@dataclass(frozen=True, slots=True, kw_only=True)
class Translation:
    """A scenario's data in another language; `translated` are the texts of its own, by place."""

    language: str
    file: str
    document: Document
    data: Any
    translated: Mapping[Place, str]

    def finding(self, found: Finding) -> Finding | None:
        """Return what was found in the data as it shows in the file; None when it is not in it."""
        if found.place not in self.translated:
            return None
        return replace(
            found, file=self.file, mark=self.document.positions.of_value(found.place), place=()
        )


def translations_of(
    data: Any,  # noqa: ANN401  # a YAML tree
    languages: Sequence[str],
    folder: Folder,
) -> tuple[list[Translation], list[Finding]]:
    """Return what can be read of every other language, and what is wrong or missing there.

    `data` is that of a scenario without errors; `languages` are its own, the first one foremost.
    """
    data = _with_names(data)
    texts = [place for place, _ in strings_of(data) if is_text(place)]
    found: list[Translation] = []
    named = {name.removesuffix(_SUFFIX) for name in folder.names(_FOLDER) if _is_yaml(name)}
    findings = [_unwanted(language, languages) for language in sorted(named - {*languages[1:]})]
    for position, language in enumerate(languages[1:], 1):
        if language not in named:
            message = f"there is no {_file(language)}: its readers get {languages[0]}"
            place = ("scenario", "languages", position)
            findings.append(Finding(message=message, place=place, severity=Severity.WARNING))
            continue
        reading = _Reading(data, texts, language, folder)
        findings += reading.findings
        if reading.translation is not None:
            found.append(reading.translation)
    return found, findings


def _with_names(data: Any) -> Any:  # noqa: ANN401
    """Return the data with ids as titles of criteria and of tasks' checks that have none.

    People read them then, so a translation may name them otherwise.
    """
    told = {
        name
        for task in data.get("tasks", {}).values()
        for name in (*task.get("checks", ()), task.get("availability"), task.get("guard"))
    }
    checks = {
        name: {"title": spoken(name)} | check if name in told else check
        for name, check in data.get("checks", {}).items()
    }
    rubrics = {
        name: rubric
        | {"criteria": {c: {"title": str(c)} | told for c, told in rubric["criteria"].items()}}
        for name, rubric in data.get("rubrics", {}).items()
    }
    sections = {"rubrics": rubrics, "checks": checks}
    return data | {name: section for name, section in sections.items() if section}


def _file(language: str) -> str:
    return f"{_FOLDER}/{language}{_SUFFIX}"


def _is_yaml(name: str) -> bool:
    return name.endswith(_SUFFIX)


def _unwanted(language: str, languages: Sequence[str]) -> Finding:
    message = (
        f"{language} is the language of scenario.yaml itself"
        if language == languages[0]
        else f"{language} is none of the scenario's languages{suggestion(language, languages)}"
    )
    return Finding(message=message, file=_file(language))


class _Reading:
    """One file, read against the scenario's data."""

    def __init__(
        self,
        data: Any,  # noqa: ANN401  # a YAML tree
        texts: Sequence[Place],
        language: str,
        folder: Folder,
    ) -> None:
        self.findings: list[Finding] = []
        self.translation: Translation | None = None
        self._file = _file(language)
        self._document = self._read(folder)
        self._translated: dict[Place, str] = {}
        if self._document.readable:
            merged = self._merged(data, self._document.data, ())
            self.findings += self._missing(texts)
            self.translation = Translation(
                language=language,
                file=self._file,
                document=self._document,
                data=merged,
                translated=self._translated,
            )

    def _read(self, folder: Folder) -> Document:
        try:
            document = read(folder.read(self._file))
        except FileRefusedError as error:
            document = Document(findings=[Finding(message=error.message)])
        for found in document.findings:
            mark = found.mark or document.positions.of_value(found.place)
            self.findings.append(replace(found, file=self._file, mark=mark))
        return document

    def _merged(self, base: Any, text: Any, place: Place) -> Any:  # noqa: ANN401
        """Return `base` with the texts of `text` in it, noting what does not fit."""
        match base, text:
            case dict(), dict():
                return self._merged_keys(base, text, place)
            case tuple(), tuple():
                return self._merged_items(base, text, place)
            case str(), str() if _is_translatable(place):
                self._translated[place] = text
                return text
            case dict(), str() if set(base) == {"equals"}:
                return self._merged(base, {"equals": text}, place)
            case _:
                self._note("no text of the scenario stands here", place)
                return base

    def _merged_keys(
        self, base: dict[str, Any], text: dict[str, Any], place: Place
    ) -> dict[str, Any]:
        merged = dict(base)
        for key, below in text.items():
            here = (*place, key)
            if key not in base:
                near = suggestion(key, base)
                self._note(f"the scenario has no {'.'.join(map(str, here))}{near}", here, key=True)
            else:
                merged[key] = self._merged(base[key], below, here)
        return merged

    def _merged_items(
        self, base: tuple[Any, ...], text: tuple[Any, ...], place: Place
    ) -> tuple[Any, ...]:
        if len(text) > len(base):
            self._note(f"the scenario has only {len(base)} here", place)
        pairs = zip(base, text, strict=False)
        merged = [self._merged(b, t, (*place, i)) for i, (b, t) in enumerate(pairs)]
        return (*merged, *base[len(text) :])

    def _note(self, message: str, place: Place, *, key: bool = False) -> None:
        positions = self._document.positions
        mark = positions.of_key(place) if key else positions.of_value(place)
        self.findings.append(Finding(message=message, file=self._file, mark=mark))

    def _missing(self, texts: Sequence[Place]) -> Iterator[Finding]:
        """Yield each text for people that is not translated; answers need not be."""
        for place in texts:
            if place not in self._translated:
                path = ".".join(map(str, place))
                message = f"{path} is not translated"
                yield Finding(message=message, file=self._file, severity=Severity.WARNING)


def is_text(place: Place) -> bool:
    """Tell whether a text for people stands at a place of a scenario's data."""
    return _matches(place, _TEXTS)


def _is_translatable(place: Place) -> bool:
    return is_text(place) or (
        _matches(place[:3], (_ANSWER,)) and not _NO_WORDS.intersection(place[3:])
    )


def _matches(place: Place, patterns: Sequence[tuple[str | None, ...]]) -> bool:
    return any(
        len(pattern) == len(place)
        and all(step in (_ANY, at) for step, at in zip(pattern, place, strict=True))
        for pattern in patterns
    )
