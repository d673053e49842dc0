"""What the answers to a self-test mean: a finding for every question. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from orchestrator.domain.isolation import (
    Answer,
    Finding,
    Heard,
    Lookup,
    Probe,
    Question,
    Sentinel,
    Target,
    Verdict,
    View,
    worst,
)


def judge(
    probes: Sequence[Probe],
    view: View,
    *,
    sentinel: Sentinel,
    expects_neighbours: bool = False,
) -> tuple[Finding, ...]:
    """Return a finding of one host for every question, in the order of the questions.

    When other teams are known to stand, that none was there to be asked for is no excuse.
    """
    peers = _judged_peers([p for p in probes if p.question is Question.PEERS], view.answers)
    findings = [peers]
    for question in Question:
        asked = [probe for probe in probes if probe.question is question]
        if question is Question.IPV6:
            findings.append(_judged_over_ipv6(asked, view, peers))
        elif question is not Question.PEERS:
            finding = _judged(question, asked, view.answers, sentinel, peers)
            if question is Question.TEAMS and not asked and expects_neighbours:
                finding = replace(finding, verdict=Verdict.UNTOLD)
            findings.append(finding)
    return tuple(findings)


def together(found: Mapping[str, Sequence[Finding]]) -> tuple[Finding, ...]:
    """Return the findings of a world from those of each of its hosts; the worst of each counts.

    What is bad, and what was not found alike from all, names the hosts.
    """
    return tuple(
        _worst_of(
            question,
            {host: f for host, own in found.items() for f in own if f.question is question},
        )
        for question in Question
    )


def _worst_of(question: Question, found: Mapping[str, Finding]) -> Finding:
    verdict = worst(finding.verdict for finding in found.values())
    said: dict[str, list[str]] = {}
    for host, finding in found.items():
        if finding.verdict is verdict:
            said.setdefault(finding.says, []).append(host)
    if len(said) == 1 and verdict in _GOOD:
        return Finding(question=question, verdict=verdict, says=next(iter(said)))
    says = "; ".join(f"{words}, asked from {', '.join(hosts)}" for words, hosts in said.items())
    return Finding(question=question, verdict=verdict, says=says)


def _judged_peers(probes: Sequence[Probe], answers: Mapping[Target, Answer]) -> Finding:
    silent = [probe for probe in probes if not _is_met(probe, answers)]
    if len(silent) == len(probes):
        says = "no peer resolves or answers, so the prober proves nothing"
        return Finding(question=Question.PEERS, verdict=Verdict.UNTOLD, says=says)
    if silent:
        says = f"{silent[0].of} does not {_verb(silent[0])}"
        return Finding(question=Question.PEERS, verdict=Verdict.FAILS, says=says)
    says = "peers resolve and answer"
    return Finding(question=Question.PEERS, verdict=Verdict.HOLDS, says=says)


def _is_met(probe: Probe, answers: Mapping[Target, Answer]) -> bool:
    answer = answers.get(probe.target)
    if answer is None:
        return False
    if isinstance(probe.target, Lookup):
        return answer.address in probe.wanted
    return answer.heard in {Heard.ANSWER, Heard.REFUSAL}


def _verb(probe: Probe) -> str:
    return "resolve" if isinstance(probe.target, Lookup) else "answer"


# What a leak is called, and what is said when nothing leaks and when there is nothing to ask.
_WORDS: Mapping[Question, tuple[str, str, str]] = {
    Question.HOST: (
        "the engine's host is reached at {}",
        "no address of the engine's host is reached",
        "",
    ),
    Question.ENGINE: ("the engine is reached at {}", "the engine's ports are not reached", ""),
    Question.TEAMS: (
        "{} is reached",
        "no other team's host is reached",
        "no other team's host stood on a network of its own",
    ),
    Question.NETWORKS: (
        "{} is reached without a flow",
        "no other network of the team is reached without a flow",
        "no host of the team is on another network without a flow there",
    ),
    Question.OUTSIDE: (
        "{} outside is reached",
        "nothing outside is reached",
        "the engine's host reaches nothing outside itself",
    ),
    Question.METADATA: (
        "the metadata service at {} is reached",
        "the metadata service is not reached",
        "no metadata service answers the engine's host",
    ),
    Question.NAMES: (
        "the name {} is asked outside, and answered",
        "no name is asked outside",
        "the engine's host gets no answer to that name itself",
    ),
}
_GOOD = frozenset({Verdict.HOLDS, Verdict.UNTESTED})
# A refusal of the engine's host is its firewall's: what must be kept out is a connection.
_ONLY_ANSWERS = frozenset({Question.HOST, Question.ENGINE})


def _judged(
    question: Question,
    probes: Sequence[Probe],
    answers: Mapping[Target, Answer],
    sentinel: Sentinel,
    peers: Finding,
) -> Finding:
    leak, holds, nothing = _WORDS[question]
    for probe in probes:
        heard = answers[probe.target].heard if probe.target in answers else Heard.NOTHING
        if heard is Heard.ANSWER or (heard is Heard.REFUSAL and question not in _ONLY_ANSWERS):
            return Finding(question=question, verdict=Verdict.FAILS, says=leak.format(probe.of))
    verdict, says = _silence(question, probes, answers, sentinel, peers)
    return Finding(question=question, verdict=verdict, says=says or (holds if probes else nothing))


def _silence(
    question: Question,
    probes: Sequence[Probe],
    answers: Mapping[Target, Answer],
    sentinel: Sentinel,
    peers: Finding,
) -> tuple[Verdict, str]:
    """Return what it means that nothing was reached; the question's own words when it holds."""
    if peers.verdict is Verdict.UNTOLD:
        return Verdict.UNTOLD, peers.says
    if not probes:
        if question in _ONLY_ANSWERS:
            return Verdict.UNTOLD, "the control failed: no listener answered on the engine's host"
        return Verdict.UNTESTED, ""
    if any(probe.target not in answers for probe in probes):
        return Verdict.UNTOLD, "the prober did not answer for every target"
    if question is Question.NAMES and (excuse := _untested_name(probes[0], answers, sentinel)):
        return Verdict.UNTESTED, excuse
    return Verdict.HOLDS, ""


