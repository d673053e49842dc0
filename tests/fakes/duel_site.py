"""A site whose house has services: its exercises are attack and defence, too."""

from core.ids import ExerciseId, TeamId
from orchestrator.ports import RunResult
from tests.fakes.api_site import ApiSite

SERVICES = """\
rounds: {every: 3m}
services:
  locker:
    title: "The locker of {{ team.name }}"
    host: desk
    network: arena
    port: 4100
    flag: {format: "LCK{%s}"}
    checker: {build: {context: checkers}, run: [ask]}
  slots: {host: desk, network: arena, port: 4300, checker: {build: {context: checkers}, run: [ask]}}
"""
FRENCH = 'services: {locker: {title: "Le casier de {{ team.name }}"}}\n'


def give_services(site: ApiSite) -> None:
    """Give the house of a site services, which are always found up."""
    folder = site.services.settings.scenarios / "house"
    text = (folder / "scenario.yaml").read_text()
    text = text.replace("  id: house\n", "  id: house\n  languages: [en, fr]\n")
    text = text.replace("networks: {office: {}}", "networks: {office: {}, arena: {}}")
    text = text.replace("{office: {size: /28}}", "{office: {size: /28}, arena: {shared: true}}")
    (folder / "scenario.yaml").write_text(text + SERVICES)
    for name, content in (("text/fr.yaml", FRENCH), ("checkers/Dockerfile", "FROM debian\n")):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(content)
    site.engine.on_visit = lambda *_: RunResult(exit_code=0, output="left")


def play(site: ApiSite) -> None:
    """Do what is due of rounds."""
    site.services.attack_defence.sweep()
    for job in site.queue.take():
        exercise, team, service, number = job.arguments
        site.services.attack_defence.look(ExerciseId(exercise), TeamId(team), service, int(number))
