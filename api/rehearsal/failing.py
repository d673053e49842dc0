"""Checks that pass from the start: whether they can fail at all."""

from api.rehearsal.notes import Notes
from api.rehearsal.stage import Stage
from core.scenario.load import LoadedScenario
from orchestrator.domain.exercise import Team
from orchestrator.images import image_namer
from scoring.checks.probes import CommandProbe
from scoring.domain.verdicts import Verdict


def see_failing(stage: Stage, team: Team, loaded: LoadedScenario, notes: Notes) -> None:
    """See every check that tasks keep an eye on fail; the team's world is taken apart for it.

    A command runs in a bare container of its host's image, where no file, account or process of
    the scenario is. What is probed over the network is looked at while hosts are stopped.
    """
    name = image_namer(stage.services.settings.installation, loaded)
    over_network = []
    for check in stage.to_keep():
        look = stage.seen_by(team).look(stage.scenario.checks[check])
        if not isinstance(look.probe, CommandProbe):
            over_network.append(check)
            continue
        image = name(look.host, stage.scenario.hosts[look.host])
        ran = stage.services.engine.run_apart(look.probe.command, image=image, timeout=look.timeout)
        _note(check, notes, passes=ran.ok)
    _stop_and_look(stage, team, over_network, notes)


def _stop_and_look(stage: Stage, team: Team, checks: list[str], notes: Notes) -> None:
    """Stop what the probers look at, and in the end the hosts beside which they stand."""
    places = {stage.scenario.checks[check].place for check in checks}
    left = checks
    for hosts in (set(stage.scenario.hosts) - places, places):
        if not left:
            return
        for host in hosts:
            stage.services.engine.stop_host(stage.world(team).host(host))
        seen = {check: stage.look(team, check).verdict for check in left}
        notes.proven_checks |= {c for c, verdict in seen.items() if verdict is not Verdict.UP}
        left = [check for check, verdict in seen.items() if verdict is Verdict.UP]
    for check in left:
        _note(check, notes, passes=True)


def _note(check: str, notes: Notes, *, passes: bool) -> None:
    if not passes:
        notes.proven_checks.add(check)
        return
    notes.wrong(
        f"{check} cannot fail: it passes in a bare container of its image, too, without the files,"
        " accounts and processes of the scenario"
    )
