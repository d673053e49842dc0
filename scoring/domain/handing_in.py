"""Until when teams hand files in: while they play, and for the scenario's grace after their end."""

from datetime import datetime, timedelta

from orchestrator.domain.clock import Stop, Tick
from orchestrator.domain.exercise import Exercise, Team
from orchestrator.domain.phases import OVER, Act, NotNowError


def over_since(exercise: Exercise, team: Team, now: datetime) -> datetime | None:
    """Return when a team's time was over: its own was up, or the exercise ended; `None` before."""
    ends = [event.at for event in exercise.clock if event.tick is Tick.END]
    if team.stopped is Stop.TIME_UP:
        up = exercise.reached(exercise.length(team.id), now, team.id)
        ends += [up] if up is not None else []
    return min(ends, default=None)


def require_takes_files(
    exercise: Exercise, team: Team, grace: timedelta | None, now: datetime
) -> None:
    """Raise NotNowError unless files of a team are taken now; answers may be over already."""
    if exercise.permits(Act.ANSWER, team):
        return
    over = over_since(exercise, team, now)
    if over is not None and grace is not None and now <= over + grace:
        return
    because = exercise.because(team)
    if over is not None and grace is not None:
        because += f", and files were taken for {grace} more"
    raise NotNowError(phase=exercise.phase_for(team), act=Act.ANSWER, because=because)


def takes_no_more_files(exercise: Exercise, grace: timedelta | None, now: datetime) -> bool:
    """Tell whether nobody hands anything in any more: the exercise and its grace are over."""
    ends = [event.at for event in exercise.clock if event.tick is Tick.END]
    return exercise.phase in OVER and (grace is None or all(now > at + grace for at in ends))
