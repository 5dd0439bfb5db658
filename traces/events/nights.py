"""Unattended nights: what was pulled, and what it paid."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from traces.events.base import Count, EventBase, MaybeFloat, Seconds, Seed


class NightStarted(EventBase):
    """A night of the supervisor begins. `number` counts the nights of this workspace from 0; with `seed` it fixes every
    draw. `ablations` is the most that may be judged. `suite` None = each module's own."""

    kind: Literal["night.started"] = "night.started"
    night_id: str
    number: Count
    seed: Seed
    seconds: Seconds
    ablations: Count
    suite: str | None


class ArmPulled(EventBase):
    """The night spends on an arm: a module (or a market, `data/NAME`) and who proposes for it. `why`: `due` = its
    deadline had passed, `drawn` = by Thompson sampling, with the drawn gain per compute second in `score`. `due` is the
    deadline, ISO 8601."""

    kind: Literal["arm.pulled"] = "arm.pulled"
    night_id: str
    pull: Count
    module: str
    proposer: str
    why: Literal["due", "drawn"]
    score: MaybeFloat
    due: str


class ArmPaid(EventBase):
    """What a pull came to. `gain` is the shipped improvement, Sharpe a year, 0 where nothing shipped; `seconds` were
    spent. `nothing` = no candidate was worth a trial; `known` = the verdicts on it stand already."""

    kind: Literal["arm.paid"] = "arm.paid"
    night_id: str
    pull: Count
    module: str
    proposer: str
    outcome: Literal["ship", "reject", "nothing", "known", "failed"]
    gain: Annotated[float, Field(ge=0.0)]
    seconds: Seconds
    ablation_id: str | None
    note: str = ""


class NightFinished(EventBase):
    """The night is over. `reason` says why nothing more was begun."""

    kind: Literal["night.finished"] = "night.finished"
    night_id: str
    reason: str
    seconds: Seconds
    pulls: Count
    ablations: Count
    shipped: Count
