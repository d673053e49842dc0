"""Services of an attack-defence exercise: checkers that tell right from wrong, holes that close."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from api.rehearsal.notes import Notes
from api.rehearsal.solution import run_solution
from api.rehearsal.stage import Stage
from core.scenario.load import LoadedScenario
from orchestrator.domain.exercise import Team
from orchestrator.images import checker_namer
from orchestrator.ports import HostGoneError
from orchestrator.repository import ExerciseRepository
from scoring.checks.checkers import Action, Checkers, Errand, TeamService, Told
from scoring.domain.flags import round_flag
from scoring.domain.verdicts import Verdict

_AT_ONCE = 4  # checkers
_NEVER_PUT, _BEFORE, _AFTER = 0, 1, 2  # rounds
_ATTACK, _FLAG = "attack", "flag"
_PARTS = 3
_MOST_OUTPUT = 200


class ServiceTrial:
    """The services of both teams: the first mends its own, the second leaves them as they are.

    Its attack is played before and after, at both: what it still gets of the second team shows that
    it is the mending that keeps it from the first.
    """

    def __init__(
        self, stage: Stage, loaded: LoadedScenario, notes: Notes, *, mender: int, other: int
    ) -> None:
        self._stage = stage
        self._notes = notes
        self._mender = mender
        self._other = other
        self._services = stage.scenario.services
        self._checkers = Checkers(stage.services.engine)
        self._image = checker_namer(stage.services.settings.installation, loaded)
        with stage.services.database.reading() as session:
            self._key = ExerciseRepository(session).secret(stage.exercise.id)
        self._flag_ids: dict[tuple[str, str], str] = {}
        self._put: dict[str, tuple[str, str]] = {}
        """Flags that were left: flag → its team and service."""
        self._taken_before: set[tuple[str, str]] = set()

    def before(self) -> None:
        """See checkers content with services as they are, and the attack get their flags."""
        mender, other = self._teams()
        with self._notes.step("services before"):
            self._try(self._begin, (mender, other), "before anything was done")
            self._try(self._refuse, (mender,), "before anything was done")
        with self._notes.step("attack before"):
            self._taken_before = self._attacked((mender, other))
            missed = set(self._put.values()) - self._taken_before
            for team in (mender, other):
                for service in self._services:
                    if (team.slug, service) in missed:
                        self._notes.wrong(
                            f"{service}: the attack of the solution does not get the flag of"
                            f" {team.slug}, which has mended nothing: its hole is not shown"
                        )

    def after(self) -> None:
        """See checkers content with what was mended, and the attack fail there and only there."""
        mender, other = self._teams()
        with self._notes.step("services after"):
            self._try(self._keep, (mender,), "after it was mended")
            self._try(self._begin, (mender,), "after it was mended", number=_AFTER)
        with self._notes.step("attack after"):
            taken = self._attacked((mender, other))
            for service in self._services:
                self._judge(service, (mender.slug, service), (other.slug, service), taken)

    def see_down(self) -> None:
        """See checkers find services down whose host is stopped: the second team's."""
        _, other = self._teams()
        for host in {service.host for service in self._services.values()}:
            try:
                self._stage.services.engine.stop_host(self._stage.world(other).host(host))
            except HostGoneError:
                continue
        self._try(self._miss, (other,), "while its host is stopped")

    def _teams(self) -> tuple[Team, Team]:
        return self._stage.team(self._mender), self._stage.team(self._other)

    def _judge(
        self,
        service: str,
        mended: tuple[str, str],
        left: tuple[str, str],
        taken: set[tuple[str, str]],
    ) -> None:
        if mended in taken:
            self._notes.wrong(
                f"{service}: the attack still gets a flag after the solution mended it"
            )
        elif left not in self._taken_before:
            return  # that was told before
        elif left not in taken:
            self._notes.wrong(
                f"{service}: the attack gets no flag of {left[0]} any more, which has mended"
                " nothing: that it fails after mending shows nothing"
            )
        elif mended in self._taken_before:
            self._notes.proven_services.add(service)

    # Checkers

    def _try(
        self,
        trial: Callable[[Team, str, TeamService, int], Iterator[str]],
        teams: Iterable[Team],
        when: str,
        *,
        number: int = _BEFORE,
    ) -> None:
        """Try every service of the teams, some at once; note what is wrong, in their order."""
        trials = []
        for team in teams:
            seen = self._stage.seen_by(team)
            for name, service in self._services.items():
                asked = seen.service(
                    name, exercise=self._stage.exercise, image=self._image(service)
                )
                trials.append((team, name, partial(trial, team, name, asked, number)))
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            found = pool.map(lambda one: list(one[2]()), trials)
            for (team, name, _), faults in zip(trials, found, strict=True):
                for fault in faults:
                    self._notes.wrong(f"{name}: {fault} at {team.slug} {when}")

    def _begin(self, team: Team, name: str, service: TeamService, number: int) -> Iterator[str]:
        """Use a service, leave a flag in it, and see it there."""
        checked = self._ask(service, Action.CHECK, number)
        if checked.verdict is not Verdict.UP:
            yield f"check is {_said(checked)}"
        flag = self._flag(team, name, number)
        put = self._ask(service, Action.PUT, number, flag)
        if put.verdict is not Verdict.UP:
            yield f"put is {_said(put)}"
            return
        self._put[flag] = (team.slug, name)
        if number == _BEFORE:
            self._flag_ids[team.slug, name] = put.flag_id
        got = self._ask(service, Action.GET, number, flag, put.flag_id)
        if got.verdict is not Verdict.UP:
            yield f"get, asked for what was put, is {_said(got)}"

    def _refuse(self, team: Team, name: str, service: TeamService, _: int) -> Iterator[str]:
        """Ask for a flag that nobody put."""
        flag, flag_id = self._flag(team, name, _NEVER_PUT), self._flag_ids.get((team.slug, name))
        if flag_id is not None:
            got = self._ask(service, Action.GET, _BEFORE, flag, flag_id)
            if got.verdict in {Verdict.UP, Verdict.INFRA_ERROR}:
                yield f"get, asked for a flag that nobody put, is {_said(got)}"

    def _keep(self, team: Team, name: str, service: TeamService, _: int) -> Iterator[str]:
        """Ask for the flag that was put before."""
        flag_id = self._flag_ids.get((team.slug, name))
        if flag_id is not None:
            flag = self._flag(team, name, _BEFORE)
            got = self._ask(service, Action.GET, _BEFORE, flag, flag_id)
            if got.verdict is not Verdict.UP:
                yield f"get, asked for the flag of the round before, is {_said(got)}"

    def _miss(self, _team: Team, _name: str, service: TeamService, _: int) -> Iterator[str]:
        checked = self._ask(service, Action.CHECK, _AFTER)
        if checked.verdict is not Verdict.DOWN:
            yield f"check is {_said(checked)}"

    def _ask(
        self, service: TeamService, action: Action, number: int, flag: str = "", flag_id: str = ""
    ) -> Told:
        errand = Errand(action=action, round=number, flag=flag, flag_id=flag_id)
        return self._checkers.ask(service, errand)

    def _flag(self, team: Team, service: str, number: int) -> str:
        spec = self._services[service].flag
        return round_flag(spec, key=self._key, team=team.slug, service=service, number=number)

    # The attack

    def _attacked(self, teams: Iterable[Team]) -> set[tuple[str, str]]:
        """Play the attack of the solution; return of which team and service it got a flag."""
        solution = self._stage.scenario.solution
        if solution is None:
            return set()
        names = [team.slug for team in teams]
        player = self._stage.team(self._mender)
        said = run_solution(self._stage, player, solution, self._notes, _ATTACK, *names)
        taken = set()
        for service, flag in _flags_in(said):
            place = self._put.get(flag)
            if place is None or place[1] != service:
                self._notes.wrong(f"{service}: the attack says {flag!r}, which is no flag of it")
            else:
                taken.add(place)
        return taken


def _flags_in(output: str) -> Iterator[tuple[str, str]]:
    """Yield the services and flags of `flag<TAB>service<TAB>value` lines."""
    for line in output.splitlines():
        parts = [part.strip() for part in line.split("\t", _PARTS - 1)]
        if len(parts) == _PARTS and parts[0] == _FLAG:
            yield parts[1], parts[2]


def _said(told: Told) -> str:
    output = " ".join(told.output.split())[-_MOST_OUTPUT:]
    return f"{told.verdict} ({output})" if output else str(told.verdict)
