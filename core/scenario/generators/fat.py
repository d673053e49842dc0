"""A small FAT16 file system, as a memory stick has it; after Microsoft's specification (fatgen103).

Deleting is what a system does: the names' first byte becomes 0xE5 and the chain is given free. The
content stays, which is what there is to be found.
"""

import struct
from collections.abc import Iterator
from datetime import datetime

from core.scenario.generators.disk_files import DiskFile, DiskFullError

_SECTOR = 512
_SECTORS = 8192
_RESERVED, _FATS, _FAT_SECTORS, _ROOT_ENTRIES = 1, 2, 32, 512
_ENTRY = 32
_ROOT_AT = (_RESERVED + _FATS * _FAT_SECTORS) * _SECTOR
_DATA_AT = _ROOT_AT + _ROOT_ENTRIES * _ENTRY
_CLUSTERS = (_SECTORS * _SECTOR - _DATA_AT) // _SECTOR  # more than 4084, or it would be FAT12
_FIRST_CLUSTER, _LAST_IN_CHAIN, _DELETED = 2, 0xFFFF, 0xE5
_ARCHIVE, _VOLUME, _LONG_NAME = 0x20, 0x08, 0x0F
_LETTERS_IN_ENTRY = 13
_SHORT = 8
_FIRST_YEAR = 1980
_SHORT_LETTERS = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-")


def disk(files: list[DiskFile], *, label: str, number: int, at: datetime) -> bytes:
    """Return the image, 4 MiB: files one behind another, `number` is that of the volume.

    Raises DiskFullError.
    """
    image = bytearray(_SECTORS * _SECTOR)
    image[:_SECTOR] = _boot_sector(label, number)
    chain = [0xFFF8, _LAST_IN_CHAIN]
    entries = [_record(_volume_name(label), _VOLUME, at, cluster=0, size=0)]
    for index, file in enumerate(files, start=1):
        clusters = -(-len(file.content) // _SECTOR)
        first = len(chain) if clusters else 0
        if len(chain) - _FIRST_CLUSTER + clusters > _CLUSTERS:
            raise DiskFullError("the files are larger than the disk")
        start = _DATA_AT + (len(chain) - _FIRST_CLUSTER) * _SECTOR
        image[start : start + len(file.content)] = file.content
        chain += _links(first, clusters, deleted=file.deleted)
        entries += _entries(file, index, first)
    if len(entries) > _ROOT_ENTRIES:
        raise DiskFullError("the names do not fit into the root folder")
    fat = struct.pack(f"<{len(chain)}H", *chain).ljust(_FAT_SECTORS * _SECTOR, b"\0")
    image[_RESERVED * _SECTOR : _ROOT_AT] = fat * _FATS
    image[_ROOT_AT : _ROOT_AT + len(entries) * _ENTRY] = b"".join(entries)
    return bytes(image)


def _boot_sector(label: str, number: int) -> bytes:
    head = struct.pack(
        "<3s8sHBHBHHBHHHIIBBBI11s8s",
        b"\xeb\x3c\x90",
        b"mkfs.fat",
        _SECTOR,
        1,
        _RESERVED,
        _FATS,
        _ROOT_ENTRIES,
        _SECTORS,
        0xF8,
        _FAT_SECTORS,
        32,
        2,
        0,
        0,
        0x80,
        0,
        0x29,
        number,
        _volume_name(label),
        b"FAT16   ",
    )
    return head.ljust(_SECTOR - 2, b"\0") + b"\x55\xaa"


def _volume_name(label: str) -> bytes:
    return label.upper().encode("ascii").ljust(11)[:11]


def _links(first: int, clusters: int, *, deleted: bool) -> list[int]:
    if deleted:
        return [0] * clusters
    return [*range(first + 1, first + clusters), _LAST_IN_CHAIN] if clusters else []


def _entries(file: DiskFile, index: int, first: int) -> Iterator[bytes]:
    short = _short_name(file.name, index)
    record = _record(short, _ARCHIVE, file.at, cluster=first, size=len(file.content))
    for entry in (*_long_name(file.name, short), record):
        yield bytes([_DELETED]) + entry[1:] if file.deleted else entry


def _short_name(name: str, index: int) -> bytes:
    """Return a name of eight and three letters; `index` tells files apart."""
    stem, _, ending = name.upper().rpartition(".") if "." in name else (name.upper(), "", "")
    tail = f"~{index}"
    kept = "".join(letter for letter in stem if letter in _SHORT_LETTERS)
    short = (kept[: _SHORT - len(tail)] + tail).ljust(_SHORT)
    return f"{short}{''.join(c for c in ending if c in _SHORT_LETTERS)[:3]:<3}".encode()


def _record(name: bytes, attribute: int, at: datetime, *, cluster: int, size: int) -> bytes:
    date = (at.year - _FIRST_YEAR) << 9 | at.month << 5 | at.day
    time = at.hour << 11 | at.minute << 5 | at.second >> 1
    return struct.pack(
        "<11sBBBHHHHHHHI", name, attribute, 0, 0, time, date, date, 0, time, date, cluster, size
    )


def _long_name(name: str, short: bytes) -> Iterator[bytes]:
    """Yield the entries that hold the real name, its end first."""
    units = name.encode("utf-16-le")
    size = _LETTERS_IN_ENTRY * 2
    count = -(-len(units) // size)
    padded = units if len(units) == count * size else units + b"\0\0"
    padded = padded.ljust(count * size, b"\xff")
    summed = 0
    for letter in short:
        summed = ((summed & 1) << 7 | summed >> 1) + letter & 0xFF
    for number in range(count, 0, -1):
        part = padded[(number - 1) * size : number * size]
        order = number | (0x40 if number == count else 0)
        yield struct.pack(
            "<B10sBBB12sH4s", order, part[:10], _LONG_NAME, 0, summed, part[10:22], 0, part[22:]
        )
