import time

import pytest

from core.scenario.yaml_reader import MAX_BYTES, read

_MEBI = MAX_BYTES


def _laughs() -> bytes:
    lines = ["a: &a [x, x, x, x, x, x, x, x, x]"]
    for before, name in zip("abcdefgh", "bcdefghi", strict=True):
        lines.append(f"{name}: &{name} [{', '.join([f'*{before}'] * 9)}]")
    return "\n".join(lines).encode()


REFUSED = {
    "alias bomb": (_laughs(), "more than 10000 nodes"),
    "many aliases": (b"a: &x 1\nb: [" + b"*x, " * 101 + b"]", "more than 100 aliases"),
    "many nodes": (b"[" + b"x," * 10_001 + b"]", "more than 10000 nodes"),
    "recursion": (b"a: &x [1, *x]", "contains itself"),
    "recursion in a mapping": (b"a: &x {b: *x}", "contains itself"),
    "no anchor": (b"a: *x", "no anchor"),
    "depth": (b"[" * 60, "nested deeper than 50"),
    "depth of blocks": (b"- " * 60 + b"x", "nested deeper than 50"),
    "depth through aliases": (
        b"a: &x " + b"[" * 40 + b"]" * 40 + b"\nb: " + b"[" * 20 + b"*x" + b"]" * 20,
        "nested deeper than 50",
    ),
    "size": (b"#" * (_MEBI + 1), "1 MiB is the limit"),
    "encoding": (b"a: \xff", "not UTF-8"),
    "UTF-16": ("a: 1".encode("utf-16"), "not UTF-8"),
    "control character": (b"a: \x07", "U+0007 is not allowed"),
    "two documents": (b"a: 1\n---\nb: 2\n", "second document"),
    "empty": (b"", "empty"),
    "comments only": (b"# nothing\n", "empty"),
    "tab": (b"a:\n\tb: 1", "indented with spaces"),
    "collection as a key": (b"? [a]\n: b", "key must be plain text"),
    "broken off": (b"a: [1, 2", "not YAML"),
    "wrong indentation": (b"a: 1\n  b: 2", "not YAML"),
    "unknown directive only": (b"%FOO bar\n", "not YAML"),
}
FOUND = {
    "duplicate key": (b"a: 1\na: 2", "stands twice"),
    "python tag": (b"a: !!python/object/apply:os.system [id]", "tag"),
    "local tag": (b"a: !x 1", "tag"),
    "standard tag": (b"a: !!str 1", "tag"),
    "tag on a key": (b"!x a: 1", "neither a tag nor an anchor"),
    "merge key": (b"a: &x {b: 1}\nc: {<<: *x}", "merge key"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_hostile_file_is_refused_with_a_sentence(case: str) -> None:
    raw, sentence = REFUSED[case]
    document = read(raw)
    assert not document.readable
    assert [f.message for f in document.findings if sentence in f.message]


@pytest.mark.parametrize("case", FOUND)
def test_what_yaml_can_do_beyond_data_is_found(case: str) -> None:
    raw, sentence = FOUND[case]
    document = read(raw)
    assert document.readable
    assert any(sentence in f.message for f in document.findings)


def test_a_tag_makes_no_object() -> None:
    assert read(b"a: !!python/name:os.system ''").data == {"a": ""}


LARGE = {
    "one comment": b"# " + b"x" * (_MEBI - 2),
    "one scalar": b"a: " + b"x" * (_MEBI - 3),
    "quoted words": b"a: '" + b"x " * (_MEBI // 2 - 3) + b"'",
    "literal block": b"a: |\n" + b" x\n" * 300_000,
    "open brackets": b"[" * _MEBI,
    "open braces": b"{" * _MEBI,
    "dashes": b"- " * (_MEBI // 2),
    "empty lines": b"\n" * _MEBI,
    "one key again and again": b"x: y\n" * 200_000,
    "anchors": b"&a " * 300_000,
    "exclamation marks": b"!" * _MEBI,
    "escapes": b'a: "' + b"\\x41" * 250_000 + b'"',
    "question marks": b"? " * (_MEBI // 2),
}


@pytest.mark.parametrize("case", LARGE)
def test_a_mebibyte_of_anything_is_read_or_refused_soon(case: str) -> None:
    # Ten times what it takes on a slow machine: an endless or quadratic reading still shows.
    before = time.process_time()
    read(LARGE[case])
    assert time.process_time() - before < 10
