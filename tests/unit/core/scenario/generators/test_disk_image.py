import pytest

from core.scenario.generators.scene import GenerationFailedError
from tests.unit.core.scenario.generators.making import AT, make_one

GONE = {"name": "transfer list.csv", "text": "HB{gone}"}


def test_what_was_deleted_is_still_there_and_not_in_use() -> None:
    image = make_one("disk-image", deleted=(GONE,), noise="none").content
    assert len(image) == 4 << 20
    assert image[510:512] == b"\x55\xaa"
    assert image.count(b"HB{gone}") == 1
    assert image[512 : 512 + 6] == b"\xf8\xff\xff\xff\x00\x00"  # nothing follows the first two
    assert image[512 : 33 * 512] == image[33 * 512 : 65 * 512]
    root = image[65 * 512 : 97 * 512]
    assert root[:11] == b"STICK      "
    assert {root[n] for n in range(32, 32 * 4, 32)} == {0xE5}


def test_it_is_dated_by_the_last_thing_that_happened() -> None:
    assert make_one("disk-image").mtime == AT


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"deleted": (GONE, GONE)}, "the same name"),
        ({"files": ({"name": "Transfer List.csv"},), "deleted": (GONE,)}, "the same name"),
        ({"deleted": ({"name": "a/b"},)}, "not a name that a disk takes"),
        ({"deleted": ({"name": "a" * 61},)}, "not a name that a disk takes"),
        ({"deleted": ({"name": "lost+found"},)}, "not a name that a disk takes"),
        ({"filesystem": "ext2", "at": "2038-01-19T03:14:08Z"}, "ext2 has no times after"),
        ({"files": ({"name": "a", "at": "1979-01-01T00:00:00Z"},)}, "the years 1981 to 2100"),
    ],
)
def test_what_no_such_disk_can_hold_is_refused(given: dict[str, object], told: str) -> None:
    with pytest.raises(GenerationFailedError, match=told):
        make_one("disk-image", **given)


@pytest.mark.parametrize("filesystem", ["fat", "ext2"])
def test_the_most_that_the_parameters_allow_fits(filesystem: str) -> None:
    text = "x" * 100_000
    files, deleted = (
        tuple({"name": f"{letter * 58}{n}", "text": text} for n in range(20)) for letter in "fd"
    )
    given = {"filesystem": filesystem, "files": files, "deleted": deleted, "noise": "high"}
    assert make_one("disk-image", **given).content


@pytest.mark.parametrize("filesystem", ["fat", "ext2"])
def test_more_than_a_disk_holds_is_refused(filesystem: str) -> None:
    text = "\N{EURO SIGN}" * 100_000
    given = tuple({"name": str(n), "text": text} for n in range(20))
    with pytest.raises(GenerationFailedError, match="larger than the disk"):
        make_one("disk-image", filesystem=filesystem, deleted=given)
