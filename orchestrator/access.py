"""Who gets in where, answered from the database for the gateway."""

from core.scenario.access import default_entry, entries_for
from core.scenario.schema import Access as AccessEntry
from core.scenario.schema import Scenario
from core.users.model import User, UserUnknownError
from core.users.service import Users
from orchestrator.domain.exercise import Exercise, Member, Team
from orchestrator.domain.phases import BECAUSE, PERMITS, STANDING, Act
from orchestrator.domain.world import HostKey, WorldKey
from orchestrator.doorkeeper import Entry, EntryRefusedError
from orchestrator.service import Exercises


class Access:
    """The gateway's doorkeeper. A login is a user's name, or `name.host`."""

    def __init__(self, users: Users, exercises: Exercises) -> None:
        self._users = users
        self._exercises = exercises

    def password_fits(self, login: str, password: str) -> bool:
        """Tell whether the password is that user's."""
        return self._users.password_fits(_user_name(login), password)

    def key_fits(self, login: str, public_key: str) -> bool:
        """Tell whether the key is one of that user's; one look-up."""
        return self._users.key_fits(_user_name(login), public_key)

    def enter(self, login: str) -> Entry:
        """Return where the login leads now; raises EntryRefusedError with a sentence."""
        name, _, host = login.partition(".")
        user = self._user(name)
        exercise, team, member = self._place(user)
        if team.world not in STANDING:
            raise EntryRefusedError(
                f"your team's machines are {team.world}", hint="Tell your instructor"
            )
        scenario = self._exercises.scenario(exercise).scenario
        found = _entry(scenario, member.role, host)
        return Entry(
            host=HostKey(world=WorldKey(exercise=exercise.id, team=team.slug), host=found.host),
            account=self._exercises.renderer(exercise, team).text(found.as_),
            greeting=f"{exercise.scenario_title} · {team.name} · {found.host}",
        )

    def may_stay(self, login: str, entry: Entry) -> bool:
        """Tell whether a session that was let in may go on."""
        try:
            return self.enter(login).host == entry.host
        except EntryRefusedError:
            return False

    def _user(self, name: str) -> User:
        try:
            return self._users.named(name)
        except UserUnknownError as error:
            raise EntryRefusedError("there is no such user") from error

    def _place(self, user: User) -> tuple[Exercise, Team, Member]:
        """Return where somebody plays now: the newest exercise that lets trainees in."""
        own = self._exercises.of_member(user.id)
        open_now = [exercise for exercise in own if Act.ENTER in PERMITS[exercise.phase]]
        if not open_now:
            because = BECAUSE[own[0].phase] if own else "you are in no exercise"
            raise EntryRefusedError(because, hint="Come back when it is running")
        exercise = open_now[0]
        team = exercise.team_of(user.id)
        assert team is not None  # the query asked for the member's exercises
        if not exercise.permits(Act.ENTER, team):
            raise EntryRefusedError(exercise.because(team), hint="Ask your instructor")
        return exercise, team, next(m for m in team.members if m.user == user.id)


def _user_name(login: str) -> str:
    return login.partition(".")[0]


def _entry(scenario: Scenario, role: str, host: str) -> AccessEntry:
    """Return the access to `host`, or where the role lands when no host is named."""
    open_to = entries_for(scenario, role)
    if not host:
        found = default_entry(scenario, role)
    else:
        found = next((entry for entry in open_to if entry.host == host), None)
    if found is None:
        names = ", ".join(entry.host for entry in open_to) or "none"
        raise EntryRefusedError(
            f"your role does not enter {host or 'a host by default'}",
            hint=f"Open to you: {names}; name one after a dot, like login.host",
        )
    return found
