"""What ./dev asks of the Docker Engine; the docker command line need not be installed.

engine.py version | has IMAGE | pull IMAGE | import IMAGE <TAR
"""
# ruff: noqa: INP001  # a script, not a package

import sys

import docker
from docker.errors import DockerException, ImageNotFound
from requests.exceptions import RequestException

# Without a registry an engine tries for minutes; a download shows a sign of life more often.
_SILENCE_S = 8
_IMPORT_S = 300


def _engine(timeout_s: int = _SILENCE_S) -> docker.DockerClient:
    return docker.DockerClient.from_env(timeout=timeout_s)


def _version() -> None:
    sys.stdout.write(_engine().version()["Version"] + "\n")


def _has(image: str) -> None:
    try:
        _engine().images.get(image)
    except ImageNotFound as error:
        raise SystemExit(1) from error


def _pull(image: str) -> None:
    repository, tag = image.split(":")
    for event in _engine().api.pull(repository, tag=tag, stream=True, decode=True):
        if "error" in event:
            sys.exit(event["error"])


def _import(image: str) -> None:
    repository, tag = image.split(":")
    answer = _engine(_IMPORT_S).api.import_image(
        sys.stdin.buffer, repository=repository, tag=tag, changes=['CMD ["bash"]'], stream_src=True
    )
    if '"error"' in answer:
        sys.exit(answer)


if __name__ == "__main__":
    try:
        {"version": _version, "has": _has, "pull": _pull, "import": _import}[sys.argv[1]](
            *sys.argv[2:]
        )
    except (DockerException, RequestException) as failure:
        sys.exit(str(failure))
