"""What the board shows, as plain facts: no text that is only layout, so that `--json` and the page say the same."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

PUBLISHED_ACCEPTANCE = 0.31
"""Share of its ablations that a published research desk accepted; shown beside ours for orientation."""

FindingState = Literal["new", "proposed", "judged", "merged"]
Fate = Literal["refused", "waiting", "merged", "turned down", "rolled back"]
Place = Literal["current", "stale", "none", "unread"]


@dataclass(frozen=True)
class FindingLine:
    """A finding as last recorded. `state`: what the loop did about it since; `times` counts its records."""

    finding_id: str
    ts_ns: int
    miner: str
    module: str
    statement: str
    size: float | None
    occurrences: int
    state: FindingState


@dataclass(frozen=True)
class VerdictRow:
    """One verdict, numbered in the order in which they stand. `fate` is what became of it; differences in Sharpe ratio
    a year. `proposer` is empty where the ledger does not say who proposed it. `benefit` is the newest measurement after
    the merge (None: not measured yet), `decayed` = it fell below the bound on which the patch shipped."""

    place: int
    ts_ns: int
    ablation_id: str
    module: str
    change: str
    suite: str
    proposer: str
    shipped: bool
    reason: str
    delta: float | None
    lower_bound: float | None
    p_value: float | None
    level: float | None
    seconds: float
    fate: Fate
    by: str
    benefit: float | None
    decayed: bool


@dataclass(frozen=True)
class Acceptance:
    """`rate` = shipped / judged, with the 95 % Wilson interval; None where nothing was judged."""

    judged: int
    shipped: int
    merged: int
    turned_down: int
    rate: float | None
    low: float | None
    high: float | None
    published: float = PUBLISHED_ACCEPTANCE


@dataclass(frozen=True)
class Discovery:
    """The account of the false-discovery rate. `spent` is the sum of the levels at which trials were tested, which
    LORD++ keeps below `allowed`: half the rate before the first discovery, then the rate for each; `wealth` is what is
    left. `next_level` is granted to the trial to come. `looks` counts what was seen without a test, by family."""

    rate: float
    trials: int
    discoveries: int
    spent: float
    allowed: float
    wealth: float
    next_level: float | None
    looks: dict[str, int]


@dataclass(frozen=True)
class ModuleGain:
    """One module's patches: differences summed over those that are merged and stand. Each was measured on the base of
    its day, so the sum says how far the loop got and is no figure of a backtest. `now` sums the newest measurements
    after the merge, of the `measured` patches that have one."""

    module: str
    judged: int
    shipped: int
    merged: int
    gain: float
    at_least: float
    measured: int
    now: float
    seconds: float


@dataclass(frozen=True)
class QueueLine:
    """A module that the loop has to come back to. `due` is the deadline of the last pull on it, "" for none."""

    module: str
    findings: int
    statement: str
    waits_since_ns: int
    state: Literal["under way", "proposed", "found"]
    proposer: str
    due: str


@dataclass(frozen=True)
class ArmLine:
    """A module and a proposer: what was spent on the pair and what it shipped. `rate`: gain an hour of compute."""

    module: str
    proposer: str
    pulls: int
    shipped: int
    gain: float
    seconds: float
    rate: float | None


@dataclass(frozen=True)
class NightLine:
    """One night; `reason` is empty while it goes on or where it was cut off."""

    night_id: str
    number: int
    ts_ns: int
    seed: int
    budget_s: float
    seconds: float | None
    pulls: int
    ablations: int
    shipped: int
    reason: str


@dataclass(frozen=True)
class CertificateLine:
    """The certificate behind verdicts on a suite. Figures are None where `state` is not `current`."""

    suite: str
    state: Place
    certificate_id: str | None
    patches: int | None
    false_ships: int | None
    upper_bound: float | None
    minimum_detectable: float | None
    why: str


@dataclass(frozen=True)
class SpendLine:
    """What was asked of one model or source. `cost_usd` sums the calls whose price is known; `unpriced` counts the
    others; what was replayed from a tape cost nothing and is counted apart."""

    who: str
    calls: int
    replayed: int
    input_tokens: int
    output_tokens: int
    cost_usd: float
    unpriced: int
    last_ns: int


@dataclass(frozen=True)
class Effect:
    """What the money went into: researches that asked outside, and how many of them came to a module."""

    researches: int
    modules: int


@dataclass(frozen=True)
class RequestLine:
    """An open request."""

    branch: str
    kind: str
    title: str
    author: str
    time_s: int


@dataclass(frozen=True)
class Curve:
    """A line of a picture, thinned: places or ns on `x`."""

    name: str
    x: tuple[int, ...]
    y: tuple[float, ...]


@dataclass(frozen=True)
class Curves:
    """What the pictures are drawn of. `rate`, `low`, `high`, `spent`, `allowed`, `levels` run over the trials' places;
    `gains` (one a module) and `costs` (dollars) over time."""

    rate: Curve
    low: Curve
    high: Curve
    spent: Curve
    allowed: Curve
    levels: Curve
    gains: tuple[Curve, ...]
    costs: Curve


@dataclass(frozen=True)
class Counts:
    """How much there is beyond what the lists hold."""

    events: int
    findings: int
    verdicts: int
    requests: int
    nights: int
