"""The rules on the engine's own host: one keeps ranges off it, one lets their routers work.

An internal network still reaches every address of that host through its gateway. The rule sits in
INPUT, because DOCKER-USER sees forwarded traffic only. Replies pass, so the host reaches ranges.

Frames between two ports of one bridge pass the forwarding rules too, where the engine drops those
that come from another subnet: what a router hands on. A bridged frame cannot leave its bridge.
"""

from datetime import timedelta

from orchestrator.engine.labels import Labels
from orchestrator.engine.names import bridge_prefix
from orchestrator.engine.routes import TELL_ROUTES
from orchestrator.engine.space import TELL_SPACE
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
assert() {
  case $act in
    set) $tables -C "$@" 2>/dev/null || $tables -I "$@" ;;
    clear) while $tables -C "$@" 2>/dev/null; do $tables -D "$@"; done ;;
  esac
}
act=$2
families=iptables
[ -e /proc/net/if_inet6 ] && families="iptables ip6tables"
for family in $families; do
  tables="$family-$flavour -w"
  assert INPUT -i "$1+" -m conntrack ! --ctstate ESTABLISHED,RELATED -j DROP
done
tables="iptables-$flavour -w"
if $tables -S DOCKER-USER >/dev/null 2>&1; then
  assert DOCKER-USER -i "$1+" -o "$1+" -m physdev --physdev-is-bridged -j ACCEPT
fi
"""


class HostRules:
    """The firewall rules of one installation on the engine's host."""

    def __init__(self, toolbox: Toolbox, labels: Labels) -> None:
        self._toolbox = toolbox
        self._labels = labels

    def protect(self) -> str:
        """Have each rule first in its chain; return what TELL_SPACE and TELL_ROUTES tell.

        Reboots and flushes lose the rules: assert them often.
        """
        return self._run("set")

    def clear(self) -> None:
        """Have no such rules."""
        self._run("clear")

    def _run(self, act: str) -> str:
        prefix = bridge_prefix(self._labels.installation)
        result = self._toolbox.run(
            ("sh", "-c", f"{_SCRIPT}{TELL_SPACE}{TELL_ROUTES}", "sh", prefix, act),
            network_mode="host",
            labels=self._labels.helper(),
            timeout=_WITHIN,
            capabilities=("NET_ADMIN", "NET_RAW"),
        )
        if not result.ok:
            raise EngineRefusedError(
                f"the firewall rules for {prefix}+ could not be {act} on the engine's host:"
                f" {result.output.strip()}",
                hint="Ranges could reach the host's services; look at `iptables -S INPUT` there",
            )
        return result.output
