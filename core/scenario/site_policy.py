"""What a site lets scenarios have that only it decides, and how much of everything."""

import json
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from core.errors import Fault, PoligonError
from core.scenario.fields import ByteSize, Part
from core.scenario.positions import Finding, Place, Severity
from core.scenario.schema import DEFAULT_CPUS, DEFAULT_MEMORY, Scenario
from core.scenario.schema_site import SiteOptions
from core.scenario.written import written
from core.scenario.yaml_reader import resolve

_HOSTS = r"^([a-z][a-z0-9_-]{0,40}|\*)/([a-z][a-z0-9_-]{0,40}|\*)$"
_BARE = re.compile(r"[A-Za-z_/][A-Za-z0-9_./-]*")
_MIB = 1024**2

Value = bool | str | tuple[str, ...] | Mapping[str, str]


def _of_a_scenario(text: str) -> str:
    if not re.fullmatch(_HOSTS, text, re.ASCII):
        raise ValueError(f"{text!r} is no host of a scenario; write it like night-shift/files")
    return text


class Grant(SiteOptions):
    """What some hosts may have: exactly these values."""

    host: Annotated[
        str, AfterValidator(_of_a_scenario), written("scenario/host", _HOSTS, "night-shift/files")
    ]
    """The scenario and the host, as `night-shift/files`; `*` for each means all."""

    @model_validator(mode="after")
    def _permits_something(self) -> "Grant":
        if not any(getattr(self, key) for key in SiteOptions.model_fields):
            raise ValueError(f"this permits {self.host} nothing; add what it may have")
        return self


class Quota(Part):
    """The most that one exercise may have, all its teams together; left out, without end."""

    teams: int | None = Field(default=None, ge=1)
    """The most teams."""
    hosts: int | None = Field(default=None, ge=1)
    """The most hosts."""
    memory: ByteSize | None = None
    """The most that its hosts may use of memory."""
    cpus: float | None = Field(default=None, gt=0)
    """The most that its hosts may use of processors, in cores."""


class PolicyFile(Part):
    """A site's policy as its operator wrote it."""

    policy: Literal[1]
    """The version of this file's form."""
    allow: tuple[Grant, ...] = Field(default=(), max_length=1000)
    """What hosts of scenarios may have that only the site decides."""
    quota: Quota = Quota()
    """The most that one exercise may have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """One value that a host of a scenario asks the site for, and where it stands."""

    scenario: str
    host: str
    key: str
    value: Value
    place: Place

    @property
    def line(self) -> str:
        """Return the line of a policy that permits exactly this."""
        return f"- {_flow({'host': f'{self.scenario}/{self.host}', self.key: self.value})}"

    def __str__(self) -> str:
        return f"{self.host} has {self.key}: {_flow(self.value)}"


def wishes(scenario: Scenario) -> Iterator[Wish]:
    """Yield what the scenario's hosts ask the site for, in the file's order, each value alone."""
    for name, host in scenario.hosts.items():
        for key in SiteOptions.model_fields:
            for below, value in _each(getattr(host, key)):
                yield Wish(
                    scenario=scenario.scenario.id,
                    host=name,
                    key=key,
                    value=value,
                    place=("hosts", name, key, *below),
                )


class PolicyRefusedError(PoligonError):
    """The site's policy does not permit what a launch asks for; the hint says what would."""

    code = "policy.refused"
    fault = Fault.DENIED


