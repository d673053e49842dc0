"""What is put into a host, for images that are not like Debian."""

import tarfile
from dataclasses import replace
from datetime import UTC, datetime

from orchestrator.domain.world import AccountPlan, FilePlan, HostPlan
from orchestrator.engine.accounts import Identities
from orchestrator.engine.files import Entry, entries, host_archive

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
THEN = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
PLAN = HostPlan(host="desk", image="any", attachments=())
ANN = AccountPlan(name="ann", password="x")


class Tree:
    """An image of the given files and the folders above them."""

    def __init__(self, **files: bytes) -> None:
        self._files = {f"/{name.replace('__', '/')}": content for name, content in files.items()}

    def exists(self, path: str) -> bool:
        return path == "/" or any(f"{name}/".startswith(f"{path}/") for name in self._files)

    def read(self, path: str) -> tuple[Entry, ...]:
        content = self._files.get(path)
        if content is None:
            return ()
        return (Entry(path=path, header=tarfile.TarInfo(path), content=content),)


def unpacked(plan: HostPlan, tree: Tree) -> dict[str, Entry]:
    archive = host_archive(plan, tree, now=NOW)
    assert archive is not None
    return {entry.path: entry for entry in entries(archive, at="/.")}


def test_a_plan_without_accounts_and_files_needs_no_archive() -> None:
    assert host_archive(PLAN, Tree(), now=NOW) is None


def test_an_empty_image_gets_its_first_account_and_the_plain_shell() -> None:
    found = unpacked(replace(PLAN, accounts=(ANN,)), Tree())
    assert found["/etc/passwd"].content == b"ann:x:1000:1000::/home/ann:/bin/sh\n"
    assert found["/etc/shadow"].header.mode == 0o640
    assert found["/etc"].header.isdir()
    assert found["/home"].header.mode == 0o755
    assert found["/home/ann"].header.mode == 0o700


def test_folders_that_the_image_has_are_left_as_they_are() -> None:
    plan = replace(PLAN, files=(FilePlan(path="/srv/a/b", content=b""),))
    assert list(unpacked(plan, Tree(srv__x=b""))) == ["/srv/a", "/srv/a/b"]


def test_files_without_a_time_are_as_old_as_the_host() -> None:
    plan = replace(PLAN, files=(FilePlan(path="/a", content=b""),))
    assert unpacked(plan, Tree())["/a"].header.mtime == NOW.timestamp()


def test_a_folder_has_its_owner_mode_and_time_where_there_is_none() -> None:
    folder = FilePlan(
        path="/srv/a/b", content=b"", folder=True, owner="7:8", mode=0o750, mtime=THEN
    )
    found = unpacked(replace(PLAN, files=(folder,)), Tree(srv__x=b""))
    made = found["/srv/a/b"].header
    assert made.isdir()
    assert (made.uid, made.gid, made.mode, made.mtime) == (7, 8, 0o750, THEN.timestamp())
    assert found["/srv/a"].header.uid == 0


def test_a_folder_that_the_image_or_an_account_has_is_left_as_it_is() -> None:
    folders = tuple(FilePlan(path=p, content=b"", folder=True) for p in ("/srv", "/home/ann"))
    found = unpacked(replace(PLAN, accounts=(ANN,), files=folders), Tree(srv__x=b""))
    assert "/srv" not in found
    assert (found["/home/ann"].header.uid, found["/home/ann"].header.mode) == (1000, 0o700)


def test_the_same_plan_gives_the_same_archive() -> None:
    plan = replace(PLAN, accounts=(ANN,), files=(FilePlan(path="/a", content=b"x"),))
    assert host_archive(plan, Tree(), now=NOW) == host_archive(plan, Tree(), now=NOW)


def test_new_accounts_take_ids_that_neither_users_nor_groups_have() -> None:
    identities = Identities(
        passwd=b"old:x:1000:1000::/:/bin/sh\n", group=b"old:x:1000:\nstaff:x:1001:\n", shadow=b""
    )
    home = identities.add(ANN, shell="/bin/sh")
    assert home is not None
    assert (home.uid, home.gid) == (1002, 1002)


def test_a_group_of_the_accounts_name_is_used() -> None:
    identities = Identities(passwd=b"", group=b"ann:x:77:\n", shadow=b"")
    home = identities.add(ANN, shell="/bin/sh")
    assert home is not None
    assert (home.uid, home.gid) == (1000, 77)
    assert identities.group() == b"ann:x:77:\n"


def test_an_account_of_the_image_without_a_planned_password_keeps_its_own() -> None:
    shadow = b"ann:$6$theirs:20000:0:99999:7:::\n"
    identities = Identities(
        passwd=b"ann:x:1500:1500::/home/ann:/bin/sh\n", group=b"", shadow=shadow
    )
    assert identities.add(AccountPlan(name="ann", sudo=True), shell="/bin/sh") is None
    assert identities.shadow() == shadow


def test_owners_are_names_or_numbers() -> None:
    identities = Identities(passwd=b"ann:x:1500:1600::/:/bin/sh\n", group=b"adm:x:4:\n", shadow=b"")
    assert identities.owner("ann") == (1500, 1600)
    assert identities.owner("ann:adm") == (1500, 4)
    assert identities.owner("7:8") == (7, 8)


def test_what_an_image_says_in_odd_letters_is_kept() -> None:
    odd = b"root:x:0:0:r\xff\xfet:/root:/bin/sh\n"
    identities = Identities(passwd=odd, group=b"", shadow=b"")
    assert identities.passwd() == odd
