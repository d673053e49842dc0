"""What every draft needs beside what was brought in: a head, a role, and a place to work from."""

from collections.abc import Iterable
from typing import Any

from core.scenario.importing.draft import Draft
from core.scenario.importing.texts import id_of
from core.scenario.networks import room

ROLE = "trainee"
_SMALLEST = 28
_LARGEST = 16
_DESK = """\
FROM debian:bookworm-slim
RUN apt-get update \\
 && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \\
      ca-certificates curl jq less nano netcat-openbsd openssh-client procps \\
 && apt-get clean && rm -rf /var/lib/apt/lists/*
CMD ["sleep", "infinity"]
"""


def begin(draft: Draft, *, name: str, title: str, summary: str = "") -> None:
    """Write the head and the role; `name` becomes the scenario's id."""
    head: dict[str, Any] = {
        "id": name,
        "version": "0.1.0",
        "title": title,
        "kind": "investigation",
        "duration": "1h",
        "languages": ["en"],
    }
    if summary:
        head["summary"] = summary
    draft.data |= {"language": 1, "scenario": head, "roles": {ROLE: {"title": "Trainee"}}}
    draft.todo(
        ("scenario", "kind"), "decide on kind, level, programme, duration, team_size and safety"
    )
    draft.todo(("scenario", "title"), "name the authors, and the licence of what was brought in")


def desk(draft: Draft, networks: Iterable[str]) -> str:
    """Add a host that trainees enter, on these networks; return its id."""
    hosts: dict[str, Any] = draft.data["hosts"]
    aliases = {a.get("alias") for host in hosts.values() for a in host["networks"].values()}
    name = id_of("desk", {*hosts, *aliases})
    folder = f"images/{id_of('desk', _folders(draft))}"
    hosts[name] = {
        "title": "Your desk",
        "build": {"context": folder},
        "networks": {network: {} for network in networks},
        "accounts": [{"name": ROLE, "roles": [ROLE]}],
    }
    draft.write(f"{folder}/Dockerfile", _DESK)
    draft.data["access"] = [{"roles": [ROLE], "host": name, "as": ROLE, "default": True}]
    draft.todo(
        ("hosts", name),
        "this desk was added so that trainees have a host to enter; decide which one it is, "
        "on which networks, and with which tools",
    )
    return name


def size_networks(draft: Draft) -> None:
    """Give each network the size that its hosts need; refuse one with too many."""
    networks: dict[str, Any] = draft.data["networks"]
    for name, network in networks.items():
        used = sum(name in host["networks"] for host in draft.data["hosts"].values())
        fitting = (n for n in range(_SMALLEST, _LARGEST - 1, -1) if room(n) > used)
        network["size"] = f"/{next(fitting, _LARGEST)}"


def _folders(draft: Draft) -> set[str]:
    return {path.split("/")[1] for path in draft.files if path.startswith("images/")}
