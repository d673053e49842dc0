"""`shell-history`: a bash history with times, as bash keeps it where HISTTIMEFORMAT is set."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from pydantic import Field

from core.scenario.generators.parameters import Line, LogParameters, Noise, Span, When
from core.scenario.generators.scene import Generator, Made, Scene
from core.scenario.generators.story_time import AMOUNT, working_times

_EVERYDAY = (
    "ls -la",
    "cd",
    "df -h",
    "ps aux | less",
    "tail -n 50 /var/log/syslog",
    "systemctl status cron",
    "vi notes.txt",
    "grep -rn backup /etc/cron.d",
    "uptime",
    "free -m",
    "history | tail",
    "du -sh *",
    "ping -c 3 gateway",
    "sudo apt update",
    "man crontab",
    "exit",
)
_INTRUDER = (
    "id",
    "uname -a",
    "w",
    "sudo -l",
    "ls -la /home /srv",
    "find / -name '*.ods' -mtime -30 2>/dev/null | head",
    "tar czf /tmp/.c.tgz /srv/share",
    "ls -l /tmp/.c.tgz",
    "rm /tmp/.c.tgz",
    "exit",
)


class ShellHistory(LogParameters):
    """Parameters of `shell-history`."""

    at: When = Field(description="when the first of `commands` is given")
    commands: tuple[Line, ...] = Field(
        default=_INTRUDER, min_length=1, max_length=500, description="the story, one after another"
    )
    pause: Span = Field(
        default=timedelta(seconds=40), description="how long between two of them, at most"
    )
    since: Span = Field(
        default=timedelta(days=10), description="how long before `at` the history begins"
    )
    noise: Noise = Field(default="medium", description="how much is done besides the story")


def make(given: ShellHistory, scene: Scene) -> Iterator[Made]:
    """Yield the history."""
    dice = scene.dice
    since, until = scene.window(given.at, before=given.since, ends=given.until)
    story, at = list[tuple[datetime, str]](), given.at
    for command in given.commands:
        if at > until:
            break
        story.append((at, command))
        at += dice.seconds(1, max(int(given.pause.total_seconds()), 1))
    done = story + [
        (moment, dice.pick(_EVERYDAY))
        for moment in working_times(dice, since, until, a_day=4 * AMOUNT[given.noise])
        if not given.at <= moment <= at  # nobody else is at this prompt meanwhile
    ]
    done.sort(key=lambda entry: entry[0])
    text = "".join(f"#{int(moment.timestamp())}\n{command}\n" for moment, command in done)
    yield Made(content=text.encode(), mtime=done[-1][0])


GENERATOR = Generator(
    summary="bash history with the time of each command",
    example="{to: /root/.bash_history, generate: shell-history,"
    ' with: {at: "{{ values.intrusion }}", commands: [id, w, "cat {{ values.stolen_doc }}"]}}',
    parameters=ShellHistory,
    make=make,
)
