"""One SSH connection: who it is, and what it may open."""

import asyncio
import re
from dataclasses import dataclass, field

import asyncssh
import structlog

from core.errors import PoligonError
from orchestrator.doorkeeper import Doorkeeper, Entry
from orchestrator.gateway.channel import Channel
from orchestrator.gateway.limits import Guesses, Limits, Lobby
from orchestrator.terminal.registry import LiveSessions

_log = structlog.get_logger()

# A person's name as `core.users` takes it, then a host, or a team and a host. Everything else is
# answered like a wrong password and never asked of the database.
_LOGIN = re.compile(r"[a-z][a-z0-9_-]{0,31}(\.[a-z0-9][a-z0-9_-]{0,62}){0,2}")
_LOGIN_SERVICE = b"ssh-userauth"
_NO_FORWARDS = "forwarding is not open in this exercise"
# A check costs 19 MiB and some 30 ms of a core (Argon2id): a flood of tries must not take both.
_CHECKS_AT_ONCE = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    """What the connections of one gateway share."""

    doorkeeper: Doorkeeper
    live: LiveSessions
    limits: Limits
    lobby: Lobby
    guesses: Guesses
    checks: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(_CHECKS_AT_ONCE))
    fronts: "set[Front]" = field(default_factory=set)


class Front(asyncssh.SSHServer):
    """Answers one connection."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._connection: asyncssh.SSHServerConnection
        self._source = ""
        self._is_stranger = False
        self._login = ""
        self._passwords_left = house.limits.passwords_per_connection
        self._keys_left = house.limits.keys_per_connection
        self.channels: set[Channel] = set()

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        """Take the connection in, unless too many strangers are waiting already."""
        self._connection = conn
        self._source = str(conn.get_extra_info("peername")[0])
        self._is_stranger = self._house.lobby.admit(self._source)
        if not self._is_stranger:
            _log.warning("gateway.crowded", source=self._source)
            conn.abort()
            return
        self._house.fronts.add(self)
        # The library ignores the socket's own back pressure and trusts the window that the client
        # declares: 4 GiB and a client that does not read would be 4 GiB of ours.
        conn.pause_writing = self._hold  # type: ignore[method-assign]  # the only hook there is
        conn.resume_writing = self._release  # type: ignore[method-assign]  # as above

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection; its channels have been told already."""
        self._leave_lobby()
        self._house.fronts.discard(self)
        if exc and not isinstance(exc, asyncssh.DisconnectError | OSError):
            _log.warning("gateway.connection_failed", source=self._source, error=repr(exc))

    def begin_auth(self, username: str) -> bool:
        """Have everybody prove who they are."""
        self._login = username
        self._welcome_another_try()
        return True

    def auth_completed(self) -> None:
        """Let a stranger out of the lobby."""
        self._leave_lobby()
        _log.info("login.accepted", login=self._login, source=self._source)

    def public_key_auth_supported(self) -> bool:
        """Take keys."""
        return True

    def password_auth_supported(self) -> bool:
        """Take passwords."""
        return True

    async def validate_public_key(self, username: str, key: asyncssh.SSHKey) -> bool:
        """Tell whether the key is the login's."""
        self._welcome_another_try()
        self._keys_left -= 1
        if self._keys_left < 0:
            self._turn_away("too many keys were offered; name one with: ssh -i FILE")
            return False
        if not _LOGIN.fullmatch(username):
            return False
        line = " ".join(key.export_public_key("openssh").decode().split()[:2])
        try:
            return await asyncio.to_thread(self._house.doorkeeper.key_fits, username, line)
        except PoligonError as error:
            return self._cannot_check(error)

    async def validate_password(self, username: str, password: str) -> bool:
        """Tell whether the password is the login's, later the more wrong ones came before."""
        self._welcome_another_try()
        self._passwords_left -= 1
        account = username.partition(".")[0]
        if not _LOGIN.fullmatch(username):
            account = ""  # one account for all that cannot exist
        await asyncio.sleep(self._house.guesses.delay(account).total_seconds())
        fits = bool(account) and await self._password_fits(username, password, account)
        if not fits:
            _log.info("login.refused", source=self._source)
            if self._passwords_left <= 0:
                self._turn_away("too many wrong passwords")
        return fits

    async def session_requested(self) -> Channel:
        """Ask the doorkeeper where the login lands now."""
        if len(self.channels) >= self._house.limits.sessions_per_connection:
            raise asyncssh.ChannelOpenError(
                asyncssh.OPEN_RESOURCE_SHORTAGE,
                f"{len(self.channels)} sessions are open on this connection; no more are allowed",
            )
        channel = Channel(
            login=self._login,
            entry=await self._enter(),
            live=self._house.live,
            on_end=self.channels.discard,
        )
        self.channels.add(channel)
        return channel

    def connection_requested(
        self, _dest_host: str, _dest_port: int, _orig_host: str, _orig_port: int
    ) -> bool:
        """Refuse `ssh -L`, `-D`, `-W` and `-J`, with the reason."""
        raise asyncssh.ChannelOpenError(asyncssh.OPEN_ADMINISTRATIVELY_PROHIBITED, _NO_FORWARDS)

    def unix_connection_requested(self, _dest_path: str) -> bool:
        """Refuse `ssh -L` to a socket, with the reason."""
        raise asyncssh.ChannelOpenError(asyncssh.OPEN_ADMINISTRATIVELY_PROHIBITED, _NO_FORWARDS)

    def server_requested(self, _listen_host: str, _listen_port: int) -> bool:
        """Refuse `ssh -R`; SSH has no place for a reason, `ssh -v` shows this one."""
        self._connection.send_debug(_NO_FORWARDS, always_display=True)
        return False

    def say_goodbye(self) -> None:
        """Close the connection."""
        self._connection.close()

    async def _password_fits(self, login: str, password: str, account: str) -> bool:
        guesses = self._house.guesses
        fits = False
        try:
            async with self._house.checks:
                fits = await asyncio.to_thread(
                    self._house.doorkeeper.password_fits, login, password
                )
        except PoligonError as error:
            return self._cannot_check(error)
        finally:  # a client that hangs up meanwhile does not get the try for free
            (guesses.succeeded if fits else guesses.failed)(account)
        return fits

    async def _enter(self) -> Entry | PoligonError:
        try:
            return await asyncio.to_thread(self._house.doorkeeper.enter, self._login)
        except PoligonError as error:
            _log.info("entry.refused", login=self._login, reason=str(error))
            return error

    def _welcome_another_try(self) -> None:
        """Take a second request for the login service, as OpenSSH does.

        Paramiko sends one with every try; the library hangs up on it, so that a password after a
        wrong key would never be heard. A login that succeeds ends it.
        """
        self._connection._next_service = _LOGIN_SERVICE  # noqa: SLF001  # the only hook there is

    def _cannot_check(self, error: PoligonError) -> bool:
        _log.error("login.not_checked", error=str(error))
        self._turn_away("logins cannot be checked just now; try again shortly")
        return False

    def _turn_away(self, sentence: str) -> None:
        self._connection.disconnect(asyncssh.DISC_NO_MORE_AUTH_METHODS_AVAILABLE, sentence)

    def _leave_lobby(self) -> None:
        if self._is_stranger:
            self._is_stranger = False
            self._house.lobby.leave(self._source)

    def _hold(self) -> None:
        for channel in self.channels:
            channel.hold("connection")

    def _release(self) -> None:
        for channel in self.channels:
            channel.release("connection")
