"""P5: how long it takes until a host is as at the start, beside bare remove, create and start.

The host has an account, a file and a question that it must answer before it is ready, as a
scenario's has. The bare calls replay what the engine tells of the product's own container, and put
nothing into it. The two take turns. `reset` below is the only place that knows how the product does
it: by the engine adapter, without database and queue.

Usage: ./dev bench reset [--rounds 10] [--json FILE]
"""

import argparse
import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import timedelta
from ipaddress import IPv4Network
from pathlib import Path
from statistics import median
from uuid import uuid4

from core.ids import ExerciseId
from core.settings import read_settings
from orchestrator.domain.world import (
    AccountPlan,
    Attachment,
    FilePlan,
    HostPlan,
    NetworkPlan,
    ReadyProbe,
    WorldKey,
)
from orchestrator.engine.runtime import DockerEngine
from tests.benchmarks.ways.bare import Blueprint, Body, EngineApi, create_and_start

_LIMIT = 1.5
_SUBNET = IPv4Network("10.212.7.0/28")
_WORLD = WorldKey(exercise=ExerciseId("reset"), team="team-1")
_HOST = HostPlan(
    host="desk",
    image="debian:bookworm-slim",
    attachments=(Attachment(network="office", address=_SUBNET[5], alias="desk.reset.test"),),
    accounts=(AccountPlan(name="ana", password="h7kd-92mf-xq4r"),),
    files=(FilePlan(path="/srv/note", content=b"as at the start"),),
    probes=(ReadyProbe(run=("true",), within=timedelta(seconds=30), every=timedelta(seconds=1)),),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """Seconds of one turn each."""

    product: float
    bare: float


def reset(engine: DockerEngine, api: EngineApi, container: str) -> None:
    """Make the host as at the start, and wait until it is ready."""
    remove(api, container)
    engine.raise_host(_WORLD, _HOST)
    engine.await_ready(_WORLD, _HOST)


def reset_bare(api: EngineApi, container: str, body: Mapping[str, object]) -> None:
    """Remove, create and start, by three calls."""
    remove(api, container)
    create_and_start(api, dict(body))


def remove(api: EngineApi, container: str) -> None:
    """Remove a container, whatever it does."""
    api.call("DELETE", f"/containers/{container}?force=1&v=1")


@contextmanager
def one_host(installation: str) -> Iterator[DockerEngine]:
    """Lend an engine on which the host stands; nothing is left of it afterwards."""
    engine = DockerEngine(read_settings().docker_host, installation=installation)
    try:
        engine.raise_network(_WORLD, NetworkPlan(network="office", subnet=_SUBNET))
        engine.raise_host(_WORLD, _HOST)
        yield engine
    finally:
        engine.remove_everything()


def measure(rounds: int) -> list[Turn]:
    """Let both take turns."""
    installation = f"bench-{uuid4().hex[:6]}"
    api = EngineApi()
    with one_host(installation) as engine:
        (body,) = Blueprint.of(api, f"cyberpoligon={installation}").containers
        name = str(body["Name"])
        return [_turn(engine, api, name, body) for _ in range(rounds)]


def _turn(engine: DockerEngine, api: EngineApi, name: str, body: Body) -> Turn:
    began = time.perf_counter()
    reset(engine, api, name)
    between = time.perf_counter()
    reset_bare(api, name, body)
    return Turn(product=between - began, bare=time.perf_counter() - between)


def main() -> None:
    """Measure, and print the ratio."""
    parser = argparse.ArgumentParser(description="Reset of one host: P5.")
    parser.add_argument("--rounds", type=int, default=10, help="turns of each")
    parser.add_argument("--json", type=Path, help="also write everything to this file")
    wanted = parser.parse_args()
    turns = measure(wanted.rounds)
    for way in ("product", "bare"):
        seconds = [getattr(turn, way) for turn in turns]
        print(f"  {way:<8} {median(seconds):.3f} s ({min(seconds):.3f}-{max(seconds):.3f})")
    ratio = median(t.product for t in turns) / median(t.bare for t in turns)
    verdict = "met" if ratio <= _LIMIT else "MISSED"
    print(f"  P5 reset / bare remove, create, start: {ratio:.2f}   wanted ≤ {_LIMIT}: {verdict}")
    if wanted.json:
        wanted.json.write_text(json.dumps([asdict(t) for t in turns], indent=2) + "\n")


if __name__ == "__main__":
    main()
