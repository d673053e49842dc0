import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.scenario import dry_run
from core.scenario.lint import lint
from core.scenario.load import ScenarioInvalidError, load
from core.scenario.positions import Severity
from tests.unit.core.scenario.texts import SMALLEST, WITH_HOSTS

Lint = Callable[[str], list[str]]


@pytest.mark.parametrize("text", [SMALLEST, WITH_HOSTS])
def test_a_right_scenario_has_no_problem(lint_text: Lint, text: str) -> None:
    assert lint_text(text) == []


def test_every_error_is_told_at_once_and_in_order(lint_text: Lint) -> None:
    text = WITH_HOSTS.replace("size: /28", "size: 28").replace("host: box, tcp", "host: bx, tcp")
    text = text.replace("ask: Which colour?,", "askk: Which colour?,").replace("[up]", "[upp]")
    assert lint_text(text) == [
        "8:15: error: 28 is not a network size; write one from /16 to /30, like /28",
        "18:14: error: hosts has no 'bx' (did you mean box?)",
        "20:12: error: unknown key 'askk' (did you mean ask?)",
        "22:34: error: checks has no 'upp' (did you mean up?)",
    ]


WITH_FLOWS = WITH_HOSTS.replace(
    "hosts:\n",
    """\
  far: {size: /28}
flows:
  - {from: lan, to: far/shop, tcp: [443, "8000-8010", "{{ values.port }}"], icmp: true}
hosts:
  shop: {title: A shop, image: debian, networks: {far: {}}}
""",
    1,
)


def test_flows_are_read_and_what_they_reach_is_reached(lint_text: Lint) -> None:
    assert lint_text(WITH_FLOWS) == []


FLOWS = {
    "unknown network": ("from: lan", "from: lam", "networks has no 'lam' (did you mean lan?)"),
    "unknown host": ("far/shop", "far/shep", "hosts has no 'shep' (did you mean shop?)"),
    "host elsewhere": ("far/shop", "lan/shop", "shop is not on lan, but on far"),
    "no end": ("far/shop", "far/", "does not have the form"),
    "nothing passes": (
        'tcp: [443, "8000-8010", "{{ values.port }}"], icmp: true',
        "note: x",
        "a flow needs at least one of tcp, udp, icmp",
    ),
    "not a port": ("443", "0", "0 is not a port"),
    "range upside down": ("8000-8010", "8010-8000", "write 443 or '1000-1010'"),
    "template of no port": ("values.port", "values.flag", "is not a port"),
    "unknown name": ("{{ values.port", "{{ values.prt", "values has no 'prt'"),
}


@pytest.mark.parametrize("case", FLOWS)
def test_a_spoilt_flow_is_told_why(lint_text: Lint, case: str) -> None:
    right, wrong, sentence = FLOWS[case]
    assert right in WITH_FLOWS
    problems = lint_text(WITH_FLOWS.replace(right, wrong, 1))
    assert [p for p in problems if sentence in p and ": error: " in p], problems


def test_a_flow_inside_one_network_is_warned_of(lint_text: Lint) -> None:
    text = WITH_FLOWS.replace("hosts:\n", "  - {from: lan/box, to: lan, udp: [53]}\nhosts:\n", 1)
    assert lint_text(text) == [
        "12:5: warning: inside a network everything passes; this flow changes nothing"
    ]


def test_a_flow_that_leads_away_reaches_nothing(lint_text: Lint) -> None:
    text = WITH_FLOWS.replace("from: lan, to: far/shop", "from: far, to: lan")
    (problem,) = lint_text(text)
    assert "nobody can log in to shop or reach it" in problem


WITH_ARENA = WITH_HOSTS.replace("networks: {lan: {}}", "networks: {lan: {}, arena: {}}").replace(
    "networks:\n  lan: {size: /28}", "networks:\n  lan: {size: /28}\n  arena: {shared: true}"
)


def test_a_shared_network_and_a_simulated_internet_are_read(lint_text: Lint) -> None:
    assert lint_text(WITH_ARENA) == []
    assert lint_text(WITH_HOSTS.replace("/28}", "/28, simulates: internet}")) == []


