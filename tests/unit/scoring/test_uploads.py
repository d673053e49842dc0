"""Handing files in: who may, what is taken, until when, and what becomes of what is not."""

import errno
import os
import stat
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from core.db import Database
from core.file_types import UNKNOWN
from core.waiting import until
from orchestrator.domain.phases import NotNowError
from orchestrator.timekeeping import Timekeeping
from scoring.errors import TaskLockedError, TaskOverdueError, TaskUnknownError
from scoring.uploads.errors import (
    DeliveryUnknownError,
    FileInfectedError,
    FileNotStoredError,
    FileRefusedError,
    NotYoursToDeliverError,
    TaskTakesNoFileError,
    TooManyRevisionsError,
)
from scoring.uploads.handed_in import shown_name
from scoring.uploads.scanning import Scan, Scanner
from scoring.uploads.store import ContentStore
from scoring.uploads.views import Offer
from tests.fakes.marking_stage import MARKED, REPORT, MarkingStage

PDF = b"%PDF-1.7\n" + bytes(range(256))


@pytest.fixture
def marking(tmp_path: Path) -> Iterator[MarkingStage]:
    yield from raised(tmp_path)


def raised(folder: Path, *, scanner: Scanner | None = None) -> Iterator[MarkingStage]:
    made = MarkingStage.raised(f"sqlite:///{folder}/db", folder, scanner=scanner)
    made.pass_time(10)
    yield made
    made.stage.database.close()


def files(marking: MarkingStage) -> list[Path]:
    return [path for path in marking.folder.rglob("*") if path.is_file()]


def offer(marking: MarkingStage) -> Offer:
    stage = marking.stage
    (found,) = marking.uploads.offers(stage.exercise, stage.team(), stage.member())
    return found


def last_act(marking: MarkingStage) -> tuple[str, str, str]:
    last = marking.stage.exercises.journal.latest(marking.stage.exercise.id, limit=1)[0]
    return last.act, last.subject, last.text


# What is taken


def test_what_is_taken_is_told_before(marking: MarkingStage) -> None:
    told = offer(marking)
    assert (told.files, told.max_bytes, told.roles) == (("pdf", "md"), 2048, ("responder",))
    assert (told.because, told.due, told.grace) == ("", None, timedelta(minutes=5))


REFUSED = [
    ("report.pdf", b"MZ\x90\0", "is no pdf by its content"),
    ("report.md", PDF, "is no md by its content, which is application/pdf"),
    ("report.md", b"", "is empty"),
    ("report.md", b"a" * 2049, "more than 2048 bytes"),
    ("report.exe", b"a", "of another type than pdf or md"),
    ("report", b"a", "of another type than pdf or md"),
    ("../../md", b"a", "of another type than pdf or md"),
]


def test_a_file_that_does_not_fit_is_refused_and_nothing_of_it_stays(
    marking: MarkingStage,
) -> None:
    for name, content, why in REFUSED:
        with pytest.raises(FileRefusedError, match=why):
            marking.hand_in(content, name)
    assert (files(marking), offer(marking).revisions) == ([], ())


def test_the_largest_file_that_may_be_is_taken(marking: MarkingStage) -> None:
    assert marking.hand_in(b"a" * 2048).size == 2048


def test_a_capital_ending_is_the_same_ending(marking: MarkingStage) -> None:
    delivery = marking.hand_in(PDF, "REPORT.PDF")
    assert (delivery.media_type, delivery.kept_name) == ("application/pdf", "report-1.pdf")


def test_no_name_becomes_a_path(marking: MarkingStage) -> None:
    names = ("../../x.md", "/etc/passwd.md", "..\\..\\x.md", "a\0b\n\u202ex.md", "é" * 300 + ".md")
    for number, name in enumerate(names, start=1):
        delivery = marking.hand_in(REPORT, shown_name(name))
        (file,) = files(marking)
        assert file == marking.folder / delivery.sha256[:2] / delivery.sha256
        assert delivery.name.isprintable()
        assert len(delivery.name) <= 255
        assert delivery.kept_name == f"report-{number}.md"


def test_only_the_service_reads_what_is_kept(marking: MarkingStage) -> None:
    marking.hand_in()
    (file,) = files(marking)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700


def test_two_teams_with_the_same_content_share_one_file(marking: MarkingStage) -> None:
    one, other = marking.hand_in(), marking.hand_in(number=2)
    assert (one.sha256, one.id != other.id) == (other.sha256, True)
    assert len(files(marking)) == 1


def test_a_file_that_was_changed_on_the_disk_is_not_handed_out(marking: MarkingStage) -> None:
    delivery = marking.hand_in()
    (file,) = files(marking)
    file.write_bytes(b"# Another\n")
    with pytest.raises(FileNotStoredError, match="not what was handed in"):
        marking.uploads.content(delivery)


