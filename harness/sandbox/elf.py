"""Which shared objects a binary asks for, from its dynamic section (System V ABI, chapter 5; 64-bit)."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import IO

_MAGIC = b"\x7fELF\x02\x01"
_LOAD, _DYNAMIC, _INTERPRETER = 1, 2, 3
_NEEDED, _STRINGS = 1, 5


def needed(path: Path) -> tuple[str, ...]:
    """Names of libraries, and the path of the loader where the file names one; nothing for what is no such binary."""
    with path.open("rb") as file:
        head = file.read(64)
        if len(head) < 64 or not head.startswith(_MAGIC):
            return ()
        (table,) = struct.unpack_from("<Q", head, 32)
        entry, count = struct.unpack_from("<HH", head, 54)
        file.seek(table)
        raw = file.read(entry * count)
        rows = [struct.unpack_from("<IIQQQQ", raw, entry * i) for i in range(count)]  # kind flags offset address _ size
        out: list[str] = []
        for kind, _, offset, _, _, size in rows:
            file.seek(offset)
            if kind == _INTERPRETER:
                out.append(file.read(size).rstrip(b"\0").decode())
            elif kind == _DYNAMIC:
                tags = list(struct.iter_unpack("<qQ", file.read(size - size % 16)))
                strings = next((value for tag, value in tags if tag == _STRINGS), None)
                if strings is not None:
                    out += [_text(file, rows, strings + value) for tag, value in tags if tag == _NEEDED]
        return tuple(out)


def _text(file: IO[bytes], rows: list[tuple[int, ...]], address: int) -> str:
    for kind, _, offset, start, _, size in rows:
        if kind == _LOAD and start <= address < start + size:
            file.seek(offset + address - start)
            return file.read(256).partition(b"\0")[0].decode()
    return ""
