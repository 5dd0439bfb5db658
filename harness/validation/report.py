"""What a validation found: one frozen object, with every figure beside its limit."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict

from modules.canonical import digest_json


class Verdict(StrEnum):
    """SHOWN is a figure without a limit; it takes no part in the verdict over all."""

    PASSED = "passed"
    FAILED = "failed"
    TOO_LITTLE_EVIDENCE = "too little evidence"
    SHOWN = "shown"


def twelve_digits(value: object) -> object:
    """A figure as it is recorded. The last bits of a logarithm or a transform may differ between processors, the
    report may not; what is not a number is absent."""
    if not isinstance(value, float):
        return value
    return float(f"{value:.12g}") if value - value == 0.0 else None


Figure = Annotated[float | None, BeforeValidator(twelve_digits)]


class Record(BaseModel):
    """Base of all that a report holds."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Check(Record):
    """One question and its answer. `figure` passes if it is `at least` or `at most` the limit."""

    name: str
    figure: Figure
    side: Literal["at least", "at most"]
    limit: Figure
    verdict: Verdict
    words: str
    source: str


class Window(Record):
    """One test window of a walk-forward: Sharpe ratios a year, out of sample. `chosen` had the best of the bars it was
    trained on; `own` is the run itself."""

    kind: Literal["expanding", "rolling"]
    first: str
    last: str
    train_bars: int
    test_bars: int
    own: Figure
    chosen: Figure
    chosen_before: Figure
    subject: str


class Part(Record):
    """Part of the history: a period or a regime."""

    name: str
    bars: int
    sharpe: Figure
    annual_return: Figure
    max_drawdown: Figure


class Outcome(Record):
    """Quantiles of what resampled histories gave. `sharpe` a year, `wealth` the end of 1, drawdown a fraction."""

    probability: float
    sharpe: Figure
    wealth: Figure
    max_drawdown: Figure


class Capacity(Record):
    """The run again with other capital."""

    capital_usd: float
    net_sharpe: Figure
    annual_return: Figure
    cost_bps_year: Figure
    note: str = ""


class Variant(Record):
    """One member of the family that selection chose from: `own`, a `variant` of it, or a recorded `trial`."""

    kind: Literal["own", "variant", "trial"]
    subject: str
    sharpe: Figure


class Trials(Record):
    """What the ledger says was ever tried on the data. `spread` is the deviation of their Sharpe ratios, a year, over
    those `with_sharpe`; `left_out` had no series on the bars of this run."""

    count: int
    with_sharpe: int
    spread: Figure
    in_family: int
    left_out: int


class Tables(Record):
    """Everything behind the checks."""

    windows: tuple[Window, ...] = ()
    periods: tuple[Part, ...] = ()
    regimes: tuple[Part, ...] = ()
    outcomes: tuple[Outcome, ...] = ()
    capacity: tuple[Capacity, ...] = ()
    family: tuple[Variant, ...] = ()


class ValidationReport(Record):
    """The validation of one run. Equal runs, ledgers and seeds give equal bits: no clock and no run id of a control
    is in here."""

    run_id: str
    run_digest: str
    task_digest: str
    data: str
    data_digest: str
    signal: str
    seed: int
    draws: int
    quick: bool
    first: str
    last: str
    bars: int
    bars_per_year: float
    block_bars: int
    net_sharpe: Figure
    trials: Trials
    checks: tuple[Check, ...]
    tables: Tables
    notes: tuple[str, ...] = ()

    @property
    def verdict(self) -> Verdict:
        """FAILED where a check failed, else TOO_LITTLE_EVIDENCE where one could not be made, else PASSED."""
        found = {c.verdict for c in self.checks}
        for word in (Verdict.FAILED, Verdict.TOO_LITTLE_EVIDENCE):
            if word in found:
                return word
        return Verdict.PASSED if Verdict.PASSED in found else Verdict.TOO_LITTLE_EVIDENCE

    @property
    def digest(self) -> str:
        """Identity of everything in it."""
        return digest_json(self.model_dump(mode="json"))

    def check(self, name: str) -> Check:
        """The check of that name. Raises KeyError, naming those there are."""
        for found in self.checks:
            if found.name == name:
                return found
        raise KeyError(f"no check {name}; there are {', '.join(c.name for c in self.checks)}")
