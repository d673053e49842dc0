"""Files served by a loop in `sh`, under the shells of this machine."""

import asyncio
import errno
import os
import stat
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from orchestrator.terminal.files.host_files import HostFiles, OpenFile
from orchestrator.terminal.files.program import BLOCK
from tests.fakes.host_shell import files_under

SHELLS = [shell for shell in ("/bin/dash", "/bin/bash", "/bin/busybox") if Path(shell).exists()]
NASTY = [
    b"-rf", b"--help", b"a b", b"'", b'"', b"$(touch evil)", b"`touch evil`", b"*", b"?", b"[a]",
    b"\\", b"a\\0101", b"new\nline", b"81a4 1 0 0 0 0 x\n", b"tab\t", b"\x1b[2J", b"\x7f\x01",
    b"\xff\xfe", "é".encode(), b"%s%n", b"n" * 255, b" ", b".hidden", b"..two", b"end\n",
    b"!ENOENT", b"a.\n", b";x", b"&", b"~", b"#",
]  # fmt: skip
EVERY_BYTE = bytes(sorted(set(range(1, 256)) - {ord("/")}))


@pytest.fixture(params=SHELLS)
def shell(request: pytest.FixtureRequest) -> str:
    assert isinstance(request.param, str)
    return request.param


def here(folder: Path) -> list[bytes]:
    return sorted(os.fsencode(found.name) for found in folder.iterdir())


def in_a_host(shell: str, home: Path, act: Callable[[HostFiles], Awaitable[None]]) -> None:
    async def run() -> None:
        async with files_under(shell, home) as files:
            await act(files)

    asyncio.run(run())


def test_any_name_can_be_written_read_listed_and_removed(shell: str, tmp_path: Path) -> None:
    names = [*NASTY, EVERY_BYTE[:200], EVERY_BYTE[55:]]

    async def act(files: HostFiles) -> None:
        for name in names:
            await files.open(name, "wct", mode=0o640)
            await files.put(name, name, offset=0)
        assert here(tmp_path) == sorted(names)
        listed = await files.entries(b".")
        assert sorted(name for name, _ in listed) == sorted(names)
        assert {name: state.size for name, state in listed} == {n: len(n) for n in names}
        for name in names:
            assert await files.block(name, 0) == name
            assert stat.S_IMODE((await files.state(name)).mode) == 0o640
            await files.remove(name)
        assert await files.entries(b".") == []

    in_a_host(shell, tmp_path, act)


def test_bytes_pass_unharmed_in_sequence_and_at_random(shell: str, tmp_path: Path) -> None:
    sent = os.urandom(2 * BLOCK + 12345)

    async def act(files: HostFiles) -> None:
        await files.open(b"file", "wct", mode=None)
        file = OpenFile(files, b"file", appends=False)
        for start in range(0, len(sent), 32768):
            await file.write(start, sent[start : start + 32768])
        assert (await file.state()).size == len(sent)
        await file.write(7, b"seven")
        wanted = sent[:7] + b"seven" + sent[12:]
        assert await file.read(0, 20) == wanted[:20]
        assert await file.read(BLOCK - 3, 9) == wanted[BLOCK - 3 : BLOCK + 6]
        assert await file.read(len(sent) - 5, 100) == wanted[-5:]
        assert await file.read(len(sent), 100) == b""
        assert (tmp_path / "file").read_bytes() == wanted

    in_a_host(shell, tmp_path, act)


def test_appending_goes_to_the_end_whatever_the_offset(shell: str, tmp_path: Path) -> None:
    (tmp_path / "log").write_bytes(b"one\n")

    async def act(files: HostFiles) -> None:
        await files.open(b"log", "w", mode=None)
        file = OpenFile(files, b"log", appends=True)
        await file.write(0, b"two\n")
        await file.write(0, b"three\n")
        await file.flush()

    in_a_host(shell, tmp_path, act)
    assert (tmp_path / "log").read_bytes() == b"one\ntwo\nthree\n"


