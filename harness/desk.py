"""The researcher's desk: all that the nodes of the graph reach outside themselves."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property

import polars as pl

from harness.drafters.port import Drafter
from harness.novelty.known import Known, Origin, known, published
from harness.repository import Repository, RepositoryError
from harness.state import Budget
from modules.artifacts import ArtifactStore
from modules.datastore import DataStore, DataVersion
from modules.groups import with_groups
from modules.manifest import Manifest, ManifestStore
from modules.panel import Panel
from modules.pipeline import Emit, execute
from modules.registry import list_modules, module_folder
from modules.sources import facts_of, source_of
from modules.task import PipelineSpec, Task, load_modules, make_task
from modules.workspace import Workspace

BUNDLED_FIELDS = (("us20", frozenset({"close"})), ("us5", frozenset({"open", "high", "low", "close", "volume"})))
"""What the bundled sets hold, to point to where a field is missing."""

Progress = Callable[[str, str], None]
"""Called with the name of a node and a sentence on what it found."""


def silent(node: str, words: str) -> None:
    """A progress that shows nothing."""


@dataclass(frozen=True)
class Desk:
    """All that the nodes reach outside themselves: stores, the data version, the ledger, the clock."""

    workspace: Workspace
    version: DataVersion
    spec: PipelineSpec
    drafter: Drafter
    emit: Emit
    progress: Progress
    budget: Budget
    began: float = field(default_factory=time.monotonic)

    @cached_property
    def artifacts(self) -> ArtifactStore:
        """Panels and tables by digest."""
        return ArtifactStore(self.workspace.artifacts)

    def spent(self) -> bool:
        """Whether the time budget is used up."""
        return time.monotonic() - self.began > self.budget.seconds

    def task(self, signal: str | None) -> Task:
        """The pipeline on the discovery half: nothing that judges or that is locked is read, of bars or facts."""
        ends = [self.version.mining_end_ns, *([self.facts.lockbox_start_ns] if self.facts is not None else [])]
        return make_task(self.spec, self.version, facts=self.facts, signal=signal, end=min(ends))

    @cached_property
    def facts(self) -> DataVersion | None:
        """The facts that the pipeline names."""
        return facts_of(self._data, self.spec)

    def run(self, signal: str) -> Manifest:
        """The full pipeline with `signal`; the manifest is kept."""
        task = self.task(signal)
        manifest = execute(
            task,
            load_modules(task, self.version),
            source_of(self._data, task),
            self.artifacts,
            self.emit,
            purpose="research",
        )
        ManifestStore(self.workspace.runs).save(manifest)
        return manifest

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
        """Signals of merged feature modules and of research branches, less those of the module `own`, and what is
        published: the feature library and the literature's constructions.

        `feature/expression` and its sister on facts are left out: their setting is a sample that any run replaces.
        """
        found: dict[str, tuple[str, Origin]] = {}
        for stage, name in list_modules(self.workspace.root):
            if stage == "feature" and name not in (own, "expression", "facts_expression"):
                expr = _expr_of((module_folder(stage, name, self.workspace.root) / "settings.yaml").read_bytes())
                if expr is not None:
                    found[f"feature/{name}"] = (expr, "module")
        found |= {branch: (expr, "branch") for branch, expr in self._on_branches(own).items()}
        ours = [k for where, (expr, origin) in sorted(found.items()) if (k := known(where, expr, origin)) is not None]
        return [*ours, *published()]

    def _on_branches(self, own: str) -> dict[str, str]:
        found: dict[str, str] = {}
        try:
            repository = Repository(self.workspace.root)
            branches = repository.branches("research/")
        except RepositoryError:
            return found  # no git, no branches; writing will say so
        for branch in branches:
            name = branch.removeprefix("research/").replace("-", "_")
            text = repository.file_at(branch, f"modules/feature/{name}/settings.yaml") if name != own else None
            expr = _expr_of(text) if text is not None else None
            if expr is not None:
                found[branch] = expr
        return found

    @property
    def _data(self) -> DataStore:
        return DataStore(self.workspace.data)


def _expr_of(settings: bytes) -> str | None:
    import yaml

    values = yaml.safe_load(settings)
    expr = values.get("expr") if isinstance(values, dict) else None
    return expr if isinstance(expr, str) else None
