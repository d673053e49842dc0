"""What a trainee pastes."""

from pathlib import Path

import pytest

from api.access import gateway_key, public_key_file, ssh_command
from core.settings import Settings

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIPdVJf0mWx+8GyNYMDcpRGvJxnqb0FJHmGMhfWJtKtCW"


def settings(home: Path, port: int) -> Settings:
    return Settings(home=home, ssh_port=port, public_host="range.test")


@pytest.mark.parametrize(
    ("port", "command", "place"),
    [
        (2222, "ssh -p 2222 ana@range.test", "[range.test]:2222"),
        (22, "ssh ana@range.test", "range.test"),
    ],
)
def test_the_lines_name_the_port_when_it_is_not_the_usual_one(
    tmp_path: Path, port: int, command: str, place: str
) -> None:
    site = settings(tmp_path, port)
    public_key_file(site).write_text(f"{KEY} cyberpoligon\n")
    key = gateway_key(site)
    assert ssh_command(site, "ana") == command
    assert key is not None
    assert key.known_hosts == f"{place} {KEY}"
    # What `ssh-keygen -lf` prints for this key.
    assert key.fingerprint.startswith("SHA256:")
    assert len(key.fingerprint) == 50


@pytest.mark.parametrize("text", ["", "ssh-ed25519", "ssh-ed25519 !!!"])
def test_before_the_gateways_first_start_there_is_no_key(tmp_path: Path, text: str) -> None:
    site = settings(tmp_path, 2222)
    assert gateway_key(site) is None
    public_key_file(site).write_text(text)
    assert gateway_key(site) is None
