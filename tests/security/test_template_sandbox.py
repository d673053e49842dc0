"""What a hostile template may try. It sees only facts, and cannot work without end."""

import time
from datetime import UTC, datetime
from ipaddress import IPv4Network

import pytest

from core.scenario import template_world
from core.scenario.template import TemplateFailedError, compile_file, compile_leaf, run
from core.scenario.template_world import Record

FACTS = {
    "values": Record(
        name="values",
        fields={"word": "abc", "number": 5, "at": datetime(2026, 11, 22, 1, 40, tzinfo=UTC)},
    ),
    "team": Record(name="team", text="team-1", fields={"name": "Team 1", "number": 1}),
    "teams": ("team-1", "team-2"),
    "network": IPv4Network("10.1.2.0/28"),
    "file": lambda path: path.encode(),
}
ESCAPES = (
    "{{ ''.__class__ }}",
    "{{ ''['__class__'] }}",
    "{{ ().__class__.__bases__[0].__subclasses__() }}",
    "{{ values.__class__ }}",
    "{{ values.fields }}",
    "{{ values['__dict__'] }}",
    "{{ values.at.__class__ }}",
    "{{ network.__init__ }}",
    "{{ file.__globals__ }}",
    "{{ range.__self__ }}",
    "{{ self.__init__.__globals__ }}",
    "{{ self }}",
    "{{ cycler.__init__ }}",
    "{{ lipsum }}",
    "{{ joiner }}",
    "{{ namespace() }}",
    "{{ config }}",
    "{{ request }}",
    "{% for i in teams %}{{ loop.__init__ }}{% endfor %}",
    "{% for i in teams %}{{ loop._iterable }}{% endfor %}",
    "{% for i in teams %}{{ loop.cycle.__globals__ }}{% endfor %}",
    "{{ 'a'.format(1) }}",
    "{{ '{0.__class__}'.format(1) }}",
    "{{ '%s' % 1 }}",
    "{{ values | attr('fields') }}",
    "{{ values | map('upper') }}",
    "{{ values | tojson }}",
    "{{ values | pprint }}",
    "{{ values }}",
    "{{ teams }}",
    "{{ file }}",
    "{{ teams() }}",
    "{{ values.at | time('%H', '../../../etc/passwd') }}",
    "{% include 'x' %}",
    "{% import 'x' as x %}",
    "{% from 'x' import y %}",
    "{% extends 'x' %}",
    "{% block x %}{% endblock %}",
    "{% set values = 1 %}{{ values.word }}",
    "{{ '-meter' | attr('x') }}",
    "{% debug %}",
    "{% do x %}",
)
BOMBS = (
    "{{ 'a' * 10 ** 9 }}",
    "{{ 10 ** 9 * 'a' }}",
    "{{ (1,) * 10 ** 9 }}",
    "{{ 9 ** 9 ** 9 }}",
    "{{ 10 ** 10 ** 10 }}",
    "{% set x = 9 ** 70 %}{{ x * x * x * x * x * x * x * x }}",
    "{{ range(10 ** 9) | join }}",
    "{{ range(99999) | join('x' * 1000) }}",
    "{{ 'a' | ljust(10 ** 9) }}",
    "{{ 'a' | rjust(10 ** 9) }}",
    "{{ 'a' | replace('', 'x' * 1000000) }}",
    "{% set s = 'x' * 1000 %}{{ s | replace('x', s) | replace('x', s) }}",
    "{{ '%1000000000d' % 1 }}",
    "{{ values.at | time('%1000000000Y') }}",
    "{{ values.at | shift('999999d') | shift('999999d') | shift('999999d') | shift('999999d') }}",
    "{{ values.at | shift('-999999d') }}",
    "{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}",
    "{% for i in range(99999) %}{{ 'x' * 1000000 }}{% endfor %}",
    "{% for i in range(99999) %}{% set x = 'x' * 1000000 %}{% endfor %}",
    "{% for i in range(99999) %}{{ ('x' * 1000000) | sha256 }}{% endfor %}",
    "{% for i in range(99999) %}xxxxxxxxxxxxxxxxxxxxxxxxxxxxx{% endfor %}",
    "{{ [" + "'x' * 1000000, " * 3000 + "] | length }}",
    "{% set a = 'x' * 1000000 %}{{ [" + "a[1:], " * 2000 + "] | length }}",
    "{% set a = [1] %}{% set b = [a, a] %}{% set c = [b, b] %}",
    "{% set a = 'xx' %}" + "{% set a = a ~ a %}" * 60 + "{{ a | length }}",
    "{% set a = [1] %}" + "{% set a = a + a %}" * 60 + "{{ a | length }}",
    "{% macro f() %}{{ f() }}{{ f() }}{% endmacro %}{{ f() }}",
    "{% for i in range(3) recursive %}{{ loop([1]) }}{% endfor %}",
    "{% set x %}{{ 'x' * 1000000 }}{% endset %}",
    "{% filter upper %}x{% endfilter %}",
    "{% call f() %}{% endcall %}",
    "{{ {'a': 1} }}",
    "{{ " + "(" * 5000 + "1" + ")" * 5000 + " }}",
    "{{ " + "[" * 3000 + "]" * 3000 + " }}",
    "{{ 1" + " + 1" * 9000 + " }}",
    "{{ " + "-" * 9000 + "1 }}",
    "{{ " + "not " * 9000 + "1 }}",
    "{% if 1 %}" * 500 + "{% endif %}" * 500,
    "{{ 1 }}" * 200_000,
    "x" * (1 << 20) + "x",
)


def _attempt(source: str) -> str:
    return run(compile_file(source), FACTS)


@pytest.mark.parametrize("source", ESCAPES)
def test_no_template_gets_out_of_its_facts(source: str) -> None:
    with pytest.raises(TemplateFailedError):
        _attempt(source)


@pytest.mark.parametrize("source", BOMBS, ids=lambda source: source[:40])
def test_no_template_works_without_end(source: str) -> None:
    before = time.process_time()
    with pytest.raises(TemplateFailedError):
        _attempt(source)
    # One second is a template's own limit; the rest is a slow machine.
    assert time.process_time() - before < 10


def test_waiting_for_the_processor_is_no_work(monkeypatch: pytest.MonkeyPatch) -> None:
    def slow(path: str) -> bytes:
        time.sleep(0.5)
        return path.encode()

    monkeypatch.setattr(template_world, "MAX_SECONDS", 0.2)
    source = "{{ file('a') }}{% for i in range(3) %}{{ i }}{% endfor %}"
    assert run(compile_file(source), {"file": slow}) == "a012"


@pytest.mark.parametrize("source", ["{{ x", "{{ }}", "{% for %}", "{% endif %}", "{{ 'a' | no }}"])
def test_what_does_not_compile_is_an_error_of_ours(source: str) -> None:
    with pytest.raises(TemplateFailedError):
        compile_file(source)


def test_statements_are_text_in_a_string_of_the_yaml_file() -> None:
    text = "HB{%s} ${#list} {# no comment #} {{ values.word }}"
    assert run(compile_leaf(text), FACTS) == "HB{%s} ${#list} {# no comment #} abc"