ARENAS = {
    "size of its own": ("shared: true", "shared: true, size: /24", "neither size nor simulates"),
    "no size": ("{size: /28}", "{}", "needs a size like /28, or shared: true"),
    "another simulation": ("size: /28", "size: /28, simulates: moon", "is not one of internet"),
    "alias": ("arena: {}", "arena: {alias: x}", "are called <host>.<team>"),
    "flow": ("hosts:\n", "flows: [{from: lan, to: arena, tcp: [1]}]\nhosts:\n", "arena is shared"),
}


@pytest.mark.parametrize("case", ARENAS)
def test_a_spoilt_network_is_told_why(lint_text: Lint, case: str) -> None:
    right, wrong, sentence = ARENAS[case]
    assert right in WITH_ARENA
    problems = lint_text(WITH_ARENA.replace(right, wrong, 1))
    assert [p for p in problems if sentence in p and ": error: " in p], problems


WITH_VALUES = (
    WITH_ARENA.replace(
        "  flag: {type: flag}\n",
        """\
  flag: {type: flag}
  stray: {type: ip-in-network, network: lan}
  city: {type: text, from: cities.txt, unlike: [ohrid]}
  clerk: {type: name, language: mk, script: cyrillic}
  mark: {type: hex, length: 1}
""",
    )
    .replace("{{ values.port }}", "{{ values.stray }} {{ values.city }} {{ values.clerk }}")
    .replace(
        "answer: green",
        "answer: '{{ values.mark }} {{ values.stray }} {{ values.port }}'",
    )
)


def test_values_of_every_kind_go_into_files_and_answers(small: Path, lint_text: Lint) -> None:
    (small / "cities.txt").write_text("Tuzla\nOhrid\n")
    assert lint_text(WITH_VALUES) == []


VALUES = {
    "unknown network": ("network: lan", "network: lam", "networks has no 'lam' (did you mean lan"),
    "shared network": ("network: lan", "network: arena", "arena is shared: which of its addresses"),
    "full network": ("size: /28", "size: /30", "nothing is left for the value stray"),
    "missing list": ("from: cities", "from: citys", "there is no file citys.txt in the scenario"),
    "list outside": ("from: cities", "from: ../cities", "must be a path inside"),
    "empty list": ("from: cities", "from: empty", "empty.txt has 0 texts; 1 to 10000 are wanted"),
    "list of bytes": ("from: cities", "from: bytes", "bytes.txt is not UTF-8 text"),
    "long line": ("from: cities", "from: long", "long.txt has a line of more than 1000"),
    "all excluded": ("unlike: [ohrid]", "unlike: [ohrid, TUZLA]", "nothing is left for the value"),
    "unknown language": ("language: mk", "language: mkk", "is not one of sq, sr, bs, cnr, mk, sl"),
    "letters without": ("language: mk", "language: sl", "needs language to be one of sr, bs, cnr"),
    "letters of a mix": ("language: mk, ", "", "needs language to be one of sr, bs, cnr, mk"),
    "no digit": ("length: 1}", "length: 0}", "greater than or equal to 1"),
}


@pytest.mark.parametrize("case", VALUES)
def test_a_spoilt_value_is_told_why_and_nothing_else(
    small: Path, lint_text: Lint, case: str
) -> None:
    (small / "cities.txt").write_text("Tuzla\nOhrid\n")
    (small / "empty.txt").write_text("\n \n")
    (small / "bytes.txt").write_bytes(b"\xff")
    (small / "long.txt").write_text("x" * 1001)
    right, wrong, sentence = VALUES[case]
    assert right in WITH_VALUES
    (problem,) = lint_text(WITH_VALUES.replace(right, wrong, 1))
    assert ": error: " in problem
    assert sentence in problem


