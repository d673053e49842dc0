"""A scenario as one team meets it: its texts, right answers and probes, rendered."""

from dataclasses import dataclass
from fractions import Fraction
from typing import assert_never

from core.scenario import schema_tasks
from core.scenario.render import Renderer, TeamFacts
from core.scenario.schema import Scenario
from core.scenario.template import TemplateFailedError
from orchestrator.domain.exercise import Exercise, Team
from scoring.checks import probes
from scoring.domain import answers
from scoring.ports import Exercises


@dataclass(frozen=True, slots=True, kw_only=True)
class TeamScenario:
    """The scenario, and what is rendered for the team when it is needed."""

    scenario: Scenario
    texts: Scenario
    """The same in the language of whoever reads."""
    facts: TeamFacts
    renderer: Renderer

    @classmethod
    def of(
        cls, exercises: Exercises, exercise: Exercise, team: Team, *, language: str = ""
    ) -> "TeamScenario":
        """Return an exercise's scenario as `team` meets it; `` for its first language."""
        loaded = exercises.scenario(exercise)
        facts = exercises.facts(exercise, team)
        return cls(
            scenario=loaded.scenario,
            texts=loaded.in_language(language),
            facts=facts,
            renderer=Renderer(loaded, facts),
        )

    def shown(self, text: str) -> str:
        """Return a text for people; as it is written until the addresses in it are given."""
        try:
            return self.renderer.text(text)
        except TemplateFailedError:
            return text

    def title(self, task: str) -> str:
        """Return a task's title; its id when it has none."""
        return self.shown(self.texts.tasks[task].title or task)

    def ask(self, task: str) -> str:
        """Return what a task asks; nothing when its title says it all."""
        return self.shown(self.texts.tasks[task].ask or "")

    def checks_of(self, task: schema_tasks.Task) -> tuple[str, ...]:
        """Return the checks that decide on a task."""
        match task:
            case schema_tasks.ChecksTask():
                return task.checks
            case schema_tasks.AvailabilityTask():
                return (task.availability,)
            case _:
                return ()

    def right_answer(
        self, task: schema_tasks.QuestionTask | schema_tasks.FlagTask
    ) -> answers.Answer:
        """Return what is right for this team; raises TemplateFailedError."""
        if isinstance(task, schema_tasks.FlagTask):
            return answers.SecretAnswer(secret=str(self.facts.values[task.flag]))
        return self._answer(task.answer)

    def _answer(self, answer: schema_tasks.Answer) -> answers.Answer:
        match answer:
            case schema_tasks.Equals():
                return answers.TextAnswer(
                    text=self.renderer.text(answer.equals), fold=frozenset(answer.fold)
                )
            case schema_tasks.NumberAnswer():
                number = Fraction(str(self.renderer.number(answer.number)))
                return answers.NumberAnswer(number=number, within=_tolerance(answer.within, number))
            case schema_tasks.InstantAnswer():
                at = self.renderer.instant(answer.instant)
                return answers.InstantAnswer(at=at, within=answer.within)
            case schema_tasks.AnyOf():
                return answers.AnyAnswer(options=tuple(self._answer(a) for a in answer.any))
            case _:
                assert_never(answer)

    def look(self, check: schema_tasks.Check) -> probes.Look:
        """Return how to carry a check out for this team; raises TemplateFailedError."""
        return probes.Look(host=check.place, probe=self._probe(check), timeout=check.timeout)

    def _probe(self, check: schema_tasks.Check) -> probes.Probe:
        text = self.renderer.text
        if check.run is not None:
            return probes.CommandProbe(command=tuple(text(word) for word in check.run))
        if check.http is not None:
            contains = check.http.contains
            return probes.HttpProbe(
                url=text(check.http.url),
                method=check.http.method,
                status=self.renderer.integer(check.http.status),
                contains=text(contains) if contains is not None else None,
                verify=check.http.verify,
            )
        if isinstance(check.tcp, schema_tasks.TcpPeer):
            return self._peer(check.place, check.tcp)
        assert check.tcp is not None  # a check has exactly one probe
        return probes.OwnPortProbe(port=self.renderer.port(check.tcp))

    def _peer(self, place: str, peer: schema_tasks.TcpPeer) -> probes.PeerPortProbe:
        theirs, ours = self.facts.addresses[peer.host], self.facts.addresses[place]
        shared = [address for network, address in theirs.items() if network in ours]
        address = (shared or list(theirs.values()))[0]
        return probes.PeerPortProbe(address=address, port=self.renderer.port(peer.port))


def _tolerance(within: float | Fraction, number: Fraction) -> Fraction:
    # A float's text is what its author wrote; its binary value is not.
    return abs(number) * within if isinstance(within, Fraction) else Fraction(str(within))
