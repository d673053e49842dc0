"""YAML 1.2 core, read strictly: PyYAML's scanner and parser, our own scalars, limits and positions.

PyYAML's constructors are not used at all, so no tag can make an object. What YAML can do beyond
plain data (tags, merge keys, several documents) is refused with a sentence.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Protocol

from yaml import MarkedYAMLError, YAMLError
from yaml.events import (
    AliasEvent,
    CollectionEndEvent,
    CollectionStartEvent,
    Event,
    MappingStartEvent,
    ScalarEvent,
    StreamEndEvent,
)
from yaml.parser import Parser
from yaml.reader import Reader, ReaderError
from yaml.scanner import Scanner
from yaml.tokens import ScalarToken

from core.scenario.positions import Finding, Mark, Place, Positions

MAX_BYTES = 1 << 20
MAX_ALIASES = 100
MAX_NODES = 10_000
MAX_DEPTH = 50
_SPACES = "\0 \t\r\n\x85\u2028\u2029"
_MOVES_OTHERWISE = frozenset("\r\n\x85\u2028\u2029\ufeff")
_LONGEST_NUMBER = 40
# Unquoted text up to where it may end: outside and inside of `{ }` and `[ ]`.
_PLAIN = re.compile(rf"(?:[^{_SPACES}:]|:(?![{_SPACES}]))*")
_PLAIN_IN_FLOW = re.compile(rf"(?:[^{_SPACES}:,\[\]{{}}]|:(?![{_SPACES},\[\]{{}}]))*")


class _YamlMark(Protocol):
    line: int
    column: int


@dataclass(slots=True)
class Document:
    """What a file held: plain data (mappings are dicts, lists are tuples), or nothing readable.

    `readable` is false when the text broke off or a limit was passed; then `data` means nothing.
    """

    data: object = None
    readable: bool = False
    positions: Positions = field(default_factory=Positions)
    findings: list[Finding] = field(default_factory=list)


class _RefusedError(Exception):
    """Reading cannot go on; carries the sentence and where."""

    def __init__(self, message: str, mark: Mark) -> None:
        super().__init__(message)
        self.message = message
        self.mark = mark


def read(raw: bytes, *, merges: bool = False) -> Document:
    """Read one YAML document; whatever the bytes are, the answer is a Document.

    With `merges` the key `<<` is what it was in YAML 1.1: files of other programs are full of it.
    """
    document = Document()
    try:
        document.data = _Reading(_decode(raw), document, merges=merges).run()
        document.readable = True
    except _RefusedError as exc:
        document.findings.append(Finding(message=exc.message, mark=exc.mark))
    except ReaderError as exc:
        code = exc.character if isinstance(exc.character, int) else ord(exc.character)
        message = f"the character U+{code:04X} is not allowed in YAML"
        document.findings.append(Finding(message=message, mark=_mark_at(raw, exc.position)))
    except MarkedYAMLError as exc:
        document.findings.append(Finding(message=_sentence(exc), mark=_mark(exc.problem_mark)))
    except YAMLError as exc:
        document.findings.append(Finding(message=f"this is not YAML: {exc}", mark=Mark()))
    return document


def _decode(raw: bytes) -> str:
    if len(raw) > MAX_BYTES:
        raise _RefusedError(f"the file has {len(raw)} bytes; 1 MiB is the limit", Mark())
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as exc:
        line = raw.count(b"\n", 0, exc.start) + 1
        column = exc.start - raw.rfind(b"\n", 0, exc.start)
        raise _RefusedError("the file is not UTF-8 text", Mark(line, column)) from None


def _mark(mark: _YamlMark | None) -> Mark:
    return Mark(mark.line + 1, mark.column + 1) if mark else Mark()


def _mark_at(raw: bytes, index: int) -> Mark:
    before = raw.decode("utf-8-sig")[:index]
    return Mark(before.count("\n") + 1, index - before.rfind("\n"))


def _sentence(exc: MarkedYAMLError) -> str:
    problem = exc.problem or "the text breaks off"
    if "'\\t'" in problem:
        return "a tab cannot stand here; YAML is indented with spaces"
    if "found undefined alias" in problem:
        return f"{problem}; define it with & before its use"
    return f"this is not YAML: {problem}" + (f" ({exc.context})" if exc.context else "")


class _Events(Reader, Scanner, Parser):
    """The text as PyYAML's events, where `?` inside unquoted text in `{ }` and `[ ]` is text.

    PyYAML took every `?` there as the start of a key; YAML 1.2 asks for a space after it.
    """

    def __init__(self, text: str) -> None:
        Reader.__init__(self, text)
        Scanner.__init__(self)
        Parser.__init__(self)

    def __iter__(self) -> Iterator[Event]:
        while self.check_event():
            event = self.get_event()  # type: ignore[no-untyped-call]  # the stubs lack it
            assert isinstance(event, Event)
            yield event

    def check_key(self) -> bool:
        return self.peek(1) in _SPACES

    def check_plain(self) -> bool:
        first, second = self.peek(), self.peek(1)
        if first == "?":
            return second not in _SPACES and not (self.flow_level and second in ",[]{}")
        return bool(super().check_plain())

    def scan_plain(self) -> ScalarToken:
        chunks: list[str] = []
        start = end = self.get_mark()
        indent = self.indent + 1
        spaces: list[str] = []
        while self.peek() != "#":
            piece = self._plain_piece()
            if not piece:
                break
            self.allow_simple_key = False
            chunks += [*spaces, piece]
            self.forward(len(piece))
            end = self.get_mark()
            spaces = self.scan_plain_spaces(indent, start) or []
            if not spaces or (not self.flow_level and self.column < indent):
                break
        return ScalarToken("".join(chunks), True, start, end)  # noqa: FBT003  # PyYAML's signature

    def _plain_piece(self) -> str:
        form = _PLAIN_IN_FLOW if self.flow_level else _PLAIN
        found = form.match(self.buffer, self.pointer)
        assert found is not None, "it may be empty"
        return found[0]

    # What follows does as PyYAML's does, without a step for each character or token.

    def check_token(self, *choices: Any) -> bool:  # noqa: ANN401  # as in PyYAML's stubs
        while (not self.tokens or self.possible_simple_keys) and self.need_more_tokens():
            self.fetch_more_tokens()
        return bool(self.tokens) and (not choices or isinstance(self.tokens[0], choices))

    def forward(self, length: int = 1) -> None:
        # No line ends within what is passed, and nothing without a width.
        if _MOVES_OTHERWISE.isdisjoint(self.buffer[self.pointer : self.pointer + length]):
            self.pointer += length
            self.index += length
            self.column += length
        else:
            super().forward(length)


@dataclass(frozen=True, slots=True)
class _Node:
    value: object
    nodes: int  # with everything below, aliases expanded
    height: int


class _Reading:
    """One pass over the events, building data and positions and counting what aliases expand to."""

    def __init__(self, text: str, document: Document, *, merges: bool) -> None:
        self._events = iter(_Events(text))
        self._document = document
        self._merges = merges
        self._anchors: dict[str, _Node | None] = {}
        self._aliases = 0
        self._nodes = 0

    def run(self) -> object:
        next(self._events)  # the stream's start
        first = next(self._events)
        if isinstance(first, StreamEndEvent):
            raise _RefusedError("the file is empty", Mark())
        root = self._node(next(self._events), ())
        next(self._events)  # the document's end
        after = next(self._events)
        if not isinstance(after, StreamEndEvent):
            message = "a second document starts here; one file holds one"
            raise _RefusedError(message, _mark(after.start_mark))
        return root.value

    def _node(self, event: Event, place: Place) -> _Node:
        mark = _mark(event.start_mark)
        self._document.positions.values[place] = mark
        if isinstance(event, AliasEvent):
            return self._alias(event, place, mark)
        self._count(1, mark)
        if len(place) >= MAX_DEPTH:
            raise _RefusedError(f"this is nested deeper than {MAX_DEPTH} levels", mark)
        assert isinstance(event, ScalarEvent | CollectionStartEvent)
        if event.tag is not None:
            self._found(f"the tag {event.tag} is refused: a file is plain data", mark)
        if event.anchor:
            self._anchors[event.anchor] = None
        node = self._built(event, place)
        if event.anchor:
            self._anchors[event.anchor] = node
        return node

    def _built(self, event: ScalarEvent | CollectionStartEvent, place: Place) -> _Node:
        if isinstance(event, ScalarEvent):
            return _Node(self._scalar(event), 1, 0)
        if isinstance(event, MappingStartEvent):
            return self._mapping(place)
        return self._sequence(place)

    def _alias(self, event: AliasEvent, place: Place, mark: Mark) -> _Node:
        self._aliases += 1
        if self._aliases > MAX_ALIASES:
            raise _RefusedError(f"more than {MAX_ALIASES} aliases", mark)
        if event.anchor not in self._anchors:
            raise _RefusedError(f"*{event.anchor} has no anchor &{event.anchor} before it", mark)
        node = self._anchors[event.anchor]
        if node is None:
            raise _RefusedError(f"*{event.anchor} contains itself", mark)
        self._count(node.nodes, mark)
        if len(place) + node.height >= MAX_DEPTH:
            raise _RefusedError(f"this is nested deeper than {MAX_DEPTH} levels", mark)
        return node

    def _sequence(self, place: Place) -> _Node:
        before, items, height = self._nodes, list[object](), 0
        for event in self._until_end():
            node = self._node(event, (*place, len(items)))
            items.append(node.value)
            height = max(height, node.height)
        return _Node(tuple(items), self._nodes - before + 1, height + 1)

    def _mapping(self, place: Place) -> _Node:
        before, mapping, height = self._nodes, dict[str | int, object](), 0
        merged: dict[str | int, object] = {}
        for event in self._until_end():
            key = self._key(event, mapping)
            inner = (*place, key)
            self._document.positions.keys.setdefault(inner, _mark(event.start_mark))
            node = self._node(next(self._events), inner)
            if self._merges and _is_merge(event):
                self._merge(node.value, merged, _mark(event.start_mark))
            else:
                mapping[key] = node.value
            height = max(height, node.height)
        return _Node(merged | mapping, self._nodes - before + 1, height + 1)

    def _merge(self, value: object, into: dict[str | int, object], mark: Mark) -> None:
        """Add a mapping, or those of a list; of two values for a key the first stays."""
        for part in value if isinstance(value, tuple) else (value,):
            if not isinstance(part, dict):
                raise _RefusedError("<< merges mappings, and this is none", mark)
            for key, inner in part.items():
                into.setdefault(key, inner)

    def _key(self, event: Event, mapping: dict[str | int, object]) -> str | int:
        mark = _mark(event.start_mark)
        if not isinstance(event, ScalarEvent):
            raise _RefusedError("a key must be plain text", mark)
        self._count(1, mark)
        if event.tag is not None or event.anchor:
            self._found("a key can have neither a tag nor an anchor", mark)
        if _is_merge(event) and not self._merges:
            self._found("the merge key << is refused; YAML 1.2 has none", mark)
        value = self._scalar(event)
        key = value if type(value) is int or isinstance(value, str) else event.value
        if key in mapping:
            self._found(f"the key {key!r} stands twice in this mapping", mark)
        return key

    def _until_end(self) -> Iterator[Event]:
        for event in self._events:
            if isinstance(event, CollectionEndEvent):
                return
            yield event

    def _scalar(self, event: ScalarEvent) -> object:
        text: str = event.value
        if not event.implicit[0] or event.tag is not None:
            return text
        if len(text) > _LONGEST_NUMBER:
            return text
        return resolve(text)

    def _count(self, nodes: int, mark: Mark) -> None:
        self._nodes += nodes
        if self._nodes > MAX_NODES:
            raise _RefusedError(f"more than {MAX_NODES} nodes, aliases expanded", mark)

    def _found(self, message: str, mark: Mark) -> None:
        self._document.findings.append(Finding(message=message, mark=mark))


def _is_merge(event: Event) -> bool:
    return isinstance(event, ScalarEvent) and event.value == "<<" and bool(event.implicit[0])


# YAML 1.2, 10.3.2: the core schema. What matches nothing is a string.
_CORE_SCHEMA: tuple[tuple[re.Pattern[str], Callable[[str], object]], ...] = (
    (re.compile(r"|~|null|Null|NULL"), lambda _: None),
    (re.compile(r"true|True|TRUE|false|False|FALSE"), lambda text: text.lower() == "true"),
    (re.compile(r"[-+]?[0-9]+"), int),
    (re.compile(r"0o[0-7]+|0x[0-9a-fA-F]+"), lambda text: int(text, 0)),
    (re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?"), float),
    (re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)"), lambda t: float(t.replace(".", ""))),
)


def resolve(text: str) -> object:
    """Return what an unquoted scalar is in YAML 1.2's core schema."""
    return next((make(text) for form, make in _CORE_SCHEMA if form.fullmatch(text)), text)
