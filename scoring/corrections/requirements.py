"""Whether an amendment fits an exercise: what it names is there, and can be changed so."""

from collections.abc import Collection, Mapping
from typing import assert_never

from core.scenario.schema import Scenario
from core.scenario.schema_tasks import ChecksTask, FlagTask, GuardTask, QuestionTask, RubricTask
from orchestrator.domain.exercise import Exercise
from scoring.corrections.views import Correction, CorrectionState
from scoring.domain.amendments import (
    Accept,
    Adjust,
    Amendment,
    Defective,
    Exclude,
    Reprice,
    Revoke,
    Void,
)
from scoring.errors import CorrectionInvalidError


def require_fitting(
    amendment: Amendment,
    exercise: Exercise,
    scenario: Scenario,
    former: Mapping[str, Correction],
) -> None:
    """Raise CorrectionInvalidError unless an amendment fits; `former` are corrections by id."""
    match amendment:
        case Adjust():
            _require_known("team", amendment.team, [team.slug for team in exercise.teams])
            _require_known("task", amendment.task, scenario.tasks)
        case Void():
            _require_known("task", amendment.task, scenario.tasks)
        case Defective():
            _require_looking(amendment, scenario)
        case Reprice():
            _require_price(amendment, scenario)
        case Accept():
            _require_known("task", amendment.task, scenario.tasks)
            if not isinstance(scenario.tasks[amendment.task], QuestionTask | FlagTask):
                raise CorrectionInvalidError(
                    f"{amendment.task} is not answered in words", hint="Adjust its points instead"
                )
        case Exclude():
            _require_known("team", amendment.team, [team.slug for team in exercise.teams])
        case Revoke():
            _require_revocable(amendment, former)
        case _:
            assert_never(amendment)


def _require_known(what: str, name: str, known: Collection[str]) -> None:
    if name not in known:
        raise CorrectionInvalidError(
            f"this exercise has no {what} {name!r}",
            hint=f"It has {', '.join(known) or 'none'}",
        )


def _require_looking(defective: Defective, scenario: Scenario) -> None:
    if defective.check is not None:
        _require_known("check", defective.check, scenario.checks)
    if defective.service is None:
        return
    if not scenario.services:
        raise CorrectionInvalidError(
            "this exercise has no attack and defence, so no service has a checker",
            hint="Name the check that was defective",
        )
    _require_known("service", defective.service, scenario.services)


def _require_price(price: Reprice, scenario: Scenario) -> None:
    _require_known("task", price.task, scenario.tasks)
    task = scenario.tasks[price.task]
    if isinstance(task, RubricTask):
        raise CorrectionInvalidError(
            f"assessors give the points of {price.task}", hint="Mark it again, or adjust a team"
        )
    if isinstance(task, GuardTask) != (price.points < 0):
        wanted = "below zero" if isinstance(task, GuardTask) else "0 or more"
        raise CorrectionInvalidError(
            f"the points of {price.task} are {wanted}, not {price.points}",
            hint="Only a guard takes points",
        )
    least = sum(task.partial.values()) if isinstance(task, ChecksTask) else 0
    if not isinstance(task, GuardTask) and price.points < least:
        raise CorrectionInvalidError(
            f"checks of {price.task} give {least} points alone, more than {price.points}",
            hint="Adjust teams instead",
        )


def _require_revocable(revoke: Revoke, former: Mapping[str, Correction]) -> None:
    found = former.get(revoke.correction)
    if found is None or found.state is not CorrectionState.APPROVED:
        raise CorrectionInvalidError(
            f"no correction {revoke.correction!r} was approved", hint="Look at the list of them"
        )
    if isinstance(found.amendment, Revoke | Accept):
        raise CorrectionInvalidError(
            "an accepted answer stays accepted, and what was revoked stays revoked",
            hint="Propose a correction of its own",
        )
    if any(c.state is CorrectionState.APPROVED and c.amendment == revoke for c in former.values()):
        raise CorrectionInvalidError(
            f"{revoke.correction} is revoked already", hint="Look at the list of corrections"
        )
