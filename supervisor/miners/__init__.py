"""Plug-ins that read traces: one file a miner, and the folder is the registry.

A new miner is a file here that sets `MINER`; files whose names begin with `_` are helpers. `docs/miners.md` is made of
their docstrings.
"""

from __future__ import annotations

import importlib
import pkgutil

from supervisor.finding import Miner


def miners_here() -> tuple[Miner, ...]:
    """Every miner, in the order in which findings are shown and pursued: by turn, then by name.

    Raises TypeError for a file that sets no `MINER`, or one of another name than the file's.
    """
    found: list[Miner] = []
    for entry in pkgutil.iter_modules(__path__):
        if entry.name.startswith("_"):
            continue
        miner: Miner | None = getattr(importlib.import_module(f"{__name__}.{entry.name}"), "MINER", None)
        if miner is None or miner.name != entry.name:
            raise TypeError(
                f"supervisor/miners/{entry.name}.py must set MINER to a miner of the name {entry.name}, "
                f"it is {getattr(miner, 'name', None)}; give a helper's file a name that begins with _"
            )
        found.append(miner)
    return tuple(sorted(found, key=lambda m: (m.turn, m.name)))


MINERS: tuple[Miner, ...] = miners_here()
