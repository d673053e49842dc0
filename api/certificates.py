"""Certificates that let members of an exercise's teams in."""

from datetime import timedelta

from api.access import user_ca_file
from api.bootstrap import Services
from orchestrator.casting import place_of
from orchestrator.domain.exercise import Exercise
from orchestrator.domain.phases import OVER, Act, NotNowError, Phase
from orchestrator.gateway.user_ca import sign

# Pauses move the end of an exercise, and nobody knows them before.
_FOR_PAUSES = timedelta(days=1)
_OVER = OVER | {Phase.CANCELLED}


def certificate(services: Services, exercise: Exercise, user: str, public_key: str) -> str:
    """Return the line of a certificate, good for as long as the exercise has left and a day.

    Its principals are the member's login, alone and with each host, and `EXERCISE.TEAM`. Raises
    MemberUnknownError, NotNowError, CaMissingError, KeyNotSignableError.
    """
    team, member = place_of(exercise, user)
    if exercise.phase in _OVER:
        raise NotNowError(phase=exercise.phase, act=Act.ENTER)
    now = services.clock.now()
    left = exercise.length(team.id) - exercise.elapsed(now, team.id)
    hosts = services.exercises.scenario(exercise).scenario.hosts
    logins = (member.name, *(f"{member.name}.{host}" for host in hosts))
    return sign(
        user_ca_file(services.settings),
        public_key,
        name=member.name,
        principals=(*logins, f"{exercise.name}.{team.slug}"),
        begins=now - timedelta(minutes=5),  # the clocks of other machines are a little off
        until=now + max(left, timedelta()) + _FOR_PAUSES,
    )
