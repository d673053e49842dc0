"""What a rehearsal proves of services, and what it finds wrong; on a fake engine."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from api.rehearsal import site
from orchestrator.domain.rehearsal import Proven, Rehearsal
from orchestrator.ports import EngineUnavailableError, RunResult
from tests.fakes.rehearsal_hall import Hall, make_tables

SCENARIO = """\
language: 1
scenario: {id: harbour, version: 1.0.0, title: Duel, kind: attack-defence, duration: 1h}
roles: {keeper: {side: blue}}
values: {thief: {type: username}}
networks: {home: {size: /28}, arena: {shared: true}}
hosts:
  vault:
    image: "debian:bookworm-slim"
    networks: {home: {}, arena: {}}
    accounts: [{name: ana, roles: [keeper]}]
    files: [{to: /srv/known, text: "{{ values.thief }} x x"}]
access: [{roles: [keeper], host: vault, as: ana}]
rounds: {every: 3m}
services:
  locker:
    {title: Locker, host: vault, network: arena, port: 4100, flag: {format: "LCK{%s}"},
     checker: {build: {context: checkers}, run: [/locker]}}
  desk:
    {title: Desk, host: vault, network: arena, port: 4200, flag: {format: "DSK{%s}"},
     checker: {build: {context: checkers}, run: [/desk]}}
tasks: {who: {title: Who, ask: Who?, answer: "{{ values.thief }}", points: 5}}
solution: {run: solution/play.sh, within: 10m}
"""
NAMES = {"4100": "locker", "4200": "desk"}
Place = tuple[str, str]
"""A target and a port."""


@dataclass(kw_only=True)
class Duel:
    """Services that keep what checkers leave in them, and a solution that robs and mends them."""

    hall: Hall
    kept: dict[Place, dict[str, str]] = field(default_factory=dict)
    """Flags by their id."""
    up: set[str] = field(default_factory=lambda: set(NAMES))
    mends: bool = True
    forgets: bool = False
    """Whether mending loses what was put before."""
    on_visit: Callable[[Mapping[str, str]], RunResult | None] = lambda _: None
    told: list[Mapping[str, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.hall.engine.on_visit = self._visit
        self.hall.on_attack = self._attack
        self.hall.on_play = self._mend
        self.hall.said = ("answer\twho\t{thief}",)
        checkers = self.hall.folder / "harbour" / "checkers"
        checkers.mkdir()
        (checkers / "Dockerfile").write_text("FROM debian:bookworm-slim\n")
        self.hall.write(SCENARIO)

    def rehearse(self) -> Rehearsal:
        return self.hall.rehearse()

    def targets(self) -> dict[str, str]:
        """Return each team's address on the network that they share."""
        return {
            str(place.address): key.world.team
            for key, host in self.hall.engine.hosts.items()
            for place in host.plan.attachments
            if place.shared
        }

    def _is_running(self, target: str) -> bool:
        hosts = self.hall.engine.hosts.items()
        team = self.targets()[target]
        return any(host.running for key, host in hosts if key.world.team == team)

    def _visit(self, command: tuple[str, ...], told: Mapping[str, str]) -> RunResult:
        self.told.append(told)
        port = told["POLIGON_PORT"]
        assert command == (f"/{NAMES[port]}",)
        said = self.on_visit(told)
        if said is not None:
            return said
        if not self._is_running(told["POLIGON_TARGET"]):
            return RunResult(exit_code=2, output="", errors="refused")
        kept = self.kept.setdefault((told["POLIGON_TARGET"], port), {})
        match told["POLIGON_ACTION"]:
            case "put":
                flag_id = f"no-{len(kept)}"
                kept[flag_id] = told["POLIGON_FLAG"]
                return RunResult(exit_code=0, output=f"{flag_id}\n", errors="noise")
            case "get":
                right = kept.get(told["POLIGON_FLAG_ID"]) == told["POLIGON_FLAG"]
                return RunResult(exit_code=0 if right else 1, output="")
            case _:
                return RunResult(exit_code=0, output="")

    def _mend(self) -> None:
        if self.forgets:
            self.kept.clear()

    def _attack(self, arguments: tuple[str, ...]) -> RunResult:
        assert arguments == ("attack", "team-1", "team-2")
        played = {host.world.team for host in self.hall.played} if self.mends else set()
        lines = [
            f"flag\t{NAMES[port]}\t{flag}"
            for (target, port), kept in self.kept.items()
            for flag in kept.values()
            if self.targets()[target] not in played
        ]
        return RunResult(exit_code=0, output="\n".join([*lines, "done"]))


@pytest.fixture
def duel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Duel:
    monkeypatch.setattr(site, "upgrade", make_tables)
    return Duel(hall=Hall(folder=tmp_path))


def test_services_that_are_robbed_and_mended_pass(duel: Duel) -> None:
    done = duel.rehearse()
    assert done.findings == ()
    assert done.proven == Proven(answers=1, services=2)
    assert [step.name for step in done.steps][2:8] == [
        "before the solution",
        "services before",
        "attack before",
        "solution",
        "services after",
        "attack after",
    ]
    assert [(image.host, image.service) for image in done.images] == [
        ("vault", ""),
        ("", "locker"),
    ]


def test_each_action_is_told_what_it_needs(duel: Duel) -> None:
    duel.rehearse()
    for told in duel.told:
        assert bool(told["POLIGON_FLAG"]) == (told["POLIGON_ACTION"] != "check")
        assert bool(told["POLIGON_FLAG_ID"]) == (told["POLIGON_ACTION"] == "get")
    put = [told["POLIGON_FLAG"] for told in duel.told if told["POLIGON_ACTION"] == "put"]
    assert len(set(put)) == len(put) == 6, "two services of two teams, and two once they are mended"
    assert {told["POLIGON_ROUND"] for told in duel.told} == {"1", "2"}


