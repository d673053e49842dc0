"""Throw-away containers that stand on a network which teams share, as one of their public would."""

from collections.abc import Mapping, Sequence
from datetime import timedelta

from core.ids import ExerciseId
from orchestrator.engine.connection import EngineConnection
from orchestrator.engine.containers import remove_container, run_to_end
from orchestrator.engine.errors import needing_image
from orchestrator.engine.hardening import NOBODY, toolbox_options
from orchestrator.engine.labels import Labels
from orchestrator.engine.names import shared_network_name
from orchestrator.ports import RunResult

_SCRATCH = {"/tmp": "rw,noexec,nosuid,nodev,size=16m,mode=1777"}  # noqa: S108  # in the container


class Visitors:
    """Runs programs of a scenario among its teams."""

    def __init__(self, connection: EngineConnection, labels: Labels) -> None:
        self._connection = connection
        self._labels = labels

    def run(
        self,
        exercise: ExerciseId,
        network: str,
        command: Sequence[str],
        *,
        image: str,
        environment: Mapping[str, str],
        timeout: timedelta,
    ) -> RunResult:
        """Run a command; see the port."""
        container = self._create(exercise, network, command, image, environment)
        try:
            return run_to_end(self._connection, container, timeout, apart=True)
        finally:
            remove_container(self._connection, container)

    def _create(
        self,
        exercise: ExerciseId,
        network: str,
        command: Sequence[str],
        image: str,
        environment: Mapping[str, str],
    ) -> str:
        name = shared_network_name(self._labels.installation, exercise, network)
        options = toolbox_options(network=name, capabilities=())
        with self._connection.call() as api, needing_image(image):
            made = api.create_container(
                image,
                entrypoint=list(command),
                command=[],
                user=NOBODY,
                working_dir="/tmp",  # noqa: S108  # in the container
                environment=dict(environment),
                labels=self._labels.visitor(exercise),
                # As for hosts: no question about a name leaves the range.
                host_config=options | {"Tmpfs": _SCRATCH, "Init": True, "Dns": ["127.0.0.1"]},
                use_config_proxy=False,
            )
        return str(made["Id"])