# Who, and when


def test_it_is_handed_in_by_the_roles_that_the_scenario_names(tmp_path: Path) -> None:
    scenario = MARKED.replace("by: [responder]", "by: [clerk]")
    marking = MarkingStage.raised(f"sqlite:///{tmp_path}/db", tmp_path, scenario=scenario)
    marking.pass_time(10)
    with pytest.raises(NotYoursToDeliverError, match="it is for clerk to hand this in"):
        marking.hand_in()
    assert offer(marking).because == "it is for clerk to hand this in"
    marking.stage.database.close()


def test_what_takes_no_file_says_so(marking: MarkingStage) -> None:
    for task, error in {"who": TaskTakesNoFileError, "talk": TaskTakesNoFileError}.items():
        with pytest.raises(error), marking.uploads.receive(marking.handed(task=task)):
            pass
    with (
        pytest.raises(TaskUnknownError),
        marking.uploads.receive(marking.handed(task="nothing")),
    ):
        pass


def test_before_its_task_opens_nothing_is_taken(tmp_path: Path) -> None:
    marking = MarkingStage.raised(f"sqlite:///{tmp_path}/db", tmp_path)
    with pytest.raises(TaskLockedError):
        marking.hand_in()
    assert offer(marking).because == "report is not open yet"
    marking.stage.database.close()


def test_after_its_time_nothing_is_taken_but_what_was_sent_before_is_told(tmp_path: Path) -> None:
    scenario = MARKED.replace("opens: {with: note}", "due: {after: note, within: 30m}")
    marking = MarkingStage.raised(f"sqlite:///{tmp_path}/db", tmp_path, scenario=scenario)
    marking.pass_time(10)
    first = marking.hand_in(key="k")
    marking.pass_time(30)
    assert marking.hand_in(b"# In the last second\n").revision == 2
    marking.pass_time(0.1)
    with pytest.raises(TaskOverdueError):
        marking.hand_in()
    assert marking.hand_in(key="k") == first
    marking.end()
    with pytest.raises(TaskOverdueError):  # the grace is for the end, not for this
        marking.hand_in()
    marking.stage.database.close()


def test_files_are_taken_for_the_grace_after_the_end_and_answers_are_not(
    marking: MarkingStage,
) -> None:
    marking.end()
    marking.pass_time(5)
    assert marking.hand_in().revision == 1
    with pytest.raises(NotNowError):
        marking.stage.answer("read", "yes")
    marking.pass_time(0.1)
    with pytest.raises(NotNowError, match="files were taken for 0:05:00 more"):
        marking.hand_in()


def test_a_pause_takes_nothing(marking: MarkingStage) -> None:
    marking.stage.exercises.pause(marking.stage.exercise.id)
    with pytest.raises(NotNowError, match="paused"):
        marking.hand_in()


def test_a_team_whose_own_time_is_up_has_its_own_grace(marking: MarkingStage) -> None:
    stage = marking.stage
    time = Timekeeping(stage.database, stage.clock, stage.exercises)
    time.extend(stage.exercise.id, timedelta(minutes=30), team=stage.team(2).slug)
    marking.pass_time(50)
    time.sweep()
    assert marking.hand_in().revision == 1
    marking.pass_time(5.1)
    with pytest.raises(NotNowError):
        marking.hand_in()
    assert marking.hand_in(number=2).revision == 1


def test_without_a_grace_the_end_is_the_end(tmp_path: Path) -> None:
    scenario = MARKED.replace("end: {grace: 5m}", "")
    marking = MarkingStage.raised(f"sqlite:///{tmp_path}/db", tmp_path, scenario=scenario)
    marking.pass_time(10)
    marking.end()
    with pytest.raises(NotNowError):
        marking.hand_in()
    marking.stage.database.close()


def test_a_file_that_comes_whole_only_after_the_end_is_too_late(marking: MarkingStage) -> None:
    handed = marking.handed()
    with marking.uploads.receive(handed) as incoming:
        incoming.write(REPORT)
        marking.end()
        marking.pass_time(6)
        with pytest.raises(NotNowError):
            marking.uploads.accept(handed, incoming)
    assert offer(marking).revisions == ()