def test_a_hole_that_gives_nothing_is_reported(duel: Duel) -> None:
    duel.hall.on_attack = lambda _: RunResult(exit_code=0, output="")
    assert duel.rehearse().findings == tuple(
        f"{service}: the attack of the solution does not get the flag of {team}, which has mended"
        " nothing: its hole is not shown"
        for team in ("team-1", "team-2")
        for service in ("locker", "desk")
    )


def test_a_hole_that_stays_open_is_reported(duel: Duel) -> None:
    duel.mends = False
    assert duel.rehearse().findings == (
        "locker: the attack still gets a flag after the solution mended it",
        "desk: the attack still gets a flag after the solution mended it",
    )


def test_an_attack_that_works_once_only_shows_nothing(duel: Duel) -> None:
    attack = duel.hall.on_attack

    def once(arguments: tuple[str, ...]) -> RunResult:
        duel.hall.on_attack = lambda _: RunResult(exit_code=0, output="")
        return attack(arguments)

    duel.hall.on_attack = once
    findings = duel.rehearse().findings
    assert len(findings) == 2
    assert findings[0] == (
        "locker: the attack gets no flag of team-2 any more, which has mended nothing: that it"
        " fails after mending shows nothing"
    )


def test_a_flag_that_nobody_put_is_reported(duel: Duel) -> None:
    attack = duel.hall.on_attack

    def lying(arguments: tuple[str, ...]) -> RunResult:
        said = attack(arguments).output
        return RunResult(exit_code=0, output=f"{said}\nflag\tlocker\tLCK(x)\nflag\tsafe\tx\n")

    duel.hall.on_attack = lying
    assert duel.rehearse().findings == (
        "locker: the attack says 'LCK(x)', which is no flag of it",
        "safe: the attack says 'x', which is no flag of it",
    )


def test_an_attack_that_fails_is_reported(duel: Duel) -> None:
    duel.hall.on_attack = lambda _: RunResult(exit_code=3, output="failed\tcurl: no route ")
    assert "the solution ended with 3: curl: no route" in duel.rehearse().findings


def test_mending_that_loses_what_was_left_is_reported(duel: Duel) -> None:
    duel.forgets = True
    findings = duel.rehearse().findings
    assert (
        "locker: get, asked for the flag of the round before, is mumble at team-1 after it was"
        " mended" in findings
    )


def on(action: str, ran: RunResult) -> Callable[[Mapping[str, str]], RunResult | None]:
    return lambda told: (
        ran if (told["POLIGON_ACTION"], told["POLIGON_PORT"]) == (action, "4100") else None
    )


def test_a_checker_that_takes_any_flag_for_right_is_reported(duel: Duel) -> None:
    duel.on_visit = on("get", RunResult(exit_code=0, output=""))
    assert duel.rehearse().findings == (
        "locker: get, asked for a flag that nobody put, is up at team-1 before anything was done",
    )


def test_a_checker_that_never_finds_a_service_down_is_reported(duel: Duel) -> None:
    duel.on_visit = on("check", RunResult(exit_code=0, output=""))
    assert duel.rehearse().findings == ("locker: check is up at team-2 while its host is stopped",)


def test_a_checker_that_breaks_is_reported_with_what_it_said(duel: Duel) -> None:
    duel.on_visit = on("check", RunResult(exit_code=4, output="", errors="Traceback\n KeyError"))
    findings = duel.rehearse().findings
    assert findings[0] == (
        "locker: check is infra_error (Traceback KeyError) at team-1 before anything was done"
    )
    assert len(findings) == 4, "of both teams, once it was mended, and while its host is stopped"


def test_a_service_that_takes_no_flag_is_reported_and_not_asked_for_it(duel: Duel) -> None:
    duel.on_visit = on("put", RunResult(exit_code=1, output="", errors="full"))
    findings = duel.rehearse().findings
    assert findings == (
        "locker: put is mumble (full) at team-1 before anything was done",
        "locker: put is mumble (full) at team-2 before anything was done",
        "locker: put is mumble (full) at team-1 after it was mended",
    )
    asked = [t for t in duel.told if (t["POLIGON_ACTION"], t["POLIGON_PORT"]) == ("get", "4100")]
    assert asked == []


def test_an_engine_that_goes_away_meanwhile_is_no_proof(duel: Duel) -> None:
    duel.hall.engine.fail("visit", EngineUnavailableError("the engine went away"))
    (finding,) = duel.rehearse().findings
    assert "infra_error (the engine went away)" in finding


def test_a_hole_that_was_never_seen_at_home_is_no_proof_of_mending(duel: Duel) -> None:
    attack = duel.hall.on_attack

    def elsewhere(arguments: tuple[str, ...]) -> RunResult:
        own = {
            kept
            for (at, _), f in duel.kept.items()
            if duel.targets()[at] == "team-1"
            for kept in f.values()
        }
        lines = attack(arguments).output.splitlines()
        return RunResult(
            exit_code=0, output="\n".join(x for x in lines if x.split("\t")[-1] not in own)
        )

    duel.hall.on_attack = elsewhere
    done = duel.rehearse()
    assert [finding.partition(":")[0] for finding in done.findings] == ["locker", "desk"]
    assert all("does not get the flag of team-1" in finding for finding in done.findings)
    assert done.proven.services == 0
