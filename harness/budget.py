"""Where research stops, with what it has by then: limits on every node and on the whole."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import Field, field_validator

from harness.drafters.port import Allowance, Frozen, Spent

NODES = ("scan", "specify", "draft", "check", "screen", "critique", "backtest", "submit")
MODEL_NODES = frozenset({"specify", "draft"})
"""Nodes that may ask outside; the others have no calls, tokens or money to spend."""


class Budget(Frozen):
    """Limits of one research.

    `candidates` a round, `rounds` of drafting (one more where nothing of the first could be tested), `seconds` for each
    of checking and screening, `total` for all answers of the drafter together, `nodes` for those of one node.
    """

    candidates: int = Field(default=8, ge=1, le=40)
    rounds: int = Field(default=1, ge=1, le=5)
    questions: int = Field(default=4, ge=0, le=10)
    seconds: float = Field(default=90.0, gt=0.0, le=3_600.0)
    total: Allowance = Allowance(calls=60, tokens=600_000, cost_usd=2.0, seconds=900.0)
    nodes: Mapping[str, Allowance] = {
        "specify": Allowance(calls=12, tokens=120_000, cost_usd=0.5, seconds=180.0),
        "draft": Allowance(calls=40, tokens=400_000, cost_usd=1.5, seconds=600.0),
    }

    @field_validator("nodes")
    @classmethod
    def _known(cls, nodes: Mapping[str, Allowance]) -> Mapping[str, Allowance]:
        wrong = sorted(set(nodes) - MODEL_NODES)
        if wrong:
            raise ValueError(f"node {wrong[0]!r} asks nobody outside; {', '.join(sorted(MODEL_NODES))} do")
        return nodes

    def left(self, node: str, spent: Mapping[str, Spent]) -> Allowance:
        """What `node` may still spend: the rest of its own limits and of the total, whichever is less."""
        mine = self.nodes.get(node, self.total)
        used, all_used = spent.get(node, Spent()), sum(spent.values(), Spent())

        def rest(limit: float, gone: float, whole: float, all_gone: float) -> float:
            return max(0.0, min(limit - gone, whole - all_gone))

        return Allowance(
            calls=int(rest(mine.calls, used.calls, self.total.calls, all_used.calls)),
            tokens=int(rest(mine.tokens, used.tokens, self.total.tokens, all_used.tokens)),
            cost_usd=rest(mine.cost_usd, used.cost_usd, self.total.cost_usd, all_used.cost_usd),
            seconds=rest(mine.seconds, used.seconds, self.total.seconds, all_used.seconds),
        )

    def capped(self, *, cost_usd: float | None = None, rounds: int | None = None) -> Budget:
        """The same limits with a cap on all money, or another number of rounds."""
        total = self.total if cost_usd is None else self.total.model_copy(update={"cost_usd": cost_usd})
        changed = {"total": Allowance.model_validate(total.model_dump()), "rounds": rounds or self.rounds}
        return Budget.model_validate({**self.model_dump(), **changed})
