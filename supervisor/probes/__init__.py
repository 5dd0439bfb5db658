"""Measurements that miners need and no run makes: each reads artifacts of mined runs, and records one event a subject.

A new probe is a file here that sets `PROBE`; files whose names begin with `_` are helpers. What was measured is in the
ledger and is not measured again; a crash loses the one that was under way.
"""

from __future__ import annotations

import importlib
import pkgutil

from supervisor.probes._port import Probe, Room

__all__ = ["PROBES", "Probe", "Room", "probes_here"]


def probes_here() -> tuple[Probe, ...]:
    """Every probe, by name. Raises TypeError for a file without one, or with one of another name."""
    found: list[Probe] = []
    for entry in pkgutil.iter_modules(__path__):
        if entry.name.startswith("_"):
            continue
        probe: Probe | None = getattr(importlib.import_module(f"{__name__}.{entry.name}"), "PROBE", None)
        if probe is None or probe.name != entry.name:
            raise TypeError(f"supervisor/probes/{entry.name}.py must set PROBE to a probe of the name {entry.name}")
        found.append(probe)
    return tuple(sorted(found, key=lambda p: p.name))


PROBES: tuple[Probe, ...] = probes_here()
