"""Facts of an engine and its host, asked by one call each and three runs of the toolbox."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import timedelta
from http import HTTPStatus
from typing import Any

from docker.errors import APIError, ImageNotFound

from core.clock import Clock
from orchestrator.domain.diagnosis import BASE_IMAGE
from orchestrator.domain.engine_facts import EngineFacts, Tables
from orchestrator.engine.connection import EngineConnection
from orchestrator.engine.errors import is_status
from orchestrator.engine.inventory import engine_time
from orchestrator.engine.labels import Labels
from orchestrator.engine.names import bridge_prefix
from orchestrator.engine.space import TELL_SPACE, space_of
from orchestrator.engine.toolbox import Toolbox
from orchestrator.ports import EngineRefusedError

_WITHIN = timedelta(seconds=30)
_LIMITS = {
    "memory": "MemoryLimit",
    "swap": "SwapLimit",
    "processes": "PidsLimit",
    "CPU": "CpuCfsQuota",
}
# legacy is asked only where the kernel has its tables: asking loads them.
_OF_HOST = """
ip link show docker0 >/dev/null 2>&1 && echo bridge docker0
echo filtered "$(cat /proc/sys/net/bridge/bridge-nf-call-iptables 2>/dev/null)"
sed -n 's/^nameserver */server /p' /etc/resolv.conf
flavours=nft
[ -s /proc/net/ip_tables_names ] && flavours="nft legacy"
for flavour in $flavours; do
  iptables-$flavour -w -S DOCKER-USER >/dev/null 2>&1 || continue
  echo tables $flavour
  iptables-$flavour -w -C INPUT -i "$1+" -m conntrack ! --ctstate ESTABLISHED,RELATED -j DROP \\
    2>/dev/null && echo protected $flavour
done
for at in $(ss -Hltn '( sport = :2375 or sport = :2376 )' | awk '{print $4}'); do
  at=$(echo "$at" | sed 's/^\\*:/127.0.0.1:/; s/^0.0.0.0:/127.0.0.1:/; s/^\\[::\\]:/127.0.0.1:/')
  curl -s -m 2 -o /dev/null -f "http://$at/_ping" && echo open "$at"
done
true
"""
_OF_KERNEL = f"""
{TELL_SPACE}tc qdisc add dev lo root netem delay 1ms >/dev/null 2>&1 && echo delays yes
true
"""


class Diagnosis:
    """Asks one engine what a doctor wants to know. Changes nothing that stays."""

    def __init__(
        self, connection: EngineConnection, labels: Labels, toolbox: Toolbox, clock: Clock
    ) -> None:
        self._connection = connection
        self._labels = labels
        self._toolbox = toolbox
        self._clock = clock

    def facts(self) -> EngineFacts:
        """Return what is seen now."""
        with self._connection.call() as api:
            version, info, at = api.version(), api.info(), self._clock.now()
            base = _architecture(api)
        security = " ".join(info.get("SecurityOptions") or ())
        host = _by_word(self._told(_OF_HOST, "host", ("NET_ADMIN", "NET_RAW")))
        of_kernel = self._told(_OF_KERNEL, "none", ("NET_ADMIN",))
        return EngineFacts(
            version=info["ServerVersion"],
            api_version=version["ApiVersion"],
            runc=_runc(version),
            architecture=version["Arch"],
            cpus=info["NCPU"],
            memory=info["MemTotal"],
            limits=frozenset(name for name, field in _LIMITS.items() if info.get(field)),
            limits_disk=self._limits_disk(),
            storage=_storage(info),
            space=space_of(of_kernel),
            user_namespaces="name=userns" in security or "name=rootless" in security,
            seccomp="name=seccomp" in security,
            at=at,
            time=engine_time(info["SystemTime"]),
            default_bridge=bool(host["bridge"]),
            tables=_tables(host["tables"]),
            protected=bool(host["protected"]),
            bridges_filtered=host["filtered"] == ["1"],
            delays=bool(_by_word(of_kernel)["delays"]),
            open_without_tls=tuple(host["open"]),
            name_servers=tuple(host["server"]),
            base_architecture=base,
        )

    def _told(self, script: str, network: str, capabilities: Sequence[str]) -> str:
        """Return what a script prints."""
        result = self._toolbox.run(
            ("sh", "-c", script, "sh", bridge_prefix(self._labels.installation)),
            network_mode=network,
            labels=self._labels.helper(),
            timeout=_WITHIN,
            capabilities=capabilities,
        )
        if not result.ok:
            raise EngineRefusedError(f"the engine's host tells nothing: {result.output.strip()}")
        return result.output

    def _limits_disk(self) -> bool:
        """Tell whether the engine takes a container with a limit on its disk; none is started."""
        with self._connection.call() as api:
            try:
                made = api.create_container(
                    self._toolbox.reference,
                    command=["true"],
                    labels=self._labels.helper(),
                    host_config={"StorageOpt": {"size": "1G"}},
                )
            except APIError as error:
                if is_status(error, HTTPStatus.NOT_FOUND):
                    raise
                return False
            api.remove_container(made["Id"], force=True, v=True)
        return True


def _by_word(output: str) -> Mapping[str, list[str]]:
    """Return the words after each first word of a line."""
    told: dict[str, list[str]] = defaultdict(list)
    for line in output.splitlines():
        word, _, rest = line.partition(" ")
        told[word].append(rest.strip())
    return told


def _architecture(api: Any) -> str | None:  # noqa: ANN401  # the SDK's client is bare
    try:
        found: str = api.inspect_image(BASE_IMAGE)["Architecture"]
    except ImageNotFound:
        return None
    return found


def _runc(version: Mapping[str, Any]) -> str:
    """Return runc's version; a distribution puts its own behind the commit."""
    parts = {part["Name"]: part for part in version.get("Components") or ()}
    runc = parts.get("runc", {})
    commit = str(runc.get("Details", {}).get("GitCommit", ""))
    own = str(runc.get("Version", ""))
    return commit if own and commit.startswith(own) else own


def _storage(info: Mapping[str, Any]) -> str:
    below = dict(info.get("DriverStatus") or ()).get("Backing Filesystem", "")
    return f"{info['Driver']} on {below}" if below else str(info["Driver"])


def _tables(flavours: Sequence[str]) -> Tables:
    if len(flavours) > 1:
        return Tables.BOTH
    return Tables(flavours[0]) if flavours else Tables.NONE
