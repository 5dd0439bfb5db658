"""What a model may say, as JSON, for scripts."""

from __future__ import annotations

import json
from decimal import Decimal

from harness.drafters.model.drafter import ModelDrafter
from harness.llm.choice import Opened
from harness.llm.port import ModelError, Reply, ToolCall, Usage
from harness.llm.prices import Priced
from harness.llm.recorder import Recorded
from harness.llm.scripted import Scripted, says
from harness.llm.tape import Tape
from skills.registry import skills

TEXT = "Stocks that fell the most last week rebound"
FREE = Priced(
    name="scripted:model", input=Decimal(0), output=Decimal(0), cached=Decimal(0), write=Decimal(0), cutoff=None,
    source="a test",
)  # fmt: skip

CLAIM: dict[str, object] = {
    "kind": "claim", "event": "return", "pole": "low", "outcome": "reverts", "sign": -1, "horizon_bars": 5,
    "skip_bars": None, "holding_bars": None, "relative": None, "conditions": [],
    "phrases": ["fell the most", "last week", "rebound"], "unread": [], "assumptions": [],
    "mechanism": "Hurried sellers pay for liquidity.", "question": "question", "answers": [],
    "reason": "instructions", "message": "",
}  # fmt: skip


def reading(**changes: object) -> Reply:
    """The reading of TEXT, with changes."""
    return says(json.dumps({**CLAIM, **changes}))


def candidate(
    expr: str, skill: str = "short-term-reversal", why: str = "The week's fall, turned round."
) -> dict[str, object]:
    return {"operators": ["rank"], "fields": ["close"], "expr": expr, "skill": skill, "why": why}


def candidates(*rows: dict[str, object] | str, **changes: object) -> Reply:
    """Candidates; a text is an expression."""
    made = [candidate(r) if isinstance(r, str) else r for r in rows]
    return says(json.dumps({"mechanism": "", "candidates": made, "needs_fields": [], **changes}))


def calls(name: str, arguments: str, *, times: int = 1) -> Reply:
    """The model asks for a tool."""
    asked = tuple(ToolCall(id=f"c{i}", name=name, arguments=arguments) for i in range(times))
    return Reply(calls=asked, stop="tools", usage=Usage(input_tokens=10, output_tokens=5), model="scripted")


def drafter(tape: Tape, script: list[Reply | ModelError], price: Priced = FREE) -> tuple[ModelDrafter, Scripted]:
    """A drafter whose model follows a script."""
    scripted = Scripted(script)
    model = Recorded(scripted, price, tape, "r", lambda e: None)
    return ModelDrafter(Opened(model, price, price.cutoff), skills()), scripted
