"""Files, in hosts that have programs for them and in hosts that do not."""

import os
from pathlib import Path

import asyncssh

from tests.fakes.ssh_clients import AsyncSsh, OpenSsh, SshClient
from tests.matrix.rows import Scene, feature

LARGE = 20 * 1024**2


@feature("sftp: put, list, get")
def _sftp(client: SshClient, scene: Scene) -> None:
    _there_and_back(client, scene, login="ana")


@feature("sftp, host without sftp-server")
def _sftp_plain(client: SshClient, scene: Scene) -> None:
    _there_and_back(client, scene, login="ana.plain")


@feature("sftp, host with BusyBox only")
def _sftp_bare(client: SshClient, scene: Scene) -> None:
    _there_and_back(client, scene, login="ana.bare")


@feature("20 MB by sftp and back")
def _sftp_large(client: SshClient, scene: Scene) -> None:
    _there_and_back(client, scene, login="ana", size=LARGE)


_NO_SCP = "it has no scp"
_NO_NEW_SCP = "its scp speaks the old protocol only"
_NO_RSYNC = "rsync starts a program of its own, such as ssh"


@feature("scp over SFTP (OpenSSH 9 and later)", Paramiko=_NO_SCP, asyncssh=_NO_NEW_SCP)
def _scp(client: SshClient, scene: Scene) -> None:
    for login in ("ana", "ana.plain"):
        _folder_by_scp(client, scene, login=login, options=["-s"])


@feature("scp -O, the old protocol", Paramiko=_NO_SCP)
def _old_scp(client: SshClient, scene: Scene) -> None:
    _folder_by_scp(client, scene, login="ana", options=["-O"])


@feature("scp -O, host without scp", Paramiko=_NO_SCP)
def _old_scp_plain(client: SshClient, scene: Scene) -> None:
    for login in ("ana.plain", "ana.bare"):
        _folder_by_scp(client, scene, login=login, options=["-O"])


@feature("rsync -e ssh, host with rsync", Paramiko=_NO_RSYNC, asyncssh=_NO_RSYNC)
def _rsync(client: SshClient, scene: Scene) -> None:
    assert isinstance(client, OpenSsh)
    tree = _a_tree(scene.folder / "tree")
    assert client.rsync(scene.stage, f"{tree}/", "ana@HOST:by-rsync").returncode == 0
    back = scene.folder / "back"
    assert client.rsync(scene.stage, "ana@HOST:by-rsync/", f"{back}").returncode == 0
    assert _content(back) == _content(tree)


def _there_and_back(client: SshClient, scene: Scene, *, login: str, size: int = 2_000_000) -> None:
    sent, back = scene.folder / "sent", scene.folder / "back"
    sent.write_bytes(os.urandom(size))
    name = f"by-{client.name}-{size}"
    client.put(scene.stage, sent, name, login=login)
    assert name in client.names(scene.stage, ".", login=login)
    client.get(scene.stage, name, back, login=login)
    assert back.read_bytes() == sent.read_bytes()


def _folder_by_scp(client: SshClient, scene: Scene, *, login: str, options: list[str]) -> None:
    tree = _a_tree(scene.folder / f"tree-{login}")
    back = scene.folder / f"back-{login}"
    there = f"by-{client.name}{options[0]}"
    if isinstance(client, AsyncSsh):

        async def copy(one: asyncssh.SSHClientConnection) -> None:
            await asyncssh.scp(tree, (one, there), recurse=True, preserve=True)
            await asyncssh.scp((one, there), back, recurse=True, preserve=True)

        client.on_connection(scene.stage, copy, login=login)
    else:
        assert isinstance(client, OpenSsh)
        client.scp(scene.stage, *options, "-rp", str(tree), f"{login}@HOST:{there}")
        client.scp(scene.stage, *options, "-rp", f"{login}@HOST:{there}", str(back))
    assert _content(back) == _content(tree)
    assert int((back / "script").stat().st_mtime) == 1_000_000_000


def _a_tree(folder: Path) -> Path:
    (folder / "deep" / "deeper").mkdir(parents=True)
    (folder / "deep" / "deeper" / "two words").write_bytes(os.urandom(70_000))
    (folder / "empty").touch()
    (folder / "script").write_text("#!/bin/sh\n")
    (folder / "script").chmod(0o755)
    os.utime(folder / "script", (1_000_000_000, 1_000_000_000))
    return folder


def _content(folder: Path) -> dict[str, tuple[int, bytes]]:
    """Return the files below a folder: path to permissions and bytes."""
    return {
        str(file.relative_to(folder)): (file.stat().st_mode, file.read_bytes())
        for file in folder.rglob("*")
        if file.is_file()
    }
