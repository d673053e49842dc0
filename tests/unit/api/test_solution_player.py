"""What surrounds a solution on its host: it measures the files that are submitted."""

import subprocess
from pathlib import Path

from api.rehearsal.lines import Answer, Line, Reply, Submission, Unusable, lines_in
from api.rehearsal.solution import PLAY


def played(folder: Path, script: str) -> tuple[int, list[Line]]:
    """Play a script as a rehearsal does, with this machine's shell."""
    (folder / "play.sh").write_text(script)
    ran = subprocess.run(
        ["sh", "-c", PLAY, "sh", str(folder), "play.sh"],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert ran.stderr == ""
    return ran.returncode, list(lines_in(ran.stdout))


def test_files_are_measured_where_they_stand_and_lines_keep_their_order(tmp_path: Path) -> None:
    (tmp_path / "a b.pdf").write_bytes(b"x" * 70)
    made = tmp_path / "elsewhere" / "made.odt"
    made.parent.mkdir()
    code, lines = played(
        tmp_path,
        "\n".join(
            [
                r"printf 'answer\twho\ta\\b\n'",
                r"printf 'submit\treport\ta b.pdf\n'",
                f"printf 12345 >'{made}'",
                rf"printf 'submit\tnote\t{made}\n'",
                r"printf 'submit\tnote\tnone.pdf\nsubmit\tnote\t.\nsubmit note\n'",
                r"printf 'reply\tpress\tWell.'",
            ]
        ),
    )
    assert code == 0
    assert lines[:-2] == [
        Answer(task="who", value=r"a\b"),
        Submission(task="report", file="a b.pdf", size=70, content=b"x" * 70),
        Submission(task="note", file=str(made), size=5, content=b"12345"),
        Submission(task="note", file="none.pdf", size=None),
        Submission(task="note", file=".", size=None),
    ]
    assert isinstance(lines[-2], Unusable)
    assert lines[-1] == Reply(inject="press", text="Well.")


def test_what_a_script_says_of_the_size_is_part_of_the_name(tmp_path: Path) -> None:
    (tmp_path / "r.pdf").write_bytes(b"x")
    _, lines = played(tmp_path, r"printf 'submit\treport\tr.pdf\t99\n'")
    assert lines == [Submission(task="report", file="r.pdf\t99", size=None)]


def test_of_a_large_file_only_the_size_is_told(tmp_path: Path) -> None:
    (tmp_path / "r.pdf").write_bytes(bytes(8193))
    (tmp_path / "s.pdf").write_bytes(bytes(8192))
    _, (large, small) = played(tmp_path, r"printf 'submit\treport\tr.pdf\nsubmit\treport\ts.pdf\n'")
    assert large == Submission(task="report", file="r.pdf", size=8193)
    assert small == Submission(task="report", file="s.pdf", size=8192, content=bytes(8192))


def test_a_script_that_fails_says_so_after_its_lines(tmp_path: Path) -> None:
    (tmp_path / "play.sh").write_text("printf 'answer\\twho\\tx'; echo no way >&2; exit 3\n")
    ran = subprocess.run(
        ["sh", "-c", PLAY, "sh", str(tmp_path), "play.sh"],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (ran.returncode, ran.stdout) == (3, "answer\twho\tx\nfailed\tno way \n")
