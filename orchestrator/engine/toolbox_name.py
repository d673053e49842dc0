"""What the toolbox's image is called, and what it is made from."""

import hashlib
from pathlib import Path


def toolbox_reference(installation: str) -> str:
    """Return the image's name in an installation; it carries the digest of its Dockerfile."""
    digest = hashlib.sha256((toolbox_context() / "Dockerfile").read_bytes()).hexdigest()[:12]
    return f"cyberpoligon-{installation}/toolbox:{digest}"


def toolbox_context() -> Path:
    """Return the folder of the toolbox's Dockerfile: in a wheel beside us, else in the checkout."""
    here = Path(__file__).parent
    packed = here / "toolbox_image"
    return packed if packed.is_dir() else here.parents[1] / "deploy" / "toolbox"
