"""What a service of a compose file is built from: a folder, a Dockerfile, arguments, a stage."""

import posixpath
import re

from core.scenario.importing.compose_tables import BUILD_IGNORED
from core.scenario.importing.image import read_dockerfile, until_stage, with_arguments
from core.scenario.importing.reading import is_off, pairs_of, text_of
from core.scenario.importing.service import Service
from core.scenario.importing.source import WHY_NOT, Found

_ELSEWHERE = re.compile(r"[a-z+]+://|git@|github\.com/")
_READ = frozenset({"args", "context", "dockerfile", "dockerfile_inline", "target"})


def take_build(host: Service, value: object) -> None:
    """Read `build`: a folder, or a mapping."""
    place, draft = host.at("build"), host.draft
    build = value if isinstance(value, dict) else {"context": value}
    context = text_of(build.get("context", ".")) or "."
    if _ELSEWHERE.match(context):
        draft.refuse(place, f"{context} is on a network"[:200])
        return
    found = draft.source.look(context)
    if found is not Found.FOLDER:
        draft.refuse(place, f"{context}: {WHY_NOT.get(found, 'it is a file')}"[:200])
        return
    host.image.folder = context
    host.image.dockerfile = _dockerfile(host, build, context)
    _take_target(host, build)
    _take_arguments(host, build)
    for key, inner in build.items():
        if key in BUILD_IGNORED:
            draft.dropped((*place, key), "it changes nothing in the image")
        elif key not in _READ and not str(key).startswith("x-") and not is_off(inner):
            draft.refuse((*place, key), "an image is built from one folder and its Dockerfile")
    draft.carried(place)


def _dockerfile(host: Service, build: dict[str | int, object], context: str) -> str:
    inline = build.get("dockerfile_inline")
    if isinstance(inline, str):
        return inline if inline.endswith("\n") else f"{inline}\n"
    path = text_of(build.get("dockerfile")) or "Dockerfile"
    return read_dockerfile(host.draft, host.at("build"), posixpath.join(context, path))


def _take_target(host: Service, build: dict[str | int, object]) -> None:
    stage = text_of(build.get("target"))
    if not stage:
        return
    cut = until_stage(host.image.dockerfile, stage)
    if cut is None:
        host.draft.refuse((*host.at("build"), "target"), f"no stage is called {stage!r}"[:200])
    else:
        host.image.dockerfile = cut
        host.draft.changed((*host.at("build"), "target"), "the Dockerfile ends with that stage")


def _take_arguments(host: Service, build: dict[str | int, object]) -> None:
    place = (*host.at("build"), "args")
    pairs = pairs_of(build.get("args") or ())
    if pairs is None:
        host.draft.refuse(place, "it is neither a mapping nor a list of NAME=value")
        return
    values: dict[str, str] = {}
    for name, value in pairs.items():
        if value is None:
            host.draft.dropped(place, f"{name} has no value here")
        elif "\n" in value or "\r" in value:
            host.draft.refuse(place, f"{name} has several lines")
        else:
            values[name] = value
    host.image.dockerfile, found = with_arguments(host.image.dockerfile, values)
    for name in values:
        if name in found:
            host.draft.changed(place, f"{name} is the default of the Dockerfile")
        else:
            host.draft.dropped(place, f"the Dockerfile asks for no {name}")
