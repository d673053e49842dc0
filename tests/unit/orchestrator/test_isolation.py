"""What a self-test asks and what answers mean; a silence without a control proves nothing."""

from dataclasses import replace
from ipaddress import IPv4Address, IPv4Network, IPv6Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.ids import ExerciseId
from orchestrator.domain.isolation import (
    Answer,
    Dial,
    Finding,
    Heard,
    Lookup,
    Neighbour,
    Probe,
    Question,
    Sentinel,
    Target,
    Verdict,
    View,
    worst,
)
from orchestrator.domain.isolation_judge import judge, together
from orchestrator.domain.isolation_probes import METADATA, probers_of, probes_of
from orchestrator.domain.world import Attachment, HostPlan, NetworkPlan, WorldKey, WorldPlan

OFFICE, YARD = IPv4Network("10.213.0.0/28"), IPv4Network("10.213.0.16/28")
HOST_ADDRESS = IPv4Address("192.0.2.10")
SENTINEL = Sentinel(
    port=40_000,
    answers_at=frozenset({HOST_ADDRESS, OFFICE[1]}),
    outside=frozenset(
        {Dial(address=IPv4Address("192.0.2.1"), port=53), Dial(address=METADATA, port=80)}
    ),
    resolves=True,
)
NEIGHBOUR = Neighbour(name="desk of team-2", address=IPv4Address("10.213.0.34"))
STRANGER = "4f1e.test"


def host(name: str, *addresses: IPv4Address) -> HostPlan:
    return HostPlan(
        host=name,
        image="debian",
        attachments=tuple(
            Attachment(network="office" if address in OFFICE else "yard", address=address)
            for address in addresses
        ),
    )


DESK, MAIL, SHED = host("desk", OFFICE[2]), host("mail", OFFICE[3], YARD[2]), host("shed", YARD[3])


def world(*hosts: HostPlan) -> WorldPlan:
    return WorldPlan(
        key=WorldKey(exercise=ExerciseId("e"), team="team-1"),
        networks=(
            NetworkPlan(network="office", subnet=OFFICE),
            NetworkPlan(network="yard", subnet=YARD),
        ),
        hosts=hosts,
    )


def asked(
    sentinel: Sentinel = SENTINEL, neighbours: tuple[Neighbour, ...] = (NEIGHBOUR,)
) -> tuple[Probe, ...]:
    return probes_of(
        world(DESK, MAIL, SHED), DESK, sentinel=sentinel, neighbours=neighbours, stranger=STRANGER
    )


def heard(probes: tuple[Probe, ...], *reached: Target) -> dict[Target, Answer]:
    """Return what an isolated world hears, and an answer of each target in `reached`."""
    answers: dict[Target, Answer] = {}
    for probe in probes:
        if probe.question is Question.PEERS:
            answers[probe.target] = Answer(
                heard=Heard.ANSWER, address=min(probe.wanted, default=None)
            )
        else:
            answers[probe.target] = Answer(heard=Heard.NOTHING)
    return answers | {target: Answer(heard=Heard.ANSWER) for target in reached}


def verdicts(
    probes: tuple[Probe, ...], answers: dict[Target, Answer], sentinel: Sentinel = SENTINEL
) -> dict[Question, Verdict]:
    return {f.question: f.verdict for f in judge(probes, View(answers=answers), sentinel=sentinel)}


def test_every_question_holds_in_an_isolated_world() -> None:
    probes = asked()
    assert verdicts(probes, heard(probes)) == dict.fromkeys(Question, Verdict.HOLDS)


def test_peers_are_those_on_a_network_of_the_asking_host() -> None:
    peers = {probe.of for probe in asked() if probe.question is Question.PEERS}
    assert peers == {"mail"}


