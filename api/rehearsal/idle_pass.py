"""The pass of the team that does nothing: the story goes on without it, to its end."""

from datetime import timedelta

from api.rehearsal.holding import Wanted, see_held, wanted_by_injects
from api.rehearsal.notes import Notes
from api.rehearsal.others import Others
from api.rehearsal.stage import Stage
from orchestrator.domain.exercise import Team
from orchestrator.domain.injects import FiringState


class IdlePass:
    """Every inject that waits for time or for somebody's hand; and other teams' answers."""

    def __init__(self, stage: Stage, team: int, notes: Notes) -> None:
        self._stage = stage
        self._number = team
        self._notes = notes
        self._others = Others(stage, notes)

    @property
    def _team(self) -> Team:
        return self._stage.team(self._number)

    def play(self) -> None:
        """Jump from inject to inject until the end; then fire by hand what waits for that."""
        self._stage.tick()
        self._others.send(self._team)
        self._let_checks_pass()
        while self._go_on() or self._fire_next():
            self._others.send(self._team)
        self._outlast_links()

    def _let_checks_pass(self) -> None:
        """See checks pass that injects wait for and that no longer did once it was solved."""
        solved = self._stage.inject_states(self._stage.team(1))
        never = {name for name, state in solved.items() if not state.times}

        def wanted() -> Wanted:
            return wanted_by_injects(self._stage, self._team, among=never)

        self._stage.checks_run = True
        see_held(self._stage, self._team, wanted)
        self._stage.checks_run = False

    def _go_on(self) -> bool:
        following = self._stage.next_inject(self._team)
        if following is None or following > self._stage.exercise.length(self._team.id):
            return False
        self._stage.reach(self._team, following)
        return True

    def _fire_next(self) -> bool:
        states = self._stage.inject_states(self._team)
        for name in self._stage.manual():
            if not states[name].times and states[name].state != FiringState.FAILED:
                self._stage.fire(self._team, name)
                return True
        return False

    def _outlast_links(self) -> None:
        """Let every link that was changed for some time be as planned again."""
        injects = self._stage.scenario.injects.values()
        longest = max(
            (i.link.for_ for i in injects if i.link is not None and i.link.for_ is not None),
            default=timedelta(),
        )
        if longest:
            self._stage.reach(self._team, self._stage.elapsed(self._team) + longest)


def judge_injects(stage: Stage, notes: Notes) -> None:
    """Note which injects went out for a team, and what is wrong with those that did not."""
    by_team = [stage.inject_states(team) for team in stage.exercise.teams]
    for name in stage.scenario.injects:
        states = [states[name] for states in by_team]
        if any(state.times for state in states):
            notes.fired.add(name)
        failed = next((s for s in states if s.state == FiringState.FAILED), None)
        undecided = any(s.state == FiringState.UNDECIDED for s in states)
        if failed is not None:
            notes.wrong(f"the inject {name} failed: {failed.detail or 'it is not known why'}")
        elif undecided:
            notes.wrong(f"the inject {name} came too late to go out by itself")
        elif name not in notes.fired:
            notes.wrong(f"the inject {name} never went out, neither for an idle team nor solved")
