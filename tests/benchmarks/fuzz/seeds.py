"""What a run begins with: right scenarios to spoil, words of the language, and large files."""

import json
from collections.abc import Iterator
from pathlib import Path

from tests.unit.core.scenario.test_rubrics import RIGHT as RUBRICS
from tests.unit.core.scenario.texts import SMALLEST, WITH_HOSTS

_ROOT = Path(__file__).parents[3]
_MARKS = (
    "{{ ",
    " }}",
    "{% ",
    " %}",
    ": ",
    "- ",
    "&a ",
    "*a",
    "? ",
    "|\n",
    ">-\n",
    "!!",
    "<<",
    "%s",
)
_MIB = 1 << 20


def seeds() -> Iterator[tuple[str, bytes]]:
    """Yield a name and a right scenario each: the tests' own, and every shipped one."""
    yield "smallest", SMALLEST.encode()
    yield "with-hosts", WITH_HOSTS.encode()
    yield "rubrics", RUBRICS.encode()
    for file in sorted(_ROOT.glob("scenarios/*/scenario.yaml")):
        yield file.parent.name, file.read_bytes()


def dictionary() -> str:
    """Return the language's keys, closed lists and marks, as libFuzzer reads them."""
    schema = json.loads((_ROOT / "docs/reference/scenario.schema.json").read_text())
    words = sorted({*_words(schema), *_MARKS})
    return "".join(f'"{_escaped(word)}"\n' for word in words)


def large() -> Iterator[tuple[str, bytes]]:
    """Yield files near the limits, of each shape that makes a reader slow or large."""
    room = _MIB - len(WITH_HOSTS) - 100
    yield "one-long-text", f"{WITH_HOSTS}x-long: {'a' * room}\n".encode()
    yield "one-long-quoted-text", f'{WITH_HOSTS}x-long: "{"b " * (room // 2 - 2)}"\n'.encode()
    yield "deep", b"[" * (_MIB // 2) + b"]" * (_MIB // 2)
    yield "deep-in-blocks", "".join(f"{' ' * n}a:\n" for n in range(1400)).encode()
    yield "many-keys", WITH_HOSTS.encode() + b"".join(b"x-%d: 1\n" % n for n in range(60_000))
    yield (
        "many-wrong-keys",
        WITH_HOSTS.encode() + b"".join(b"hosst%d: 1\n" % n for n in range(9_000)),
    )
    yield "many-anchors", b"".join(b"x-%d: &a%d [1]\n" % (n, n) for n in range(40_000))
    yield "bomb", _bomb()
    yield "many-tasks", _many("tasks", "  t%d: {ask: Which?, answer: green, points: 1}\n", 9_000)
    yield "many-hosts", _many("hosts", "  h%d: {image: x, networks: {}}\n", 9_000)
    yield "many-checks", _many("checks", '  c%d: {host: b, run: ["{{ values.x }}"]}\n', 9_000)
    yield "many-values", _many("values", "  v%d: {type: username, unlike: [a, b]}\n", 9_000)
    yield "many-templates", f'{WITH_HOSTS}x-long: "{"{{ values.flag }}" * (room // 18)}"\n'.encode()
    yield (
        "templates-of-tasks",
        _many("tasks", '  t%d: {ask: "{{ team }}", answer: a, points: 1}\n', 9_000),
    )
    yield "half-a-template", f"{WITH_HOSTS}x-long: '{'{{ ' * (room // 3)}'\n".encode()
    yield "long-chain", _many("injects", "  i%d: {after: i%d, message: {text: x}}\n", 3_000)
    yield "colons", b": " * (_MIB // 2)
    yield "dashes", b"- " * (_MIB // 2)
    yield "question-marks", b"? " * (_MIB // 2)
    yield "quotes", b"'" * _MIB
    yield "zeros", bytes(_MIB)
    yield "not-utf8", b"\xff" * _MIB
    yield "comments", b"#\n" * (_MIB // 2)
    yield "new-lines", b"\n" * _MIB


def _many(section: str, line: str, number: int) -> bytes:
    head = SMALLEST[: SMALLEST.index("roles")]
    lines = (line.replace("%d", str(n), 1).replace("%d", str(n + 1)) for n in range(number))
    return f"{head}roles: {{a: {{side: blue}}}}\n{section}:\n{''.join(lines)}".encode()[:_MIB]


def _bomb() -> bytes:
    first = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n"
    more = (f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 10))
    return (first + "".join(more)).encode()


def _words(node: object) -> Iterator[str]:
    match node:
        case dict():
            for key, value in node.items():
                if key == "properties":
                    yield from value
                if key in {"enum", "const"}:
                    yield from map(str, value if isinstance(value, list) else [value])
                yield from _words(value)
        case list():
            for item in node:
                yield from _words(item)
        case _:
            return


def _escaped(word: str) -> str:
    return "".join(c if c.isalnum() else f"\\x{ord(c):02x}" for c in word)
