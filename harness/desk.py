"""The researcher's desk: all that the nodes of the graph reach outside themselves."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from functools import cached_property

import polars as pl

from harness.budget import Budget
from harness.drafters.opening import OpenDrafter
from harness.drafters.port import Drafter, Spent
from harness.journal import attempts
from harness.literature.room import Room
from harness.novelty.house import of_house
from harness.novelty.known import Known, published
from harness.progress import Progress, State, Step
from harness.repository import Repository, RepositoryError
from modules.artifacts import ArtifactStore
from modules.datastore import DataStore, DataVersion
from modules.groups import with_groups
from modules.manifest import Manifest, ManifestStore
from modules.panel import Panel
from modules.pipeline import Emit, execute
from modules.registry import load_module
from modules.sources import facts_of, source_of
from modules.task import PipelineSpec, Task, load_modules, make_task
from modules.workspace import Workspace

BUNDLED_FIELDS = (("us20", frozenset({"close"})), ("us5", frozenset({"open", "high", "low", "close", "volume"})))
"""What the bundled sets hold, to point to where a field is missing."""


@dataclass
class Pace:
    """Where the work stands, for who looks on: which node is in hand, since when, and what was spent before it."""

    node: str = "scan"
    began: float = field(default_factory=time.monotonic)
    spent: Spent = field(default_factory=Spent)


@dataclass(frozen=True)
class Desk:
    """All that the nodes reach outside themselves: stores, the data version, the ledger, the clock."""

    workspace: Workspace
    version: DataVersion
    spec: PipelineSpec
    drafting: OpenDrafter
    emit: Emit
    progress: Progress
    budget: Budget
    room: Room = field(default_factory=Room)
    pace: Pace = field(default_factory=Pace)

    def begin(self, node: str, spent: Spent) -> None:
        """A node begins: its clock starts."""
        self.pace.node, self.pace.began, self.pace.spent = node, time.monotonic(), spent
        self._show(node, "begins", "")

    @property
    def drafter(self) -> Drafter:
        """Who reads and drafts."""
        return self.drafting.drafter

    def wait(self, node: str, words: str) -> None:
        """What the node waits for from here on."""
        self._show(node, "waits", words)

    def say(self, node: str, words: str) -> None:
        """What the node found."""
        self._show(node, "finds", words)

    def _show(self, node: str, state: State, words: str) -> None:
        self.progress(Step(node=node, state=state, words=words, seconds=self.seconds(), spent=self.pace.spent))

    def seconds(self) -> float:
        """Since the node in hand began."""
        return time.monotonic() - self.pace.began

    @cached_property
    def artifacts(self) -> ArtifactStore:
        """Panels and tables by digest."""
        return ArtifactStore(self.workspace.artifacts)

    def spent(self) -> bool:
        """Whether the time of the node in hand is used up."""
        return self.seconds() > self.budget.seconds

    def task(self, signal: str | None) -> Task:
        """The pipeline on the discovery half: nothing that judges or that is locked is read, of bars or facts."""
        ends = [self.version.mining_end_ns, *([self.facts.lockbox_start_ns] if self.facts is not None else [])]
        return make_task(self.spec, self.version, facts=self.facts, signal=signal, end=min(ends))

    @cached_property
    def facts(self) -> DataVersion | None:
        """The facts that the pipeline names."""
        return facts_of(self._data, self.spec)

    def run(self, signal: str, run_id: str) -> tuple[Manifest, bool]:
        """The full pipeline with `signal`, and whether anything in it had not been computed before.

        The manifest is kept under `run_id`; where it is there, an earlier process had come this far and nothing runs.
        A run that was cut off goes on under `run_id-2`: the trace of the first stays as it is.
        """
        runs = ManifestStore(self.workspace.runs)
        begun, computed = attempts(run_id, self.workspace.ledger)
        names = [run_id, *(f"{run_id}-{n}" for n in range(2, begun + 2))]
        kept = next((n for n in names if (runs.root / f"{n}.json").exists()), None)
        if kept is not None:
            manifest = runs.load(kept)
            return manifest, computed or not all(stage.cached for stage in manifest.stages)
        task = self.task(signal)
        manifest = execute(
            task,
            load_modules(task, self.version),
            source_of(self._data, task),
            self.artifacts,
            self.emit,
            purpose="research",
            run_id=names[begun],
        )
        runs.save(manifest)
        return manifest, computed or not all(stage.cached for stage in manifest.stages)

    @property
    def cost_of_turnover(self) -> float:
        """What the backtest in force charges for trading 1 of gross, before impact, as a fraction."""
        settings = load_module("backtest", "bars").settings.model_dump()
        return float(settings["half_spread_bps"] + settings["commission_bps"]) / 1e4

    @cached_property
    def bars_per_year(self) -> float:
        """Of the discovery half."""
        ts = self.bars.ts
        years = float(ts[-1] - ts[0]) / (365.25 * 86_400e9)
        return (len(ts) - 1) / years if years > 0 else 252.0

    @cached_property
    def bars(self) -> Panel:
        """The cleaned bars of the discovery half, with the group fields of their instruments."""
        task = self.task(None)
        modules = load_modules(task, self.version)
        manifest = execute(
            task, modules, source_of(self._data, task), self.artifacts, self.emit, purpose="research", until="clean"
        )
        bars, instruments = (self.artifacts.get(manifest.output(name)) for name in ("bars", "instruments"))
        if not isinstance(bars, Panel) or not isinstance(instruments, pl.DataFrame):
            raise TypeError(f"bars are a {type(bars).__name__}, instruments a {type(instruments).__name__}")
        return with_groups(bars, instruments)

    def others(self, own: str) -> list[Known]:
        """Signals of this house, less those of the module `own`, and what is published: the feature library and the
        literature's constructions."""
        return [*of_house(self.workspace.root, own), *published()]

    @cached_property
    def branches(self) -> tuple[str, ...]:
        """Research that waits on branches; none where there is no git."""
        try:
            return tuple(Repository(self.workspace.root).branches("research/"))
        except RepositoryError:
            return ()

    @property
    def _data(self) -> DataStore:
        return DataStore(self.workspace.data)
