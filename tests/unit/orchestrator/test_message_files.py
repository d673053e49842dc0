"""Files that go with messages: whose they are, what is in them, and from where."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from orchestrator.injects.errors import MessageFileUnknownError, MessageUnknownError
from orchestrator.injects.messages import MessageView
from orchestrator.service import TeamSpec
from tests.fakes.inject_site import InjectSite, inject_site

STORY = """\
  press:
    at: 5m
    message:
      text: Read this.
      files:
        - {from: text/press.pdf, name: Press release.pdf}
        - {template: text/notice.txt.j2}
  lead: {at: 6m, message: {to: lead, text: For the lead., files: [{from: text/press.pdf}]}}
  plain: {at: 7m, message: {text: Nothing with it.}}
  log:
    manual: true
    message:
      text: The log of the mail server.
      files:
        - generate: ssh-bruteforce
          name: auth.log
          with: {user: "{{ team }}", host: mail, at: "{{ exercise.start | shift('-3h') }}"}
  odd: {manual: true, message: {text: Odd., files: [{template: text/odd.j2}]}}
"""
PRESS = bytes(range(256))
NOTICE = "To {{ team.name }}:{% for host in ['files'] %} {{ hosts.files.ip }}{% endfor %}"
ODD = "{{ 1 // (team.number - 2) }}"


@pytest.fixture
def site(tmp_path: Path) -> Iterator[InjectSite]:
    texts = tmp_path / "harbour" / "text"
    texts.mkdir(parents=True)
    (texts / "press.pdf").write_bytes(PRESS)
    (texts / "notice.txt.j2").write_text(NOTICE)
    (texts / "odd.j2").write_text(ODD)
    with inject_site(tmp_path, STORY) as site:
        for _ in range(8):
            site.pass_time(1)
        yield site


def message(site: InjectSite, inject: str, number: int = 1) -> MessageView:
    told = site.services.injects.messages(site.exercise, team=site.team(number).slug)
    return next(message for message in told if message.inject == inject)


def opened(site: InjectSite, message: int, number: int, *, by: int = 1) -> bytes:
    """Return what a member of the team `by` gets."""
    injects = site.services.injects
    return injects.message_file_to(
        site.exercise, site.team(by), site.member(by), message, number
    ).content


def test_a_message_lists_its_files_with_sizes_of_those_that_are_as_they_are(
    site: InjectSite,
) -> None:
    files = message(site, "press").files
    assert [(f.name, f.size) for f in files] == [("Press release.pdf", 256), ("notice.txt", None)]
    assert message(site, "plain").files == ()


def test_a_file_is_byte_for_byte_the_scenarios(site: InjectSite) -> None:
    assert opened(site, message(site, "press").id, 1) == PRESS


def test_a_template_is_rendered_for_the_team_whoever_reads_it(site: InjectSite) -> None:
    notices = []
    for number in (1, 2):
        told = message(site, "press", number)
        exercise, team = site.exercise, site.team(number)
        ip = site.services.exercises.facts(exercise, team).addresses["files"]["office"]
        expected = f"To Team {number}: {ip}".encode()
        assert opened(site, told.id, 2, by=number) == expected
        seen = site.services.injects.message_file(exercise, told.id, 2)
        assert (seen.name, seen.content) == ("notice.txt", expected)
        notices.append(expected)
    assert notices[0] != notices[1]


def test_what_came_later_into_the_folder_is_not_what_is_handed_out(
    site: InjectSite, tmp_path: Path
) -> None:
    texts = tmp_path / "harbour" / "text"
    (texts / "press.pdf").write_bytes(b"today's")
    (texts / "notice.txt.j2").unlink()
    told = message(site, "press").id
    assert opened(site, told, 1) == PRESS
    assert opened(site, told, 2).startswith(b"To Team 1")


def test_files_of_another_team_of_another_role_and_of_nothing_are_unknown(
    site: InjectSite,
) -> None:
    others = message(site, "press", 2).id
    for unknown in (others, message(site, "lead").id, 10_000):
        with pytest.raises(MessageUnknownError):
            opened(site, unknown, 1)
    assert opened(site, others, 1, by=2) == PRESS


@pytest.mark.parametrize("number", [-1, 0, 3])
def test_a_number_that_no_file_has_is_unknown(site: InjectSite, number: int) -> None:
    with pytest.raises(MessageFileUnknownError):
        opened(site, message(site, "press").id, number)


def test_a_message_of_another_exercise_is_unknown(site: InjectSite) -> None:
    scenario = site.services.exercises.scenario(site.exercise)
    other = site.services.exercises.launch(scenario, teams=[TeamSpec(name="Others")], by=None)
    with pytest.raises(MessageUnknownError):
        site.services.injects.message_file(other, message(site, "press").id, 1)


def test_an_inject_whose_file_cannot_be_written_fails_and_sends_nothing(site: InjectSite) -> None:
    site.services.injects.fire(site.exercise.id, "odd")
    assert [site.state("odd", number).state for number in (1, 2)] == ["fired", "failed"]
    assert "text/odd.j2:1: ZeroDivisionError" in site.state("odd", 2).detail
    assert site.told(2) == ["Read this.", "For the lead.", "Nothing with it."]


def test_a_generated_file_is_the_teams_and_the_same_whenever_it_is_read(site: InjectSite) -> None:
    site.services.injects.fire(site.exercise.id, "log")
    told = [message(site, "log", number) for number in (1, 2)]
    assert [(f.name, f.size) for f in told[0].files] == [("auth.log", None)]
    mine, theirs = (opened(site, told[n - 1].id, 1, by=n) for n in (1, 2))
    assert mine.count(b" mail sshd") > 100
    assert b"Accepted password for team-1 from " in mine
    assert b"Accepted password for team-2 from " in theirs
    for move in (site.services.exercises.end, site.services.exercises.destroy):
        move(site.exercise.id)
        site.work()
    assert opened(site, told[0].id, 1) == mine


def test_after_the_machines_are_gone_every_file_is_as_it_was(site: InjectSite) -> None:
    told = message(site, "press").id
    notice = opened(site, told, 2)
    address = site.services.exercises.facts(site.exercise, site.team(1)).addresses["files"]
    assert str(next(iter(address.values()))).encode() in notice
    for move in (site.services.exercises.end, site.services.exercises.destroy):
        move(site.exercise.id)
        site.work()
    assert opened(site, told, 1) == PRESS
    others = site.services.exercises.launch(
        site.services.exercises.scenario(site.exercise), teams=[TeamSpec(name="Others")], by=None
    )
    site.work()
    taken = site.services.exercises.facts(others, others.teams[0]).addresses["files"]
    assert taken == address, "somebody else has the addresses now"
    assert opened(site, told, 2) == notice
