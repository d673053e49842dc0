"""Checkers: a scenario's own programs that use the services of an attack-defence exercise."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from ipaddress import IPv4Address
from types import MappingProxyType

from core.ids import ExerciseId
from orchestrator.ports import (
    EngineRefusedError,
    EngineUnavailableError,
    RangeEngine,
    RunResult,
    UnknownImageError,
)
from scoring.domain.verdicts import Verdict

_OURS = (EngineUnavailableError, EngineRefusedError, UnknownImageError)
_OUTPUT_CHARACTERS = 4000
_FLAG_ID_CHARACTERS = 1000
# 124: it did not end in time. A service that lets its checker wait is of no use to its public.
_VERDICTS: Mapping[int, Verdict] = MappingProxyType(
    {
        0: Verdict.UP,
        1: Verdict.MUMBLE,
        2: Verdict.DOWN,
        3: Verdict.RECOVERING,
        124: Verdict.DOWN,
    }
)


class Action(StrEnum):
    """What a checker does with a service."""

    PUT = "put"
    GET = "get"
    CHECK = "check"


@dataclass(frozen=True, slots=True, kw_only=True)
class TeamService:
    """A service of one team and how it is asked; `command` is rendered for that team."""

    exercise: ExerciseId
    network: str
    address: IPv4Address
    port: int
    image: str
    command: tuple[str, ...]
    timeout: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Errand:
    """What to do in a round: with `put` and `get` a flag, with `get` what `put` gave for it."""

    action: Action
    round: int
    flag: str = ""
    flag_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What a checker found; `flag_id` is what it printed, `output` is for people, cut."""

    verdict: Verdict
    flag_id: str = ""
    output: str = ""


class Checkers:
    """Runs checkers, each in a throw-away container on the network that the teams share."""

    def __init__(self, engine: RangeEngine) -> None:
        self._engine = engine

    def ask(self, service: TeamService, errand: Errand) -> Told:
        """Send a checker on an errand; never raises what the engine raises."""
        try:
            ran = self._engine.visit(
                service.exercise,
                service.network,
                service.command,
                image=service.image,
                environment=_environment(service, errand),
                timeout=service.timeout,
            )
        except _OURS as error:
            return Told(verdict=Verdict.INFRA_ERROR, output=str(error))
        return _told(ran)


def _environment(service: TeamService, errand: Errand) -> Mapping[str, str]:
    return {
        "POLIGON_ACTION": errand.action,
        "POLIGON_TARGET": str(service.address),
        "POLIGON_PORT": str(service.port),
        "POLIGON_ROUND": str(errand.round),
        "POLIGON_FLAG": errand.flag,
        "POLIGON_FLAG_ID": errand.flag_id,
    }


def _told(ran: RunResult) -> Told:
    # What the service said may be in it, and neither an environment nor a database takes zeros.
    printed, errors = (text.replace("\0", "�") for text in (ran.output, ran.errors))
    output = "\n".join(text.strip() for text in (printed, errors) if text.strip())
    return Told(
        verdict=_VERDICTS.get(ran.exit_code, Verdict.INFRA_ERROR),
        flag_id=printed.strip()[:_FLAG_ID_CHARACTERS],
        output=output[-_OUTPUT_CHARACTERS:],
    )
