"""How many sessions one person and one team may have at once."""

from orchestrator.gateway.limits import Limits
from orchestrator.gateway.neighbours import NOWHERE, Elsewhere
from orchestrator.terminal.registry import LiveSessions
from orchestrator.terminal.visit import Visit


def no_seat(
    live: LiveSessions, visit: Visit, limits: Limits, elsewhere: Elsewhere = NOWHERE
) -> str:
    """Return why there is no place for one more session, or nothing.

    What is kept for somebody without a client is not counted: it is what they come back to.
    """
    own = sum(one.kept_since is None for one in live.of_person(visit.person))
    own += elsewhere.of_person(visit.person)
    if own >= limits.sessions_per_person:
        return f"You have {own} sessions open, and no more are allowed; close one and try again"
    teams = sum(one.kept_since is None for one in live.of_team(visit.host.world))
    teams += elsewhere.of_team(visit.host.world)
    if teams >= limits.sessions_per_team:
        return f"Your team has {teams} sessions open, and no more are allowed; close one first"
    return ""
