"""What a rehearsal proves of a scenario, and what it finds wrong; on a fake engine."""

import base64
from pathlib import Path

import pytest

from api.rehearsal import site
from api.rehearsal.rehearsing import SiteBrokenError
from api.rehearsal.site import RehearsalLeftError, RehearsalUnderWayError, settings_of
from core.settings import Settings
from orchestrator.domain.rehearsal import Proven
from orchestrator.ports import EngineRefusedError, EngineUnavailableError, RunResult
from tests.fakes.rehearsal_hall import SAID, SCENARIO, Hall, make_tables

TABLETOP = """\
language: 1
scenario: {id: harbour, version: 1.0.0, title: The table, kind: tabletop, duration: 1h}
roles: {envoy: {side: blue}}
tasks: {who: {title: Who, ask: Who was it?, answer: nobody, points: 5}}
injects:
  call: {at: 5m, message: {from: Press, text: Who was it?}, expect: {reply: text, within: 10m}}
solution: {run: solution/play.sh, within: 1m}
"""
REPORT = SCENARIO.replace(
    "injects:\n",
    """\
  report:
    title: The report
    submit: {files: [pdf, tar.gz], max: 1k, by: [lead]}
    rubric: incident
    points: 40
    opens: {with: press}
  talk: {title: The talk, rubric: spoken, points: 10}
rubrics:
  incident: {criteria: {facts: {levels: {0: none, 1: all}}, tone: {levels: {0: poor, 1: good}}}}
  spoken: {criteria: {calm: {levels: {0: "no", 1: "yes"}}}}
injects:
""",
).replace("{reply: text,", "{reply: text, rubric: incident, criterion: tone,")