def test_a_host_alone_on_its_networks_is_its_own_control() -> None:
    probes = probes_of(world(DESK, SHED), DESK, sentinel=SENTINEL, neighbours=(), stranger=STRANGER)
    own = [probe for probe in probes if probe.question is Question.PEERS]
    assert {probe.of for probe in own} == {"desk"}
    assert Dial(address=OFFICE[2], port=9) in {probe.target for probe in own}


@pytest.mark.parametrize(
    ("target", "question", "words"),
    [
        (
            Dial(address=OFFICE[1], port=40_000),
            Question.HOST,
            "host is reached at 10.213.0.1:40000",
        ),
        (Dial(address=HOST_ADDRESS, port=40_000), Question.HOST, "reached at 192.0.2.10:40000"),
        (Dial(address=HOST_ADDRESS, port=2375), Question.ENGINE, "engine is reached at"),
        (Dial(address=NEIGHBOUR.address, port=9), Question.TEAMS, "desk of team-2 is reached"),
        (Dial(address=IPv4Address("192.0.2.1"), port=53), Question.OUTSIDE, "192.0.2.1:53 outside"),
        (Dial(address=METADATA, port=80), Question.METADATA, "metadata service"),
        (Lookup(name=STRANGER), Question.NAMES, "4f1e.test is asked outside"),
    ],
)
def test_each_leak_fails_its_own_question_and_is_named(
    target: Target, question: Question, words: str
) -> None:
    probes = asked()
    assert target in {probe.target for probe in probes}
    found = {
        f.question: f for f in judge(probes, View(answers=heard(probes, target)), sentinel=SENTINEL)
    }
    assert found[question].verdict is Verdict.FAILS
    assert words in found[question].says
    assert [q for q, f in found.items() if f.verdict is Verdict.FAILS] == [question]


@pytest.mark.parametrize("question", [Question.TEAMS, Question.OUTSIDE, Question.NAMES])
def test_a_refusal_shows_a_way_too(question: Question) -> None:
    probes = asked()
    target = next(probe.target for probe in probes if probe.question is question)
    answers = heard(probes) | {target: Answer(heard=Heard.REFUSAL)}
    assert verdicts(probes, answers)[question] is Verdict.FAILS


def test_a_refusal_of_the_engines_host_is_its_firewalls() -> None:
    probes = asked()
    target = Dial(address=HOST_ADDRESS, port=40_000)
    answers = heard(probes) | {target: Answer(heard=Heard.REFUSAL)}
    assert verdicts(probes, answers)[Question.HOST] is Verdict.HOLDS


def test_a_prober_that_reaches_no_peer_cannot_tell_anything() -> None:
    probes = asked()
    deaf = {probe.target: Answer(heard=Heard.NOTHING) for probe in probes}
    found = verdicts(probes, deaf)
    assert set(found.values()) == {Verdict.UNTOLD}


def test_a_prober_that_says_nothing_cannot_tell_anything() -> None:
    assert set(verdicts(asked(), {}).values()) == {Verdict.UNTOLD}


def test_a_leak_is_a_leak_also_when_no_peer_answers() -> None:
    probes = asked()
    target = Dial(address=HOST_ADDRESS, port=40_000)
    deaf = {probe.target: Answer(heard=Heard.NOTHING) for probe in probes}
    found = verdicts(probes, deaf | {target: Answer(heard=Heard.ANSWER)})
    assert found[Question.HOST] is Verdict.FAILS


def test_a_peer_whose_name_leads_elsewhere_is_named() -> None:
    probes = asked()
    wrong = Answer(heard=Heard.ANSWER, address=IPv4Address("6.6.6.6"))
    view = View(answers=heard(probes) | {Lookup(name="mail"): wrong})
    found = judge(probes, view, sentinel=SENTINEL)
    assert found[0].verdict is Verdict.FAILS
    assert found[0].says == "mail does not resolve"


