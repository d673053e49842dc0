"""P6: how long planning takes, without an engine: 1,000 teams of 6 hosts in 2 s and 300 MB.

Measured is what a launch does before it asks an engine for anything: subnets for every network of
every team, every team's values, and every host's accounts, files, texts and probes rendered. All
plans are kept at once. It runs in a process of its own, whose largest size is the memory told; the
time is processor time, too, because other work on the machine must not count.

The floor beside it renders the same files and texts with plain Jinja2, compiled once, without
sandbox, limits or values: what rendering alone would cost.

Usage: ./dev bench planning [--teams 1000] [--rounds 3] [--profile] [--json FILE]
"""

import argparse
import cProfile
import json
import multiprocessing
import pstats
import resource
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from ipaddress import IPv4Network
from pathlib import Path
from statistics import median

from jinja2 import Environment

from core.ids import ExerciseId
from core.scenario.load import LoadedScenario, load
from core.scenario.render import TeamFacts
from core.scenario.values import derive_values
from orchestrator.domain.addresses import allocate, host_addresses
from orchestrator.domain.plan import plan_world
from orchestrator.domain.world import WorldKey, WorldPlan

_HOSTS = ("desk", "mail", "files", "web", "logs", "gate")
_START = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
_POOL = (IPv4Network("10.192.0.0/10"),)
_WITHIN_S, _WITHIN_MB = 2.0, 300

# As long as evidence is: a night of log lines around a few that matter.
_LOG = """\
{% for n in range(24) %}
{{ values.intrusion | time("%b %d") }} {{ n }}:17:01 HOST sshd[{{ 1000 + n }}]: session for root
{% endfor %}
{{ values.intrusion | time("%b %d %H:%M:%S") }} HOST sshd: accepted {{ values.intruder }} from {{ \
hosts.gate.ips.dmz }}
{{ team.name }} {{ team.number }} {{ exercise.start }} {{ networks.office.subnet }}
"""
_HEAD = """\
language: 1
scenario: {id: planned, version: 1.0.0, title: Planned, kind: investigation, duration: 1h}
roles: {analyst: {side: blue}}
values:
  admin_pw: {type: password, length: 14}
  keeper_pw: {type: password}
  note: {type: flag, format: "P{%s}", length: 16}
  token: {type: token, length: 32}
  door: {type: port, min: 20000, max: 40000}
  intruder: {type: username}
  document: {type: choice, of: [tender.odt, payroll.ods, plan.pdf]}
  intrusion: {type: instant, between: [exercise.start - 36h, exercise.start - 30h], step: 1s}
networks: {office: {size: /28}, dmz: {size: /28}}
hosts:
"""
_HOST = """\
  HOST:
    image: "debian:bookworm-slim"
    networks: {office: {}, dmz: {alias: HOST.planned.test}}
    env: {PORT: "{{ values.door }}", PEER: "{{ hosts.mail.ips.dmz }}"}
    accounts:
      - {name: ana, password: "{{ values.admin_pw }}", roles: [analyst]}
      - {name: "{{ values.intruder }}"}
    files:
      - {to: /var/log/auth.log, template: HOST.log.j2, mtime: "{{ values.intrusion }}"}
      - {to: "/srv/{{ values.document }}", text: "{{ values.note }} {{ values.token }}"}
    ready: [{run: [test, -s, "/srv/{{ values.document }}"]}]
"""
_TAIL = 'tasks: {done: {ask: Is it done?, answer: "yes", points: 1}}\n'


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """One round, in a process of its own; sizes in MiB."""

    seconds: float
    cpu_seconds: float
    floor_cpu_seconds: float
    before_mib: float
    peak_mib: float


def write_scenario(folder: Path) -> None:
    """Write a scenario of six hosts, each with a log of its own."""
    hosts = "".join(_HOST.replace("HOST", host) for host in _HOSTS)
    (folder / "scenario.yaml").write_text(_HEAD + hosts + _TAIL)
    for host in _HOSTS:
        (folder / f"{host}.log.j2").write_text(_LOG.replace("HOST", host))


def plan_all(loaded: LoadedScenario, teams: int) -> list[WorldPlan]:
    """Return the plan of every team."""
    networks = loaded.scenario.networks
    slugs = tuple(f"team-{number}" for number in range(1, teams + 1))
    sizes = [network.size for _ in slugs for network in networks.values() if network.size]
    found = iter(allocate(_POOL, [], sizes))
    return [
        _plan(loaded, slug, number, slugs, {name: next(found) for name in networks})
        for number, slug in enumerate(slugs, start=1)
    ]


