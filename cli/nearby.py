"""What is known that is near to a signal, for `cws signal similar EXPR`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cli.output import emit, working
from cli.present import rows, table

if TYPE_CHECKING:
    from rich.console import Console

    from harness.novelty.judge import Novelty


def show_nearby(expr: str, json: bool) -> None:
    """The published signals nearest to `expr`, and its originality beside each."""
    from harness.novelty.judge import neighbours
    from harness.novelty.known import published
    from harness.novelty.originality import LIMIT
    from modules.signal import format_signal, parse

    node = parse(expr)
    with working("comparing with the library and the literature"):
        found = neighbours(node, published())
    originality = min((n.originality for n in found), default=1.0)
    result = {
        "expr": format_signal(node),
        "originality": originality,
        "limit": LIMIT,
        "new": originality >= LIMIT,
        "near": [_row(n) for n in found],
    }
    emit(result, json, lambda out: _draw(out, found, originality, LIMIT))


def _row(near: Novelty) -> dict[str, object]:
    return {
        "where": near.where,
        "expr": near.expr,
        "originality": near.originality,
        "structural": near.likeness.structural,
        "behavioural": near.likeness.behavioural,
    }


def _draw(out: Console, found: tuple[Novelty, ...], originality: float, limit: float) -> None:
    verdict = "new" if originality >= limit else "not new"
    out.print(f"originality {originality:.2f}, {verdict} (limit {limit}); known are features and publications")
    head = table("known", "originality", "behaviour", "tree", "expression", right=("originality", "behaviour", "tree"))
    out.print(
        rows(head, ((n.where, n.originality, n.likeness.behavioural, n.likeness.structural, n.expr) for n in found))
    )
