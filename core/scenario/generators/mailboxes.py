"""`mailbox`: an inbox in mbox form, in which one message is not what it seems."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from email.generator import BytesGenerator
from email.headerregistry import HeaderRegistry
from email.message import EmailMessage
from email.policy import EmailPolicy
from email.utils import format_datetime
from io import BytesIO
from ipaddress import IPv4Address
from operator import itemgetter
from typing import Any

from pydantic import Field

from core.scenario.generators.dice import Dice
from core.scenario.generators.office import Office, Person
from core.scenario.generators.papers import paper
from core.scenario.generators.parameters import (
    Address,
    Line,
    Login,
    LogParameters,
    LongText,
    Mail,
    OfficeParameters,
    Span,
    When,
)
from core.scenario.generators.scene import Generator, Made, Scene
from core.scenario.generators.story_time import AMOUNT, working_times


class _AsItIs(HeaderRegistry):
    """Leaves headers as they are where nothing is to be encoded: to parse them is half the work."""

    def __call__(self, name: str, value: str) -> Any:  # noqa: ANN401  # text, or a parsed header
        as_it_is = value.isascii() and not name.lower().startswith(("content-", "mime-"))
        return value if as_it_is else super().__call__(name, value)


_COMPOSED = EmailPolicy(linesep="\n", cte_type="7bit", header_factory=_AsItIs())
# Headers stay on one line: how they are folded differs between versions of Python.
_STORED = _COMPOSED.clone(max_line_length=900, mangle_from_=True, header_factory=HeaderRegistry())
_HEX = "0123456789abcdef"
_TEXT = """\
Dear colleague,

the attached invoice is overdue. Please check it today: otherwise the account will be closed.

{link}

Accounts department
"""


class Mailbox(OfficeParameters, LogParameters):
    """Parameters of `mailbox`."""

    at: When = Field(description="when the message of the story arrives")
    to: Login | None = Field(
        default=None, description="whose mailbox it is; else somebody's of the office"
    )
    from_: Mail = Field(
        default="accounts@invoice-service.example",
        alias="from",
        description="who it says it is from",
    )
    subject: Line = Field(default="Overdue invoice", description="its subject")
    text: LongText | None = Field(default=None, description="what it says")
    link: Line = Field(
        default="http://invoice-service.example/pay", description="where its usual text leads to"
    )
    attachment: Line | None = Field(default=None, description="the name of a file with it")
    attached: LongText = Field(default="", description="what is in that file")
    source: Address | None = Field(
        default=None, description="what handed it in; else a stranger's address"
    )
    since: Span = Field(
        default=timedelta(days=10), description="how long before `at` the mailbox begins"
    )


def make(given: Mailbox, scene: Scene) -> Iterator[Made]:
    """Yield the mailbox."""
    since, until = scene.window(given.at, before=given.since, ends=given.until)
    office, dice = scene.office, scene.dice
    owner = next((p for p in office.people if p.login == given.to), office.people[0])
    login = given.to or owner.login
    target = f"{login}@{office.domain}"
    messages = [(given.at, _story(given, scene, target))]
    for at in working_times(dice, since, until, a_day=2 * AMOUNT[given.noise]):
        sender = dice.pick(office.others(login) or office.people)
        messages.append((at, _ordinary(dice, office, sender, target, at)))
    messages.sort(key=itemgetter(0))
    content = b"".join(_entry(message, at) for at, message in messages)
    yield Made(content=content, mtime=messages[-1][0])


def _entry(message: EmailMessage, at: datetime) -> bytes:
    stored = BytesIO()
    BytesGenerator(stored, policy=_STORED).flatten(message)
    sender = str(message["Return-Path"]).strip("<>")
    return f"From {sender} {_asctime(at)}\n".encode() + stored.getvalue() + b"\n"


def _asctime(at: datetime) -> str:
    day, month = format_datetime(at).split()[0].rstrip(","), format_datetime(at).split()[2]
    return f"{day} {month} {at.day:2d} {at:%H:%M:%S %Y}"


def _story(given: Mailbox, scene: Scene, target: str) -> EmailMessage:
    dice, office = scene.dice, scene.office
    domain = given.from_.split("@")[1]
    hop = (f"mail.{domain}", given.source or office.sender)
    message = _message(dice, office, (given.from_, target, given.subject), given.at, hop)
    message["Authentication-Results"] = (
        f"mail.{office.domain}; spf=fail smtp.mailfrom={domain}; dkim=none;"
        f" dmarc=fail header.from={domain}"
    )
    message["X-Mailer"] = "PHPMailer 5.2.9"
    message.set_content(given.text if given.text is not None else _TEXT.format(link=given.link))
    if given.attachment is not None:
        message.add_attachment(
            given.attached.encode(),
            maintype="application",
            subtype="octet-stream",
            filename=given.attachment,
        )
        message.set_boundary(f"=-{dice.spelled(_HEX, 24)}")
    return message


def _ordinary(
    dice: Dice, office: Office, sender: Person, target: str, at: datetime
) -> EmailMessage:
    address = f"{sender.login}@{office.domain}"
    document = paper(dice, office, at)
    desk = (f"desk-{int(sender.address) & 0xFF}.{office.domain}", sender.address)
    message = _message(
        dice, office, (f"{sender.name} <{address}>", target, document.title), at, desk
    )
    message["Authentication-Results"] = (
        f"mail.{office.domain}; spf=pass smtp.mailfrom={office.domain}; dkim=none;"
        f" dmarc=pass header.from={office.domain}"
    )
    message.set_content(document.text)
    return message


def _message(
    dice: Dice,
    office: Office,
    letter: tuple[str, str, str],
    at: datetime,
    hop: tuple[str, IPv4Address],
) -> EmailMessage:
    """Return a message with what its way left on it: the last hop is the uppermost."""
    sender, target, subject = letter
    address = sender.rsplit("<", 1)[-1].rstrip(">")
    mail, (host, source) = f"mail.{office.domain}", hop
    sent = at - dice.seconds(2, 9)
    message = EmailMessage(policy=_COMPOSED)
    message["Return-Path"] = f"<{address}>"
    message["Delivered-To"] = target
    message["Received"] = (
        f"from {mail} ({mail} [{office.server('mail')}])"
        f" by files.{office.domain} (Postfix) with LMTP id {dice.spelled(_HEX, 10).upper()}"
        f" for <{target}>; {format_datetime(at)}"
    )
    known = host if source in office.network else "unknown"
    message["Received"] = (
        f"from {host} ({known} [{source}]) by {mail} (Postfix) with ESMTP"
        f" id {dice.spelled(_HEX, 10).upper()} for <{target}>;"
        f" {format_datetime(sent)}"
    )
    message["Date"] = format_datetime(sent)
    message["From"] = sender
    message["To"] = target
    message["Subject"] = subject
    message["Message-ID"] = f"<{dice.spelled(_HEX, 16)}@{host}>"
    return message


GENERATOR = Generator(
    summary="mbox: an inbox with one message that is not what it seems",
    example="{to: /var/mail/keeper, generate: mailbox,"
    ' with: {to: keeper, at: "{{ values.intrusion }}", subject: Berth plan,'
    ' attachment: plan.js, attached: "{{ values.flag_note }}"}}',
    parameters=Mailbox,
    make=make,
)