def test_without_a_listener_nobody_knows_about_the_engines_host() -> None:
    blind = replace(SENTINEL, answers_at=frozenset())
    probes = asked(blind)
    found = verdicts(probes, heard(probes), blind)
    assert found[Question.HOST] is Verdict.UNTOLD
    assert found[Question.ENGINE] is Verdict.UNTOLD


def test_what_the_engines_host_cannot_reach_either_is_not_tested() -> None:
    cut_off = replace(SENTINEL, outside=frozenset(), resolves=False)
    probes = asked(cut_off)
    found = verdicts(probes, heard(probes), cut_off)
    for question in (Question.OUTSIDE, Question.METADATA, Question.NAMES):
        assert found[question] is Verdict.UNTESTED
    assert worst(found.values()) is Verdict.HOLDS


def test_a_name_service_of_the_hosts_own_is_no_leak() -> None:
    probes = asked()
    answers = heard(probes) | {Lookup(name=STRANGER): Answer(heard=Heard.OWN)}
    assert verdicts(probes, answers)[Question.NAMES] is Verdict.UNTESTED


def test_a_team_alone_is_not_tested_against_others_unless_others_are_known() -> None:
    probes = asked(neighbours=())
    answers = heard(probes)
    assert verdicts(probes, answers)[Question.TEAMS] is Verdict.UNTESTED
    last = judge(probes, View(answers=answers), sentinel=SENTINEL, expects_neighbours=True)
    assert {f.question: f.verdict for f in last}[Question.TEAMS] is Verdict.UNTOLD


def test_what_the_plan_joins_to_the_world_is_no_stranger() -> None:
    friend = Neighbour(name="desk of team-2", address=YARD[9])
    assert Question.TEAMS not in {probe.question for probe in asked(neighbours=(friend,))}


def test_few_hosts_are_asked_from_and_every_network_is() -> None:
    assert probers_of(world(DESK, MAIL, SHED)) == (MAIL,), "it is on both"
    assert probers_of(world(DESK, SHED)) == (DESK, SHED)
    assert probers_of(world(SHED)) == (SHED,), "nobody is at the office"
    assert probers_of(world(host("idle"))) == ()


def test_what_one_host_finds_is_the_worlds_and_names_that_host() -> None:
    probes = asked()
    leak = Dial(address=HOST_ADDRESS, port=2375)
    (found,) = of_the_world(
        Question.ENGINE,
        desk=View(answers=heard(probes)),
        shed=View(answers=heard(probes, leak)),
    )
    assert found.verdict is Verdict.FAILS
    assert found.says == "the engine is reached at 192.0.2.10:2375, asked from shed"


def test_what_is_found_alike_from_all_is_said_once() -> None:
    apart = View(answers=heard(asked()))
    (found,) = of_the_world(Question.ENGINE, desk=apart, shed=apart)
    assert found.verdict is Verdict.HOLDS
    assert found.says == "the engine's ports are not reached"


def test_one_prober_that_is_deaf_makes_the_silence_of_the_others_prove_nothing() -> None:
    found = of_the_world(
        *Question, desk=View(answers=heard(asked())), shed=View(answers={}), mail=View(answers={})
    )
    assert {finding.verdict for finding in found} == {Verdict.UNTOLD}
    assert all(finding.says.endswith(", asked from shed, mail") for finding in found)


def of_the_world(*questions: Question, **views: View) -> list[Finding]:
    found = {name: judge(asked(), view, sentinel=SENTINEL) for name, view in views.items()}
    return [finding for finding in together(found) if finding.question in questions]


# IPv6


BRIDGE = IPv6Address("fe80::1")
GATEWAY = Dial(address=BRIDGE, port=40_000)
OWN = IPv6Address("fe80::42:2")
TOLD = replace(
    SENTINEL,
    answers_over_ipv6=frozenset({(OFFICE[1], BRIDGE), (YARD[1], IPv6Address("fe80::9"))}),
)