SPOILT = {
    "unknown key in the head": ("title: Small", "titlee: Small", "(did you mean title?)"),
    "missing key": (", title: Small", "", "title is missing"),
    "number for text": ("version: 1.0.0", "version: 1.2", "text (in quotes"),
    "not a version": ("version: 1.0.0", "version: v1", "does not have the form"),
    "not an id": ("id: small", "id: Small!", "is not an id"),
    "not a kind": ("kind: investigation", "kind: investigationn", "(did you mean investigation?)"),
    "bare duration": ("duration: 30m", "duration: 30", "is not a duration"),
    "no duration": ("duration: 30m", "duration: 0m", "longer than nothing"),
    "newer language": ("language: 1", "language: 2", "this program reads language 1"),
    "template in the head": ("title: Small", "title: '{{ x }}'", "before any team exists"),
    "escape code in the head": ("title: Small", 'title: "\\e[31mSmall"', "a terminal would obey"),
    "wrong side": ("side: blue", "side: bleu", "(did you mean blue?)"),
    "reserved role": ("roles: {solver:", "roles: {all: {}, solver:", "'all' is reserved"),
    "role in a circle": ("title: Solver}", "title: Solver, extends: solver}", "circle"),
    "role from nothing": ("title: Solver}", "title: Solver, extends: lead}", "roles has no 'lead'"),
    "unknown value type": ("type: port", "type: prot", "(did you mean port?)"),
    "value without type": ("{type: port}", "{min: 3}", "type is missing"),
    "range upside down": ("type: port", "type: port, min: 9, max: 8", "above max"),
    "too many hosts": (
        "hosts:\n",
        (
            "  isle: {size: /30}\nhosts:\n"
            "  one: {image: x, networks: {isle: {}}}\n  two: {image: x, networks: {isle: {}}}\n"
        ),
        "/30 has room for 1 hosts; 2 are on it",
    ),
    "unknown network": ("networks: {lan: {}}", "networks: {lam: {}}", "(did you mean lan?)"),
    "two images": ("image: debian", "build: {context: x}\n    image: debian", "exactly one of"),
    "missing Dockerfile": (
        "image: debian:bookworm-slim",
        "build: {context: images/box}",
        "no file images/box/Dockerfile",
    ),
    "two sources": ("{to: /root/flag, ", "{to: /root/flag, from: a, ", "exactly one of from"),
    "relative target": ("/root/flag", "root/flag", "must be an absolute path"),
    "account twice": ("accounts: [", "accounts: [{name: solver}, ", "a second account solver"),
    "unknown account": ("as: solver", "as: slover", "(did you mean solver?)"),
    "role not listed": (", roles: [solver]}", "}", "does not list the role solver"),
    "two probes": ("tcp: 80", "tcp: 80, run: [a]", "exactly one of run, http, tcp"),
    "no place": ("host: box, tcp: 80", "tcp: 80", "either host or from"),
    "peer from inside": ("tcp: 80", "tcp: {host: box, port: 80}", "write tcp"),
    "not a port": ("tcp: 80", "tcp: 80000", "80000 is not a port"),
    "two task kinds": ("checks: [up]", "checks: [up], flag: flag", "exactly one of answer"),
    "no task kind": ("checks: [up], ", "", "exactly one of answer"),
    "flag that is none": ("flag: flag", "flag: port", "is a port, not a flag"),
    "points below zero": ("points: 5", "points: -5", "greater than or equal to 0"),
    "unknown objective": ("answer: green", "answer: green, objective: x", "objectives has no 'x'"),
    "a question to nobody": (
        "tcp: 80}",
        "dns: {server: bx, name: a.test}}",
        "hosts has no 'bx' (did you mean box?)",
    ),
    "a question about nothing": ("tcp: 80}", "dns: {server: box, name: a b}}", "not have the form"),
    "an unknown record": ("tcp: 80}", "dns: {server: box, name: a, type: AA}}", "mean AAAA?"),
    "certificates that are not there": (
        "{host: box, tcp: 80}",
        "{host: box, http: {url: 'https://box/', ca: ca.pem}}",
        "there is no file ca.pem",
    ),
    "certificates that nobody looks at": (
        "{host: box, tcp: 80}",
        "{host: box, http: {url: 'https://box/', ca: ca.pem, verify: false}}",
        "nothing looks at ca",
    ),
    "a file from beside": (
        "{host: box, tcp: 80}",
        "{from: box, file: {path: /etc/passwd}}",
        "file needs host: it looks from inside",
    ),
    "a file that is absent and large": (
        "{host: box, tcp: 80}",
        "{host: box, file: {path: /x, absent: true, min_size: 1k}}",
        "a file that is absent has no size",
    ),
    "a file of no size": (
        "{host: box, tcp: 80}",
        "{host: box, file: {path: /x, min_size: 2k, max_size: 1k}}",
        "min_size is above max_size",
    ),
    "a file's digest": (
        "{host: box, tcp: 80}",
        "{host: box, file: {path: /x, sha256: 00ff}}",
        "'00ff' is not a SHA-256",
    ),
    "a file's digest for a team": (
        "{host: box, tcp: 80}",
        "{host: box, file: {path: /x, sha256: '{{ values.flag }}'}}",
        "is not a SHA-256",
    ),
    "a server of nobody": (
        "{host: box, tcp: 80}",
        "{from: box, smtp: {host: bx}}",
        "hosts has no 'bx' (did you mean box?)",
    ),
    "a server seen from nowhere": (
        "{host: box, tcp: 80}",
        "{from: box, ssh: {port: 22}}",
        "ssh names its own host with from",
    ),
    "a server seen from itself and named": (
        "{host: box, tcp: 80}",
        "{host: box, sql: {host: box, engine: mysql, user: app}}",
        "sql names its own host with from",
    ),
    "a login without a password": (
        "{host: box, tcp: 80}",
        "{host: box, ssh: {user: keeper}}",
        "user and password need each other",
    ),
    "a refusal of nobody": (
        "{host: box, tcp: 80}",
        "{host: box, ssh: {login: refused}}",
        "login: refused needs the user",
    ),
    "half a mail": (
        "{host: box, tcp: 80}",
        "{host: box, smtp: {sender: a@x.test}}",
        "sender and recipient need each other",
    ),
    "a refusal of no mail": (
        "{host: box, tcp: 80}",
        "{host: box, smtp: {mail: refused}}",
        "mail: refused needs",
    ),
    "half a login to send mail": (
        "{host: box, tcp: 80}",
        "{host: box, smtp: {password: x}}",
        "user and password need each other",
    ),
    "a database of no kind": (
        "{host: box, tcp: 80}",
        "{host: box, sql: {engine: postgres, user: app}}",
        "did you mean postgresql?",
    ),
    "rows of no query": (
        "{host: box, tcp: 80}",
        "{host: box, sql: {engine: mysql, user: app, rows: 1}}",
        "rows and contains need a query",
    ),
    "a query of who is refused": (
        "{host: box, tcp: 80}",
        "{host: box, sql: {engine: mysql, user: app, login: refused, query: select 1}}",
        "who is refused asks no query",
    ),
    "a server's port for a team": (
        "{host: box, tcp: 80}",
        "{host: box, smtp: {port: '{{ values.flag }}'}}",
        "is not a number",
    ),
    "a user on two lines": (
        "{host: box, tcp: 80}",
        "{host: box, ssh: {user: '{{ \"a\\nb\" }}', password: x}}",
        "is not one line of text",
    ),
    "part of no check": (
        "checks: [up]",
        "checks: [up], partial: {u: 1}",
        "no 'u' (did you mean up?)",
    ),
    "parts above the whole": ("checks: [up]", "checks: [up], partial: {up: 6}", "adds to 6"),
    "guard with points": ("checks: [up]", "guard: up", "less than or equal to -1"),
    "guard without points": ("checks: [up], points: 5", "guard: up", "points is missing"),
    "unknown guard": ("checks: [up], points: 5", "guard: u, points: -1", "did you mean up?"),
    "hints of a guard": (
        "checks: [up], points: 5",
        "guard: up, points: -1, hints: []",
        "unknown key 'hints'",
    ),
    "unknown answer key": ("answer: green", "answer: {equals: a, fodl: []}", "mean fold?"),
    "undefined value": ("values.flag", "values.flga", "values has no 'flga'"),
    "undefined name": ("values.flag", "value.flag", "'value' is not defined"),
    "unknown filter": ("values.flag }", "values.flag | md5 }", "No filter named 'md5'"),
    "template that fails": ("values.flag }", "values.port // 0 }", "ZeroDivisionError"),
    "template that is no port": ("tcp: 80", "tcp: '{{ values.flag }}'", "is not a number"),
    "statement in a string": ("values.flag }", "1 }}{% if 1 %}{{ 1 }", "template files only"),
    "mapping where text goes": ("ask: Which colour?", "ask: {a: b}", "not a mapping"),
    "unknown need": ("title: A box", "title: A box\n    needs: [bx]", "hosts has no 'bx' (did you"),
    "need of itself": ("title: A box", "title: A box\n    needs: [box]", "a circle: box → box"),
    "not a restart": (
        "title: A box",
        "title: A box\n    restart: sometimes",
        "one of never, always",
    ),
    "reset by nobody": ("title: A box", "title: A box\n    reset: {by: [x]}", "roles has no 'x'"),
    "limit of nobody": ("title: A box", "title: A box\n    reset: {limit: 2}", "no role of theirs"),
    "price for nobody": (
        "title: A box",
        "title: A box\n    reset: {cost: {task: found, points: 2}}",
        "a cost binds teams",
    ),
    "price paid by no task": (
        "title: A box",
        "title: A box\n    reset: {by: [solver], cost: {task: fond, points: 2}}",
        "tasks has no 'fond' (did you mean found?)",
    ),
    "price of nothing": (
        "title: A box",
        "title: A box\n    reset: {by: [solver], cost: {task: found, points: 0}}",
        "greater than or equal to 1",
    ),
    "no reset at all": (
        "title: A box",
        "title: A box\n    reset: {by: [solver], limit: 0}",
        "greater than or equal to 1",
    ),
    "list where a mapping goes": (
        "checks:\n  up: {host: box, tcp: 80}",
        "checks: [1]",
        "a mapping",
    ),
}


