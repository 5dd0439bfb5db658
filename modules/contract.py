"""What a module is, and the types that cross a stage boundary.

A module is a folder `modules/<stage>/<name>/` with

* `contract.py`   `Inputs` and `Outputs`: frozen dataclasses whose fields are artifacts annotated
                  with their schemas (`modules/crossings.py`), and `CONTRACT`, what the module declares about itself;
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
from typing import Any, ClassVar, Literal, Protocol, get_args, get_type_hints

from pydantic import BaseModel, ConfigDict

from modules.canonical import Artifact
from modules.crossings import (
    TIME,
    AccountActions,
    Bars,
    Evidence,
    Facts,
    Fills,
    Instruments,
    Judgement,
    Nav,
    Orders,
    Positions,
    Quality,
    Quantiles,
    Raw,
    Records,
    Signal,
    Weights,
)
from modules.schema import FIRST_ROWS, PanelSchema, RawTable, TableSchema, Violation, first_cells

__all__ = [
    "FIRST_ROWS",
    "STAGES",
    "TIME",
    "AcceptFunction",
    "AccountActions",
    "Bars",
    "Context",
    "Contract",
    "ContractError",
    "Evidence",
    "Facts",
    "Fills",
    "Guard",
    "Instruments",
    "Judgement",
    "Module",
    "ModuleOutputs",
    "ModuleSettings",
    "Nav",
    "Orders",
    "PanelSchema",
    "Positions",
    "Quality",
    "Quantiles",
    "Raw",
    "RawTable",
    "Records",
    "RunFunction",
    "Signal",
    "Stage",
    "TableSchema",
    "Violation",
    "Weights",
    "check_ports",
    "first_cells",
    "ports_of",
]

Stage = Literal["ingest", "clean", "feature", "backtest", "size", "execute"]
STAGES: tuple[Stage, ...] = get_args(Stage)


class ContractError(ValueError):
    """A boundary refused an artifact. Names the stage, the module, each rule, its count and first rows."""

    def __init__(self, stage: str, module: str, side: str, violations: list[Violation]) -> None:
        self.stage = stage
        self.module = module
        self.side = side
        self.violations = violations
        lines = "\n".join(f"  - {v}" for v in violations)
        super().__init__(f"{stage}/{module} breaks its {side} contract:\n{lines}")


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

    def optional_outputs(self) -> frozenset[str]:
        """Artifacts that the module may leave out: their default is None."""
        return optional_of(self.outputs)

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


def optional_of(holder: type[Any]) -> frozenset[str]:
    """Artifacts of a dataclass that may be absent: those with the default None."""
    return frozenset(f.name for f in dataclasses.fields(holder) if f.name not in Module.META and f.default is None)


def check_ports(stage: str, module: str, side: Literal["inputs", "outputs"], holder: object) -> dict[str, Artifact]:
    """The artifacts of an `Inputs` or `Outputs` instance, checked. Raises ContractError with every broken rule."""
    artifacts: dict[str, Artifact] = {}
    violations: list[Violation] = []
    absent = {n for n in optional_of(type(holder)) if getattr(holder, n) is None}
    for name, schema in ports_of(type(holder)).items():
        if name in absent:
            continue
        value = getattr(holder, name)
        violations += schema.check(name, value)
        artifacts[name] = value
    if violations:
        raise ContractError(stage, module, side, violations)
    return artifacts
