"""A demotion that drift proposes: a file in the account's folder, which stops `cws live` until a human took it back."""

from __future__ import annotations

import json
import math
import os
from pathlib import Path

from modules.live.runner.drift import Drift

NAME = "demotion.json"
DISMISSED = "demotions.dismissed.jsonl"


def measured(found: Drift) -> list[dict[str, object]]:
    """The measures as plain data; what could not be said is null."""
    return [
        {
            "name": m.name,
            "live": _finite(m.live),
            "backtest": _finite(m.shadow),
            "distance": _finite(m.distance),
            "limit": m.limit,
            "holds": m.holds,
        }
        for m in found.measures
    ]


def propose(folder: Path, found: Drift) -> Path:
    """Write the proposal, durable before this returns; a newer one replaces it."""
    path = folder / NAME
    text = json.dumps(
        {"strategy": found.strategy, "first": found.first, "last": found.last, "measures": measured(found)}, indent=1
    )
    part = path.with_suffix(".part")
    with part.open("w", encoding="utf-8") as file:
        file.write(text + "\n")
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)
    return path


def proposed(folder: Path) -> str | None:
    """Why a demotion is proposed, in one sentence; None = none is. A file that cannot be read counts as one."""
    path = folder / NAME
    try:
        held = json.loads(path.read_text(encoding="utf-8"))
        beyond = [str(m["name"]) for m in held["measures"] if not m["holds"]]
        return f"{held['strategy']} drifted from its backtest {held['first']} to {held['last']}: {', '.join(beyond)}"
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        return f"{path} cannot be read ({error})"


def dismiss(folder: Path, by: str, reason: str) -> bool:
    """Take a proposal back in a human's name; kept in `demotions.dismissed.jsonl`. Whether there was one."""
    path = folder / NAME
    if not path.exists():
        return False
    line = json.dumps({"by": by, "reason": reason, "proposed": path.read_text(encoding="utf-8", errors="replace")})
    with (folder / DISMISSED).open("a", encoding="utf-8") as file:
        file.write(line + "\n")
        file.flush()
        os.fsync(file.fileno())
    path.unlink()
    return True


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
