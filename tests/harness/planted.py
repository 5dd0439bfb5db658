"""Simulated bars with a planted effect, and a small checkout to research in."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import numpy as np

from modules.panel import FloatArray, Panel

CHECKOUT = Path(__file__).resolve().parents[2]
DAY_NS = 86_400_000_000_000


def reversal_panel(bars: int = 1_200, symbols: int = 10, strength: float = 0.3, seed: int = 11) -> Panel:
    """Closes whose daily return takes back `strength` of the week up to the day before the last."""
    rng = np.random.default_rng(seed)
    returns: FloatArray = rng.normal(0.0, 0.01, (bars, symbols))
    for t in range(8, bars):
        returns[t] -= strength / 5 * returns[t - 6 : t - 1].sum(axis=0)
    close = 100.0 * np.cumprod(1.0 + returns, axis=0)
    ts = np.datetime64("2005-01-03").astype("datetime64[ns]").astype(np.int64) + np.arange(bars) * DAY_NS
    return Panel(ts, tuple(f"S{i:02d}" for i in range(symbols)), {"close": close})


def wide_csv(panel: Panel, path: Path) -> Path:
    """The closes as a wide CSV file."""
    days = panel.ts.astype("datetime64[ns]").astype("datetime64[D]").astype(str)
    lines = [",".join(["date", *panel.symbols])]
    lines += [",".join([day, *(f"{v:.6f}" for v in row)]) for day, row in zip(days, panel["close"], strict=True)]
    path.write_text("\n".join(lines) + "\n")
    return path


def small_checkout(folder: Path) -> Path:
    """Code, skills and the pipeline of this checkout as a git repository of its own, with one commit."""
    ignore = shutil.ignore_patterns("__pycache__", "*.pyc")
    for name in ("modules", "skills", "traces", "harness"):
        shutil.copytree(CHECKOUT / name, folder / name, ignore=ignore)
    shutil.copy(CHECKOUT / "pipeline.yaml", folder)
    (folder / ".gitignore").write_text("__pycache__/\n.cws/\n")
    git(folder, "init", "-q", "-b", "main")
    git(folder, "add", "-A")
    git(folder, "-c", "user.name=Ada", "-c", "user.email=ada@example.org", "commit", "-q", "-m", "start")
    return folder


def git(folder: Path, *args: str) -> str:
    """Run git in `folder`."""
    return subprocess.run(["git", *args], cwd=folder, capture_output=True, text=True, check=True).stdout