@pytest.mark.parametrize("case", SPOILT)
def test_a_spoilt_scenario_is_told_why(lint_text: Lint, case: str) -> None:
    right, wrong, sentence = SPOILT[case]
    assert right in WITH_HOSTS
    problems = lint_text(WITH_HOSTS.replace(right, wrong, 1))
    assert [p for p in problems if sentence in p and ": error: " in p], problems


def test_availability_pays_for_no_reset(lint_text: Lint) -> None:
    keep = "keep: {title: Keep, availability: up, points: 5}\n  serve: {"
    rule = "title: A box\n    reset: {by: [solver], cost: {task: keep, points: 2}}"
    text = WITH_HOSTS.replace("serve: {", keep).replace("title: A box", rule)
    (problem,) = [p for p in lint_text(text) if ": error: " in p]
    assert "keep is never solved" in problem


def test_a_circle_of_needs_is_told_once_where_it_begins(lint_text: Lint) -> None:
    place = "image: x, networks: {lan: {}}"
    row = {"a": "b", "b": "c", "c": "a"}
    others = "".join(f"  {host}: {{needs: [{row[host]}], {place}}}\n" for host in row)
    problems = lint_text(WITH_HOSTS.replace("hosts:\n", f"hosts:\n{others}"))
    assert [p.split(": error: ")[1] for p in problems if "error" in p] == [
        "a circle: a → b → c → a"
    ]


