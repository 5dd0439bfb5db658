"""Run every benchmark and write docs/benchmarks.md. `make bench`."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SUPPORT = {"__init__", "common", "table", "market", "eventstrategies", "alpha158_loop", "alpha158_polars", "kernels"}


def main() -> int:
    """Exit code: 1 where any benchmark missed a goal or failed."""
    lines = [
        "# Benchmarks",
        "",
        "Written by `make bench`. Medians of at least five runs, compilation apart; peers in the same run.",
        "",
    ]
    worst = 0
    for path in sorted((ROOT / "benchmarks").glob("*.py")):
        if path.stem in SUPPORT:
            continue
        done = subprocess.run(
            [sys.executable, "-m", f"benchmarks.{path.stem}", "--json"],
            cwd=ROOT, capture_output=True, text=True, check=False,
        )  # fmt: skip
        worst = max(worst, done.returncode)
        lines += [f"## {path.stem}", ""]
        if not done.stdout.strip():
            lines += [f"failed: {done.stderr.strip().splitlines()[-1] if done.stderr.strip() else 'no output'}", ""]
            continue
        found = json.loads(done.stdout)
        lines += [
            "| what | value | unit | peer | peer's value | ratio | goal | ok |",
            "|---|---:|---|---|---:|---:|---|---|",
        ]
        for r in found["rows"]:
            goal = "" if r["goal"] is None else f"{r['sense'].replace('_', ' ')} {r['goal']:g}"
            cells = [
                r["name"], f"{r['value']:,.4g}", r["unit"], r["peer"] or "",
                f"{r['peer_value']:,.4g}" if r["peer_value"] else "",
                f"{r['ratio']:,.3g}" if r["ratio"] else "",
                goal, {True: "yes", False: "NO", None: ""}[r["ok"]],
            ]  # fmt: skip
            lines.append("| " + " | ".join(cells) + " |")
        m = found["machine"]
        lines += ["", f"{m['cores']} cores, {m['machine']}, Python {m['python']}", ""]
    (ROOT / "docs" / "benchmarks.md").write_text("\n".join(lines))
    print("\n".join(lines))
    return worst


if __name__ == "__main__":
    sys.exit(main())
