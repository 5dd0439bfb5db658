"""What a module is, and the types that cross a stage boundary.

A module is a folder `modules/<stage>/<name>/` with

* `contract.py`   `Inputs` and `Outputs`: frozen dataclasses whose fields are artifacts annotated
                  with the schemas below, and `CONTRACT`, what the module declares about itself;
* `settings.py`   `Settings`: a frozen pydantic model; field bounds are the search space;
* `settings.yaml` the values in force;
* `run.py`        `run(inputs, settings, context) -> Outputs`: pure;
* `acceptance.py` `accept(inputs, outputs, settings) -> list[Violation]`: what must hold of any output;
* `README.md`     purpose, at most 40 lines.

Artifacts meet by field name: `size` asks for `signal` and gets the `signal` that `feature` wrote.
Every boundary is checked: tables by dataframely, panels by `PanelSchema`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar, Literal, Protocol, get_args, get_type_hints

import dataframely as dy
import numpy as np
import polars as pl
from pydantic import BaseModel, ConfigDict

from modules.canonical import Artifact
from modules.panel import FloatArray, Panel, iso

Stage = Literal["ingest", "clean", "feature", "backtest", "size", "execute"]
STAGES: tuple[Stage, ...] = get_args(Stage)

FIRST_ROWS = 5


# --- violations ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class Violation:
    """One rule that an artifact breaks: how often, and where first."""

    port: str
    rule: str
    count: int
    first_rows: tuple[str, ...] = ()

    def __str__(self) -> str:
        where = f"; first: {'; '.join(self.first_rows)}" if self.first_rows else ""
        return f"{self.port}: {self.rule} ({self.count} rows){where}"


class ContractError(ValueError):
    """A boundary refused an artifact. Names the stage, the module, each rule, its count and first rows."""

    def __init__(self, stage: str, module: str, side: str, violations: list[Violation]) -> None:
        self.stage = stage
        self.module = module
        self.side = side
        self.violations = violations
        lines = "\n".join(f"  - {v}" for v in violations)
        super().__init__(f"{stage}/{module} breaks its {side} contract:\n{lines}")


# --- schemas of artifacts -----------------------------------------------------------------------


@dataclass(frozen=True)
class FieldRule:
    """What one panel field may hold. Infinite values are always refused."""

    required: bool = True
    nan: bool = True
    minimum: float | None = None
    exclusive_minimum: float | None = None
    maximum: float | None = None


@dataclass(frozen=True)
class PanelSchema:
    """Rules per field; `others` says whether further fields may be present."""

    fields: Mapping[str, FieldRule]
    others: bool = False

    def check(self, port: str, value: object) -> list[Violation]:
        """Every rule that `value` breaks, with count and first rows."""
        if not isinstance(value, Panel):
            return [Violation(port, f"must be a Panel, is {type(value).__name__}", 1)]
        found = []
        if value.shape[0] == 0:
            found.append(Violation(port, "has zero rows", 0))
        if value.shape[1] == 0:
            found.append(Violation(port, "has zero symbols", 0))
        for name, rule in self.fields.items():
            if name in value:
                found += _check_field(port, name, rule, value)
            elif rule.required:
                found.append(Violation(port, f"field {name} is missing", value.shape[0]))
        if not self.others:
            found += [
                Violation(port, f"field {n} is not in the contract", value.shape[0])
                for n in value
                if n not in self.fields
            ]
        return found


def _check_field(port: str, name: str, rule: FieldRule, panel: Panel) -> list[Violation]:
    values = panel[name]
    broken: list[tuple[str, np.ndarray[Any, np.dtype[np.bool_]]]] = [(f"{name} is infinite", np.isinf(values))]
    if not rule.nan:
        broken.append((f"{name} is missing", np.isnan(values)))
    if rule.minimum is not None:
        broken.append((f"{name} below {rule.minimum}", values < rule.minimum))
    if rule.exclusive_minimum is not None:
        broken.append((f"{name} not above {rule.exclusive_minimum}", values <= rule.exclusive_minimum))
    if rule.maximum is not None:
        broken.append((f"{name} above {rule.maximum}", values > rule.maximum))
    return [
        Violation(port, what, int(mask.sum()), first_cells(panel, values, mask)) for what, mask in broken if mask.any()
    ]


def first_cells(panel: Panel, values: FloatArray, mask: np.ndarray[Any, np.dtype[np.bool_]]) -> tuple[str, ...]:
    """The first offending cells as `time symbol = value`."""
    rows, columns = np.nonzero(mask)
    return tuple(
        f"{iso(int(panel.ts[r]))} {panel.symbols[c]} = {float(values[r, c])!r}"
        for r, c in zip(rows[:FIRST_ROWS], columns[:FIRST_ROWS], strict=True)
    )


@dataclass(frozen=True)
class TableSchema:
    """A dataframely schema at a boundary."""

    schema: type[dy.Schema]
    allow_empty: bool = True

    def check(self, port: str, value: object) -> list[Violation]:
        """Every rule that `value` breaks, with count and first rows."""
        if not isinstance(value, pl.DataFrame):
            return [Violation(port, f"must be a table, is {type(value).__name__}", 1)]
        if not self.allow_empty and value.is_empty():
            return [Violation(port, "has zero rows", 0)]
        expected = {name: column.dtype for name, column in self.schema.columns().items()}
        wrong = [
            Violation(port, f"column {n} has type {value.schema.get(n)}; expected {t}", value.height)
            for n, t in expected.items()
            if value.schema.get(n) != t
        ]
        wrong += [
            Violation(port, f"column {n} is not in the contract", value.height)
            for n in value.columns
            if n not in expected
        ]
        if wrong:
            return wrong
        _, failure = self.schema.filter(value)
        bad = failure.invalid().head(FIRST_ROWS)
        rows = tuple(
            ", ".join(f"{k}={v}" for k, v in row.items() if v is not None) for row in bad.iter_rows(named=True)
        )
        return [Violation(port, rule, count, rows) for rule, count in failure.counts().items()]


TIME = pl.Datetime("ns", "UTC")


class RawSchema(dy.Schema):
    """Ingest's only fixed rule for raw input: where each row came from. Other columns are free."""

    source_file = dy.String(nullable=False)
    source_row = dy.Int64(nullable=False, min=0)


