"""What the nodes of the coding graph pass on."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from harness.coding.coder import Order
from harness.coding.trial import Failure, Tested
from harness.drafters.port import Allowance, Frozen, Spent

CodingStatus = Literal["proposed", "failed"]
MOST_ATTEMPTS = 8


class CodingState(BaseModel):
    """The first block is what was asked for; each node adds its own part below. `files`: of the whole checkout."""

    model_config = ConfigDict(extra="forbid")

    coding_id: str
    order: Order
    summary: str
    llm: str = "offline"
    data: str
    version: str
    version_digest: str
    attempts: int = Field(default=4, ge=1, le=MOST_ATTEMPTS)
    allowance: Allowance = Allowance(calls=40, tokens=400_000, cost_usd=2.0, seconds=900.0)

    status: CodingStatus | None = None
    message: str | None = None
    coder: str = "template"
    attempt: int = 0
    files: dict[str, str] = Field(default_factory=dict)
    tested: Tested | None = None
    spent: Spent = Spent()
    branch: str | None = None
    commit: str | None = None

    @property
    def folder(self) -> str:
        """Of the module, in the checkout."""
        return f"modules/{self.order.stage}/{self.order.name}/"


class CodingResult(Frozen):
    """How it ended. `failed`: after all attempts the last version still breaks `failures`."""

    coding_id: str
    status: CodingStatus
    stage: str
    name: str
    coder: str
    attempts: int
    sandbox: str
    passed: tuple[str, ...]
    failures: tuple[Failure, ...]
    files: tuple[str, ...]
    kept_in: str
    branch: str | None
    commit: str | None
    message: str | None
    spent: Spent


STORED: tuple[type, ...] = (Allowance, Failure, Order, Spent, Tested)
"""The only classes that a checkpoint may be rebuilt into."""
