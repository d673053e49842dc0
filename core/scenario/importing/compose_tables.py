"""Keys of compose files that are left out, and those without which it would not be the same."""

from types import MappingProxyType

_SITE = "what a host may do beyond its limits is the site's decision"
_NAMESPACE = "which namespace a host shares is the site's decision"

REFUSED = MappingProxyType(
    {
        "cap_add": f"it asks for capabilities; {_SITE}",
        "cgroup": _NAMESPACE,
        "cgroup_parent": _NAMESPACE,
        "credential_spec": "accounts of another system are not here",
        "device_cgroup_rules": f"it asks for devices; {_SITE}",
        "devices": f"it asks for devices; {_SITE}",
        "extends": "a service of another file is not read; put its keys here",
        "external_links": "the host that it names is outside the file",
        "extra_hosts": "it names addresses; they are the site's, and ways out of a range closed",
        "gpus": f"it asks for devices; {_SITE}",
        "group_add": "groups of its process cannot be added",
        "ipc": _NAMESPACE,
        "isolation": "it asks for another kind of container",
        "models": "models of the engine are not here",
        "pid": _NAMESPACE,
        "post_start": "commands after the start are not carried; make them part of the image",
        "pre_stop": "commands before the end are not carried; make them part of the image",
        "privileged": f"it asks for everything that the engine's host may do; {_SITE}",
        "provider": "it is no container",
        "runtime": f"it asks for another runtime; {_SITE}",
        "security_opt": f"it weakens what guards the engine's host; {_SITE}",
        "sysctls": f"it changes the kernel; {_SITE}",
        "use_api_socket": "the engine's socket would hand over the whole site",
        "userns_mode": _NAMESPACE,
        "uts": _NAMESPACE,
        "volumes_from": "hosts have no disk in common",
    }
)
_NO_PART = "it changes nothing that a trainee would see"
_DEFAULT = "the site's default holds"
IGNORED = MappingProxyType(
    {
        "annotations": _NO_PART,
        "attach": _NO_PART,
        "blkio_config": _DEFAULT,
        "cap_drop": "hosts have few capabilities anyway",
        "cpu_count": _DEFAULT,
        "cpu_percent": _DEFAULT,
        "cpu_period": _DEFAULT,
        "cpu_quota": _DEFAULT,
        "cpu_rt_period": _DEFAULT,
        "cpu_rt_runtime": _DEFAULT,
        "cpu_shares": _DEFAULT,
        "cpuset": _DEFAULT,
        "develop": _NO_PART,
        "dns": "names are the range's to answer",
        "dns_opt": "names are the range's to answer",
        "dns_search": "names are the range's to answer",
        "domainname": "names are the range's to answer",
        "init": "a host that needs one has an init",
        "label_file": _NO_PART,
        "labels": _NO_PART,
        "logging": _NO_PART,
        "mac_address": "the engine gives it",
        "mem_reservation": _DEFAULT,
        "mem_swappiness": _DEFAULT,
        "memswap_limit": _DEFAULT,
        "oom_kill_disable": _DEFAULT,
        "oom_score_adj": _DEFAULT,
        "platform": "a host runs on the site's own processor",
        "profiles": "every service becomes a host",
        "pull_policy": "the site has its images or builds them",
        "read_only": "its disk can be written to",
        "shm_size": _DEFAULT,
        "stdin_open": _NO_PART,
        "stop_grace_period": _DEFAULT,
        "storage_opt": _DEFAULT,
        "tmpfs": "it is an ordinary folder",
        "tty": _NO_PART,
        "ulimits": _DEFAULT,
    }
)
REFUSED_AT_TOP = MappingProxyType(
    {
        "include": "another file is not read; put its services here",
        "models": REFUSED["models"],
    }
)
IGNORED_AT_TOP = MappingProxyType({"version": "the form of the file, not of its content"})
BUILD_IGNORED = frozenset(
    {"cache_from", "cache_to", "labels", "no_cache", "platforms", "pull", "shm_size", "tags"}
)
NETWORK_REFUSED = frozenset({"host", "macvlan", "ipvlan", "none"})
