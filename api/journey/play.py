"""A night shift for two teams: launched, entered by SSH, solved by one of them, scored, recorded.

Every step looks at what a person would look at, and raises JourneyFailedError when it does not
hold.
"""

import io
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

from api.journey.afterwards import see_the_report
from api.journey.happenings import launch_another, see_a_reset, see_injects
from api.journey.people import Caller, Say, Shell, Trainee, expect, new_key, wait_for

SCENARIO = "night-shift"
_BUILD = timedelta(minutes=8)
_CHECKS = timedelta(minutes=4)
_REMOVAL = timedelta(minutes=2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """Where the service is, who may run exercises there, and a folder for keys."""

    base_url: str
    instructor: tuple[str, str]
    staff: tuple[str, str]
    solution: Path
    folder: Path


class Journey:
    """One exercise from launch to removal. Call the steps in their order."""

    def __init__(self, stage: Stage, say: Say) -> None:
        self._stage = stage
        self._say = say
        self._instructor = Caller(stage.base_url, *stage.instructor)
        self._staff = Caller(stage.base_url, *stage.staff)
        self.name = ""

    def play(self) -> None:
        """Play the whole exercise; it is ended and its worlds are removed when this returns."""
        self.launch()
        other = launch_another(self._instructor, SCENARIO, self._say)
        self.start()
        trainees = self.log_in()
        ours, theirs = trainees
        self._see_the_intruder_at_work(trainees)
        see_injects(self._instructor, self.name, ours, theirs, self._say)
        see_a_reset(self.name, theirs, self._say)
        answers = self._play_solution(ours)
        foreign = self._play_solution(theirs, look_only=True)
        self._answer(ours, answers, foreign)
        self._see_checks_turn(ours, theirs)
        self._read_board_and_record(ours, theirs)
        self._pause_and_end(ours)
        see_the_report(self._staff, self.name, ours, theirs, self._say)
        self._destroy(other)
        self.destroy()
        for caller in (self._instructor, self._staff, ours.caller, theirs.caller):
            caller.close()

    def launch(self) -> None:
        """Launch the scenario for two teams and wait until both worlds are ready."""
        launched = self._instructor.post(
            "/exercises", {"scenario": SCENARIO, "teams": 2}, key="journey-launch"
        )
        self.name = launched["name"]
        again = self._instructor.post(
            "/exercises", {"scenario": SCENARIO, "teams": 2}, key="journey-launch"
        )
        expect(again["name"] == self.name, "a repeated launch to launch once", again["name"])
        self._say(f"launched {self.name} for two teams")
        built = wait_for(
            lambda: self._instructor.get(f"/exercises/{self.name}"),
            lambda seen: seen["phase"] != "provisioning",
            what=f"{self.name} to be built",
            within=_BUILD,
        )
        expect(built["phase"] == "ready", "both worlds to be ready", built)
        self._say("both worlds are ready, probed from inside")

    def start(self) -> None:
        """Let the clock run."""
        self._instructor.post(f"/exercises/{self.name}/start")
        self._say("started")

    def issue_logins(self) -> list[Mapping[str, str]]:
        """Return a new name and password for the trainee of each team."""
        logins: list[Mapping[str, str]] = self._instructor.post(f"/exercises/{self.name}/logins")
        expect(len(logins) == 2, "a login for each team", logins)  # noqa: PLR2004  # two teams
        return logins

    def log_in(self) -> tuple[Trainee, Trainee]:
        """Log a trainee of each team in: the first by key, the second by password."""
        logins = self.issue_logins()
        first = self._trainee(logins[0], by_key=True)
        second = self._trainee(logins[1], by_key=False)
        for trainee in (first, second):
            seen = trainee.shell.run("hostname; exit 0").stdout.decode().strip()
            expect(seen == "desk", f"{trainee.team} to land on desk", seen)
            how = "key" if trainee.shell.key else "password"
            self._say(f"{trainee.team} is in by ssh, with a {how}")
        return first, second

    def destroy(self) -> None:
        """Remove both worlds and wait until they are gone."""
        self._destroy(self.name)
        self._say("worlds removed")

    def _destroy(self, exercise: str) -> None:
        self._instructor.post(f"/exercises/{exercise}/destroy")
        wait_for(
            lambda: self._instructor.get(f"/exercises/{exercise}"),
            lambda seen: {team["world"] for team in seen["teams"]} == {"removed"},
            what=f"the worlds of {exercise} to be removed",
            within=_REMOVAL,
        )

    def _trainee(self, login: Mapping[str, str], *, by_key: bool) -> Trainee:
        caller = Caller(self._stage.base_url, login["user"], login["password"])
        access = caller.get(f"/exercises/{self.name}/access")
        known_hosts = self._stage.folder / "known_hosts"
        known_hosts.write_text(access["known_hosts"] + "\n")
        key = None
        if by_key:
            key, public = new_key(self._stage.folder, login["user"])
            caller.put("/me/keys", {"public_key": public})
        shell = Shell(
            login=login["user"],
            host=access["host"],
            port=access["port"],
            known_hosts=known_hosts,
            key=key,
            password=login["password"],
        )
        return Trainee(caller=caller, shell=shell, team=login["team"])

    def _tasks(self, trainee: Trainee) -> Mapping[str, Any]:
        tasks = trainee.caller.get(f"/exercises/{self.name}/tasks")
        return {task["task"]: task for task in tasks}

    def _see_the_intruder_at_work(self, trainees: tuple[Trainee, Trainee]) -> None:
        """See every contain check fail and every service up before anybody does anything."""
        for trainee in trainees:
            seen = wait_for(
                partial(self._tasks, trainee),
                lambda tasks: all(_judged(task) for task in tasks.values()),
                what=f"the first checks of {trainee.team}",
                within=_CHECKS,
            )
            for task in seen.values():
                if task["kind"] == "checks":
                    verdicts = [check["verdict"] for check in task["checks"]]
                    expect("down" in verdicts, f"{task['task']} to fail at first", verdicts)
                if task["kind"] == "availability":
                    expect(task["share"] == 1, f"{task['task']} to be up at first", task)
        self._say("checks see the backdoor in both worlds, and the service up")

    def _play_solution(self, trainee: Trainee, *, look_only: bool = False) -> Mapping[str, str]:
        """Play the reference solution inside; return the answers that it found."""
        trainee.shell.run(
            "mkdir -p /tmp/solution && tar -C /tmp/solution -x", stdin=_tar(self._stage.solution)
        )
        look = "LOOK_ONLY=1 " if look_only else ""
        printed = trainee.shell.run(f"{look}sh /tmp/solution/play.sh").stdout.decode()
        lines = [line.split("\t") for line in printed.splitlines()]
        answers = {line[1]: line[2] for line in lines if line[0] == "answer"}
        expect(answers, f"answers from the solution in {trainee.team}", printed)
        done = "only looked" if look_only else "played the solution"
        self._say(f"{trainee.team} {done} inside and found {', '.join(sorted(answers))}")
        return answers

    def _answer(
        self, ours: Trainee, answers: Mapping[str, str], foreign: Mapping[str, str]
    ) -> None:
        """Answer: wrongly, with the other team's flag, rightly, and rightly again."""
        tasks = self._tasks(ours)
        flag = next(name for name, task in tasks.items() if task["kind"] == "flag")
        expect(answers[flag] != foreign[flag], "flags that differ between teams", foreign[flag])
        for value in ("nobody-at-all", foreign[flag]):
            told = self._send(ours, flag, value)
            expect(told["verdict"] == "wrong", "a wrong answer to be told wrong", told)
        self._say("a wrong answer and the other team's flag were refused")
        for task, value in answers.items():
            told = self._send(ours, task, value)
            expect(told["verdict"] == "correct", f"{task} to be right", told)
            expect(told["points"] == tasks[task]["of_points"], f"{task} to give points", told)
            told = self._send(ours, task, value)
            expect(told["verdict"] == "already", f"{task} to count once", told)
        self._say(f"{len(answers)} right answers, each counted once")
        signals = self._instructor.get(f"/exercises/{self.name}/signals")
        seen = [(signal["team"], signal["owner"]) for signal in signals]
        expect(("team-1", "team-2") in seen, "the other team's flag as a signal", signals)
        self._say("the instructor sees where the other team's flag turned up")

    def _send(self, trainee: Trainee, task: str, value: str) -> Any:  # noqa: ANN401  # JSON
        return trainee.caller.post(
            f"/exercises/{self.name}/answers", {"task": task, "value": value}
        )

    def _see_checks_turn(self, ours: Trainee, theirs: Trainee) -> None:
        """See what was contained hold, and the other team's world as it was."""
        seen = wait_for(
            lambda: self._tasks(ours),
            lambda tasks: all(
                task["state"] == "done" for task in tasks.values() if task["kind"] == "checks"
            ),
            what="the backdoor to stay gone",
            within=_CHECKS,
        )
        for task in seen.values():
            expect(task["points"] == task["of_points"], f"all points for {task['task']}", task)
        other = self._tasks(theirs)
        expect(
            all(task["points"] == 0 for task in other.values() if task["kind"] != "availability"),
            "the other team to have gained nothing",
            other,
        )
        self._say("the checks turned: contained and held, and the service stayed up")

    def _read_board_and_record(self, ours: Trainee, theirs: Trainee) -> None:
        """Read the board and the training record as the centre's staff does, and print them."""
        board = self._staff.get(f"/exercises/{self.name}/board")
        rows = [(row["rank"], row["team"]) for row in board["rows"]]
        expect(rows == [(1, ours.team), (2, theirs.team)], "the first team to lead", rows)
        full = sum(task["points"] for task in board["tasks"])
        expect(board["rows"][0]["points"] == full, f"{full:g} points", board["rows"][0])
        for row in board["rows"]:
            self._say(f"board: {row['rank']}. {row['name']} {row['points']:g} of {full:g}")
        refused = theirs.caller.status_of(f"/exercises/{self.name}/record")
        expect(refused in {403, 404}, "a trainee not to read the record", refused)
        record = self._staff.text(f"/exercises/{self.name}/record", format="csv")
        expect(ours.shell.login in record, "the trainee in the training record", record)
        self._say("training record:")
        for line in record.splitlines():
            self._say(f"  {line}")

    def _pause_and_end(self, ours: Trainee) -> None:
        """Pause: nobody gets in, with a sentence why. Resume, and end for good."""
        self._instructor.post(f"/exercises/{self.name}/pause")
        refused = ours.shell.run("true", may_fail=True)
        sentence = refused.stderr.decode()
        expect(refused.returncode != 0 and "paused" in sentence, "no way in meanwhile", sentence)
        self._instructor.post(f"/exercises/{self.name}/resume")
        ours.shell.run("true")
        self._instructor.post(f"/exercises/{self.name}/end")
        refused = ours.shell.run("true", may_fail=True)
        sentence = refused.stderr.decode()
        expect(refused.returncode != 0 and "ended" in sentence, "no way in afterwards", sentence)
        self._say("paused, resumed and ended: ssh says so and lets nobody in")


def _judged(task: Mapping[str, Any]) -> bool:
    """Whether the task's checks were all seen once, if it has any."""
    return all(check["verdict"] is not None for check in task["checks"])


def _tar(folder: Path) -> bytes:
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        tar.add(folder, arcname=".")
    return archive.getvalue()
