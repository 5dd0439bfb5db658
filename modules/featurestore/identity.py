"""What a stored value is a value of: a computation (definition, code, libraries) of a source (data, bars)."""

from __future__ import annotations

import functools
import platform
from dataclasses import dataclass
from importlib.metadata import version

from modules.canonical import digest_json
from modules.manifest import SWITCHES, environment
from modules.registry import reach_digest
from modules.signal import Node, canonical, format_signal, signal_digest
from modules.workspace import CHECKOUT

_LIBRARIES = ("numba", "llvmlite", "numpy")


@dataclass(frozen=True)
class Source:
    """Which bars. `version` is the digest of the registered data, `bars` that of the panel made of it and of its
    times of availability: other cleaning of the same data is another source. No bar at or after `lockbox_ns`."""

    data: str
    version: str
    bars: str
    lockbox_ns: int


@dataclass(frozen=True)
class Wanted:
    """A feature (`name@version`) by one computation. `expr` is its canonical text."""

    feature: str
    computation: str
    expr: str = ""

    def __str__(self) -> str:
        return f"{self.feature} by computation {self.computation[:12]}"


def wanted(feature: str, node: Node) -> Wanted:
    """The feature as the code of this checkout computes it."""
    return Wanted(feature, computation_of(node), format_signal(canonical(node)))


def computation_of(node: Node) -> str:
    """Digest of everything beside the bars that the values depend on: the canonical expression, the code that
    evaluates it, and the libraries and processor that run that code."""
    return digest_json({"signal": signal_digest(node), "code": _code(), "machine": _machine()})


@functools.cache
def _code() -> str:
    return reach_digest(CHECKOUT / "modules" / "signal" / "batch.py")


@functools.cache
def _machine() -> dict[str, str]:
    found = {name: version(name) for name in _LIBRARIES}
    found["machine"] = platform.machine()
    known = environment()
    return found | {name: known[name] for name in ("processor", *SWITCHES) if known.get(name)}
