"""Commands in a throw-away container of an image, and folders that are put into containers."""

import io
import tarfile
from collections.abc import Sequence
from datetime import timedelta
from http import HTTPStatus
from pathlib import PurePosixPath

from docker.errors import APIError, NotFound

from core.scenario.folder import Entry
from orchestrator.engine.connection import EngineConnection
from orchestrator.engine.containers import remove_container, run_to_end
from orchestrator.engine.errors import is_status, needing_image
from orchestrator.engine.hardening import CAPABILITIES, toolbox_options
from orchestrator.engine.labels import Labels
from orchestrator.engine.toolbox import Toolbox
from orchestrator.ports import HostGoneError, RunResult


class Apart:
    """Runs commands apart from every world."""

    def __init__(self, connection: EngineConnection, labels: Labels, toolbox: Toolbox) -> None:
        self._connection = connection
        self._labels = labels
        self._toolbox = toolbox

    def run(
        self,
        command: Sequence[str],
        *,
        image: str,
        folder: str,
        files: Sequence[Entry],
        timeout: timedelta,
    ) -> RunResult:
        """Run a command; see the port."""
        container = self._create(command, image or self._toolbox.have_image())
        try:
            if files:
                self.put_folder(container, folder, files)
            return run_to_end(self._connection, container, timeout)
        finally:
            remove_container(self._connection, container)

    def put_folder(self, container: str, path: str, files: Sequence[Entry]) -> None:
        """Have a folder with these files stand in a container; see the port."""
        place = PurePosixPath(path)
        with self._connection.call() as api:
            try:
                api.put_archive(container, str(place.parent), folder_archive(place.name, files))
            except APIError as error:
                if isinstance(error, NotFound) or is_status(error, HTTPStatus.CONFLICT):
                    raise HostGoneError(f"{container} does not run") from error
                raise

    def _create(self, command: Sequence[str], image: str) -> str:
        options = toolbox_options(network="none", capabilities=CAPABILITIES)
        with self._connection.call() as api, needing_image(image):
            made = api.create_container(
                image,
                entrypoint=list(command),
                command=[],
                user="0:0",
                working_dir="/",
                labels=self._labels.helper(),
                host_config=options | {"ReadonlyRootfs": False, "Init": True},
                use_config_proxy=False,
            )
        return str(made["Id"])


def folder_archive(name: str, files: Sequence[Entry]) -> bytes:
    """Return a tar of a folder and those below it: root's, readable by all."""
    buffer = io.BytesIO()
    folders = {
        str(parent)
        for entry in files
        for parent in PurePosixPath(name, entry.path).parents
        if parent != PurePosixPath()
    }
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for folder in sorted(folders):
            header = tarfile.TarInfo(folder)
            header.type, header.mode = tarfile.DIRTYPE, 0o755
            tar.addfile(header)
        for entry in files:
            header = tarfile.TarInfo(str(PurePosixPath(name, entry.path)))
            header.size = len(entry.content)
            header.mode = 0o755 if entry.executable else 0o644
            tar.addfile(header, io.BytesIO(entry.content))
    return buffer.getvalue()
