"""Where a supervisor works: the workspace, a bench for each suite, what it emits and notes. Traces and mines."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from ablations.ablate import certificate_for
from ablations.executors.port import Executor
from ablations.planted.register import current
from ablations.suite import Suite, default_suite, load_suite
from harness.repository import Repository
from modules.artifacts import ArtifactStore
from modules.contract import STAGES, Stage
from modules.datastore import DataStore, DataVersion
from modules.manifest import ManifestStore
from modules.pipeline import Emit
from modules.registry import list_modules
from modules.task import PipelineSpec, load_pipeline
from modules.workspace import Workspace
from supervisor.bench import Bench
from supervisor.finding import Finding, Miner
from supervisor.forge.choice import forge_of
from supervisor.forge.port import Forge
from supervisor.grouping import EmitAll, Grouped, one_by_one
from supervisor.history import KINDS, History
from supervisor.mined import MINED_PURPOSES, Mined, mined_of
from supervisor.mining import Mining
from supervisor.probes import PROBES, Room
from traces.events import DataRegistered, Event
from traces.reader import Follower
from traces.tables import Tables

DEFAULT_SUITE = "broad"
TRACED_STAGES: tuple[Stage, ...] = ("clean", "backtest", "size", "execute")
"""Stages whose module in force must have been seen at work; ingest and feature differ from task to task."""

PROBE_SECONDS = 60.0
PROBE_SHARE = 0.1

Progress = Callable[[str], None]


@dataclass
class Workshop:
    """Everything but the decision what to try. `only`: the one suite that judges; None = each module's own."""

    workspace: Workspace
    repo: Repository
    forge: Forge
    grouped: Grouped
    executor: Executor | None
    progress: Progress
    only: Suite | None
    spec: PipelineSpec
    data: DataStore
    notes: list[str] = field(default_factory=list)
    _benches: dict[str, Bench] = field(default_factory=dict)
    _past: list[Event] = field(default_factory=list)
    _suites: dict[str, Suite] = field(default_factory=dict)
    _mining: Mining | None = None

    def __post_init__(self) -> None:
        self._tables = Tables(self.workspace.ledger, MINED_PURPOSES)
        self._follower = Follower(self.workspace.ledger, self.workspace.checkpoints, kinds=KINDS)

    @classmethod
    def open(
        cls,
        workspace: Workspace,
        emit: Emit,
        *,
        suite: str | None,
        executor: Executor | None = None,
        progress: Progress = lambda _: None,
        emit_all: EmitAll | None = None,
    ) -> Workshop:
        """Nothing is spent yet. Raises RepositoryError (no git, no commits), SuiteError."""
        repo = Repository(workspace.root)
        repo.head()  # no commits: refused before anything is spent
        return cls(
            workspace=workspace,
            repo=repo,
            forge=forge_of(workspace),
            grouped=Grouped(emit_all or one_by_one(emit)),
            executor=executor,
            progress=progress,
            only=load_suite(suite) if suite is not None else None,
            spec=load_pipeline(workspace.root / "pipeline.yaml"),
            data=DataStore(workspace.data),
        )

    def bench(self, module: str) -> Bench:
        """The bench on which `module` is tried: over the one suite, or its own."""
        return self.bench_over(self.suite(module))

    def suite(self, module: str) -> Suite:
        """The suite that judges `module`."""
        if module not in self._suites:
            self._suites[module] = self.only or load_suite(default_suite(module))
        return self._suites[module]

    def judges(self, module: str) -> bool:
        """Whether there is a suite whose tasks run `module`: what makes signals, or skills, runs only where a suite
        says so; all other stages are in every task."""
        stage = module.partition("/")[0]
        if stage in STAGES and stage not in ("ingest", "feature"):
            return True
        claimed = self.suite(module).default_for
        return module in claimed or stage in claimed

    def bench_over(self, suite: Suite) -> Bench:
        """The bench of a suite, made on first use; its data is registered then."""
        if suite.name not in self._benches:
            self._benches[suite.name] = Bench(
                suite=suite,
                version=_version(self.data, suite.data, self.grouped),
                spec=self.spec,
                data=self.data,
                store=ArtifactStore(self.workspace.artifacts),
                manifests=ManifestStore(self.workspace.runs),
                emit=self.grouped,
            )
            state = certificate_for(suite, self.workspace).state
            if state != "CURRENT":
                self.note(f"the A/A certificate on suite {suite.name} is {state}: nothing can ship; run `cws certify`")
        return self._benches[suite.name]

    def note(self, words: str) -> None:
        """What a reader must know, once."""
        if words not in self.notes:
            self.notes.append(words)

    def history(self) -> History:
        """Every verdict so far; only what is new is read."""
        self.grouped.flush()
        self._past += [envelope.event for envelope in self._follower.new()]
        return History(self._past)

    # --- traces and what is in them -------------------------------------------------------------

    def mined(self) -> Mined:
        """The traces that may be mined, as of now."""
        self.grouped.flush()
        return mined_of(self.workspace, self.data, self._tables)

    def trace_if_needed(self, deadline_s: float) -> None:
        """Run, on the mining period, what left no traces there as it is in force: the pipeline on its suite, then each
        module that has a suite of its own; what never runs leaves nothing to mine."""
        stages = self.spec.stages
        sized = f"size/{stages['size']}"
        mined = self.mined()
        wanted = [(sized, [f"{stage}/{stages[stage]}" for stage in TRACED_STAGES])]
        if self.only is None:
            modules = (f"{stage}/{name}" for stage, name in list_modules())
            wanted += [(m, [m]) for m in modules if m != sized and m in self.suite(m).default_for]
        ran: list[str] = []
        for module, in_force in wanted:
            bench = self.bench(module)
            seen = [mined.tasks_seen(name) for name in in_force]
            missing = [t for t in bench.tasks(module) if not all(t.digest in s for s in seen)]
            for at, task in enumerate(missing):
                if time.monotonic() > deadline_s:
                    self.note(f"time ran out: {module} lacks {len(missing) - at} of {len(missing)} mining runs")
                    break
                self.progress(f"mining run {at + 1} of {len(missing)}, {module}: {task.signal or module}")
                try:
                    bench.trace(task)
                except ValueError as error:  # a refusal is what miners look for, and not the end of a pass
                    self.note(f"{module}: a mining run was refused: {str(error).splitlines()[0]}")
                ran.append(module)
        if ran:
            self.note(
                f"{len(ran)} tasks were run on the mining period, because no traces of what is in force were there: "
                + ", ".join(dict.fromkeys(ran))
            )

    def measure(self, until_s: float) -> None:
        """What miners need and no run says (`supervisor.probes`): a probe has at most `PROBE_SECONDS`, and a tenth of
        the time until `until_s` (of time.monotonic)."""
        for probe in PROBES:
            now = time.monotonic()
            room = Room(
                mined=self.mined(),
                store=ArtifactStore(self.workspace.artifacts),
                emit=self.grouped,
                deadline_s=now + min(PROBE_SECONDS, max(0.0, PROBE_SHARE * (until_s - now))),
                progress=self.progress,
            )
            try:
                said = probe.measure(room)
            except ValueError as error:  # what one probe cannot measure is no reason to end a pass
                said = (f"{type(probe).__name__} measured nothing: {str(error).splitlines()[0]}",)
            for words in said:
                self.note(words)

    def mine(self, miners: Sequence[Miner], until_s: float) -> list[Finding]:
        """Every miner's findings; new ones go to the ledger. Miners that nothing new concerns are not asked again."""
        self.measure(until_s)
        mined = self.mined()
        known = set(mined.sql("SELECT DISTINCT finding_id FROM finding_recorded").get_column("finding_id").to_list())
        if self._mining is None or tuple(self._mining.miners) != tuple(miners):
            self._mining = Mining(miners)
        findings = self._mining.mine(mined, self.progress)
        for words in self._mining.notes:
            self.note(words)
        for finding in findings:
            if finding.finding_id not in known:
                self.grouped(finding.event())
        for why, count in mined.left_out().items():
            self.note(f"{count} runs were not mined: they {why}")
        self.grouped.flush()
        return findings


def _version(data: DataStore, name: str, emit: Emit) -> DataVersion:
    """The current version; a bundled set is registered, and recorded, on first use."""
    known = {v.digest for v in data.list()}
    version = current(data, name)
    if version.digest not in known:
        fields = version.model_dump(include=set(DataRegistered.model_fields) - {"kind"})
        emit(DataRegistered(**fields))
    return version