def over_ipv6(
    sentinel: Sentinel,
    *reached: Target,
    own: Heard | None = Heard.REFUSAL,
    beyond: frozenset[IPv6Address] = frozenset(),
) -> tuple[Verdict, str]:
    """Return what is found of IPv6 when the host has an address, at which it hears `own`."""
    probes = asked(sentinel)
    view = View(
        answers=heard(probes, *reached), ipv6={OWN: own} if own is not None else {}, beyond=beyond
    )
    found = judge(probes, view, sentinel=sentinel)[-1]
    assert found.question is Question.IPV6
    return found.verdict, found.says


def test_a_host_without_an_ipv6_address_needs_no_control() -> None:
    assert over_ipv6(SENTINEL, own=None) == (Verdict.HOLDS, "no IPv6 address")


def test_a_host_that_has_ipv6_must_not_reach_the_engines_host_over_it() -> None:
    assert over_ipv6(TOLD)[0] is Verdict.HOLDS
    verdict, says = over_ipv6(TOLD, GATEWAY)
    assert verdict is Verdict.FAILS
    assert says == "the engine's host is reached at [fe80::1]:40000"


def test_an_ipv6_route_out_of_the_world_is_a_way() -> None:
    verdict, says = over_ipv6(TOLD, beyond=frozenset({IPv6Address("fd77::1")}))
    assert verdict is Verdict.FAILS
    assert says.endswith("by fd77::1")


def test_silence_over_ipv6_proves_nothing_without_its_controls() -> None:
    verdict, says = over_ipv6(SENTINEL)
    assert verdict is Verdict.UNTOLD, "the listener did not reach itself"
    assert "no listener answered" in says
    assert over_ipv6(TOLD, own=Heard.NOTHING)[0] is Verdict.UNTOLD, "its own does not work"


def test_every_gateway_of_a_host_has_to_be_known_over_ipv6() -> None:
    other = (IPv4Address("10.0.0.1"), IPv6Address("fe80::5"))
    half = replace(TOLD, answers_over_ipv6=frozenset({(OFFICE[1], BRIDGE), other}))
    more = replace(TOLD, answers_over_ipv6=TOLD.answers_over_ipv6 | {other})
    near, far = ["[fe80::1]:40000", "[fe80::9]:40000"], ["[fe80::5]:40000"]
    for sentinel, dials in ((TOLD, near), (half, []), (more, near + far)):
        probes = probes_of(
            world(DESK, MAIL, SHED), MAIL, sentinel=sentinel, neighbours=(), stranger=STRANGER
        )
        assert [probe.of for probe in probes if probe.question is Question.IPV6] == dials


@given(st.dictionaries(st.sampled_from(Question), st.sampled_from(Heard)))
def test_nothing_holds_without_its_control(answered: dict[Question, Heard]) -> None:
    probes = asked()
    answers: dict[Target, Answer] = {
        probe.target: Answer(
            heard=answered[probe.question],
            address=min(probe.wanted, default=None)
            if answered[probe.question] is Heard.ANSWER
            else None,
        )
        for probe in probes
        if probe.question in answered
    }
    found = verdicts(probes, answers)
    if answered.get(Question.PEERS) in {None, Heard.NOTHING, Heard.OWN}:
        assert Verdict.HOLDS not in found.values()
    for question, verdict in found.items():
        # That there is no IPv6 is read, not asked.
        if verdict is Verdict.HOLDS and question not in {Question.PEERS, Question.IPV6}:
            assert question in answered


@given(st.lists(st.sampled_from(Verdict)))
def test_a_world_is_as_good_as_its_worst_finding(found: list[Verdict]) -> None:
    if Verdict.FAILS in found:
        assert worst(found) is Verdict.FAILS
    elif Verdict.UNTOLD in found:
        assert worst(found) is Verdict.UNTOLD
    elif Verdict.HOLDS in found:
        assert worst(found) is Verdict.HOLDS
    else:
        assert worst(found) is Verdict.UNTESTED