def test_hosts_may_need_each_other_in_a_row_be_restarted_and_reset(lint_text: Lint) -> None:
    price = "cost: {task: found, points: 5}"
    rule = f"{{by: [instructor, solver], limit: 2, {price}}}"
    more = f"needs: [base]\n    restart: always\n    reset: {rule}"
    base = "  base: {image: x, networks: {lan: {}}}\naccess:"
    text = WITH_HOSTS.replace("title: A box", f"title: A box\n    {more}")
    assert lint_text(text.replace("access:", base, 1)) == []


def test_an_error_elsewhere_makes_no_name_unknown(lint_text: Lint) -> None:
    problems = lint_text(WITH_HOSTS.replace("type: flag", "type: flga"))
    assert [p.split(": ", 2)[2] for p in problems] == [
        (
            "'flga' is not one of password, token, hex, flag, choice, text, name, username,"
            " integer, port, ip-in-network, instant (did you mean flag?)"
        )
    ]


def test_keys_of_an_authors_own_are_left_alone(lint_text: Lint) -> None:
    text = WITH_HOSTS.replace("title: A box", "title: A box\n    x-note: {any: [thing]}")
    assert lint_text(text) == []


def test_a_template_without_a_file_of_its_own_is_missed(lint_text: Lint) -> None:
    source = 'text: "{{ values.flag }} {{ values.port }}"'
    (problem, *_) = lint_text(WITH_HOSTS.replace(source, "template: notes.j2"))
    assert problem == "15:40: error: there is no file notes.j2 in the scenario"


