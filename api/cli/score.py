"""`poligon score`: prove that a ledger is whole and follows from its facts."""

from dataclasses import asdict, replace
from typing import Annotated, Any

import typer

from api.cli.database import services_ready
from api.cli.exercise import Name
from api.cli.output import Exit, Json, Output, reporting
from core.errors import Fault, PoligonError
from orchestrator.domain.exercise import Exercise
from orchestrator.journal import SYSTEM
from orchestrator.service import Exercises
from scoring.proving import Proof
from scoring.replaying import Replay, TeamReplay

app = typer.Typer(help="The score's ledger.", no_args_is_help=True)

_PAGE = 100
_Every = Annotated[bool, typer.Option("--all", help="Those of all exercises.")]
_OneName = Annotated[str, typer.Argument(help="The exercise's name or id.")]


class NoExerciseNamedError(PoligonError):
    """Neither an exercise nor --all was given."""

    code = "score.no_exercise"
    fault = Fault.INPUT


@app.command()
def replay(name: Name, *, as_json: Json = False) -> None:
    """Derive every entry again from the facts, and compare. Example: poligon score replay drill.

    Prints the hash of the board that the ledger makes, and of the one that the facts make. Exits
    with 1 when any entry differs.
    """
    with reporting(as_json=as_json) as output, services_ready() as services:
        found = services.replaying.replay(services.exercises.get(name))
        output.data(_replay_out(found))
        _tell_replay(output, found)
        raise typer.Exit(Exit.OK if found.holds else Exit.ERROR)


@app.command()
def verify(
    name: _OneName = "",
    *,
    every: _Every = False,
    seal: Annotated[
        bool, typer.Option("--seal", help="Seal what holds, as each night does.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Look for the first broken link of each chain. Example: poligon score verify drill.

    Exits with 1 when a ledger does not hold.
    """
    with reporting(as_json=as_json) as output, services_ready() as services:
        proofs = []
        for exercise in _named(services.exercises, name, every=every):
            proof = services.proving.verify(exercise)
            if seal and not proof.faults:
                proof = replace(proof, seal=services.proving.seal(exercise))
            proofs.append(proof)
            _tell_proof(output, proof)
        output.data([asdict(proof) for proof in proofs])
        raise typer.Exit(Exit.ERROR if any(proof.faults for proof in proofs) else Exit.OK)


@app.command()
def rebuild(name: _OneName = "", *, every: _Every = False, as_json: Json = False) -> None:
    """Drop standings and boards and make them again. Example: poligon score rebuild drill."""
    with reporting(as_json=as_json) as output, services_ready() as services:
        rebuilt = {}
        for exercise in _named(services.exercises, name, every=every):
            rebuilt[exercise.name] = services.proving.rebuild(exercise)
            services.scoring.boards.rebuild(exercise.id)
            output.line(f"{exercise.name}: {rebuilt[exercise.name]} standings are made again")
        output.data(rebuilt)


@app.command("feed-key")
def feed_key(
    name: Name,
    *,
    rotate: Annotated[
        bool, typer.Option("--rotate", help="Make a new key; the former one is refused at once.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Print the key that a feed of points is signed with. Example: poligon score feed-key drill."""
    with reporting(as_json=as_json) as output, services_ready() as services:
        exercise = services.exercises.get(name)
        feeding = services.feeding
        key = feeding.rotate(exercise, by=SYSTEM) if rotate else feeding.key(exercise)
        output.data({"exercise": exercise.name, "key": key})
        output.line(key)


def _named(exercises: Exercises, name: str, *, every: bool) -> tuple[Exercise, ...]:
    if every == bool(name):
        raise NoExerciseNamedError(
            "say which exercise, or --all", hint="poligon exercise list shows them"
        )
    if name:
        return (exercises.get(name),)
    found: list[Exercise] = []
    while page := exercises.recent(limit=_PAGE, before=found[-1].id if found else ""):
        found += page
    return tuple(found)


def _tell_proof(output: Output, proof: Proof) -> None:
    verdict = "does not hold" if proof.faults else "holds"
    output.line(f"{proof.exercise}: a ledger of {proof.entries} entries {verdict}")
    for fault in proof.faults:
        output.line(f"  ✗ {fault}")
    if proof.seal:
        output.line(f"  last seal: {proof.seal}")


def _tell_replay(output: Output, found: Replay) -> None:
    for team in found.teams:
        for difference in team.differences:
            output.line(f"  ✗ {team.team}: {difference.what} {difference.key}, {difference.fact}")
            for whose, says in (("ledger", difference.booked), ("facts", difference.derived)):
                if says:
                    output.line(f"      {whose}: {says}")
    for number in found.rounds:
        output.line(f"  ✗ round {number} does not follow from its looks and captures")
    entries = sum(team.ledger.entries for team in found.teams)
    verdict = "follow from the facts" if found.holds else "do not all follow from the facts"
    output.line(f"{found.exercise}: {entries} entries {verdict}")
    output.line(f"board of the ledger: {found.ledger_hash}")
    output.line(f"board of the facts:  {found.replay_hash}")


def _replay_out(found: Replay) -> dict[str, Any]:
    return {
        "exercise": found.exercise,
        "holds": found.holds,
        "ledger_hash": found.ledger_hash,
        "replay_hash": found.replay_hash,
        "rounds": found.rounds,
        "teams": [_team_out(team) for team in found.teams],
    }


def _team_out(team: TeamReplay) -> dict[str, Any]:
    return {
        "team": team.team,
        "entries": team.ledger.entries,
        "milli_points": team.ledger.milli_points,
        "replayed_milli_points": team.replay.milli_points,
        "differences": [asdict(difference) for difference in team.differences],
    }