def _untested_name(probe: Probe, answers: Mapping[Target, Answer], sentinel: Sentinel) -> str:
    if answers[probe.target].heard is Heard.OWN:
        return "the host has a name service of its own"
    return "" if sentinel.resolves else _WORDS[Question.NAMES][2]


def _judged_over_ipv6(probes: Sequence[Probe], view: View, peers: Finding) -> Finding:
    """Return what is found of IPv6, which the engine gives no host unless it is told to.

    A route beyond a host's own networks fails at sight: nothing of ours keeps it from leading out.
    """
    verdict, says = Verdict.UNTOLD, ""
    reached = [p for p in probes if _heard(p, view) is Heard.ANSWER]
    deaf = [own for own, heard in view.ipv6.items() if heard is Heard.NOTHING]
    if reached:
        verdict, says = Verdict.FAILS, f"the engine's host is reached at {reached[0].of}"
    elif view.beyond:
        verdict = Verdict.FAILS
        says = f"a route leads beyond the world over IPv6, by {min(view.beyond)}"
    elif peers.verdict is Verdict.UNTOLD:
        says = peers.says
    elif not view.ipv6:
        verdict, says = Verdict.HOLDS, "no IPv6 address"
    elif deaf:
        says = f"the control failed: the host does not reach its own {deaf[0]}"
    elif not probes:
        says = "the control failed: no listener answered over IPv6 at each gateway"
    elif any(probe.target not in view.answers for probe in probes):
        says = "the prober did not answer for every target"
    else:
        verdict, says = Verdict.HOLDS, "the engine's host is not reached over IPv6"
    return Finding(question=Question.IPV6, verdict=verdict, says=says)


def _heard(probe: Probe, view: View) -> Heard:
    return view.answers[probe.target].heard if probe.target in view.answers else Heard.NOTHING
