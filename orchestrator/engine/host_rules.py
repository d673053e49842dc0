"""The rule that keeps ranges off the engine's own host.

An internal network still reaches every address of that host through its gateway. The rule sits in
INPUT, because DOCKER-USER sees forwarded traffic only. Replies pass, so the host reaches ranges.
"""

from datetime import timedelta

from orchestrator.engine.labels import Labels
from orchestrator.engine.names import bridge_prefix
from orchestrator.engine.toolbox import Toolbox
from orchestrator.ports import EngineRefusedError

_WITHIN = timedelta(seconds=30)

# Rules work in the flavour that the host's own are in; Docker's chain tells which. nft is asked
# first: asking legacy loads its tables into a kernel that may not use them.
_SCRIPT = """set -e
if iptables-nft -w -S DOCKER-USER >/dev/null 2>&1; then flavour=nft
elif iptables-legacy -w -S DOCKER-USER >/dev/null 2>&1; then flavour=legacy
else flavour=nft
fi
families=iptables
[ -e /proc/net/if_inet6 ] && families="iptables ip6tables"
for family in $families; do
  tables="$family-$flavour -w"
  rule="INPUT -i $1+ -m conntrack ! --ctstate ESTABLISHED,RELATED -j DROP"
  case $2 in
    set) $tables -C $rule 2>/dev/null || $tables -I $rule ;;
    clear) while $tables -C $rule 2>/dev/null; do $tables -D $rule; done ;;
  esac
done
"""


class HostRules:
    """The firewall rule of one installation on the engine's host."""

    def __init__(self, toolbox: Toolbox, labels: Labels) -> None:
        self._toolbox = toolbox
        self._labels = labels

    def protect(self) -> None:
        """Have the rule first in INPUT. Reboots and flushes lose it, so assert it often."""
        self._run("set")

    def clear(self) -> None:
        """Have no such rule."""
        self._run("clear")

    def _run(self, act: str) -> None:
        prefix = bridge_prefix(self._labels.installation)
        result = self._toolbox.run(
            ("sh", "-c", _SCRIPT, "sh", prefix, act),
            network_mode="host",
            labels=self._labels.helper(),
            timeout=_WITHIN,
            capabilities=("NET_ADMIN", "NET_RAW"),
        )
        if not result.ok:
            raise EngineRefusedError(
                f"the firewall rule for {prefix}+ could not be {act} on the engine's host:"
                f" {result.output.strip()}",
                hint="Ranges could reach the host's services; look at `iptables -S INPUT` there",
            )
