"""One check of a scenario, looked at in a world that is raised for it alone."""

from datetime import timedelta

from api.rehearsal.notes import Notes, Say
from api.rehearsal.rehearsing import built
from api.rehearsal.site import OpenEngine, rehearsal_site
from api.rehearsal.work import Hands
from core.clock import Clock
from core.errors import Fault, PoligonError
from core.scenario.load import LoadedScenario
from core.settings import Settings
from orchestrator.service import TeamSpec
from scoring.checks.probes import Finding
from scoring.maintenance import check_unknown

_TEAM = TeamSpec(name="Team 1")


class WorldNotStandingError(PoligonError):
    """The world of a scenario does not stand, so nothing in it can be looked at."""

    code = "check.no_world"
    fault = Fault.CONFLICT


def try_check(
    loaded: LoadedScenario,
    check: str,
    *,
    site: Settings,
    clock: Clock,
    open_engine: OpenEngine,
    say: Say,
) -> tuple[Finding, timedelta]:
    """Return what a check sees as a team begins, and how long that took; nothing is left of it.

    Raises CheckUnknownError, WorldNotStandingError, and what a rehearsal raises of its site.
    """
    known = loaded.scenario.checks
    if check not in known:
        raise check_unknown(check, known)
    notes = Notes(say=say)
    with rehearsal_site(site, clock=clock, open_engine=open_engine) as (services, ahead, queue):
        exercise = services.exercises.launch(loaded, teams=(_TEAM,), by=None)
        if not built(services, exercise, Hands(services, queue), loaded, notes):
            raise WorldNotStandingError(
                "the world does not stand: " + "; ".join(notes.findings),
                hint="Rehearse the scenario",
            )
        started = services.exercises.start(exercise.id)
        began = ahead.now()
        found = services.scoring.look(started, started.teams[0], check)
        return found, ahead.now() - began
