"""The board as one HTML page: self-contained, no source from outside, every value from a trace escaped."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from markupsafe import Markup, escape

from harness.report.files import write_whole
from harness.report.template import page_style, render_template
from harness.report.text import DASH, MINUS, Tile, number, percent, tone
from supervisor.board.board import Board
from supervisor.board.drawing import day
from supervisor.board.pictures import colours, pictures

HERE = Path(__file__).parent
ROWS = 40
"""Verdicts in the table of the page; the picture and `--json` hold more."""


def render(board: Board, *, live: bool = False) -> str:
    """The page. With `live` it follows the server that it came from; equal boards give equal bytes."""
    style = page_style((HERE / "board.css").read_text())
    script = (HERE / "board.js").read_text() if live else ""
    svgs = pictures(board)
    values: dict[str, Any] = {
        "board": board,
        "rows": board.verdicts[:ROWS],
        "policy": policy(style, script),
        "empty": not board.counts.events,
        "warnings": warnings(board),
        "tiles": tiles(board),
        "reasons": ", ".join(f"{name} {count:,}" for name, count in board.reasons.items()),
        "keys": list(zip((line.name for line in board.curves.gains), colours(board.curves.gains), strict=True)),
    }
    filters: dict[str, Callable[..., str]] = {
        "moment": moment,
        "day": _day,
        "duration": duration,
        "exact": exact,
        "person": person,
        "coded": coded,
    }
    return render_template(HERE, "board.html.j2", values, svgs, style=style, script=script, filters=filters)


def write(board: Board, path: Path) -> Path:
    """The page as a file, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    return write_whole(path, render(board).encode())


def policy(style: str, script: str) -> str:
    """The content security policy: this style, this script, and nothing from anywhere."""
    parts = ["default-src 'none'", f"style-src '{_hash(style)}'", "base-uri 'none'", "form-action 'none'"]
    if script:
        parts += [f"script-src '{_hash(script)}'", "connect-src 'self'"]
    return "; ".join(parts)


def tiles(board: Board) -> tuple[Tile, ...]:
    """The headline figures."""
    a, d = board.acceptance, board.discovery
    current = sum(c.state == "current" for c in board.certificates)
    paid = sum(s.cost_usd for s in board.spending)
    return (
        Tile(
            "Shipped of judged", percent(a.rate), f"{a.shipped:,} of {a.judged:,}; published {percent(a.published, 0)}"
        ),
        Tile("Merged", f"{a.merged:,}", f"{a.turned_down:,} turned down, {board.counts.requests:,} waiting"),
        Tile("Merged improvement", number(board.gain, 2, signed=True), "Sharpe a year, summed", tone(board.gain)),
        Tile("False-discovery budget", exact(d.wealth), f"left of {exact(d.allowed)}; {exact(d.spent)} spent"),
        Tile("Level of the next trial", exact(d.next_level), f"trial {d.trials + 1:,} of this workspace"),
        Tile("Looks", f"{sum(d.looks.values()) + d.trials:,}", "at the data, tests included"),
        Tile(
            "Certificates",
            f"{current} of {len(board.certificates)}",
            "current",
            "" if current == len(board.certificates) else "bad" if stale(board) else "",
        ),
        Tile("Paid to models", f"${number(paid, 2)}", f"{sum(s.calls for s in board.spending):,} calls"),
    )


def stale(board: Board) -> list[str]:
    """Suites on which nothing can ship now."""
    return [c.suite for c in board.certificates if c.state in ("stale", "none")]


def warnings(board: Board) -> list[str]:
    """What a reader must know before the figures."""
    found = []
    if board.requests is None:
        found.append("This checkout is no git repository with a commit: nothing that ships can be opened for review.")
    if stale(board):
        found.append(
            f"Nothing can ship on {', '.join(stale(board))}: the certificate is not current; run `cws certify`."
        )
    if board.discovery.wealth < 0:
        found.append("The levels spent exceed what the false-discovery rate allows; run `cws ledger verify`.")
    decayed = sum(v.decayed and v.fate == "merged" for v in board.verdicts)
    if decayed:
        found.append(f"{decayed} merged patches gain less than the bound on which they shipped: see `cws review list`.")
    cut_off = [n for n in board.nights[1:] if not n.reason]
    if cut_off:
        found.append(f"{len(cut_off)} nights never came to their end: they were cut off.")
    return found


def exact(value: float | None) -> str:
    """Four significant digits and no more zeros than there are: a level, a p-value, a wealth."""
    return DASH if value is None else f"{value:.4g}".replace("-", MINUS)


def person(identity: str) -> str:
    """A name without its mail."""
    return identity.partition(" <")[0]


def coded(text: str) -> Markup:
    """Words with `commands` in them; all else is escaped."""
    parts = (Markup("<code>{}</code>").format(p) if at % 2 else escape(p) for at, p in enumerate(text.split("`")))
    return Markup("").join(parts)


def moment(ns: float) -> str:
    """A time, to the minute, UTC; a dash for none."""
    return datetime.fromtimestamp(ns / 1e9, tz=UTC).strftime("%Y-%m-%d %H:%M") if ns else DASH


def duration(seconds: float | None) -> str:
    """Seconds for reading."""
    if seconds is None:
        return DASH
    if seconds < 0:
        return MINUS + duration(-seconds)
    if seconds < 120:
        return number(seconds, 0 if seconds >= 10 else 1, " s")
    return number(seconds / 60, 0, " min") if seconds < 7200 else number(seconds / 3600, 1, " h")


def _day(ns: float) -> str:
    return day(ns) if ns else DASH


def _hash(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"