@dataclass(frozen=True)
class RawTable:
    """A table as it came: any columns, plus `source_file` and `source_row`."""

    def check(self, port: str, value: object) -> list[Violation]:
        """Only provenance is required of raw input."""
        if not isinstance(value, pl.DataFrame):
            return [Violation(port, f"must be a table, is {type(value).__name__}", 1)]
        missing = [c for c in ("source_file", "source_row") if c not in value.columns]
        if missing:
            return [Violation(port, f"column {c} is missing", value.height) for c in missing]
        return TableSchema(RawSchema).check(port, value.select("source_file", "source_row"))


class RecordsSchema(dy.Schema):
    """Bitemporal bars: `event_time` is the bar's label (daily: its date at 00:00 UTC),
    `available_at` the moment from which it could be known. A restatement is a second row with the
    same symbol and event_time and a later available_at. Prices as delivered; null = not delivered."""

    symbol = dy.String(nullable=False, primary_key=True, min_length=1)
    event_time = dy.Datetime(nullable=False, primary_key=True, time_unit="ns", time_zone="UTC")
    available_at = dy.Datetime(nullable=False, primary_key=True, time_unit="ns", time_zone="UTC")
    open = dy.Float64(nullable=True)
    high = dy.Float64(nullable=True)
    low = dy.Float64(nullable=True)
    close = dy.Float64(nullable=True)
    adj_close = dy.Float64(nullable=True)
    volume = dy.Float64(nullable=True)

    @dy.rule()
    def known_after_it_happened(cls) -> pl.Expr:
        return pl.col("available_at") >= pl.col("event_time")


class InstrumentsSchema(dy.Schema):
    """What each symbol is, and between which dates it was so (`valid_to` null = still)."""

    symbol = dy.String(nullable=False, primary_key=True, min_length=1)
    venue = dy.String(nullable=False)
    currency = dy.String(nullable=False)
    calendar = dy.String(nullable=False)
    sector = dy.String(nullable=False)
    tick_size = dy.Float64(nullable=False, min_exclusive=0.0)
    lot_size = dy.Float64(nullable=False, min_exclusive=0.0)
    valid_from = dy.Datetime(nullable=False, primary_key=True, time_unit="ns", time_zone="UTC")
    valid_to = dy.Datetime(nullable=True, time_unit="ns", time_zone="UTC")


class QualitySchema(dy.Schema):
    """One row per cell that a quality rule touched."""

    rule = dy.String(nullable=False)
    symbol = dy.String(nullable=False)
    event_time = dy.Datetime(nullable=False, time_unit="ns", time_zone="UTC")
    field = dy.String(nullable=False)
    value = dy.Float64(nullable=True)
    action = dy.Enum(["flagged", "repaired", "dropped"], nullable=False)
    detail = dy.String(nullable=False)


