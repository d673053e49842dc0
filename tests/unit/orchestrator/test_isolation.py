"""What a self-test asks and what answers mean; a silence without a control proves nothing."""

from dataclasses import replace
from ipaddress import IPv4Address, IPv4Network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.ids import ExerciseId
from orchestrator.domain.isolation import (
    METADATA,
    Answer,
    Dial,
    Heard,
    Lookup,
    Neighbour,
    Probe,
    Question,
    Sentinel,
    Target,
    Verdict,
    prober_of,
    probes_of,
    worst,
)
from orchestrator.domain.isolation_judge import judge
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
    return {f.question: f.verdict for f in judge(probes, answers, sentinel=sentinel)}


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
    found = {f.question: f for f in judge(probes, heard(probes, target), sentinel=SENTINEL)}
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
    found = judge(probes, heard(probes) | {Lookup(name="mail"): wrong}, sentinel=SENTINEL)
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
    last = judge(probes, answers, sentinel=SENTINEL, expects_neighbours=True)
    assert {f.question: f.verdict for f in last}[Question.TEAMS] is Verdict.UNTOLD


def test_what_the_plan_joins_to_the_world_is_no_stranger() -> None:
    friend = Neighbour(name="desk of team-2", address=YARD[9])
    assert Question.TEAMS not in {probe.question for probe in asked(neighbours=(friend,))}


def test_each_network_has_its_turn() -> None:
    plan = world(DESK, MAIL, SHED)
    found = [prober_of(plan, turn=turn) for turn in range(3)]
    assert found == [MAIL, MAIL, MAIL]
    apart = world(DESK, SHED)
    assert [prober_of(apart, turn=turn) for turn in range(3)] == [DESK, SHED, DESK]
    assert prober_of(world(), turn=1) is None


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
        if verdict is Verdict.HOLDS and question is not Question.PEERS:
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
