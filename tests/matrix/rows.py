"""Rows of the function matrix, and what they are shown on."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests.fakes.file_hosts import FileHosts
from tests.fakes.gateway_stage import Stage
from tests.fakes.ssh_clients import AsyncSsh, OpenSsh, Paramiko, SshClient

CLIENTS: tuple[SshClient, ...] = (OpenSsh(), Paramiko(), AsyncSsh())


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """What a feature is shown on."""

    stage: Stage
    hosts: FileHosts
    folder: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Feature:
    """A row of the matrix; `lacking` has a reason for each client that has no such feature."""

    title: str
    shown: Callable[[SshClient, Scene], None]
    lacking: Mapping[str, str] = field(default_factory=dict)


FEATURES: list[Feature] = []

_Shown = Callable[[SshClient, Scene], None]


def feature(title: str, **lacking: str) -> Callable[[_Shown], _Shown]:
    """Make a function a row of the matrix."""

    def listed(shown: _Shown) -> _Shown:
        FEATURES.append(Feature(title=title, shown=shown, lacking=lacking))
        return shown

    return listed