def test_an_error_in_a_template_points_into_the_template(small: Path, lint_text: Lint) -> None:
    (small / "notes.j2").write_text("{{ values.flag }} {{ values.port }}\n{{ values.gone }}\n")
    source = 'text: "{{ values.flag }} {{ values.port }}"'
    lint_text(WITH_HOSTS.replace(source, "template: notes.j2"))
    (problem,) = lint(small)
    assert str(problem) == f"{small}/notes.j2:2:1: error: values has no 'gone'; it has flag, port"


def test_a_template_that_fails_while_running_points_to_its_line(
    small: Path, lint_text: Lint
) -> None:
    (small / "notes.j2").write_text("{{ values.flag }}\n\n{{ 1 // (values.port - values.port) }}\n")
    source = 'text: "{{ values.flag }} {{ values.port }}"'
    lint_text(WITH_HOSTS.replace(source, "template: notes.j2"))
    (problem,) = lint(small)
    assert (problem.line, "ZeroDivisionError" in problem.message) == (3, True)


WARNED = {
    "wrong answers above the task": (
        "answer: green,",
        "answer: green, wrong_cost: 6,",
        "more than the 5 points of the task",
    ),
    "a wait past the end": (
        "answer: green,",
        "answer: green, cooldown: 1d,",
        "the exercise would end before the next is taken",
    ),
    "a wait after the last attempt": (
        "answer: green,",
        "answer: green, attempts: 1, cooldown: 5s,",
        "with one attempt nothing comes after a wrong answer",
    ),
    "late after the end": (
        "answer: green,",
        "answer: green, late: [{after: 1d, share: 50%}],",
        "this comes after the end of the exercise",
    ),
    "hint above the task": (
        "answer: green,",
        "answer: green, hints: [{text: Like grass., cost: 6}],",
        "more than the 5 points of the task",
    ),
    "hint after the end": (
        "answer: green,",
        "answer: green, hints: [{text: It is green., after: 30m}],",
        "after the end of the exercise",
    ),
    "hint of another task": (
        "flag: flag,",
        "flag: flag, hints: [{text: Not in the green box.}],",
        "gives away the answer to colour",
    ),
    "reset above the task": (
        "title: A box",
        "title: A box\n    reset: {by: [solver], cost: {task: found, points: 6}}",
        "more than the 5 points of the task",
    ),
    "unused network": ("networks:\n", "networks:\n  spare: {size: /28}\n", "no host is on"),
    "unused value": ("values:\n", "values:\n  spare: {type: port}\n", "used nowhere"),
    "secret in a text only": (
        "values:\n",
        "competencies: {X: {title: X}}\nvalues:\n  pw: {type: password}\n",
        "stands in a text only",
    ),
    "answer given away": ("Which colour?", "Is green a colour?", "gives away the answer"),
    "licence that nobody knows": (
        "id: small",
        "id: small, licence: CC-BY-9",
        "no licence 'CC-BY-9'",
    ),
    "folder of another name": ("id: small", "id: other", "the id is other, the folder small"),
    "no title": ("title: The flag, ", "", "see the id only"),
    "host without title": ("    title: A box\n", "", "see the id only"),
    "nobody gets there": (
        "hosts:\n",
        "hosts:\n  far: {image: x, networks: {isle: {}}}\n",
        "nobody can log in to far",
    ),
}


@pytest.mark.parametrize("case", WARNED)
def test_what_is_probably_not_meant_is_warned_of(lint_text: Lint, case: str) -> None:
    right, wrong, sentence = WARNED[case]
    text = WITH_HOSTS.replace(right, wrong, 1)
    if "  pw:" in text:
        text = text.replace("Which colour?", "'Which colour? Not {{ values.pw }}'")
    if "isle" in text:
        text = text.replace("networks:\n", "networks:\n  isle: {size: /28}\n", 1)
    (problem,) = lint_text(text)
    assert ": warning: " in problem
    assert sentence in problem


def test_a_file_is_checked_in_every_way(lint_text: Lint) -> None:
    file = (
        "{path: /var/log/auth.log, min_size: 1k, max_size: 1m, owner: 'root:adm',"
        " contains: 'port {{ values.port }}', sha256: \"{{ 'x' | sha256 }}\"}"
    )
    gone = "  gone: {host: box, file: {path: '/tmp/{{ values.port }}', absent: true}}\n"
    text = WITH_HOSTS.replace("{host: box, tcp: 80}", f"{{host: box, file: {file}}}")
    assert lint_text(text.replace("tasks:\n", gone + "tasks:\n")) == []


