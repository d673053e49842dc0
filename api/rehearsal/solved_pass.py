"""The pass of the team that plays the solution: everything is answered and every check turns."""

from collections.abc import Sequence
from datetime import timedelta

from api.rehearsal.holding import Wanted, see_held, wanted_by_injects
from api.rehearsal.lines import Answer, Deed, Reply, Submission, Typed, Unusable
from api.rehearsal.notes import Notes
from api.rehearsal.solution import play
from api.rehearsal.stage import Stage
from core.errors import Fault, PoligonError
from core.ids import new_id
from core.scenario.evidence_references import evidence_of
from core.scenario.schema_tasks import FlagTask, QuestionTask, RubricTask
from core.waiting import WaitedTooLongError, until
from orchestrator.domain.exercise import Team
from orchestrator.domain.injects import FiringState
from scoring.checks.probes import Finding
from scoring.domain.files import why_refused
from scoring.domain.verdicts import Verdict
from scoring.errors import TaskLockedError
from scoring.uploads.handed_in import HandedIn, shown_name
from scoring.views import TaskState, TaskView

_Sent = Answer | Reply | Submission | Unusable
_RIGHT = frozenset({"correct", "already"})
_MOST_OUTPUT = 200


class SolvedPass:
    """One team's way through the scenario. `patience` is real time that its deeds may take."""

    def __init__(self, stage: Stage, team: int, notes: Notes, *, patience: timedelta) -> None:
        self._stage = stage
        self._number = team
        self._notes = notes
        self._patience = patience
        self._undone: set[str] = set()
        self._deeds: list[Deed] = []

    @property
    def _team(self) -> Team:
        return self._stage.team(self._number)

    def before(self) -> None:
        """Let the story go on until tasks are open; see what should pass, and what should not."""
        self._stage.tick()
        for check, task in self._stage.to_keep().items():
            self._expect(check, f"before anything was done, and {task} is to keep it so")
        self._open_tasks()
        for check, task in self._stage.to_turn().items():
            self._expect_failing(check, task)

    def play(self) -> None:
        """Run the solution, send what it says, and see every check of a task turn and hold."""
        solution = self._stage.scenario.solution
        if solution is None:
            self._notes.wrong("there is no solution: nothing shows that it can be solved")
            return
        said = play(self._stage, self._team, solution, self._notes)
        self._deeds = [line for line in said if isinstance(line, Deed)]
        lines: Sequence[_Sent] = [line for line in said if not isinstance(line, Deed)]
        self._do()
        self._settle()
        self._stage.checks_run = True
        lines = self._see_through(lines)
        while (lines or self._locked()) and self._go_on():
            lines = self._see_through(lines)
        for line in lines:
            self._notes.wrong(_never_taken(line))
        self._expect_done()
        self._stage.checks_run = False

    # Before

    def _expect(self, check: str, when: str) -> None:
        """Want it to pass; as for a guard, one failure alone is none: machines are busy."""
        seen = self._stage.look(self._team, check)
        if seen.verdict is not Verdict.UP:
            seen = self._stage.look(self._team, check)
        if seen.verdict is not Verdict.UP:
            self._notes.wrong(f"{check} does not pass {when}: {_told(seen)}")

    def _expect_failing(self, check: str, task: str) -> None:
        seen = self._stage.look(self._team, check)
        if seen.verdict is Verdict.UP:
            self._notes.wrong(f"{check} passes before anything was done: {task} is given away")
        elif seen.verdict is Verdict.INFRA_ERROR:
            self._notes.wrong(f"{check} cannot be carried out: {_told(seen)}")
        else:
            self._notes.proven_checks.add(check)

    def _locked(self) -> list[str]:
        tasks = self._stage.tasks(self._team)
        return [view.task for view in tasks if view.state is TaskState.LOCKED]

    def _open_tasks(self) -> None:
        """Go on until every task was open that can be while none is overdue yet."""
        while self._locked():
            following = self._stage.next_inject(self._team)
            due = [v.due for v in self._stage.tasks(self._team) if v.due is not None]
            too_late = following is not None and due and following > min(due)
            if too_late or not self._go_on():
                return

    def _go_on(self) -> bool:
        """Let the next thing of the story happen; tell whether there was one."""
        following = self._stage.next_inject(self._team)
        if following is not None:
            self._stage.reach(self._team, following)
            return True
        states = self._stage.inject_states(self._team)
        for name in self._openers():
            if states[name].state != FiringState.FIRED:
                self._stage.fire(self._team, name)
                return True
        return False

    def _openers(self) -> list[str]:
        """Return the manual injects that open a locked task."""
        locked = self._locked()
        tasks = self._stage.scenario.tasks
        opens = [getattr(tasks[name], "opens", None) for name in locked]
        return [name for name in self._stage.manual() if any(o and o.with_ == name for o in opens)]

    # After

    def _settle(self) -> None:
        """Give what the solution did time to show, by the wall's clock."""
        # Evidence is not there before what it names was booked.
        failing = [c for c in self._stage.to_turn() if not self._stage.is_evidence(c)]

        def all_pass() -> bool:
            seen = {check: self._stage.look(self._team, check) for check in failing}
            failing[:] = [c for c, finding in seen.items() if finding.verdict is not Verdict.UP]
            return not failing

        try:
            until(
                all_pass,
                what="every check of a task to pass",
                within=self._patience,
                every=timedelta(seconds=1),
            )
        except WaitedTooLongError:
            return  # what does not hold is told at the end

    def _see_through(self, lines: Sequence[_Sent]) -> Sequence[_Sent]:
        """Send what the solution said and see checks hold; return what waits for an opening."""
        waiting = [line for line in lines if not self._send(line)]
        self._hold()
        if self._deeds and any(e.after for e in evidence_of(self._stage.scenario).values()):
            self._do()  # again: what is to come after a check or an inject comes now
            self._hold()
        for view in self._stage.tasks(self._team):
            if view.kind == "checks" and view.state in {TaskState.OPEN, TaskState.HOLDING}:
                self._tell_undone(view)
        return waiting

    def _do(self) -> None:
        """Put what the solution says a trainee types and moves into the records."""
        for deed in self._deeds:
            host = self._stage.scenario.hosts.get(deed.host)
            types = isinstance(deed, Typed)
            if host is None or (types and not host.record.commands):
                why = "is no host" if host is None else "keeps no commands"
                what = "types on" if types else "moves a file of"
                self._notes.wrong(f"the solution {what} {deed.host!r}, which {why}")
            else:
                self._stage.do(self._team, deed)

    def _send(self, line: _Sent) -> bool:
        match line:
            case Unusable(why=why):
                self._notes.wrong(why)
                return True
            case Answer():
                return self._answer(line)
            case Reply():
                return self._reply(line)
            case Submission():
                return self._hand_in(line)

    def _answer(self, line: Answer) -> bool:
        stage, team = self._stage, self._team
        try:
            told = stage.services.scoring.answer(
                stage.exercise,
                team,
                stage.member(team),
                task=line.task,
                value=line.value,
                client_key=new_id(),
            )
        except TaskLockedError:
            return False
        except PoligonError as error:
            self._refused(f"{line.task}: the solution's answer {line.value!r}", error)
            return True
        if told.verdict in _RIGHT:
            self._notes.answers[line.task] = line.value
        else:
            self._notes.wrong(
                f"{line.task}: the solution's answer {line.value!r} is refused as {told.verdict}"
            )
        return True

    def _reply(self, line: Reply) -> bool:
        stage, team = self._stage, self._team
        if line.inject not in stage.scenario.injects:
            self._notes.wrong(
                f"the solution replies to {line.inject!r}, and there is no such inject"
            )
            return True
        told = stage.services.injects.messages_to(stage.exercise, team, stage.member(team))
        message = next((m for m in told if m.inject == line.inject), None)
        if message is None:
            return False
        try:
            stage.services.injects.reply(
                stage.exercise,
                team,
                stage.member(team),
                message.id,
                text=line.text,
                client_key=new_id(),
            )
        except PoligonError as error:
            self._refused(f"{line.inject}: the solution's reply", error)
        return True

    def _hand_in(self, line: Submission) -> bool:
        task = self._stage.scenario.tasks.get(line.task)
        if not isinstance(task, RubricTask) or task.submit is None:
            self._notes.wrong(
                f"the solution submits a file for {line.task!r}: no such task takes one"
            )
            return True
        view = next(v for v in self._stage.tasks(self._team) if v.task == line.task)
        if view.state is TaskState.LOCKED:
            return False
        if view.state is TaskState.OVERDUE:
            why = "comes after its time"
        elif line.size is None:
            why = "is not there"
        else:
            why = why_refused(task.submit, line.file, size=line.size)
        if why:
            self._notes.wrong(f"{line.task}: the solution's file {line.file} {why}")
            return True
        return self._deliver(line)

    def _deliver(self, line: Submission) -> bool:
        """Hand a small file in as a member would; of a large one only its size is known here."""
        uploads, team = self._stage.services.uploads, self._team
        if line.content is not None:
            handed = HandedIn(
                exercise=self._stage.exercise,
                team=team,
                user=self._stage.member(team),
                task=line.task,
                name=shown_name(line.file),
                client_key=new_id(),
            )
            try:
                with uploads.receive(handed) as incoming:
                    incoming.write(line.content)
                    uploads.accept(handed, incoming)
            except PoligonError as error:
                self._refused(f"{line.task}: the solution's file {line.file}", error)
                return True
        self._notes.files[line.task] = self._stage.elapsed(team)
        return True

    def _refused(self, what: str, error: PoligonError) -> None:
        if error.fault in {Fault.UPSTREAM, Fault.BUG}:
            raise error
        self._notes.wrong(f"{what} is refused: {error.message}")

    def _hold(self) -> None:
        """Let checks hold for as long as tasks and injects want it, and no longer."""

        def wanted() -> Wanted:
            injects = self._stage.scenario.injects
            times = wanted_by_injects(self._stage, self._team, among=injects)
            for view in self._stage.tasks(self._team):
                if view.kind == "checks" and view.state in {TaskState.OPEN, TaskState.HOLDING}:
                    for check in view.checks:
                        times.setdefault(check.check, set()).add(check.hold)
            return times

        see_held(self._stage, self._team, wanted)

    def _expect_done(self) -> None:
        stage, team = self._stage, self._team
        length = stage.exercise.length(team.id)
        latest = max(self._notes.files.values(), default=timedelta())
        for view in stage.tasks(team):
            if view.solved_at is not None:
                latest = max(latest, stage.exercise.elapsed(view.solved_at, team.id))
            elif isinstance(stage.scenario.tasks[view.task], QuestionTask | FlagTask):
                self._notes.wrong(f"{view.task}: the solution has no answer that is accepted")
            elif view.kind == "checks" and view.task not in self._undone:
                self._notes.wrong(f"{view.task} is {view.state} after the solution")
            elif self._lacks_file(view.task):
                self._notes.wrong(f"{view.task}: the solution submits no file that fits")
        for check, task in stage.to_keep().items():
            self._expect(check, f"after the solution, and {task} is to keep it so")
        if latest > length:
            self._notes.wrong(
                f"it is solved at {latest} of the exercise's clock at the earliest, and ends at"
                f" {length}"
            )

    def _lacks_file(self, name: str) -> bool:
        task = self._stage.scenario.tasks[name]
        takes_one = isinstance(task, RubricTask) and task.submit is not None
        return takes_one and name not in self._notes.files

    def _tell_undone(self, view: TaskView) -> None:
        if view.task in self._undone:
            return
        self._undone.add(view.task)
        seen = {check.check: self._stage.look(self._team, check.check) for check in view.checks}
        failing = {c: finding for c, finding in seen.items() if finding.verdict is not Verdict.UP}
        for check, finding in failing.items():
            self._notes.wrong(
                f"{check} does not pass after the solution, so {view.task} is not done:"
                f" {_told(finding)}"
            )
        if not failing:
            self._notes.wrong(f"{view.task} is not done after the solution: its checks do not hold")


def _never_taken(line: _Sent) -> str:
    match line:
        case Answer(task=task):
            return f"{task} never opened for the solution's answer"
        case Submission(task=task):
            return f"{task} never opened for the solution's file"
        case Reply(inject=inject):
            return f"no message of {inject} reached whom the solution plays, so it has no reply"
        case Unusable(why=why):
            return why


def _told(seen: Finding) -> str:
    output = " ".join(seen.output.split())[-_MOST_OUTPUT:]
    return f"{seen.verdict} ({output})" if output else str(seen.verdict)
