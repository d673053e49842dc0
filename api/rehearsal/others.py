"""Answers that are another team's: they must not be right."""

from collections.abc import Sequence
from dataclasses import replace

from api.rehearsal.notes import Notes
from api.rehearsal.stage import Stage
from core.ids import new_id
from core.scenario.schema_tasks import FlagTask, QuestionTask
from core.scenario.values import derive_values
from orchestrator.domain.exercise import Team
from orchestrator.repository import ExerciseRepository
from scoring.domain.answers import judge
from scoring.domain.attempts import AnswerVerdict
from scoring.errors import TaskLockedError, TaskOverdueError
from scoring.team_scenario import TeamScenario

# So many that a number within wide bounds, which a third of them share, is never most of them.
_INVENTED_TEAMS = 100


class Others:
    """Sends what one team answered rightly in the name of another."""

    def __init__(self, stage: Stage, notes: Notes) -> None:
        self._stage = stage
        self._notes = notes
        self._sent: set[str] = set()
        self._invented: tuple[TeamScenario, ...] = ()

    def send(self, team: Team) -> None:
        """Send each answer once, as soon as its task is open for the team."""
        for name, value in self._notes.answers.items():
            task = self._stage.scenario.tasks[name]
            if name in self._sent or not isinstance(task, QuestionTask | FlagTask):
                continue
            if self._is_for_all(name, task, value, team) or self._refused(name, value, team):
                self._sent.add(name)

    def _is_for_all(self, name: str, task: QuestionTask | FlagTask, value: str, team: Team) -> bool:
        """Note an answer that is no team's own; tell also of one that is right for `team`, too.

        Times and numbers may lie close by chance: it takes most teams with another right answer.
        """
        ours = self._stage.seen_by(self._stage.team(1)).right_answer(name, task)
        others = [seen.right_answer(name, task) for seen in self._teams(team)]
        others = [other for other in others if other != ours]
        if not others:
            self._notes.remark(f"{name} has the same answer in every team: it can be passed on")
            return True
        if 2 * sum(judge(other, value) for other in others) > len(others):
            self._notes.wrong(
                f"{name}: another team's answer {value!r} is accepted, although each has its own"
            )
            return True
        return judge(self._stage.seen_by(team).right_answer(name, task), value)

    def _teams(self, team: Team) -> Sequence[TeamScenario]:
        """Return the scenario as other teams would meet it, in the places of one that stands."""
        if not self._invented:
            stage = self._stage
            loaded = stage.exercises.scenario(stage.exercise)
            with stage.services.database.reading() as session:
                key = ExerciseRepository(session).secret(stage.exercise.id)
            facts = stage.exercises.facts(stage.exercise, team)
            every = [
                replace(
                    facts,
                    slug=f"other-{number}",
                    values=derive_values(
                        stage.scenario,
                        loaded,
                        key=key,
                        team=f"other-{number}",
                        start=facts.start,
                        subnets=facts.subnets,
                    ),
                )
                for number in range(_INVENTED_TEAMS)
            ]
            self._invented = tuple(TeamScenario.known(loaded, one) for one in every)
        return self._invented

    def _refused(self, name: str, value: str, team: Team) -> bool:
        """Send it; tell whether it was sent, and note it when it was accepted."""
        stage = self._stage
        try:
            told = stage.services.scoring.answer(
                stage.exercise,
                team,
                stage.member(team),
                task=name,
                value=value,
                client_key=new_id(),
            )
        except (TaskLockedError, TaskOverdueError):
            return False
        if told.verdict not in {AnswerVerdict.WRONG, AnswerVerdict.WRONG_FORM}:
            self._notes.wrong(f"{name}: another team's answer {value!r} is {told.verdict}")
        return True