def test_servers_are_talked_to_in_every_way(lint_text: Lint) -> None:
    servers = """\
  greets: {from: box, smtp: {host: box}}
  takes:
    host: box
    smtp: {port: 587, tls: starttls, user: a, password: b, sender: a@x.test, recipient: b@x.test}
  relays: {host: box, smtp: {sender: a@x.test, recipient: "{{ team }}@y.test", mail: refused}}
  keys: {host: box, ssh: {port: "{{ values.port }}"}}
  gone: {from: box, ssh: {host: box, user: root, password: "{{ values.flag }}", login: refused}}
  shop:
    from: box
    sql: {host: box, engine: mysql, user: app, password: x, query: "select 1", rows: 1, contains: 1}
  shut: {host: box, sql: {engine: postgresql, user: app, password: old, login: refused}}
"""
    servers = servers.replace("contains: 1}", "contains: '1'}")
    assert lint_text(WITH_HOSTS.replace("tasks:\n", f"{servers}tasks:\n")) == []


def test_a_part_is_given_by_one_of_the_tasks_own_checks(lint_text: Lint) -> None:
    text = WITH_HOSTS.replace("checks:\n", "checks:\n  ups: {host: box, tcp: 81}\n")
    (problem,) = lint_text(text.replace("checks: [up]", "checks: [up], partial: {ups: 1}"))
    assert "error: ups is not one of this task's checks (did you mean up?)" in problem


def test_a_guard_and_parts_are_read(lint_text: Lint) -> None:
    text = WITH_HOSTS.replace("checks: [up]", "checks: [up], partial: {up: 5}")
    assert lint_text(text + "  kept: {title: Keep it, guard: up, points: -3}\n") == []


def test_a_guard_is_nothing_that_opens_or_pays(lint_text: Lint) -> None:
    text = WITH_HOSTS.replace(
        "title: A box",
        "title: A box\n    reset: {by: [solver], cost: {task: kept, points: 1}}",
    )
    (problem,) = lint_text(text + "  kept: {title: Keep it, guard: up, points: -3}\n")
    assert "kept is never solved, and pays for nothing" in problem


def test_no_points_at_all_are_warned_of(lint_text: Lint) -> None:
    (problem,) = lint_text(SMALLEST.replace(", points: 5", ""))
    assert "sum to nothing" in problem


def test_loading_raises_with_all_problems(small: Path) -> None:
    text = SMALLEST.replace("Which", "Green which").replace("kind: investigation", "kind: x")
    (small / "scenario.yaml").write_text(text.replace("side: blue", "side: x"))
    with pytest.raises(ScenarioInvalidError) as caught:
        load(small)
    assert len([p for p in caught.value.problems if p.severity is Severity.ERROR]) == 2
    assert "(and 1 more)" in str(caught.value)


def test_a_scenario_loads_from_its_folder_or_its_file(small: Path) -> None:
    (small / "scenario.yaml").write_text(SMALLEST)
    assert load(small) == load(small / "scenario.yaml")


def test_a_folder_without_a_scenario_says_so(tmp_path: Path) -> None:
    (problem,) = lint(tmp_path / "nowhere")
    assert problem.message == "there is no scenario.yaml here"


@pytest.mark.parametrize("node", ["5", "abc", "[1]", "null", "true"])
@pytest.mark.parametrize(
    "section", ["roles", "hosts", "values", "tasks", "access", "checks", "end"]
)
def test_a_section_of_another_shape_is_an_error(lint_text: Lint, section: str, node: str) -> None:
    whole = f"\n{section}: {node}\nx-{section}: "
    text = ("\n" + WITH_HOSTS).replace(f"\n{section}:", whole, 1)
    assert [p for p in lint_text(text if whole in text else text + whole) if ": error: " in p]


@pytest.mark.parametrize("text", ["5", "[1]", "text", "null"])
def test_a_file_that_holds_no_mapping_is_an_error(lint_text: Lint, text: str) -> None:
    (problem,) = lint_text(text)
    assert problem.startswith("1:1: error: a mapping is wanted here")


