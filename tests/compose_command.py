"""Which compose this machine has."""

import shutil
import subprocess


def compose_command() -> tuple[str, ...]:
    """Return `docker compose` where the plugin is installed, else `docker-compose`."""
    docker = shutil.which("docker")
    if docker and _succeeds(docker, "compose", "version"):
        return (docker, "compose")
    alone = shutil.which("docker-compose")
    if alone is None:
        raise FileNotFoundError("neither `docker compose` nor `docker-compose` is installed")
    return (alone,)


def _succeeds(*command: str) -> bool:
    return subprocess.run(command, capture_output=True, check=False, timeout=30).returncode == 0
