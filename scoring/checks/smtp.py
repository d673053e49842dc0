"""A mail server: its greeting, and whether it would take a mail. None is ever sent."""

import smtplib
import socket
import ssl

from scoring.checks.client import run, verdict_if
from scoring.checks.probes import Finding, SmtpProbe
from scoring.domain.verdicts import Verdict

_CLOSING = 421
_POSITIVE = range(200, 300)


class _Client(smtplib.SMTP):
    """A client on a connection that is there already, waiting for the greeting."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        # The name is only said to TLS, which looks at no certificate.
        super().__init__("server.test", local_hostname="prober.test")

    def _get_socket(self, *_: object) -> socket.socket:
        return self._connection


def talk(probe: SmtpProbe, connection: socket.socket) -> Finding:
    """Return what the server says; raises smtplib's errors and OSError."""
    try:
        client = _Client(_encrypted(connection) if probe.tls == "implicit" else connection)
        client.ehlo_or_helo_if_needed()
        if probe.tls == "starttls":
            client.starttls(context=_unverified())
        if probe.user is not None and probe.password is not None:
            client.login(probe.user, probe.password)
        if probe.sender is None or probe.recipient is None:
            return Finding(verdict=Verdict.UP, output="it greets")
        return _would_take(client, probe, probe.sender, probe.recipient)
    except smtplib.SMTPResponseException as error:
        return Finding(verdict=Verdict.MUMBLE, output=_line(error.smtp_code, error.smtp_error))


def _would_take(client: _Client, probe: SmtpProbe, sender: str, recipient: str) -> Finding:
    code, text = client.mail(sender)
    if code in _POSITIVE:
        code, text = client.rcpt(recipient)
    if code == _CLOSING:  # that refuses nobody in particular
        return Finding(verdict=Verdict.MUMBLE, output=_line(code, text))
    verdict = verdict_if(probe.accepted, code in _POSITIVE)
    return Finding(verdict=verdict, output=_line(code, text))


def _line(code: int, text: bytes | str) -> str:
    words = text.decode(errors="replace") if isinstance(text, bytes) else text
    return f"{code} {words}"


def _encrypted(connection: socket.socket) -> ssl.SSLSocket:
    return _unverified().wrap_socket(connection)


def _unverified() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


if __name__ == "__main__":
    run(SmtpProbe, talk)
