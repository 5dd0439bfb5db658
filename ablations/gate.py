"""The gate: a pure function from evidence to verdict. What ships is decided here and nowhere else.

Steps and reasons stand in order; the first that fails names the refusal (DESIGN, section 6). Every comparison
is written so that worse evidence, or none, refuses.
"""

from __future__ import annotations

from enum import StrEnum
from math import isfinite
from typing import Literal

from pydantic import BaseModel, ConfigDict

from ablations.floor import Floor
from ablations.guards import GuardReading

FEWEST_TASKS = 6
FEWEST_BLOCKS = 20.0
LEAST_DELTA = 0.05
"""Sharpe ratio a year below which a difference is not worth a human's review, however certain. Ten years of daily
bars give a Sharpe ratio a standard error of 0.32; the savings of a patch that trades a little less are surer, and
smaller, than that."""


class Reason(StrEnum):
    """Why a patch is refused, in order of precedence."""

    NOT_REPRODUCED = "NOT_REPRODUCED"
    NOT_CONTAINED = "NOT_CONTAINED"
    NOT_ACCEPTED = "NOT_ACCEPTED"
    TOO_LITTLE_EVIDENCE = "TOO_LITTLE_EVIDENCE"
    NO_EFFECT = "NO_EFFECT"
    NOT_BETTER = "NOT_BETTER"
    P_VALUE_TOO_COARSE = "P_VALUE_TOO_COARSE"
    NOT_SIGNIFICANT = "NOT_SIGNIFICANT"
    GUARD = "GUARD"
    NO_CERTIFICATE = "NO_CERTIFICATE"
    STALE_CERTIFICATE = "STALE_CERTIFICATE"


CertificateState = Literal["CURRENT", "STALE", "NONE"]


class Evidence(BaseModel):
    """All that the gate looks at. Lists of words name what is wrong; empty = nothing is."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    not_reproduced: tuple[str, ...]
    not_contained: tuple[str, ...]
    not_accepted: tuple[str, ...]
    tasks: int
    blocks: float
    floor: Floor | None
    """None: the arms do not differ, or one is the other's leverage."""
    level: float
    guards: tuple[GuardReading, ...]
    certificate: CertificateState


class Verdict(BaseModel):
    """SHIP, or REJECT with its reason and a sentence."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    ship: bool
    reason: Reason | None
    guard: str | None = None
    message: str

    @property
    def word(self) -> Literal["SHIP", "REJECT"]:
        """As the ledger spells it."""
        return "SHIP" if self.ship else "REJECT"

    @property
    def label(self) -> str:
        """The reason in short: empty for SHIP, `GUARD(turnover)` for a guard."""
        if self.reason is None:
            return ""
        return f"{self.reason}({self.guard})" if self.guard else str(self.reason)


def discovered(floor: Floor | None, level: float) -> bool:
    """Whether chance is ruled out at `level`, the Monte-Carlo error of the p-value included."""
    return floor is not None and floor.p_value <= level and floor.p_high <= level


def decide(evidence: Evidence) -> Verdict:
    """The verdict on `evidence`."""
    return _arms(evidence) or _difference(evidence) or _chance(evidence) or _price(evidence) or _ship(evidence)


def _arms(e: Evidence) -> Verdict | None:
    """Steps 1 to 3."""
    if e.not_reproduced:
        return _no(Reason.NOT_REPRODUCED, f"the baseline gives other bits than recorded: {_list(e.not_reproduced)}")
    if e.not_contained:
        return _no(Reason.NOT_CONTAINED, f"the patch changes what lies upstream of it: {_list(e.not_contained)}")
    if e.not_accepted:
        return _no(Reason.NOT_ACCEPTED, f"contracts or acceptance refuse an arm: {_list(e.not_accepted)}")
    return None


def _difference(e: Evidence) -> Verdict | None:
    """Step 4: enough evidence, some effect, and better on the whole."""
    if not e.tasks >= FEWEST_TASKS:
        return _no(Reason.TOO_LITTLE_EVIDENCE, f"{e.tasks} tasks; the gate needs {FEWEST_TASKS}")
    if not e.blocks >= FEWEST_BLOCKS:
        return _no(Reason.TOO_LITTLE_EVIDENCE, f"{e.blocks:.1f} blocks of time; the gate needs {FEWEST_BLOCKS:g}")
    if e.floor is None:
        return _no(Reason.NO_EFFECT, "the arms do not differ, or one is only the other's leverage")
    if not e.floor.delta >= LEAST_DELTA:
        return _no(Reason.NOT_BETTER, f"difference {e.floor.delta:+.4f} Sharpe; at least {LEAST_DELTA:+g} is asked")
    if not e.floor.lower_bound > 0.0:
        return _no(
            Reason.NOT_BETTER, f"lower bound {e.floor.lower_bound:+.4f} Sharpe over tasks and time is not above 0"
        )
    return None


def _chance(e: Evidence) -> Verdict | None:
    """Step 5. Significant only if the Monte-Carlo error cannot turn it; undecided is refused, never rounded."""
    assert e.floor is not None
    if discovered(e.floor, e.level):
        return None
    numbers = f"p = {e.floor.p_value:.2g} from {e.floor.draws} draws; the stream of trials asks for {e.level:.2g}"
    if e.floor.p_low <= e.level:
        return _no(Reason.P_VALUE_TOO_COARSE, f"the draws cannot tell: {numbers}")
    return _no(Reason.NOT_SIGNIFICANT, f"could be luck: {numbers}")


def _price(e: Evidence) -> Verdict | None:
    """Step 6."""
    if not e.guards:
        return Verdict(ship=False, reason=Reason.GUARD, guard="none", message="no guard was read; a patch needs guards")
    for guard in e.guards:
        if not guard.holds:
            return Verdict(ship=False, reason=Reason.GUARD, guard=guard.name, message=guard.sentence)
    return None


def _ship(e: Evidence) -> Verdict:
    if e.certificate == "NONE":
        return _no(Reason.NO_CERTIFICATE, "no A/A certificate for this suite and data; run `cws certify`")
    if e.certificate != "CURRENT":
        return _no(Reason.STALE_CERTIFICATE, "gate, suite or data changed since the A/A certificate; run `cws certify`")
    assert e.floor is not None
    assert isfinite(e.level)
    return Verdict(
        ship=True,
        reason=None,
        message=f"difference {e.floor.delta:+.3f} Sharpe (lower bound {e.floor.lower_bound:+.3f}), "
        f"p = {e.floor.p_value:.2g} at level {e.level:.2g}, guards hold",
    )


def _no(reason: Reason, message: str) -> Verdict:
    return Verdict(ship=False, reason=reason, message=message)


def _list(words: tuple[str, ...]) -> str:
    return "; ".join(words[:3]) + (f"; and {len(words) - 3} more" if len(words) > 3 else "")
