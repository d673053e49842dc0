"""Every generator by its name."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal

from core.scenario.generators import (
    beacon_capture,
    disk_image,
    dns_queries,
    file_tree,
    mailboxes,
    shell_history,
    ssh_bruteforce,
    web_access,
)
from core.scenario.generators.scene import AnyGenerator

GeneratorName = Literal[
    "ssh-bruteforce",
    "web-access",
    "beacon-capture",
    "mailbox",
    "dns-queries",
    "shell-history",
    "file-tree",
    "disk-image",
]
GENERATORS: Mapping[str, AnyGenerator] = MappingProxyType(
    {
        "ssh-bruteforce": ssh_bruteforce.GENERATOR,
        "web-access": web_access.GENERATOR,
        "beacon-capture": beacon_capture.GENERATOR,
        "mailbox": mailboxes.GENERATOR,
        "dns-queries": dns_queries.GENERATOR,
        "shell-history": shell_history.GENERATOR,
        "file-tree": file_tree.GENERATOR,
        "disk-image": disk_image.GENERATOR,
    }
)


def check_parameters(name: str | None, given: Mapping[str, object]) -> Mapping[str, object]:
    """Return parameters that are right as far as can be told before any team exists.

    Raises ValueError: pydantic's, whose places are below `given`, or for parameters of nothing.
    """
    if name is not None:
        GENERATORS[name].parameters.model_validate(dict(given))
    elif given:
        raise ValueError("with is for generate")
    return given


def fills_folder(name: str | None) -> bool:
    """Tell whether a generator makes a folder full of files instead of one file."""
    return name is not None and GENERATORS[name].fills_folder
