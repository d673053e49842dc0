"""Whatever a file holds, it becomes a draft that passes lint, or is refused with reasons."""

import json
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from core.scenario.importing.errors import ImportRefusedError
from core.scenario.importing.importer import import_file
from core.scenario.lint import lint
from core.scenario.positions import Severity
from tests.unit.core.scenario.importing.foreign import CHALLENGE, COMPOSE, TOPOLOGY, lay_out

pytestmark = pytest.mark.usefixtures("workshop")
_FILES = {"compose": COMPOSE, "challenge": CHALLENGE, "topology": TOPOLOGY}
_WORDS = (
    "", "web", "db", "a b", "Ünïcode", "{{ x }}", "{% x %}", "{{{", "$", "$$", "${A:-b}", "${",
    "80", "80:80/udp", "0", "99999", "-1", "./data", "./data/deep", "./run.sh", "..", "/", "~",
    "/etc/passwd", "./data:/srv", "./run.sh:/opt/../x", "named:/v", "/var/run/docker.sock:/x",
    "a=b", "a.b=c", "=", "sh -c 'x", "10s", "1h1ns", "512m", "\x00", "\ud800", "\u2028", "\x85",
    "no", "true", "none", "host", "CMD", "CMD-SHELL", "regex", "linux", "bridge", "web:eth1",
    "db:eth2", "\x01%", "x" * 300, "a\nb", " a\n b", "a\n\n", "\n", "# x", "- x", "x: y", "*x",
    "Dockerfile", ".", "docker://x", "\\", "²", "000001" + "9" * 5000,
)  # fmt: skip
_TEXTS = st.sampled_from(_WORDS) | st.text(max_size=12)
_SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | _TEXTS
_KEYS = st.sampled_from([
    "aliases", "args", "binds", "build", "cmd", "command", "condition", "configs", "content",
    "container_name", "context", "cost", "cpus", "data", "depends_on", "deploy", "dockerfile",
    "endpoints", "entrypoint", "env", "env_file", "environment", "exec", "expose", "file", "flags",
    "healthcheck", "hostname", "image", "interval", "ipv4_address", "kind", "labels", "limits",
    "links", "mem_limit", "memory", "networks", "node", "path", "ports", "privileged", "protocol",
    "published", "replicas", "required", "resources", "restart", "secrets", "services", "source",
    "stop_signal", "target", "test", "tty", "type", "user", "volumes", "working_dir", "x-y",
]) | _TEXTS  # fmt: skip
_TREES = st.recursive(
    _SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_KEYS, inner, max_size=5),
    max_leaves=25,
)
_PARTS = st.dictionaries(_KEYS, _TREES, max_size=8)
_NAMES = st.sampled_from(["web", "db", "Web.1", "9", "desk", "default", "{{ x }}"])
_NAMED = st.lists(_NAMES, max_size=2, unique=True)
_LIKELY = {
    "command": _TEXTS | st.lists(_TEXTS, max_size=3),
    "container_name": _NAMES,
    "depends_on": _NAMED,
    "entrypoint": _TEXTS,
    "environment": st.dictionaries(_KEYS, _TEXTS, max_size=3),
    "expose": st.lists(st.sampled_from(["80", "53/udp", 22]), max_size=2),
    "healthcheck": st.fixed_dictionaries({"test": _TEXTS}, optional={"interval": _TEXTS}),
    "labels": _TREES,
    "links": st.lists(st.sampled_from(["web", "db:web", "db:Mail.x", "web:desk"]), max_size=2),
    "mem_limit": _TEXTS,
    "networks": _NAMED | st.dictionaries(_NAMES, st.fixed_dictionaries({"aliases": _NAMED})),
    "ports": st.lists(st.sampled_from(["80", "1:2", "::1:3:4", "53:53/udp", "5-6"]), max_size=2),
    "restart": _TEXTS,
    "user": _TEXTS,
    "volumes": st.lists(
        st.sampled_from(
            ["./data:/srv", "./run.sh:/{{ x }}", "./run.sh:/a", "v:/v", "./no:/n", "."]
        ),
        max_size=3,
    ),
    "working_dir": _TEXTS,
}
_SERVICE = st.fixed_dictionaries({"image": st.just("x")}, optional=_LIKELY)
_COMPOSE = st.fixed_dictionaries(
    {"services": st.dictionaries(_NAMES, _SERVICE, min_size=1, max_size=3)},
) | st.fixed_dictionaries(
    {"services": st.dictionaries(_TEXTS, st.just({"image": "x"}) | _PARTS, max_size=3)},
    optional={"networks": _TREES, "volumes": _TREES, "secrets": _TREES, "name": _TREES},
)
_CHALLENGE = st.fixed_dictionaries(
    {"name": _TEXTS, "value": _SCALARS, "flags": _TREES},
    optional=dict.fromkeys(
        ("description", "files", "hints", "image", "attempts", "type", "extra", "tags"), _TREES
    ),
)
_NODE = st.fixed_dictionaries({"kind": st.just("linux"), "image": st.just("x")}) | _PARTS
_TOPOLOGY = st.fixed_dictionaries(
    {
        "topology": st.fixed_dictionaries(
            {"nodes": st.dictionaries(_TEXTS, _NODE, max_size=3)},
            optional={"links": _TREES, "kinds": _TREES, "defaults": _TREES, "groups": _TREES},
        )
    },
    optional={"name": _TREES, "mgmt": _TREES},
)


