"""The loop that serves files, run on this machine under one of its shells."""

import asyncio
import os
import pwd
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from core.background import spawn
from orchestrator.terminal.commands import sftp_server
from orchestrator.terminal.files.host_files import HostFiles
from orchestrator.terminal.files.program import OWN_SFTP, first_line
from orchestrator.terminal.files.shell import HostShell

ME = pwd.getpwuid(os.getuid()).pw_name


def program() -> str:
    """Return the program as it runs in a host without an sftp-server."""
    return sftp_server()[2].replace(OWN_SFTP, "")


@asynccontextmanager
async def files_under(shell: str, home: Path) -> AsyncIterator[HostFiles]:
    """Serve this machine's files, relative ones below `home`."""
    script = program().replace('cd "$HOME"', f"cd '{home}'")
    process = await asyncio.create_subprocess_exec(
        shell, *(["sh"] if shell.endswith("busybox") else []), "-c", script, "sh", "", "", "",
        env={"USER": ME, "PATH": os.environ["PATH"]},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert process.stdin
    assert process.stdout
    said = first_line((await process.stdout.readline()).rstrip(b"\n"))
    assert said
    assert (said.is_hosts_own, said.start) == (False, str(home))
    served = HostShell(process.stdin.write)
    feeding = spawn(_feed(process.stdout, served))
    try:
        yield HostFiles(served)
    finally:
        process.stdin.close()
        await process.wait()
        await feeding


async def _feed(output: asyncio.StreamReader, shell: HostShell) -> None:
    while data := await output.read(65536):
        shell.fed(data)
    shell.ended()
