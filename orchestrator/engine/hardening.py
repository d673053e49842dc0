"""What a host may do, in the words of the Engine API's HostConfig.

What keeps an attacker in has a test in `tests/security`.
"""

from collections.abc import Sequence

from orchestrator.domain.world import HostPlan, Limits, Privileges

CAPABILITIES = (
    "CHOWN",
    "DAC_OVERRIDE",
    "FOWNER",
    "FSETID",
    "KILL",
    "NET_BIND_SERVICE",
    "SETGID",
    "SETUID",
    "SYS_CHROOT",
)
"""What root keeps inside a host: Docker's default without raw sockets, devices and file labels."""

NOBODY = "65534:65534"
"""As whom a program runs that needs no capability."""

_NO_NEW_PRIVILEGES = "no-new-privileges"
_NEW_PRIVILEGES = "no-new-privileges:false"
_SUDO_CAPABILITIES = ("AUDIT_WRITE",)  # sudo and PAM write audit records

# The way back to a sender may be another one than it came by.
_LOOSE = {"net.ipv4.conf.all.rp_filter": "2", "net.ipv4.conf.default.rp_filter": "2"}
_ON_SEVERAL = {"net.ipv4.ip_forward": "0"} | _LOOSE

_ENTERING = ("SYS_ADMIN", "SYS_PTRACE", "SETUID", "SETGID")

_TOOLBOX_LIMITS = Limits(memory=128 * 1024**2, cpus=1.0, pids=64)
# A process for each network of each world that is asked at that moment, 2 MB each.
_SENTINEL_LIMITS = Limits(memory=512 * 1024**2, cpus=1.0, pids=256)

# 128 connections with 256 KiB on their way, and a process for each name that is looked up.
_REACH_LIMITS = Limits(memory=192 * 1024**2, cpus=1.0, pids=160)


def host_options(plan: HostPlan, *, network: str, disk: int | None = None) -> dict[str, object]:
    """Return the HostConfig of a scenario's host on its first network; `disk` is in bytes.

    The seccomp profile is the engine's default because nothing here names another one.
    """
    own = plan.privileges
    usual = (*CAPABILITIES, *(_SUDO_CAPABILITIES if plan.sudo else ()))
    return _limited(plan.limits) | {
        "NetworkMode": network,
        "CapDrop": ["ALL"],
        "CapAdd": list(dict.fromkeys((*usual, *own.capabilities))),
        "SecurityOpt": _security(plan),
        # Names of peers resolve in the engine; this forwards every other question nowhere
        # (CVE-2024-29018 let internal networks ask the host's resolver).
        "Dns": [] if own.host_network else ["127.0.0.1"],
        "RestartPolicy": {"Name": "no"},
        # What an entered shell leaves behind becomes the first process's child, and few programs
        # take children in: they would stay as zombies and count against the pids limit. With the
        # machine's processes the engine leaves it out, and takes children in itself.
        "Init": True,
        # A host on several networks is no way between them, and answers by the one it was asked on
        # may leave by another.
        "Sysctls": {**(_ON_SEVERAL if len(plan.attachments) > 1 else {}), **own.sysctls},
        "ExtraHosts": [f"{name}:{at}" for name, at in (*plan.names.items(), *own.names.items())],
        **_permitted(own),
        **({"StorageOpt": {"size": str(disk)}} if disk is not None else {}),
    }


def _security(plan: HostPlan) -> list[str]:
    asked = plan.privileges.security
    # sudo is a set-user-id program, and no-new-privileges forbids exactly those.
    free = plan.sudo or _NEW_PRIVILEGES in asked
    kept = [] if free else [_NO_NEW_PRIVILEGES]
    return [*kept, *(option.replace(":", "=") for option in asked if option != _NEW_PRIVILEGES)]


def _permitted(own: Privileges) -> dict[str, object]:
    """Return the options that a site's policy permitted; none where it was asked for none."""
    options: dict[str, object] = {
        "Privileged": own.privileged,
        "Devices": [_device(*device.split(":")) for device in own.devices],
        "Mounts": [_mount(*volume.split(":")) for volume in own.volumes],
        "Runtime": own.runtime,
        "IpcMode": "host" if own.host_ipc else None,
        "UsernsMode": "host" if own.host_users else None,
        "PidMode": "host" if own.host_processes else None,
        "UTSMode": "host" if own.host_name else None,
    }
    return {key: value for key, value in options.items() if value}


def _device(here: str, there: str = "", may: str = "rwm") -> dict[str, str]:
    return {"PathOnHost": here, "PathInContainer": there or here, "CgroupPermissions": may}


def _mount(here: str, there: str, may: str = "ro") -> dict[str, object]:
    # A mount, not a bind: of a bind the engine would make the place that is missing.
    return {"Type": "bind", "Source": here, "Target": there, "ReadOnly": may == "ro"}


def router_options(*, network: str) -> dict[str, object]:
    """Return the HostConfig of a world's router on its first network."""
    return toolbox_options(network=network, capabilities=("NET_ADMIN",)) | {
        "Dns": ["127.0.0.1"],
        "RestartPolicy": {"Name": "no"},
        "Init": True,
        "Sysctls": {"net.ipv4.ip_forward": "1"} | _LOOSE,
    }


def sentinel_options() -> dict[str, object]:
    """Return the HostConfig of a toolbox that may enter the network of any host, as nobody.

    `/proc/PID/ns/net` of a host's first process is the way in: it takes the engine's process
    numbers, the right to look at that process (SELinux confines that to a container's own, AppArmor
    does not), and the right to join. The container goes at its end.
    """
    return toolbox_options(network="host", capabilities=_ENTERING) | {
        **_limited(_SENTINEL_LIMITS),
        "PidMode": "host",
        "SecurityOpt": [_NO_NEW_PRIVILEGES, "label=disable"],
        "AutoRemove": True,
    }


def reach_options(*, container: str) -> dict[str, object]:
    """Return the HostConfig of a toolbox that carries connections out of a host's network.

    It goes at its end. What it carries is not written to the engine's log.
    """
    return toolbox_options(network=f"container:{container}", capabilities=()) | {
        **_limited(_REACH_LIMITS),
        "LogConfig": {"Type": "none"},
        "AutoRemove": True,
    }


def toolbox_options(*, network: str, capabilities: Sequence[str]) -> dict[str, object]:
    """Return the HostConfig of a run of the toolbox."""
    return _limited(_TOOLBOX_LIMITS) | {
        "NetworkMode": network,
        "CapDrop": ["ALL"],
        "CapAdd": list(capabilities),
        "SecurityOpt": [_NO_NEW_PRIVILEGES],
        "ReadonlyRootfs": True,
    }


def _limited(limits: Limits) -> dict[str, object]:
    return {
        "Memory": limits.memory,
        "MemorySwap": limits.memory,  # memory and swap together: no swap beyond
        "NanoCpus": int(limits.cpus * 1e9),
        "PidsLimit": limits.pids,
        "Ulimits": [
            {"Name": "nofile", "Soft": 4096, "Hard": 4096},
            {"Name": "core", "Soft": 0, "Hard": 0},
        ],
        "LogConfig": {"Type": "json-file", "Config": {"max-size": "1m", "max-file": "2"}},
    }