def test_templates_that_take_long_together_end_the_lint(
    lint_text: Lint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dry_run, "_MAX_SECONDS", 0)
    (problem,) = lint_text(WITH_HOSTS)
    assert "the templates take more than 0 s of processor time together" in problem


def test_what_terminals_would_act_on_is_not_printed(lint_text: Lint) -> None:
    problems = lint_text(SMALLEST.replace("points: 5", '"x\\e[2J": 5'))
    assert all(problem.isprintable() for problem in problems)


_WORDS = (
    "{{",
    "}}",
    "{%",
    "[",
    "]",
    "{",
    "}",
    ":",
    ",",
    "\n",
    "  ",
    "- ",
    "x-",
    "&a ",
    "*a",
    "~",
    "1",
)


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.integers(0, len(WITH_HOSTS)),
    st.integers(0, 30),
    st.lists(st.sampled_from((*_WORDS, *WITH_HOSTS.split())), max_size=4).map("".join),
)
def test_whatever_is_typed_lint_answers(lint_text: Lint, at: int, removed: int, typed: str) -> None:
    text = WITH_HOSTS[:at] + typed + WITH_HOSTS[at + removed :]
    assert all(": error: " in p or ": warning: " in p for p in lint_text(text))


def test_several_are_linted_side_by_side_with_the_same_result(tmp_path: Path) -> None:
    # A process of its own: one with threads, as a test's is, lints one after another.
    program = (
        "import sys; from pathlib import Path; from core.scenario.lint import lint, lint_all\n"
        "paths = [Path(p) for p in sys.argv[1:]]\n"
        "assert list(lint_all(paths)) == [lint(p) for p in paths]\n"
        "print(sum(map(len, lint_all(paths))))"
    )
    paths = []
    for number, text in enumerate((SMALLEST, "language: 1\n", WITH_HOSTS)):
        folder = tmp_path / f"s{number}"
        folder.mkdir()
        (folder / "scenario.yaml").write_text(text)
        paths.append(str(folder))
    done = subprocess.run(
        [sys.executable, "-c", program, *paths],
        cwd=Path(__file__).parents[4],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 3


@pytest.mark.parametrize(
    ("terms", "error"),
    [
        ("late: [{after: 5m, share: 100%}]", "less than all of the points"),
        ("late: [{after: 5m, share: 50%}, {after: 6m, share: 50%}]", "gives less than the one"),
        ("late: [{after: 5m, share: 50%}, {after: 5m, share: 40%}]", "later than the one before"),
        ("cooldown: 0s", "must be longer than nothing"),
        ("wrong_cost: -1", "greater than or equal to 0"),
    ],
)
def test_terms_of_answers_that_cannot_be_are_errors_where_they_stand(
    lint_text: Lint, terms: str, error: str
) -> None:
    (found,) = lint_text(WITH_HOSTS.replace("answer: green,", f"answer: green, {terms},"))
    assert found.startswith("20:")
    assert ": error: " in found
    assert error in found


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        ("{file: gone.bin}", "there is no file gone.bin in the scenario"),
        ("{any: [green, {file: ../gone.bin}]}", "must be a path inside the scenario's folder"),
        ("{any: [green, {set: [{file: gone.bin}]}]}", "there is no file gone.bin in the scenario"),
        ("{equals: green, format: '{{ team.name }}'}", "it cannot hold {{ }}"),
    ],
)
def test_answers_that_cannot_be_are_errors_where_they_stand(
    lint_text: Lint, answer: str, error: str
) -> None:
    found = lint_text(WITH_HOSTS.replace("answer: green,", f"answer: {answer},"))
    assert [p for p in found if p.startswith("20:") and ": error: " in p and error in p], found


def test_a_fed_task_is_never_solved_and_pays_for_nothing(lint_text: Lint) -> None:
    text = WITH_HOSTS + "  outside: {title: Outside, feed: {source: CERT game}, points: 5}\n"
    assert lint_text(text) == []
    reset = "title: A box\n    reset: {by: [solver], cost: {task: outside, points: 1}}"
    found = lint_text(text.replace("title: A box", reset))
    assert [p for p in found if "outside gets its points from outside, and pays for nothing" in p]
    found = lint_text(text.replace("source: CERT", "sourcex: CERT"))
    assert [p for p in found if "unknown key 'sourcex' (did you mean source?)" in p]
