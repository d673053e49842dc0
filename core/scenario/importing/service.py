"""One host in the making, and the keys that compose files and topologies have in common."""

import posixpath
from dataclasses import dataclass, field
from typing import Any

from core.scenario.importing.draft import Draft
from core.scenario.importing.image import IMAGE, Image
from core.scenario.importing.reading import (
    cpus_of,
    duration_of,
    pairs_of,
    size_of,
    texts_of,
    whole_of,
    words_of,
)
from core.scenario.importing.source import WHY_NOT, Found
from core.scenario.importing.texts import file_name, literal
from core.scenario.importing.variables import VariableError, parse_env_file
from core.scenario.positions import Place
from core.scenario.yaml_reader import MAX_BYTES

_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_"
_NAME = frozenset(_LETTERS + "0123456789")
_CLOCKS = frozenset({"/etc/localtime", "/etc/timezone"})
_ENGINE_SOCKETS = ("docker.sock", "containerd.sock", "podman.sock")
_MOST_FILES = 200


@dataclass(slots=True)
class Service:
    """A machine of the file: `place` is where it stands there, `host` what it becomes."""

    draft: Draft
    place: Place
    name: str
    image: Image
    host: dict[str, Any] = field(default_factory=dict)
    env: dict[str, str] = field(default_factory=dict)
    published: list[int] = field(default_factory=list)
    exposed: list[int] = field(default_factory=list)
    names: list[str] = field(default_factory=list)

    @property
    def here(self) -> Place:
        """Where the host stands in the draft."""
        return ("hosts", self.name)

    def at(self, *steps: str | int) -> Place:
        """Return a place below the machine's in the file that is read."""
        return (*self.place, *steps)


def take_image(service: Service, value: object) -> None:
    """Read the name of an image."""
    place = service.at("image")
    if not isinstance(value, str) or not IMAGE.fullmatch(value):
        message = f"{value!r} is not the name of an image" if value else "it has no image"
        service.draft.refuse(place, message[:200])
        return
    service.image.reference = value
    service.draft.carried(place)


def take_env_files(service: Service, paths: list[tuple[str, bool]], key: str) -> None:
    """Read files of variables: path, and whether it must be there."""
    place, draft = service.at(key), service.draft
    for path, needed in paths:
        found = draft.source.look(path)
        if found is Found.NOTHING and not needed:
            draft.dropped(place, f"{path} is not there, and need not be")
        elif found is not Found.FILE:
            draft.refuse(place, f"{path}: {WHY_NOT.get(found, 'it is a folder')}")
        else:
            try:
                pairs = parse_env_file(draft.source.read(path, MAX_BYTES).content.decode())
            except OSError as error:
                draft.refuse(place, f"{path} cannot be read: {error.strerror}")
            except (UnicodeDecodeError, VariableError) as error:
                draft.refuse(place, f"{path} is not a file of variables: {error}")
            else:
                _set(service, pairs, place)


def take_environment(service: Service, value: object, key: str) -> None:
    """Read variables; one without a value would come from the shell of whoever starts it."""
    pairs = pairs_of(value)
    if pairs is None:
        service.draft.refuse(service.at(key), "it is neither a mapping nor a list of NAME=value")
        return
    _set(service, pairs, service.at(key))


def _set(service: Service, pairs: dict[str, str | None], place: Place) -> None:
    for name, value in pairs.items():
        if value is None:
            message = f"{name} has no value here: whoever starts it would give one"
            service.draft.dropped(place, message)
            service.draft.todo(service.here, f"the variable {name[:100]} had no value in the file")
        elif set(name) <= _NAME and name[:1] in _LETTERS and name:
            service.env[name] = value
        elif not service.image.env(name, value):
            service.draft.refuse(place, f"{name!r} cannot be a variable"[:200])
    service.draft.carried(place)


def take_command(service: Service, value: object, key: str, *, entrypoint: bool) -> None:
    """Read what its process is, or the words that it begins with."""
    if value is None:
        return
    words = words_of(value)
    if words is None:
        service.draft.refuse(service.at(key), "it is not a command")
        return
    (service.image.entrypoint if entrypoint else service.image.command)(words)
    service.draft.changed(service.at(key), "it stands in a Dockerfile of the draft")


def take_ready(service: Service, value: object) -> None:
    """Read a health check, which becomes what is true when the host is ready."""
    place, draft = service.at("healthcheck"), service.draft
    probe = value if isinstance(value, dict) else {}
    words = _probe_command(probe.get("test"))
    if not words:
        draft.dropped(place, "it checks nothing")
        return
    ready: dict[str, Any] = {"run": [literal(word) for word in words], "within": "5m"}
    every = duration_of(probe.get("interval"))
    if every is not None:
        ready["every"] = every
    service.host["ready"] = [ready]
    draft.changed(place, "it is asked until it passes once, as root in /, and not after")


