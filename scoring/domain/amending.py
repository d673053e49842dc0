"""The amendments that hold: what they make of rules, of facts, and of what counts."""

from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from typing import Self, TypeVar

from pydantic import BaseModel

from core.scenario.schema_tasks import Task
from scoring.domain.amendments import Accept, Adjust, Defective, Exclude, Reprice, Revoke, Void
from scoring.domain.attack_defence.entries import round_ruling
from scoring.domain.attempts import AnswerVerdict
from scoring.domain.ledger import Cause, EntryKind, Fact, Grant, Ruling
from scoring.domain.rules import Rules
from scoring.domain.verdicts import Verdict

_T = TypeVar("_T", bound=BaseModel)


@dataclass(frozen=True, slots=True, kw_only=True)
class Amendments:
    """What holds for one team, by the facts of its corrections.

    `rounds` is what rounds of attack and defence move by the last that says so, by id.
    """

    holding: AbstractSet[str] = frozenset()
    voided: AbstractSet[str] = frozenset()
    points: Mapping[str, int] = field(default_factory=dict)
    defective: tuple[Defective, ...] = ()
    accepted: AbstractSet[str] = frozenset()
    answers: tuple[Accept, ...] = ()
    rounds: Mapping[str, int] = field(default_factory=dict)
    is_excluded: bool = False

    @classmethod
    def of(cls, corrections: Iterable[Fact]) -> Self:
        """Return what holds after corrections in their order; the last of two prices does."""
        known = [(fact.id, fact.decided) for fact in corrections if fact.decided is not None]
        decided = {id_: each.amendment for id_, each in known}
        revoked = {a.correction for a in decided.values() if isinstance(a, Revoke)}
        holding = {id_: a for id_, a in decided.items() if id_ not in revoked}
        return cls(
            holding=frozenset(holding),
            voided=frozenset(a.task for a in holding.values() if isinstance(a, Void)),
            points={a.task: a.points for a in holding.values() if isinstance(a, Reprice)},
            defective=tuple(a for a in holding.values() if isinstance(a, Defective)),
            accepted=frozenset(
                s for a in holding.values() if isinstance(a, Accept) for s in a.submissions
            ),
            answers=tuple(a for a in holding.values() if isinstance(a, Accept)),
            rounds={id_: moved for _, each in known for id_, moved in each.rounds.items()},
            is_excluded=any(isinstance(a, Exclude) for a in holding.values()),
        )

    @property
    def checkers(self) -> tuple[Defective, ...]:
        """Which checkers of services were defective, and when."""
        return tuple(d for d in self.defective if d.service is not None)

    def of_points(self, name: str, task: Task) -> int:
        """Return what a task gives: nothing when it is void."""
        return 0 if name in self.voided else self.points.get(name, task.points)

    def accepts(self, task: str, value: str) -> bool:
        """Tell whether a text was accepted as an answer to a task."""
        return any(a.task == task and a.is_said_by(value) for a in self.answers)

    def rules(self, rules: Rules) -> Rules:
        """Return the rules with the points that hold."""
        if not self.points:
            return rules
        checks = {
            name: replace(
                check,
                availability={n: self._repriced(n, t) for n, t in check.availability.items()},
                guards={n: self._repriced(n, t) for n, t in check.guards.items()},
                checked={n: self._repriced(n, t) for n, t in check.checked.items()},
            )
            for name, check in rules.checks.items()
        }
        tasks = {name: self._repriced(name, task) for name, task in rules.tasks.items()}
        return Rules(tasks=tasks, checks=checks)

    def seen(self, fact: Fact) -> Fact | None:
        """Return a fact as it counts; `None` for one from which nothing follows by itself."""
        match fact.cause:
            case Cause.CHECK_RUN if self._is_defective(fact):
                return fact._replace(outcome=Verdict.INFRA_ERROR)
            case Cause.SERVICE_ROUND if fact.id in self.rounds:
                return fact._replace(ruling=round_ruling(self.rounds[fact.id]))
            case Cause.SUBMISSION if fact.id in self.accepted:
                return fact._replace(outcome=AnswerVerdict.CORRECT, milli_points=0)
            case Cause.CORRECTION if fact.decided is not None:
                return self._adjustment(fact)
            case _:
                return fact

    def _is_defective(self, run: Fact) -> bool:
        return any(d.check == run.subject and d.since <= run.at < d.until for d in self.defective)

    def _adjustment(self, fact: Fact) -> Fact | None:
        assert fact.decided is not None  # corrections are decided
        adjust = fact.decided.amendment
        if fact.id not in self.holding or not isinstance(adjust, Adjust):
            return None
        grant = Grant(task=adjust.task, kind=EntryKind.CORRECTION, milli_points=adjust.milli_points)
        return fact._replace(ruling=Ruling(grants=(grant,), reason=fact.decided.reason))

    def _repriced(self, name: str, task: _T) -> _T:
        points = self.points.get(name)
        return task if points is None else task.model_copy(update={"points": points})
