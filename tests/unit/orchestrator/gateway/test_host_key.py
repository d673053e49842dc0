"""The gateway's own key."""

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from orchestrator.gateway.host_key import HostKeyUnusableError, load_or_create


def test_a_key_is_made_once_and_only_its_owner_may_read_it(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "host_key"
    made = load_or_create(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert made.get_algorithm() == "ssh-ed25519"
    assert load_or_create(path).get_fingerprint() == made.get_fingerprint()
    assert list(path.parent.iterdir()) == [path]


def test_gateways_that_start_together_agree_on_one_key(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        keys = list(pool.map(load_or_create, [tmp_path / "host_key"] * 16))
    assert len({key.get_fingerprint() for key in keys}) == 1


def test_a_key_that_others_can_read_is_refused(tmp_path: Path) -> None:
    load_or_create(tmp_path / "host_key")
    (tmp_path / "host_key").chmod(0o644)
    with pytest.raises(HostKeyUnusableError, match="can be read by others"):
        load_or_create(tmp_path / "host_key")


def test_a_file_that_is_no_key_is_refused_and_kept(tmp_path: Path) -> None:
    path = tmp_path / "host_key"
    path.write_text("no key")
    path.chmod(0o600)
    with pytest.raises(HostKeyUnusableError, match="is not a private key"):
        load_or_create(path)
    assert path.read_text() == "no key"


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(HostKeyUnusableError, match="cannot be used"):
        load_or_create(tmp_path / "file" / "host_key")
