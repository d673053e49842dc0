"""A look at a check of a team, with everything that decides whose fault a failure is."""

from orchestrator.domain.exercise import Exercise, Team
from orchestrator.domain.world import WorldKey
from scoring.checks.prober import Prober
from scoring.checks.probes import Finding
from scoring.domain.verdicts import Verdict
from scoring.evidence import EvidenceReader
from scoring.ports import Exercises
from scoring.team_scenario import TeamScenario

_MOST_KNOWN = 1024


class Looker:
    """Looks at checks as a round does; nothing is written down."""

    def __init__(self, exercises: Exercises, prober: Prober, evidence: EvidenceReader) -> None:
        self._exercises = exercises
        self._prober = prober
        self._evidence = evidence
        self._scenarios: dict[tuple[object, ...], TeamScenario] = {}

    def look(self, exercise: Exercise, team: Team, check: str) -> Finding:
        """Return what is seen now. What the engine cannot do is a verdict, never an exception."""
        scenario = self._seen_by(exercise, team)
        evidence = scenario.scenario.checks[check].evidence
        if evidence is not None:
            return self._evidence.read(exercise, team, scenario, evidence)
        world = WorldKey(exercise=exercise.id, team=team.slug)
        finding = self._prober.look(world, scenario.look(scenario.scenario.checks[check]))
        if finding.verdict.accuses and (team.in_doubt or self._fell(exercise, world)):
            # Something in there never became ready, or what we hold up fell: nobody can tell whose
            # fault it is.
            return Finding(verdict=Verdict.INFRA_ERROR, output=finding.output)
        return finding

    def _seen_by(self, exercise: Exercise, team: Team) -> TeamScenario:
        """Return what a team is given; it stays as long as its world is not raised anew."""
        key = (exercise.id, team.id, team.world_since, exercise.phase)
        found = self._scenarios.get(key)
        if found is None:
            found = TeamScenario.of(self._exercises, exercise, team)
            if len(self._scenarios) >= _MOST_KNOWN:
                self._scenarios.clear()
            self._scenarios[key] = found
        return found

    def _fell(self, exercise: Exercise, world: WorldKey) -> bool:
        hosts = self._exercises.scenario(exercise).scenario.hosts
        wanted = {world.host(name): frozenset(host.networks) for name, host in hosts.items()}
        return self._prober.sees_ours_fallen(world, wanted)