@pytest.fixture
def hall(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Hall:
    # The history of the database takes seconds; the tests on an engine go through it.
    monkeypatch.setattr(site, "upgrade", make_tables)
    return Hall(folder=tmp_path)


def test_a_scenario_that_works_passes_and_nothing_of_it_is_left(hall: Hall) -> None:
    done = hall.rehearse()
    assert done.findings == ()
    assert done.remarks == (
        "same has the same answer in every team: it can be passed on",
        "after_all has the same answer in every team: it can be passed on",
    )
    assert done.proven == Proven(answers=5, checks=3, injects=9)
    assert [step.name for step in done.steps] == [
        "images",
        "worlds",
        "before the solution",
        "solution",
        "idle team",
        "checks failing",
        "removal",
        "in all",
    ]
    assert [use.team for use in done.use] == ["team-1", "team-2"]
    assert done.use[0].peak_memory == 2 * 16 * 1024**2
    assert done.use[0].cpu_seconds == 2
    assert [image.host for image in done.images] == ["mail"], "both run the same image"
    assert hall.engine.remaining() == ()
    assert not settings_of(hall.site).home.exists()


def test_a_solution_has_the_passwords_that_its_role_is_shown(hall: Hall) -> None:
    found: dict[str, bytes] = {}

    def look() -> None:
        for host in hall.engine.hosts.values():
            for folder in host.folders.values():
                found.update((entry.path, entry.content) for entry in folder)

    hall.on_play = look
    assert hall.rehearse().findings == ()
    assert found["passwords.tsv"] == b"mail\tzoe\tSeven-7\n"


def test_each_inject_goes_out_where_it_belongs_and_once(hall: Hall) -> None:
    hall.rehearse()
    ran = [(host.world.team, words[0]) for host, words in hall.shell.ran]
    assert ran.count(("team-1", "rotate")) == 1
    assert ("team-2", "rotate") not in ran, "the idle team shut nothing"
    assert ran.count(("team-1", "drop-note")) == 1
    assert ran.count(("team-2", "drop-note")) == 1
    assert hall.engine.links == {}, "the link that was cut is whole again before the removal"


def test_a_tabletop_is_played_apart_without_any_host(hall: Hall) -> None:
    hall.write(TABLETOP)
    hall.engine.on_run_apart = lambda image, _: RunResult(
        exit_code=int(bool(image)), output="answer\twho\tnobody\nreply\tcall\tWe do not know yet.\n"
    )
    done = hall.rehearse()
    assert done.findings == ()
    assert done.proven == Proven(answers=1, checks=0, injects=1)
    assert done.use == ()


def test_a_tabletops_solution_has_the_files_that_came_with_its_teams_messages(hall: Hall) -> None:
    message = "message: {from: Press, text: Who was it?}"
    sent = message.replace("it?", "it?, files: [{template: cut.csv.j2, name: cut.csv}]")
    hall.write(TABLETOP.replace(message, sent))
    (hall.folder / "harbour" / "cut.csv.j2").write_text("seen by {{ team }}")
    hall.engine.on_run_apart = lambda *_: RunResult(
        exit_code=0, output="answer\twho\tnobody\nreply\tcall\tWe do not know yet.\n"
    )
    assert hall.rehearse().findings == ()
    files = {entry.path: entry.content for entry in hall.engine.apart_files}
    assert files["messages/call/cut.csv"] == b"seen by team-1"
    assert "play.sh" in files


def test_a_tabletop_of_files_and_replies_needs_no_answer(hall: Hall) -> None:
    tasks = """\
tasks:
  note: {title: A note, submit: {files: [md]}, rubric: note, due: {after: call, within: 9m}}
  talk: {title: A talk, rubric: talk, points: 5}
rubrics:
  note: {criteria: {facts: {levels: {0: none, 1: all}}}}
  talk: {criteria: {calm: {levels: {0: none, 1: all}}}}
"""
    before, _, after = TABLETOP.partition("tasks: ")
    hall.write(before + tasks + after.partition("\n")[2])
    hall.engine.on_run_apart = lambda image, _: RunResult(
        exit_code=int(bool(image)),
        output="submit\tnote\t/tmp/note.md\t12\nreply\tcall\tWe do not know yet.\n",
    )
    done = hall.rehearse()
    assert done.findings == ()
    assert done.proven == Proven(answers=0, files=1, checks=0, injects=1)


def test_an_inject_for_those_who_do_nothing_goes_out_for_the_idle_team(hall: Hall) -> None:
    check = "  alive: {host: desk, run: [is-alive], every: 30s}\ntasks:\n"
    alarm = "  alarm: {when: {check: alive, passing: 30m}, host: desk, run: [alarm], late: ask}\n"
    hall.write(SCENARIO.replace("tasks:\n", check).replace("solution:", f"{alarm}solution:"))
    assert hall.rehearse().findings == ()
    ran = [host.world.team for host, words in hall.shell.ran if words == ("alarm",)]
    assert ran == ["team-2"]


def test_a_check_that_passes_before_anything_was_done_is_reported(hall: Hall) -> None:
    hall.passing.add("is-gone")
    assert hall.rehearse().findings == (
        "gone passes before anything was done: contain is given away",
    )


def test_a_check_that_does_not_turn_is_reported_with_what_it_saw(hall: Hall) -> None:
    hall.works = False
    findings = hall.rehearse().findings
    assert "shut does not pass after the solution, so contain is not done: down (seen)" in findings
    assert "gone does not pass after the solution, so contain is not done: down (seen)" in findings
    assert "the inject wave never went out, neither for an idle team nor solved" in findings


def test_rounds_that_a_slow_machine_loses_are_not_the_scenarios_fault(hall: Hall) -> None:
    hall.slow = 8
    assert hall.rehearse().findings == ()
    assert hall.slow == 0


def test_what_should_be_kept_and_is_not_there_is_reported(hall: Hall) -> None:
    hall.passing.discard("is-mail-up")
    assert (
        "mail_up does not pass before anything was done, and keep is to keep it so: down (seen)"
        in hall.rehearse().findings
    )


def test_an_answer_that_is_refused_is_reported(hall: Hall) -> None:
    hall.said = ("answer\twho\tnobody", *SAID[1:])
    assert hall.rehearse().findings == (
        "who: the solution's answer 'nobody' is refused as wrong",
        "who: the solution has no answer that is accepted",
    )


def test_a_task_that_the_solution_does_not_answer_is_reported(hall: Hall) -> None:
    hall.said = SAID[1:]
    assert hall.rehearse().findings == ("who: the solution has no answer that is accepted",)


def test_another_teams_answer_that_is_accepted_is_reported(hall: Hall) -> None:
    hall.spoil("within: 1}", "within: 1000000}")
    (finding,) = hall.rehearse().findings
    assert finding.startswith("where: another team's answer ")
    assert finding.endswith(" is accepted, although each has its own")


def test_a_solution_that_hangs_is_ended_by_its_within(hall: Hall) -> None:
    hall.exit_code = 124
    findings = hall.rehearse().findings
    assert findings == ("the solution did not end within 600 s, and was ended",)


def test_a_solution_that_fails_is_reported_with_what_it_said(hall: Hall) -> None:
    hall.exit_code, hall.said = 3, (*SAID, "failed\tssh: no route ")
    assert hall.rehearse().findings == ("the solution ended with 3: ssh: no route",)


def test_each_line_that_cannot_be_used_is_reported(hall: Hall) -> None:
    lines = {
        "submit\twho\tr.pdf\t9": "the solution submits a file for 'who': no such task takes one",
        "submit\tnone\tx\t9": "the solution submits a file for 'none': no such task takes one",
        "submit\twho\t\tnone": "line 10 of the solution is not three words with tabs between:"
        " 'submit\\twho\\t'",
        "answer who me": "line 11 of the solution is not three words with tabs between:"
        " 'answer who me'",
        "answer\tnone\tx": "none: the solution's answer 'x' is refused: there is no task 'none'",
        "answer\tkeep\tx": "keep: the solution's answer 'x' is refused: keep is not answered in"
        " words",
        "reply\tnone\tx": "the solution replies to 'none', and there is no such inject",
        "reply\twave\tx": "no message of wave reached whom the solution plays, so it has no reply",
    }
    hall.said = (*SAID, *lines)
    assert hall.rehearse().findings == tuple(lines.values())


@pytest.mark.parametrize("file", ["/tmp/report.pdf", "final report.PDF", "all.tar.gz"])
def test_a_file_that_fits_is_proven_once_its_task_is_open(hall: Hall, file: str) -> None:
    hall.write(REPORT)
    hall.said = (f"submit\treport\t{file}\t1024", *SAID)
    done = hall.rehearse()
    assert done.findings == ()
    assert done.proven == Proven(answers=5, files=1, checks=3, injects=9)


@pytest.mark.parametrize(
    ("said", "finding"),
    [
        ("report.pdf\tnone", "report: the solution's file report.pdf is not there"),
        ("report.odt\t9", "report: the solution's file report.odt is of another type than pdf"),
        ("pdf\t9", "report: the solution's file pdf is of another type than pdf or tar.gz"),
        ("r.pdf\t1025", "report: the solution's file r.pdf has 1025 bytes, and 1024 at most"),
        ("r.pdf\t0", "report: the solution's file r.pdf is empty"),
    ],
)
def test_a_file_that_does_not_fit_is_reported(hall: Hall, said: str, finding: str) -> None:
    hall.write(REPORT)
    hall.said = (*SAID, f"submit\treport\t{said}")
    told, missing = hall.rehearse().findings
    assert told.startswith(finding)
    assert missing == "report: the solution submits no file that fits"


def test_a_small_file_is_handed_in_as_a_member_would(hall: Hall) -> None:
    hall.write(REPORT)
    content = base64.b64encode(b"%PDF-1.7").decode()
    hall.said = (*SAID, f"submit\treport\treport.pdf\t8:{content}")
    assert hall.rehearse().findings == ()
    wrong = base64.b64encode(b"MZ\0").decode()
    hall.said = (*SAID, f"submit\treport\treport.pdf\t3:{wrong}")
    told, missing = hall.rehearse().findings
    assert told.startswith("report: the solution's file report.pdf is refused: the file is no pdf")
    assert missing == "report: the solution submits no file that fits"


def test_a_file_for_what_never_opens_is_reported(hall: Hall) -> None:
    hall.write(REPORT.replace("    opens: {with: press}\n", "    opens: {with: praise}\n"))
    hall.works = False
    hall.said = (*SAID, "submit\treport\tr.pdf\t9")
    assert "report never opened for the solution's file" in hall.rehearse().findings


def test_a_file_for_what_opens_after_its_time_is_reported(hall: Hall) -> None:
    due = "    opens: {with: press}\n    due: {after: note, within: 1m}\n"
    hall.write(REPORT.replace("    opens: {with: press}\n", due))
    hall.said = (*SAID, "submit\treport\tr.pdf\t9")
    assert "report: the solution's file r.pdf comes after its time" in hall.rehearse().findings


def test_a_task_that_takes_a_file_needs_one(hall: Hall) -> None:
    hall.write(REPORT)
    assert hall.rehearse().findings == ("report: the solution submits no file that fits",)


def test_a_check_that_cannot_fail_is_reported(hall: Hall) -> None:
    hall.spoil("run: [is-mail-up]", 'run: ["true"]')
    (finding,) = hall.rehearse().findings
    assert finding.startswith("mail_up cannot fail: it passes in a bare container of its image")


def test_an_inject_that_fails_is_reported(hall: Hall) -> None:
    hall.shell.answers["drop-note"] = RunResult(exit_code=1, output="no")
    findings = hall.rehearse().findings
    assert any(text.startswith("the inject note failed: ") for text in findings), findings


def test_a_scenario_without_a_solution_proves_nothing(hall: Hall) -> None:
    hall.spoil("solution: {run: solution/play.sh, within: 10m}\n", "")
    assert "there is no solution: nothing shows that it can be solved" in hall.rehearse().findings


def test_what_can_be_solved_only_after_the_end_is_reported(hall: Hall) -> None:
    hall.spoil("duration: 3h", "duration: 80m")
    late = [text for text in hall.rehearse().findings if text.startswith("it is solved at ")]
    assert len(late) == 1


def test_a_host_that_is_not_ready_is_the_scenarios_fault(hall: Hall) -> None:
    hall.spoil('ready: [{run: ["true"]', 'ready: [{run: ["false"]')
    (finding,) = hall.rehearse().findings
    assert finding == (
        "a world does not stand (readiness): desk did not become ready within 1 s: false"
    )
    assert hall.engine.remaining() == ()


def test_an_image_that_does_not_build_is_the_scenarios_fault(hall: Hall) -> None:
    image = hall.folder / "harbour" / "images"
    image.mkdir()
    (image / "Dockerfile").write_text("FROM debian:bookworm-slim\nRUN false\n")
    mail = 'mail:\n    image: "debian:bookworm-slim"'
    hall.spoil(mail, "mail:\n    build: {context: images}")
    (finding,) = hall.rehearse().findings
    assert finding.startswith("a world does not stand (images): the image of host mail does not")


def test_an_engine_that_goes_away_is_the_sites_fault_and_nothing_is_left(hall: Hall) -> None:
    hall.engine.fail("raise_host", EngineUnavailableError("the engine went away"))
    with pytest.raises(EngineUnavailableError):
        hall.rehearse()
    assert hall.engine.remaining() == ()


def test_an_engine_that_refuses_a_host_is_the_sites_fault(hall: Hall) -> None:
    hall.engine.fail("raise_host", EngineRefusedError("no more containers"))
    with pytest.raises(SiteBrokenError, match="no more containers"):
        hall.rehearse()
    assert hall.engine.remaining() == ()


def test_an_engine_that_is_away_is_told_before_anything_is_made(hall: Hall) -> None:
    hall.engine.fail("info", EngineUnavailableError("the engine is away"))
    with pytest.raises(EngineUnavailableError):
        hall.rehearse()
    assert hall.engine.calls == ["info"]


def test_a_world_that_is_not_apart_is_the_sites_fault(hall: Hall) -> None:
    hall.engine.prober_is_broken = True
    with pytest.raises(SiteBrokenError, match="isolation"):
        hall.rehearse()
    assert hall.engine.remaining() == ()


def test_an_interrupt_ends_it_and_leaves_nothing(hall: Hall) -> None:
    def interrupt() -> None:
        raise KeyboardInterrupt

    hall.on_play = interrupt
    with pytest.raises(KeyboardInterrupt):
        hall.rehearse()
    assert hall.engine.remaining() == ()
    assert not settings_of(hall.site).home.exists()


def test_two_at_once_would_remove_each_other_so_the_second_is_refused(hall: Hall) -> None:
    refused: list[bool] = []

    def again() -> None:
        with pytest.raises(RehearsalUnderWayError):
            hall.rehearse()
        refused.append(True)

    hall.on_play = again
    assert hall.rehearse().passed
    assert refused


def test_what_is_kept_stands_until_the_next_rehearsal(hall: Hall) -> None:
    hall.rehearse(keep=True)
    kept = hall.engine.remaining()
    assert any("team-1" in line for line in kept)
    assert settings_of(hall.site).home.exists()
    hall.rehearse()
    assert hall.engine.remaining() == ()


def test_what_cannot_be_removed_is_told(hall: Hall, monkeypatch: pytest.MonkeyPatch) -> None:
    hall.on_play = lambda: monkeypatch.setattr(hall.engine, "remaining", lambda: ("container x",))
    with pytest.raises(RehearsalLeftError, match="container x"):
        hall.rehearse()


def test_a_rehearsal_has_a_label_of_its_own_that_fits(tmp_path: Path) -> None:
    beside = Settings(home=tmp_path, installation="a" * 21)
    another = Settings(home=tmp_path, installation="b")
    own = settings_of(beside)
    assert own.installation not in {beside.installation, settings_of(another).installation}
    assert Settings(installation=own.installation).installation == own.installation
    assert own.home != beside.home


DIGEST = "5e" * 32
EVIDENCE = (
    SCENARIO.replace("  desk:\n", "  desk:\n    record: {commands: true}\n")
    .replace(
        "checks:\n",
        """\
checks:
  copied: {evidence: {command: {host: desk, matches: 'dd .*'}, before: {check: shut}}}
  told: {evidence: {command: {host: desk, matches: 'mail .*'}, after: {check: shut}}}
  carried: {evidence: {file: {host: mail, matches: '/srv/.*', moved: out, sha256: "DIGEST"}}}
""".replace("DIGEST", DIGEST),
        1,
    )
    .replace(
        "  keep: {",
        "  order: {title: Do, ask: Do., checks: [copied, told, carried], points: 5}\n  keep: {",
    )
)


DEEDS = (
    "typed\tdesk\tdd if=/dev/sda",
    "typed\tdesk\tmail boss",
    f"moved\tmail\tout\t/srv/mbox\t{DIGEST}",
)


def test_a_solution_says_what_a_trainee_types_and_moves(hall: Hall) -> None:
    hall.write(EVIDENCE)
    hall.said = (*SAID, *DEEDS)
    done = hall.rehearse()
    assert done.findings == ()
    assert done.proven.checks == 6


@pytest.mark.parametrize(
    ("moved", "found"),
    [
        ("moved\tmail\tout\t/srv/mbox", "carried does not pass"),
        ("moved\tmoon\tout\t/srv/mbox", "the solution moves a file of 'moon', which is no host"),
        ("moved\tmail\taway\t/srv/mbox", "a host is followed by in or out"),
    ],
)
def test_what_a_solution_does_not_move_is_no_evidence(hall: Hall, moved: str, found: str) -> None:
    hall.write(EVIDENCE)
    hall.said = (*SAID, moved, *DEEDS[:-1])
    findings = hall.rehearse().findings
    assert any(found in finding for finding in findings), findings
    assert any("carried does not pass" in finding for finding in findings)


def test_what_a_solution_does_not_type_is_no_evidence(hall: Hall) -> None:
    hall.write(EVIDENCE)
    hall.said = (*SAID, "typed\tdesk\tmail boss", "typed\tmail\tdd if=/dev/sda")
    findings = hall.rehearse().findings
    assert "the solution types on 'mail', which keeps no commands" in findings
    assert any("order" in finding and "copied" in finding for finding in findings)
