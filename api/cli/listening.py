"""Where a process listens: the address is had, or an error names the setting."""

import errno
import os
import socket

from core.errors import Fault, PoligonError


class PortInUseError(PoligonError):
    """Something else listens where we should."""

    code = "port.in_use"
    fault = Fault.CONFLICT


class AddressUnusableError(PoligonError):
    """This machine does not have the address that we should listen on."""

    code = "port.unusable"
    fault = Fault.INPUT


def listen(host: str, port: int, setting: str, *, shared: bool = False) -> socket.socket:
    """Return a bound socket; raises PortInUseError, AddressUnusableError naming the setting.

    A port that is `shared` may be had by others who share it, too: each connection is for one.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # Said to be TCP, or asyncio would not turn off that small answers wait for an acknowledgement.
    bound = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if shared:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    try:
        bound.bind((host, port))
    except OSError as error:
        bound.close()
        if error.errno == errno.EADDRINUSE:
            raise PortInUseError(
                f"port {port} of {host} is in use already",
                hint=f"Stop what listens there, or set {setting}",
            ) from error
        raise AddressUnusableError(
            f"this machine cannot listen on port {port} of {host}: {os.strerror(error.errno or 0)}",
            hint=f"Set {setting} and {setting.replace('PORT', 'HOST')} to what it has",
        ) from error
    return bound