def _probe_command(test: object) -> tuple[str, ...]:
    if isinstance(test, str):
        return ("sh", "-c", test) if test.strip() else ()
    words = words_of(test) or ()
    match words[:1]:
        case ("CMD",):
            return words[1:]
        case ("CMD-SHELL",):
            return ("sh", "-c", " ".join(words[1:])) if words[1:] else ()
        case _:
            return ()


def take_limits(service: Service, *, memory: object, cpus: object, pids: object) -> None:
    """Read what it may use at most; what the language has no form for is the site's default."""
    found = {
        "memory": size_of(memory),
        "cpus": cpus_of(cpus),
        "pids": whole_of(pids, least=16, most=65_536),
    }
    limits = {name: value for name, value in found.items() if value is not None}
    if limits:
        service.host.setdefault("limits", {}).update(limits)


def take_bind(service: Service, place: Place, source: str, target: str) -> None:
    """Put a file or folder of the source on the host, as it is mounted by the file."""
    draft = service.draft
    clean = "/" + posixpath.normpath(f"/{target}").lstrip("/")
    if not target.startswith("/") or ".." in target.split("/"):
        draft.refuse(place, f"{target!r} is not an absolute path"[:200])
    elif source in _CLOCKS:
        draft.dropped(place, "a host's clock is UTC")
    elif source.endswith(_ENGINE_SOCKETS):
        draft.refuse(place, f"{source}: the engine's socket would hand over the whole site")
    else:
        _bind(service, place, source, clean)


def _bind(service: Service, place: Place, source: str, target: str) -> None:
    draft = service.draft
    found = draft.source.look(source)
    if found is Found.FILE:
        _put_file(service, place, source, target)
    elif found is Found.FOLDER:
        if service.image.copy(source, target):
            draft.changed(place, f"{source} is copied into the image, over what is there")
        else:
            draft.refuse(place, f"nothing can be copied to {target}")
    elif found is Found.NOTHING:
        draft.dropped(place, f"{source} is not there; an engine would make an empty folder")
        draft.todo(service.here, f"{source[:200]} was to be at {target[:200]}, and is not there")
    else:
        draft.refuse(place, f"{source}: {WHY_NOT[found]}")


def _put_file(service: Service, place: Place, source: str, target: str) -> None:
    files: list[dict[str, Any]] = service.host.setdefault("files", [])
    to = literal(target)
    if target == "/" or any(file["to"] == to for file in files) or len(files) >= _MOST_FILES:
        service.draft.refuse(place, f"{target} cannot be a file of its own")
        return
    kept = f"files/{service.name}/{len(files)}-{file_name(source)}"
    if service.draft.copy(place, source, kept):
        mode = "0755" if service.draft.files[kept].executable else "0644"
        files.append({"to": to, "from": kept, "mode": mode})
        service.draft.carried(place)


def take_secret(service: Service, place: Place, source: str, target: str) -> None:
    """Put a file of the source on the host that only reading is meant for."""
    found = service.draft.source.look(source)
    if found is not Found.FILE:
        why = WHY_NOT.get(found, "it is a folder")
        service.draft.refuse(place, f"{source}: {why}")
    elif not target.startswith("/") or ".." in target.split("/"):
        service.draft.refuse(place, f"{target!r} is not an absolute path"[:200])
    else:
        _put_file(service, place, source, posixpath.normpath(target))


def finish(service: Service, networks: dict[str, dict[str, Any]]) -> None:
    """Complete the host and put it into the draft."""
    first = next(iter(service.published or service.exposed), None)
    if "ready" not in service.host and first is not None:
        service.host["ready"] = [{"tcp": first, "within": "5m"}]
        service.draft.todo(
            (*service.here, "ready"), "that this port answers is a guess at what ready means"
        )
    files = service.host.pop("files", [])
    host: dict[str, Any] = {"title": literal(str(service.place[-1])[:200]) or service.name}
    service.draft.data["hosts"][service.name] = host
    service.image.finish(service.draft, host, service.name)
    host["networks"] = networks
    if service.env:
        host["env"] = {name: literal(value) for name, value in service.env.items()}
    if files:
        host["files"] = files
    host |= service.host


def texts_or_refuse(service: Service, value: object, key: str) -> tuple[str, ...]:
    """Return a list of texts; refuse what is none."""
    texts = texts_of(value)
    if texts is None:
        service.draft.refuse(service.at(key), "it is not a list of texts")
        return ()
    return texts
