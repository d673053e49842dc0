"""What services of a compose file mount: volumes, files of the folder, secrets and configs."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from core.scenario.importing.reading import text_of
from core.scenario.importing.service import Service, take_bind, take_secret
from core.scenario.positions import Place

_NEW = "its content is a host's own, and new for each team"


def take_volumes(host: Service, value: object, data: Mapping[Any, object]) -> None:
    """Read `volumes`: a bind becomes files, a named volume nothing."""
    joining = _joining(data)
    for index, item in enumerate(value if isinstance(value, tuple) else (value,)):
        place = host.at("volumes", index)
        kind, source, target = _mount(item)
        if kind == "bind" and source:
            take_bind(host, place, source, target)
        elif kind == "tmpfs":
            host.draft.dropped(place, "it is an ordinary folder")
        elif kind == "volume" and target:
            _volume(host, place, source, data.get("volumes"), joining=source in joining)
        else:
            host.draft.refuse(place, "it is not a mount of this folder's files")


def _mount(item: object) -> tuple[str, str, str]:
    """Return kind, source and target."""
    if isinstance(item, dict):
        source, target = (text_of(item.get(key)) or "" for key in ("source", "target"))
        source = source or text_of(item.get("src")) or ""
        options = item.get("volume")
        kind = str(item.get("type", "volume"))
        return ("?" if isinstance(options, dict) and "subpath" in options else kind), source, target
    source, colon, rest = (text_of(item) or "").partition(":")
    if not colon:
        return "volume", "", source
    kind = "bind" if source.startswith((".", "/", "~")) else "volume"
    return kind, source, rest.partition(":")[0]


def _volume(host: Service, place: Place, name: str, volumes: object, *, joining: bool) -> None:
    about = volumes.get(name) if isinstance(volumes, dict) else None
    options = about.get("driver_opts") if isinstance(about, dict) else None
    if joining:
        host.draft.refuse(place, f"{name} joins several services; hosts have no disk in common")
    elif isinstance(options, dict) and "device" in options:
        host.draft.refuse(place, f"{name} is a place of the engine's host")
    elif isinstance(about, dict) and about.get("external"):
        host.draft.refuse(place, f"{name} holds what is outside the file")
    else:
        host.draft.dropped(place, _NEW)


def _joining(data: Mapping[Any, object]) -> set[str]:
    """Return the named volumes that several services mount."""
    services = data["services"]
    assert isinstance(services, dict)
    users: Counter[str] = Counter()
    for service in services.values():
        mounts = service.get("volumes") if isinstance(service, dict) else None
        listed = [_mount(item) for item in (mounts if isinstance(mounts, tuple) else ())]
        users.update({source for kind, source, _ in listed if kind == "volume" and source})
    return {name for name, count in users.items() if count > 1}


def take_secrets(host: Service, value: object, key: str, data: Mapping[Any, object]) -> None:
    """Read `secrets` or `configs`: files of the folder that the host has at a place of theirs."""
    known = data.get(key)
    for index, item in enumerate(value if isinstance(value, tuple) else (value,)):
        place = host.at(key, index)
        name = text_of(item.get("source") if isinstance(item, dict) else item) or ""
        about = known.get(name) if isinstance(known, dict) else None
        target = (text_of(item.get("target")) if isinstance(item, dict) else None) or name
        if not target.startswith("/"):
            target = f"/run/secrets/{target}" if key == "secrets" else f"/{target}"
        path = about.get("file") if isinstance(about, dict) else None
        if isinstance(path, str):
            take_secret(host, place, path, target)
        else:
            host.draft.refuse(place, f"{name!r} is not a file of the folder"[:200])
