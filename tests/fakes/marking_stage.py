"""A stage with a report to hand in, a talk, and a message to reply to; and people who mark them.

Anna and Boris are assessors, Ina and Igor instructors, Sara is of the staff.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from core.ids import new_id
from core.users.model import Role, User
from core.users.service import Users
from orchestrator.domain.world import WorldPlan
from orchestrator.injects.service import Injects
from scoring.marking.fit import Given
from scoring.marking.marking import Marking
from scoring.marking.reading import MarkReading
from scoring.marking.views import CaseLine
from scoring.scorekeeping import Scorekeeping
from scoring.uploads.delivering import Uploads
from scoring.uploads.handed_in import HandedIn
from scoring.uploads.scanning import Scanner
from scoring.uploads.store import ContentStore
from scoring.uploads.views import Delivery
from tests.fakes.scoring_stage import SCENARIO, Stage

MARKED = (
    SCENARIO.replace("roles: {responder: {title: Responder}}", "roles: {responder: {}, clerk: {}}")
    .replace("{title: Triage}}", "{title: Triage}, REPORT: {title: Report}}")
    .replace("objectives:\n", "objectives:\n  report: {competency: REPORT, pass: 60%}\n")
    + """\
  report:
    title: The report
    ask: Write it down.
    submit: {files: [pdf, md], max: 2k, by: [responder]}
    rubric: report
    points: 40
    objective: report
    opens: {with: note}
  talk: {title: The talk, ask: Tell us., rubric: talk, points: 10, objective: report}
rubrics:
  report:
    assessors: 2
    moderate_if_apart: 20%
    criteria:
      facts: {weight: 3, levels: {0: none, 1: some, 2: most, 3: all}}
      advice: {weight: 2, levels: {0: none, 1: some, 2: good}}
      press: {title: The press, weight: 1, levels: {0: silent, 1: said}}
  talk: {criteria: {calm: {levels: {0: nervous, 1: calm}}}}
injects:
  note: {at: 10m, message: {from: Ministry, text: Write a report.}}
  call:
    at: 20m
    message: {from: Press, text: Is it true?}
    expect: {reply: text, within: 10m, rubric: report, criterion: press}
end: {grace: 5m}
"""
)
PEOPLE = {
    "anna": Role.ASSESSOR,
    "boris": Role.ASSESSOR,
    "sara": Role.STAFF,
    "ina": Role.INSTRUCTOR,
    "igor": Role.INSTRUCTOR,
}
REPORT = b"# What happened\n"


@dataclass(kw_only=True)
class MarkingStage:
    """The stage, its services for files and marks, and shortcuts of a test."""

    stage: Stage
    injects: Injects
    uploads: Uploads
    marking: Marking
    marks: MarkReading
    people: dict[str, User]
    folder: Path

    @classmethod
    def raised(
        cls, url: str, folder: Path, *, scenario: str = MARKED, scanner: Scanner | None = None
    ) -> "MarkingStage":
        """Launch and start an exercise whose assessors are Anna and Boris."""
        stage = Stage.raised(url, folder, scenario=scenario)
        database, clock, exercises = stage.database, stage.clock, stage.exercises
        users = Users(database, clock)
        people = {name: users.add(name, role=role) for name, role in PEOPLE.items()}
        uploads = folder / "uploads"
        made = cls(
            stage=stage,
            injects=Injects(
                database, clock, exercises, stage.engine, Scorekeeping(clock), _no_plan
            ),
            uploads=Uploads(
                database, clock, exercises, ContentStore(uploads), scanner or Scanner(())
            ),
            marking=Marking(database, clock, exercises),
            marks=MarkReading(database, clock, exercises),
            people=people,
            folder=uploads,
        )
        for name in ("anna", "boris"):
            made.marking.appoint(stage.exercise, people[name])
        return made

    def pass_time(self, minutes: float) -> None:
        """Let time go on, and injects go out that are due."""
        self.stage.clock.advance(timedelta(minutes=minutes))
        self.injects.sweep()

    def end(self) -> None:
        """End the exercise."""
        self.stage.exercises.end(self.stage.exercise.id)

    def handed(
        self, name: str = "report.md", *, task: str = "report", key: str = "", number: int = 1
    ) -> HandedIn:
        """Return what a member of a team wants to hand in."""
        return HandedIn(
            exercise=self.stage.exercise,
            team=self.stage.team(number),
            user=self.stage.member(number),
            task=task,
            name=name,
            client_key=key or new_id(),
        )

    def hand_in(
        self, content: bytes = REPORT, name: str = "report.md", *, key: str = "", number: int = 1
    ) -> Delivery:
        """Hand the report of a team in."""
        handed = self.handed(name, key=key, number=number)
        with self.uploads.receive(handed) as incoming:
            for at in range(0, len(content), 1000):
                incoming.write(content[at : at + 1000])
            return self.uploads.accept(handed, incoming)

    def mark(
        self,
        who: str,
        levels: Mapping[str, int],
        *,
        task: str = "report",
        place: str = "",
        hand_in: bool = True,
        reason: str = "so it was",
        number: int = 1,
    ) -> None:
        """Have somebody mark a place of a team's task."""
        self.marking.mark(
            self.stage.exercise,
            self.stage.team(number),
            self.people[who].id,
            task=task,
            place=place,
            marks=given(levels, reason),
            hand_in=hand_in,
        )

    def mark_report(self, who: str, facts: int, advice: int, press: int) -> None:
        """Have somebody hand in all marks for the first team's report."""
        self.mark(who, {"facts": facts, "advice": advice})
        self.mark(who, {"press": press}, place="call")

    def line(self, task: str = "report", *, who: str = "ina", number: int = 1) -> CaseLine:
        """Return how far a team's task has come."""
        slug = self.stage.team(number).slug
        lines = self.marks.lines(self.stage.exercise, self.people[who])
        return next(line for line in lines if (line.task, line.team) == (task, slug))


def given(levels: Mapping[str, int], reason: str = "so it was") -> dict[str, Given]:
    """Return levels with a reason each."""
    return {criterion: Given(level=level, reason=reason) for criterion, level in levels.items()}


def _no_plan(*_: object) -> WorldPlan:
    raise AssertionError("no inject here reaches into a host")
