"""What a host may ask for that only the site decides, spelt as Docker Compose spells it."""

import re
from collections.abc import Mapping
from ipaddress import ip_address
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from core.scenario.fields import Alias, Part, is_template
from core.scenario.written import TEMPLATE, one_of, written

NEVER = {
    "ports": "an engine publishes nothing of a host whose networks have no way out, and those of a"
    " range have none; people reach its ports through the gateway, by ssh -L",
}
"""Keys that no policy permits, and why."""

_MOST = 32
_LONGEST = 200
_SHORT = 100  # two of them stand in one line of a refusal
_FIXED = r"^(?!.*\{\{)(?!(.*[/:])?\.\.([/:]|$))"  # the site judges what it reads
_PATH = r'/[^:"\\\x00-\x1f\x7f]*'
_DEVICE = rf"{_FIXED}/dev/[\w./-]+(:/dev/[\w./-]+(:[rwm]{{1,3}})?)?$"
_VOLUME = rf"{_FIXED}{_PATH}:{_PATH}(:ro|:rw)?$"


def _of_form(form: str, wanted: str) -> AfterValidator:
    """Return a validator of strings that are of this form, and short."""
    known = re.compile(form, re.ASCII)

    def check(text: str) -> str:
        # What cannot be printed would be another thing in the line that permits it.
        if len(text) > _LONGEST or not text.isprintable() or not known.fullmatch(text):
            raise ValueError(f"{text[:_LONGEST]!r} is not {wanted}")
        return text

    return AfterValidator(check)


def _known_address(text: str) -> str:
    if not is_template(text):
        try:
            ip_address(text)
        except ValueError:
            raise ValueError(f"{text!r} is not an address") from None
    return text


def _as_text(value: object) -> object:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


Capability = Literal[
    "AUDIT_CONTROL",
    "AUDIT_READ",
    "AUDIT_WRITE",
    "BLOCK_SUSPEND",
    "BPF",
    "CHECKPOINT_RESTORE",
    "DAC_READ_SEARCH",
    "IPC_LOCK",
    "IPC_OWNER",
    "LEASE",
    "LINUX_IMMUTABLE",
    "MAC_ADMIN",
    "MAC_OVERRIDE",
    "MKNOD",
    "NET_ADMIN",
    "NET_BROADCAST",
    "NET_RAW",
    "PERFMON",
    "SETFCAP",
    "SETPCAP",
    "SYSLOG",
    "SYS_ADMIN",
    "SYS_BOOT",
    "SYS_MODULE",
    "SYS_NICE",
    "SYS_PACCT",
    "SYS_PTRACE",
    "SYS_RAWIO",
    "SYS_RESOURCE",
    "SYS_TIME",
    "SYS_TTY_CONFIG",
    "WAKE_ALARM",
]
"""capabilities(7), less those that every host has."""
Device = Annotated[
    str,
    _of_form(
        _DEVICE, "a device; write it like /dev/kvm, /dev/kvm:/dev/kvm or /dev/kvm:/dev/kvm:rw"
    ),
    written("device", _DEVICE, "/dev/net/tun", "/dev/ttyUSB0:/dev/ttyUSB0:rw"),
]
Volume = Annotated[
    str,
    _of_form(_VOLUME, "a place of the machine and one of the host; write it like /srv/x:/mnt:ro"),
    written("volume", _VOLUME, "/srv/samples:/samples", "/srv/out:/out:rw"),
]
Sysctl = Annotated[str, Field(title="sysctl", max_length=_SHORT, pattern=r"^net\.[a-z0-9_.-]+$")]
SysctlValue = Annotated[
    str,
    BeforeValidator(_as_text),
    Field(max_length=_SHORT, pattern=r"^[A-Za-z0-9_.,:/ -]+$"),
    one_of("value", {"type": "integer"}, {"type": "string"}),
]
HostAddress = Annotated[
    str,
    Field(max_length=_SHORT),
    AfterValidator(_known_address),
    one_of("address", {"type": "string", "pattern": r"^[0-9a-fA-F.:]+$"}, TEMPLATE),
]
"""An address, or a template that renders to one."""
_RUNTIME = r"^[a-z0-9][a-z0-9._-]*$"
Runtime = Annotated[
    str,
    _of_form(_RUNTIME, "the name of a runtime"),
    written("runtime", _RUNTIME, "runsc", "sysbox-runc"),
]
SecurityOption = Literal["apparmor:unconfined", "no-new-privileges:false", "seccomp:unconfined"]


class SiteOptions(Part):
    """What a host asks for and only the site's policy permits."""

    privileged: bool = False
    """Whether its root is root of the engine's machine. Only a site's policy permits it."""
    cap_add: tuple[Capability, ...] = Field(default=(), max_length=_MOST)
    """Capabilities beyond those of every host. Only a site's policy permits them."""
    devices: tuple[Device, ...] = Field(default=(), max_length=_MOST)
    """Devices of the engine's machine, as `/dev/here`, `/dev/here:/dev/there` or
    `/dev/here:/dev/there:rwm`. Only a site's policy permits them."""
    volumes: tuple[Volume, ...] = Field(default=(), max_length=_MOST)
    """Places of the engine's machine, as `/here:/there`, read-only unless `/here:/there:rw`. Only a
    site's policy permits them."""
    sysctls: Mapping[Sysctl, SysctlValue] = Field(default={}, max_length=_MOST)
    """Settings of the host's own network stack. Only a site's policy permits them."""
    extra_hosts: Mapping[Alias, HostAddress] = Field(default={}, max_length=_MOST)
    """More names and their addresses in its `/etc/hosts`. Only a site's policy permits them."""
    security_opt: tuple[SecurityOption, ...] = ()
    """Guards that it does without. Only a site's policy permits it."""
    runtime: Runtime | None = None
    """The engine's runtime that runs it. Only a site's policy permits it."""
    ipc: Literal["host"] | None = None
    """Whose shared memory it sees. Only a site's policy permits it."""
    userns: Literal["host"] | None = None
    """Whose user ids it has, where the engine maps them. Only a site's policy permits it."""
    pid: Literal["host"] | None = None
    """Whose processes it sees. Only a site's policy permits it."""
    uts: Literal["host"] | None = None
    """Whose name it has. Only a site's policy permits it."""
    network_mode: Literal["none", "host"] | None = None
    """No network at all, or that of the engine's machine, in place of `networks`. Only a site's
    policy permits it."""
