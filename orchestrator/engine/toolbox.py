"""The toolbox: our own small image, run in throw-away containers beside hosts or the engine."""

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from http import HTTPStatus

from docker import APIClient
from docker.errors import APIError, ImageNotFound

from core.waiting import until
from orchestrator.domain.world import ImageBuild
from orchestrator.engine.connection import EngineConnection
from orchestrator.engine.containers import inspect_container, remove_container, run_to_end
from orchestrator.engine.errors import is_status
from orchestrator.engine.hardening import NOBODY, toolbox_options
from orchestrator.engine.images import Images
from orchestrator.engine.labels import Labels
from orchestrator.engine.toolbox_name import toolbox_context, toolbox_reference
from orchestrator.ports import EngineRefusedError, RunResult

_GONE_WITHIN = timedelta(seconds=20)
_FIRST_LOOK = timedelta(milliseconds=10)
_ROOT = "0:0"

AS_NOBODY = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")
"""What comes before a command that began as root and needs no capability any more."""


class Toolbox:
    """Runs commands with the toolbox's programs in a network namespace of the engine's host."""

    def __init__(self, connection: EngineConnection, labels: Labels, images: Images) -> None:
        self._connection = connection
        self._images = images
        self._build = ImageBuild(
            reference=toolbox_reference(labels.installation),
            context=toolbox_context(),
            host="toolbox",
        )
        self._there = threading.Event()

    @property
    def reference(self) -> str:
        """The image's name; it carries the digest of its Dockerfile."""
        return self._build.reference

    def run(
        self,
        command: Sequence[str],
        *,
        network_mode: str,
        labels: Mapping[str, str],
        timeout: timedelta,
        capabilities: Sequence[str] = (),
    ) -> RunResult:
        """Run a command and return how it ended; 124 when it was not done in time.

        As nobody, or as root when it needs capabilities. Raises docker's NotFound, translated,
        when there is no such network namespace.
        """
        options = toolbox_options(network=network_mode, capabilities=capabilities)
        container = self._create(command, _ROOT if capabilities else NOBODY, labels, options)
        try:
            return run_to_end(self._connection, container, timeout)
        finally:
            remove_container(self._connection, container)

    @contextmanager
    def made(
        self, command: Sequence[str], *, network_mode: str, labels: Mapping[str, str]
    ) -> Iterator[str]:
        """Lend a container that is to run a command as nobody, with an open input; not started."""
        options = toolbox_options(network=network_mode, capabilities=())
        container = self._create(command, NOBODY, labels, options, takes_input=True)
        try:
            yield container
        finally:
            remove_container(self._connection, container)

    def have_image(self) -> str:
        """Have the image on the engine; return its name."""
        if not self._there.is_set():
            self._images.build(self._build)
            self._there.set()
        return self.reference

    def begin(
        self,
        command: Sequence[str],
        *,
        name: str,
        options: Mapping[str, object],
        labels: Mapping[str, str],
    ) -> None:
        """Let a command run on its own, as root, in a container with these options.

        One of that name that is there already is left alone.
        """
        try:
            container = self._create(command, _ROOT, labels, options, name=name)
        except EngineRefusedError as error:
            if _is_name_taken(error.__cause__):
                return  # another worker was faster
            raise
        with self._connection.call() as api:
            api.start(container)

    def end(self, name: str) -> None:
        """Remove what was begun under a name, and wait until it is gone; nothing is no error."""
        remove_container(self._connection, name)
        # The engine removes it by itself, too, and then refuses our removal half-way.
        until(
            lambda: inspect_container(self._connection, name) is None,
            what=f"{name} to be gone",
            within=_GONE_WITHIN,
            first=_FIRST_LOOK,
        )

    def is_there(self) -> bool:
        """Tell whether the image was ever built here: without it no rule of ours was set."""
        with self._connection.call() as api:
            return bool(api.images(name=self.reference))

    def forget(self) -> None:
        """Build again on the next run, because the image may be gone."""
        self._there.clear()

    def _create(
        self,
        command: Sequence[str],
        user: str,
        labels: Mapping[str, str],
        options: Mapping[str, object],
        *,
        name: str | None = None,
        takes_input: bool = False,
    ) -> str:
        self.have_image()
        with self._connection.call() as api:
            try:
                return self._created(api, command, user, labels, options, name, takes_input)
            except ImageNotFound:
                self.forget()  # another process removed it meanwhile
        self.have_image()
        with self._connection.call() as api:
            return self._created(api, command, user, labels, options, name, takes_input)

    def _created(
        self,
        api: APIClient,
        command: Sequence[str],
        user: str,
        labels: Mapping[str, str],
        options: Mapping[str, object],
        name: str | None,
        takes_input: bool,  # noqa: FBT001  # of `_create`
    ) -> str:
        made = api.create_container(
            self.reference,
            command=list(command),
            name=name,
            user=user,
            labels=dict(labels),
            host_config=dict(options),
            use_config_proxy=False,
            stdin_open=takes_input,
        )
        return str(made["Id"])


def _is_name_taken(error: BaseException | None) -> bool:
    return isinstance(error, APIError) and is_status(error, HTTPStatus.CONFLICT)