def test_only_so_many_revisions_are_kept(
    marking: MarkingStage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("scoring.uploads.delivering._MOST_REVISIONS", 2)
    marking.hand_in()
    marking.hand_in()
    with pytest.raises(TooManyRevisionsError, match="2 files for report"):
        marking.hand_in()


def test_a_file_of_another_exercise_is_unknown(marking: MarkingStage) -> None:
    with pytest.raises(DeliveryUnknownError):
        marking.uploads.find(marking.stage.exercise, "nothing")


# The disk


@pytest.mark.parametrize(
    ("code", "told"), [(errno.ENOSPC, "no room"), (errno.EIO, "Input/output error")]
)
def test_a_disk_that_does_not_take_it_is_told_and_nothing_is_left(
    marking: MarkingStage, monkeypatch: pytest.MonkeyPatch, code: int, told: str
) -> None:
    def fail(_: int) -> None:
        raise OSError(code, "Input/output error")

    monkeypatch.setattr("scoring.uploads.store.os.fsync", fail)
    with pytest.raises(FileNotStoredError, match=told):
        marking.hand_in()
    assert (files(marking), offer(marking).revisions) == ([], ())


def test_a_database_that_goes_away_leaves_a_stray_which_is_swept_in_time(
    marking: MarkingStage, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = marking.hand_in(b"# Kept\n")
    handed = marking.handed()
    with marking.uploads.receive(handed) as incoming:
        incoming.write(REPORT)
        with monkeypatch.context() as broken:
            broken.setattr(Database, "transaction", _gone)
            with pytest.raises(ConnectionError):
                marking.uploads.accept(handed, incoming)
    half = marking.folder / "incoming" / "half"
    half.write_bytes(b"of a process that was killed")
    assert len(files(marking)) == 3
    known = frozenset({kept.sha256})
    store = ContentStore(marking.folder)
    now = marking.stage.clock.now()
    for path in files(marking):
        os.utime(path, (now.timestamp(), now.timestamp()))
    assert store.sweep(lambda _: known, now) == 0
    assert store.sweep(lambda _: known, now + timedelta(seconds=1)) == 2
    assert [path.name for path in files(marking)] == [kept.sha256]


def _gone(_: Database) -> None:
    raise ConnectionError("the database is away")


# The scanner


def scanning(folder: Path, code: str) -> Iterator[MarkingStage]:
    program = folder / "scan.py"
    program.write_text(f"import sys, time\npath = sys.argv[1]\n{code}\n")
    command = (sys.executable, str(program))
    yield from raised(folder, scanner=Scanner(command, patience=timedelta(seconds=20)))


@pytest.mark.parametrize(
    ("code", "scan"),
    [
        ("sys.exit(open(path, 'rb').read() != b'# What happened\\n')", Scan.CLEAN),
        ("sys.exit(2)", Scan.UNSCANNED),
        ("raise SystemError", Scan.INFECTED),
    ],
)
def test_the_scanner_answers_by_its_exit_code(tmp_path: Path, code: str, scan: Scan) -> None:
    for marking in scanning(tmp_path, code):
        if scan is Scan.INFECTED:  # Python ends with 1 when it fails: a site's script is to say 2
            with pytest.raises(FileInfectedError):
                marking.hand_in()
            assert (files(marking), offer(marking).revisions) == ([], ())
            assert last_act(marking)[:2] == ("file.infected", "report")
        else:
            assert marking.hand_in().scan is scan
            told = "the scanner failed" in last_act(marking)[2]
            assert told == (scan is Scan.UNSCANNED)


def test_a_scanner_that_hangs_is_ended_with_its_children(tmp_path: Path) -> None:
    command = ("sh", "-c", f"sleep 100 & echo $! >{tmp_path}/child; wait")
    scanner = Scanner(command, patience=timedelta(seconds=2))
    assert scanner.scan(tmp_path) is Scan.UNSCANNED
    child = Path(f"/proc/{(tmp_path / 'child').read_text().strip()}/stat")

    def is_over() -> bool:
        try:
            return child.read_text().split()[2] == "Z"
        except (FileNotFoundError, ProcessLookupError):
            return True

    # A signal that was sent is acted on when the process has its turn.
    until(is_over, what="the child's end", within=timedelta(seconds=10))


def test_a_scanner_that_is_not_there_leaves_files_unscanned(tmp_path: Path) -> None:
    assert Scanner.of("/no/such/scanner --all").scan(tmp_path) is Scan.UNSCANNED
    assert Scanner.of("").scan(tmp_path) is Scan.NO_SCANNER


def test_no_shell_sees_the_scanners_line(tmp_path: Path) -> None:
    assert Scanner.of(f"true ; touch {tmp_path}/x #").scan(tmp_path) is Scan.CLEAN
    assert not (tmp_path / "x").exists()


def test_a_type_that_nobody_knows_is_taken_as_what_it_is(tmp_path: Path) -> None:
    scenario = MARKED.replace("files: [pdf, md]", "files: [key]")
    marking = MarkingStage.raised(f"sqlite:///{tmp_path}/db", tmp_path, scenario=scenario)
    marking.pass_time(10)
    assert marking.hand_in(b"\0\1", "a.key").media_type == UNKNOWN
    marking.stage.database.close()
