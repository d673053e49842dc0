"""The image of a host that is brought in, with what the file says over it, as a Dockerfile."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from core.scenario.importing.draft import Draft
from core.scenario.importing.source import WHY_NOT, Found
from core.scenario.positions import Place
from core.scenario.yaml_reader import MAX_BYTES

IMAGE = re.compile(r"[a-z0-9][A-Za-z0-9._/:@-]*")
_USER = re.compile(r"[A-Za-z0-9_.][A-Za-z0-9_.-]*(:[A-Za-z0-9_.-]+)?")
_SIGNAL = re.compile(r"(SIG)?[A-Z0-9+-]{1,12}|[0-9]{1,2}")
_ENV_NAME = re.compile(r"[A-Za-z0-9_.-]+")
_FROM = re.compile(r"\s*FROM\s+(?:--\S+\s+)*\S+(?:\s+AS\s+(\S+))?\s*", re.IGNORECASE)
_ARG = re.compile(r"(\s*ARG\s+)([A-Za-z_][A-Za-z0-9_]*)(\s*=.*|\s*)", re.IGNORECASE)
_EXPOSE = re.compile(r"\s*EXPOSE\s+(\d{1,5})(?:/tcp)?\b", re.IGNORECASE)
_BINDS = "poligon-binds"
_LAST_PORT = 65_535


@dataclass(slots=True)
class Image:
    """What a host's image is made of; `place` is the host's in the file that is read."""

    place: Place
    reference: str | None = None
    folder: str | None = None
    dockerfile: str = ""
    lines: list[str] = field(default_factory=list)
    copies: list[tuple[str, str]] = field(default_factory=list)

    def env(self, name: str, value: str) -> bool:
        """Set a variable whose name the language does not take; False when it cannot be."""
        if not _ENV_NAME.fullmatch(name) or "\n" in value or "\r" in value:
            return False
        self.lines.append(f'ENV {name}="{_dollars(value)}"')
        return True

    def user(self, user: str) -> bool:
        """Say as whom its process runs; False when it cannot be said."""
        return self._add("USER", user, _USER)

    def signal(self, signal: str) -> bool:
        """Say what ends its process; False when it cannot be said."""
        return self._add("STOPSIGNAL", signal, _SIGNAL)

    def workdir(self, path: str) -> bool:
        """Say where its process begins; False when it cannot be said."""
        if not path.startswith("/") or not path.isprintable():
            return False
        self.lines.append(f"WORKDIR {_dollars(path)}")
        return True

    def entrypoint(self, words: tuple[str, ...]) -> None:
        """Say what its process is."""
        self.lines.append(f"ENTRYPOINT {json.dumps(words)}")

    def command(self, words: tuple[str, ...]) -> None:
        """Say with which words its process begins."""
        self.lines.append(f"CMD {json.dumps(words)}")

    def copy(self, folder: str, target: str) -> bool:
        """Put a folder of the source there; False when there is no such place."""
        if not target.startswith("/") or not target.isprintable() or ".." in target.split("/"):
            return False
        place = f"{_BINDS}/{len(self.copies)}"
        into = "/" + target.strip("/")
        words = json.dumps([f"{place}/", _dollars(f"{into.rstrip('/')}/")])
        self.lines.append(f"COPY {words}")
        self.copies.append((folder, place))
        return True

    def finish(self, draft: Draft, host: dict[str, Any], name: str) -> None:
        """Write the image's folder where one is needed, and name the image in the host."""
        if self.folder is None and not self.lines:
            host["image"] = self.reference
            draft.todo(("hosts", name, "image"), "the site must have this image, or build it")
            return
        context = f"images/{name}"
        host["build"] = {"context": context}
        base = self.dockerfile if self.folder is not None else f"FROM {self.reference}\n"
        if self.folder is not None:
            draft.copy_folder(self.place, self.folder, context)
        for folder, place in self.copies:
            draft.copy_folder(self.place, folder, f"{context}/{place}")
        self._admit_binds(draft, context)
        if any(path.startswith(f"{context}/Dockerfile/") for path in draft.files):
            draft.refuse(self.place, "a folder is called Dockerfile, as the file must be")
        added = "\n".join(self.lines) + "\n" if self.lines else ""
        draft.write(f"{context}/Dockerfile", base + added)

    def _admit_binds(self, draft: Draft, context: str) -> None:
        ignored = draft.files.get(f"{context}/.dockerignore")
        if ignored is not None and self.copies:
            text = ignored.content.decode(errors="replace")
            draft.write(f"{context}/.dockerignore", f"{text}\n!{_BINDS}\n!{_BINDS}/**\n")

    def _add(self, instruction: str, value: str, form: re.Pattern[str]) -> bool:
        if not form.fullmatch(value):
            return False
        self.lines.append(f"{instruction} {value}")
        return True


def read_dockerfile(draft: Draft, place: Place, path: str) -> str:
    """Return a Dockerfile of the source with a line's end; refuse one that cannot be read."""
    found = draft.source.look(path)
    if found is not Found.FILE:
        why = WHY_NOT.get(found, "it is a folder")
        draft.refuse(place, f"there is no Dockerfile {path}: {why}")
        return ""
    try:
        text = draft.source.read(path, MAX_BYTES).content.decode()
    except OSError as error:
        draft.refuse(place, f"{path} cannot be read: {error.strerror}")
        return ""
    except UnicodeDecodeError:
        draft.refuse(place, f"{path} is not UTF-8 text")
        return ""
    return text if text.endswith("\n") else f"{text}\n"


def until_stage(dockerfile: str, stage: str) -> str | None:
    """Return a Dockerfile up to the end of a stage of it; None when it has none of that name."""
    kept: list[str] = []
    inside = False
    for line in dockerfile.splitlines(keepends=True):
        begins = _FROM.fullmatch(line)
        if begins and inside:
            break
        inside = inside or bool(begins and (begins[1] or "").lower() == stage.lower())
        kept.append(line)
    return "".join(kept) if inside else None


def with_arguments(dockerfile: str, values: Mapping[str, str]) -> tuple[str, set[str]]:
    """Return a Dockerfile in which its arguments have these values, and which it asks for."""
    lines = dockerfile.splitlines(keepends=True)
    found: set[str] = set()
    for index, line in enumerate(lines):
        match = _ARG.fullmatch(line.rstrip("\r\n"))
        if match and match[2] in values:
            found.add(match[2])
            lines[index] = f'{match[1]}{match[2]}="{_dollars(values[match[2]])}"\n'
    return "".join(lines), found


def exposed_port(dockerfile: str) -> int | None:
    """Return the first TCP port that a Dockerfile names."""
    ports = (int(m[1]) for line in dockerfile.splitlines() if (m := _EXPOSE.match(line)))
    return next((port for port in ports if 1 <= port <= _LAST_PORT), None)


def _dollars(text: str) -> str:
    for char in ("\\", '"', "$"):
        text = text.replace(char, f"\\{char}")
    return text
