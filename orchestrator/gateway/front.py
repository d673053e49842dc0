"""One SSH connection: who it is, and what it may open."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import asyncssh
import structlog

from core.errors import PoligonError
from core.ids import new_id
from orchestrator.doorkeeper import Doorkeeper, Entry, HostNotChosenError
from orchestrator.gateway.attempts import Attempts, account_of
from orchestrator.gateway.bans import Bans
from orchestrator.gateway.channel import Channel
from orchestrator.gateway.chronicle import Chronicle
from orchestrator.gateway.enrolment import Challenge, Enrolment, Secret
from orchestrator.gateway.facts import Refusal
from orchestrator.gateway.forward_entry import ForwardEntry
from orchestrator.gateway.forwarding import Forward, Forwards, Goal, refusal
from orchestrator.gateway.limits import Guesses, Limits, Lobby
from orchestrator.gateway.neighbours import Elsewhere, Landing, Neighbours
from orchestrator.gateway.seats import no_seat
from orchestrator.gateway.user_ca import trusted
from orchestrator.gateway.wire import send_no_filler
from orchestrator.terminal.book import Turned
from orchestrator.terminal.registry import LiveSessions
from orchestrator.terminal.visit import Visit

_log = structlog.get_logger()

_GARBLED = (
    asyncssh.ProtocolError,
    asyncssh.ProtocolNotSupported,
    asyncssh.KeyExchangeFailed,
    asyncssh.MACError,
)
_LOGIN_SERVICE = b"ssh-userauth"
_NO_WAY_BACK = "ssh -R is refused: no host of a range may listen on your machine; -L and -D work"
_NO_SOCKETS = "sockets are not forwarded; ports are, with -L PORT:localhost:PORT"
# A check costs 19 MiB and some 30 ms of a core (Argon2id): a flood of tries must not take both.
_CHECKS_AT_ONCE = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    """What the connections of one gateway share."""

    doorkeeper: Doorkeeper
    live: LiveSessions
    forwards: Forwards
    limits: Limits
    lobby: Lobby
    guesses: Guesses
    chronicle: Chronicle
    bans: Bans = field(default_factory=Bans)
    user_ca: Path | None = None
    neighbours: Neighbours | None = None
    refused: Counter[str] = field(default_factory=Counter)
    checks: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(_CHECKS_AT_ONCE))
    fronts: "set[Front]" = field(default_factory=set)


class Front(asyncssh.SSHServer):
    """Answers one connection."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._connection: asyncssh.SSHServerConnection
        self.source = ""
        self._is_stranger = False
        self._login = ""
        self._id = new_id()
        self._forward_entry = ForwardEntry(house.doorkeeper, self._enter)
        self._sessions_opening = 0
        self._forwards_opening = 0
        self._is_gone = False
        self._attempts: Attempts
        self._enrolment: Enrolment
        self.channels: set[Channel] = set()

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        """Take the connection in, unless too many strangers are waiting already."""
        self._connection = conn
        self.source = str(conn.get_extra_info("peername")[0])
        self._is_stranger = self._house.lobby.admit(self.source)
        if not self._is_stranger:
            self._house.refused[Refusal.CROWDED] += 1
            _log.warning("gateway.crowded", source=self.source)
            conn.abort()
            return
        self._house.fronts.add(self)
        self._attempts = Attempts(
            source=self.source,
            turn_away=self._turn_away,
            doorkeeper=self._house.doorkeeper,
            limits=self._house.limits,
            guesses=self._house.guesses,
            bans=self._house.bans,
            checks=self._house.checks,
            refused=self._house.refused,
            chronicle=self._house.chronicle,
        )
        # The library ignores the socket's own back pressure and trusts the window that the client
        # declares: 4 GiB and a client that does not read would be 4 GiB of ours.
        conn.pause_writing = self._hold  # type: ignore[method-assign]  # the only hook there is
        conn.resume_writing = self._release  # type: ignore[method-assign]  # as above
        send_no_filler(conn)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection; its channels have been told already."""
        self._is_gone = True
        if self._is_stranger:
            self._attempts.gave_up()
        if isinstance(exc, _GARBLED):
            self._garbled(exc)
        self._leave_lobby()
        self._house.fronts.discard(self)
        self._house.forwards.leave(self._id)
        if exc and not isinstance(exc, asyncssh.DisconnectError | OSError):
            _log.warning("gateway.connection_failed", source=self.source, error=repr(exc))

    def begin_auth(self, username: str) -> bool:
        """Have everybody prove who they are."""
        self._login = username
        self._welcome_another_try()
        return True

    def auth_completed(self) -> None:
        """Let a stranger out of the lobby."""
        self._leave_lobby()
        self._house.bans.succeeded(self.source)
        _log.info("login.accepted", login=self._login, source=self.source)

    def public_key_auth_supported(self) -> bool:
        """Take keys."""
        return True

    def password_auth_supported(self) -> bool:
        """Take passwords."""
        return True

    def kbdint_auth_supported(self) -> bool:
        """Take passwords, and codes that enrol a key, in a conversation."""
        return True

    async def validate_public_key(self, username: str, key: asyncssh.SSHKey) -> bool:
        """Tell whether the key is the login's; staff's alone says who enters a team's host."""
        self._welcome_another_try()
        line = " ".join(key.export_public_key("openssh").decode().split()[:2])
        known_as = await self._attempts.key(username, line)
        self._login = known_as or username
        return known_as is not None

    async def validate_ca_key(self, username: str, key: asyncssh.SSHKey) -> bool:
        """Tell whether the centre signed; that the certificate is for this login is asked next."""
        self._welcome_another_try()
        self._login = username
        if not self._attempts.certificate(username) or not self._house.user_ca:
            return False
        try:
            return key == await asyncio.to_thread(trusted, self._house.user_ca)
        except PoligonError as error:
            _log.error("login.not_checked", error=str(error))
            return False

    async def validate_password(self, username: str, password: str) -> bool:
        """Tell whether the password is the login's, later the more wrong ones came before."""
        self._welcome_another_try()
        self._login = username
        found = await self._attempts.secret(username, password, codes=False)
        return found is Secret.PASSWORD

    def get_kbdint_challenge(self, username: str, _lang: str, _submethods: str) -> Challenge:
        """Begin to ask for a password or a code."""
        self._welcome_another_try()
        self._login = username
        self._enrolment = Enrolment(judge=self._judge, enrol=_Enrol(self._house, username))
        return self._enrolment.begin()

    async def validate_kbdint_response(self, _username: str, responses: Sequence[str]) -> Challenge:
        """Go on with the conversation."""
        return await self._enrolment.answer(responses)

    async def session_requested(self) -> Channel:
        """Ask the doorkeeper where the login lands now."""
        # Those that are asked for at once are all asked for before the first of them is open.
        taken = len(self.channels) + self._sessions_opening
        if taken >= self._house.limits.sessions_per_connection:
            self._house.refused[Refusal.SESSIONS] += 1
            raise asyncssh.ChannelOpenError(
                asyncssh.OPEN_RESOURCE_SHORTAGE,
                f"{taken} sessions are open on this connection; no more are allowed",
            )
        self._sessions_opening += 1
        try:
            landing = await self._land(self._login)
        finally:
            self._sessions_opening -= 1
        if isinstance(landing.entry, Entry):
            self._forward_entry.keep(landing.entry)
        channel = Channel(
            login=self._login,
            landing=landing,
            live=self._house.live,
            on_end=self.channels.discard,
            on_file=self._house.chronicle.moved,
            no_seat=self._no_seat,
            land=self._land,
        )
        self.channels.add(channel)
        return channel

    def connection_requested(
        self, dest_host: str, dest_port: int, _orig_host: str, _orig_port: int
    ) -> Awaitable[Forward]:
        """Open what `ssh -L`, `-D`, `-W` and `-J` ask for, in the network of the landing host."""
        open_now = len(self._house.forwards.of(self._id)) + self._forwards_opening
        if open_now >= self._house.limits.forwards_per_connection:
            raise asyncssh.ChannelOpenError(
                asyncssh.OPEN_RESOURCE_SHORTAGE,
                f"{open_now} forwards are open on this connection; no more are allowed",
            )
        self._forwards_opening += 1
        return self._forward(dest_host, dest_port)

    def unix_connection_requested(self, _dest_path: str) -> bool:
        """Refuse `ssh -L` to a socket, with the reason."""
        raise asyncssh.ChannelOpenError(asyncssh.OPEN_ADMINISTRATIVELY_PROHIBITED, _NO_SOCKETS)

    def server_requested(self, _listen_host: str, _listen_port: int) -> bool:
        """Refuse `ssh -R`; SSH has no place for a reason, `ssh -v` shows this one."""
        self._connection.send_debug(_NO_WAY_BACK, always_display=True)
        return False

    def say_goodbye(self) -> None:
        """Close the connection."""
        self._connection.close()

    async def _judge(self, secret: str) -> Secret:
        found = await self._attempts.secret(self._login, secret, codes=True)
        if found is Secret.CODE:
            self._give_time()
        return found

    async def _forward(self, address: str, port: int) -> Forward:
        try:
            entry = await self._forward_entry.entry(self._login)
            if isinstance(entry, PoligonError):
                raise refusal(entry)
            goal = Goal(
                connection=self._id, login=self._login, entry=entry, address=address, port=port
            )
            forward = await self._house.forwards.open(goal)
        except PoligonError as error:
            _log.info("forward.refused", login=self._login, reason=str(error))
            raise refusal(error) from error
        finally:
            self._forwards_opening -= 1
        if self._is_gone:
            self._house.forwards.drop(forward)  # the library would never tell it
        return forward

    def _give_time(self) -> None:
        """Wait longer for somebody with a right code: they have to find their key."""
        self._connection._cancel_login_timer()  # noqa: SLF001  # it knows no other time
        loop = asyncio.get_running_loop()
        loop.call_later(self._house.limits.enrolling_time.total_seconds(), self._time_is_up)

    def _time_is_up(self) -> None:
        if self._is_stranger:
            self._connection.abort()

    def _no_seat(self, visit: Visit, elsewhere: Elsewhere) -> str:
        why = no_seat(self._house.live, visit, self._house.limits, elsewhere)
        if why:
            self._house.refused[Refusal.SESSIONS] += 1
            _log.info("session.refused", login=visit.login, reason=why)
        return why

    async def _land(self, login: str) -> Landing:
        entry = await self._enter(login)
        if isinstance(entry, PoligonError) or self._house.neighbours is None:
            return Landing(entry)
        return Landing(entry, await self._house.neighbours.about(login, entry.host.world))

    async def _enter(self, login: str) -> Entry | PoligonError:
        try:
            return await asyncio.to_thread(self._house.doorkeeper.enter, login)
        except HostNotChosenError as choice:
            return choice
        except PoligonError as error:
            self._house.refused[Refusal.ENTRY] += 1
            _log.info("entry.refused", login=login, reason=str(error))
            self._house.chronicle.turned_away(
                account_of(login), Turned.ENTRY, source=self.source, said=error.message
            )
            return error

    @property
    def person(self) -> str:
        """Whose connection it is; nothing before they are in."""
        return "" if self._is_stranger else account_of(self._login)

    def _garbled(self, exc: Exception) -> None:
        """Tell of what is no SSH: operators, and instructors where one person is at the address."""
        self._house.refused[Refusal.GARBLED] += 1
        _log.info("gateway.garbled", source=self.source, error=str(exc))
        there = [front for front in self._house.fronts if front.source == self.source]
        people = {front.person for front in there} - {""}
        if len(people) == 1:
            self._house.chronicle.turned_away(
                people.pop(), Turned.GARBLED, source=self.source, said=str(exc)
            )

    def _welcome_another_try(self) -> None:
        """Take a second request for the login service, as OpenSSH does.

        Paramiko sends one with every try; the library hangs up on it, so that a password after a
        wrong key would never be heard. A login that succeeds ends it.
        """
        self._connection._next_service = _LOGIN_SERVICE  # noqa: SLF001  # the only hook there is

    def _turn_away(self, sentence: str) -> None:
        self._connection.disconnect(asyncssh.DISC_NO_MORE_AUTH_METHODS_AVAILABLE, sentence)

    def _leave_lobby(self) -> None:
        if self._is_stranger:
            self._is_stranger = False
            self._house.lobby.leave(self.source)

    def _hold(self) -> None:
        for channel in self.channels:
            channel.hold("connection")
        for forward in self._house.forwards.of(self._id):
            forward.hold("connection")

    def _release(self) -> None:
        for channel in self.channels:
            channel.release("connection")
        for forward in self._house.forwards.of(self._id):
            forward.release("connection")


@dataclass(frozen=True, slots=True)
class _Enrol:
    """Uses a code of `login`, in a thread."""

    house: House
    login: str

    async def key(self, code: str, public_key: str) -> None:
        await asyncio.to_thread(self.house.doorkeeper.enrol_key, self.login, code, public_key)
        _log.info("login.key_enrolled", login=self.login)

    async def password(self, code: str, password: str) -> None:
        enrol = self.house.doorkeeper.enrol_password
        async with self.house.checks:
            await asyncio.to_thread(enrol, self.login, code, password)
        _log.info("login.password_set", login=self.login)
