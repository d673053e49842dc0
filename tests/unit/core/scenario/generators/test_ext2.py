"""The image as ext2's description has it, read back by a reader of its own."""

import struct
from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest

from core.scenario.generators.disk_files import DiskFile
from core.scenario.generators.ext2 import disk
from tests.unit.core.scenario.generators.making import AT, make_one

BLOCK = 1024
GONE_AT = AT + timedelta(minutes=5)
LONG = b"".join(b"%07d\n" % n for n in range(40_000))  # needs pointers to pointers


class Image:
    """Reads an image."""

    def __init__(self, image: bytes) -> None:
        self.image = image
        self.inodes, self.blocks, _, self.free_blocks, self.free_inodes = struct.unpack_from(
            "<5I", image, BLOCK
        )
        self.block_map, self.inode_map, self.table = struct.unpack_from("<3I", image, 2 * BLOCK)

    def block(self, number: int) -> bytes:
        return self.image[number * BLOCK : (number + 1) * BLOCK]

    def field(self, inode: int, form: str, offset: int) -> int:
        start = self.table * BLOCK + (inode - 1) * 128
        (value,) = struct.unpack_from(form, self.image, start + offset)
        return int(value)

    def where(self, inode: int) -> list[int]:
        """Return the blocks of an inode's content, in order."""
        pointers = [self.field(inode, "<I", 40 + 4 * n) for n in range(15)]
        found = pointers[:12] + self._below(pointers[12], 1) + self._below(pointers[13], 2)
        return [block for block in found if block]

    def _below(self, block: int, depth: int) -> list[int]:
        if not block:
            return []
        pointers = struct.unpack("<256I", self.block(block))
        return [
            leaf for p in pointers for leaf in (self._below(p, depth - 1) if depth > 1 else [p])
        ]

    def content(self, inode: int) -> bytes:
        size = self.field(inode, "<I", 4)
        return b"".join(map(self.block, self.where(inode)))[:size]

    def names(self) -> dict[str, int]:
        """Return what a listing of the root shows."""
        return {name: inode for inode, name, _ in self._entries() if inode}

    def slack(self) -> dict[str, int]:
        """Return what stands between the entries of the root."""
        return {
            name: inode for _, _, rest in self._entries() for inode, name, _ in _walk(rest) if name
        }

    def _entries(self) -> Iterator[tuple[int, str, bytes]]:
        for block in self.where(2):
            yield from _walk(self.block(block))

    def marked(self, bitmap: int, number: int) -> bool:
        return bool(self.block(bitmap)[number // 8] >> number % 8 & 1)


def _walk(block: bytes) -> Iterator[tuple[int, str, bytes]]:
    """Yield inode, name and what lies between the name and the next entry."""
    at = 0
    while at + 8 <= len(block):
        inode, length, size = struct.unpack_from("<IHB", block, at)
        if length == 0:
            return
        assert length % 4 == 0
        end = at + 8 + -(-size // 4) * 4
        yield inode, block[at + 8 : at + 8 + size].decode(), block[end : at + length]
        at += length


def a_file(name: str, content: bytes, *, deleted: bool = False, at: datetime = AT) -> DiskFile:
    return DiskFile(name=name, content=content, at=at, deleted=deleted)


def made(*files: DiskFile) -> Image:
    day = AT - timedelta(days=3)
    return Image(disk(list(files), label="BOX", number=77, at=day, deleted_at=GONE_AT))


def test_it_says_what_it_is() -> None:
    image = made()
    assert len(image.image) == image.blocks * BLOCK == 4 << 20
    assert struct.unpack_from("<H", image.image, BLOCK + 56) == (0xEF53,)
    assert image.image[BLOCK + 120 :].startswith(b"BOX\0")


@pytest.mark.parametrize("content", [b"", b"short", b"x" * BLOCK * 12, b"y" * 13_000, LONG])
def test_a_file_is_read_back_whole(content: bytes) -> None:
    image = made(a_file("first", b"1"), a_file("à jour.txt", content))
    inode = image.names()["à jour.txt"]
    assert image.content(inode) == content
    assert image.field(inode, "<H", 26) == 1
    assert image.field(inode, "<I", 20) == 0
    assert image.marked(image.inode_map, inode - 1)
    assert all(image.marked(image.block_map, block - 1) for block in image.where(inode))


@pytest.mark.parametrize("content", [b"short", LONG])
def test_what_was_deleted_is_free_and_still_there(content: bytes) -> None:
    image = made(a_file("kept", b"1"), a_file("gone", content, deleted=True), a_file("last", b"2"))
    assert set(image.names()) == {".", "..", "lost+found", "kept", "last"}
    inode = image.slack()["gone"]
    assert image.content(inode) == content
    assert image.field(inode, "<H", 26) == 0
    assert image.field(inode, "<I", 20) == int(GONE_AT.timestamp())
    assert image.field(inode, "<I", 16) == int(AT.timestamp())
    assert not image.marked(image.inode_map, inode - 1)
    assert not any(image.marked(image.block_map, block - 1) for block in image.where(inode))


def test_what_is_free_is_counted() -> None:
    image = made(a_file("kept", LONG), a_file("gone", LONG, deleted=True))
    blocks = sum(not image.marked(image.block_map, n) for n in range(BLOCK * 8))
    inodes = sum(not image.marked(image.inode_map, n) for n in range(BLOCK * 8))
    assert (image.free_blocks, image.free_inodes) == (blocks, inodes)
    assert struct.unpack_from("<2H", image.image, 2 * BLOCK + 12) == (blocks, inodes)


def test_a_deleted_name_keeps_its_inode_in_folders_of_many_blocks() -> None:
    names = [f"{n:02}{'x' * 57}" for n in range(40)]
    files = [a_file(name, name.encode(), deleted=n % 2 == 0) for n, name in enumerate(names)]
    image = made(*files)
    assert set(image.names()) - {".", "..", "lost+found"} == set(names[1::2])
    found = image.slack()
    for name in names[::2]:
        assert image.content(found[name]) == name.encode()


def test_where_all_was_deleted_the_blocks_of_a_folder_begin_with_an_unused_entry() -> None:
    names = [f"{n:02}{'x' * 57}" for n in range(20)]
    image = made(*(a_file(name, name.encode(), deleted=True) for name in names))
    assert set(image.names()) == {".", "..", "lost+found"}
    found = image.slack()
    assert [image.content(found[name]) for name in found] == [name.encode() for name in found]
    assert len(found) == 19


def test_the_generator_makes_it_when_asked() -> None:
    gone = {"name": "keys.txt", "text": "HB{gone}"}
    image = Image(make_one("disk-image", deleted=(gone,), filesystem="ext2").content)
    assert image.content(image.slack()["keys.txt"]) == b"HB{gone}"
    assert "keys.txt" not in image.names()
