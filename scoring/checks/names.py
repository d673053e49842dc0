"""What a DNS server answers, asked with dig, and whether that is as wanted."""

from datetime import timedelta

from orchestrator.ports import RunResult
from scoring.checks.probes import DnsProbe
from scoring.domain.verdicts import Verdict

_NO_REPLY = 9


def dig(probe: DnsProbe, timeout: timedelta) -> tuple[str, ...]:
    """Return what is run in the prober: one question, the records alone as the answer."""
    seconds = max(1, round(timeout.total_seconds()))
    return (
        *("dig", f"@{probe.server}", "-q", probe.name, "-t", probe.type),
        *("+short", "+tries=1", f"+time={seconds}", "+norecurse"),
    )


def verdict_of_dig(probe: DnsProbe, ran: RunResult) -> Verdict:
    """Return `down` when nobody replies, `mumble` when no record, or another one, comes back."""
    if ran.exit_code == _NO_REPLY:
        return Verdict.DOWN
    if ran.exit_code:
        return Verdict.INFRA_ERROR
    records = {_plain(line) for line in ran.output.splitlines() if not line.startswith(";")}
    fits = bool(records) if probe.answer is None else _plain(probe.answer) in records
    return Verdict.UP if fits else Verdict.MUMBLE


def _plain(record: str) -> str:
    # Text records come in quotes, names with the root's dot.
    return record.strip().strip('"').removesuffix(".").casefold()
