"""`python -m tests.modules.live.risk.mutate FILE OLD NEW`: the risk core's tests on a changed copy of one of its files.

Exit status 0: nothing noticed the change (the mutant lives); 1: it was killed. Uncompiled, so that each starts at once.
"""

from __future__ import annotations

import os
import sys
import types
from pathlib import Path

SEEDS, STEPS = range(500, 512), 300


def load_changed(name: str, old: str, new: str) -> None:
    """Import `modules.live.risk.NAME` from its source with `old`, which stands there once, made `new`."""
    import importlib.util

    full = f"modules.live.risk.{name}"
    spec = importlib.util.find_spec(full)
    assert spec is not None and spec.origin is not None
    source = Path(spec.origin).read_text(encoding="utf-8")
    if source.count(old) != 1:
        raise SystemExit(f"{old!r} stands {source.count(old)} times in {name}.py; a mutation names one place")
    module = types.ModuleType(full)
    module.__file__ = spec.origin
    sys.modules[full] = module
    exec(compile(source.replace(old, new), spec.origin, "exec"), module.__dict__)  # noqa: S102  # its own source


def killed() -> bool:
    """Whether the table of controls or the oracle notices."""
    import msgspec

    from tests.modules.live.risk.desk import order
    from tests.modules.live.risk.steps import day
    from tests.modules.live.risk.test_rules import ROWS

    try:
        for _, make, changed, answer, rule, lots in ROWS:
            ruling = make().ask(msgspec.structs.replace(order(), **changed))
            if (ruling.answer, ruling.rule, ruling.allowed_lots) != (answer, rule, lots):
                return True
        for seed in SEEDS:
            day(seed, STEPS)
    except Exception as error:  # noqa: BLE001  # whatever breaks is noticed
        print(f"{type(error).__name__}: {error}")
        return True
    return False


if __name__ == "__main__":
    os.environ["NUMBA_DISABLE_JIT"] = "1"
    if len(sys.argv) > 1:
        load_changed(*sys.argv[1:])
    sys.exit(1 if killed() else 0)
