"""Who gets in where, by role, phase and place."""

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import delete

from core.scenario.load import LoadedScenario, load
from core.users.model import Role
from core.users.tables import UserRow
from orchestrator.access import Access
from orchestrator.casting import Casting, MemberUnknownError, RoleUnknownError
from orchestrator.domain.exercise import Exercise
from orchestrator.doorkeeper import Entry, EntryRefusedError, HostNotChosenError
from orchestrator.journal import By
from orchestrator.library import Library
from orchestrator.service import TeamSpec
from orchestrator.tables import MemberRow
from orchestrator.timekeeping import Timekeeping
from tests.unit.orchestrator.conftest import SCENARIO, Site

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIPdVJf0mWx+8GyNYMDcpRGvJxnqb0FJHmGMhfWJtKtCW me@laptop"
ROLES = "roles: {analyst: {side: blue}, reader: {side: blue}, lead: {side: blue, extends: analyst}}"
MAILER = "accounts: [{name: post, roles: [reader, lead]}]"
ACCESS = """\
access:
  - {roles: [analyst], host: desk, as: ana, default: true}
  - {roles: [lead], host: mail, as: post}
  - {roles: [reader], host: desk, as: zoe}
  - {roles: [reader], host: mail, as: post}
"""


@pytest.fixture
def harbour(tmp_path: Path) -> LoadedScenario:
    """Load the harbour with three roles: a reader has two hosts and no default."""
    folder = tmp_path / "roles" / "harbour"
    folder.mkdir(parents=True)
    text = SCENARIO.replace("roles: {analyst: {side: blue}}", ROLES)
    text = text.replace(
        "{name: ana, roles: [analyst]}",
        "{name: ana, roles: [analyst, lead]}, {name: zoe, roles: [reader]}",
    )
    text = text.replace("    networks: {dmz: {alias", f"    {MAILER}\n    networks: {{dmz: {{alias")
    old = next(line for line in text.splitlines() if line.startswith("access:"))
    (folder / "scenario.yaml").write_text(text.replace(f"{old}\n", ACCESS))
    return load(folder)


@pytest.fixture
def access(site: Site) -> Access:
    for name in ("ana", "ben", "cem"):
        site.users.add(name, role=Role.TRAINEE, password=f"{name}-password")
    site.users.add("ina", role=Role.INSTRUCTOR)
    site.users.add("sara", role=Role.STAFF)
    return Access(site.users, site.exercises)


@pytest.fixture
def casting(site: Site, tmp_path: Path) -> Casting:
    return Casting(site.database, site.clock, Library(site.database, site.clock, tmp_path / "p"))


@pytest.fixture
def exercise(site: Site, access: Access, harbour: LoadedScenario) -> Exercise:
    teams = [
        TeamSpec(name="North", members=("ana", "ben"), roles={"ben": "reader"}),
        TeamSpec(name="South", members=("cem",), roles={"cem": "analyst"}),
    ]
    launched = site.exercises.launch(harbour, teams=teams, by=None)
    site.work()
    return site.exercises.start(launched.id)


def where(entry: Entry) -> tuple[str, str, str]:
    return entry.host.world.team, entry.host.host, entry.account


def test_a_launch_says_who_plays_whom_and_everybody_else_has_the_widest_role(
    exercise: Exercise,
) -> None:
    roles = {member.name: member.role for team in exercise.teams for member in team.members}
    assert roles == {"ana": "lead", "ben": "reader", "cem": "analyst"}


def test_a_launch_with_a_role_that_is_none_names_the_roles_and_launches_nothing(
    site: Site, access: Access, harbour: LoadedScenario
) -> None:
    with pytest.raises(RoleUnknownError, match=r"no role 'boss'.*analyst, reader, lead"):
        site.exercises.launch(
            harbour, teams=[TeamSpec(name="N", members=("ana",), roles={"ana": "boss"})], by=None
        )
    assert site.exercises.recent() == ()


@pytest.mark.usefixtures("exercise")
def test_one_lands_where_the_role_does_or_on_the_host_that_was_named(access: Access) -> None:
    assert where(access.enter("ana")) == ("north", "desk", "ana")
    assert where(access.enter("ana.mail")) == ("north", "mail", "post")
    assert where(access.enter("ben.desk")) == ("north", "desk", "zoe")


@pytest.mark.usefixtures("exercise")
def test_a_role_of_several_hosts_without_a_default_is_asked_which(access: Access) -> None:
    with pytest.raises(HostNotChosenError) as asked:
        access.enter("ben")
    assert asked.value.hosts == ("desk", "mail")
    assert "Open to you: desk, mail; name one after a dot" in str(asked.value)


