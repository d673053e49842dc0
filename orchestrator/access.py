"""Who gets in where, answered from the database for the gateway."""

from functools import partial

from core.scenario.access import default_entry, entries_for
from core.scenario.schema import Access as AccessEntry
from core.scenario.schema import Scenario
from core.users.model import User, UserUnknownError
from core.users.service import Users
from orchestrator.domain.exercise import Exercise, Member, Team
from orchestrator.domain.phases import BECAUSE, PERMITS, STANDING, Act, Phase
from orchestrator.domain.record import Record, greeting
from orchestrator.domain.world import HostKey, WorldKey
from orchestrator.doorkeeper import Entry, EntryRefusedError, HostNotChosenError
from orchestrator.service import Exercises
from orchestrator.staff_access import StaffAccess, is_for_staff

_LEADS_ELSEWHERE = "Your access to this host has ended"
_BEFORE_IT_RUNS = frozenset(
    {Phase.DRAFT, Phase.PROVISIONING, Phase.READY, Phase.DEGRADED, Phase.PAUSED}
)


class Access:
    """The gateway's doorkeeper. A login is a user's name, then perhaps where they want to go."""

    def __init__(self, users: Users, exercises: Exercises) -> None:
        self._users = users
        self._exercises = exercises
        self._staff = StaffAccess(exercises)

    def password_fits(self, login: str, password: str) -> bool:
        """Tell whether the password is that user's."""
        return self._users.password_fits(_user_name(login), password)

    def key_fits(self, login: str, public_key: str) -> bool:
        """Tell whether the key is one of that user's; one look-up."""
        return self._users.key_fits(_user_name(login), public_key)

    def staff_login(self, login: str, public_key: str) -> str | None:
        """Return `name.login` when `login` is a team's host, nobody's name, and the key staff's."""
        owner = self._users.owner_of_key(public_key)
        if owner is None or not owner.runs_exercises or "." not in login:
            return None
        try:
            self._users.named(_user_name(login))
        except UserUnknownError:
            return f"{owner.name}.{login}"
        return None

    def code_fits(self, login: str, code: str) -> bool:
        """Tell whether this is that user's one-time code; it stays good."""
        return self._users.codes.fits(_user_name(login), code)

    def code_expired(self, login: str, code: str) -> bool:
        """Tell whether this was that user's one-time code and its time is over."""
        return self._users.codes.has_expired(_user_name(login), code)

    def enrol_key(self, login: str, code: str, public_key: str) -> None:
        """Use the code for a key; raises KeyInvalidError, CodeRefusedError."""
        self._users.codes.enrol_key(_user_name(login), code, public_key)

    def enrol_password(self, login: str, code: str, password: str) -> None:
        """Use the code for a password; raises PasswordTooShortError, CodeRefusedError."""
        self._users.codes.enrol_password(_user_name(login), code, password)

    def enter(self, login: str) -> Entry:
        """Return where the login leads now; raises EntryRefusedError with a sentence.

        That staff enter a team's host is written into the exercise's log.
        """
        user, place = self._split(login)
        if is_for_staff(user, place):
            return self._staff.enter(user, place)
        return self._member_entry(user, place)

    def why_leave(self, login: str, entry: Entry) -> str:
        """Return why a session that was let in may not go on, on that host by that account."""
        try:
            user, place = self._split(login)
            if is_for_staff(user, place):
                holds = self._staff.find(place).leads_to(entry)
            else:
                now = self._member_entry(user, place)
                holds = (now.host, now.account) == (entry.host, entry.account)
        except EntryRefusedError as error:
            return str(error)
        return "" if holds else _LEADS_ELSEWHERE

    def edition(self) -> int:
        """Return the number of the last act in any exercise: each move, stop and role is one."""
        return self._exercises.journal.last()

    def _split(self, login: str) -> tuple[User, str]:
        name, _, place = login.partition(".")
        try:
            return self._users.named(name), place
        except UserUnknownError as error:
            raise EntryRefusedError("there is no such user") from error

    def _member_entry(self, user: User, host: str) -> Entry:
        exercise, team, member = self._place(user)
        if team.world not in STANDING:
            raise EntryRefusedError(
                f"your team's machines are {team.world}", hint="Tell your instructor"
            )
        scenario = self._exercises.scenario(exercise).scenario
        title = f"{exercise.scenario_title} · {team.name}"
        found = _entry(scenario, member.role, host, title)
        kept = scenario.hosts[found.host].record
        title = f"{title} · {found.host}"
        return Entry(
            host=HostKey(world=WorldKey(exercise=exercise.id, team=team.slug), host=found.host),
            account=self._exercises.renderer(exercise, team).text(found.as_),
            greeting=greeting(kept, title),
            record=Record.of(kept, title=title, elapsed=partial(exercise.elapsed, team=team.id)),
        )

    def _place(self, user: User) -> tuple[Exercise, Team, Member]:
        """Return where somebody plays now: the newest exercise that lets trainees in."""
        own = self._exercises.of_member(user.id)
        if not own and user.runs_exercises:
            raise EntryRefusedError(
                "you are in no team", hint=f"Name a team and a host: {user.name}.TEAM.HOST"
            )
        open_now = [exercise for exercise in own if Act.ENTER in PERMITS[exercise.phase]]
        if not open_now:
            raise _closed(own[0].phase if own else None)
        exercise = open_now[0]
        team = exercise.team_of(user.id)
        assert team is not None  # the query asked for the member's exercises
        if not exercise.permits(Act.ENTER, team):
            raise EntryRefusedError(exercise.because(team), hint="Ask your instructor")
        return exercise, team, next(m for m in team.members if m.user == user.id)


def _closed(phase: Phase | None) -> EntryRefusedError:
    """Return why nobody enters in this phase of the newest exercise; `None`: there is none."""
    if phase is None:
        return EntryRefusedError("you are in no exercise", hint="Tell your instructor")
    will_run = phase in _BEFORE_IT_RUNS
    return EntryRefusedError(
        BECAUSE[phase], hint="Come back when it is running" if will_run else ""
    )


def _user_name(login: str) -> str:
    return login.partition(".")[0]


def _entry(scenario: Scenario, role: str, host: str, title: str) -> AccessEntry:
    """Return the access to `host`, or where the role lands when no host is named."""
    open_to = entries_for(scenario, role)
    hosts = tuple(dict.fromkeys(entry.host for entry in open_to))
    if not host:
        found = default_entry(scenario, role)
        if found is None and hosts:
            raise HostNotChosenError(title=title, hosts=hosts)
    else:
        found = next((entry for entry in open_to if entry.host == host), None)
    if found is None:
        raise EntryRefusedError(
            f"your role does not enter {host or 'any host'}",
            hint=f"Open to you: {', '.join(hosts) or 'none'}; name one like login.host",
        )
    return found