@pytest.fixture(scope="module")
def workshop() -> Iterator[Path]:
    """Make one folder for all tries: Hypothesis wants no fixture of a test's own."""
    folder = Path(tempfile.mkdtemp())
    lay_out(folder / "source")
    yield folder
    shutil.rmtree(folder)


def _tried(workshop: Path, raw: bytes) -> None:
    file, into = workshop / "source" / "given.yml", workshop / "out" / "draft"
    file.write_bytes(raw)
    shutil.rmtree(workshop / "out", ignore_errors=True)
    try:
        import_file(file, into)
    except ImportRefusedError as error:
        reasons, refused = [problem.message for problem in error.problems], True
    else:
        reasons, refused = [p.message for p in lint(into) if p.severity is Severity.ERROR], False
    assert bool(reasons) == refused
    assert [path.name for path in (workshop / "out").glob("*")] == ([] if refused else ["draft"])


@settings(deadline=None, max_examples=100)
@given(tree=_COMPOSE | _CHALLENGE | _TOPOLOGY | _TREES)
@example(tree={"name": "\x7f", "value": 1, "flags": ["x"]})
@example(tree={"name": "a\x80", "topology": {"nodes": {"a": {"kind": "linux", "image": "x"}}}})
def test_any_tree_becomes_a_draft_or_is_refused(workshop: Path, tree: object) -> None:
    _tried(workshop, json.dumps(tree).encode())


@settings(deadline=None, max_examples=100)
@given(
    text=st.sampled_from(sorted(_FILES)),
    edits=st.lists(
        st.tuples(st.integers(0, 3000), st.integers(0, 40), _TEXTS | st.sampled_from(["\n", ": "])),
        max_size=4,
    ),
)
@example(text="compose", edits=[])
@example(text="challenge", edits=[])
@example(text="topology", edits=[])
def test_a_spoilt_file_becomes_a_draft_or_is_refused(
    workshop: Path, text: str, edits: list[tuple[int, int, str]]
) -> None:
    spoilt = _FILES[text]
    for where, length, inserted in edits:
        start = where % (len(spoilt) + 1)
        spoilt = spoilt[:start] + inserted + spoilt[start + length :]
    _tried(workshop, spoilt.encode(errors="surrogatepass"))


@settings(deadline=None, max_examples=50)
@given(raw=st.binary(max_size=300))
def test_any_bytes_are_refused(workshop: Path, raw: bytes) -> None:
    _tried(workshop, raw)
