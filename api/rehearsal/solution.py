"""Playing the solution of a scenario: where a trainee of the widest role lands, as they do."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from api.rehearsal.lines import Line, lines_in
from api.rehearsal.notes import Notes
from api.rehearsal.stage import Stage
from core.scenario.access import default_entry, widest_role
from core.scenario.folder import Entry, Folder
from core.scenario.schema import Solution
from orchestrator.domain.exercise import Team
from orchestrator.injects.message_files import file_content
from orchestrator.ports import RunResult
from scoring.team_scenario import ShownPassword

_PLACE = "/tmp/solution"  # noqa: S108  # in a world of the rehearsal, which goes with it
_PASSWORDS = "passwords.tsv"
_TIMED_OUT = 124
_FAILED = "failed\t"
# What it says on stderr must not come between the lines of its stdout, and is told when it fails.
# A file that it submits is read where it stands, a small one whole: a container of its own goes
# with it.
PLAY = """\
cd "$1" || exit 1
script=./$2
shift 2
if [ -x "$script" ]; then set -- "$script" "$@"; else set -- sh "$script" "$@"; fi
told=$(mktemp -d) || exit 1
tab=$(printf '\\t')
"$@" >"$told/said" 2>"$told/errors" </dev/null
code=$?
while IFS= read -r line || [ -n "$line" ]; do
  case $line in
    "submit$tab"*"$tab"*)
      file=${line#*"$tab"} && file=${file#*"$tab"}
      size=none
      if [ -f "$file" ] && [ -r "$file" ]; then
        size=$(wc -c <"$file")
        [ "$size" -gt 8192 ] || size=$size:$(base64 <"$file" 2>/dev/null | tr -d '\n')
      fi
      printf '%s\\t%s\\n' "$line" "$size" ;;
    *) printf '%s\\n' "$line" ;;
  esac
done <"$told/said"
[ "$code" = 0 ] || { printf 'failed\\t'; tail -c 1000 "$told/errors" | tr '\\n\\t' '  '; echo; }
rm -rf "$told"
exit "$code"
"""
"""The shell's part: a folder, and the name of the script in it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Folder:
    files: Sequence[Entry]
    script: str

    def command(self, arguments: Sequence[str]) -> tuple[str, ...]:
        return ("sh", "-c", PLAY, "sh", _PLACE, self.script, *arguments)


def play(stage: Stage, team: Team, solution: Solution, notes: Notes) -> tuple[Line, ...]:
    """Run the solution for a team and return what it says; what goes wrong is noted."""
    return tuple(lines_in(run_solution(stage, team, solution, notes)))


def run_solution(
    stage: Stage, team: Team, solution: Solution, notes: Notes, *arguments: str
) -> str:
    """Run the solution for a team, with arguments, and return its output.

    Without hosts it runs apart, in a container without network, with the files of messages.
    Elsewhere the passwords that its role is shown stand beside it, unless it brings a file of that
    name.
    """
    folder = _folder(stage, solution)
    command = folder.command(arguments)
    if not stage.scenario.hosts:
        ran = stage.services.engine.run_apart(
            command,
            folder=_PLACE,
            files=(*folder.files, *_received(stage, team)),
            timeout=solution.within,
        )
        return _said(ran, solution, notes)
    role = widest_role(stage.scenario)
    entry = default_entry(stage.scenario, role)
    if entry is None:
        notes.wrong(f"the solution cannot be played: the role {role} has no default host")
        return ""
    host = stage.world(team).host(entry.host)
    seen = stage.seen_by(team)
    files = (*_passwords(seen.passwords(role)), *folder.files)
    stage.services.engine.put_folder(host, _PLACE, files)
    account = seen.renderer.text(entry.as_)
    ran = stage.services.engine.run(host, command, timeout=solution.within, account=account)
    return _said(ran, solution, notes)


def _passwords(shown: Sequence[ShownPassword]) -> tuple[Entry, ...]:
    lines = "".join(f"{one.host}\t{one.account}\t{one.password}\n" for one in shown)
    return (Entry(path=_PASSWORDS, content=lines.encode(), executable=False),) if shown else ()


def _folder(stage: Stage, solution: Solution) -> _Folder:
    """Return the files beside the script, and below; of a script at the top itself alone."""
    script = PurePosixPath(solution.run)
    loaded = stage.exercises.scenario(stage.exercise)
    within = f"{script.parent}/" if script.parent != PurePosixPath() else str(script)
    files = [
        Entry(
            path=str(PurePosixPath(entry.path).relative_to(script.parent)),
            content=entry.content,
            executable=entry.executable,
        )
        for entry in Folder(loaded.folder).entries()
        if entry.path.startswith(within)
    ]
    return _Folder(files=files, script=script.name)


def _received(stage: Stage, team: Team) -> Iterator[Entry]:
    """Yield what a team can download with its messages, as `messages/<inject>/<name>`."""
    for name, inject in stage.scenario.injects.items():
        files = inject.message.files if inject.message is not None else ()
        for number in range(1, len(files) + 1):
            file = file_content(stage.exercises, stage.exercise, team, name, number)
            yield Entry(path=f"messages/{name}/{file.name}", content=file.content, executable=False)


def _said(ran: RunResult, solution: Solution, notes: Notes) -> str:
    if ran.exit_code == _TIMED_OUT:
        seconds = solution.within.total_seconds()
        notes.wrong(f"the solution did not end within {seconds:g} s, and was ended")
    elif not ran.ok:
        lines = [line for line in ran.output.splitlines() if line.startswith(_FAILED)]
        told = lines[-1].removeprefix(_FAILED).strip() if lines else ran.output.strip()[-300:]
        notes.wrong(f"the solution ended with {ran.exit_code}: {told or 'it said nothing'}")
    return ran.output
