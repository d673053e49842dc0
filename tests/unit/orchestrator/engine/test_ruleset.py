"""A router's rules, and what is read from their counters."""

from ipaddress import IPv4Address, IPv4Network

from orchestrator.domain.world import Passage, Protocol, RouterPlan
from orchestrator.engine.ruleset import parse_dropped, ruleset
from orchestrator.ports import Dropped

OFFICE, MAIL = IPv4Network("10.1.0.0/28"), IPv4Network("10.1.1.2/32")
LISTING = """\
table inet poligon {
\tset dropped {
\t\ttype ipv4_addr . ipv4_addr . inet_proto . inet_service
\t\tsize 600
\t\tflags dynamic,timeout
\t\tcounter
\t\ttimeout 30m
\t\telements = { 10.1.0.2 . 10.1.1.2 . tcp . 22 counter packets 3 bytes 180 expires 29m50s,
\t\t\t     10.1.0.2 . 10.1.1.2 . udp . 53 timeout 30m expires 1m5s counter packets 9 bytes 60 }
\t}
\tset dropped_other {
\t\telements = { 10.1.0.2 . 8.8.8.8 . icmp expires 29m59s counter packets 1 bytes 84 }
\t}
}
"""


def test_each_passage_is_one_accept_between_established_and_dropped() -> None:
    passages = (
        Passage(source=OFFICE, target=MAIL, protocol=Protocol.TCP, ports=((25, 25), (90, 99))),
        Passage(source=OFFICE, target=MAIL, protocol=Protocol.ICMP),
    )
    lines = [
        line.strip() for line in ruleset(RouterPlan(attachments=(), passages=passages)).split("\n")
    ]
    start = lines.index("ct state established,related accept")
    assert lines[start + 1 : start + 3] == [
        "ip saddr 10.1.0.0/28 ip daddr 10.1.1.2/32 tcp dport { 25, 90-99 } accept",
        "ip saddr 10.1.0.0/28 ip daddr 10.1.1.2/32 meta l4proto icmp accept",
    ]
    assert sum("policy drop" in line for line in lines) == 2
    assert not any("policy accept" in line for line in lines)


def test_counters_are_read_the_most_frequent_first() -> None:
    source = IPv4Address("10.1.0.2")
    assert parse_dropped(LISTING) == (
        Dropped(source=source, target=MAIL[0], protocol="udp", port=53, packets=9),
        Dropped(source=source, target=MAIL[0], protocol="tcp", port=22, packets=3),
        Dropped(
            source=source, target=IPv4Address("8.8.8.8"), protocol="icmp", port=None, packets=1
        ),
    )


def test_empty_counters_say_nothing() -> None:
    assert parse_dropped("table inet poligon {\n\tset dropped {\n\t}\n}\n") == ()
