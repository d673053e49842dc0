"""An SSH server: whether keys can be agreed, and whether a user gets in with a password."""

import socket

import paramiko

from scoring.checks.client import run, verdict_if
from scoring.checks.probes import Finding, SshProbe
from scoring.domain.verdicts import Verdict

# Paramiko's own patience is some seconds each; ours is one for all, and kept outside.
_PATIENT_SECONDS = 3600.0


def talk(probe: SshProbe, connection: socket.socket) -> Finding:
    """Return what the server says; raises Paramiko's errors and OSError."""
    transport = paramiko.Transport(connection)
    transport.banner_timeout = transport.handshake_timeout = _PATIENT_SECONDS
    transport.auth_timeout = _PATIENT_SECONDS
    transport.start_client(timeout=_PATIENT_SECONDS)
    try:
        if probe.user is None or probe.password is None:
            return Finding(verdict=Verdict.UP, output=transport.remote_version)
        is_in = _gets_in(transport, probe.user, probe.password)
        words = f"{probe.user} {'gets in' if is_in else 'is refused'}"
        return Finding(verdict=verdict_if(probe.accepted, is_in), output=words)
    finally:
        transport.close()


def _gets_in(transport: paramiko.Transport, user: str, password: str) -> bool:
    try:
        transport.auth_password(user, password)
    except paramiko.AuthenticationException:
        return False
    # The server may want a second proof.
    return transport.is_authenticated()


if __name__ == "__main__":
    run(SshProbe, talk)