@pytest.mark.usefixtures("exercise")
def test_a_host_that_the_role_does_not_enter_is_refused_with_those_that_it_does(
    access: Access,
) -> None:
    with pytest.raises(EntryRefusedError, match=r"does not enter mail. Open to you: desk;"):
        access.enter("cem.mail")


# Roles that change


def test_another_role_counts_at_once_also_for_who_is_inside(
    access: Access, casting: Casting, exercise: Exercise
) -> None:
    inside, before = access.enter("ana.mail"), access.edition()
    assert not access.why_leave("ana.mail", inside)
    casting.give(exercise, "ana", role="analyst", by=By(reason="swapped"))
    assert access.edition() != before
    assert access.why_leave("ana.mail", inside)
    with pytest.raises(EntryRefusedError, match="your role does not enter mail"):
        access.enter("ana.mail")


def test_another_role_that_enters_by_another_account_cuts_who_is_inside(
    access: Access, casting: Casting, exercise: Exercise
) -> None:
    inside = access.enter("cem.desk")
    casting.give(exercise, "cem", role="reader")
    assert access.why_leave("cem.desk", inside)
    assert access.enter("cem.desk").account == "zoe"


def test_another_role_is_written_into_the_log_once(
    site: Site, casting: Casting, exercise: Exercise
) -> None:
    casting.give(exercise, "ana", role="analyst", by=By(reason="swapped"))
    casting.give(exercise, "ana", role="analyst", by=By(reason="again"))
    said = [
        (entry.subject, entry.text, entry.reason)
        for entry in site.exercises.journal.of(exercise.id)
        if entry.act == "member.role_changed"
    ]
    assert said == [("ana", "ana plays analyst, and played lead before", "swapped")]


def test_a_role_or_member_that_is_not_there_is_refused(
    casting: Casting, exercise: Exercise
) -> None:
    with pytest.raises(RoleUnknownError, match="analyst, reader, lead"):
        casting.give(exercise, "ana", role="boss")
    with pytest.raises(MemberUnknownError, match="'ina' is in no team"):
        casting.give(exercise, "ina", role="lead")


# Phases and clocks


@pytest.mark.parametrize(
    ("move", "why"),
    [
        ("pause", "^the exercise is paused; your instructor resumes it. Come back when it is run"),
        ("end", "^the exercise has ended$"),
    ],
)
def test_a_phase_that_lets_nobody_in_cuts_who_is_inside_and_says_why(
    site: Site, access: Access, exercise: Exercise, move: str, why: str
) -> None:
    inside, before = access.enter("ana"), access.edition()
    getattr(site.exercises, move)(exercise.id)
    assert access.edition() != before
    assert access.why_leave("ana", inside)
    with pytest.raises(EntryRefusedError, match=why):
        access.enter("ana")


def test_before_the_start_nobody_is_let_in(
    site: Site, access: Access, harbour: LoadedScenario
) -> None:
    site.exercises.launch(harbour, teams=[TeamSpec(name="N", members=("ana",))], by=None)
    site.work()
    with pytest.raises(EntryRefusedError, match="has not started yet"):
        access.enter("ana")


def test_who_plays_in_no_exercise_is_sent_to_the_instructor(access: Access) -> None:
    with pytest.raises(EntryRefusedError, match=r"^you are in no exercise\. Tell your instructor$"):
        access.enter("ana")


def test_a_team_that_is_stopped_is_cut_and_the_others_are_not(
    site: Site, access: Access, exercise: Exercise
) -> None:
    inside, other, before = access.enter("ana"), access.enter("cem"), access.edition()
    Timekeeping(site.database, site.clock, site.exercises).pause_team(exercise.id, "north")
    assert access.edition() != before
    assert access.why_leave("ana", inside)
    assert not access.why_leave("cem", other)
    with pytest.raises(EntryRefusedError, match="your team is paused"):
        access.enter("ana")


@pytest.mark.usefixtures("exercise")
def test_a_user_who_is_removed_is_cut(site: Site, access: Access) -> None:
    inside = access.enter("cem")
    cem = site.users.named("cem").id
    with site.database.transaction() as transaction:
        transaction.session.execute(delete(MemberRow).where(MemberRow.user_id == cem))
        transaction.session.execute(delete(UserRow).where(UserRow.id == cem))
    assert access.why_leave("cem", inside)
    with pytest.raises(EntryRefusedError, match="there is no such user"):
        access.enter("cem")


