"""The run again, made worse on purpose: dearer, later, larger; and its neighbours.

All go through the pipeline with its cache: only the stages that a change reaches are computed.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import polars as pl

from harness.validation.capacity import NO_EDGE, capacity_figure
from harness.validation.report import Capacity
from modules.artifacts import ArtifactStore
from modules.canonical import digest_json
from modules.contract import Context, ContractError, Module, ModuleOutputs, Stage, Violation
from modules.engine.accounting import EngineError
from modules.engine.costs import NO_VOLUME_NOTE
from modules.manifest import Manifest
from modules.panel import FloatArray, Panel
from modules.pipeline import Emit, RawSource, execute
from modules.task import Task

STRESS: Final = 3.0
COST_SETTINGS: Final = (
    "half_spread_bps", "commission_bps", "commission_share_usd", "commission_trade_usd", "commission_minimum_usd",
    "impact_k", "permanent_impact_gamma", "borrow_bps_year", "funding_bps_year",
)  # fmt: skip
"""Settings of `execute` that are prices of trading: each is multiplied under stress."""

CAPITAL_STEPS: Final = (0.1, 1.0, 10.0, 100.0, 1_000.0)
MOST_CAPITAL_USD: Final = 1e9
LEAST_CAPITAL_USD: Final = 1e3


@dataclass(frozen=True)
class Bench:
    """Where controls are run: the task with the modules of the run, and everything they need."""

    task: Task
    modules: Mapping[Stage, Module]
    raw: RawSource
    store: ArtifactStore
    emit: Emit

    def run(self, changed: Mapping[Stage, Module], signal: str | None = None) -> Manifest:
        """The task with some modules replaced. Raises what a stage raises."""
        task = self.task if signal is None or self.task.signal is None else self._with(signal)
        return execute(task, {**self.modules, **changed}, self.raw, self.store, self.emit, purpose="validate")

    def _with(self, signal: str) -> Task:
        return self.task.model_copy(update={"signal": signal})

    def net(self, manifest: Manifest) -> FloatArray:
        """Net returns of a run's account, `[T]`."""
        return net_returns(self.store, manifest.output("nav"))


def net_returns(store: ArtifactStore, nav: str) -> FloatArray:
    """Column `net_return` of an account by its digest."""
    table = store.get(nav)
    assert isinstance(table, pl.DataFrame), "nav must be a table"
    return np.ascontiguousarray(table.get_column("net_return").to_numpy(), dtype=np.float64)


def dearer(module: Module, times: float = STRESS) -> Module:
    """`execute` with every price of trading multiplied, beyond the bounds of its settings where it must be."""
    costs: dict[str, Any] = {
        n: getattr(module.settings, n) * times for n in COST_SETTINGS if n in type(module.settings).model_fields
    }
    return dataclasses.replace(module, settings=module.settings.model_copy(update=costs))


def larger(module: Module, capital_usd: float) -> Module:
    """`execute` with other capital."""
    return module.with_settings({"capital_usd": capital_usd})


def later(module: Module, bars: int = 1) -> Module:
    """A sizing module that reads its signal `bars` late. Raises ValueError where it reads none."""
    if "signal" not in module.ports("inputs"):
        raise ValueError(f"{module.stage}/{module.name} reads no signal")

    def run(inputs: Any, settings: Any, context: Context) -> ModuleOutputs:
        return module.run(_late(inputs, bars), settings, context)

    def accept(inputs: Any, outputs: Any, settings: Any) -> list[Violation]:
        return module.accept(_late(inputs, bars), outputs, settings)

    digest = digest_json({"delayed": bars, "of": module.code_digest})
    return dataclasses.replace(module, run=run, accept=accept, code_digest=digest)


def _late(inputs: Any, bars: int) -> Any:
    signal: Panel = inputs.signal
    values = np.full(signal.shape, np.nan)
    values[bars:] = signal["signal"][:-bars]
    return dataclasses.replace(inputs, signal=Panel(signal.ts, signal.symbols, {"signal": values}))


def stressed(bench: Bench) -> FloatArray | None:
    """Net returns at three times cost; None where the engine cannot hold such an account."""
    try:
        return bench.net(bench.run({"execute": dearer(bench.modules["execute"])}))
    except (ContractError, EngineError):
        return None


def late(bench: Bench) -> FloatArray | None:
    """Net returns with the signal a bar later; None where sizing reads none, or refuses the later one."""
    try:
        return bench.net(bench.run({"size": later(bench.modules["size"])}))
    except (ContractError, EngineError, ValueError):
        return None


def capacity(bench: Bench) -> tuple[tuple[Capacity, ...], str]:
    """Accounts of other capital, and what a reader must know of them."""
    execute_module = bench.modules["execute"]
    if "capital_usd" not in type(execute_module.settings).model_fields:
        return (), f"execute/{execute_module.name} has no capital_usd to change"
    own = float(execute_module.settings.model_dump()["capital_usd"])
    found: list[Capacity] = []
    silent = False
    for step in CAPITAL_STEPS:
        capital = own * step
        if not LEAST_CAPITAL_USD <= capital <= MOST_CAPITAL_USD:
            continue
        try:
            manifest = bench.run({"execute": larger(execute_module, capital)})
        except (ContractError, EngineError) as error:
            found.append(
                Capacity(
                    capital_usd=capital, net_sharpe=None, annual_return=None, cost_bps_year=None, note=str(error)[:200]
                )
            )
            continue
        silent = silent or any(NO_VOLUME_NOTE in note for note in manifest.stage("execute").notes)
        found.append(
            Capacity(
                capital_usd=capital,
                net_sharpe=manifest.metrics.get("net_sharpe"),
                annual_return=manifest.metrics.get("annual_return"),
                cost_bps_year=manifest.metrics.get("cost_bps_year"),
            )
        )
    if silent:
        return tuple(found), f"{NO_VOLUME_NOTE}, so size costs nothing here and this says nothing"
    figure = capacity_figure(found, own)
    return tuple(found), NO_EDGE if figure is None else figure.words
