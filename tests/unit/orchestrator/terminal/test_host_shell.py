"""What a host may answer to whoever asks for its files, however it is meant."""

import asyncio
import errno
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from orchestrator.terminal.files.host_files import HostFiles
from orchestrator.terminal.files.shell import HostShell

Ask = Callable[[HostFiles], Coroutine[Any, Any, object]]


def state(files: HostFiles) -> Coroutine[Any, Any, object]:
    return files.state(b"file")


def block(files: HostFiles) -> Coroutine[Any, Any, object]:
    return files.block(b"file", 0)


def entries(files: HostFiles) -> Coroutine[Any, Any, object]:
    return files.entries(b"folder")


def answered(*pieces: bytes, ask: Ask = state) -> object:
    """Return what a question returns when the host answers with these pieces."""

    async def run() -> object:
        asked = asyncio.Event()
        shell = HostShell(lambda _request: asked.set())
        question = asyncio.ensure_future(ask(HostFiles(shell)))
        await asked.wait()
        for piece in pieces:
            shell.fed(piece)
        return await question

    return asyncio.run(run())


def number_of(*pieces: bytes, ask: Ask = state) -> str:
    with pytest.raises(OSError) as caught:  # noqa: PT011  # its number is what is tested
        answered(*pieces, ask=ask)
    return errno.errorcode[caught.value.errno or 0]


def test_an_answer_may_come_byte_by_byte() -> None:
    whole = b"81a4 12 1000 1000 5 6\n.\n"
    assert answered(*(whole[i : i + 1] for i in range(len(whole)))) == answered(whole)


@pytest.mark.parametrize("name", [b"ENOENT", b"EACCES", b"ENOSPC"])
def test_the_hosts_reason_is_the_error(name: bytes) -> None:
    assert number_of(b"!" + name + b"\n") == name.decode()


@pytest.mark.parametrize(
    "answer",
    [b"!what\n", b"!__class__\n", b"!errorcode\n", b"!\n", b"\n.\n", b"zz 1\n.\n", b"!\xff\xfe\n"],
)
def test_an_answer_out_of_order_is_an_error_of_the_host(answer: bytes) -> None:
    assert number_of(answer) == "EIO"


@pytest.mark.parametrize("answer", [b"A\n.\n", b"\n.\n", b"Zm9v\n.\n"])
def test_a_block_that_is_cut_off_is_no_end_of_a_file(answer: bytes) -> None:
    assert number_of(answer, ask=block) == "EIO"


def test_an_answer_without_end_is_refused_and_not_kept() -> None:
    pieces = [b"A" * 1024**2] * 12
    assert number_of(*pieces, b"\n.\n", ask=entries) == "EOVERFLOW"


def test_what_comes_unasked_is_dropped() -> None:
    async def run() -> None:
        shell = HostShell(lambda _request: None)
        shell.fed(b"x" * 100)
        assert not shell._answer
        shell.ended()
        with pytest.raises(ConnectionAbortedError):
            await shell.ask("stat", b"file")

    asyncio.run(run())


def test_a_path_cannot_end_its_request() -> None:
    sent: list[bytes] = []

    async def run() -> None:
        shell = HostShell(sent.append)
        asking = asyncio.ensure_future(shell.ask("remove", b"a b\nremove c\\d\xff"))
        await asyncio.sleep(0)
        shell.fed(b".\n")
        await asking

    asyncio.run(run())
    assert sent == [b"remove a\\0040b\\0012remove\\0040c\\0134d\\0377\n"]
