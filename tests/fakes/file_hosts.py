"""Hosts that differ in what they have for files: everything, coreutils only, BusyBox only."""

import io
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

import docker

from tests.fakes.broker_stage import DOCKER_HOST
from tests.fakes.gateway_stage import ACCOUNT, UID, Box, a_box

# The last stage has no bash, no coreutils, no sftp-server, no scp, no rsync: one program.
_DOCKERFILE = f"""
FROM debian:bookworm-slim AS full
RUN apt-get update \\
 && apt-get install -y --no-install-recommends \\
    openssh-server openssh-client rsync busybox-static \\
 && rm -rf /var/lib/apt/lists/*
RUN mkdir -p /made/bin /made/etc /made/tmp /made/home/{ACCOUNT} \\
 && cp /bin/busybox /made/bin/ && chmod 1777 /made/tmp \\
 && echo {ACCOUNT}:x:{UID}:{UID}::/home/{ACCOUNT}:/bin/sh >/made/etc/passwd \\
 && echo {ACCOUNT}:x:{UID}: >/made/etc/group \\
 && chown {UID}:{UID} /made/home/{ACCOUNT}
FROM scratch AS bare
COPY --from=full /made /
RUN ["/bin/busybox", "--install", "-s", "/bin"]
""".encode()


@dataclass(frozen=True, slots=True, kw_only=True)
class FileHosts:
    """`full` has sftp-server, scp, rsync and sshd; `plain` has coreutils; `bare` has BusyBox."""

    full: Box
    plain: Box
    bare: Box


@contextmanager
def file_hosts(installation: str) -> Iterator[FileHosts]:
    """Run one of each; they and their images are removed at the end."""
    with ExitStack() as held:
        full, bare = (held.enter_context(_an_image(installation, of)) for of in ("full", "bare"))
        yield FileHosts(
            full=held.enter_context(a_box(installation, "full", full)),
            plain=held.enter_context(a_box(installation, "plain")),
            bare=held.enter_context(a_box(installation, "bare", bare)),
        )


@contextmanager
def _an_image(installation: str, stage: str) -> Iterator[str]:
    client = docker.DockerClient(base_url=DOCKER_HOST)
    tag = f"gateway-{stage}:{installation}"
    try:
        client.images.build(
            fileobj=io.BytesIO(_DOCKERFILE), tag=tag, target=stage, rm=True, forcerm=True,
            labels={"cyberpoligon": installation},
        )  # fmt: skip
        yield tag
    finally:
        client.images.remove(tag, force=True)
        client.close()
