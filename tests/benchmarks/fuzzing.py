"""Does the loader stand every input? Coverage-guided, on our own code and the YAML reader's.

Inputs grow from the shipped scenarios by what makes new code run (libFuzzer, by way of Atheris).
Whatever is raised, or lasts far too long, ends the run; the input is kept and named. Afterwards
every input that was worth keeping, and files of each large shape up to 1 MiB, are linted in a plain
process: none may take 1 s of processor time or 200 MiB of memory.

Usage: ./dev bench fuzzing [--seconds 600] [--json FILE]
"""

import argparse
import json
import re
import subprocess
import sys
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path

from tests.benchmarks.fuzz.seeds import dictionary, large, seeds

_WITHIN_S, _WITHIN_MIB = 1.0, 200
# Instrumented code is several times as slow, and a busy machine again; the replay measures.
_HANG_S = 30
_RSS_MIB = 1500
_KEPT = Path(tempfile.gettempdir()) / "poligon-fuzzing"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fuzzed:
    """What a run tried: inputs, edges of the code that they reached, and those worth keeping."""

    inputs: int
    edges: int
    kept: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Replayed:
    """What the slowest input took, and how far the process grew in all."""

    inputs: int
    slowest: str
    seconds: float
    grown_mib: float

    @property
    def holds(self) -> bool:
        """Whether both limits were kept."""
        return self.seconds < _WITHIN_S and self.grown_mib < _WITHIN_MIB


def fuzz(home: Path, corpus: Path, *, seconds: int) -> Fuzzed:
    """Fuzz for so long; ends the process when an input breaks the loader."""
    folder = home / "small"
    folder.mkdir()
    (home / "words").write_text(dictionary())
    _KEPT.mkdir(exist_ok=True)
    done = subprocess.run(
        [
            *(sys.executable, "-m", "tests.benchmarks.fuzz.target", folder, corpus),
            f"-max_total_time={seconds}",
            f"-dict={home / 'words'}",
            f"-artifact_prefix={_KEPT}/",
            f"-timeout={_HANG_S}",
            f"-rss_limit_mb={_RSS_MIB}",
            "-max_len=1048576",
            "-print_final_stats=1",
        ],
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    if done.returncode:
        print(done.stdout[-4000:], done.stderr[-8000:], file=sys.stderr)
        raise SystemExit(f"an input breaks the loader; it is kept in {_KEPT}")
    inputs = re.search(r"stat::number_of_executed_units: *(\d+)", done.stderr)
    edges = re.findall(r"cov: (\d+)", done.stderr)
    assert inputs is not None, done.stderr[-2000:]
    assert edges, done.stderr[-2000:]
    return Fuzzed(inputs=int(inputs[1]), edges=int(edges[-1]), kept=len(list(corpus.iterdir())))


def replay(inputs: Path) -> Replayed:
    """Lint every file of a folder in a plain process."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.benchmarks.fuzz.replay", inputs],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit(f"an input breaks the loader without the fuzzer:\n{done.stderr[-4000:]}")
    told = json.loads(done.stdout)
    slowest = max(told["seconds"], key=told["seconds"].get)
    return Replayed(
        inputs=len(told["seconds"]),
        slowest=slowest,
        seconds=told["seconds"][slowest],
        grown_mib=told["grown_mib"],
    )


def main() -> None:
    """Fuzz, replay, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=600)
    parser.add_argument("--json", type=Path)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as made:
        corpus = Path(made) / "corpus"
        corpus.mkdir()
        for name, content in seeds():
            (corpus / name).write_bytes(content)
        fuzzed = fuzz(Path(made), corpus, seconds=chosen.seconds)
        for name, content in large():
            (corpus / f"large-{name}").write_bytes(content)
        replayed = replay(corpus)
        if not replayed.holds:
            (_KEPT / replayed.slowest).write_bytes((corpus / replayed.slowest).read_bytes())
    print(f"{fuzzed.inputs} inputs in {chosen.seconds} s, {fuzzed.edges} edges, {fuzzed.kept} kept")
    print(
        f"{replayed.inputs} replayed: the slowest, {replayed.slowest}, {replayed.seconds:.2f} s of"
        f" processor time; the process grew by {replayed.grown_mib:.0f} MiB"
    )
    if chosen.json:
        told = {"fuzzed": asdict(fuzzed), "replayed": asdict(replayed)}
        chosen.json.write_text(json.dumps(told, indent=1))
    if not replayed.holds:
        raise SystemExit(f"wanted: less than {_WITHIN_S:g} s and {_WITHIN_MIB} MiB; see {_KEPT}")


if __name__ == "__main__":
    main()