class EvidenceSchema(dy.Schema):
    """The reference backtest, a row a bar. Returns are fractions of the NAV at the previous bar."""

    event_time = dy.Datetime(nullable=False, primary_key=True, time_unit="ns", time_zone="UTC")
    gross_return = dy.Float64(nullable=False)
    net_return = dy.Float64(nullable=False)
    turnover = dy.Float64(nullable=False, min=0.0)
    ic = dy.Float64(nullable=True, min=-1.0, max=1.0)
    spread_return = dy.Float64(nullable=True)


class QuantileSchema(dy.Schema):
    """Mean next-bar return of each signal quantile (1 = lowest signal)."""

    quantile = dy.Int64(nullable=False, primary_key=True, min=1)
    mean_return = dy.Float64(nullable=False)
    count = dy.Int64(nullable=False, min=0)


class JudgementSchema(dy.Schema):
    """Backtest's criteria, each with the value found."""

    criterion = dy.String(nullable=False, primary_key=True)
    value = dy.Float64(nullable=True)
    threshold = dy.Float64(nullable=False)
    passed = dy.Bool(nullable=False)


class OrdersSchema(dy.Schema):
    """Every order asked for, with the risk decision on it. Quantities are signed, in lots."""

    order_id = dy.Int64(nullable=False, primary_key=True, min=0)
    event_time = dy.Datetime(nullable=False, time_unit="ns", time_zone="UTC")
    symbol = dy.String(nullable=False)
    asked_lots = dy.Int64(nullable=False)
    allowed_lots = dy.Int64(nullable=False)
    decision = dy.Enum(["APPROVE", "REDUCE", "REJECT", "FLATTEN"], nullable=False)
    rule = dy.String(nullable=False)
    limit = dy.Float64(nullable=True)
    value = dy.Float64(nullable=True)


class FillsSchema(dy.Schema):
    """Every fill. Money is in integer micro-units of the currency (1e-6), so sums are exact."""

    order_id = dy.Int64(nullable=False, min=0)
    event_time = dy.Datetime(nullable=False, time_unit="ns", time_zone="UTC")
    symbol = dy.String(nullable=False)
    lots = dy.Int64(nullable=False)
    price = dy.Float64(nullable=False, min_exclusive=0.0)
    notional_micros = dy.Int64(nullable=False)
    commission_micros = dy.Int64(nullable=False, min=0)
    spread_micros = dy.Int64(nullable=False, min=0)
    impact_micros = dy.Int64(nullable=False, min=0)


class NavSchema(dy.Schema):
    """The account at the close of each bar. Identity: cash + positions = nav, to the micro."""

    event_time = dy.Datetime(nullable=False, primary_key=True, time_unit="ns", time_zone="UTC")
    nav_micros = dy.Int64(nullable=False)
    cash_micros = dy.Int64(nullable=False)
    positions_micros = dy.Int64(nullable=False)
    commission_micros = dy.Int64(nullable=False, min=0)
    spread_micros = dy.Int64(nullable=False, min=0)
    impact_micros = dy.Int64(nullable=False, min=0)
    borrow_micros = dy.Int64(nullable=False, min=0)
    gross_return = dy.Float64(nullable=False)
    net_return = dy.Float64(nullable=False)
    turnover = dy.Float64(nullable=False, min=0.0)
    gross_exposure = dy.Float64(nullable=False, min=0.0)
    net_exposure = dy.Float64(nullable=False)

    @dy.rule()
    def cash_plus_positions_is_nav(cls) -> pl.Expr:
        return pl.col("cash_micros") + pl.col("positions_micros") == pl.col("nav_micros")


_PRICE = FieldRule(exclusive_minimum=0.0)
_MAYBE_PRICE = FieldRule(required=False, exclusive_minimum=0.0)

Raw = Annotated[pl.DataFrame, RawTable()]
Records = Annotated[pl.DataFrame, TableSchema(RecordsSchema, allow_empty=False)]
Instruments = Annotated[pl.DataFrame, TableSchema(InstrumentsSchema, allow_empty=False)]
Quality = Annotated[pl.DataFrame, TableSchema(QualitySchema)]
Bars = Annotated[
    Panel,
    PanelSchema(
        {
            "close": _PRICE,
            "open": _MAYBE_PRICE,
            "high": _MAYBE_PRICE,
            "low": _MAYBE_PRICE,
            "volume": FieldRule(required=False, minimum=0.0),
        }
    ),
]
"""Total-return prices (adjusted for splits and dividends where the data say so); volume is adjusted alike."""
Signal = Annotated[Panel, PanelSchema({"signal": FieldRule()})]
Weights = Annotated[Panel, PanelSchema({"weight": FieldRule(nan=False, minimum=-1.0, maximum=1.0)})]
Positions = Annotated[Panel, PanelSchema({"lots": FieldRule(nan=False)})]
Evidence = Annotated[pl.DataFrame, TableSchema(EvidenceSchema, allow_empty=False)]
Quantiles = Annotated[pl.DataFrame, TableSchema(QuantileSchema)]
Judgement = Annotated[pl.DataFrame, TableSchema(JudgementSchema, allow_empty=False)]
Orders = Annotated[pl.DataFrame, TableSchema(OrdersSchema)]
Fills = Annotated[pl.DataFrame, TableSchema(FillsSchema)]
Nav = Annotated[pl.DataFrame, TableSchema(NavSchema, allow_empty=False)]


