"""Every operator of the table is held against something that we did not write."""

from __future__ import annotations

import importlib
from pathlib import Path

from modules.signal import operators, parse
from modules.signal.nodes import Call, walk


def _texts() -> list[str]:
    """The signals in `ORACLES` and `LOGIC` of every file of oracles."""
    files = sorted(Path(__file__).parent.glob("test_oracles*.py"))
    modules = [importlib.import_module(f"tests.modules.signal.{f.stem}") for f in files]
    return [case[0] for m in modules for name in ("ORACLES", "LOGIC") for case in getattr(m, name, ())]


def test_every_operator_has_an_oracle() -> None:
    """A row that is added without one fails here."""
    covered = {n.operator for t in _texts() for n in walk(parse(t)) if isinstance(n, Call)}
    assert {o.name for o in operators()} - covered == set()
