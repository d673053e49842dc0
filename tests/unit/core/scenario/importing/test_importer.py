from collections.abc import Callable
from pathlib import Path

import pytest

from core.scenario.folder import MAX_FOLDER_BYTES
from core.scenario.importing.emit import emit
from core.scenario.importing.errors import FolderTakenError, ImportRefusedError
from core.scenario.importing.importer import import_file
from core.scenario.yaml_reader import read

Reasons = Callable[[str], list[str]]


def test_a_folder_with_something_in_it_is_left_alone(source: Path, tmp_path: Path) -> None:
    (tmp_path / "draft").mkdir()
    (tmp_path / "draft" / "mine").write_text("mine")
    with pytest.raises(FolderTakenError):
        import_file(source / "docker-compose.yml", tmp_path / "draft")
    assert [path.name for path in (tmp_path / "draft").iterdir()] == ["mine"]


def test_an_empty_folder_is_filled(source: Path, tmp_path: Path) -> None:
    (tmp_path / "draft").mkdir()
    import_file(source / "docker-compose.yml", tmp_path / "draft")
    assert (tmp_path / "draft" / "scenario.yaml").is_file()


def test_nothing_is_left_beside_the_draft_or_instead_of_it(source: Path, tmp_path: Path) -> None:
    into = tmp_path / "new" / "Old Blog!"
    imported = import_file(source / "docker-compose.yml", into)
    assert [path.name for path in into.parent.iterdir()] == ["Old Blog!"]
    assert "  id: old-blog\n" in (into / "scenario.yaml").read_text()
    assert [w.message for w in imported.warnings] == ["the id is old-blog, the folder Old Blog!"]


def test_a_write_that_fails_leaves_nothing(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(self: Path, target: Path) -> Path:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(OSError, match="No space"):
        import_file(source / "docker-compose.yml", tmp_path / "out" / "draft")
    assert list((tmp_path / "out").iterdir()) == []


def test_what_is_nothing_known_is_refused(reasons: Reasons) -> None:
    assert reasons("a: 1\n") == [
        "1:1: error: this is none of: docker-compose file, containerlab topology, CTF challenge"
    ]


def test_broken_yaml_is_refused_at_its_line(reasons: Reasons) -> None:
    (told,) = reasons("services:\n  a: [\n")
    assert told.startswith("3:1: error: this is not YAML")


HOSTILE = {
    "a bomb": "a: &a [x, x, x, x, x, x, x, x, x, x]\n"
    "b: &b [*a, *a, *a, *a, *a, *a, *a, *a, *a, *a]\n"
    "c: &c [*b, *b, *b, *b, *b, *b, *b, *b, *b, *b]\n"
    "d: [*c, *c, *c, *c, *c, *c, *c, *c, *c, *c]\n",
    "a bomb of merges": "a: &a {" + ", ".join(f"k{n}: 1" for n in range(200)) + "}\n"
    "b: {<<: [" + ", ".join(["*a"] * 60) + "]}\n",
    "a circle": "a: &a {<<: *a}\n",
    "a tag": "services: !!python/object/apply:os.system [id]\n",
    "a merge of text": "services: {<<: x}\n",
    "a control character": 'services: {a: {image: x, command: "\\x01% y"}}\n',
    "half a character": 'services: {a: {image: x, command: "\\uD800"}}\n',
    "many services": "services: {" + ", ".join(f"s{n}: {{image: x}}" for n in range(61)) + "}\n",
    "many braces": "services: {a: {image: x, environment: {A: '" + "{{ " * 300 + "'}}}\n",
    "many variables": "services: {a: {image: x, command: '" + "$A" * 200_000 + "'}}\n",
    "many networks": "services: {a: {image: x, networks: ["
    + ", ".join(f"n{n}" for n in range(21))
    + "]}}\n",
    "many files": f"name: x\nvalue: 1\nflags: [y]\nfiles: [{'run.sh, ' * 101}]\n",
    "many commands": "topology: {nodes: {a: {kind: linux, image: x, exec: ["
    + "touch /x, " * 201
    + "]}}}\n",
    "many links": "topology: {nodes: {a: {kind: linux, image: x}, b: {kind: linux, image: x}},"
    "links: [" + "{endpoints: ['a:x', 'b:x']}, " * 201 + "]}\n",
    "variables that are nested": "services: {a: {image: x, command: '"
    + "${A:-" * 12
    + "x" * 10
    + "}" * 12
    + "'}}\n",
}


@pytest.mark.parametrize("case", HOSTILE)
def test_a_hostile_file_is_refused(reasons: Reasons, case: str) -> None:
    assert reasons(HOSTILE[case])


def test_a_folder_that_is_too_large_is_refused(source: Path, tmp_path: Path) -> None:
    with (source / "data" / "large").open("wb") as stream:
        stream.truncate(MAX_FOLDER_BYTES)
    (source / "x.yml").write_text("services: {a: {image: x, volumes: ['./data:/x']}}")
    with pytest.raises(ImportRefusedError) as refused:
        import_file(source / "x.yml", tmp_path / "draft")
    assert "more than a draft takes: 62 MiB and 4800 files" in str(refused.value.problems[0])


def test_a_long_row_of_digits_is_no_time(source: Path, tmp_path: Path) -> None:
    text = f"services: {{a: {{image: x, healthcheck: {{test: y, interval: '{'1' * 500_000}'}}}}}}"
    (source / "x.yml").write_text(text)
    import_file(source / "x.yml", tmp_path / "draft")
    assert "every" not in (tmp_path / "draft" / "scenario.yaml").read_text().partition("checks")[0]


def test_variables_that_grow_are_refused(source: Path, reasons: Reasons) -> None:
    (source / ".env").write_text(f"A={'x' * 60_000}\n")
    (told,) = reasons("services: {a: {image: x, environment: [" + "'B=${A}', " * 18 + "]}}")
    assert "the variables of all texts make more than 1 MiB" in told


def test_a_folder_of_too_many_files_is_refused(source: Path, tmp_path: Path) -> None:
    for number in range(5_001):
        (source / "data" / f"{number}").touch()
    (source / "x.yml").write_text("services: {a: {image: x, volumes: ['./data:/x']}}")
    with pytest.raises(ImportRefusedError) as refused:
        import_file(source / "x.yml", tmp_path / "draft")
    assert len(refused.value.problems) == 1


def test_what_is_written_reads_as_it_was() -> None:
    data = {
        "plain": "a word/of-1.text",
        "words": [
            "true",
            "no",
            "null",
            "1",
            "-c",
            "a: b",
            "# x",
            "",
            " x ",
            "\u2028",
            "\U0001f600",
        ],
        "kinds": {"whole": 1, "part": 0.5, "on": True, "none": None, "map": {}, "list": []},
        "block": "first\n\n  indented: [\n# last",
        "not block": " first\nlast ",
        "rows": [{"a": "x\ny", "b": ["c" * 90]}, [["d"]], "e\nf"],
    }
    todos = {
        ("block",): ["one\ntwo \x00 " + "x" * 300],
        ("rows", 0): ["a row"],
        ("kinds", "on"): ["y"],
    }
    document = read(emit(data, todos).encode())
    assert document.findings == []

    def plain(node: object) -> object:
        if isinstance(node, dict):
            return {key: plain(value) for key, value in node.items()}
        return [plain(item) for item in node] if isinstance(node, tuple) else node

    assert plain(document.data) == data