# --- what a module declares, gets and gives -------------------------------------------------------


class ModuleSettings(BaseModel):
    """Base of every `Settings`: frozen, no unknown keys, bounds as `Field(ge=, le=)` and units in the name."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, protected_namespaces=())


@dataclass(frozen=True)
class Context:
    """What a run knows beside inputs and settings. `start_ns`: trade from here; earlier rows are warm-up."""

    seed: int
    start_ns: int


@dataclass(frozen=True, kw_only=True)
class ModuleOutputs:
    """Base of every `Outputs`: artifacts are declared by the subclass; metrics are plain numbers."""

    metrics: Mapping[str, float] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Guard:
    """A metric that a patch may not worsen by more than `tolerance` (absolute, in the metric's unit)."""

    metric: str
    better: Literal["higher", "lower"]
    tolerance: float


@dataclass(frozen=True)
class Contract:
    """What a module says of itself. `objective` is the metric that a patch of this module must improve.

    `objective_series` names the table column, `artifact.column`, whose bars carry the objective, so
    that two arms can be compared bar by bar.
    """

    stage: Stage
    name: str
    summary: str
    objective: str
    objective_series: str
    guards: tuple[Guard, ...] = ()


class RunFunction(Protocol):
    """`run(inputs, settings, context) -> Outputs`, pure."""

    def __call__(self, inputs: Any, settings: Any, context: Context, /) -> ModuleOutputs: ...


class AcceptFunction(Protocol):
    """What must hold of any output; empty = accepted."""

    def __call__(self, inputs: Any, outputs: Any, settings: Any, /) -> list[Violation]: ...


@dataclass(frozen=True)
class Module:
    """A loaded module: its contract, types, settings in force and functions, with their digests."""

    contract: Contract
    inputs: type[Any]
    outputs: type[ModuleOutputs]
    settings: ModuleSettings
    run: RunFunction
    accept: AcceptFunction
    code_digest: str

    META: ClassVar[frozenset[str]] = frozenset({"metrics", "notes"})

    @property
    def stage(self) -> Stage:
        """The stage this module fills."""
        return self.contract.stage

    @property
    def name(self) -> str:
        """Folder name below the stage."""
        return self.contract.name

    def ports(self, side: Literal["inputs", "outputs"]) -> dict[str, PanelSchema | TableSchema | RawTable]:
        """Artifact name to schema, read from the annotations of `Inputs` or `Outputs`."""
        return ports_of(self.inputs if side == "inputs" else self.outputs)

    def with_settings(self, changes: Mapping[str, object]) -> Module:
        """The same module with validated settings changed."""
        merged = type(self.settings).model_validate({**self.settings.model_dump(), **changes})
        return dataclasses.replace(self, settings=merged)


def ports_of(holder: type[Any]) -> dict[str, PanelSchema | TableSchema | RawTable]:
    """Artifact name to schema for a dataclass of annotated artifacts."""
    hints = get_type_hints(holder, include_extras=True)
    ports = {}
    for f in dataclasses.fields(holder):
        if f.name in Module.META:
            continue
        schemas = [m for m in getattr(hints[f.name], "__metadata__", ()) if hasattr(m, "check")]
        if len(schemas) != 1:
            raise TypeError(
                f"{holder.__module__}.{holder.__name__}.{f.name} needs exactly one schema: "
                "annotate it with a type from modules.contract"
            )
        ports[f.name] = schemas[0]
    return ports


def check_ports(stage: str, module: str, side: Literal["inputs", "outputs"], holder: object) -> dict[str, Artifact]:
    """The artifacts of an `Inputs` or `Outputs` instance, checked. Raises ContractError with every broken rule."""
    artifacts: dict[str, Artifact] = {}
    violations: list[Violation] = []
    for name, schema in ports_of(type(holder)).items():
        value = getattr(holder, name)
        violations += schema.check(name, value)
        artifacts[name] = value
    if violations:
        raise ContractError(stage, module, side, violations)
    return artifacts
