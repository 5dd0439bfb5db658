"""Files of a report: whole or not at all, and JSON that any program reads."""

from __future__ import annotations

import json
import math
import uuid
from collections.abc import Mapping
from pathlib import Path


def write_whole(path: Path, data: bytes) -> Path:
    """Write `data` to `path`, which is there afterwards whole, or as it was before."""
    draft = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    try:
        draft.write_bytes(data)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
    return path


def json_bytes(values: Mapping[str, object]) -> bytes:
    """Indented JSON. Raises ValueError for a NaN; see `without_nan`."""
    return (json.dumps(values, indent=1, allow_nan=False) + "\n").encode()


def without_nan(values: Mapping[str, object]) -> dict[str, object]:
    """The same with null for every number that is not finite, tuples as lists."""
    return {name: _plain(value) for name, value in values.items()}


def _plain(value: object) -> object:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {k: _plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(v) for v in value]
    return value
