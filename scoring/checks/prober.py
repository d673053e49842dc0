"""Carrying out probes through the engine, and telling a team's fault from ours."""

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import assert_never

from orchestrator.domain.health import ObservedHost, diagnose
from orchestrator.domain.world import HostKey, WorldKey
from orchestrator.ports import (
    EngineRefusedError,
    EngineUnavailableError,
    HostGoneError,
    ImageBuildFailedError,
    RangeEngine,
    RunResult,
    UnknownImageError,
)
from scoring.checks.files import command_of, verdict_of
from scoring.checks.names import dig, verdict_of_dig
from scoring.checks.probes import (
    CommandProbe,
    DnsProbe,
    FileProbe,
    Finding,
    HttpProbe,
    Look,
    OwnPortProbe,
    PeerPortProbe,
    SmtpProbe,
    SqlProbe,
    SshProbe,
)
from scoring.checks.talking import talk
from scoring.domain.verdicts import Verdict

_OURS = (EngineUnavailableError, EngineRefusedError, UnknownImageError, ImageBuildFailedError)
_OUTPUT_CHARACTERS = 4000
# How long the engine may take to make and start a prober, beyond the probe's own time.
_START = timedelta(seconds=20)
_TIMED_OUT = 124
_STATUS_LINE = re.compile(r"HTTP/\S+ (\d{3})")

# curl's exit codes. 6: the name is not known, which depends on who took it away. Nobody answers:
# refused, timed out. Anything not listed answered, but not as HTTP with the right certificate.
_CURL_UNRESOLVED = 6
# Inside a range a name that is not there gets no answer at all. Nothing that a server sends can
# look like this: what curl prints of it begins with HTTP.
_RESOLVING_TIMED_OUT = "curl: (28) Resolving timed out"
# What curl says of an answer that was cut must not come before the answer itself.
ANSWER_THEN_ERRORS = """\
set -o pipefail
exec 3>&1
errors=$({ curl "$@" | head -c 61440 >&3; } 2>&1)
code=$?
printf '%s' "$errors"
exit "$code"
"""
# The certificates come as the first argument: the prober is thrown away, and has no files of ours.
TRUSTING = """\
exec 4< <(printf '%s' "$1")
shift
set -- --cacert /dev/fd/4 "$@"
"""
_CURL_CUT = 23  # it could not write on: the answer was longer than what we keep
_CURL_SILENT = frozenset({7, 28})
_CURL_OURS = frozenset({2, 3, 4, 26, 27, 41, 43, 48, *range(_TIMED_OUT, 256)})


class Prober:
    """Looks into worlds. Whatever keeps it from looking is `infra_error`, and nobody's loss."""

    def __init__(self, engine: RangeEngine) -> None:
        self._engine = engine

    def look(self, world: WorldKey, look: Look) -> Finding:
        """Return what was seen; never raises what the engine raises."""
        try:
            finding = self._probe(HostKey(world=world, host=look.host), look)
        except HostGoneError as error:
            finding = Finding(verdict=self._who_stopped(world, look.host), output=str(error))
        except _OURS as error:
            finding = Finding(verdict=Verdict.INFRA_ERROR, output=str(error))
        # PostgreSQL stores no zero character in text.
        output = finding.output.replace("\0", "�")[:_OUTPUT_CHARACTERS]
        return Finding(verdict=finding.verdict, output=output)

    def sees_ours_fallen(self, world: WorldKey, wanted: Mapping[HostKey, frozenset[str]]) -> bool:
        """Tell whether a host of the world was removed, cut off, or stopped with everything else.

        `wanted` is host → networks. Before it is noticed and shown, a check beside that host would
        take it for down.
        """
        ailing = diagnose(wanted, self._observed(world))
        return any(not host.from_inside for host in ailing)

    def _probe(self, host: HostKey, look: Look) -> Finding:
        match look.probe:
            case CommandProbe() | FileProbe() | OwnPortProbe():
                return self._look_inside(host, look.probe, look.timeout)
            case PeerPortProbe() | DnsProbe() | HttpProbe():
                return self._look_from_beside(host, look.probe, look.timeout)
            case SmtpProbe() | SshProbe() | SqlProbe():
                return talk(self._engine, host, look.probe, timeout=look.timeout)
            case _:
                assert_never(look.probe)

    def _look_inside(
        self, host: HostKey, probe: CommandProbe | FileProbe | OwnPortProbe, timeout: timedelta
    ) -> Finding:
        match probe:
            case CommandProbe(command=command):
                ran = self._engine.run(host, command, timeout=timeout)
                # Also when it took too long or was not found: the team owns what is inside.
                return Finding(verdict=_up_if(passes=ran.ok), output=ran.output)
            case FileProbe():
                ran = self._engine.run(host, command_of(probe), timeout=timeout)
                return Finding(verdict=verdict_of(probe, ran), output=ran.output)
            case OwnPortProbe(port=port):
                return Finding(verdict=_up_if(passes=self._engine.accepts_tcp(host, port)))
            case _:
                assert_never(probe)

    def _look_from_beside(
        self, host: HostKey, probe: PeerPortProbe | DnsProbe | HttpProbe, timeout: timedelta
    ) -> Finding:
        match probe:
            case PeerPortProbe():
                ran = self._engine.probe(host, _netcat(probe, timeout), timeout=timeout + _START)
                return Finding(verdict=_of_netcat(ran), output=ran.output)
            case DnsProbe():
                ran = self._engine.probe(host, dig(probe, timeout), timeout=timeout + _START)
                return Finding(verdict=verdict_of_dig(probe, ran), output=ran.output)
            case HttpProbe():
                ran = self._engine.probe(host, _curl(probe, timeout), timeout=timeout + _START)
                if _is_unresolved(ran):
                    return Finding(verdict=self._who_hid_a_name(host.world), output=ran.output)
                return _of_curl(probe, ran)
            case _:
                assert_never(probe)

    def _who_stopped(self, world: WorldKey, host: str) -> Verdict:
        """Blame the team for a host that ended while others run on.

        One that is not there was never raised or was removed, which teams cannot do; and when
        nothing of the exercise runs, the engine or its machine went down.
        """
        hosts = self._observed(world)
        there = any(h.key == HostKey(world=world, host=host) and not h.running for h in hosts)
        return Verdict.DOWN if there and any(h.running for h in hosts) else Verdict.INFRA_ERROR

    def _who_hid_a_name(self, world: WorldKey) -> Verdict:
        """Blame the team if a host of its world has ended: the engine forgets such names."""
        ended = [h for h in self._observed(world) if h.key.world == world and not h.running]
        return Verdict.DOWN if ended else Verdict.INFRA_ERROR

    def _observed(self, world: WorldKey) -> tuple[ObservedHost, ...]:
        try:
            return self._engine.observe(world.exercise)
        except _OURS:
            return ()


