import mailbox
from contextlib import closing
from datetime import datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from email.utils import parsedate_to_datetime
from pathlib import Path

import pytest

from tests.unit.core.scenario.generators.making import AT, START, make_one


def messages(folder: Path, **given: object) -> list[EmailMessage]:
    """Read a mailbox with the standard library's reader."""
    path = folder / "inbox"
    path.write_bytes(make_one("mailbox", **given).content)
    with closing(mailbox.mbox(path, create=False)) as box:
        return [message_from_bytes(bytes(message), policy=default) for message in box]


def received(message: EmailMessage) -> list[datetime]:
    chain = message.get_all("Received") or []
    return [parsedate_to_datetime(hop.rsplit(";", 1)[1].strip()) for hop in chain]


def test_the_message_of_the_story_arrives_at_its_time_and_does_not_pass(tmp_path: Path) -> None:
    found = messages(tmp_path)
    (story,) = [m for m in found if "spf=fail" in str(m["Authentication-Results"])]
    assert received(story)[0] == AT
    assert "dmarc=fail" in str(story["Authentication-Results"])
    assert "DKIM-Signature" not in story
    assert str(story["Message-ID"]).endswith("@mail.invoice-service.example>")
    assert "http://invoice-service.example/pay" in story.get_content()
    others = [m for m in found if m is not story]
    assert len(others) > 20
    assert all("spf=pass" in str(m["Authentication-Results"]) for m in others)


def test_messages_are_in_order_and_each_hop_is_later_than_the_one_below(tmp_path: Path) -> None:
    found = messages(tmp_path, noise="high")
    arrived = [received(m)[0] for m in found]
    assert arrived == sorted(arrived)
    assert all(len(received(m)) == 2 and received(m)[0] > received(m)[1] for m in found)
    assert arrived[-1] == make_one("mailbox", noise="high").mtime <= START
    assert len({m["Message-ID"] for m in found}) == len(found)
    assert len({m["Delivered-To"] for m in found}) == 1


def test_it_says_what_the_author_says(tmp_path: Path) -> None:
    (story,) = messages(
        tmp_path,
        noise="none",
        to="keeper",
        from_="harbour@berths.example",
        subject="Plan des quais à jour",
        text="Bonjour,\n\nFrom here on it differs: š, č.\n",
        attachment="plan.js",
        attached="{{ values.note }}",
        source="203.0.113.5",
        domain="harbour.test",
    )
    assert story["Delivered-To"] == "keeper@harbour.test"
    assert story["Return-Path"] == "<harbour@berths.example>"
    assert "[203.0.113.5]" in (story.get_all("Received") or [])[-1]
    text, file = story.iter_parts()
    assert "it differs: š, č." in text.get_content()
    assert (file.get_filename(), file.get_content()) == ("plan.js", b"HB{k3eper}")


@pytest.mark.parametrize("text", ["From me.\n", "\n\nFrom a to b\nFrom c\n"])
def test_a_line_that_begins_with_from_begins_no_message(tmp_path: Path, text: str) -> None:
    assert len(messages(tmp_path, noise="none", text=text)) == 1
