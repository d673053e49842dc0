"""A small ext2 file system, as a Linux server has it, in a single block group of 1 KiB blocks.

Deleting frees the inode and its blocks and leaves what they hold: the inode has a time of deletion
and still says where the content is; the name stays in the slack of the entry before it.
"""

import struct
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from core.scenario.generators.disk_files import DiskFile, DiskFullError

_BLOCK = 1024
_BLOCKS = 4096
_INODES = 128
_INODE = 128
_FIRST_BLOCK = 1  # with blocks of 1 KiB the first group begins behind the boot block
_SUPER, _GROUPS, _BLOCK_MAP, _INODE_MAP, _TABLE = 1, 2, 3, 4, 5
_DATA = _TABLE + _INODES * _INODE // _BLOCK
_ROOT, _LOST_FOUND = 2, 11
_FOLDER_MODE, _FILE_MODE = 0o040755, 0o100644
_FOLDER_TYPE, _FILE_TYPE = 2, 1
_DIRECT = 12
_POINTERS = _BLOCK // 4
_HEAD_OF_ENTRY = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class _Entry:
    inode: int
    name: bytes
    kind: int = _FILE_TYPE
    deleted: bool = False

    @property
    def size(self) -> int:
        return _HEAD_OF_ENTRY + -(-len(self.name) // 4) * 4

    def packed(self, length: int) -> bytes:
        head = struct.pack("<IHBB", self.inode, length, len(self.name), self.kind)
        return (head + self.name).ljust(self.size, b"\0")


class _Disk:
    """Blocks and inodes, given out one after another."""

    def __init__(self) -> None:
        self.image = bytearray(_BLOCKS * _BLOCK)
        self.used = set(range(_FIRST_BLOCK, _DATA))
        self._next = _DATA

    def write(self, block: int, content: bytes) -> None:
        self.image[block * _BLOCK : block * _BLOCK + len(content)] = content

    def take(self) -> int:
        if self._next == _BLOCKS:
            raise DiskFullError("the files are larger than the disk")
        self._next += 1
        return self._next - 1

    def inode(
        self,
        number: int,
        content: bytes,
        *,
        mode: int,
        links: int,
        at: datetime,
        deleted_at: datetime | None = None,
    ) -> None:
        """Write an inode and what it holds; `deleted_at` leaves its blocks free."""
        before = self._next
        pointers = self._tree([*self._content(content)])
        blocks = range(before, self._next)
        if deleted_at is None:
            self.used.update(blocks)
        written, changed = int(at.timestamp()), int((deleted_at or at).timestamp())
        packed = struct.pack(
            "<HHIIIIIHHIII15I",
            mode,
            0,
            len(content),
            written,
            changed,
            written,
            changed if deleted_at else 0,
            0,
            links,
            len(blocks) * _BLOCK // 512,
            0,
            0,
            *pointers,
        )
        start = _TABLE * _BLOCK + (number - 1) * _INODE
        self.image[start : start + len(packed)] = packed

    def _content(self, content: bytes) -> Iterator[int]:
        for start in range(0, len(content), _BLOCK):
            block = self.take()
            self.write(block, content[start : start + _BLOCK])
            yield block

    def _tree(self, blocks: list[int]) -> list[int]:
        """Return an inode's pointers: twelve blocks, a block of pointers, a block of such."""
        once, rest = blocks[_DIRECT : _DIRECT + _POINTERS], blocks[_DIRECT + _POINTERS :]
        pointers = blocks[:_DIRECT] + [0] * (_DIRECT - len(blocks[:_DIRECT]))
        pointers.append(self._pointing(once) if once else 0)
        twice = [
            self._pointing(rest[start : start + _POINTERS])
            for start in range(0, len(rest), _POINTERS)
        ]
        return [*pointers, self._pointing(twice) if twice else 0, 0]

    def _pointing(self, blocks: list[int]) -> int:
        block = self.take()
        self.write(block, struct.pack(f"<{len(blocks)}I", *blocks))
        return block


def disk(
    files: list[DiskFile], *, label: str, number: int, at: datetime, deleted_at: datetime
) -> bytes:
    """Return the image, 4 MiB: made `at`, files one behind another, `number` is in its UUID.

    Raises DiskFullError.
    """
    if len(files) > _INODES - _LOST_FOUND:
        raise DiskFullError("there are more files than inodes")
    drive = _Disk()
    numbered = list(enumerate(files, start=_LOST_FOUND + 1))
    lost_found = _folder([*_links(_LOST_FOUND)], [], [])
    drive.inode(_LOST_FOUND, lost_found, mode=_FOLDER_MODE, links=2, at=at)
    root = [*_links(_ROOT), _Entry(inode=_LOST_FOUND, name=b"lost+found", kind=_FOLDER_TYPE)]
    entries = [_Entry(inode=n, name=f.name.encode(), deleted=f.deleted) for n, f in numbered]
    kept = [entry for entry in entries if not entry.deleted]
    gone = [entry for entry in entries if entry.deleted]
    drive.inode(_ROOT, _folder(root, kept, gone), mode=_FOLDER_MODE, links=3, at=deleted_at)
    for inode, file in numbered:
        drive.inode(
            inode,
            file.content,
            mode=_FILE_MODE,
            links=0 if file.deleted else 1,
            at=file.at,
            deleted_at=deleted_at if file.deleted else None,
        )
    inodes = {*range(1, _LOST_FOUND + 1), *(entry.inode for entry in kept)}
    free = _BLOCKS - _FIRST_BLOCK - len(drive.used), _INODES - len(inodes)
    drive.write(_SUPER, _superblock(free, label, number, made=at, written=deleted_at))
    group = (_BLOCK_MAP, _INODE_MAP, _TABLE, *free, 2)  # two folders
    drive.write(_GROUPS, struct.pack("<IIIHHH", *group))
    drive.write(_BLOCK_MAP, _bitmap({n - _FIRST_BLOCK for n in drive.used}, _BLOCKS - _FIRST_BLOCK))
    drive.write(_INODE_MAP, _bitmap({n - 1 for n in inodes}, _INODES))
    return bytes(drive.image)


def _links(folder: int) -> Iterator[_Entry]:
    """Yield a folder's entries of itself and of the one that it is in, the root."""
    for inode, name in ((folder, b"."), (_ROOT, b"..")):
        yield _Entry(inode=inode, name=name, kind=_FOLDER_TYPE)


def _folder(head: list[_Entry], kept: list[_Entry], gone: list[_Entry]) -> bytes:
    """Return a folder's blocks; what is gone comes early, and first in a block only at the end."""
    left, deleted = deque(kept), deque(gone)
    blocks = [head]
    room = _BLOCK - sum(entry.size for entry in head)
    while left or deleted:
        source = deleted if deleted and (blocks[-1] or not left) else left
        if source[0].size > room:
            blocks.append([])
            room = _BLOCK
            continue
        entry = source.popleft()
        blocks[-1].append(entry)
        room -= entry.size
    return b"".join(map(_folder_block, blocks))


def _folder_block(entries: list[_Entry]) -> bytes:
    """Return a block in which each entry reaches to the next one that was not deleted."""
    block = bytearray(_BLOCK)
    at = sum(entry.size for entry in entries)
    next_entry = next_kept = _BLOCK
    for entry in reversed(entries):
        at -= entry.size
        written, reach = entry, next_entry if entry.deleted else next_kept
        if entry.deleted and at == 0:  # nothing before it could reach over it
            written, reach = replace(entry, inode=0), next_kept
        block[at : at + entry.size] = written.packed(reach - at)
        next_entry = at
        if not entry.deleted:
            next_kept = at
    return bytes(block)


def _bitmap(used: set[int], count: int) -> bytes:
    """Return a block of bits; those beyond `count` stand for nothing, and are set."""
    bits = bytearray(_BLOCK)
    for n in (*used, *range(count, _BLOCK * 8)):
        bits[n // 8] |= 1 << n % 8
    return bytes(bits)


def _superblock(
    free: tuple[int, int], label: str, number: int, *, made: datetime, written: datetime
) -> bytes:
    uuid = struct.pack(">IHHQ", number, number & 0xFFFF, 0x4000, (1 << 63) | number)
    changed, created = int(written.timestamp()), int(made.timestamp())
    counts = struct.pack(
        "<13I", _INODES, _BLOCKS, 0, *free, 1, 0, 0, *(8 * _BLOCK,) * 2, _INODES, changed, changed
    )
    state = struct.pack("<HhHHHHIIII", 1, -1, 0xEF53, 1, 1, 0, created, 0, 0, 1)
    own = struct.pack(
        "<HHIHHIII16s16s", 0, 0, _LOST_FOUND, _INODE, 0, 0, 2, 0, uuid, label.encode()
    )
    return counts + state + own