def test_what_a_path_is_can_be_asked_and_changed(shell: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"0123456789")

    async def act(files: HostFiles) -> None:
        assert await files.real(b".") == os.fsencode(tmp_path)
        await files.set_mode(b"file", 0o600)
        await files.set_size(b"file", 4)
        await files.set_times(b"file", 1000, 2000)
        state = await files.state(b"file")
        assert (stat.S_IMODE(state.mode), state.size) == (0o600, 4)
        assert (state.accessed, state.modified) == (1000, 2000)
        await files.link_to(b"-n dangling", b"link", symbolic=True)
        assert await files.link_target(b"link") == b"-n dangling"
        assert stat.S_ISLNK((await files.state(b"link", follow=False)).mode)
        await files.link_to(b"file", b"second", symbolic=False)
        assert (await files.state(b"second")).size == 4
        await files.make_directory(b"folder", 0o750)
        await files.move(b"second", b"folder/third", over=False)
        assert [name for name, _ in await files.entries(b"folder")] == [b"third"]
        await files.remove(b"folder/third")
        await files.remove_directory(b"folder")

    in_a_host(shell, tmp_path, act)
    assert here(tmp_path) == [b"file", b"link"]


Act = Callable[[HostFiles], Awaitable[object]]
REFUSED: list[tuple[Act, int]] = [
    (lambda files: files.state(b"none"), errno.ENOENT),
    (lambda files: files.state(b"file/below"), errno.ENOTDIR),
    (lambda files: files.open(b"none", "r", mode=None), errno.ENOENT),
    (lambda files: files.open(b"none/below", "wct", mode=None), errno.ENOENT),
    (lambda files: files.open(b"full", "wct", mode=None), errno.EISDIR),
    (lambda files: files.open(b"file", "wcx", mode=None), errno.EEXIST),
    (lambda files: files.put(b"none/below", b"x", offset=0), errno.ENOENT),
    (lambda files: files.put(b"/dev/full", b"x", offset=0), errno.ENOSPC),
    (lambda files: files.block(b"none", 0), errno.EIO),
    (lambda files: files.set_times(b"none", 1, 1), errno.ENOENT),
    (lambda files: files.set_size(b"none", 1), errno.ENOENT),
    (lambda files: files.set_mode(b"none", 0o600), errno.ENOENT),
    (lambda files: files.entries(b"file"), errno.ENOTDIR),
    (lambda files: files.entries(b"none"), errno.ENOENT),
    (lambda files: files.make_directory(b"full", 0o755), errno.EEXIST),
    (lambda files: files.remove_directory(b"full"), errno.ENOTEMPTY),
    (lambda files: files.remove(b"full"), errno.EISDIR),
    (lambda files: files.move(b"file", b"full/in", over=False), errno.EEXIST),
    (lambda files: files.move(b"file", b"full", over=True), errno.EISDIR),
    (lambda files: files.link_to(b"x", b"file", symbolic=True), errno.EEXIST),
    (lambda files: files.link_target(b"file"), errno.EINVAL),
    (lambda files: files.real(b"none/below"), errno.ENOENT),
    (lambda files: files.state(b"n" * 256), errno.ENAMETOOLONG),
    (lambda files: files.state(b"n/" * 2049), errno.ENAMETOOLONG),
    (lambda files: files.state(b"a\0b"), errno.EINVAL),
    (lambda files: files.state(b"loop"), errno.ELOOP),
]


def test_the_hosts_reason_comes_back_and_the_loop_goes_on(shell: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "in").write_bytes(b"")
    (tmp_path / "loop").symlink_to("loop")

    async def act(files: HostFiles) -> None:
        got = []
        for asked, _ in REFUSED:
            with pytest.raises(OSError) as caught:  # noqa: PT011  # the number is compared below
                await asked(files)
            got.append(errno.errorcode[caught.value.errno or 0])
        assert got == [errno.errorcode[wanted] for _, wanted in REFUSED], got
        assert (await files.state(b"file")).size == 0

    in_a_host(shell, tmp_path, act)


def test_a_folder_of_a_thousand_files_is_listed_whole(shell: str, tmp_path: Path) -> None:
    for number in range(1000):
        (tmp_path / f"{number:04}").touch()

    async def act(files: HostFiles) -> None:
        assert len(await files.entries(b".")) == 1000

    in_a_host(shell, tmp_path, act)


def test_a_host_that_goes_fails_who_waits_and_who_asks_later(shell: str, tmp_path: Path) -> None:
    async def act(files: HostFiles) -> None:
        fifo = tmp_path / "fifo"
        os.mkfifo(fifo)
        waiting = asyncio.ensure_future(files.open(b"fifo", "r", mode=None))
        await asyncio.sleep(0)
        files._shell.ended()
        with pytest.raises(ConnectionAbortedError):
            await waiting
        with pytest.raises(ConnectionAbortedError):
            await files.state(b".")
        os.close(os.open(fifo, os.O_WRONLY))

    in_a_host(shell, tmp_path, act)
