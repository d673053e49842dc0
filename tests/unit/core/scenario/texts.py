"""Scenarios that are right, for tests to spoil."""

SMALLEST = """\
language: 1
scenario: {id: small, version: 1.0.0, title: Small, kind: investigation, duration: 30m}
roles: {solver: {side: blue, title: Solver}}
tasks: {colour: {ask: Which colour?, answer: green, points: 5}}
"""
WITH_HOSTS = """\
language: 1
scenario: {id: small, version: 1.0.0, title: Small, kind: investigation, duration: 30m}
roles: {solver: {side: blue, title: Solver}}
values:
  port: {type: port}
  flag: {type: flag}
networks:
  lan: {size: /28}
hosts:
  box:
    title: A box
    image: debian:bookworm-slim
    networks: {lan: {}}
    accounts: [{name: solver, roles: [solver]}]
    files: [{to: /root/flag, text: "{{ values.flag }} {{ values.port }}"}]
access: [{roles: [solver], host: box, as: solver}]
checks:
  up: {host: box, tcp: 80}
tasks:
  colour: {ask: Which colour?, answer: green, points: 5}
  found: {title: The flag, flag: flag, points: 5}
  serve: {title: Serve, checks: [up], points: 5}
"""
