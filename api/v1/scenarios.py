"""The scenarios on offer."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import BaseModel, Field

from api.auth import Instructor, ServicesHere
from api.catalogue import Catalogue, Offer
from api.context import catalogue_of
from api.responses import RESPONSES
from orchestrator.domain.rehearsal import Rehearsal

router = APIRouter(tags=["scenarios"], responses=RESPONSES)


class RehearsalOut(BaseModel):
    """The last rehearsal of a scenario as it is now; `findings` are what is wrong with it."""

    at: datetime
    passed: bool
    findings: list[str] = Field(examples=[[]])


class ScenarioOut(BaseModel):
    """A scenario of the site's folder; one with `problems` cannot be launched.

    Without a `rehearsal` of what its folder holds now nobody knows whether it works.
    """

    id: str = Field(examples=["night-shift"])
    version: str | None = Field(default=None, examples=["1.0.0"])
    title: str | None = Field(default=None, examples=["The night shift"])
    summary: str | None = None
    kind: str | None = Field(default=None, examples=["incident-response"])
    level: str | None = Field(default=None, examples=["introductory"])
    duration_seconds: int | None = Field(default=None, examples=[1800])
    hosts: int | None = Field(default=None, examples=[2])
    tasks: int | None = Field(default=None, examples=[5])
    problems: list[str] = Field(default=[], examples=[[]])
    rehearsal: RehearsalOut | None = None


@router.get("/scenarios")
def list_scenarios(
    _caller: Instructor,
    services: ServicesHere,
    catalogue: Annotated[Catalogue, Depends(catalogue_of)],
) -> list[ScenarioOut]:
    """List every scenario of the site's folder, broken ones with what is wrong."""
    offers = catalogue.offers()
    rehearsals = services.rehearsals.of([o.loaded.digest for o in offers if o.loaded is not None])
    return [_out(offer, rehearsals) for offer in offers]


def _out(offer: Offer, rehearsals: Mapping[str, Rehearsal]) -> ScenarioOut:
    if offer.loaded is None:
        return ScenarioOut(id=offer.id, problems=list(offer.problems))
    scenario = offer.loaded.scenario
    head = scenario.scenario
    return ScenarioOut(
        id=offer.id,
        version=head.version,
        title=head.title,
        summary=head.summary,
        kind=head.kind,
        level=head.level,
        duration_seconds=int(head.duration.total_seconds()),
        hosts=len(scenario.hosts),
        tasks=len(scenario.tasks),
        rehearsal=_rehearsal_out(rehearsals.get(offer.loaded.digest)),
    )


def _rehearsal_out(done: Rehearsal | None) -> RehearsalOut | None:
    if done is None:
        return None
    return RehearsalOut(at=done.at, passed=done.passed, findings=list(done.findings))
