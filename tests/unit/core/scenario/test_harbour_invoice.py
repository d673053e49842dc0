"""The example of the language, in a whole: it reads, and its evidence agrees with its answers."""

import re
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from core.scenario.dry_run import invented_team
from core.scenario.lint import lint
from core.scenario.load import LoadedScenario, load
from core.scenario.render import Renderer, TeamFacts

FOLDER = Path(__file__).parents[4] / "scenarios" / "harbour-invoice"


@pytest.fixture(scope="module")
def harbour_invoice() -> LoadedScenario:
    return load(FOLDER)


@pytest.fixture(scope="module")
def facts(harbour_invoice: LoadedScenario) -> TeamFacts:
    return invented_team(harbour_invoice.scenario, harbour_invoice)


def test_it_has_nothing_that_lint_would_say() -> None:
    assert lint(FOLDER) == ()


def test_without_what_was_added_to_the_example_lint_says_so_and_it_loads(tmp_path: Path) -> None:
    # The page on the language gives the report neither a title nor an ask; trainees read both.
    folder = tmp_path / "harbour-invoice"
    shutil.copytree(FOLDER, folder)
    for file in (folder / "scenario.yaml", *(folder / "text").iterdir()):
        lines = file.read_text().splitlines(keepends=True)
        at = next(n for n, line in enumerate(lines) if line.startswith("  report:"))
        added = slice(at + 1, at + 3) if file.name == "scenario.yaml" else slice(at, at + 1)
        del lines[added]
        file.write_text("".join(lines))
    (warning,) = load(folder).warnings
    assert warning.message == "trainees would see the id only; give it a title or ask"


def test_its_mail_log_is_in_order_and_ends_when_the_intruder_comes(
    harbour_invoice: LoadedScenario, facts: TeamFacts
) -> None:
    came = facts.values["intrusion"]
    assert isinstance(came, datetime)
    log = Renderer(harbour_invoice, facts).file("evidence/mail.log.j2").decode().splitlines()
    stamped = f"{came.year - (came.month == 1)} {{}} +0000"
    times = [datetime.strptime(stamped.format(line[:15]), "%Y %b %d %H:%M:%S %z") for line in log]
    assert times == sorted(times)
    last = times[-1]
    assert (last.month, last.day, last.time()) == (came.month, came.day, came.time())
    assert last - times[0] == timedelta(hours=26)
    assert came < datetime(2026, 1, 15, 9, tzinfo=UTC), "before the invented class begins"


def test_its_mail_log_names_the_account_that_was_entered(
    harbour_invoice: LoadedScenario, facts: TeamFacts
) -> None:
    log = Renderer(harbour_invoice, facts).file("evidence/mail.log.j2").decode()
    told = re.search(r"Subject: files: (\S+) has logged in", log)
    assert told is not None
    assert told[1] == facts.values["evil_user"]


def test_every_document_that_may_be_stolen_stands_on_the_share(
    harbour_invoice: LoadedScenario,
) -> None:
    # The scenario writes the decoy over one of them, and the image's `cast` finds which.
    share = {file.name for file in (FOLDER / "images" / "files" / "share").iterdir()}
    assert share == set(harbour_invoice.scenario.values["stolen_doc"].model_dump()["of"])
