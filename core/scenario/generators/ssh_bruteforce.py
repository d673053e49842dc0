"""`ssh-bruteforce`: an auth.log in which passwords are tried until one fits."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from ipaddress import IPv4Address

from pydantic import Field

from core.scenario.generators.dice import Dice
from core.scenario.generators.office import Person
from core.scenario.generators.parameters import Address, Login, Span, When
from core.scenario.generators.scene import Generator, Made, Scene
from core.scenario.generators.story_time import AMOUNT, midnight, round_the_clock, working_times
from core.scenario.generators.syslog import Entry, Syslog, SyslogParameters

_TRIES = 3  # in a connection, before the client is sent away
_FIRST_UID = 1001
_STAYS = timedelta(minutes=10)
_GUESSED = ("admin", "test", "oracle", "ubuntu", "guest", "postgres", "support", "pi", "git", "www")
_COMMANDS = (
    "/usr/bin/apt update",
    "/usr/bin/systemctl status cron",
    "/usr/bin/journalctl -u ssh",
    "/usr/bin/less /var/log/syslog",
    "/usr/bin/df -h",
)


class SshBruteforce(SyslogParameters):
    """Parameters of `ssh-bruteforce`."""

    user: Login = Field(description="the account whose password is guessed")
    at: When = Field(description="when one fits")
    attempts: int = Field(
        default=120, ge=1, le=20_000, description="how many fail before that, all of `user`"
    )
    from_: Address | None = Field(
        default=None, alias="from", description="where they come from; else the office's attacker"
    )
    since: Span = Field(
        default=timedelta(days=1), description="how long before `at` the log begins"
    )


def make(given: SshBruteforce, scene: Scene) -> Iterator[Made]:
    """Yield the log."""
    dice, log = scene.dice, Syslog(scene.dice)
    since, until = scene.window(given.at, before=given.since, ends=given.until)
    attempts = _attempts(dice, given)
    source = given.from_ or scene.office.attacker
    for first in range(0, len(attempts), _TRIES):
        tries = attempts[first : first + _TRIES]
        log.process("sshd", *_failures(dice, given.user, source, tries))
    log.process("sshd", *_success(dice, given.user, source, given.at))
    _noise(log, given, scene, (min(since, attempts[0]), until))
    text, last = log.written(given.host or scene.host, until=until, form=given.time_format)
    yield Made(content=text.encode(), mtime=last)


def _attempts(dice: Dice, given: SshBruteforce) -> list[datetime]:
    """Return when each password fails, in order, all before one fits."""
    times, at = [], given.at
    for _ in range(given.attempts):
        at -= dice.seconds(1, 5)
        times.append(at)
    return times[::-1]


def _failures(dice: Dice, user: str, source: IPv4Address, tries: list[datetime]) -> Iterator[Entry]:
    port = dice.between(32_768, 60_999)
    pam = f"logname= uid=0 euid=0 tty=ssh ruser= rhost={source}  user={user}"
    yield tries[0], f"pam_unix(sshd:auth): authentication failure; {pam}"
    for at in tries:
        yield at, f"Failed password for {user} from {source} port {port} ssh2"
    yield (
        tries[-1],
        f"Connection closed by authenticating user {user} {source} port {port} [preauth]",
    )
    if len(tries) > 1:
        more = f"{len(tries) - 1} more authentication failure{'s' if len(tries) == _TRIES else ''}"
        yield tries[-1], f"PAM {more}; {pam}"


def _success(dice: Dice, user: str, source: IPv4Address, at: datetime) -> Iterator[Entry]:
    port, uid = dice.between(32_768, 60_999), dice.between(_FIRST_UID, _FIRST_UID + 20)
    yield at, f"Accepted password for {user} from {source} port {port} ssh2"
    yield at, f"pam_unix(sshd:session): session opened for user {user}(uid={uid}) by (uid=0)"
    left = at + dice.seconds(180, int(_STAYS.total_seconds()))
    yield left, f"Received disconnect from {source} port {port}:11: disconnected by user"
    yield left, f"Disconnected from user {user} {source} port {port}"
    yield left, f"pam_unix(sshd:session): session closed for user {user}"


def _noise(
    log: Syslog, given: SshBruteforce, scene: Scene, window: tuple[datetime, datetime]
) -> None:
    amount, dice = AMOUNT[given.noise], scene.dice
    since, until = window
    if not amount:
        return
    hour = midnight(since) + timedelta(minutes=17)
    while hour <= until:  # as Debian's crontab runs what is hourly
        if hour >= since:
            log.process("CRON", *_cron(hour))
        hour += timedelta(hours=1)
    people = scene.office.others(given.user)
    uids = {person.login: _FIRST_UID + n for n, person in enumerate(scene.office.people)}
    for at in working_times(dice, since, until, a_day=5 * amount if people else 0):
        person = dice.pick(people)
        log.process("sshd", *_visit(dice, person, uids[person.login], at))
        if not dice.below(3):
            log.process("sudo", *_sudo(dice, person, uids[person.login], at), numbered=False)
    for at in round_the_clock(dice, since, until, a_day=20 * amount):
        name = dice.pick([name for name in _GUESSED if name != given.user])
        log.process("sshd", *_scan(dice, name, dice.pick(scene.office.scanners), at))


def _cron(at: datetime) -> Iterator[Entry]:
    at += timedelta(seconds=1)
    yield at, "pam_unix(cron:session): session opened for user root(uid=0) by (uid=0)"
    yield at, "pam_unix(cron:session): session closed for user root"


def _visit(dice: Dice, person: Person, uid: int, at: datetime) -> Iterator[Entry]:
    user, port = person.login, dice.between(32_768, 60_999)
    where = f"{person.address} port {port}"
    yield at, f"Accepted password for {user} from {where} ssh2"
    yield at, f"pam_unix(sshd:session): session opened for user {user}(uid={uid}) by (uid=0)"
    left = at + dice.seconds(300, 5400)
    yield left, f"Received disconnect from {where}:11: disconnected by user"
    yield left, f"Disconnected from user {user} {where}"
    yield left, f"pam_unix(sshd:session): session closed for user {user}"


def _sudo(dice: Dice, person: Person, uid: int, at: datetime) -> Iterator[Entry]:
    at += dice.seconds(20, 200)
    user, command = person.login, dice.pick(_COMMANDS)
    place = f"TTY=pts/{dice.below(3)} ; PWD=/home/{user}"
    yield at, f"{user:>8} : {place} ; USER=root ; COMMAND={command}"
    yield at, f"pam_unix(sudo:session): session opened for user root(uid=0) by {user}(uid={uid})"
    yield at + dice.seconds(0, 9), "pam_unix(sudo:session): session closed for user root"


def _scan(dice: Dice, name: str, source: IPv4Address, at: datetime) -> Iterator[Entry]:
    """Yield what a stranger leaves who tries a name and goes away before a password."""
    where = f"{source} port {dice.between(32_768, 60_999)}"
    yield at, f"Invalid user {name} from {where}"
    yield at + dice.seconds(0, 2), f"Connection closed by invalid user {name} {where} [preauth]"


GENERATOR = Generator(
    summary="auth.log: failed passwords, then one that fits",
    example="{to: /var/log/auth.log, generate: ssh-bruteforce,"
    ' with: {user: "{{ values.evil_user }}", attempts: 240, at: "{{ values.intrusion }}"}}',
    parameters=SshBruteforce,
    make=make,
)