def _up_if(*, passes: bool) -> Verdict:
    return Verdict.UP if passes else Verdict.DOWN


def _netcat(probe: PeerPortProbe, timeout: timedelta) -> tuple[str, ...]:
    seconds = max(1, round(timeout.total_seconds()))
    return ("nc", "-n", "-z", "-w", str(seconds), str(probe.address), str(probe.port))


def _of_netcat(ran: RunResult) -> Verdict:
    match ran.exit_code:
        case 0:
            return Verdict.UP
        case 1:
            return Verdict.DOWN
        case _:
            return Verdict.INFRA_ERROR


def _curl(probe: HttpProbe, timeout: timedelta) -> tuple[str, ...]:
    method = {"GET": (), "HEAD": ("--head",), "POST": ("--data", "")}[probe.method]
    seconds = f"{timeout.total_seconds():g}"
    # `--include`: the status comes first, and so survives the cut of a long answer. The cut is
    # made here, because what the engine keeps of a very long output is its end.
    script = f"{TRUSTING}{ANSWER_THEN_ERRORS}" if probe.ca else ANSWER_THEN_ERRORS
    return (
        *("bash", "-c", script, "curl", *([probe.ca] if probe.ca else ())),
        *("--silent", "--show-error", "--include", "--globoff", "--noproxy", "*"),
        *("--proto", "=http,https", "--max-time", seconds, *method),
        *(() if probe.verify else ("--insecure",)),
        *("--url", probe.url),
    )


def _is_unresolved(ran: RunResult) -> bool:
    return ran.exit_code == _CURL_UNRESOLVED or ran.output.startswith(_RESOLVING_TIMED_OUT)


def _of_curl(probe: HttpProbe, ran: RunResult) -> Finding:
    if ran.exit_code in _CURL_OURS:
        return Finding(verdict=Verdict.INFRA_ERROR, output=ran.output)
    if ran.exit_code in _CURL_SILENT:
        return Finding(verdict=Verdict.DOWN, output=ran.output)
    status, body = _answer_in(ran.output)
    is_whole = ran.exit_code in {0, _CURL_CUT}
    fits = is_whole and status == probe.status and (probe.contains or "") in body
    return Finding(verdict=Verdict.UP if fits else Verdict.MUMBLE, output=ran.output)


def _answer_in(output: str) -> tuple[int | None, str]:
    """Return the last answer's status and text; answers of the 100s are only announcements."""
    text = output.replace("\r\n", "\n")
    while line := _STATUS_LINE.match(text):
        _, _, text = text.partition("\n\n")
        if line[1][0] != "1":
            return int(line[1]), text
    return None, text
