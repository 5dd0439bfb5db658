"""One row of the feature library: a named, signed and sourced signal."""

from __future__ import annotations

import functools
from dataclasses import dataclass

from modules.signal import Node, parse


@dataclass(frozen=True)
class Feature:
    """A signal with a name that runs and settings may rely on.

    `name` is unique over the whole library, whatever its case. `sign` says where higher values go with later returns by
    the source: 1 higher, -1 lower, 0 the source claims neither. `level` admits that the value depends on the level of
    adjusted prices or volumes, which later splits move (`modules/signal/prove.py`).

    A definition never changes: a better one is a new row with `version` + 1, and the old row stays, so that runs which
    name it replay.
    """

    name: str
    expr: str
    sign: int
    source: str
    about: str = ""
    version: int = 1
    level: bool = False

    @property
    def reference(self) -> str:
        """`KMID@1`: what settings and manifests hold."""
        return f"{self.name}@{self.version}"

    @property
    def node(self) -> Node:
        """The tree of `expr`. Raises SignalError where it cannot be read."""
        return _read(self.expr)


@functools.cache
def _read(expr: str) -> Node:
    return parse(expr)
