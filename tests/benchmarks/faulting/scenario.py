"""The exercise that is played: two hosts a team, a check that never fails, a few tasks, injects."""

from pathlib import Path

NAME = "faulty"
TEAMS = 2
HOSTS = 2
QUESTION, FLAG, KEPT, HELD = "harbour", "note", "kept", "held"
NOTE = "/srv/note"
GREETING, MARK = "greeting", "mark"
MARKS = "/srv/marks"

# Readiness takes a moment, so that there is a half-way to be struck at.
SCENARIO = f"""\
language: 1
scenario: {{id: {NAME}, version: 1.0.0, title: Faults, kind: investigation, duration: 24h}}
roles: {{analyst: {{side: blue}}}}
values: {{note: {{type: flag, format: "F{{%s}}", length: 12}}}}
networks: {{office: {{size: /28}}, yard: {{size: /28}}}}
hosts:
  desk:
    image: "debian:bookworm-slim"
    networks: {{office: {{}}, yard: {{}}}}
    accounts: [{{name: ana, roles: [analyst]}}]
    files: [{{to: {NOTE}, text: "{{{{ values.note }}}}"}}]
    ready: [{{run: [sh, -c, "sleep 0.5; test -s {NOTE}"], within: 60s, every: 1s}}]
  mail: {{image: "debian:bookworm-slim", networks: {{yard: {{}}}}}}
access: [{{roles: [analyst], host: desk, as: ana, default: true}}]
checks: {{note_there: {{host: desk, run: [test, -s, {NOTE}], every: 2s, timeout: 10s}}}}
tasks:
  {QUESTION}: {{ask: "Which harbour?", answer: bar, points: 5}}
  {FLAG}: {{flag: note, title: The note, points: 10}}
  {KEPT}: {{title: Keep the note, availability: note_there, points: 20}}
  {HELD}: {{title: Have the note, checks: [note_there], points: 3}}
injects:
  {GREETING}: {{at: 0m, message: {{from: Duty officer, to: all, text: Begin.}}}}
  {MARK}: {{at: 1s, late: fire, host: desk, run: [sh, -c, "echo $POLIGON_OCCURRENCE >>{MARKS}"]}}
"""


def write_scenario(folder: Path) -> None:
    """Write the scenario's file into the catalogue at `folder`."""
    (folder / NAME).mkdir(parents=True)
    (folder / NAME / "scenario.yaml").write_text(SCENARIO)
