"""What a file of a host is like, asked of the host's own shell, and whether that is as wanted."""

import re

from orchestrator.ports import RunResult
from scoring.checks.probes import FileProbe
from scoring.domain.verdicts import Verdict

# One line for each fact. A link is told as one before anything would follow it.
_SCRIPT = """\
if [ -L "$1" ]; then echo link; exit; fi
if [ ! -e "$1" ]; then echo nothing; exit; fi
if [ ! -f "$1" ]; then echo other; exit; fi
echo file
stat -c '%s %U:%G %u:%g' "$1" || exit
if [ -n "$2" ]; then sha256sum < "$1" || exit; fi
if [ -n "$3" ] && grep -qF -e "$3" "$1"; then echo held; fi
"""
_SIZE_AND_OWNERS = re.compile(r"(\d{1,18}) (\S+) (\S+)", re.ASCII)


def command_of(probe: FileProbe) -> tuple[str, ...]:
    """Return what is run as root in the host; its image needs a POSIX shell and `stat -c`."""
    return ("sh", "-c", _SCRIPT, "sh", probe.path, probe.sha256 or "", probe.contains or "")


def verdict_of(probe: FileProbe, ran: RunResult) -> Verdict:
    """Return `down` for a file that is not there, `mumble` for one that is not as it should be."""
    what, *facts = ran.output.splitlines() if ran.ok and ran.output else [""]
    if probe.absent:
        return Verdict.UP if what == "nothing" else Verdict.DOWN
    if what in {"link", "other"}:
        return Verdict.MUMBLE
    # The team is root in there: whatever its programs print is no error of ours.
    stat = _SIZE_AND_OWNERS.fullmatch(facts[0]) if what == "file" and facts else None
    if stat is None:
        return Verdict.DOWN
    size, most = int(stat[1]), probe.max_size
    fits = (
        probe.min_size <= size
        and (most is None or size <= most)
        and probe.owner in {None, stat[2], stat[3]}
        and (probe.sha256 is None or any(f.startswith(f"{probe.sha256} ") for f in facts[1:]))
        and (probe.contains is None or "held" in facts[1:])
    )
    return Verdict.UP if fits else Verdict.MUMBLE