@dataclass(frozen=True, slots=True, kw_only=True)
class SitePolicy:
    """A policy that was read: what it permits, by the place in the file (`policy.yaml:4:5`)."""

    allow: Mapping[str, Grant] = field(default_factory=dict)
    quota: Quota = field(default_factory=Quota)

    def permission(self, wish: Wish) -> str | None:
        """Return the place in the policy that permits this; None when nothing does."""
        asked = (wish.scenario, wish.host)
        for place, grant in self.allow.items():
            permitted = zip(grant.host.split("/"), asked, strict=True)
            if all(one in {"*", name} for one, name in permitted) and _covers(
                getattr(grant, wish.key), wish.value
            ):
                return place
        return None

    def refused(self, scenario: Scenario) -> tuple[Wish, ...]:
        """Return what the scenario asks for and the site does not permit."""
        return tuple(wish for wish in wishes(scenario) if self.permission(wish) is None)

    def beyond_quota(self, scenario: Scenario, *, teams: int) -> tuple[str, ...]:
        """Return a sentence, without its stop, for each quota that so many teams would exceed."""
        limits = [host.limits for host in scenario.hosts.values()]
        needed = {
            "teams": teams,
            "hosts": teams * len(limits),
            "memory": teams * sum(limit.memory or DEFAULT_MEMORY for limit in limits),
            "cpus": teams * sum(limit.cpus or DEFAULT_CPUS for limit in limits),
        }
        quotas = {key: getattr(self.quota, key) for key in needed}
        who = "one team needs" if teams == 1 else f"{teams} teams need"
        return tuple(
            f"{who} `{_amount(key, needed[key])}`, and the site's quota of an exercise is"
            f" `{_amount(key, most)}`"
            for key, most in quotas.items()
            if most is not None and needed[key] > most
        )

    def require(self, scenario: Scenario, *, teams: int) -> None:
        """Raise PolicyRefusedError unless so many teams of the scenario may be launched here."""
        refused = self.refused(scenario)
        if refused:
            raise PolicyRefusedError(
                f"the site's policy does not permit that {refused[0]}",
                hint="\n".join((f"{HOW_TO_PERMIT}:", *(wish.line for wish in refused))),
            )
        beyond = self.beyond_quota(scenario, teams=teams)
        if beyond:
            raise PolicyRefusedError(
                "; ".join(beyond), hint="Launch fewer teams, or raise the quota"
            )


NOTHING_PERMITTED = SitePolicy()
"""The policy of a site that has none."""

HOW_TO_PERMIT = "Under `allow:` of the file that POLIGON_POLICY names, this would"


def policy_findings(scenario: Scenario, policy: SitePolicy) -> Iterator[Finding]:
    """Yield an error for each value that the policy does not permit, with the line that would."""
    for wish in policy.refused(scenario):
        message = (
            f"{wish.key} is for the site to decide; this line under `allow:` of its policy would"
            f" permit it: {wish.line}"
        )
        yield Finding(message=message, place=wish.place, at_key=not isinstance(wish.value, tuple))


def quota_warnings(scenario: Scenario, policy: SitePolicy) -> Iterator[Finding]:
    """Yield a warning for each quota that one team alone exceeds."""
    for sentence in policy.beyond_quota(scenario, teams=1):
        yield Finding(message=sentence, place=("hosts",), at_key=True, severity=Severity.WARNING)


def _each(asked: Value | None) -> Iterator[tuple[Place, Value]]:
    """Yield every value that is asked for under a key, alone, and where it stands below it."""
    match asked:
        case None | False:
            pass
        case tuple():
            yield from (((index,), (item,)) for index, item in enumerate(asked))
        case bool() | str():
            yield (), asked
        case _:
            yield from (((name,), {name: value}) for name, value in asked.items())


def _covers(permitted: Value | None, asked: Value) -> bool:
    match permitted, asked:
        case tuple(), tuple():
            return set(asked) <= set(permitted)
        case dict(), dict():
            return asked.items() <= permitted.items()
        case _:
            return permitted == asked


def _amount(key: str, amount: float) -> str:
    """Return a quota as the policy spells it, rounded up."""
    if key == "memory":
        return f"{key}: {math.ceil(amount / _MIB)}m"
    return f"{key}: {amount:g}"


def _flow(value: object) -> str:
    """Return plain data as YAML on one line, for our own reader."""
    match value:
        case bool():
            return str(value).lower()
        case tuple():
            return f"[{', '.join(map(_flow, value))}]"
        case dict():
            return f"{{{', '.join(f'{_flow(k)}: {_flow(v)}' for k, v in value.items())}}}"
        case _:
            text = str(value)
            bare = _BARE.fullmatch(text) and isinstance(resolve(text), str)
            return text if bare else json.dumps(text, ensure_ascii=False)