def _plan(
    loaded: LoadedScenario,
    slug: str,
    number: int,
    slugs: tuple[str, ...],
    subnets: dict[str, IPv4Network],
) -> WorldPlan:
    scenario = loaded.scenario
    facts = TeamFacts(
        slug=slug,
        name=f"Team {number}",
        number=number,
        teams=slugs,
        values=derive_values(
            scenario, loaded, key=b"k" * 32, team=slug, start=_START, subnets=subnets
        ),
        addresses=host_addresses(scenario, subnets, team=number),
        subnets=subnets,
        start=_START,
    )
    key = WorldKey(exercise=ExerciseId("planned"), team=slug)
    return plan_world(
        key,
        loaded,
        facts=facts,
        subnets=subnets,
        image_name=lambda _, host: host.image or "",
    )


def render_plainly(teams: int) -> None:
    """Render as many files and texts of the same length as the plans hold."""
    environment = Environment(autoescape=False)  # text files, not pages
    environment.filters["time"] = lambda at, form: at.strftime(form)
    log = environment.from_string(_LOG)
    leaves = [environment.from_string("{{ values.note }} {{ values.token }}") for _ in range(8)]
    values = {"intrusion": _START, "intruder": "eva", "note": "P{x}", "token": "0f"}
    facts = {
        "values": values,
        "hosts": {"gate": {"ips": {"dmz": "10.0.0.9"}}},
        "team": {"name": "Team", "number": 1},
        "exercise": {"start": _START},
        "networks": {"office": {"subnet": "10.0.0.0/28"}},
    }
    for _ in range(teams * len(_HOSTS)):
        log.render(facts)
        for leaf in leaves:
            leaf.render(facts)


def in_own_process(teams: int) -> Measured:
    """Measure one round."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(measure, (teams,))


def measure(teams: int) -> Measured:
    """Plan in this process, and render plainly afterwards."""
    with tempfile.TemporaryDirectory(prefix="poligon-planning-") as folder:
        write_scenario(Path(folder))
        loaded = load(Path(folder))
        before, wall = _peak_mib(), time.perf_counter()
        cpu = _cpu_of(lambda: _counted(plan_all(loaded, teams), teams))
        seconds, peak = time.perf_counter() - wall, _peak_mib()
    return Measured(
        seconds=seconds,
        cpu_seconds=cpu,
        floor_cpu_seconds=_cpu_of(lambda: render_plainly(teams)),
        before_mib=before,
        peak_mib=peak,
    )


def _counted(plans: list[WorldPlan], teams: int) -> None:
    assert sum(len(plan.hosts) for plan in plans) == teams * len(_HOSTS), "plans are missing"


def _cpu_of(act: Callable[[], object]) -> float:
    began = time.process_time()
    act()
    return time.process_time() - began


def _peak_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def profile(teams: int) -> None:
    """Print where the time goes."""
    with tempfile.TemporaryDirectory(prefix="poligon-planning-") as folder:
        write_scenario(Path(folder))
        loaded = load(Path(folder))
        profiler = cProfile.Profile()
        profiler.runcall(plan_all, loaded, teams)
    pstats.Stats(profiler).sort_stats("cumulative").print_stats(35)


def main() -> None:
    """Measure, and print beside the target."""
    parser = argparse.ArgumentParser(description="Planning: P6.")
    parser.add_argument("--teams", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--profile", action="store_true", help="print where the time goes instead")
    parser.add_argument("--json", type=Path, help="also write everything to this file")
    wanted = parser.parse_args()
    if wanted.profile:
        profile(wanted.teams)
        return
    rounds = [in_own_process(wanted.teams) for _ in range(wanted.rounds)]
    cpu, peak = median(r.cpu_seconds for r in rounds), max(r.peak_mib for r in rounds)
    floor = median(r.floor_cpu_seconds for r in rounds)
    print(f"{wanted.teams} teams × {len(_HOSTS)} hosts, {wanted.rounds} rounds, medians")
    print(f"  planned in    {cpu:6.2f} s of processor   {_against(cpu, _WITHIN_S)}")
    print(f"  on the wall   {median(r.seconds for r in rounds):6.2f} s")
    print(f"  peak memory   {peak:6.0f} MiB              {_against(peak, _WITHIN_MB)}")
    print(f"  plain Jinja2  {floor:6.2f} s of processor   planned / plain: {cpu / floor:.2f}")
    if wanted.json:
        told = {"teams": wanted.teams, "rounds": [asdict(r) for r in rounds]}
        wanted.json.write_text(json.dumps(told, indent=2) + "\n")


def _against(value: float, limit: float) -> str:
    return f"wanted ≤ {limit:g}: {'met' if value <= limit else 'MISSED'}"


if __name__ == "__main__":
    main()
