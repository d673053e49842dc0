"""Staff in a team's host: where they land, as whom, and that it is written down."""

from dataclasses import dataclass
from functools import partial

from core.ids import UserId
from core.scenario.access import entries_for, widest_role
from core.users.model import User
from orchestrator.domain.exercise import Exercise, Team
from orchestrator.domain.phases import STANDING, Act, Phase
from orchestrator.domain.record import Record, greeting
from orchestrator.domain.world import HostKey, WorldKey
from orchestrator.doorkeeper import Entry, EntryRefusedError
from orchestrator.journal import By
from orchestrator.service import Exercises

_ROOT = "root"
_NOTICE = "You are in a team's machine as staff; the exercise's log says so."


@dataclass(frozen=True, slots=True, kw_only=True)
class StaffEntry:
    """A team's host that a member of staff may enter."""

    exercise: Exercise
    team: Team
    host: str

    @property
    def key(self) -> HostKey:
        """The host, as the engine names it."""
        world = WorldKey(exercise=self.exercise.id, team=self.team.slug)
        return HostKey(world=world, host=self.host)

    def leads_to(self, entry: Entry) -> bool:
        """Tell whether it leads where `entry` did."""
        return self.key == entry.host


def is_for_staff(user: User, place: str) -> bool:
    """Tell whether `place` is a team's host and `user` one of those who may enter it."""
    return user.runs_exercises and "." in place


class StaffAccess:
    """Enters `team.host` of the newest running exercise that has it, or `exercise.team.host`."""

    def __init__(self, exercises: Exercises) -> None:
        self._exercises = exercises

    def enter(self, user: User, place: str) -> Entry:
        """Return where it leads, by the account of a trainee if any lands there, else root.

        It is noted in the exercise's log. Raises EntryRefusedError.
        """
        found = self.find(place)
        account = self._account(found)
        self._exercises.note(
            found.exercise,
            "staff.entered",
            f"{user.name} entered {found.host} as {account}",
            team=found.team.id,
            subject=found.host,
            by=By(user=UserId(user.id)),
        )
        title = f"{found.exercise.scenario_title} · {found.team.name} · {found.host}"
        kept = self._exercises.scenario(found.exercise).scenario.hosts[found.host].record
        elapsed = partial(found.exercise.elapsed, team=found.team.id)
        return Entry(
            host=found.key,
            account=account,
            greeting=f"{greeting(kept, title)}\r\n{_NOTICE}",
            record=Record.of(kept, title=title, elapsed=elapsed),
        )

    def find(self, place: str) -> StaffEntry:
        """Return where it leads, and write nothing down; raises EntryRefusedError."""
        *named, team, host = place.split(".")
        exercise, found = self._team(named[0] if named else "", team)
        if found.world not in STANDING:
            raise EntryRefusedError(f"the machines of {team} are {found.world}")
        hosts = self._exercises.scenario(exercise).scenario.hosts
        if host not in hosts:
            raise EntryRefusedError(
                f"{exercise.name} has no host {host}", hint=f"Its hosts are {', '.join(hosts)}"
            )
        return StaffEntry(exercise=exercise, team=found, host=host)

    def _team(self, exercise: str, slug: str) -> tuple[Exercise, Team]:
        standing = self._exercises.permitting(Act.INSPECT)
        found = [
            (one.phase is Phase.RUNNING, one.created_at, one, team)
            for one in standing
            if exercise in {"", one.name} and (team := one.team(slug)) is not None
        ]
        if not found:
            names = ", ".join(one.name for one in standing) or "none"
            raise EntryRefusedError(
                f"no exercise that stands has a team {slug}",
                hint=f"Those that stand: {names}; name one, too: login.exercise.team.host",
            )
        *_, newest, team = max(found, key=lambda one: one[:2])
        return newest, team

    def _account(self, found: StaffEntry) -> str:
        scenario = self._exercises.scenario(found.exercise).scenario
        for entry in entries_for(scenario, widest_role(scenario)):
            if entry.host == found.host:
                return self._exercises.renderer(found.exercise, found.team).text(entry.as_)
        return _ROOT