@pytest.mark.usefixtures("exercise")
def test_a_new_password_cuts_nobody(site: Site, access: Access) -> None:
    inside = access.enter("ana")
    site.users.set_password("ana", "another-password")
    assert not access.why_leave("ana", inside)


# Staff


def test_staff_enter_a_teams_host_by_the_trainees_account_and_it_is_written_down(
    site: Site, access: Access, exercise: Exercise
) -> None:
    entry = access.enter("ina.south.desk")
    assert where(entry) == ("south", "desk", "ana")
    assert "You are in a team's machine as staff" in entry.greeting
    noted = site.exercises.journal.latest(exercise.id, limit=1)[0]
    assert (noted.act, noted.actor, noted.team) == ("staff.entered", "ina", "south")
    assert noted.text == "ina entered desk as ana"


def test_staying_is_not_written_down(site: Site, access: Access, exercise: Exercise) -> None:
    entry = access.enter("ina.south.desk")
    before = access.edition()
    assert not access.why_leave("ina.south.desk", entry)
    assert access.edition() == before


def test_staff_stay_while_it_is_paused_and_go_when_the_machines_go(
    site: Site, access: Access, exercise: Exercise
) -> None:
    entry = access.enter("ina.south.desk")
    site.exercises.pause(exercise.id)
    assert not access.why_leave("ina.south.desk", entry)
    site.exercises.end(exercise.id)
    site.exercises.destroy(exercise.id)
    assert access.why_leave("ina.south.desk", entry)


def test_staff_land_in_the_exercise_that_runs_or_in_the_one_that_they_name(
    site: Site, access: Access, exercise: Exercise, harbour: LoadedScenario
) -> None:
    later = site.exercises.launch(harbour, teams=[TeamSpec(name="South")], by=None)
    site.work()
    assert access.enter("ina.south.mail").host.world.exercise == exercise.id
    there = access.enter(f"ina.{later.name}.south.mail").host.world.exercise
    assert there == later.id


def test_staff_whose_login_leads_elsewhere_go_and_nobody_is_said_to_have_entered(
    site: Site, access: Access, exercise: Exercise, harbour: LoadedScenario
) -> None:
    inside = access.enter("ina.south.desk")
    site.clock.advance(timedelta(seconds=1))
    later = site.exercises.launch(harbour, teams=[TeamSpec(name="South")], by=None)
    site.work()
    site.exercises.start(later.id)
    before = access.edition()
    assert access.why_leave("ina.south.desk", inside) == "Your access to this host has ended"
    assert access.edition() == before


@pytest.mark.usefixtures("exercise")
@pytest.mark.parametrize(
    ("login", "why"),
    [
        ("ana.south.desk", "your role does not enter south.desk"),
        ("sara.south.desk", "you are in no exercise"),
        ("ina.west.desk", "no exercise that stands has a team west"),
        ("ina.south.safe", "has no host safe. Its hosts are desk, mail"),
        ("ina", "you are in no team. Name a team and a host: ina.TEAM.HOST"),
    ],
)
def test_what_staff_cannot_enter_is_refused_with_a_sentence(
    access: Access, login: str, why: str
) -> None:
    with pytest.raises(EntryRefusedError, match=why):
        access.enter(login)


@pytest.mark.usefixtures("exercise")
def test_the_key_of_staff_alone_says_who_enters_a_teams_host(site: Site, access: Access) -> None:
    assert access.staff_login("south.desk", KEY) is None
    site.users.add_key("ina", KEY)
    assert access.staff_login("south.desk", KEY) == "ina.south.desk"
    assert access.staff_login("south", KEY) is None
    assert access.staff_login("ana.desk", KEY) is None  # somebody's own name


@pytest.mark.usefixtures("exercise")
def test_the_key_of_a_trainee_names_nobody_for_a_teams_host(site: Site, access: Access) -> None:
    site.users.add_key("ana", KEY)
    assert access.staff_login("south.desk", KEY) is None


# First logins


def test_a_member_without_password_and_key_is_given_a_code_with_the_logins(
    site: Site, access: Access, harbour: LoadedScenario
) -> None:
    site.users.add("dea", role=Role.TRAINEE)
    teams = [TeamSpec(name="North", members=("ana", "dea")), TeamSpec(name="South")]
    launched = site.exercises.launch(harbour, teams=teams, by=None)
    logins = {login.user: login for login in site.exercises.issue_logins(launched.id)}
    guest = launched.teams[1].members[0].name
    assert logins.keys() == {"dea", guest}
    assert access.code_fits("dea", logins["dea"].code)
    assert not logins["dea"].password
    assert access.password_fits(guest, logins[guest].password)
    assert not logins[guest].code
